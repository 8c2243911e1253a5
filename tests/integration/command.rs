//! The command line: usage errors, outputs, colour, the gate.

use crate::support::archcheck::{Archcheck, repository};

const EXAMPLE: &str = "-f examples/cluster.yaml --images examples/images";

#[test]
fn bad_usage_is_exit_code_three_and_says_what_to_do() {
    for (line, says) in [
        ("--nonsense", "unexpected argument '--nonsense'"),
        ("--platform arm64", "did you mean linux/arm64?"),
        ("--platform linux/armv7l", "is no architecture"),
        (
            "--platform linux/amd64 --add-platform linux/arm64",
            "cannot be used with",
        ),
        ("--runtime rkt", "is none of containerd, cri-o, docker"),
        ("-o sarfi", "is none of table, wide, name, json, yaml"),
        (
            "-f examples/cluster.yaml -o json -o yaml",
            "two outputs (-o) go to standard output",
        ),
        ("-f /nonexistent", "the path \"/nonexistent\" can't be read"),
        (
            "-f examples/cluster.yaml deploy/web",
            "names can't be combined with -f",
        ),
        ("-f examples/cluster.yaml -l a=b=c,=", "is no requirement"),
        (
            "-f examples/cluster.yaml --images /nonexistent",
            "--images /nonexistent",
        ),
        (
            "-f examples/cluster.yaml --registry-ca Cargo.toml",
            "could not be read as PEM certificates",
        ),
        (
            "-f tests/integration/data/every-kind.yaml",
            "which nodes? There are no Node objects among the files",
        ),
        ("--registry-timeout soon", "is no duration"),
        ("rules nonsense", "\"nonsense\" is no rule"),
        (
            "rules --platform linux/arm64",
            "unexpected argument '--platform'",
        ),
        (
            "-n shop rules",
            "commands come first: kubectl archcheck rules",
        ),
    ] {
        let outcome = Archcheck::new().line(line).run();
        assert_eq!(outcome.code, 3, "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(says), "{line}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{line}: {}", outcome.stdout);
    }
}

#[test]
fn the_gate_closes_where_it_is_told_to() {
    for (flags, code) in [
        ("", 1),
        ("--fail-on at-risk", 1),
        ("--fail-on fails", 1),
        ("--fail-on never", 0),
        (
            "--fail-on fails -l app.kubernetes.io/name=kubernetes-dashboard,x!=y",
            0,
        ),
        ("--exclude-namespace monitoring --fail-on fails", 0),
        ("--exclude-namespace monitoring", 1),
        ("--platform linux/arm64", 1),
        ("--platform linux/arm64 --fail-on never", 0),
    ] {
        let outcome = Archcheck::new().line(&format!("{EXAMPLE} {flags}")).run();
        assert_eq!(outcome.code, code, "{flags}: {}", outcome.stdout);
    }
}

#[test]
fn advice_about_another_os_names_its_label() {
    let outcome = Archcheck::new()
        .line(EXAMPLE)
        .line("--platform windows/amd64")
        .run();
    assert_eq!(outcome.code, 1);
    assert!(
        !outcome.stdout.contains("exec-format-error"),
        "nothing is started there: {}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("nodeSelector kubernetes.io/os"));
    assert!(!outcome.stdout.contains("nodeSelector kubernetes.io/arch"));
}

#[test]
fn the_flag_that_named_a_platform_is_the_one_that_is_shown() {
    for flag in ["--platform linux/s390x", "--add-platform linux/s390x"] {
        let shown = Archcheck::new().line(EXAMPLE).line(flag).run().stdout;
        assert!(
            shown.contains(&format!("{flag} on containerd://2.1")),
            "{shown}"
        );
    }
}

#[test]
fn what_the_user_names_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("config.json");
    std::fs::write(&broken, "not json").unwrap();
    for (flags, says) in [
        (
            "--registry-config /nonexistent/config.json".to_owned(),
            "/nonexistent/config.json isn't there",
        ),
        (format!("--registry-config {}", broken.display()), "line 1"),
        (
            "--images README.md".to_owned(),
            "neither a directory nor a tar archive",
        ),
        (
            "--plain-http http://registry:5000".to_owned(),
            "no registry host",
        ),
        (
            "--insecure-registry *.example.com".to_owned(),
            "no registry host",
        ),
    ] {
        let outcome = Archcheck::new().line(EXAMPLE).line(&flags).run();
        assert_eq!(outcome.code, 3, "{flags}: {outcome:?}");
        assert!(outcome.stderr.contains(says), "{flags}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn nothing_to_check_is_no_success() {
    for input in ["", "# nothing\n---\n"] {
        let outcome = Archcheck::new()
            .line("-f - --platform linux/arm64")
            .stdin(input)
            .run();
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(
            outcome.stderr.contains("no objects in standard input"),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains("pipefail"), "{outcome:?}");
    }
    let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Thing\nmetadata: {name: t}\nspec: {image: nginx}\n";
    let outcome = Archcheck::new()
        .line("-f - --platform linux/arm64")
        .stdin(rollout)
        .run();
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains("1 object of kind Thing.argoproj.io"),
        "{outcome:?}"
    );
}

#[test]
fn names_alone_say_on_stderr_what_was_not_seen() {
    let broken = "apiVersion: v1\nkind: Pod\n\tmetadata: {}\n";
    let outcome = Archcheck::new()
        .line("-f - -o name --platform linux/arm64")
        .stdin(broken)
        .run();
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("not seen: -:2"), "{outcome:?}");
}

#[test]
fn a_namespace_narrows_files_too() {
    let (_, report) = Archcheck::new().line(EXAMPLE).line("-n monitoring").json();
    assert_eq!(report["summary"]["workloads"], 1);
    assert_eq!(
        report["platforms"].as_array().unwrap().len(),
        2,
        "nodes are in none"
    );
    let (_, report) = Archcheck::new()
        .line(EXAMPLE)
        .line("-n monitoring -A")
        .json();
    assert_eq!(report["summary"]["workloads"], 5, "-A wins, as in kubectl");
}

#[test]
fn no_time_limit_is_written_0() {
    let outcome = Archcheck::new().line(EXAMPLE).line("--timeout 0").run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
}

#[test]
fn the_worst_come_first() {
    for flags in ["-o wide --no-headers", "--show all"] {
        let text = Archcheck::new().line(EXAMPLE).line(flags).run().stdout;
        let at = |word: &str| {
            let mut lines = text.lines();
            lines
                .position(|line| line.starts_with(word))
                .unwrap_or_else(|| panic!("{flags}: {text}"))
        };
        assert!(at("fails ") < at("at-risk "), "{text}");
    }
}

#[test]
fn several_reports_at_once_each_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let outcome = Archcheck::new()
        .line(EXAMPLE)
        .args(["-o", "table", "-o", &format!("json={}", file.display())])
        .run();
    assert!(
        outcome.stdout.starts_with("Scanned examples/cluster.yaml"),
        "{}",
        outcome.stdout
    );
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written["schemaVersion"], 1);
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    // All of them, each as it is alone.
    let formats = [
        "wide", "name", "json", "yaml", "sarif", "junit", "github", "markdown",
    ];
    let flag = |format: &str| format!("{format}={}", dir.path().join(format).display());
    let flags = formats
        .iter()
        .flat_map(|format| ["-o".to_owned(), flag(format)]);
    let all = Archcheck::new()
        .line(EXAMPLE)
        .line("-o table")
        .args(flags)
        .run();
    assert_eq!(all.stdout, outcome.stdout);
    for format in formats {
        let alone = Archcheck::new().line(EXAMPLE).args(["-o", format]).run();
        let written = std::fs::read_to_string(dir.path().join(format)).unwrap();
        assert!(
            alone.stdout == written && !written.is_empty(),
            "{format}: {written}"
        );
    }
    let nowhere = Archcheck::new()
        .line(EXAMPLE)
        .args(["-o", "json=/nonexistent/report.json"])
        .run();
    assert!(
        nowhere.code == 3 && nowhere.stderr.contains("/nonexistent/report.json"),
        "{nowhere:?}"
    );
}

