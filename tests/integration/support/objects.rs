//! Kubernetes objects for tests, as JSON.

use serde_json::{Value, json};

/// A node with the labels that a kubelet gives it.
pub(crate) fn node(name: &str, architecture: &str, runtime: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/arch": architecture, "kubernetes.io/os": "linux", "kubernetes.io/hostname": name}},
        "status": {"nodeInfo": {"architecture": architecture, "operatingSystem": "linux",
            "containerRuntimeVersion": runtime, "kernelVersion": "6.1.0", "osImage": "Debian",
            "bootID": "", "kubeProxyVersion": "", "kubeletVersion": "v1.34.0", "machineID": "", "systemUUID": ""}}})
}

/// A workload of a kind that keeps its pods in `.spec.template`, with one container.
pub(crate) fn workload(kind: &str, namespace: &str, name: &str, image: &str) -> Value {
    let api_version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
    let labels = json!({"app": name});
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": name, "image": image}]}}}});
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = name.into();
    }
    object
}

/// The pod spec of such a workload.
pub(crate) fn pod_spec(workload: &mut Value) -> &mut Value {
    &mut workload["spec"]["template"]["spec"]
}

/// A pull secret with one login.
pub(crate) fn pull_secret(namespace: &str, name: &str, host: &str, login: &str) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let config = json!({"auths": {host: {"auth": STANDARD.encode(login)}}});
    json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name, "namespace": namespace},
        "data": {".dockerconfigjson": STANDARD.encode(config.to_string())}})
}
