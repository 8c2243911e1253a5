//! `-o sarif`: SARIF 2.1.0, for code scanning. Results are the findings, notifications what could not be seen.

mod fingerprint;
mod model;
mod uri;

use std::collections::BTreeMap;

use self::fingerprint::fingerprints;
use self::model::{
    ArtifactLocation, Configuration, Descriptor, Driver, Help, Invocation, Location, Log,
    LogicalLocation, Notice, Notification, PhysicalLocation, Reference, Region, ResultProperties,
    RuleProperties, Run, SarifResult, Suppressed, Text, Tool, UriBase,
};
use super::ending::Ending;
use super::words::{details, headline, known, object};
use super::{clean, rules};
use crate::model::Incomplete;
use crate::verdict::{Finding, Report, Rule, Severity, SuppressedBy, Suppression};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative paths are relative to; the name is what GitHub expects.
const ROOT: &str = "%SRCROOT%";
/// The notification for what could not be seen.
const NOT_SEEN: &str = "not-seen";
/// Fingerprints of this name are only changed together with it.
const FINGERPRINT: &str = "archcheckFinding/v1";

pub(super) fn render(report: &Report, ending: Ending) -> Result<String, serde_json::Error> {
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run(report, ending)],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn run(report: &Report, ending: Ending) -> Run {
    let base = UriBase {
        description: text("the directory in which the files were named"),
    };
    let results = report
        .findings
        .iter()
        .zip(fingerprints(&report.findings))
        .map(|(finding, fingerprint)| result(finding, fingerprint));
    Run {
        tool: Tool {
            driver: Driver {
                name: "kubectl-archcheck",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                information_uri: env!("CARGO_PKG_REPOSITORY"),
                rules: Rule::ALL.iter().map(|&rule| descriptor(rule)).collect(),
                notifications: [Notice {
                    id: NOT_SEEN,
                    name: "NotSeen",
                    short_description: text("something could not be looked at"),
                }],
            },
        },
        invocations: [Invocation {
            execution_successful: ending.is_complete(),
            exit_code: ending.0,
            exit_code_description: ending.meaning(),
            tool_execution_notifications: report.incomplete.iter().map(notification).collect(),
        }],
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: BTreeMap::from([(ROOT, base)]),
        results: results.collect(),
    }
}

fn descriptor(rule: Rule) -> Descriptor {
    let page = rule.page();
    Descriptor {
        id: page.name,
        name: pascal_case(page.name),
        short_description: text(page.summary),
        full_description: text(page.meaning),
        help: Help {
            text: format!(
                "{}\n\n{}\n\n{}",
                page.meaning,
                page.why,
                page.fixes.join("\n")
            ),
            markdown: rules::markdown(rule),
        },
        help_uri: rules::url(rule),
        default_configuration: Configuration {
            level: level(page.severity),
        },
        properties: RuleProperties {
            tags: ["kubernetes", "architecture"],
            problem_severity: match page.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Unknown | Severity::Info => "recommendation",
            },
        },
    }
}

/// SARIF asks for a name that people of the field use for identifiers.
fn pascal_case(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(chars)
        })
        .collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
        Severity::Unknown => "none",
    }
}

fn result(finding: &Finding, fingerprint: String) -> SarifResult {
    // §3.27.9: `open` is what could not be decided; whatever is no `fail` has level `none`.
    let kind = match finding.severity {
        Severity::Unknown => "open",
        _ => "fail",
    };
    let mut message = format!("{}.", headline(finding));
    for (label, detail) in details(finding) {
        message.push_str(&format!("\n{label}: {detail}"));
    }
    let message: Vec<_> = message
        .lines()
        .map(|line| clean(line).into_owned())
        .collect();
    SarifResult {
        rule_id: finding.rule.name(),
        rule_index: Rule::ALL
            .iter()
            .position(|rule| *rule == finding.rule)
            .unwrap_or_default(),
        kind,
        level: level(finding.severity),
        message: text(&message.join("\n")),
        locations: [location(finding)],
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint)]),
        suppressions: finding.suppressed.as_ref().map(|mark| [suppressed(mark)]),
        properties: ResultProperties {
            verdict: finding.verdict.as_str(),
            certainty: finding.certainty.as_str(),
            image: clean(&finding.image).into_owned(),
            platforms: finding
                .platforms
                .iter()
                .map(|platform| clean(platform).into_owned())
                .collect(),
            source: finding.source,
            nodes: finding.nodes,
        },
    }
}

/// §3.35: an annotation stands in the manifest itself, everything else beside it.
fn suppressed(mark: &Suppression) -> Suppressed {
    Suppressed {
        kind: match mark.by {
            SuppressedBy::Annotation => "inSource",
            SuppressedBy::Config | SuppressedBy::Baseline => "external",
        },
        status: "accepted",
        justification: clean(&known(mark)).into_owned(),
    }
}

/// The object in the cluster, and where it stands in a file when it came from one.
fn location(finding: &Finding) -> Location {
    let mut full = object(&finding.workload);
    if !finding.container.is_empty() {
        full = format!("{full}/{}", finding.container);
    }
    Location {
        physical_location: finding.location.as_ref().map(|at| {
            let (uri, is_relative) = uri::of(&at.file);
            PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri,
                    uri_base_id: is_relative.then_some(ROOT),
                },
                region: Region {
                    start_line: at.line.max(1),
                    start_column: at.column.max(1),
                },
            }
        }),
        logical_locations: [LogicalLocation {
            name: clean(&finding.workload.name).into_owned(),
            fully_qualified_name: clean(&full).into_owned(),
            kind: "resource",
        }],
    }
}

fn notification(entry: &Incomplete) -> Notification {
    let mut message = format!("{}: {}", clean(&entry.what), clean(&entry.why));
    if !entry.hint.is_empty() {
        message.push_str(&format!(" ({})", clean(&entry.hint)));
    }
    Notification {
        level: if entry.matters { "error" } else { "note" },
        message: Text { text: message },
        descriptor: Reference { id: NOT_SEEN },
    }
}

fn text(text: &str) -> Text {
    Text {
        text: text.to_owned(),
    }
}
