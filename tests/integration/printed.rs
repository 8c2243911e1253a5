//! What is printed, to the letter.

use crate::support::archcheck::Archcheck;
use crate::support::image_layout::ImageLayout;

/// A cluster of linux and Windows nodes, and workloads whose images are for linux.
const MIXED: &str = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: lin-1, labels: {kubernetes.io/os: linux, kubernetes.io/arch: amd64}}, status: {nodeInfo: {operatingSystem: linux, architecture: amd64, containerRuntimeVersion: "containerd://1.7.27"}}}
- {apiVersion: v1, kind: Node, metadata: {name: win-1, labels: {kubernetes.io/os: windows, kubernetes.io/arch: amd64}}, status: {nodeInfo: {operatingSystem: windows, architecture: amd64, kernelVersion: 10.0.20348.2113, containerRuntimeVersion: "containerd://1.7.27"}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {spec: {containers: [{name: web, image: "example.com/linux:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}, spec: {template: {spec: {containers: [{name: api, image: "example.com/single:1"}]}}}}
- {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: ops}, spec: {template: {spec: {containers: [{name: agent, image: "example.com/linux:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: pinned, namespace: shop}, spec: {template: {spec: {nodeSelector: {kubernetes.io/os: linux}, containers: [{name: c, image: "example.com/linux:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: lost, namespace: shop}, spec: {template: {spec: {nodeSelector: {pool: gpu}, containers: [{name: c, image: "example.com/linux:1"}]}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: away, namespace: shop}, spec: {replicas: 0, template: {spec: {containers: [{name: c, image: "example.com/nowhere:1"}]}}}}
"#;

fn images() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path().join("images"));
    let linux = layout.index_of(&["linux/amd64"]);
    let single = layout.image("linux/amd64");
    // An index for no platform at all.
    let nowhere = layout.index(&[]);
    layout
        .tag("example.com/linux:1", &linux)
        .tag("example.com/single:1", &single)
        .tag("example.com/nowhere:1", &nowhere);
    let path = layout.path().display().to_string();
    (dir, path)
}

fn printed(flags: &str) -> String {
    let (_dir, images) = images();
    let outcome = Archcheck::new()
        .line("-f - --images")
        .args([images])
        .line(flags)
        .env("COLUMNS", "80")
        .stdin(MIXED)
        .run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    outcome.stdout
}

#[test]
fn the_table_groups_by_cause() {
    insta::assert_snapshot!(printed(""));
}

/// Ten deployments of ten images, with two causes.
#[test]
fn hundreds_of_images_with_one_cause_are_one_block() {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path().join("images"));
    let mut manifests = String::new();
    for at in 0..20 {
        let image = format!("example.com/team/app-{at}:1");
        let made = if at % 2 == 0 {
            layout.image("linux/amd64")
        } else {
            layout.index_of(&["linux/amd64"])
        };
        layout.tag(&image, &made);
        manifests.push_str(&format!(
            "---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: app-{at}, namespace: shop}}, spec: {{template: {{spec: {{containers: [{{name: c, image: \"{image}\"}}]}}}}}}}}\n"
        ));
    }
    let outcome = Archcheck::new()
        .line("-f - --platform linux/arm64 --images")
        .args([layout.path()])
        .env("COLUMNS", "80")
        .stdin(manifests)
        .run();
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn everything_is_listed_when_asked_for() {
    insta::assert_snapshot!(printed("--show all --no-headers"));
}

#[test]
fn wide_is_for_awk() {
    insta::assert_snapshot!(printed("-o wide --show all"));
}

/// Findings of one block may be about other nodes: those of one place must not pass for those of all.
#[test]
fn a_block_of_several_places_tells_whose_nodes_are_whose() {
    let both = Archcheck::new()
        .line("-f - --timeout 0 --allow-registry nowhere.example")
        .stdin(MIXED)
        .run();
    let blocks: Vec<&str> = both.stdout.split("\n\n").collect();
    let unread = blocks
        .iter()
        .find(|block| block.starts_with("UNKNOWN"))
        .unwrap();
    assert!(
        unread.contains("shop/Deployment/pinned: linux/amd64: 1 of 1 it may land on (lin-1)"),
        "{unread}"
    );
    assert!(
        unread.contains(": linux/amd64, windows/amd64: 2 of 2 it may land on"),
        "{unread}"
    );
}
