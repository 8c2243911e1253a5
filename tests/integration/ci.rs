//! What is offered for pipelines works: the GitHub Action's steps, the pre-commit hook, and every command of docs/ci.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::archcheck::{Archcheck, Outcome, binary, repository};
use crate::support::tools::tool;

/// A repository with charts, kustomizations and manifests, and the programs that a pipeline has. `kubectl-archcheck` is the
/// built binary with the images of `examples/` at hand; `argocd` and `flux`, which would need a server and a download of
/// their own, print what they would render.
struct Pipeline {
    dir: tempfile::TempDir,
}

impl Pipeline {
    fn new() -> Self {
        let pipeline = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let chart = repository("tests/integration/data/shop-chart");
        copy(&chart, &pipeline.path("charts/shop"));
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: old}\nspec:\n  containers:\n  - name: c\n    image: k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1\n";
        pipeline.write("deploy/old.yaml", pod);
        pipeline.write(
            "deploy/new.yaml",
            &pod.replace(
                "k8s.gcr.io/kubernetes-dashboard-amd64:v1.10.1",
                "nginx:1.27",
            )
            .replace("old", "new"),
        );
        pipeline.write("base/pod.yaml", pod);
        pipeline.write("base/kustomization.yaml", "resources: [pod.yaml]\n");
        pipeline.write(
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\nnamePrefix: prod-\n",
        );
        pipeline.write("nodes.yaml.in", "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {kubernetes.io/arch: arm64, kubernetes.io/os: linux}}\nstatus: {nodeInfo: {architecture: arm64, operatingSystem: linux, containerRuntimeVersion: containerd://2.1.4}}\n");
        pipeline.program(
            "kubectl-archcheck",
            &format!(
                "exec {} --images {} \"$@\"",
                binary().display(),
                repository("examples/images").display()
            ),
        );
        let kubectl = tool("kubectl");
        // The plugin's kubectl is the real one; only the cluster is made up.
        pipeline.program("kubectl", &format!("if [ \"$1 $2\" = 'get nodes' ]; then cat {}/nodes.yaml.in; else exec {} \"$@\"; fi", pipeline.dir.path().display(), kubectl.display()));
        pipeline.program("helm", &format!("exec {} \"$@\"", tool("helm").display()));
        for name in ["argocd", "flux"] {
            pipeline.program(
                name,
                &format!("cat {}/deploy/*.yaml", pipeline.dir.path().display())
                    .replace("/*.yaml", "/old.yaml"),
            );
        }
        pipeline
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = format!("bin/{name}");
        self.write(&path, &format!("#!/usr/bin/env bash\n{script}\n"));
        std::fs::set_permissions(self.path(&path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script as a step of a pipeline.
    fn bash(&self, script: &str) -> Archcheck {
        let path = std::env::var("PATH").unwrap_or_default();
        Archcheck::through(Command::new("bash"))
            .dir(self.dir.path())
            .args(["-c", script])
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("GIT_COMMIT", "HEAD")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The fenced blocks of a language in docs/ci.md.
fn blocks(language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(repository("docs/ci.md")).unwrap();
    page.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// What each command checks holds an image for amd64 alone, so that each gate closes; a baseline opens it again.
#[test]
fn every_command_of_the_page_is_a_gate() {
    let blocks = blocks("console");
    assert!(blocks.len() >= 10, "{blocks:?}");
    for block in blocks {
        let outcome = Pipeline::new().bash(&block).run();
        let opens = block.contains("--baseline");
        assert_eq!(outcome.code, i32::from(!opens), "{block}: {outcome:?}");
        assert!(
            outcome.stdout.contains("fail") || outcome.stdout.contains("at risk"),
            "{block}: {outcome:?}"
        );
        let noise = outcome
            .stderr
            .replace("wrote 3 findings to baseline.json\n", "");
        assert!(noise.is_empty(), "{block}: {noise}");
    }
}

/// A chart that does not render must not pass for one without findings.
#[test]
fn a_pipe_that_breaks_closes_the_gate() {
    let outcome = Pipeline::new()
        .bash("helm template charts/nowhere | kubectl archcheck -f - --platform linux/arm64")
        .run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
}

#[test]
fn the_gitlab_job_runs_and_leaves_its_report() {
    let job = blocks("yaml")
        .into_iter()
        .find(|block| block.starts_with("archcheck:"))
        .unwrap();
    let job: Value = serde_saphyr::from_str(&job).unwrap();
    let script: Vec<&str> = job["archcheck"]["script"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    let pipeline = Pipeline::new();
    // GitLab's runner ends a job at the first command that fails.
    let outcome = pipeline
        .bash(&format!("set -eo pipefail\n{}", script.join("\n")))
        .run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let report = job["archcheck"]["artifacts"]["reports"]["junit"]
        .as_str()
        .unwrap();
    assert!(
        std::fs::read_to_string(pipeline.path(report))
            .unwrap()
            .contains("<testsuites")
    );
}

/// The steps of action.yml.
fn action() -> Value {
    let text = std::fs::read_to_string(repository("action.yml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Runs the steps of the action with these inputs, as the runner does: defaults filled in, scripts run by
/// `bash --noprofile --norc -e -o pipefail`. Returns the outcome of the last step that ran, and what it wrote for later steps.
fn run_action(pipeline: &Pipeline, inputs: &[(&str, &str)]) -> (Outcome, String, String) {
    let action = action();
    let mut values: BTreeMap<String, String> = action["inputs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, input)| {
            (
                format!("inputs.{name}"),
                input["default"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    values.insert("github.action_ref".to_owned(), "v0.1.0".to_owned());
    for (name, value) in inputs {
        assert!(
            values
                .insert(format!("inputs.{name}"), (*value).to_owned())
                .is_some(),
            "{name} is no input"
        );
    }
    let (output, summary) = (pipeline.path("output"), pipeline.path("summary"));
    std::fs::write(&output, "").unwrap();
    std::fs::write(&summary, "").unwrap();
    let mut last = None;
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert_eq!(step["shell"], "bash");
        let script = step["run"].as_str().unwrap();
        assert!(
            !script.contains("${{"),
            "an input in a script's text would be code: {script}"
        );
        let mut run = pipeline
            .bash(&format!("set -eo pipefail\n{script}"))
            .env("GITHUB_ACTION_PATH", repository(""))
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_PATH", pipeline.path("path"))
            .env("GITHUB_ACTIONS", "true")
            .env("RUNNER_TEMP", pipeline.dir.path())
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64");
        for (name, value) in step["env"].as_object().unwrap() {
            let expression = value.as_str().unwrap();
            let key = expression
                .trim_start_matches("${{ ")
                .trim_end_matches(" }}");
            let value = values
                .get(key)
                .unwrap_or_else(|| panic!("{expression} is not known"));
            run = run.env(name, value);
        }
        let outcome = run.run();
        let failed = outcome.code != 0;
        last = Some(outcome);
        if failed {
            break;
        }
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    (last.unwrap(), read(&output), read(&summary))
}

#[test]
fn the_action_annotates_summarises_and_closes_the_gate() {
    let pipeline = Pipeline::new();
    let (outcome, output, summary) = run_action(
        &pipeline,
        &[
            ("helm", "charts/shop\n"),
            ("sarif", "out.sarif"),
            (
                "helm-args",
                "--values=charts/shop/values.yaml\n\n--set=replicaCount=1\n",
            ),
        ],
    );
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(output, "exit-code=1\n");
    assert!(
        outcome.stdout.contains("::error "),
        "annotations: {}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("AT RISK  exec-format-error"),
        "the table: {}",
        outcome.stdout
    );
    assert!(summary.contains("exec-format-error"), "{summary}");
    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(pipeline.path("out.sarif")).unwrap())
            .unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let left: Vec<_> = std::fs::read_dir(pipeline.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("kubectl-archcheck."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_actions_inputs_do_what_they_say() {
    let pipeline = Pipeline::new();
    pipeline.write(
        "ignore.yaml",
        "ignore:\n- {rule: exec-format-error, reason: known}\n",
    );
    let base = run_action(&pipeline, &[("kustomize", "overlays/prod")]);
    assert_eq!(base.0.code, 1, "{base:?}");
    for (inputs, code, says) in [
        (
            vec![("manifests", "deploy/old.yaml\ndeploy/new.yaml")],
            1,
            "AT RISK",
        ),
        (vec![("manifests", "deploy/new.yaml")], 0, "1 ok"),
        (
            vec![("manifests", "deploy"), ("platforms", "linux/amd64")],
            0,
            "2 ok",
        ),
        (
            vec![
                ("manifests", "."),
                ("recursive", "true"),
                ("platforms", "linux/amd64"),
            ],
            2,
            "NOT SEEN",
        ),
        (
            vec![
                ("manifests", "."),
                ("recursive", "true"),
                ("platforms", "linux/amd64"),
                ("allow-unknown", "true"),
            ],
            0,
            "NOT SEEN",
        ),
        (
            vec![("kustomize", "overlays/prod"), ("fail-on", "never")],
            0,
            "AT RISK",
        ),
        (
            vec![
                ("kustomize", "overlays/prod"),
                ("fail-on", "fails"),
                ("platforms", "linux/arm64\nlinux/s390x"),
            ],
            1,
            "FAILS",
        ),
        (
            vec![("manifests", "deploy"), ("config", "ignore.yaml")],
            0,
            "1 finding ignored",
        ),
        (
            vec![("manifests", "deploy"), ("args", "-l\nno=where\n")],
            0,
            "No workloads",
        ),
        (
            vec![("manifests", "deploy"), ("annotations", "maybe")],
            3,
            "the input annotations is \"maybe\"",
        ),
        (vec![], 3, "give one of the inputs"),
        (
            vec![("manifests", "deploy"), ("helm", "charts/shop")],
            3,
            "give one of the inputs",
        ),
        (
            vec![("helm", "charts/nowhere")],
            3,
            "helm template charts/nowhere failed",
        ),
        (vec![("manifests", "$(touch injected); deploy")], 3, ""),
    ] {
        let (outcome, output, _) = run_action(&pipeline, &inputs);
        assert_eq!(outcome.code, code, "{inputs:?}: {outcome:?}");
        assert!(outcome.stdout.contains(says), "{inputs:?}: {outcome:?}");
        assert_eq!(output, format!("exit-code={code}\n"), "{inputs:?}");
    }
    assert!(!pipeline.path("injected").exists());
}

/// Where no binary is on the PATH, the release is fetched and its sum is checked.
#[test]
fn the_action_installs_a_release_that_is_what_it_says() {
    let pipeline = Pipeline::new();
    let archive = "kubectl-archcheck_v0.1.0_linux_amd64.tar.gz";
    let make = format!(
        "mkdir -p www/download/v0.1.0 && cd www/download/v0.1.0 && cp ../../../bin/kubectl-archcheck . && tar -czf {archive} kubectl-archcheck && rm kubectl-archcheck && sha256sum {archive} > SHA256SUMS && rm ../../../bin/kubectl-archcheck"
    );
    assert_eq!(pipeline.bash(&make).run().code, 0);
    let releases = format!("file://{}", pipeline.path("www").display());
    let install = |version: &str| {
        let script = format!(
            "bash {}",
            repository("integrations/github/install.sh").display()
        );
        // Only what the script needs, so that no installed kubectl-archcheck is found.
        pipeline
            .bash(&script)
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", pipeline.path("bin").display()),
            )
            .env("ARCHCHECK_RELEASES", &releases)
            .env("ARCHCHECK_ACTION_REF", version)
            .env("GITHUB_PATH", pipeline.path("path"))
            .env("RUNNER_TEMP", pipeline.dir.path())
            .run()
    };
    let installed = install("v0.1.0");
    assert_eq!(installed.code, 0, "{installed:?}");
    let directory = std::fs::read_to_string(pipeline.path("path")).unwrap();
    assert!(
        Path::new(directory.trim())
            .join("kubectl-archcheck")
            .is_file()
    );
    let missing = install("v9.9.9");
    assert!(
        missing.code == 3
            && missing.stdout.contains("::error title=kubectl archcheck::")
            && missing.stdout.contains("v9.9.9"),
        "{missing:?}"
    );
    std::fs::write(
        pipeline.path(&format!("www/download/v0.1.0/{archive}")),
        "something else",
    )
    .unwrap();
    let forged = install("v0.1.0");
    assert!(
        forged.code == 3 && forged.stdout.contains("is not what SHA256SUMS"),
        "{forged:?}"
    );
}

/// Every input is described, given to a script, and named on the page.
#[test]
fn the_action_and_its_page_agree() {
    let action = action();
    let text = action.to_string();
    let page = std::fs::read_to_string(repository("docs/ci.md")).unwrap();
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(
            input["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        assert!(
            text.contains(&format!("${{{{ inputs.{name} }}}}")),
            "{name} is used"
        );
        assert!(page.contains(&format!("`{name}`")), "{name} is on the page");
    }
    let workflow = blocks("yaml")
        .into_iter()
        .find(|block| block.starts_with("name:"))
        .unwrap();
    let workflow: Value = serde_saphyr::from_str(&workflow).unwrap();
    let steps = workflow["jobs"]["archcheck"]["steps"].as_array().unwrap();
    let with = steps[1]["with"].as_object().unwrap();
    assert!(
        with.keys()
            .all(|input| action["inputs"].get(input).is_some()),
        "{with:?}"
    );
}

/// pre-commit's part is played here: `entry`, then `args`, then the changed files.
#[test]
fn the_hook_checks_the_files_that_changed() {
    let hooks = std::fs::read_to_string(repository(".pre-commit-hooks.yaml")).unwrap();
    let hooks: Value = serde_saphyr::from_str(&hooks).unwrap();
    let hook = &hooks[0];
    let args: Vec<&str> = hook["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arg| arg.as_str().unwrap())
        .collect();
    assert_eq!(hook["id"], "archcheck");
    let pipeline = Pipeline::new();
    let entry = repository(hook["entry"].as_str().unwrap());
    let run = |args: &[&str], files: &[&str]| {
        let all: Vec<String> = args
            .iter()
            .chain(files)
            .map(|arg| format!("'{arg}'"))
            .collect();
        pipeline
            .bash(&format!("{} {}", entry.display(), all.join(" ")))
            .run()
    };
    assert_eq!(run(&args, &["deploy/old.yaml", "deploy/new.yaml"]).code, 1);
    assert_eq!(run(&args, &["deploy/new.yaml"]).code, 0);
    assert_eq!(
        run(&["--platform", "linux/arm64"], &["deploy/old.yaml"]).code,
        1,
        "without --"
    );
    assert_eq!(
        run(
            &["--platform", "linux/arm64", "--config", "/dev/null"],
            &["deploy/new.yaml"]
        )
        .code,
        0
    );
    pipeline.write("ignore.yaml", "ignore:\n- {rule: '*', reason: known}\n");
    assert_eq!(
        run(
            &["--platform", "linux/arm64", "--config", "ignore.yaml", "--"],
            &["deploy/old.yaml"]
        )
        .code,
        0
    );
    std::fs::remove_file(pipeline.path("bin/kubectl-archcheck")).unwrap();
    let without = pipeline
        .bash(&format!("{} -- deploy/old.yaml", entry.display()))
        .env("PATH", "/usr/bin:/bin")
        .run();
    assert!(
        without.code == 3 && without.stderr.contains("install it first"),
        "{without:?}"
    );
    // The examples of the page are configurations of pre-commit.
    let configurations: Vec<String> = blocks("yaml")
        .into_iter()
        .filter(|block| block.starts_with("repos:"))
        .collect();
    assert_eq!(configurations.len(), 2);
    let local: Value = serde_saphyr::from_str(&configurations[1]).unwrap();
    let entry = local["repos"][0]["hooks"][0]["entry"].as_str().unwrap();
    assert_eq!(Pipeline::new().bash(entry).run().code, 1, "{entry}");
}
