//! `-o junit`: JUnit's XML in the form that Jenkins reads (xunit-plugin, `junit-10.xsd`). A container is a test case,
//! a namespace a suite: a failure is a finding, an error is what could not be checked, skipped is what was not tested or is known.

mod xml;

use std::collections::{BTreeMap, HashMap};

use self::xml::Xml;
use super::clean;
use super::words::{details, headline, known};
use crate::model::{Location, ObjectId};
use crate::verdict::{ContainerResult, Finding, Report, Verdict, WorkloadResult};

pub(super) fn render(report: &Report) -> String {
    let suites = suites(report);
    let sum = |count: fn(&Case) -> usize| -> usize { suites.values().flatten().map(count).sum() };
    let (tests, failures, errors) = (sum(|_| 1), sum(Case::failures), sum(Case::errors));
    let mut xml = Xml::new();
    xml.begin(
        "testsuites",
        &[
            ("name", "kubectl archcheck"),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
        ],
    );
    for (name, cases) in &suites {
        suite(&mut xml, name, cases);
    }
    xml.finish()
}

/// A container on all its nodes, or something else that was or was not looked at.
struct Case {
    class: String,
    name: String,
    result: Outcome,
    /// What is worth knowing all the same.
    output: String,
}

enum Outcome {
    Passed,
    /// Short text and long text.
    Failed(Problem),
    Error(Problem),
    Skipped(String),
}

struct Problem {
    kind: &'static str,
    message: String,
    text: String,
}

impl Case {
    fn failures(&self) -> usize {
        usize::from(matches!(self.result, Outcome::Failed(_)))
    }

    fn errors(&self) -> usize {
        usize::from(matches!(self.result, Outcome::Error(_)))
    }

    fn skipped(&self) -> usize {
        usize::from(matches!(self.result, Outcome::Skipped(_)))
    }
}

fn suite(xml: &mut Xml, name: &str, cases: &[Case]) {
    let sum = |count: fn(&Case) -> usize| cases.iter().map(count).sum::<usize>().to_string();
    xml.begin(
        "testsuite",
        &[
            ("name", name),
            ("tests", &cases.len().to_string()),
            ("failures", &sum(Case::failures)),
            ("errors", &sum(Case::errors)),
            ("skipped", &sum(Case::skipped)),
        ],
    );
    for case in cases {
        let attributes = [
            ("classname", case.class.as_str()),
            ("name", case.name.as_str()),
        ];
        if matches!(case.result, Outcome::Passed) && case.output.is_empty() {
            xml.element("testcase", &attributes, "");
            continue;
        }
        xml.begin("testcase", &attributes);
        match &case.result {
            Outcome::Passed => {}
            Outcome::Failed(problem) => problem_element(xml, "failure", problem),
            Outcome::Error(problem) => problem_element(xml, "error", problem),
            Outcome::Skipped(why) => xml.element("skipped", &[("message", why)], ""),
        }
        if !case.output.is_empty() {
            xml.element("system-out", &[], &case.output);
        }
        xml.end();
    }
    xml.end();
}

fn problem_element(xml: &mut Xml, name: &'static str, problem: &Problem) {
    let attributes = [
        ("type", problem.kind),
        ("message", problem.message.as_str()),
    ];
    xml.element(name, &attributes, &problem.text);
}

/// Findings by what they are about.
type Findings<'a> = HashMap<Key<'a>, Vec<&'a Finding>>;
/// Object (files may hold two of one name), container, image.
type Key<'a> = (&'a ObjectId, Option<&'a Location>, &'a str, &'a str);

