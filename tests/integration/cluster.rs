//! A live cluster that answers in part: what could not be seen is said, and the rest goes on.

use serde_json::json;

use crate::support::archcheck::{Archcheck, Outcome, findings, verdicts};
use crate::support::fake_apiserver::{FakeApiServer, Fault};
use crate::support::image_layout::ImageLayout;
use crate::support::objects::{node, pod_spec, workload};

/// A cluster of one amd64 and one arm64 node, and a layout with `example.com/both:1` and `example.com/amd64:1`.
struct Fixture {
    server: FakeApiServer,
    _dir: tempfile::TempDir,
    images: String,
}

impl Fixture {
    fn new() -> Self {
        let server = FakeApiServer::start();
        server.add(node("node-a", "amd64", "containerd://2.1.4"));
        server.add(node("node-b", "arm64", "cri-o://1.34.0"));
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
}

fn incomplete(report: &serde_json::Value) -> Vec<String> {
    let entries = report["incomplete"].as_array().unwrap();
    entries
        .iter()
        .map(|e| {
            format!(
                "{}: {}",
                e["what"].as_str().unwrap(),
                e["why"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_cluster_is_listed_page_by_page_and_folded() {
    let fixture = Fixture::new();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    fixture
        .server
        .add(workload("DaemonSet", "ops", "agent", "example.com/amd64:1"));
    for n in 0..7 {
        fixture.server.add(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("agent-{n}"), "namespace": "ops", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "uid-DaemonSet-agent", "controller": true}]},
            "spec": {"nodeName": "node-a", "containers": [{"name": "agent", "image": "example.com/amd64:1"}]},
            "status": {"phase": "Running"}}));
    }
    let (code, report) = fixture.archcheck().line("--chunk-size 2").json();
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(
        verdicts(&report),
        ["DaemonSet/agent fails", "Deployment/web ok"]
    );
    assert_eq!(
        findings(&report),
        ["no-matching-platform agent linux/arm64"]
    );
    let expected = &report["findings"][0]["expect"];
    assert!(
        expected
            .to_string()
            .contains("no image found in image index for architecture"),
        "{expected}"
    );
    assert!(
        fixture
            .server
            .log()
            .contains(&"/api/v1/pods?limit=2&continue=6".to_owned()),
        "{:?}",
        fixture.server.log()
    );
    assert_eq!(
        report["scope"],
        json!({"source": "cluster", "context": "fake", "nodesFrom": ["cluster"]})
    );
}

#[test]
fn names_namespaces_and_labels_choose_workloads() {
    let fixture = Fixture::new();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    fixture
        .server
        .add(workload("Deployment", "shop", "api", "example.com/amd64:1"));
    fixture.server.add(workload(
        "Deployment",
        "kube-system",
        "dns",
        "example.com/amd64:1",
    ));
    for (line, expected) in [
        (
            "",
            vec![
                "Deployment/dns at-risk",
                "Deployment/api at-risk",
                "Deployment/web ok",
            ],
        ),
        (
            "-A",
            vec![
                "Deployment/dns at-risk",
                "Deployment/api at-risk",
                "Deployment/web ok",
            ],
        ),
        (
            "-n shop",
            vec!["Deployment/api at-risk", "Deployment/web ok"],
        ),
        // Names are looked up in the context's namespace, which is shop.
        ("deploy/web", vec!["Deployment/web ok"]),
        (
            "deployments web api",
            vec!["Deployment/api at-risk", "Deployment/web ok"],
        ),
        ("-n kube-system deploy/dns", vec!["Deployment/dns at-risk"]),
        ("-l app=web", vec!["Deployment/web ok"]),
        (
            "-l app!=web --exclude-namespace kube-*",
            vec!["Deployment/api at-risk"],
        ),
        (
            "--platform linux/amd64",
            vec![
                "Deployment/dns ok",
                "Deployment/api ok",
                "Deployment/web ok",
            ],
        ),
        (
            "--platform linux/arm64 -n shop",
            vec!["Deployment/api fails", "Deployment/web ok"],
        ),
        (
            "--add-platform linux/s390x -l app=web",
            vec!["Deployment/web at-risk"],
        ),
    ] {
        let (_, report) = fixture.archcheck().line(line).json();
        assert_eq!(verdicts(&report), expected, "{line}");
    }
    for (line, says) in [
        (
            "deploy/nothing",
            "Error from server (NotFound): deployments.apps \"nothing\" not found",
        ),
        ("-A deploy/web", "cannot be used with"),
        ("-l app=web deploy/web", "cannot be used with"),
        ("svc/web", "is no kind that runs pods"),
        (
            "--context other",
            "the context \"other\" is not in the kubeconfig; it has fake",
        ),
    ] {
        let outcome = fixture.archcheck().line(line).run();
        assert_eq!(outcome.code, 3, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(says), "{line}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{line}: {}", outcome.stdout);
    }
}

/// Who may see one workload is told about that one, without complaints about kinds that have no part in it.
#[test]
fn only_what_bears_on_the_named_objects_is_asked_for() {
    let fixture = Fixture::new();
    let server = &fixture.server;
    server.add(workload("Deployment", "shop", "web", "example.com/both:1"));
    for path in [
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "replicationcontrollers",
    ] {
        server.fault(path, Fault::Status(403));
    }
    let (code, report) = fixture.archcheck().line("deploy/web").json();
    assert_eq!((code, incomplete(&report)), (0, vec![]));
    server.fault("replicasets", Fault::Status(403));
    let (code, report) = fixture.archcheck().line("deploy/web").json();
    assert_eq!((code, incomplete(&report).len()), (2, 1), "these it makes");
}

/// A rollout that is stuck: what runs is not what the template says, and dies where it is.
#[test]
fn live_pods_of_another_revision_are_judged_on_their_nodes() {
    let fixture = Fixture::new();
    let server = &fixture.server;
    server.add(workload("Deployment", "shop", "web", "example.com/both:1"));
    let mut old = workload("ReplicaSet", "shop", "web-1", "example.com/amd64:1");
    old["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-Deployment-web", "controller": true}]);
    server.add(old);
    for node in ["node-a", "node-b"] {
        server.add(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("web-1-{node}"), "namespace": "shop", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "uid-ReplicaSet-web-1", "controller": true}]},
            "spec": {"nodeName": node, "containers": [{"name": "web", "image": "example.com/amd64:1"}]},
            "status": {"phase": "Running"}}));
    }
    let (code, report) = fixture.archcheck().line("po/web-1-node-b -n shop").json();
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["Deployment/web at-risk".to_owned()])
    );
    let finding = &report["findings"][0];
    assert_eq!(finding["nodeExamples"], json!(["node-b"]));
    assert!(
        finding["message"].as_str().unwrap().contains("live pods"),
        "{finding}"
    );
    // The next pods come from the template.
    let (code, _) = fixture
        .archcheck()
        .line("-n shop --platform linux/arm64")
        .json();
    assert_eq!(code, 0);
}

