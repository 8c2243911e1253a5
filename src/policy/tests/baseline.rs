//! What is new since a baseline was written, and what is gone.

use super::{Baseline, finding, report};
use crate::verdict::{Finding, PlatformRow, Report, Rule, SuppressedBy, Verdict};

fn scanned(platforms: &[&str], findings: Vec<Finding>) -> Report {
    let mut report = report(findings);
    report.platforms = platforms
        .iter()
        .map(|platform| PlatformRow {
            platform: (*platform).to_owned(),
            os_version: None,
            source: "hypothetical",
            nodes: 0,
            runtimes: Vec::new(),
            from: Vec::new(),
        })
        .collect();
    report
}

fn known() -> Finding {
    finding(Rule::ExecFormatError, "web", "nginx:1.27", Verdict::AtRisk)
}

/// A baseline of one finding, through its file.
fn baseline() -> Baseline {
    let text = Baseline::of(&report(vec![known()])).to_json().unwrap();
    Baseline::parse(&text).unwrap()
}

#[test]
fn only_what_has_become_worse_is_new() {
    type Edit = fn(&mut Finding);
    let edits: [(&str, bool, Edit); 12] = [
        ("nothing", false, |_| {}),
        ("another tag", false, |f| f.image = "nginx:1.28".to_owned()),
        ("the same image in full", false, |f| {
            f.image = format!("docker.io/library/nginx@sha256:{}", "a".repeat(64));
        }),
        ("another line", false, |f| {
            f.location = Some(crate::model::Location {
                file: "x".to_owned(),
                line: 7,
                column: 1,
            });
        }),
        ("other nodes of the platform", false, |f| {
            (f.source, f.nodes) = ("existing", 7);
        }),
        ("a better verdict", false, |f| f.verdict = Verdict::Ok),
        ("a worse verdict", true, |f| f.verdict = Verdict::Fails),
        ("one platform more", true, |f| {
            f.platforms.push("linux/s390x".to_owned());
        }),
        ("another repository", true, |f| {
            f.image = "quay.io/nginx:1.27".to_owned();
        }),
        ("another container", true, |f| f.container = "d".to_owned()),
        ("another rule", true, |f| f.rule = Rule::NoMatchingPlatform),
        ("another object", true, |f| {
            f.workload.kind = "Job".to_owned();
        }),
    ];
    for (what, new, edit) in edits {
        let mut edited = known();
        edit(&mut edited);
        let mut report = scanned(&[], vec![edited]);
        baseline().apply(&mut report, "b.json", true);
        let mark = report.findings[0].suppressed.as_ref();
        assert_eq!(mark.is_none(), new, "{what}");
        assert!(
            mark.is_none_or(|mark| mark.by == SuppressedBy::Baseline && mark.place == "b.json")
        );
    }
}

/// "Fixed" is said only where the finding could have been found.
#[test]
fn what_is_gone_is_told_where_it_was_looked_for() {
    let ok = |name| finding(Rule::FallbackPlatform, name, "x:1", Verdict::Ok);
    let unread = |name| finding(Rule::ImageUnreadable, name, "nginx:1.27", Verdict::Unknown);
    for (what, platforms, findings, whole, told) in [
        ("still there", ["linux/arm64"], vec![known()], true, false),
        ("fixed", ["linux/arm64"], vec![ok("web")], true, true),
        ("the object is gone", ["linux/arm64"], vec![], true, true),
        (
            "another platform was looked at",
            ["linux/amd64"],
            vec![ok("web")],
            true,
            false,
        ),
        (
            "it can't be read now",
            ["linux/arm64"],
            vec![unread("web")],
            true,
            false,
        ),
        (
            "something else can't be read",
            ["linux/arm64"],
            vec![unread("api")],
            true,
            true,
        ),
        ("a part was scanned", ["linux/arm64"], vec![], false, false),
    ] {
        let mut report = scanned(&platforms, findings);
        baseline().apply(&mut report, "b.json", whole);
        let notes: Vec<&str> = report
            .incomplete
            .iter()
            .map(|note| note.why.as_str())
            .collect();
        let expected = "1 of its 1 findings fixed or gone: shop/Deployment/web exec-format-error";
        assert_eq!(notes, if told { vec![expected] } else { vec![] }, "{what}");
    }
}

#[test]
fn a_baseline_holds_what_was_found_and_counts() {
    let mut by_baseline = finding(Rule::ExecFormatError, "kept", "x:1", Verdict::Fails);
    let mut by_config = finding(Rule::ExecFormatError, "left", "x:1", Verdict::Fails);
    let mark = |by| {
        Some(crate::verdict::Suppression {
            by,
            reason: String::new(),
            place: String::new(),
            expires: None,
        })
    };
    by_baseline.suppressed = mark(SuppressedBy::Baseline);
    by_config.suppressed = mark(SuppressedBy::Config);
    let mut elsewhere = known();
    elsewhere.platforms = vec!["linux/riscv64".to_owned()];
    elsewhere.verdict = Verdict::Fails;
    let unread = finding(Rule::ImageUnreadable, "unread", "x:1", Verdict::Unknown);
    let written = Baseline::of(&report(vec![
        known(),
        elsewhere,
        by_baseline,
        by_config,
        unread,
    ]));
    assert_eq!(written.len(), 2);
    insta::assert_snapshot!(written.to_json().unwrap());
}

#[test]
fn what_is_no_baseline_is_refused() {
    let entry = r#"{"rule":"r","kind":"k","namespace":"","name":"n","container":"c","image":"i","platforms":[],"verdict":"VERDICT"}"#;
    let file = |version: u32, verdict: &str| {
        format!(
            r#"{{"baselineVersion":{version},"findings":[{}]}}"#,
            entry.replace("VERDICT", verdict)
        )
    };
    assert_eq!(Baseline::parse(&file(1, "fails")).unwrap().len(), 1);
    for (text, says) in [
        (file(2, "fails"), "version 2"),
        (file(1, "dreadful"), "\"dreadful\" is no verdict"),
        (file(1, "unknown"), "\"unknown\" is no verdict"),
        ("[]".to_owned(), "no baseline"),
        (
            "{}".to_owned(),
            "missing field `baselineVersion` at line 1 column 2",
        ),
        (String::new(), "no baseline"),
    ] {
        let error = Baseline::parse(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}
