//! One suite, run twice: always against the API server in this process, and against a real one when
//! `ARCHCHECK_E2E_KUBECONFIG` names its kubeconfig (kind, or a bare kube-apiserver). There it makes a namespace and
//! Node objects of its own, and takes them away again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::fake_apiserver::FakeApiServer;
use crate::support::image_layout::ImageLayout;
use crate::support::objects::{node, pod_spec, workload};
use crate::support::tools::tool;

/// A cluster to put objects into.
trait Cluster {
    fn kubeconfig(&self) -> PathBuf;
    fn create(&self, object: Value);
}

impl Cluster for FakeApiServer {
    fn kubeconfig(&self) -> PathBuf {
        Self::kubeconfig(self)
    }

    fn create(&self, object: Value) {
        if !matches!(
            object["kind"].as_str(),
            Some("Namespace" | "ServiceAccount")
        ) {
            self.add(object);
        }
    }
}

/// A real cluster, spoken to by a real kubectl.
struct Real {
    kubeconfig: PathBuf,
    namespace: String,
    nodes: std::sync::Mutex<Vec<String>>,
}

impl Real {
    fn kubectl(&self, args: &[&str], stdin: &str) -> (bool, String) {
        let outcome = Archcheck::through(Command::new(tool("kubectl")))
            .env("KUBECONFIG", &self.kubeconfig)
            .args(args)
            .stdin(stdin)
            .run();
        (outcome.code == 0, outcome.stderr)
    }
}

impl Cluster for Real {
    fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    fn create(&self, object: Value) {
        if object["kind"] == "Node" {
            self.nodes
                .lock()
                .unwrap()
                .push(object["metadata"]["name"].as_str().unwrap().to_owned());
        }
        let (done, error) = self.kubectl(&["create", "-f", "-"], &object.to_string());
        // A controller may have made the default service account first.
        assert!(done || error.contains("AlreadyExists"), "{object}: {error}");
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        for node in self.nodes.lock().unwrap().iter() {
            self.kubectl(&["delete", "node", node, "--wait=false"], "");
        }
        self.kubectl(
            &["delete", "namespace", &self.namespace, "--wait=false"],
            "",
        );
    }
}

#[test]
fn against_the_server_in_this_process() {
    suite(&FakeApiServer::start(), "archcheck-e2e");
}

#[test]
fn against_a_real_cluster() {
    let Some(kubeconfig) = std::env::var_os("ARCHCHECK_E2E_KUBECONFIG") else {
        // The one line that says so; the test above has run the same suite.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), b"real cluster: not run\n");
        return;
    };
    let namespace = format!("archcheck-e2e-{}", std::process::id());
    let real = Real {
        kubeconfig: kubeconfig.into(),
        namespace: namespace.clone(),
        nodes: std::sync::Mutex::default(),
    };
    suite(&real, &namespace);
}

