//! Rendered manifests: every kind, every part of a pod, and documents that are broken.

use crate::support::archcheck::{Archcheck, verdicts};

#[test]
fn every_kind_and_every_container_is_read() {
    let line =
        "-f tests/integration/data/every-kind.yaml --platform linux/arm64 --registry-timeout 2s";
    let (code, report) = Archcheck::new().line(line).json();
    assert_eq!(code, 1);
    assert_eq!(
        verdicts(&report),
        [
            "CronJob/cronjob unknown",
            "DaemonSet/daemonset unknown",
            "Deployment/deployment fails",
            "Job/job unknown",
            "Pod/pod unknown",
            "PodTemplate/podtemplate unknown",
            "ReplicaSet/replicaset unknown",
            "ReplicationController/replicationcontroller unknown",
            "StatefulSet/statefulset unknown",
        ]
    );
    let pod = &report["workloads"][4]["containers"];
    let roles: Vec<String> = pod
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            format!(
                "{} {}",
                c["name"].as_str().unwrap(),
                c["type"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        roles,
        [
            "init init",
            "sidecar sidecar",
            "main container",
            "debug ephemeral",
            "data image-volume"
        ]
    );
    let dormant: Vec<_> = report["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|w| w["dormant"] == true)
        .collect();
    assert_eq!(dormant.len(), 3, "CronJob, PodTemplate, StatefulSet");
    let broken = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["image"] == "Broken")
        .unwrap();
    assert_eq!(broken["location"]["line"], 20);
    assert_eq!(broken["expect"][0]["text"], "InvalidImageName");
    assert!(
        broken["message"]
            .as_str()
            .unwrap()
            .contains("must be lowercase")
    );
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: Bad}]}\n---\nkind: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: c, image: Bad}]}\n";
    let outcome = Archcheck::new()
        .line("-f - --platform linux/arm64")
        .stdin(text)
        .run();
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stdout.contains("NOT SEEN -:6"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("2 places: Pod/a"),
        "{}",
        outcome.stdout
    );
    let only_broken = Archcheck::new()
        .line("-f - --platform linux/arm64")
        .stdin("kind: [\n")
        .run();
    assert_eq!(only_broken.code, 2, "{only_broken:?}");
    assert!(
        only_broken
            .stdout
            .contains("1 thing could not be looked at"),
        "{}",
        only_broken.stdout
    );
}

#[test]
fn text_from_manifests_cannot_control_the_terminal() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\u001b[2J\\u202eb\"}\nspec: {containers: [{name: c, image: \"x\\u001b]0;owned\\u0007\"}]}\n";
    for format in ["table", "wide", "json", "yaml", "name"] {
        let outcome = Archcheck::new()
            .line("-f - --platform linux/arm64 -o")
            .args([format])
            .stdin(text)
            .run();
        let escaped = outcome.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}'])
            || outcome.stdout.contains("\\u001b");
        assert!(!escaped, "{format}: {:?}", outcome.stdout);
    }
}

#[test]
fn nodes_of_the_files_are_used_and_a_platform_takes_their_place() {
    let (_, report) = Archcheck::new()
        .line("-f examples/cluster.yaml --images examples/images")
        .json();
    assert_eq!(report["scope"]["nodesFrom"], serde_json::json!(["files"]));
    let (_, report) = Archcheck::new()
        .line("-f examples/cluster.yaml --images examples/images --platform linux/arm64")
        .json();
    assert_eq!(report["scope"]["nodesFrom"], serde_json::json!(["flags"]));
    assert_eq!(report["platforms"][0]["nodes"], 0);
    let (_, report) = Archcheck::new()
        .line("-f examples/cluster.yaml --images examples/images --add-platform linux/s390x")
        .json();
    assert_eq!(report["platforms"].as_array().unwrap().len(), 3);
}

/// kubectl walks as Go's `filepath.Walk`, which does not enter linked directories: a link upwards would never end.
#[test]
fn linked_directories_are_not_walked() {
    let dir = tempfile::tempdir().unwrap();
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}"#;
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("sub/pod.json"), pod).unwrap();
    std::os::unix::fs::symlink("..", dir.path().join("sub/up")).unwrap();
    let (_, report) = crate::support::archcheck::Archcheck::new()
        .line("-R --platform linux/amd64 -f")
        .args([dir.path()])
        .json();
    assert_eq!(report["summary"]["workloads"], 1);
}

/// `name: n` is the boolean of YAML 1.1: the error that nodes are missing says why they are.
#[test]
fn nodes_that_could_not_be_read_are_named_where_they_are_missed() {
    let outcome = Archcheck::new()
        .line("-f -")
        .stdin("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n")
        .run();
    assert_eq!(outcome.code, 3);
    let says =
        "; -:3 could not be read: metadata.name: invalid type: boolean `false`, expected a string";
    assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
}
