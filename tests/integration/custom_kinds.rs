//! Custom resources of a live cluster: found by discovery, read by the table or by their schema, and reported once.

use serde_json::{Value, json};

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::fake_apiserver::{FakeApiServer, Fault};
use crate::support::image_layout::ImageLayout;
use crate::support::objects::{node, workload};

/// A cluster of an amd64 and an arm64 node with some operators' kinds, and `example.com/both:1`, `example.com/amd64:1`.
struct Fixture {
    server: FakeApiServer,
    _dir: tempfile::TempDir,
    images: String,
}

impl Fixture {
    fn new() -> Self {
        let server = FakeApiServer::start();
        server.add(node("node-a", "amd64", "containerd://2.1.4"));
        server.add(node("node-b", "arm64", "containerd://2.1.4"));
        for (group_version, kind, plural) in [
            ("argoproj.io/v1alpha1", "Rollout", "rollouts"),
            ("argoproj.io/v1alpha1", "CronWorkflow", "cronworkflows"),
            ("monitoring.coreos.com/v1", "Prometheus", "prometheuses"),
            (
                "monitoring.coreos.com/v1",
                "ServiceMonitor",
                "servicemonitors",
            ),
            ("example.com/v1", "Widget", "widgets"),
        ] {
            server.serve(group_version, kind, plural, true);
        }
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path().join("images"));
        let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
        let amd64 = layout.index_of(&["linux/amd64"]);
        layout
            .tag("example.com/both:1", &both)
            .tag("example.com/amd64:1", &amd64);
        let images = layout.path().display().to_string();
        Self {
            server,
            _dir: dir,
            images,
        }
    }

    fn archcheck(&self) -> Archcheck {
        Archcheck::new()
            .env("KUBECONFIG", self.server.kubeconfig())
            .args(["--images", &self.images])
    }

    fn add_cron_workflow(&self) {
        self.server.add(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow",
            "metadata": {"name": "nightly", "namespace": "shop"},
            "spec": {"workflowSpec": {"templates": [{"name": "main", "container": {"image": "example.com/amd64:1"}}]}}}));
    }
}

fn owned_by(mut object: Value, api_version: &str, kind: &str, name: &str) -> Value {
    object["metadata"]["ownerReferences"] = json!([{"apiVersion": api_version, "kind": kind, "name": name,
        "uid": format!("uid-{kind}-{name}"), "controller": true}]);
    object
}

fn definition(group: &str, kind: &str, plural: &str, spec: Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"properties": {"spec": spec}}}}]}})
}

#[test]
fn kinds_are_found_by_the_table_and_by_their_schema() {
    for old in [false, true] {
        let fixture = Fixture::new();
        if old {
            fixture.server.grow_old();
        }
        fixture.add_cron_workflow();
        let pod = json!({"properties": {"containers": {"items": {"properties": {"image": {"type": "string"}}}}}});
        fixture.server.add(definition(
            "example.com",
            "Widget",
            "widgets",
            json!({"properties": {"pod": pod}}),
        ));
        fixture.server.add(definition(
            "monitoring.coreos.com",
            "ServiceMonitor",
            "servicemonitors",
            json!({"properties": {}}),
        ));
        fixture.server.add(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"},
            "spec": {"pod": {"nodeSelector": {"kubernetes.io/arch": "amd64"}, "containers": [{"name": "c", "image": "example.com/amd64:1"}]}}}));
        let (code, report) = fixture.archcheck().json();
        assert_eq!(code, 1, "{report:#}");
        assert_eq!(
            verdicts(&report),
            ["CronWorkflow/nightly at-risk", "Widget/w ok"]
        );
        let log = fixture.server.log();
        assert!(
            log.iter()
                .any(|path| path.starts_with("/apis/argoproj.io/v1alpha1/rollouts?"))
        );
        assert!(
            !log.iter().any(|path| path.contains("servicemonitors")),
            "{log:?}"
        );
        assert_eq!(
            log.iter().any(|path| path == "/apis/argoproj.io/v1alpha1"),
            old,
            "{log:?}"
        );
    }
}

