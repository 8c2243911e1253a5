//! The frozen structs of report version 1, apart from the types that the scan works with: those may change freely,
//! these may only gain fields.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::scope::{Scope, Source};
use crate::model::{ContainerRole, NodeOrigin};
use crate::report::clean;
use crate::runtime::{NodeClass, Outcome};
use crate::verdict::{ContainerResult, Finding, Report, WorkloadResult};

/// A report of kubectl archcheck. Readers ignore fields that they don't know.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportV1 {
    /// Always 1.
    schema_version: u32,
    /// Who wrote the report.
    tool: ToolV1,
    /// What was scanned.
    scope: ScopeV1,
    /// The platforms of the nodes that were looked at.
    platforms: Vec<PlatformV1>,
    /// How many workloads have each verdict.
    summary: SummaryV1,
    /// Each workload once, under its topmost owner.
    workloads: Vec<WorkloadV1>,
    /// Each distinct image, once for each answer that there was.
    images: Vec<ImageV1>,
    /// What is wrong, worst first.
    findings: Vec<FindingV1>,
    /// What could not be seen.
    incomplete: Vec<IncompleteV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScopeV1 {
    /// `cluster` or `files`.
    source: &'static str,
    /// The kubeconfig context.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    /// The namespace that was scanned; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// The objects named on the command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
    /// The files named on the command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    /// The label selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    /// Where the nodes come from: `cluster`, `files`, `flags`.
    nodes_from: Vec<&'static str>,
    /// The configuration file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    /// The baseline that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<String>,
    /// No registry was asked: what tags lead to is as it was when they last were.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    offline: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PlatformV1 {
    /// `os/arch[/variant]`.
    platform: String,
    /// Windows build.
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    /// `existing`, `potential` or `hypothetical`.
    source: &'static str,
    /// How many nodes exist.
    nodes: usize,
    /// Their container runtimes.
    runtimes: Vec<String>,
    /// The pools of potential nodes.
    from: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SummaryV1 {
    workloads: usize,
    images: usize,
    fails: usize,
    at_risk: usize,
    ok: usize,
    unknown: usize,
    unplaced: usize,
    /// Findings that somebody knows about; they change no verdict.
    suppressed: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WorkloadV1 {
    kind: String,
    api_version: String,
    namespace: String,
    name: String,
    /// Where the object begins, when it came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceV1>,
    /// The Helm hooks that it is: it runs only then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    helm_hooks: Vec<String>,
    /// It has no pods now and starts none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dormant: bool,
    /// `fails`, `at-risk`, `ok`, `unknown` or `unplaced`.
    verdict: &'static str,
    /// Why it is unplaced or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The platforms it may land on.
    platforms: Vec<String>,
    /// The nodes that its pods run on now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    live_nodes: Vec<String>,
    containers: Vec<ContainerV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SourceV1 {
    file: String,
    line: usize,
    /// The template that it was rendered from, as helm or kustomize names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ContainerV1 {
    name: String,
    /// `init`, `sidecar`, `container`, `ephemeral`, `image-volume` or (only with `--hidden-images`) `mentioned`.
    #[serde(rename = "type")]
    role: &'static str,
    /// The image as written.
    image: String,
    /// Digest of what the reference leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What the image offers.
    image_platforms: Vec<String>,
    /// One for each class of nodes.
    outcomes: Vec<OutcomeV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OutcomeV1 {
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    runtime: String,
    /// `existing`, `potential` or `hypothetical`.
    source: &'static str,
    /// `runs`, `fallback`, `exec-fails`, `pull-fails`, `create-fails`, `depends` or `unknown`.
    outcome: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The literal text that will be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ImageV1 {
    /// The normalised reference.
    image: String,
    /// The namespaces whose pods this is about, where their pull secrets led to another answer than others'.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    /// The registry, layout or archive that was asked.
    asked_at: String,
    /// The kind of credential, never its value.
    credential: &'static str,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Who else was asked, mirrors in their order, and why that was no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tried: Vec<TriedV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TriedV1 {
    /// A registry host, or a repository of one where it has another name there.
    asked_at: String,
    error: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FindingV1 {
    /// The rule's stable name.
    rule: &'static str,
    /// `error`, `warning`, `unknown` or `info`.
    severity: &'static str,
    /// The verdict that this finding alone would give.
    verdict: &'static str,
    workload: WorkloadNameV1,
    container: String,
    image: String,
    /// The platforms of the nodes concerned.
    platforms: Vec<String>,
    /// `existing`, `potential` or `hypothetical`.
    source: &'static str,
    /// The pools of potential nodes.
    from: Vec<String>,
    /// How many nodes are concerned.
    nodes: usize,
    /// Some of their names.
    node_examples: Vec<String>,
    /// Why.
    message: String,
    /// What will be seen, and where.
    expect: Vec<ExpectV1>,
    /// `certain`, `likely` or `depends`.
    certainty: &'static str,
    /// What to do about it, in words.
    advice: &'static str,
    /// Where the image stands, when the object came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationV1>,
    /// The Helm hooks that the workload is: it runs only then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    helm_hooks: Vec<String>,
    /// Somebody knows about it: it does not count for the gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<SuppressedV1>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SuppressedV1 {
    /// `annotation`, `config` or `baseline`.
    by: &'static str,
    /// Why it is fine, in the words of whoever said so.
    reason: String,
    /// Where it was said: a line of a file, or an object.
    place: String,
    /// The last day on which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WorkloadNameV1 {
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExpectV1 {
    /// `status`, `event` or `log`.
    #[serde(rename = "where")]
    seen: &'static str,
    /// The part of the text that doesn't vary.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LocationV1 {
    file: String,
    line: usize,
    column: usize,
    /// The template that it was rendered from, as helm or kustomize names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct IncompleteV1 {
    what: String,
    why: String,
    hint: String,
}

/// A report in the form of version 1.
#[must_use]
pub fn v1(report: &Report, scope: &Scope) -> ReportV1 {
    let summary = report.summary();
    ReportV1 {
        schema_version: 1,
        tool: ToolV1 {
            name: "kubectl-archcheck",
            version: env!("CARGO_PKG_VERSION"),
        },
        scope: scope_v1(scope),
        platforms: report
            .platforms
            .iter()
            .map(|row| PlatformV1 {
                platform: text(&row.platform),
                os_version: row.os_version.as_deref().map(text),
                source: row.source,
                nodes: row.nodes,
                runtimes: texts(&row.runtimes),
                from: texts(&row.from),
            })
            .collect(),
        summary: SummaryV1 {
            workloads: summary.workloads,
            images: summary.images,
            fails: summary.fails,
            at_risk: summary.at_risk,
            ok: summary.ok,
            unknown: summary.unknown,
            unplaced: summary.unplaced,
            suppressed: summary.suppressed,
        },
        workloads: report.workloads.iter().map(workload).collect(),
        images: report
            .images
            .iter()
            .map(|row| ImageV1 {
                image: text(&row.image),
                namespaces: texts(&row.namespaces),
                digest: row.digest.clone(),
                media_type: row.media_type.as_deref().map(text),
                asked_at: text(&row.asked_at),
                credential: row.credential.as_str(),
                error: row.error.as_deref().map(text),
                tried: row
                    .tried
                    .iter()
                    .map(|tried| TriedV1 {
                        asked_at: text(&tried.asked_at),
                        error: text(&tried.error.to_string()),
                    })
                    .collect(),
            })
            .collect(),
        findings: report.findings.iter().map(finding).collect(),
        incomplete: report
            .incomplete
            .iter()
            .map(|entry| IncompleteV1 {
                what: text(&entry.what),
                why: text(&entry.why),
                hint: text(&entry.hint),
            })
            .collect(),
    }
}

fn text(text: &str) -> String {
    clean(text).into_owned()
}

fn texts(list: &[String]) -> Vec<String> {
    list.iter().map(|item| text(item)).collect()
}

fn scope_v1(scope: &Scope) -> ScopeV1 {
    let mut v1 = ScopeV1 {
        source: "files",
        context: None,
        namespace: None,
        targets: Vec::new(),
        files: Vec::new(),
        selector: scope.selector.as_deref().map(text),
        nodes_from: scope.nodes_from.iter().map(|from| from.as_str()).collect(),
        config: scope.config.as_deref().map(text),
        baseline: scope.baseline.as_deref().map(text),
        offline: scope.offline,
    };
    match &scope.source {
        Source::Cluster {
            context,
            namespace,
            targets,
        } => {
            v1.source = "cluster";
            v1.context = context.as_deref().map(text);
            v1.namespace = namespace.as_deref().map(text);
            v1.targets = texts(targets);
        }
        Source::Files(files) => v1.files = texts(files),
    }
    v1
}

fn workload(workload: &WorkloadResult) -> WorkloadV1 {
    WorkloadV1 {
        kind: text(&workload.id.kind),
        api_version: text(&workload.id.api_version),
        namespace: text(&workload.id.namespace),
        name: text(&workload.id.name),
        source: workload.location.as_ref().map(|location| SourceV1 {
            file: text(&location.file),
            line: location.line,
            template: workload.rendered.template.as_deref().map(text),
        }),
        helm_hooks: texts(&workload.rendered.hooks),
        dormant: workload.dormant,
        verdict: workload.verdict.as_str(),
        reason: workload.reason.as_deref().map(text),
        platforms: texts(&workload.platforms),
        live_nodes: texts(&workload.live_nodes),
        containers: workload.containers.iter().map(container).collect(),
    }
}

fn container(container: &ContainerResult) -> ContainerV1 {
    ContainerV1 {
        name: text(&container.name),
        role: role(container.role),
        image: text(&container.image),
        digest: container.digest.clone(),
        image_platforms: texts(&container.image_platforms),
        outcomes: container
            .outcomes
            .iter()
            .map(|(class, seen)| outcome(class, seen))
            .collect(),
    }
}

pub(in crate::report) fn role(role: ContainerRole) -> &'static str {
    match role {
        ContainerRole::Init => "init",
        ContainerRole::Sidecar => "sidecar",
        ContainerRole::Container => "container",
        ContainerRole::Ephemeral => "ephemeral",
        ContainerRole::ImageVolume => "image-volume",
        ContainerRole::Mentioned => "mentioned",
    }
}

fn outcome(class: &NodeClass, outcome: &Outcome) -> OutcomeV1 {
    let version = &class.platform.os_version;
    OutcomeV1 {
        platform: text(&class.platform.to_string()),
        os_version: (!version.is_empty()).then(|| text(version)),
        runtime: text(&class.runtime.to_string()),
        source: source(&class.origin),
        outcome: outcome.kind.as_str(),
        reason: (!outcome.reason.is_empty()).then(|| text(&outcome.reason)),
        message: outcome
            .expect
            .last()
            .map(|expectation| text(&expectation.text)),
    }
}

fn source(origin: &NodeOrigin) -> &'static str {
    origin.as_str()
}

fn finding(finding: &Finding) -> FindingV1 {
    FindingV1 {
        rule: finding.rule.name(),
        severity: finding.severity.as_str(),
        verdict: finding.verdict.as_str(),
        workload: WorkloadNameV1 {
            kind: text(&finding.workload.kind),
            namespace: text(&finding.workload.namespace),
            name: text(&finding.workload.name),
        },
        container: text(&finding.container),
        image: text(&finding.image),
        platforms: texts(&finding.platforms),
        source: finding.source,
        from: texts(&finding.from),
        nodes: finding.nodes,
        node_examples: texts(&finding.node_examples),
        message: text(&finding.message),
        expect: finding
            .expect
            .iter()
            .map(|expectation| ExpectV1 {
                seen: expectation.seen.as_str(),
                text: text(&expectation.text),
                exit_code: expectation.exit_code,
            })
            .collect(),
        certainty: finding.certainty.as_str(),
        advice: finding.advice,
        location: finding.location.as_ref().map(|location| LocationV1 {
            file: text(&location.file),
            line: location.line,
            column: location.column,
            template: finding.rendered.template.as_deref().map(text),
        }),
        helm_hooks: texts(&finding.rendered.hooks),
        suppressed: finding.suppressed.as_ref().map(|mark| SuppressedV1 {
            by: mark.by.as_str(),
            reason: text(&mark.reason),
            place: text(&mark.place),
            expires: mark.expires.as_deref().map(text),
        }),
    }
}
