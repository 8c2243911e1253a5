//! `-o github`: annotations, and the job summary.

use crate::support::scenario;

type Properties = Vec<(String, String)>;

/// Reads a line as the runner does (actions/runner, `ActionCommand.TryParseV2`): command, properties, message.
fn command(line: &str) -> Option<(String, Properties, String)> {
    let unescape = |text: &str| {
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%0A", "\n")
            .replace("%0D", "\r")
            .replace("%25", "%")
    };
    let (head, message) = line.strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',').filter_map(|property| {
        let (key, value) = property.split_once('=')?;
        Some((key.to_owned(), unescape(value)))
    });
    Some((name.to_owned(), properties.collect(), unescape(message)))
}

#[test]
fn every_finding_is_one_annotation() {
    let outcome = scenario::everything("-o github");
    assert_eq!(outcome.code, 1);
    let commands: Vec<_> = outcome
        .stdout
        .lines()
        .map(|line| command(line).unwrap())
        .collect();
    insta::assert_debug_snapshot!(commands);
}

#[test]
fn what_is_known_is_no_annotation() {
    assert_eq!(scenario::known(true, "-o github").stdout, "");
}

#[test]
fn hostile_names_start_no_command() {
    let outcome = scenario::hostile("-o github");
    assert_eq!(outcome.stdout.lines().count(), 2, "{}", outcome.stdout);
    for line in outcome.stdout.lines() {
        let (name, properties, message) = command(line).unwrap();
        assert!(["error", "warning"].contains(&name.as_str()), "{line}");
        let keys: Vec<&str> = properties.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["file", "line", "col", "title"], "{line}");
        assert!(
            message.contains("%0A::error::y"),
            "it comes back as it was: {message}"
        );
    }
}

#[test]
fn the_job_summary_is_appended_where_the_runner_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("summary.md");
    std::fs::write(&file, "# Other step\n").unwrap();
    let run = |flags: &str| {
        let (archcheck, _dir) = scenario::scan(scenario::manifests(), flags);
        archcheck.env("GITHUB_STEP_SUMMARY", &file).run()
    };
    run("-o table");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "# Other step\n",
        "only for -o github"
    );
    let printed = run("-o github").stdout;
    let written = std::fs::read_to_string(&file).unwrap();
    let markdown = run("-o markdown").stdout;
    assert!(printed.starts_with("::error"), "{printed}");
    assert_eq!(written, format!("# Other step\n{markdown}\n"));
    let nowhere = scenario::scan(scenario::manifests(), "-o github")
        .0
        .env("GITHUB_STEP_SUMMARY", "/nonexistent/summary.md")
        .run();
    assert_eq!(nowhere.code, 3, "{nowhere:?}");
}
