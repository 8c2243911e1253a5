//! What is known, what it does to a report, and what is said about entries that are of no use.

mod baseline;

use std::collections::BTreeMap;

use super::*;
use crate::model::{Location, ObjectId, PodTemplate, Workload};
use crate::runtime::Certainty;
use crate::verdict::{
    FailOn, Finding, Gate, GateOutcome, Report, Rule, SuppressedBy, Verdict, WorkloadResult,
};

fn id(name: &str) -> ObjectId {
    ObjectId {
        namespace: "shop".to_owned(),
        kind: "Deployment".to_owned(),
        name: name.to_owned(),
        api_version: "apps/v1".to_owned(),
    }
}

pub(super) fn finding(rule: Rule, name: &str, image: &str, verdict: Verdict) -> Finding {
    Finding {
        rule,
        severity: rule.severity(),
        verdict,
        workload: id(name),
        dormant: false,
        container: "c".to_owned(),
        image: image.to_owned(),
        platforms: vec!["linux/arm64".to_owned()],
        source: "hypothetical",
        from: Vec::new(),
        nodes: 1,
        of_nodes: 1,
        node_examples: Vec::new(),
        message: String::new(),
        expect: Vec::new(),
        certainty: Certainty::Certain,
        advice: "",
        location: None,
        object: None,
        rendered: crate::model::Rendered::default(),
        suppressed: None,
    }
}

fn result(name: &str, verdict: Verdict) -> WorkloadResult {
    WorkloadResult {
        id: id(name),
        location: None,
        rendered: crate::model::Rendered::default(),
        dormant: false,
        verdict,
        reason: None,
        platforms: Vec::new(),
        live_nodes: Vec::new(),
        containers: Vec::new(),
    }
}

pub(super) fn report(findings: Vec<Finding>) -> Report {
    let mut workloads: BTreeMap<ObjectId, WorkloadResult> = BTreeMap::new();
    for finding in &findings {
        let name = finding.workload.name.as_str();
        let found = workloads
            .entry(finding.workload.clone())
            .or_insert_with(|| result(name, finding.verdict));
        found.verdict = found.verdict.min(finding.verdict);
    }
    Report {
        platforms: Vec::new(),
        workloads: workloads.into_values().collect(),
        images: Vec::new(),
        findings,
        incomplete: Vec::new(),
    }
}

/// A workload with this annotation on itself, and one on its template.
fn annotated(name: &str, own: Option<&str>, template: Option<&str>) -> Workload {
    let map = |text: Option<&str>| {
        text.map(|text| (ANNOTATION.to_owned(), text.to_owned()))
            .into_iter()
            .collect()
    };
    let mut pods = PodTemplate::default();
    pods.metadata.annotations = map(template);
    Workload {
        id: id(name),
        labels: BTreeMap::new(),
        annotations: map(own),
        location: None,
        rendered: crate::model::Rendered::default(),
        dormant: false,
        templates: vec![pods],
        pods: Vec::new(),
    }
}

fn policy(entries: &str) -> Policy {
    let config = crate::config::Config::parse(entries, ".archcheck.yaml").unwrap();
    Policy {
        ignores: config.ignores,
        baseline: None,
        annotations: true,
        today: "2026-06-15".parse().unwrap(),
        whole: true,
    }
}

fn notes(report: &Report) -> Vec<String> {
    assert!(report.incomplete.iter().all(|entry| !entry.matters));
    report
        .incomplete
        .iter()
        .map(|entry| format!("{}: {}", entry.what, entry.why))
        .collect()
}

fn marks(report: &Report) -> Vec<Option<&str>> {
    report
        .findings
        .iter()
        .map(|finding| finding.suppressed.as_ref().map(|mark| mark.reason.as_str()))
        .collect()
}

