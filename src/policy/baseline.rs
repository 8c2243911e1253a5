//! A baseline: what a scan found once, so that later ones fail only on what is new.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::image::ImageRef;
use crate::model::Incomplete;
use crate::verdict::{Finding, Report, SuppressedBy, Suppression, Verdict, WorkloadResult};

/// What a file says about itself; a later form gets a later number.
const VERSION: u32 = 1;
/// How many findings that are gone a note names.
const NAMED: usize = 3;

/// Findings of an earlier scan.
///
/// A finding is the same as one of them when rule, object, container and image repository are: a new tag that fails as the
/// old one did is not new. It is new again where it concerns a platform that the earlier did not, or gives a worse
/// verdict. What could not be checked is never part of a baseline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Identity, Extent>,
}

/// What makes two findings the same, under edits that have nothing to do with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Identity {
    rule: String,
    kind: String,
    namespace: String,
    name: String,
    container: String,
    /// Without tag and digest.
    image: String,
}

/// How far a finding went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Extent {
    platforms: BTreeSet<String>,
    verdict: Verdict,
}

/// Why a baseline could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON, or not of the form.
    #[error("it is no baseline: {0}")]
    Form(#[from] serde_json::Error),
    /// A later form.
    #[error("it has version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// A word that is no verdict.
    #[error("{0:?} is no verdict")]
    Verdict(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    baseline_version: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    identity: Identity,
    platforms: BTreeSet<String>,
    verdict: String,
}

impl Baseline {
    /// Everything that a report finds, but what could not be checked, and what is ignored for another reason than a
    /// baseline: when that reason ends, it is to count again.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut baseline = Self::default();
        for finding in &report.findings {
            let by = finding.suppressed.as_ref().map(|mark| mark.by);
            if finding.verdict == Verdict::Unknown
                || by.is_some_and(|by| by != SuppressedBy::Baseline)
            {
                continue;
            }
            let extent = baseline
                .entries
                .entry(Identity::of(finding))
                .or_insert_with(|| Extent {
                    platforms: BTreeSet::new(),
                    verdict: finding.verdict,
                });
            extent.platforms.extend(finding.platforms.iter().cloned());
            extent.verdict = extent.verdict.min(finding.verdict);
        }
        baseline
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is not what [`Self::to_json`] writes, or a later form of it.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let file: File = serde_json::from_str(text)?;
        if file.baseline_version != VERSION {
            return Err(BaselineError::Version(file.baseline_version));
        }
        let mut entries = BTreeMap::new();
        for entry in file.findings {
            let verdict = [Verdict::Fails, Verdict::AtRisk, Verdict::Ok]
                .into_iter()
                .find(|verdict| verdict.as_str() == entry.verdict)
                .ok_or(BaselineError::Verdict(entry.verdict))?;
            let platforms = entry.platforms;
            entries.insert(entry.identity, Extent { platforms, verdict });
        }
        Ok(Self { entries })
    }

    /// The text of a file: sorted, a line for each value, so that a change reads well in a review.
    ///
    /// # Errors
    /// When it can't be serialised, which no finding makes it do.
    pub fn to_json(&self) -> Result<String, BaselineError> {
        let findings = self.entries.iter().map(|(identity, extent)| Entry {
            identity: identity.clone(),
            platforms: extent.platforms.clone(),
            verdict: extent.verdict.as_str().to_owned(),
        });
        let file = File {
            baseline_version: VERSION,
            findings: findings.collect(),
        };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// How many findings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Marks what is not new, and says in a note which findings are gone: in a scan of the whole, where they could have
    /// been found. `name` is what the file is called.
    pub fn apply(&self, report: &mut Report, name: &str, whole: bool) {
        let mut found: HashSet<&Identity> = HashSet::new();
        for finding in &mut report.findings {
            let Some((identity, extent)) = self.entries.get_key_value(&Identity::of(finding))
            else {
                continue;
            };
            found.insert(identity);
            if extent.covers(finding) && finding.suppressed.is_none() {
                finding.suppressed = Some(Suppression {
                    by: SuppressedBy::Baseline,
                    reason: format!("it is in the baseline {name}"),
                    place: name.to_owned(),
                    expires: None,
                });
            }
        }
        if !whole {
            return;
        }
        let seen = Seen::of(report);
        let gone: Vec<&Identity> = self
            .entries
            .iter()
            .filter(|(identity, extent)| {
                !found.contains(identity) && seen.would_show(identity, extent)
            })
            .map(|(identity, _)| identity)
            .collect();
        if let Some(note) = gone_note(&gone, self.len(), name) {
            report.incomplete.push(note);
        }
    }
}

impl Identity {
    fn of(finding: &Finding) -> Self {
        let id = &finding.workload;
        Self {
            rule: finding.rule.name().to_owned(),
            kind: id.kind.clone(),
            namespace: id.namespace.clone(),
            name: id.name.clone(),
            container: finding.container.clone(),
            image: match ImageRef::parse(&finding.image) {
                Ok(image) => match image.registry {
                    Some(registry) => format!("{registry}/{}", image.repository),
                    None => image.repository,
                },
                // What is no reference has no tag that could change.
                Err(_) => finding.image.clone(),
            },
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            rule,
            kind,
            namespace,
            name,
            ..
        } = self;
        if namespace.is_empty() {
            write!(f, "{kind}/{name} {rule}")
        } else {
            write!(f, "{namespace}/{kind}/{name} {rule}")
        }
    }
}

impl Extent {
    /// Whether a finding goes no further. Verdicts are ordered from worst to best.
    fn covers(&self, finding: &Finding) -> bool {
        finding.verdict >= self.verdict
            && finding
                .platforms
                .iter()
                .all(|platform| self.platforms.contains(platform))
    }
}

/// What a scan looked at.
struct Seen<'a> {
    platforms: HashSet<&'a str>,
    /// Objects of which something could not be judged.
    unjudged: HashSet<[&'a str; 3]>,
}

impl<'a> Seen<'a> {
    fn of(report: &'a Report) -> Self {
        let unread = report
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Unknown)
            .map(|finding| &finding.workload);
        let undecided = |workload: &&WorkloadResult| {
            matches!(workload.verdict, Verdict::Unknown | Verdict::Unplaced)
        };
        let undecided = report.workloads.iter().filter(undecided).map(|w| &w.id);
        Self {
            platforms: report
                .platforms
                .iter()
                .map(|row| row.platform.as_str())
                .collect(),
            unjudged: unread
                .chain(undecided)
                .map(|id| [id.kind.as_str(), id.namespace.as_str(), id.name.as_str()])
                .collect(),
        }
    }

    /// Whether a finding would have been found if it were still there.
    fn would_show(&self, identity: &Identity, extent: &Extent) -> bool {
        let Identity {
            kind,
            namespace,
            name,
            ..
        } = identity;
        !self.unjudged.contains(&[kind.as_str(), namespace, name])
            && extent
                .platforms
                .iter()
                .all(|platform| self.platforms.contains(platform.as_str()))
    }
}

fn gone_note(gone: &[&Identity], all: usize, name: &str) -> Option<Incomplete> {
    if gone.is_empty() {
        return None;
    }
    let named: Vec<String> = gone.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match gone.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Incomplete {
        what: name.to_owned(),
        why: format!(
            "{} of its {all} findings fixed or gone: {}{more}",
            gone.len(),
            named.join(", ")
        ),
        hint: "write it anew with --write-baseline, so that they can't come back unseen".to_owned(),
        matters: false,
    })
}
