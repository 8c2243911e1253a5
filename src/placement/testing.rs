//! Nodes and pods for the tests of this module.

use std::collections::BTreeMap;

use crate::image::Platform;
use crate::model::{Container, Node, NodeOrigin, PodTemplate, Runtime, Taint};

/// A Node object as a kubelet registers it.
pub(super) fn node(name: &str, architecture: &str) -> Node {
    let labels = [
        ("kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", architecture),
        ("beta.kubernetes.io/arch", architecture),
        ("kubernetes.io/hostname", name),
    ];
    let labels = labels
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()));
    Node {
        name: name.to_owned(),
        origin: NodeOrigin::Existing,
        labels: labels.collect(),
        taints: Vec::new(),
        unschedulable: false,
        platform: Platform::new("linux", architecture, ""),
        runtime: Runtime::parse("containerd://2.1.4"),
        os_image: String::new(),
        kernel_version: String::new(),
        images: Vec::new(),
    }
}

/// What `--platform` stands for.
pub(super) fn hypothetical(os: &str, architecture: &str) -> Node {
    Node {
        origin: NodeOrigin::Hypothetical,
        labels: BTreeMap::new(),
        platform: Platform::new(os, architecture, ""),
        ..node(&format!("{os}/{architecture}"), architecture)
    }
}

/// `node-0`, `node-1` and so on, half of them arm64.
pub(super) fn many_nodes(count: usize) -> Vec<Node> {
    let architecture = |i| if i % 2 == 0 { "amd64" } else { "arm64" };
    (0..count)
        .map(|i| node(&format!("node-{i}"), architecture(i)))
        .collect()
}

/// A `NoSchedule` taint.
pub(super) fn taint(key: &str, value: &str) -> Taint {
    Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: "NoSchedule".to_owned(),
    }
}

/// A pod template out of its spec in JSON.
pub(super) fn pod(spec: &str) -> PodTemplate {
    PodTemplate {
        spec: serde_json::from_str(spec).unwrap(),
        ..PodTemplate::default()
    }
}

/// A container that runs `image`.
pub(super) fn container(image: &str) -> Container {
    Container {
        image: image.to_owned(),
        ..Container::default()
    }
}
