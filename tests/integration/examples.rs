//! The README's story: the example cluster, from its layout and through a real registry.

use crate::support::archcheck::{Archcheck, findings, repository, verdicts};
use crate::support::registry_server::RegistryServer;

const EXPECTED: [&str; 5] = [
    "Deployment/kubernetes-dashboard at-risk",
    "DaemonSet/node-agent fails",
    "CronJob/nightly-report ok",
    "Deployment/web ok",
    "StatefulSet/db ok",
];

#[test]
fn the_first_command_of_the_readme() {
    let (code, report) = Archcheck::new()
        .line("-f examples/cluster.yaml --images examples/images")
        .json();
    assert_eq!(code, 1);
    assert_eq!(verdicts(&report), EXPECTED);
    assert_eq!(
        findings(&report),
        [
            "no-matching-platform node-agent linux/arm64",
            "exec-format-error kubernetes-dashboard linux/arm64"
        ]
    );
    let only_amd64 = "-f examples/cluster.yaml --images examples/images --platform linux/amd64";
    assert_eq!(Archcheck::new().line(only_amd64).run().code, 0);
}

#[test]
fn a_real_registry_gives_the_same_verdicts() {
    let registry = RegistryServer::plain();
    let text = std::fs::read_to_string(repository("examples/cluster.yaml")).unwrap();
    let index = std::fs::read_to_string(repository("examples/images/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let mut manifests = text.clone();
    for entry in index["manifests"].as_array().unwrap() {
        let name = entry["annotations"]["io.containerd.image.name"]
            .as_str()
            .unwrap();
        let tag = entry["annotations"]["org.opencontainers.image.ref.name"]
            .as_str()
            .unwrap();
        let (_, path) = name.split_once('/').unwrap();
        registry.push(&repository("examples/images"), tag, path);
        // Docker Hub's images are written short in manifests.
        let short = name
            .trim_start_matches("docker.io/")
            .trim_start_matches("library/");
        for written in [name, short] {
            let there = format!("image: {}", registry.reference(path));
            manifests = manifests.replace(&format!("image: {written}\n"), &format!("{there}\n"));
        }
    }
    assert_ne!(manifests, text);
    let (code, report) = Archcheck::new().line("-f -").stdin(manifests).json();
    assert_eq!(verdicts(&report), EXPECTED, "{report:#}");
    assert_eq!(code, 1);
    let asked: Vec<_> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["askedAt"].clone())
        .collect();
    assert!(
        asked.iter().all(|host| *host == registry.host().as_str()),
        "{asked:?}"
    );
}

#[test]
fn the_picture_in_the_readme_is_what_is_printed() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let line = "-f examples/cluster.yaml --images examples/images";
    let outcome = Archcheck::new().line(line).env("COLUMNS", "80").run();
    assert!(
        readme.contains(outcome.stdout.trim_end()),
        "README.md shows something else than:\n{}",
        outcome.stdout
    );
}
