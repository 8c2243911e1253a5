//! Scans for tests of report formats: one with every kind of result, and one whose names are hostile.

use super::archcheck::{Archcheck, Outcome};
use super::image_layout::ImageLayout;

/// Linux on two architectures and Windows; workloads that fail, may fail, are fine, are unknown, and land nowhere.
const EVERYTHING: &str = r#"apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: amd-1, labels: {kubernetes.io/os: linux, kubernetes.io/arch: amd64}}, status: {nodeInfo: {operatingSystem: linux, architecture: amd64, containerRuntimeVersion: "containerd://1.7.27"}}}
- {apiVersion: v1, kind: Node, metadata: {name: arm-1, labels: {kubernetes.io/os: linux, kubernetes.io/arch: arm64}}, status: {nodeInfo: {operatingSystem: linux, architecture: arm64, containerRuntimeVersion: "containerd://2.1.4"}}}
- {apiVersion: v1, kind: Node, metadata: {name: odd-1, labels: {kubernetes.io/os: linux, kubernetes.io/arch: amd64, pool: odd}}, spec: {taints: [{key: odd, effect: NoSchedule}]}, status: {nodeInfo: {operatingSystem: linux, architecture: arm64, containerRuntimeVersion: "containerd://2.1.4"}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: both, namespace: shop}, spec: {template: {spec: {containers: [{name: both, image: "example.com/both:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {spec: {initContainers: [{name: setup, image: "example.com/both:1"}], containers: [{name: web, image: "example.com/amd64:1"}]}}}}
- {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: ops}, spec: {template: {spec: {containers: [{name: agent, image: "example.com/single:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: small, namespace: shop}, spec: {template: {spec: {nodeSelector: {kubernetes.io/arch: amd64}, containers: [{name: small, image: "example.com/i386:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: dark, namespace: shop}, spec: {template: {spec: {containers: [{name: dark, image: "example.com/unread:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: lost, namespace: shop}, spec: {template: {spec: {nodeSelector: {pool: gpu}, containers: [{name: lost, image: "example.com/both:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: broken, namespace: shop}, spec: {template: {spec: {containers: [{name: broken, image: "example.com/Broken:1"}]}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: half
"#;

/// What would end, open or inject something in one of the formats.
pub(crate) const HOSTILE: &str = "x](http://evil.example) <img src=x onerror=alert(1)> @admin #1 `rm -rf` ]]> & \" %0A::error::y ##[error]z \u{1b}[31m \u{202e} https://evil.example www.evil.example me@evil.example | $a$ **b** _c_";

/// A scan of manifests with the images that `EVERYTHING` names.
pub(crate) fn scan(manifests: &str, flags: &str) -> (Archcheck, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path().join("images"));
    let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
    let amd64 = layout.index_of(&["linux/amd64"]);
    let i386 = layout.index_of(&["linux/386"]);
    let single = layout.image("linux/amd64");
    layout
        .tag("example.com/both:1", &both)
        .tag("example.com/amd64:1", &amd64)
        .tag("example.com/amd64:2", &amd64)
        .tag("example.com/i386:1", &i386)
        .tag("example.com/single:1", &single);
    let file = dir.path().join("cluster.yaml");
    std::fs::write(&file, manifests).unwrap();
    let archcheck = Archcheck::new()
        .current_dir(dir.path())
        .line("-f cluster.yaml --images images --allow-registry nowhere.example")
        .line(flags);
    (archcheck, dir)
}

/// The report of everything in a format.
pub(crate) fn everything(flags: &str) -> Outcome {
    scan(EVERYTHING, flags).0.run()
}

/// The report of one workload whose failure is known: by an annotation, or by an entry of the configuration file.
pub(crate) fn known(by_annotation: bool, flags: &str) -> Outcome {
    let annotations = match by_annotation {
        true => {
            r#"annotations: {archcheck/ignore: "no-matching-platform: only \"amd64\" <for> now"},"#
        }
        false => "",
    };
    let manifests = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{{annotations} name: web, namespace: shop}}, spec: {{containers: [{{name: web, image: 'example.com/amd64:1'}}]}}}}"
    );
    let (archcheck, dir) = scan(&manifests, "--platform linux/arm64");
    if !by_annotation {
        let ignore = "ignore:\n- rule: no-matching-platform\n  reason: amd64 for now\n  expires: 2999-12-31\n";
        std::fs::write(dir.path().join(".archcheck.yaml"), ignore).unwrap();
    }
    let outcome = archcheck.line(flags).run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome
}

/// The manifests of everything.
pub(crate) fn manifests() -> &'static str {
    EVERYTHING
}

/// The report of workloads whose names, images and containers are hostile.
pub(crate) fn hostile(flags: &str) -> Outcome {
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    let manifests = format!(
        r#"{{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": {hostile}, "namespace": {hostile}}},
"spec": {{"template": {{"spec": {{"containers": [
{{"name": {hostile}, "image": "example.com/amd64:1"}},
{{"name": "second", "image": {hostile}}}]}}}}}}}}"#
    );
    scan(&manifests, "--platform linux/arm64")
        .0
        .line(flags)
        .run()
}