#[test]
fn a_custom_resource_is_reported_once_with_what_its_controller_made_of_it() {
    let fixture = Fixture::new();
    fixture.server.add(json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
        "metadata": {"name": "k8s", "namespace": "ops"}, "spec": {"image": "example.com/both:1", "thanos": {"image": "example.com/amd64:1"}}}));
    let mut set = workload("StatefulSet", "ops", "prometheus-k8s", "example.com/both:1");
    set["spec"]["template"]["spec"]["containers"][0]["name"] = "prometheus".into();
    // The operator adds a container of its own, and keeps all of it on amd64.
    set["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/arch": "amd64"});
    let containers = set["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap();
    containers.push(json!({"name": "reloader", "image": "example.com/amd64:1"}));
    fixture.server.add(owned_by(
        set,
        "monitoring.coreos.com/v1",
        "Prometheus",
        "k8s",
    ));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prometheus-k8s-0", "namespace": "ops"},
        "spec": {"nodeName": "node-a", "nodeSelector": {"kubernetes.io/arch": "amd64"}, "containers": [
            {"name": "prometheus", "image": "example.com/both:1"}, {"name": "reloader", "image": "example.com/amd64:1"}]},
        "status": {"phase": "Running"}});
    fixture
        .server
        .add(owned_by(pod, "apps/v1", "StatefulSet", "prometheus-k8s"));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, verdicts(&report)),
        (0, vec!["Prometheus/k8s ok".to_owned()]),
        "{report:#}"
    );
    let containers = report["workloads"][0]["containers"].as_array().unwrap();
    let names: Vec<&str> = containers
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["prometheus", "reloader"]);
    assert_eq!(report["workloads"][0]["liveNodes"], json!(["node-a"]));
}

#[test]
fn an_operators_daemon_set_stays_one_under_its_owner() {
    let fixture = Fixture::new();
    fixture.server.add(json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "agent", "namespace": "ops"}, "spec": {}}));
    let set = workload("DaemonSet", "ops", "prom-agent", "example.com/amd64:1");
    fixture.server.add(owned_by(
        set,
        "monitoring.coreos.com/v1",
        "Prometheus",
        "agent",
    ));
    let (_, report) = fixture.archcheck().json();
    // A Deployment would be at risk.
    assert_eq!(verdicts(&report), ["Prometheus/agent fails"]);
}

#[test]
fn custom_resources_can_be_named() {
    let fixture = Fixture::new();
    fixture.add_cron_workflow();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    for name in [
        "cronworkflow/nightly",
        "cronworkflows.argoproj.io/nightly",
        "CronWorkflow nightly",
    ] {
        let (code, report) = fixture.archcheck().line(name).json();
        assert_eq!(
            (code, verdicts(&report)),
            (1, vec!["CronWorkflow/nightly at-risk".to_owned()]),
            "{name}"
        );
    }
    let unknown = fixture.archcheck().line("widgets/w").run();
    assert_eq!(unknown.code, 3);
    assert!(
        unknown
            .stderr
            .contains("is no kind that runs pods; known are deployments"),
        "{}",
        unknown.stderr
    );
    assert!(
        unknown.stderr.contains("cronworkflows"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn what_may_not_be_read_of_custom_kinds_is_one_entry() {
    let fixture = Fixture::new();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    // A Prometheus' pods are there as soon as it is, and are seen.
    fixture.server.fault("/prometheuses", Fault::Status(403));
    fixture
        .server
        .fault("/customresourcedefinitions", Fault::Status(403));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        report["incomplete"][0]["what"],
        "custom resources: prometheuses.monitoring.coreos.com"
    );
    // A CronWorkflow may start pods tomorrow that nobody has seen.
    fixture.server.fault("/cronworkflows", Fault::Status(403));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(code, 2);
    let not_seen = report["incomplete"].as_array().unwrap();
    assert_eq!(not_seen.len(), 1, "{not_seen:?}");
    assert_eq!(
        not_seen[0]["what"],
        "custom resources: cronworkflows.argoproj.io, prometheuses.monitoring.coreos.com"
    );
}

#[test]
fn an_api_that_fails_does_not_hide_the_others() {
    let fixture = Fixture::new();
    fixture.server.grow_old();
    fixture
        .server
        .serve("metrics.k8s.io/v1beta1", "PodMetrics", "pods", true);
    fixture.add_cron_workflow();
    fixture
        .server
        .fault("/apis/metrics.k8s.io/v1beta1", Fault::Status(503));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["CronWorkflow/nightly at-risk".to_owned()])
    );
    assert_eq!(report["incomplete"], json!([]));
    fixture
        .server
        .fault("/apis/monitoring.coreos.com/v1", Fault::Status(503));
    let (_, report) = fixture.archcheck().json();
    assert_eq!(verdicts(&report), ["CronWorkflow/nightly at-risk"]);
    assert_eq!(
        report["incomplete"][0]["what"],
        "custom resources: monitoring.coreos.com"
    );
}