#[test]
fn what_may_not_be_listed_is_said_and_the_rest_goes_on() {
    for (path, fault, what, why, code) in [
        (
            "/daemonsets",
            Fault::Status(500),
            "daemonsets.apps",
            "as told (500)",
            2,
        ),
        ("/jobs", Fault::Garbage, "jobs.batch", "can't be read", 2),
        ("/cronjobs", Fault::Status(404), "", "", 0),
        (
            "/podtemplates",
            Fault::Status(500),
            "podtemplates",
            "as told (500)",
            0,
        ),
        ("/pods", Fault::Busy(2), "", "", 0),
        ("/pods", Fault::Expired, "", "", 0),
    ] {
        let fixture = Fixture::new();
        fixture
            .server
            .add(workload("Deployment", "shop", "web", "example.com/both:1"));
        for n in 0..5 {
            fixture.server.add(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{n}"), "namespace": "shop"},
                "spec": {"containers": [{"name": "c", "image": "example.com/both:1"}]}}));
        }
        fixture.server.fault(path, fault.clone());
        let (got, report) = fixture.archcheck().line("--chunk-size 2").json();
        let not_seen = incomplete(&report);
        assert_eq!(got, code, "{path} {fault:?}: {not_seen:?}");
        assert_eq!(report["summary"]["workloads"], 6, "{path} {fault:?}");
        if what.is_empty() {
            assert!(not_seen.is_empty(), "{path} {fault:?}: {not_seen:?}");
        } else {
            assert!(
                not_seen.len() == 1 && not_seen[0].contains(what) && not_seen[0].contains(why),
                "{not_seen:?}"
            );
        }
    }
}