fn suite(cluster: &dyn Cluster, namespace: &str) {
    let dir = tempfile::tempdir().unwrap();
    let images = fill(cluster, namespace, dir.path());
    let scan = |flags: &str| {
        Archcheck::new()
            .env("KUBECONFIG", cluster.kubeconfig())
            .args(["-n", namespace, "--images", &images])
            .line(flags)
    };

    let (code, report) = scan("").json();
    assert_eq!(
        verdicts(&report),
        [
            "CronJob/nightly ok",
            "DaemonSet/agent fails",
            "Deployment/asleep fails",
            "Deployment/both ok",
            "Deployment/dashboard at-risk",
            "Deployment/lost unplaced",
            "Deployment/tolerant at-risk",
            "Pod/bound fails",
            "StatefulSet/db ok",
        ],
        "{report:#}"
    );
    assert_eq!(code, 1);
    assert_eq!(
        findings(&report),
        [
            "exec-format-error asleep linux/arm64",
            "exec-format-error bound linux/arm64",
            "no-matching-platform agent linux/arm64",
            "exec-format-error dashboard linux/arm64",
            "exec-format-error tolerant linux/arm64",
        ]
    );
    let lost = report["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .find(|w| w["name"] == "lost")
        .unwrap();
    assert!(
        lost["reason"]
            .as_str()
            .unwrap()
            .contains("archcheck-e2e/nowhere"),
        "{lost}"
    );

    // Everything can be asked for by name, and a pod leads to its workload.
    let (code, report) = scan("deploy/both sts/db").json();
    assert_eq!(
        (code, verdicts(&report)),
        (
            0,
            vec![
                "Deployment/both ok".to_owned(),
                "StatefulSet/db ok".to_owned()
            ]
        )
    );
    // Without nodes: what would be on one platform.
    assert_eq!(
        scan("deploy/dashboard --platform linux/amd64").run().code,
        0
    );
    let (code, report) = scan("deploy/both --platform linux/arm64 --platform linux/s390x").json();
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["Deployment/both at-risk".to_owned()])
    );
    // Small pages give the same answer.
    let (_, whole) = scan("").json();
    let (_, paged) = scan("--chunk-size 1").json();
    // Not the whole of them: in a real cluster pods come and go meanwhile.
    assert_eq!(verdicts(&whole), verdicts(&paged));
    assert_eq!(findings(&whole), findings(&paged));
    // The table names what fails, where, and what will be seen.
    let table = scan("ds/agent").run().stdout;
    let tainted = node_name(namespace, "arm64-tainted");
    for part in [
        "FAILS",
        "DaemonSet/agent",
        &tainted,
        "no match for platform in manifest",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

/// The suite's nodes carry its namespace's name: nodes have none of their own.
fn node_name(namespace: &str, suffix: &str) -> String {
    format!("{namespace}-{suffix}")
}

/// Nodes and workloads. All of them are tied to the suite's own nodes, whatever else the cluster has.
fn fill(cluster: &dyn Cluster, namespace: &str, dir: &Path) -> String {
    let mut layout = ImageLayout::new(dir.join("images"));
    let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
    let index = layout.index_of(&["linux/amd64"]);
    let single = layout.image("linux/amd64");
    layout
        .tag("example.com/both:1", &both)
        .tag("example.com/index-amd64:1", &index)
        .tag("example.com/single-amd64:1", &single);

    let mark = |mut node: Value, taint: bool| {
        node["metadata"]["labels"]["archcheck-e2e"] = namespace.into();
        if taint {
            node["spec"]["taints"] =
                json!([{"key": "arch", "value": "arm64", "effect": "NoSchedule"}]);
        }
        node
    };
    let name = |suffix: &str| node_name(namespace, suffix);
    cluster.create(mark(
        node(&name("amd64"), "amd64", "containerd://1.7.27"),
        false,
    ));
    cluster.create(mark(
        node(&name("arm64"), "arm64", "containerd://2.1.4"),
        false,
    ));
    cluster.create(mark(
        node(&name("arm64-tainted"), "arm64", "containerd://2.1.4"),
        true,
    ));

    cluster
        .create(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    // On a bare API server no controller makes it, and no pod is admitted without it.
    cluster.create(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}));

    let tied = |kind: &str, name: &str, image: &str, change: &dyn Fn(&mut Value)| {
        let mut object = workload(kind, namespace, name, image);
        pod_spec(&mut object)["nodeSelector"] = json!({"archcheck-e2e": namespace});
        change(&mut object);
        cluster.create(object);
    };
    let plain = |_: &mut Value| {};
    tied("Deployment", "both", "example.com/both:1", &plain);
    tied(
        "Deployment",
        "dashboard",
        "example.com/single-amd64:1",
        &plain,
    );
    tied(
        "Deployment",
        "asleep",
        "example.com/single-amd64:1",
        &|object| {
            object["spec"]["replicas"] = 0.into();
            pod_spec(object)["nodeSelector"]["kubernetes.io/arch"] = "arm64".into();
        },
    );
    tied("Deployment", "lost", "example.com/both:1", &|object| {
        pod_spec(object)["nodeSelector"] = json!({"archcheck-e2e/nowhere": "x"});
    });
    tied(
        "Deployment",
        "tolerant",
        "example.com/single-amd64:1",
        &|object| {
            pod_spec(object)["tolerations"] = json!([{"operator": "Exists"}]);
            pod_spec(object)["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}]}]}}});
        },
    );
    tied(
        "DaemonSet",
        "agent",
        "example.com/index-amd64:1",
        &|object| {
            pod_spec(object)["tolerations"] = json!([{"operator": "Exists"}]);
        },
    );
    tied("StatefulSet", "db", "example.com/both:1", &plain);
    cluster.create(json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": namespace},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never",
            "nodeSelector": {"archcheck-e2e": namespace, "kubernetes.io/arch": "amd64"},
            "containers": [{"name": "c", "image": "example.com/single-amd64:1"}]}}}}}}));
    cluster.create(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bound", "namespace": namespace},
        "spec": {"nodeName": name("arm64"), "containers": [{"name": "c", "image": "example.com/single-amd64:1"}]}}));
    layout.path().display().to_string()
}
