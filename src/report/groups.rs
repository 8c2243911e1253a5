//! Findings with one cause, put together: what `table` and `markdown` show as one block.

use std::collections::{BTreeSet, HashMap};

use super::text::{mask_digests, some_of};
use super::words::object;
use crate::runtime::{Certainty, Expectation};
use crate::verdict::{Finding, Rule, SuppressedBy, Verdict};

/// Findings with one cause.
pub(super) struct Group<'a> {
    pub(super) findings: Vec<&'a Finding>,
}

/// Puts findings with the same cause together and keeps their order.
pub(super) fn groups(findings: Vec<&Finding>) -> Vec<Group<'_>> {
    let mut groups: Vec<(Key<'_>, Group<'_>)> = Vec::new();
    let mut at = HashMap::new();
    for finding in findings {
        let key = Key::of(finding);
        let index = *at.entry(key.clone()).or_insert_with(|| {
            groups.push((
                key,
                Group {
                    findings: Vec::new(),
                },
            ));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(index) {
            group.findings.push(finding);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What makes two findings one block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<'a> {
    verdict: Verdict,
    rule: Rule,
    /// Empty where the image doesn't matter: one line a cluster, one line a dead registry.
    image: &'a str,
    message: &'a str,
    certainty: Certainty,
    platforms: &'a [String],
    source: &'a str,
    /// Why it does not count; the object that says so does not matter.
    known: Option<(SuppressedBy, &'a str, &'a str)>,
}

impl<'a> Key<'a> {
    fn of(finding: &'a Finding) -> Self {
        let mut key = Key {
            verdict: finding.verdict,
            rule: finding.rule,
            image: &finding.image,
            message: &finding.message,
            certainty: finding.certainty,
            platforms: &finding.platforms,
            source: finding.source,
            known: finding.suppressed.as_ref().map(|mark| {
                let by_file = mark.by == SuppressedBy::Config;
                let place = if by_file { mark.place.as_str() } else { "" };
                (mark.by, mark.reason.as_str(), place)
            }),
        };
        match finding.rule {
            // One block a cluster, under the worst verdict.
            Rule::OsNotPinned => {
                key.verdict = Verdict::Fails;
                key.image = "";
                key.message = "";
                key.certainty = Certainty::Certain;
                key.platforms = &[];
            }
            Rule::ImageUnreadable => {
                key.image = "";
                key.platforms = &[];
            }
            // Hundreds of images with one cause are one block, which names the image beside each place.
            Rule::ExecFormatError | Rule::NoMatchingPlatform | Rule::ImageNotFound => {
                key.image = "";
            }
            _ => {}
        }
        key
    }
}

/// How many different answers to "on which nodes" a block spells out.
const MOST_NODE_LINES: usize = 4;

impl Group<'_> {
    /// A block claims no more than the least certain of its findings.
    pub(super) fn certainty(&self) -> Certainty {
        let all = self.findings.iter().map(|finding| finding.certainty);
        all.max().unwrap_or(Certainty::Depends)
    }

    /// Why, for people.
    pub(super) fn why(&self) -> String {
        match self.findings.first() {
            Some(first) if first.rule == Rule::OsNotPinned => self.os_not_pinned(),
            Some(first) => first.message.clone(),
            None => String::new(),
        }
    }

    fn os_not_pinned(&self) -> String {
        let all = self.findings.iter().flat_map(|f| &f.platforms);
        let platforms: BTreeSet<&str> = all.map(String::as_str).collect();
        let platforms: Vec<&str> = platforms.into_iter().collect();
        format!(
            "the images are built for another OS than {}, and nothing keeps the pods off those nodes",
            platforms.join(", ")
        )
    }

    /// The nodes of a block: one line where all its findings say the same, else a line for each answer, with its places.
    pub(super) fn nodes(&self) -> Vec<String> {
        let mut answers: Vec<(String, Vec<String>)> = Vec::new();
        for finding in self.findings.iter().filter(|finding| finding.nodes > 0) {
            let (text, place) = (nodes_of(finding), object(&finding.workload));
            match answers.iter_mut().find(|(known, _)| *known == text) {
                Some((_, places)) if places.contains(&place) => {}
                Some((_, places)) => places.push(place),
                None => answers.push((text, vec![place])),
            }
        }
        if answers.len() < 2 {
            return answers.into_iter().map(|(text, _)| text).collect();
        }
        let more = answers.len().saturating_sub(MOST_NODE_LINES);
        let mut lines: Vec<String> = answers
            .iter()
            .take(MOST_NODE_LINES)
            .map(|(text, places)| {
                let named: Vec<String> = places.iter().take(2).cloned().collect();
                format!("{}: {text}", some_of(&named, places.len()))
            })
            .collect();
        if more > 0 {
            lines.push(format!(
                "and {more} more; -o wide and -o json have them all"
            ));
        }
        lines
    }

    /// What will be seen, over all findings of a block: their nodes may have other runtimes, their images other digests.
    pub(super) fn expected(&self) -> Vec<Expectation> {
        let several = self.image().is_none();
        let mut all: Vec<Expectation> = Vec::new();
        for expectation in self.findings.iter().flat_map(|finding| &finding.expect) {
            let mut expectation = expectation.clone();
            if several {
                expectation.text = mask_digests(&expectation.text);
            }
            if !all.contains(&expectation) {
                all.push(expectation);
            }
        }
        all
    }

    /// The image that all findings are about, if they are about one.
    pub(super) fn image(&self) -> Option<&str> {
        let image = self.findings.first()?.image.as_str();
        let same = self.findings.iter().all(|finding| finding.image == image);
        same.then_some(image)
    }
}

fn nodes_of(finding: &Finding) -> String {
    let platforms = finding.platforms.join(", ");
    match finding.source {
        "hypothetical" => format!("{platforms} (as named on the command line)"),
        "potential" => format!("{platforms}, which {} may start", finding.from.join(", ")),
        _ => format!(
            "{platforms}: {} of {} it may land on ({})",
            finding.nodes,
            finding.of_nodes,
            some_of(&finding.node_examples, finding.nodes)
        ),
    }
}