#[test]
fn without_a_cluster_role_one_namespace_is_scanned_and_the_rest_is_one_entry() {
    let fixture = Fixture::new();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    fixture
        .server
        .add(workload("Deployment", "other", "api", "example.com/both:1"));
    for path in [
        "apps/v1/deployments",
        "apps/v1/statefulsets",
        "apps/v1/daemonsets",
        "apps/v1/replicasets",
        "batch/v1/jobs",
        "batch/v1/cronjobs",
        "api/v1/pods",
        "api/v1/replicationcontrollers",
        "api/v1/podtemplates",
        "api/v1/namespaces",
    ] {
        fixture.server.fault(path, Fault::Status(403));
    }
    let (code, report) = fixture.archcheck().json();
    assert_eq!(code, 2);
    assert!(
        fixture
            .server
            .log()
            .contains(&"/api/v1/namespaces/shop".to_owned())
    );
    assert_eq!(verdicts(&report), ["Deployment/web ok"]);
    let not_seen = incomplete(&report);
    assert_eq!(not_seen.len(), 1, "{not_seen:?}");
    assert!(
        not_seen[0].starts_with("all namespaces but shop: deployments.apps, "),
        "{not_seen:?}"
    );
    assert!(
        not_seen[0].contains("is forbidden: User \"me\""),
        "{not_seen:?}"
    );
    let (code, _) = fixture.archcheck().line("--allow-unknown").json();
    assert_eq!(code, 0);
}

#[test]
fn without_the_right_to_see_nodes_nothing_is_called_fine() {
    let fixture = Fixture::new();
    fixture
        .server
        .add(workload("Deployment", "shop", "web", "example.com/both:1"));
    fixture.server.fault("/nodes", Fault::Status(403));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(code, 2);
    assert_eq!(verdicts(&report), ["Deployment/web unknown"]);
    assert!(
        report["incomplete"][0]["hint"]
            .as_str()
            .unwrap()
            .contains("--platform")
    );
    let (code, report) = fixture.archcheck().line("--platform linux/arm64").json();
    assert_eq!(
        (code, verdicts(&report)),
        (0, vec!["Deployment/web ok".to_owned()])
    );
    assert!(!fixture.server.log().last().unwrap().contains("nodes"));
}

#[test]
fn a_namespace_of_openshift_chooses_nodes_for_its_pods() {
    let fixture = Fixture::new();
    for name in ["pinned", "free"] {
        let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
            "annotations": {"openshift.io/sa.scc.uid-range": "1000650000/10000"}}});
        if name == "pinned" {
            namespace["metadata"]["annotations"]["openshift.io/node-selector"] =
                "kubernetes.io/arch=amd64".into();
        }
        fixture.server.add(namespace);
        fixture
            .server
            .add(workload("Deployment", name, "web", "example.com/amd64:1"));
    }
    let mut torn = workload("Deployment", "pinned", "torn", "example.com/both:1");
    pod_spec(&mut torn)["nodeSelector"] = json!({"kubernetes.io/arch": "arm64"});
    fixture.server.add(torn);
    let expected = [
        "Deployment/web at-risk",
        "Deployment/torn unplaced",
        "Deployment/web ok",
    ];
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, verdicts(&report)),
        (1, expected.map(str::to_owned).to_vec())
    );
    let reason = report["workloads"][1]["reason"].as_str().unwrap();
    assert!(
        reason.contains("node selector kubernetes.io/arch=arm64 conflicts with the namespace's kubernetes.io/arch=amd64"),
        "{reason}"
    );
    let (_, report) = fixture.archcheck().line("-n pinned").json();
    assert_eq!(verdicts(&report), &expected[1..]);
    let (_, report) = fixture
        .archcheck()
        .line("-n pinned --platform linux/arm64")
        .json();
    assert_eq!(
        verdicts(&report),
        ["Deployment/torn unplaced", "Deployment/web unplaced"]
    );
}