#[test]
fn an_annotation_is_for_its_object_and_its_rules() {
    for (own, template, suppressed, note) in [
        (Some("exec-format-error: TEAM-1"), None, true, None),
        (None, Some("exec-format-error: TEAM-1"), true, None),
        (
            Some("no-matching-platform, exec-format-error : TEAM-1"),
            None,
            true,
            None,
        ),
        (Some("*: TEAM-1"), None, true, None),
        (
            Some("fallback-platform: x\nexec-format-error: TEAM-1"),
            None,
            true,
            Some(
                "its annotation archcheck/ignore suppresses nothing: no fallback-platform was found",
            ),
        ),
        (
            Some("no-matching-platform: x"),
            None,
            false,
            Some("suppresses nothing: no no-matching-platform was found"),
        ),
        (
            Some("exec-format-error"),
            None,
            false,
            Some("it gives no reason for ignoring exec-format-error"),
        ),
        (
            Some("exec-format-error:  "),
            None,
            false,
            Some("it gives no reason"),
        ),
        (
            Some("exec-format: TEAM-1"),
            None,
            false,
            Some("there is no rule \"exec-format\"; did you mean exec-format-error?"),
        ),
        (Some(""), None, false, Some("it is empty")),
        (Some("true"), None, false, Some("there is no rule \"true\"")),
    ] {
        let mut report = report(vec![
            finding(Rule::ExecFormatError, "web", "x:1", Verdict::Fails),
            finding(Rule::ExecFormatError, "api", "x:1", Verdict::Fails),
        ]);
        // Workloads come in the report's order.
        let workloads = [
            annotated("api", None, None),
            annotated("web", own, template),
        ];
        apply(&mut report, &workloads, &policy(""));
        let expected = if suppressed {
            [Some("TEAM-1"), None]
        } else {
            [None, None]
        };
        assert_eq!(marks(&report), expected, "{own:?} {template:?}");
        let notes = notes(&report);
        assert_eq!(notes.len(), usize::from(note.is_some()), "{notes:?}");
        for (seen, expected) in notes.iter().zip(note) {
            assert!(
                seen.starts_with("shop/Deployment/web: ") && seen.contains(expected),
                "{seen}"
            );
        }
        assert_eq!(report.summary().suppressed, usize::from(suppressed));
        assert_eq!(report.summary().fails, 2, "no verdict changes");
    }
}

#[test]
fn a_gate_for_strangers_reads_no_annotations() {
    let mut report = report(vec![finding(
        Rule::ExecFormatError,
        "web",
        "x:1",
        Verdict::Fails,
    )]);
    let strict = Policy {
        annotations: false,
        ..policy("")
    };
    apply(
        &mut report,
        &[annotated("web", Some("*: mine"), None)],
        &strict,
    );
    assert_eq!(marks(&report), [None]);
    assert!(report.incomplete.is_empty());
}

/// Files may hold two objects of one name: what is said on one does not hold for the other.
#[test]
fn an_annotation_is_not_for_another_object_of_its_name() {
    let at = |line| {
        Some(Location {
            file: "f".to_owned(),
            line,
            column: 1,
        })
    };
    let mut base = finding(Rule::ExecFormatError, "web", "x:1", Verdict::Fails);
    base.object = at(1);
    let mut overlay = base.clone();
    overlay.object = at(9);
    let mut report = report(vec![base, overlay]);
    let mut annotated = annotated("web", Some("*: mine"), None);
    annotated.location = at(9);
    apply(&mut report, &[annotated], &policy(""));
    assert_eq!(marks(&report), [None, Some("mine")]);
    assert_eq!(
        report.findings[1].suppressed.as_ref().unwrap().place,
        "shop/Deployment/web (f:9)"
    );
}

#[test]
fn entries_fit_what_fits_all_that_they_say() {
    for (entry, fits) in [
        ("rule: exec-format-error", true),
        ("rule: [no-matching-platform, exec-format-error]", true),
        ("rule: exec-*", true),
        ("rule: no-matching-platform", false),
        ("rule: '*', kind: deployment", true),
        ("rule: '*', kind: [Job, Deployment]", true),
        ("rule: '*', kind: Job", false),
        ("rule: '*', namespace: sh*", true),
        ("rule: '*', namespace: ''", false),
        ("rule: '*', name: w?b", true),
        ("rule: '*', name: we", false),
        ("rule: '*', image: 'nginx:*'", true),
        ("rule: '*', image: 'docker.io/library/nginx:1.27'", true),
        ("rule: '*', image: 'docker.io/*'", true),
        ("rule: '*', image: nginx", false),
        (
            "rule: '*', kind: Deployment, namespace: shop, name: api",
            false,
        ),
    ] {
        let policy = policy(&format!("ignore:\n- {{{entry}, reason: R}}\n"));
        let mut report = report(vec![finding(
            Rule::ExecFormatError,
            "web",
            "nginx:1.27",
            Verdict::AtRisk,
        )]);
        apply(&mut report, &[], &policy);
        assert_eq!(marks(&report), [fits.then_some("R")], "{entry}");
        let notes = notes(&report);
        assert_eq!(notes.is_empty(), fits, "{entry}: {notes:?}");
        assert!(
            notes
                .iter()
                .all(|note| note.starts_with(".archcheck.yaml:2 (ignore ")),
            "{notes:?}"
        );
    }
}