fn suites(report: &Report) -> BTreeMap<String, Vec<Case>> {
    let mut findings: Findings<'_> = HashMap::new();
    for finding in &report.findings {
        let key = (
            &finding.workload,
            finding.object.as_ref(),
            finding.container.as_str(),
            finding.image.as_str(),
        );
        findings.entry(key).or_default().push(finding);
    }
    let mut suites: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for workload in &report.workloads {
        let suite = match workload.id.namespace.as_str() {
            "" => "(no namespace)".to_owned(),
            namespace => clean(namespace).into_owned(),
        };
        for container in &workload.containers {
            let key = (
                &workload.id,
                workload.location.as_ref(),
                container.name.as_str(),
                container.image.as_str(),
            );
            let mine = findings.get(&key).map_or(&[][..], Vec::as_slice);
            let case = container_case(workload, container, mine);
            suites.entry(suite.clone()).or_default().push(case);
        }
    }
    // What is about no container: nodes.
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.container.is_empty())
    {
        let case = Case {
            class: class(&finding.workload),
            name: finding.rule.name().to_owned(),
            result: outcome(&[finding]),
            output: notes(&[finding]),
        };
        suites.entry("(nodes)".to_owned()).or_default().push(case);
    }
    for entry in &report.incomplete {
        let text = format!("{}\n{}", clean(&entry.why), clean(&entry.hint));
        let problem = Problem {
            kind: "not-seen",
            message: format!("{}: {}", clean(&entry.what), clean(&entry.why)),
            text: text.trim_end().to_owned(),
        };
        let case = Case {
            class: "not-seen".to_owned(),
            name: clean(&entry.what).into_owned(),
            result: match entry.matters {
                true => Outcome::Error(problem),
                false => Outcome::Skipped(problem.message),
            },
            output: String::new(),
        };
        suites
            .entry("(not seen)".to_owned())
            .or_default()
            .push(case);
    }
    suites
}

fn container_case(
    workload: &WorkloadResult,
    container: &ContainerResult,
    findings: &[&Finding],
) -> Case {
    let reason = || clean(workload.reason.as_deref().unwrap_or_default()).into_owned();
    let result = match (outcome(findings), workload.verdict) {
        (Outcome::Passed, _) if !container.role.counts() => {
            Outcome::Skipped("ephemeral containers and image volumes are not judged".to_owned())
        }
        (Outcome::Passed, Verdict::Unplaced) => {
            Outcome::Skipped(format!("no node admits it: {}", reason()))
        }
        (Outcome::Passed, Verdict::Unknown) if container.outcomes.is_empty() => {
            Outcome::Error(Problem {
                kind: "unknown",
                message: reason(),
                text: String::new(),
            })
        }
        (result, _) => result,
    };
    Case {
        class: class(&workload.id),
        name: clean(&container.name).into_owned(),
        result,
        output: notes(findings),
    }
}

/// Jenkins takes what stands before the last dot for a package.
fn class(id: &ObjectId) -> String {
    let object = format!("{}/{}", id.kind, id.name);
    match id.namespace.as_str() {
        "" => clean(&object).into_owned(),
        namespace => clean(&format!("{namespace}.{object}")).into_owned(),
    }
}

/// One result of a test case: readers look at the first alone, so all problems stand in it.
fn outcome(findings: &[&Finding]) -> Outcome {
    let worst = |wanted: fn(Verdict) -> bool| {
        let counts = |finding: &&&Finding| finding.suppressed.is_none() && wanted(finding.verdict);
        findings.iter().find(counts)
    };
    let problem = |finding: &Finding| Problem {
        kind: finding.rule.name(),
        message: clean(&headline(finding)).into_owned(),
        text: long_texts(findings.iter().filter(|f| is_problem(f))),
    };
    if let Some(failing) = worst(|verdict| matches!(verdict, Verdict::Fails | Verdict::AtRisk)) {
        Outcome::Failed(problem(failing))
    } else if let Some(unknown) = worst(|verdict| verdict == Verdict::Unknown) {
        Outcome::Error(problem(unknown))
    } else if let Some(mark) = findings
        .iter()
        .find_map(|finding| finding.suppressed.as_ref())
    {
        Outcome::Skipped(format!("known: {}", clean(&known(mark))))
    } else {
        Outcome::Passed
    }
}

fn is_problem(finding: &Finding) -> bool {
    let warning = matches!(finding.verdict, Verdict::Ok | Verdict::Unplaced);
    !warning && finding.suppressed.is_none()
}

/// What fails no test: warnings, and what somebody knows about.
fn notes(findings: &[&Finding]) -> String {
    long_texts(findings.iter().filter(|finding| !is_problem(finding)))
}

fn long_texts<'a>(findings: impl Iterator<Item = &'a &'a Finding>) -> String {
    let texts: Vec<String> = findings
        .map(|finding| {
            let mut lines = vec![format!("{}: {}", finding.rule, clean(&headline(finding)))];
            if let Some(at) = &finding.location {
                lines.push(format!("at: {}:{}:{}", clean(&at.file), at.line, at.column));
            }
            for (label, detail) in details(finding) {
                lines.push(format!("{label}: {}", clean(&detail)));
            }
            lines.join("\n")
        })
        .collect();
    texts.join("\n\n")
}