#[test]
fn namespaces_that_may_not_be_seen_matter_where_they_choose_nodes() {
    for (label, code) in [("node.openshift.io/os_id", 2), ("example.com/other", 0)] {
        let fixture = Fixture::new();
        let mut third = node("node-c", "amd64", "cri-o://1.34.0");
        third["metadata"]["labels"][label] = "rhel".into();
        fixture.server.add(third);
        fixture
            .server
            .add(workload("Deployment", "shop", "web", "example.com/both:1"));
        fixture
            .server
            .fault("/api/v1/namespaces", Fault::Status(403));
        let (got, report) = fixture.archcheck().json();
        assert_eq!(got, code, "{label}");
        let not_seen = incomplete(&report);
        assert!(
            not_seen.len() == 1 && not_seen[0].starts_with("namespaces: "),
            "{not_seen:?}"
        );
        assert_eq!(verdicts(&report), ["Deployment/web ok"]);
    }
}

#[test]
fn a_namespace_that_is_not_there_is_not_all_good() {
    let fixture = Fixture::new();
    let (code, report) = fixture.archcheck().line("-n shpo").json();
    assert_eq!(code, 2);
    assert_eq!(
        incomplete(&report),
        ["namespace shpo: there is no such namespace"]
    );
}

#[test]
fn without_a_cluster_the_program_says_so() {
    let fixture = Fixture::new();
    let check = |outcome: Outcome, says: &str| {
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(
            outcome.stderr.contains(says) && outcome.stderr.contains("hint: "),
            "{}",
            outcome.stderr
        );
    };
    check(
        Archcheck::new().run(),
        "no cluster is configured: there is no kubeconfig at ",
    );
    check(
        Archcheck::new().line("--server http://127.0.0.1:1").run(),
        "the API server at http://127.0.0.1:1 could not be reached",
    );
    let server = fixture.server.url();
    check(
        Archcheck::new()
            .args(["--server", server, "--token", "wrong"])
            .run(),
        "does not accept these credentials: Unauthorized",
    );
    let right = Archcheck::new()
        .args(["--server", server, "--token", "let-me-in"])
        .run();
    assert_eq!(right.code, 0, "{right:?}");
    // A server that is something else is not an empty cluster.
    let web = crate::support::registry_server::RegistryServer::plain();
    let url = format!("http://{}", web.host());
    check(
        Archcheck::new().args(["--server", &url]).run(),
        "is no Kubernetes API server",
    );
    // As kubectl: a file of the list that is not there is skipped, one that --kubeconfig names is not.
    let list = format!("/nonexistent:{}", fixture.server.kubeconfig().display());
    assert_eq!(Archcheck::new().env("KUBECONFIG", list).run().code, 0);
    let named = Archcheck::new().line("--kubeconfig /nonexistent").run();
    assert!(
        named.code == 3 && named.stderr.contains("/nonexistent"),
        "{named:?}"
    );
    // A proxy of the environment is not used for a host that NO_PROXY names (loopback never is).
    let proxied = fixture
        .archcheck()
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .run();
    assert_eq!(proxied.code, 0, "{proxied:?}");
}

#[test]
fn a_node_whose_label_lies_is_judged_by_what_it_is() {
    let fixture = Fixture::new();
    let mut liar = node("node-c", "arm64", "containerd://2.1.4");
    liar["metadata"]["labels"]["kubernetes.io/arch"] = "amd64".into();
    fixture.server.add(liar);
    let mut pinned = workload("Deployment", "shop", "web", "example.com/amd64:1");
    pod_spec(&mut pinned)["nodeSelector"] = json!({"kubernetes.io/arch": "amd64"});
    fixture.server.add(pinned);
    let (code, report) = fixture.archcheck().json();
    assert_eq!(code, 1);
    assert_eq!(
        findings(&report),
        [
            "no-matching-platform web linux/arm64",
            "node-label-mismatch node-c linux/arm64"
        ]
    );
}