#[test]
fn entries_hold_to_the_end_of_their_last_day() {
    for (expires, holds, note) in [
        ("2026-06-15", true, None),
        ("2026-06-16", true, None),
        (
            "2026-06-14",
            false,
            Some("expired on 2026-06-14; 1 finding counts again"),
        ),
    ] {
        let entry =
            format!("ignore:\n- {{rule: exec-format-error, reason: R, expires: {expires}}}\n");
        let mut report = report(vec![finding(
            Rule::ExecFormatError,
            "web",
            "x:1",
            Verdict::AtRisk,
        )]);
        apply(&mut report, &[], &policy(&entry));
        assert_eq!(marks(&report), [holds.then_some("R")], "{expires}");
        let notes = notes(&report).concat();
        assert!(notes.contains(note.unwrap_or_default()), "{notes}");
        assert_eq!(notes.is_empty(), holds);
        let expiry = report.findings[0]
            .suppressed
            .as_ref()
            .and_then(|mark| mark.expires.clone());
        assert_eq!(expiry.is_some(), holds);
    }
    let mut nothing = report(vec![]);
    apply(
        &mut nothing,
        &[],
        &policy("ignore:\n- {rule: '*', reason: R, expires: 2020-01-01}\n"),
    );
    assert_eq!(
        notes(&nothing),
        [
            ".archcheck.yaml:2 (ignore all rules): expired on 2020-01-01; no finding is left that it would fit"
        ]
    );
}

/// An entry is called useless only when all that it may be about was judged.
#[test]
fn an_entry_may_be_of_use_where_something_is_unknown() {
    let entry = "ignore:\n- {rule: exec-format-error, name: web, reason: R}\n";
    for (name, verdict, told) in [
        ("web", Verdict::Unknown, false),
        ("api", Verdict::Unknown, true),
        ("web", Verdict::Ok, true),
    ] {
        let mut report = report(vec![finding(Rule::ImageUnreadable, name, "x:1", verdict)]);
        apply(&mut report, &[], &policy(entry));
        assert_eq!(
            report.incomplete.len(),
            usize::from(told),
            "{name} {verdict:?}"
        );
    }
    let mut part = report(vec![]);
    apply(
        &mut part,
        &[],
        &Policy {
            whole: false,
            ..policy(entry)
        },
    );
    assert!(
        part.incomplete.is_empty(),
        "a part of what there is was scanned"
    );
}

#[test]
fn several_that_fit_are_all_of_use_and_the_nearest_is_named() {
    let entries = "ignore:\n- {rule: '*', reason: first}\n- {rule: exec-*, reason: second}\n";
    let mut report = report(vec![finding(
        Rule::ExecFormatError,
        "web",
        "x:1",
        Verdict::AtRisk,
    )]);
    apply(
        &mut report,
        &[annotated("web", Some("*: own"), None)],
        &policy(entries),
    );
    let mark = report.findings[0].suppressed.clone().unwrap();
    assert_eq!(
        (mark.by, mark.reason.as_str()),
        (SuppressedBy::Annotation, "own")
    );
    assert!(report.incomplete.is_empty(), "{:?}", report.incomplete);
}

#[test]
fn the_gate_counts_what_nobody_knows() {
    use Verdict::{AtRisk, Fails, Unknown};
    let known = "known";
    for (what, findings, outcome) in [
        ("a failure", vec![("a", Fails, "")], GateOutcome::Findings),
        (
            "a known failure",
            vec![("a", Fails, known)],
            GateOutcome::Pass,
        ),
        (
            "known and not",
            vec![("a", Fails, known), ("b", AtRisk, "")],
            GateOutcome::Findings,
        ),
        ("unknown", vec![("a", Unknown, "")], GateOutcome::Unchecked),
        (
            "known to be unknown",
            vec![("a", Unknown, known)],
            GateOutcome::Pass,
        ),
        (
            "half of it known",
            vec![("a", Unknown, known), ("a", Unknown, "")],
            GateOutcome::Unchecked,
        ),
        (
            "a known failure hides no unknown",
            vec![("a", Fails, known), ("a", Unknown, "")],
            GateOutcome::Unchecked,
        ),
        (
            "at risk, known, and unknown",
            vec![("a", AtRisk, known), ("a", Unknown, "")],
            GateOutcome::Unchecked,
        ),
    ] {
        let findings = findings.into_iter().map(|(name, verdict, mark)| {
            let rule = if verdict == Unknown {
                Rule::ImageUnreadable
            } else {
                Rule::ExecFormatError
            };
            let mut finding = finding(rule, name, "x:1", verdict);
            finding.suppressed = (mark == known).then(|| crate::verdict::Suppression {
                by: SuppressedBy::Config,
                reason: String::new(),
                place: String::new(),
                expires: None,
            });
            finding
        });
        let gate = Gate {
            fail_on: FailOn::AtRisk,
            allow_unknown: false,
            count_dormant: true,
        };
        assert_eq!(gate.outcome(&report(findings.collect())), outcome, "{what}");
    }
}
