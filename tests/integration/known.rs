//! What somebody has said "I know" about: ignores in files and annotations, seen from outside.

use std::path::Path;

use crate::support::archcheck::{Archcheck, Outcome, repository};

/// A deployment whose image is for amd64 alone, with what makes it known.
fn manifest(own: &str, template: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: dashboard\n  namespace: kube-system\n{own}spec:\n  template:\n{template}    spec:\n      containers:\n      - name: c\n        image: k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1\n"
    )
}

/// A directory with a manifest, and a configuration if there is one.
fn project(config: Option<&str>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("app.yaml"), manifest("", "")).unwrap();
    if let Some(config) = config {
        std::fs::write(dir.path().join(".archcheck.yaml"), config).unwrap();
    }
    dir
}

fn scan(dir: &Path, flags: &str) -> Archcheck {
    Archcheck::new()
        .dir(dir)
        .args([
            "--images".as_ref(),
            repository("examples/images").as_os_str(),
        ])
        .line("-f app.yaml --platform linux/arm64")
        .line(flags)
        .env("COLUMNS", "80")
}

const KNOWN: &str = "ignore:\n- rule: exec-format-error\n  namespace: kube-*\n  image: k8s.gcr.io/kubernetes-dashboard-amd64:*\n  reason: moves to v2 in spring, OPS-7\n  expires: 2999-12-31\n";

#[test]
fn an_ignore_opens_the_gate_and_changes_no_verdict() {
    let dir = project(None);
    assert_eq!(scan(dir.path(), "").run().code, 1);
    let dir = project(Some(KNOWN));
    let (code, report) = scan(dir.path(), "").json();
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["workloads"][0]["verdict"], "fails");
    assert_eq!(report["summary"]["fails"], 1);
    assert_eq!(report["summary"]["suppressed"], 1);
    assert_eq!(report["scope"]["config"], ".archcheck.yaml");
    assert_eq!(
        report["findings"][0]["suppressed"],
        serde_json::json!({"by": "config", "reason": "moves to v2 in spring, OPS-7",
            "place": ".archcheck.yaml:2", "expires": "2999-12-31"})
    );
    insta::assert_snapshot!(scan(dir.path(), "").run().stdout);
    insta::assert_snapshot!(scan(dir.path(), "--show all").run().stdout);
    let wide = |flags| {
        scan(dir.path(), flags)
            .line("-o wide")
            .run()
            .stdout
            .lines()
            .count()
    };
    assert_eq!(
        (wide(""), wide("--show all")),
        (1, 2),
        "what is known is no row"
    );
}

#[test]
fn annotations_count_unless_they_may_not() {
    let annotation = "annotations: {archcheck/ignore: \"exec-format-error: OPS-7\"}";
    for (own, template) in [
        (format!("  {annotation}\n"), String::new()),
        (String::new(), format!("    metadata: {{{annotation}}}\n")),
    ] {
        let dir = project(None);
        std::fs::write(dir.path().join("app.yaml"), manifest(&own, &template)).unwrap();
        let (code, report) = scan(dir.path(), "").json();
        assert_eq!(code, 0, "{report:#}");
        assert_eq!(
            report["findings"][0]["suppressed"],
            serde_json::json!({"by": "annotation", "reason": "OPS-7",
                "place": "kube-system/Deployment/dashboard (app.yaml:1)"})
        );
        let (code, report) = scan(dir.path(), "--no-annotations").json();
        assert_eq!(code, 1);
        assert_eq!(report["findings"][0]["suppressed"], serde_json::Value::Null);
    }
}

#[test]
fn what_is_of_no_use_is_told() {
    let config = "ignore:\n- {rule: no-matching-platform, reason: old}\n- {rule: exec-format-error, reason: over, expires: 2020-01-31}\n";
    let dir = project(Some(config));
    let annotation = "  annotations: {archcheck/ignore: exec-format-error}\n";
    std::fs::write(dir.path().join("app.yaml"), manifest(annotation, "")).unwrap();
    let Outcome { code, stdout, .. } = scan(dir.path(), "").run();
    assert_eq!(code, 1);
    insta::assert_snapshot!(stdout);
}