#[test]
fn manifests_of_custom_kinds_are_read_with_their_places() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: w-}\nspec:\n  templates:\n  - name: a\n    container:\n      image: Bad\n  - name: b\n    container:\n      image: \"{{inputs.parameters.image}}\"\n---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db}\nspec:\n  imageName: Bad:2\n";
    let (code, report) = Archcheck::new()
        .line("-f - --platform linux/arm64")
        .stdin(text)
        .json();
    assert_eq!(code, 1);
    assert_eq!(
        verdicts(&report),
        ["Cluster/db fails", "Workflow/w-* fails"]
    );
    assert_eq!(
        findings(&report),
        [
            "invalid-reference w-* linux/arm64",
            "invalid-reference db linux/arm64",
            "image-unreadable w-* linux/arm64"
        ]
    );
    let lines: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["location"]["line"].clone())
        .collect();
    assert_eq!(lines, [8, 17, 11]);
    let unknown = &report["findings"][2];
    assert!(
        unknown["message"]
            .as_str()
            .unwrap()
            .contains("filled in when it runs"),
        "{unknown}"
    );
}

#[test]
fn images_in_arguments_are_information_on_demand() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: operator}\nspec:\n  template:\n    spec:\n      containers:\n      - name: op\n        image: example.com/both:1\n        args: [--config-reloader-image=example.com/amd64:1]\n";
    let fixture = Fixture::new();
    let scan = |flags: &str| {
        Archcheck::new()
            .line("-f - --platform linux/arm64")
            .line(flags)
            .args(["--images", &fixture.images])
            .stdin(text)
            .json()
    };
    let (code, report) = scan("");
    assert_eq!((code, report["images"].as_array().unwrap().len()), (0, 1));
    let (code, report) = scan("--hidden-images");
    assert_eq!(
        (code, verdicts(&report)),
        (0, vec!["Deployment/operator ok".to_owned()]),
        "{report:#}"
    );
    let hidden = &report["workloads"][0]["containers"][1];
    assert_eq!(hidden["type"], "mentioned");
    assert_eq!(hidden["name"], "--config-reloader-image");
    assert_eq!(hidden["outcomes"][0]["outcome"], "pull-fails");
}

#[test]
fn a_configuration_file_knows_more_kinds() {
    let text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec:\n  engine: Bad\n  image: nginx\n";
    let dir = tempfile::tempdir().unwrap();
    let scan = |config: &str| {
        let file = dir.path().join("config.yaml");
        std::fs::write(&file, config).unwrap();
        Archcheck::new()
            .line("-f - --platform linux/arm64 --config")
            .args([&file])
            .stdin(text)
    };
    let (code, report) = scan("").json();
    assert_eq!(
        (code, report["incomplete"].as_array().unwrap().len()),
        (2, 1)
    );
    let (code, report) =
        scan("kinds:\n- {group: example.com, kind: Widget, imagePaths: [.spec.engine]}\n").json();
    assert_eq!(
        (code, findings(&report)),
        (1, vec!["invalid-reference w linux/arm64".to_owned()])
    );
    assert_eq!(report["findings"][0]["location"]["line"], 5);
    let (code, report) =
        scan("kinds:\n- {group: example.com, kinds: ['*'], skip: no pods}\n").json();
    assert_eq!(
        (code, report["incomplete"].as_array().unwrap().len()),
        (0, 0)
    );
    for (config, says) in [
        (
            "kinds:\n- {group: example.com}\n",
            "needs a group and at least one kind",
        ),
        (
            "kinds:\n- {group: a, kind: B, imagePaths: ['x[']}\n",
            "is no path",
        ),
        ("kinds:\n- {group: a, kind: B, images: []}\n", "images"),
    ] {
        let outcome = scan(config).run();
        assert_eq!(outcome.code, 3, "{config}");
        assert!(
            outcome.stderr.contains(says),
            "{config}: {}",
            outcome.stderr
        );
    }
}
