//! Completion: what kubectl's own script asks the plugin for, and the scripts for kubectl-archcheck itself.

use std::process::Command;

use serde_json::json;

use crate::support::archcheck::{Archcheck, Outcome, binary, repository};
use crate::support::fake_apiserver::{FakeApiServer, Fault};
use crate::support::objects::workload;
use crate::support::tools::tool;

/// What the real kubectl offers behind `kubectl archcheck …`, where the helper is a link to, or the script of a release.
fn offered(kubeconfig: &std::path::Path, helper: &std::path::Path, words: &[&str]) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    for (program, name) in [
        (binary().as_path(), "kubectl-archcheck"),
        (helper, "kubectl_complete-archcheck"),
    ] {
        std::os::unix::fs::symlink(program, dir.path().join(name)).unwrap();
    }
    Archcheck::through(Command::new(tool("kubectl")))
        .env("PATH", dir.path())
        .env("KUBECONFIG", kubeconfig)
        .args(["__complete", "archcheck"])
        .args(words)
        .run()
}

fn shop() -> FakeApiServer {
    let server = FakeApiServer::start();
    server.add(workload("Deployment", "shop", "web", "x"));
    server.add(workload("Deployment", "shop", "worker", "x"));
    server.add(workload("StatefulSet", "shop", "db", "x"));
    server.add(workload("Deployment", "shipping", "label-printer", "x"));
    server
}

#[test]
fn kubectl_completes_the_plugin_from_the_live_cluster() {
    let server = shop();
    let helpers = [binary(), repository("release/kubectl_complete-archcheck")];
    for (words, choices) in [
        (
            &["r"][..],
            "rules\tWhat each rule means, and what to do\nreplicasets\nreplicationcontrollers\n:4\n",
        ),
        (
            &["--pl"],
            "--platform\tCheck against this platform instead of the cluster's nodes (can be repeated)\n--plain-http\tSpeak plain http to this registry host (can be repeated)\n--plan\tList images, hosts, and the most requests and Docker Hub pulls that a scan would cost, and stop\n:4\n",
        ),
        (&["--fail-on", "f"], "fails\tA failure on every node\n:4\n"),
        (&["-n", "sh"], "shop\nshipping\n:4\n"),
        (&["--namespace=sho"], "shop\n:4\n"),
        (&["--exclude-namespace", "ship"], "shipping\n:4\n"),
        (&["--context", ""], "fake\n:4\n"),
        (&["--cluster", ""], "here\n:4\n"),
        (&["--user", ""], "me\n:4\n"),
        (&["--context", "fake", "-n", "shi"], "shipping\n:4\n"),
        (&["--context", "other", "-n", "shi"], ":4\n"),
        // The context's namespace is shop.
        (&["deploy/"], "deploy/web\ndeploy/worker\n:4\n"),
        (
            &["deploy/web", "deployments.apps/w"],
            "deployments.apps/web\ndeployments.apps/worker\n:4\n",
        ),
        (&["deploy/web", "deploy/"], "deploy/worker\n:4\n"),
        (&["sts", ""], "db\n:4\n"),
        (&["deploy", "web", "w"], "worker\n:4\n"),
        (&["-n", "shipping", "deploy", ""], "label-printer\n:4\n"),
        (&["svc", ""], ":4\n"),
        (&["nodes", ""], ":4\n"),
        (&["-f", ""], ":0\n"),
    ] {
        for helper in &helpers {
            let outcome = offered(&server.kubeconfig(), helper, words);
            assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
            assert_eq!(outcome.stdout, choices, "{words:?}: {outcome:?}");
        }
    }
    let log = server.log();
    let listed = log.iter().filter(|line| line.contains("deployments"));
    assert!(listed.clone().count() > 0);
    for line in listed {
        assert!(line.ends_with("?limit=1000"), "one request each: {line}");
    }
}

#[test]
fn nothing_is_said_about_a_cluster_that_does_not_answer() {
    let server = shop();
    server.fault("/deployments", Fault::Status(403));
    server.fault("/namespaces", Fault::Garbage);
    let broken = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(broken.path(), "no: [kubeconfig").unwrap();
    let hung = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hung = format!("--server=http://{}", hung.local_addr().unwrap());
    for (kubeconfig, words) in [
        (server.kubeconfig(), &["deploy/"][..]),
        (server.kubeconfig(), &["-n", ""]),
        (server.kubeconfig(), &["--token", "wrong", "sts/"]),
        (
            server.kubeconfig(),
            &["--server=http://127.0.0.1:1", "sts/"],
        ),
        (server.kubeconfig(), &["--request-timeout=nonsense", "sts/"]),
        (server.kubeconfig(), &[&hung, "sts/"]),
        (broken.path().to_owned(), &["--context", ""]),
        (broken.path().to_owned(), &["sts/"]),
        ("/nonexistent".into(), &["-n", ""]),
    ] {
        let began = std::time::Instant::now();
        let outcome = Archcheck::new()
            .env("KUBECONFIG", kubeconfig)
            .args(["__complete"])
            .args(words)
            .run();
        assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
        assert_eq!(outcome.stdout, ":4\n", "{words:?}: {outcome:?}");
        assert_eq!(outcome.stderr, "", "{words:?}");
        assert!(began.elapsed().as_secs() < 8, "{words:?}");
    }
}

#[test]
fn a_name_that_would_write_to_the_terminal_is_no_choice() {
    let server = FakeApiServer::start();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "good",
        "contexts": [
            {"name": "good", "context": {"cluster": "c"}},
            {"name": "evil\u{1b}[2J", "context": {"cluster": "c"}},
            {"name": "two\nlines", "context": {"cluster": "c"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), config.to_string()).unwrap();
    let outcome = Archcheck::new()
        .env("KUBECONFIG", file.path())
        .args(["__complete", "--context", ""])
        .run();
    assert_eq!(outcome.stdout, "good\n:4\n");
}

#[test]
fn every_shell_gets_a_script_for_the_program_itself() {
    for (shell, begins) in [
        ("bash", "_kubectl__archcheck() {"),
        ("zsh", "#compdef kubectl-archcheck"),
        ("fish", "# Print an optspec for argparse"),
        (
            "powershell",
            "\nusing namespace System.Management.Automation",
        ),
    ] {
        let outcome = Archcheck::new().args(["completion", shell]).run();
        assert_eq!(outcome.code, 0, "{shell}: {outcome:?}");
        assert!(
            outcome.stdout.starts_with(begins),
            "{shell}: {}",
            outcome.stdout
        );
        assert!(outcome.stdout.contains("add-platform"), "{shell}");
    }
    let wrong = Archcheck::new().line("completion tcsh").run();
    assert_eq!(wrong.code, 3);
    assert!(
        wrong.stderr.contains("bash, zsh, fish, powershell"),
        "{wrong:?}"
    );
}

#[test]
fn bash_completes_with_its_script() {
    let script = r#"
        source <("$0" completion bash)
        COMP_WORDS=(kubectl-archcheck --fail-on f) COMP_CWORD=2
        _kubectl__archcheck kubectl-archcheck f --fail-on
        echo "${COMPREPLY[@]}"
        COMP_WORDS=(kubectl-archcheck rul) COMP_CWORD=1
        _kubectl__archcheck kubectl-archcheck rul kubectl-archcheck
        echo "${COMPREPLY[@]}"
    "#;
    let outcome = Archcheck::through(Command::new("bash"))
        .args(["-c", script])
        .args([binary()])
        .run();
    assert_eq!(outcome.stdout, "fails\nrules\n", "{outcome:?}");
}
