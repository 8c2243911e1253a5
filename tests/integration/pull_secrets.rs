//! Pull secrets of a cluster and of manifests, with a real registry behind a token server.

use serde_json::{Value, json};

use crate::support::archcheck::{Archcheck, verdicts};
use crate::support::fake_apiserver::{FakeApiServer, Fault};
use crate::support::image_layout::ImageLayout;
use crate::support::objects::{node, pod_spec, pull_secret, workload};
use crate::support::registry_server::{PASSWORD, RegistryServer, USER};

/// A registry with `private/app:both` for both platforms.
fn registry() -> RegistryServer {
    let registry = RegistryServer::token();
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path());
    let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
    layout.tag("example.com/app:both", &both);
    registry.push(layout.path(), "both", "private/app:both");
    registry
}

fn login() -> String {
    format!("{USER}:{PASSWORD}")
}

/// A Deployment of `private/app:both`, whose pods name these secrets.
fn deployment(registry: &RegistryServer, namespace: &str, name: &str, secrets: &[&str]) -> Value {
    let image = registry.reference("private/app:both");
    let mut object = workload("Deployment", namespace, name, &image);
    let secrets: Vec<Value> = secrets.iter().map(|name| json!({ "name": name })).collect();
    pod_spec(&mut object)["imagePullSecrets"] = secrets.into();
    object
}

fn cluster() -> FakeApiServer {
    let server = FakeApiServer::start();
    server.add(node("node-a", "amd64", "containerd://2.1.4"));
    server.add(node("node-b", "arm64", "containerd://2.1.4"));
    server
}

/// The requests for secrets and service accounts.
fn asked(server: &FakeApiServer) -> Vec<String> {
    let mut log = server.log();
    log.retain(|path| path.contains("secrets") || path.contains("serviceaccounts"));
    log.sort();
    log
}

fn credentials(report: &Value) -> Vec<String> {
    let images = report["images"].as_array().unwrap();
    images
        .iter()
        .map(|row| {
            let namespaces: Vec<_> = row["namespaces"].as_array().into_iter().flatten().collect();
            format!(
                "{} {}",
                row["credential"].as_str().unwrap(),
                json!(namespaces)
            )
        })
        .collect()
}

#[test]
fn images_are_read_with_the_secrets_of_the_pods_that_run_them() {
    let (registry, server) = (registry(), cluster());
    server.add(pull_secret("shop", "reg", &registry.host(), &login()));
    server.add(pull_secret("shop", "unused", &registry.host(), &login()));
    server.add(pull_secret("ops", "reg", "quay.io", "robot:elsewhere"));
    server.add(json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "builder", "namespace": "ci"}, "imagePullSecrets": [{"name": "own"}]}));
    server.add(pull_secret("ci", "own", &registry.host(), &login()));
    server.add(deployment(&registry, "shop", "web", &["reg"]));
    server.add(deployment(&registry, "shop", "api", &["reg"]));
    server.add(deployment(&registry, "ops", "web", &["reg"]));
    let mut build = deployment(&registry, "ci", "build", &[]);
    pod_spec(&mut build)["serviceAccountName"] = "builder".into();
    server.add(build);
    // Names with slashes lead nowhere else.
    server.add(deployment(
        &registry,
        "evil",
        "thief",
        &["../../shop/secrets/reg"],
    ));
    let before = registry.requests().len();
    let scan = |flags: &str| {
        Archcheck::new()
            .env("KUBECONFIG", server.kubeconfig())
            .line(flags)
            .json()
    };
    let (code, report) = scan("");
    assert_eq!(code, 2);
    assert_eq!(
        verdicts(&report),
        [
            "Deployment/build ok",
            "Deployment/thief unknown",
            "Deployment/web unknown",
            "Deployment/api ok",
            "Deployment/web ok"
        ]
    );
    assert_eq!(
        asked(&server),
        [
            "/api/v1/namespaces/ci/secrets/own",
            "/api/v1/namespaces/ci/serviceaccounts/builder",
            "/api/v1/namespaces/ops/secrets/reg",
            "/api/v1/namespaces/shop/secrets/reg",
        ]
    );
    assert_eq!(
        credentials(&report),
        [
            "anonymous [\"evil\",\"ops\"]",
            "pull-secret [\"ci\",\"shop\"]"
        ]
    );
    assert_eq!(report["summary"]["images"], 1);
    // One GET for those with the login, and what it takes to find out that nobody else may.
    let mut requests = registry.requests().split_off(before);
    requests.retain(|line| line.ends_with("200"));
    assert_eq!(requests.len(), 1, "{requests:?}");

    let before = asked(&server).len();
    let (_, report) = scan("--pull-secrets never");
    assert_eq!(report["summary"]["unknown"], 5);
    assert_eq!(asked(&server).len(), before);
    // Nor are they read where no registry is asked.
    let (_, report) = scan("--allow-registry quay.io");
    assert_eq!(report["summary"]["unknown"], 5);
    assert_eq!(asked(&server).len(), before);
}