#[test]
fn an_image_that_a_registry_lacks_may_be_on_the_node() {
    let fixture = Fixture::new();
    let registry = crate::support::registry_server::RegistryServer::plain();
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path());
    let image = layout.index_of(&["linux/amd64", "linux/arm64"]);
    layout.tag("example.com/app:1", &image);
    registry.push(layout.path(), "1", "team/app:1");
    let missing = registry.reference("team/app:2");
    fixture
        .server
        .add(workload("Deployment", "shop", "web", &missing));
    // A registry that asks nobody who he is may hide repositories from everybody.
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, findings(&report)),
        (
            2,
            vec!["image-unreadable web linux/amd64,linux/arm64".to_owned()]
        ),
        "{report:#}"
    );
    // One that shows another tag of the repository doesn't hide it.
    let shown = registry.reference("team/app:1");
    fixture
        .server
        .add(workload("Deployment", "shop", "api", &shown));
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, findings(&report)),
        (
            1,
            vec!["image-not-found web linux/amd64,linux/arm64".to_owned()]
        ),
        "{report:#}"
    );
    // A ready pod on each node runs that very reference: it was loaded by hand.
    for (name, on) in [("web-1", "node-a"), ("web-2", "node-b")] {
        fixture.server.add(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-Deployment-web", "controller": true}]},
            "spec": {"nodeName": on, "containers": [{"name": "web", "image": missing}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "web", "ready": true, "imageID": "x", "image": missing}]}}));
    }
    let (code, report) = fixture.archcheck().json();
    assert_eq!(
        (code, verdicts(&report)),
        (
            2,
            vec![
                "Deployment/api ok".to_owned(),
                "Deployment/web unknown".to_owned()
            ]
        )
    );
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("preloaded on the node; give it with --images")
    );
}

/// client-go trims the token; a file made with `echo` ends in a line end.
#[test]
fn a_file_with_a_token_may_end_in_a_line_end() {
    let fixture = Fixture::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "let-me-in\n").unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": fixture.server.url()}}],
        "users": [{"name": "u", "user": {"tokenFile": "token"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = dir.path().join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    let outcome = Archcheck::new()
        .args(["--kubeconfig".as_ref(), path.as_os_str()])
        .run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn credential_plugins_are_run_and_their_output_is_never_shown() {
    let fixture = Fixture::new();
    let dir = tempfile::tempdir().unwrap();
    let scan = |script: &str| {
        let plugin = dir.path().join("plugin");
        std::fs::write(&plugin, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": fixture.server.url()}}],
            "users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                "command": "./plugin", "interactiveMode": "Never", "installHint": "install the plugin from example.com"}}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        let path = dir.path().join("config");
        std::fs::write(&path, config.to_string()).unwrap();
        Archcheck::new()
            .args(["--kubeconfig".as_ref(), path.as_os_str()])
            .run()
    };
    let credential = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"let-me-in"}}"#;
    let called = dir.path().join("called");
    let count = format!("echo once >> {}", called.display());
    let good = scan(&format!("{count}; echo '{credential}'"));
    assert_eq!(good.code, 0, "{good:?}");
    let times = || std::fs::read_to_string(&called).unwrap().lines().count();
    assert_eq!(times(), 1, "it may take seconds, or ask the user");
    for (script, says) in [
        ("echo '{}'", "it is no ExecCredential"),
        (
            "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"v1\"}'",
            "another apiVersion",
        ),
        (
            "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}'",
            "neither a token nor a certificate",
        ),
    ] {
        let useless = scan(script);
        assert!(
            useless.code == 3 && useless.stderr.contains(says),
            "{script}: {useless:?}"
        );
    }
    std::fs::remove_file(&called).unwrap();
    let stale = format!(
        "{count}; n=$(wc -l < {}); [ $n -gt 1 ] && echo '{credential}' || echo '{}'",
        called.display(),
        credential.replace("let-me-in", "stale")
    );
    let stale = scan(&stale);
    assert_eq!(
        (stale.code, times()),
        (0, 2),
        "asked again when it is refused: {stale:?}"
    );
    let bad = scan("echo very-secret; exit 7");
    assert_eq!(bad.code, 3, "{bad:?}");
    assert!(
        bad.stderr.contains("plugin") && bad.stderr.contains("exit status: 7"),
        "{}",
        bad.stderr
    );
    assert!(
        bad.stderr.contains("install the plugin from example.com"),
        "{}",
        bad.stderr
    );
    assert!(!bad.stderr.contains("very-secret"), "{}", bad.stderr);
}