#[test]
fn names_are_what_kubectl_takes_again() {
    let outcome = Archcheck::new().line(EXAMPLE).line("-o name").run();
    assert_eq!(
        outcome.stdout,
        "deployment.apps/kubernetes-dashboard\ndaemonset.apps/node-agent\n"
    );
}

#[test]
fn wide_has_one_row_an_outcome_and_no_headers_when_told() {
    let wide = Archcheck::new().line(EXAMPLE).line("-o wide").run().stdout;
    assert!(wide.starts_with("VERDICT  NAMESPACE    KIND"), "{wide}");
    assert_eq!(wide.lines().count(), 1 + 3, "{wide}");
    let bare = Archcheck::new()
        .line(EXAMPLE)
        .line("-o wide --no-headers --show all")
        .run()
        .stdout;
    assert!(!bare.contains("VERDICT"), "{bare}");
    assert!(
        bare.lines().count() == 10 && bare.contains("  runs  "),
        "{bare}"
    );
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let run = |flags: &str, name: &str, value: &str| {
        Archcheck::new()
            .line(EXAMPLE)
            .line(flags)
            .env(name, value)
            .run()
            .stdout
            .contains('\u{1b}')
    };
    assert!(!run("", "A", "b"), "a pipe is no terminal");
    assert!(run("--color always", "NO_COLOR", "1"), "a flag wins");
    assert!(run("", "CLICOLOR_FORCE", "1"));
    assert!(!run("--color never", "CLICOLOR_FORCE", "1"));
    assert!(
        !run("-o json --color always", "A", "b"),
        "machine formats have no colour"
    );
}

