//! The rules between folders (ARCHITECTURE.md) hold, and no test file is forgotten.

use std::path::{Path, PathBuf};

use crate::support::archcheck::repository;

/// Which folders each folder may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &["image"]),
    ("image", &["model"]),
    ("deep", &["model", "image"]),
    ("placement", &["model", "image"]),
    ("runtime", &["model", "image"]),
    ("verdict", &["model", "image", "placement", "runtime"]),
    (
        "policy",
        &["verdict", "model", "image", "runtime", "config"],
    ),
    ("config", &["policy", "input"]),
    ("report", &["verdict", "model", "image", "runtime"]),
    ("input", &["model", "image", "placement"]),
    ("registry", &["image", "model"]),
    (
        "cli",
        &[
            "model",
            "image",
            "placement",
            "runtime",
            "verdict",
            "report",
            "input",
            "registry",
            "policy",
            "config",
        ],
    ),
];

/// Words that no pure folder may have.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::time",
    "std::process",
    "tokio",
    "reqwest",
    "kube::",
];
const PURE: &[&str] = &[
    "policy",
    "config",
    "model",
    "image",
    "deep",
    "placement",
    "runtime",
    "verdict",
    "report",
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn folders_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for (folder, may_use) in MAY_USE.iter().copied() {
        let mut files = Vec::new();
        sources(&repository("src").join(folder), &mut files);
        assert!(!files.is_empty(), "{folder}");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (at, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for used in code.split("crate::").skip(1) {
                    let used: String = used
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    let known = MAY_USE.iter().any(|(folder, _)| *folder == used);
                    if known && used != folder && !may_use.contains(&used.as_str()) {
                        wrong.push(format!(
                            "{}:{}: {folder} uses {used}",
                            file.display(),
                            at + 1
                        ));
                    }
                }
                for word in IMPURE
                    .iter()
                    .filter(|word| PURE.contains(&folder) && code.contains(**word))
                {
                    wrong.push(format!(
                        "{}:{}: {folder} is pure, and uses {word}",
                        file.display(),
                        at + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_part_of_the_suite() {
    let main = std::fs::read_to_string(repository("tests/integration/main.rs")).unwrap();
    for entry in std::fs::read_dir(repository("tests/integration")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "main" || main.contains(&format!("mod {name};")),
            "{name} is in no binary"
        );
    }
}