#[test]
fn secrets_that_may_not_be_read_are_told_once_with_the_rule_that_would_help() {
    let (registry, server) = (registry(), cluster());
    for namespace in ["ops", "shop"] {
        server.add(pull_secret(namespace, "reg", &registry.host(), &login()));
        server.add(deployment(&registry, namespace, "web", &["reg"]));
    }
    server.add(deployment(&registry, "ci", "build", &[]));
    server.fault("secrets/reg", Fault::Status(403));
    server.fault("serviceaccounts/default", Fault::Status(403));
    let docker = tempfile::tempdir().unwrap();
    std::fs::write(docker.path().join("config.json"), registry.docker_config()).unwrap();
    let (code, report) = Archcheck::new()
        .env("KUBECONFIG", server.kubeconfig())
        .env("DOCKER_CONFIG", docker.path())
        .json();
    // The user's own login reads the images: nothing is unknown.
    assert_eq!(
        (code, &report["summary"]["ok"]),
        (0, &json!(3)),
        "{report:#}"
    );
    assert_eq!(credentials(&report), ["docker-config []"]);
    let [entry] = report["incomplete"].as_array().unwrap().as_slice() else {
        panic!("{:#}", report["incomplete"])
    };
    assert_eq!(
        entry["what"],
        "pull secrets: those of service account ci/default, ops/reg, shop/reg"
    );
    assert!(
        entry["why"]
            .as_str()
            .unwrap()
            .contains("is forbidden: User \"me\"")
    );
    assert!(
        entry["hint"]
            .as_str()
            .unwrap()
            .contains("{apiGroups: [\"\"], resources: [secrets, serviceaccounts], verbs: [get]}"),
        "{entry}"
    );
}

#[test]
fn manifests_bring_their_own_secrets_and_the_clusters_are_never_read() {
    let (registry, server) = (registry(), cluster());
    // The cluster has a right login; the files must do without it.
    server.add(pull_secret("shop", "reg", &registry.host(), &login()));
    let web = deployment(&registry, "shop", "web", &["reg"]);
    let own = pull_secret("shop", "reg", &registry.host(), &login());
    let elsewhere = pull_secret("other", "reg", &registry.host(), &login());
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "shop"}, "imagePullSecrets": [{"name": "reg"}]});
    let plain = deployment(&registry, "shop", "web", &[]);
    let file = |objects: &[&Value]| -> String {
        objects
            .iter()
            .map(|object| format!("---\n{object}\n"))
            .collect()
    };
    for (what, text, code) in [
        ("its own", file(&[&web, &own]), 0),
        ("those of its account", file(&[&plain, &own, &account]), 0),
        ("another namespace's", file(&[&web, &elsewhere]), 2),
        ("none", file(&[&web]), 2),
    ] {
        let (got, report) = Archcheck::new()
            .env("KUBECONFIG", server.kubeconfig())
            .line("-f -")
            .stdin(text)
            .json();
        assert_eq!(got, code, "{what}: {report:#}");
        assert!(!report.to_string().contains(PASSWORD));
        let told = report["incomplete"].to_string();
        assert_eq!(
            told.contains("not among the files"),
            code == 2,
            "{what}: {told}"
        );
    }
    assert!(asked(&server).is_empty(), "{:?}", asked(&server));
}
