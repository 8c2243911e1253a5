//! Findings: one a workload, container, rule and origin of nodes, whatever the number of nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Rule, Severity};
use super::{Suppression, Verdict, WorkloadName};
use crate::model::{Location, NodeOrigin, Rendered};
use crate::runtime::{Certainty, Expectation};

/// Something that is wrong, or could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule speaks.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// The verdict that this finding alone would give.
    pub verdict: Verdict,
    /// The workload (or node) it is about.
    pub workload: WorkloadName,
    /// The workload has no pods now and starts none.
    pub dormant: bool,
    /// The container; empty for findings about nodes.
    pub container: String,
    /// The image as written; empty for findings about nodes.
    pub image: String,
    /// The platforms of the nodes concerned, sorted.
    pub platforms: Vec<String>,
    /// Which kind of nodes is concerned.
    pub source: &'static str,
    /// The pools of potential nodes.
    pub from: Vec<String>,
    /// How many nodes are concerned.
    pub nodes: usize,
    /// How many nodes the workload may land on in all.
    pub of_nodes: usize,
    /// Some of their names, sorted.
    pub node_examples: Vec<String>,
    /// Why, for people: a sentence fragment.
    pub message: String,
    /// What will be seen.
    pub expect: Vec<Expectation>,
    /// How sure.
    pub certainty: Certainty,
    /// What to do about it.
    pub advice: &'static str,
    /// Where the image stands, when the object came from a file.
    pub location: Option<Location>,
    /// Where its object begins, when it came from a file: files may hold two objects of one name.
    pub object: Option<Location>,
    /// What a template engine left in it.
    pub rendered: Rendered,
    /// Why it does not count, when somebody knows about it.
    pub suppressed: Option<Suppression>,
}

/// How many node names a finding carries.
const EXAMPLES: usize = 3;

/// Collects what is found about one container, class by class, and makes one finding a rule and origin of it.
#[derive(Debug, Default)]
pub(super) struct FindingBuilder<'a> {
    parts: BTreeMap<(Rule, &'static str), Part<'a>>,
}

#[derive(Debug, Default)]
struct Part<'a> {
    severity: Option<Severity>,
    platforms: BTreeSet<String>,
    from: BTreeSet<&'a str>,
    nodes: Vec<u32>,
    messages: Vec<String>,
    expect: Vec<Expectation>,
    certainty: Option<Certainty>,
    verdict: Option<Verdict>,
    advice: Option<&'static str>,
}

/// What one class of nodes adds to a finding.
pub(super) struct Observation<'a> {
    pub(super) rule: Rule,
    pub(super) severity: Severity,
    pub(super) origin: &'a NodeOrigin,
    pub(super) platform: String,
    /// Indices of the nodes.
    pub(super) nodes: Vec<u32>,
    pub(super) message: String,
    pub(super) expect: Vec<Expectation>,
    pub(super) certainty: Certainty,
    pub(super) verdict: Verdict,
    /// Better advice than the rule's own.
    pub(super) advice: Option<&'static str>,
}

/// What all findings about a container have in common.
pub(super) struct About<'a> {
    pub(super) workload: &'a WorkloadName,
    pub(super) dormant: bool,
    pub(super) container: &'a str,
    pub(super) image: &'a str,
    pub(super) of_nodes: usize,
    pub(super) location: Option<&'a Location>,
    pub(super) object: Option<&'a Location>,
    pub(super) rendered: &'a Rendered,
}

impl<'a> FindingBuilder<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn add(&mut self, seen: Observation<'a>) {
        let part = self
            .parts
            .entry((seen.rule, seen.origin.as_str()))
            .or_default();
        part.advice = part.advice.or(seen.advice);
        part.severity = Some(
            part.severity
                .map_or(seen.severity, |s| s.min(seen.severity)),
        );
        part.platforms.insert(seen.platform);
        if let NodeOrigin::Potential(pool) = seen.origin {
            part.from.insert(pool);
        }
        part.nodes.extend(seen.nodes);
        if !part.messages.contains(&seen.message) {
            part.messages.push(seen.message);
        }
        for expectation in seen.expect {
            if !part.expect.contains(&expectation) {
                part.expect.push(expectation);
            }
        }
        part.certainty = Some(
            part.certainty
                .map_or(seen.certainty, |c| c.max(seen.certainty)),
        );
        part.verdict = Some(part.verdict.map_or(seen.verdict, |v| v.min(seen.verdict)));
    }

    /// The findings. `name` names a node; `covers` says what failing on these nodes alone means for the workload.
    pub(super) fn build(
        self,
        about: &About<'_>,
        name: impl Fn(u32) -> Option<String>,
        covers: impl Fn(&[u32]) -> Verdict,
    ) -> Vec<Finding> {
        self.parts
            .into_iter()
            .map(|((rule, source), mut part)| {
                part.nodes.sort_unstable();
                part.nodes.dedup();
                // Nodes are sorted by name, so their indices are.
                let examples = part
                    .nodes
                    .iter()
                    .take(EXAMPLES)
                    .filter_map(|node| name(*node));
                let verdict = match part.verdict.unwrap_or(Verdict::Ok) {
                    Verdict::Fails => covers(&part.nodes),
                    verdict => verdict,
                };
                Finding {
                    rule,
                    severity: part.severity.unwrap_or(rule.severity()),
                    verdict,
                    workload: about.workload.clone(),
                    dormant: about.dormant,
                    container: about.container.to_owned(),
                    image: about.image.to_owned(),
                    platforms: part.platforms.into_iter().collect(),
                    source,
                    from: part.from.into_iter().map(str::to_owned).collect(),
                    nodes: part.nodes.len(),
                    of_nodes: about.of_nodes,
                    node_examples: examples.collect(),
                    message: part.messages.join("; "),
                    expect: part.expect,
                    certainty: part.certainty.unwrap_or(Certainty::Likely),
                    advice: part.advice.unwrap_or(rule.advice()),
                    location: about.location.cloned(),
                    object: about.object.cloned(),
                    rendered: about.rendered.clone(),
                    suppressed: None,
                }
            })
            .collect()
    }
}
