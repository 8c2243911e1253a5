//! Runs the built binary as a user would, in an environment of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Variables that would change what the binary does.
const SCRUBBED: [&str; 19] = [
    "GITHUB_STEP_SUMMARY",
    "KUBECACHEDIR",
    "DOCKER_AUTH_CONFIG",
    "REGISTRY_AUTH_FILE",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "COLUMNS",
    "KUBECONFIG",
    "DOCKER_CONFIG",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
];

/// The built binary.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_kubectl-archcheck"))
}

/// A path of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A run to be.
pub(crate) struct Archcheck {
    command: Command,
    stdin: Vec<u8>,
    _home: tempfile::TempDir,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Archcheck {
    pub(crate) fn new() -> Self {
        Self::through(Command::new(binary()))
    }

    /// Runs another program, such as kubectl, in the same kind of environment.
    pub(crate) fn through(mut command: Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        for name in SCRUBBED {
            command.env_remove(name);
        }
        command
            .env("HOME", home.path())
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        Self {
            command,
            stdin: Vec::new(),
            _home: home,
        }
    }

    /// Runs in another directory than the repository.
    pub(crate) fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(args);
        self
    }

    /// Arguments as one would type them.
    pub(crate) fn line(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another directory than the repository's.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    pub(crate) fn run(mut self) -> Outcome {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let text = std::mem::take(&mut self.stdin);
        let writer = std::thread::spawn(move || drop(stdin.write_all(&text)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs with `-o json`, and returns the exit code with the report.
    pub(crate) fn json(self) -> (i32, Value) {
        let outcome = self.args(["-o", "json"]).run();
        let report = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
        (outcome.code, report)
    }
}

/// `Kind/name verdict` of each workload of a report.
pub(crate) fn verdicts(report: &Value) -> Vec<String> {
    let workloads = report["workloads"].as_array().unwrap();
    workloads
        .iter()
        .map(|w| {
            format!(
                "{}/{} {}",
                w["kind"].as_str().unwrap(),
                w["name"].as_str().unwrap(),
                w["verdict"].as_str().unwrap()
            )
        })
        .collect()
}

/// `rule container platforms` of each finding of a report.
pub(crate) fn findings(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|f| {
            let platforms: Vec<_> = f["platforms"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            format!(
                "{} {} {}",
                f["rule"].as_str().unwrap(),
                f["workload"]["name"].as_str().unwrap(),
                platforms.join(",")
            )
        })
        .collect()
}