#[test]
fn help_and_version_are_no_errors() {
    for flag in ["--help", "-h", "--version"] {
        let outcome = Archcheck::new().line(flag).run();
        assert_eq!(outcome.code, 0, "{flag}");
        assert!(
            outcome.stderr.is_empty() && !outcome.stdout.is_empty(),
            "{flag}"
        );
    }
    let help = Archcheck::new().line("--help").run().stdout;
    let path = repository("docs/help.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &help).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == help,
        "docs/help.txt is out of date; run: UPDATE_DOCS=1 cargo test help"
    );
}

#[test]
fn a_command_comes_first_and_a_name_may_be_called_like_one() {
    let rules = Archcheck::new().line("rules").run();
    assert!(
        rules.code == 0 && rules.stdout.contains("exec-format-error"),
        "{rules:?}"
    );
    for names in ["deploy rules", "deploy/rules", "deploy web rules"] {
        let outcome = Archcheck::new().line(names).run();
        assert!(
            outcome.code == 3 && outcome.stderr.contains("no cluster is configured"),
            "{names} is looked for in a cluster: {outcome:?}"
        );
    }
}

#[test]
fn every_kubectl_flag_is_taken() {
    let flags = "--kubeconfig x --context x --cluster x --user x -n x -l a=b --as x --as-group x --as-group y --as-uid x \
        --as-user-extra a=b --token x -s http://127.0.0.1:1 --certificate-authority x --client-certificate x --client-key x \
        --insecure-skip-tls-verify --tls-server-name x --request-timeout 5s --chunk-size 100 --cache-dir x \
        --disable-compression -v --v=6 -vv";
    // With -f and --platform none of them is used, so that this tests the parsing alone.
    let outcome = Archcheck::new()
        .line(EXAMPLE)
        .line("--platform linux/amd64")
        .line(flags)
        .run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
}