#[test]
fn mistakes_in_a_configuration_name_key_and_place() {
    for (config, says) in [
        (
            "ignore:\n- rule: exec-format-eror\n  reason: x\n",
            "error: .archcheck.yaml:2:9: ignore[0].rule: there is no rule \"exec-format-eror\"; did you mean exec-format-error?",
        ),
        (
            "ignore:\n- rule: exec-format-error\n",
            "error: .archcheck.yaml:2:3: ignore[0]: the key reason is missing",
        ),
        (
            "ignores: []\n",
            "error: .archcheck.yaml:1:1: ignores: unknown field `ignores`",
        ),
    ] {
        let dir = project(Some(config));
        let outcome = scan(dir.path(), "").run();
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
        assert!(outcome.stdout.is_empty());
    }
    let dir = project(None);
    let outcome = scan(dir.path(), "--config nowhere.yaml").run();
    assert_eq!(outcome.code, 3);
    assert!(
        outcome
            .stderr
            .contains("the configuration file \"nowhere.yaml\" can't be read"),
        "{outcome:?}"
    );
}

#[test]
fn a_named_file_takes_the_place_of_the_directorys() {
    let dir = project(Some(KNOWN));
    std::fs::write(dir.path().join("other.yaml"), "").unwrap();
    let (code, report) = scan(dir.path(), "--config other.yaml").json();
    assert_eq!(
        (code, &report["scope"]["config"]),
        (1, &"other.yaml".into())
    );
    assert_eq!(scan(dir.path(), "--config /dev/null").run().code, 1);
}

#[test]
fn a_baseline_lets_pass_what_was_there_and_nothing_else() {
    let dir = project(None);
    let written = scan(dir.path(), "--write-baseline base.json").run();
    assert_eq!(
        written.code, 0,
        "what is written down is known: {written:?}"
    );
    assert!(
        written.stderr.contains("wrote 1 finding to base.json"),
        "{written:?}"
    );
    assert!(
        written.stdout.contains("FAILS "),
        "and shown once more: {written:?}"
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        2,
        "nothing is left beside it"
    );
    let (code, report) = scan(dir.path(), "--baseline base.json").json();
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["scope"]["baseline"], "base.json");
    assert_eq!(report["findings"][0]["suppressed"]["by"], "baseline");
    assert_eq!(report["summary"]["suppressed"], 1);
    // Another deployment with that image is new.
    let more = manifest("", "").replace("name: dashboard", "name: second");
    std::fs::write(
        dir.path().join("app.yaml"),
        format!("{}---\n{more}", manifest("", "")),
    )
    .unwrap();
    let new = scan(dir.path(), "--baseline base.json").run();
    assert_eq!(new.code, 1);
    assert!(
        new.stdout.contains("second") && !new.stdout.contains("Deployment/dashboard"),
        "{}",
        new.stdout
    );
    // Without any, what the baseline has is gone.
    std::fs::write(
        dir.path().join("app.yaml"),
        manifest("", "").replace("-amd64:v1.10.1", ":v1"),
    )
    .unwrap();
    let gone = scan(
        dir.path(),
        "--baseline base.json --allow-unknown --timeout 0",
    )
    .run();
    assert!(
        !gone.stdout.contains("fixed"),
        "it could not be looked at: {gone:?}"
    );
    std::fs::write(
        dir.path().join("app.yaml"),
        manifest("", "").replace(
            "k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1",
            "nginx:1.27",
        ),
    )
    .unwrap();
    let gone = scan(dir.path(), "--baseline base.json").run();
    assert_eq!(gone.code, 0, "{gone:?}");
    assert!(
        gone.stdout.contains("1 of its 1 findings fixed or gone"),
        "{}",
        gone.stdout
    );
}

