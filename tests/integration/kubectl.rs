//! A real kubectl finds the plugin, runs it, and keeps its exit code.

use std::process::Command;

use crate::support::archcheck::{Archcheck, Outcome, binary};
use crate::support::tools::tool;

/// Runs kubectl with a PATH on which the plugin is, alone in its directory.
fn kubectl(program: &str, line: &str) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(binary(), dir.path().join("kubectl-archcheck")).unwrap();
    Archcheck::through(Command::new(tool(program)))
        .env("PATH", dir.path())
        .line(line)
        .run()
}

#[test]
fn new_and_old_kubectl_run_the_plugin() {
    for program in ["kubectl", "kubectl-old"] {
        for (flags, code) in [
            ("", 1),
            ("--platform linux/amd64", 0),
            ("--platform nonsense", 3),
        ] {
            let line =
                format!("archcheck -f examples/cluster.yaml --images examples/images {flags}");
            let outcome = kubectl(program, &line);
            assert_eq!(outcome.code, code, "{program} {line}: {outcome:?}");
        }
        let list = kubectl(program, "plugin list");
        assert!(
            list.stdout.contains("kubectl-archcheck"),
            "{program}: {list:?}"
        );
        assert!(
            !list.stderr.contains("warning: ") || !list.stderr.contains("archcheck"),
            "{program}: {list:?}"
        );
    }
}

#[test]
fn usage_names_the_command_as_it_is_typed() {
    let outcome = kubectl("kubectl", "archcheck --help");
    assert_eq!(outcome.code, 0);
    assert!(
        outcome
            .stdout
            .contains("Usage: kubectl archcheck [OPTIONS]"),
        "{}",
        outcome.stdout
    );
    let wrong = kubectl("kubectl", "archcheck --nonsense");
    assert_eq!(wrong.code, 3);
    assert!(
        wrong.stderr.contains("kubectl archcheck"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn helm_renders_what_the_gate_reads() {
    let chart = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = chart.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    write(
        "values.yaml",
        "image: k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1\n",
    );
    write(
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: {{ .Values.image }}\n",
    );
    let rendered = Archcheck::through(Command::new(tool("helm")))
        .args(["template", "release"])
        .args([chart.path()])
        .run();
    assert_eq!(rendered.code, 0, "{rendered:?}");
    let gate = "-f - --images examples/images --platform linux/amd64 --platform linux/arm64";
    let (code, report) = Archcheck::new().line(gate).stdin(rendered.stdout).json();
    assert_eq!(code, 1);
    assert_eq!(
        report["findings"][0]["rule"], "exec-format-error",
        "{report:#}"
    );
    // The template itself is one entry with a hint, not a crash and not "all good".
    let raw = Archcheck::new()
        .line("--images examples/images --platform linux/arm64 -R -f")
        .args([chart.path()])
        .run();
    assert_eq!(raw.code, 2, "{raw:?}");
    assert!(raw.stdout.contains("helm template"), "{}", raw.stdout);
}