#[test]
fn a_baseline_that_is_none_is_an_error_and_what_could_not_be_checked_is_in_none() {
    let dir = project(None);
    let outcome = scan(dir.path(), "--baseline nowhere.json").run();
    assert_eq!(outcome.code, 3);
    assert!(
        outcome
            .stderr
            .contains("hint: --write-baseline FILE writes one"),
        "{outcome:?}"
    );
    std::fs::write(
        dir.path().join("app.yaml"),
        manifest("", "").replace("k8s.gcr.io", "127.0.0.1:1"),
    )
    .unwrap();
    let unread = scan(dir.path(), "--write-baseline base.json").run();
    assert_eq!(unread.code, 2, "{unread:?}");
    assert!(unread.stderr.contains("wrote 0 findings"), "{unread:?}");
    std::fs::remove_file(dir.path().join("base.json")).unwrap();
    // A registry that takes calls and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let image = format!("{}/x", silent.local_addr().unwrap());
    let text = manifest("", "").replace("k8s.gcr.io/kubernetes-dashboard-amd64", &image);
    std::fs::write(dir.path().join("app.yaml"), text).unwrap();
    let early = scan(dir.path(), "--write-baseline base.json --timeout 500ms").run();
    assert!(
        early
            .stderr
            .contains("was not written: the run ended early"),
        "{early:?}"
    );
    assert!(!dir.path().join("base.json").exists());
    let nowhere = scan(dir.path(), "--write-baseline /nonexistent/base.json").run();
    assert!(
        nowhere.code == 3 && nowhere.stderr.contains("/nonexistent/base.json"),
        "{nowhere:?}"
    );
}

/// Where one happens to be says nothing about a cluster.
#[test]
fn a_cluster_scan_reads_only_the_file_that_is_named() {
    let dir = project(Some("this is: no configuration\n"));
    let run = |flags: &str| {
        Archcheck::new()
            .dir(dir.path())
            .line("--kubeconfig /nonexistent")
            .line(flags)
            .run()
    };
    let outcome = run("");
    assert!(!outcome.stderr.contains(".archcheck.yaml"), "{outcome:?}");
    let named = run("--config .archcheck.yaml");
    assert!(named.stderr.contains(".archcheck.yaml:1:1"), "{named:?}");
}

/// An entry for what this run leaves out is not called useless.
#[test]
fn a_scan_of_a_part_calls_no_entry_useless() {
    let dir = project(Some(
        "ignore:\n- {rule: no-matching-platform, name: other, reason: x}\n",
    ));
    let notes = |flags: &str| {
        let (_, report) = scan(dir.path(), flags).json();
        report["incomplete"].as_array().unwrap().len()
    };
    assert_eq!(notes(""), 1);
    assert_eq!(notes("--exclude-namespace other"), 0);
}

#[test]
fn the_schema_of_the_configuration_in_docs_is_that_of_the_types() {
    let path = repository("docs/config.schema.json");
    let schema = archcheck::config::schema();
    let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "docs/config.schema.json is out of date; run: UPDATE_DOCS=1 cargo test schema"
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (text, fits) in [
        (KNOWN, true),
        ("{}", true),
        ("ignore:\n- {rule: ['*'], kind: [Job], reason: x}\n", true),
        ("ignore:\n- {rule: '*'}\n", false),
        ("ignored: []\n", false),
    ] {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(validator.is_valid(&value), fits, "{text}");
        let read = archcheck::config::Config::parse(text, "c.yaml");
        assert_eq!(read.is_ok(), fits, "{text}: schema and reader agree");
    }
}

/// Every YAML block of the page is a configuration, or a manifest that the program understands without a note.
#[test]
fn the_examples_of_the_page_work() {
    let page = std::fs::read_to_string(repository("docs/configuration.md")).unwrap();
    let blocks: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        if block.contains("apiVersion") {
            let (_, report) = Archcheck::new()
                .line("-f - --platform linux/arm64 --timeout 0")
                .stdin(block)
                .json();
            let notes = report["incomplete"].to_string();
            assert!(!notes.contains("not understood"), "{block}: {notes}");
        } else {
            archcheck::config::Config::parse(block, "c.yaml").unwrap();
        }
    }
}
