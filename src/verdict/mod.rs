//! From outcomes to verdicts and findings (DESIGN §1, §3). Pure: inventory, placements and answers in, a report out.

mod answers;
mod findings;
mod gate;
mod held;
mod judge;
mod labels;
mod nodes;
mod pinned;
mod rules;
mod suppression;
#[cfg(test)]
mod tests;
mod unverified;
mod visible;

use crate::model::{Incomplete, Location, ObjectId, Rendered};

pub use answers::Answers;
pub use findings::Finding;
pub use gate::{FailOn, Gate, GateOutcome};
pub use judge::{Evidence, judge};
pub use nodes::{NodeClasses, PlatformRow, emulator_installer};
pub use pinned::tags_beside_digests;
pub use rules::{Example, Message, Page, Rule, Severity};
pub use suppression::{SuppressedBy, Suppression};

use crate::image::{CredentialKind, Tried};
use crate::model::ContainerRole;
use crate::runtime::{NodeClass, Outcome};

/// What a workload will do, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// A failure on every node it may land on.
    Fails,
    /// A failure on some node, or something that can't be seen on some.
    AtRisk,
    /// Could not be found out on some node.
    Unknown,
    /// Nothing against it.
    Ok,
    /// No node admits it; never counted.
    Unplaced,
}

impl Verdict {
    /// The word that machine formats use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::AtRisk => "at-risk",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Unplaced => "unplaced",
        }
    }
}

/// Who a finding is about.
pub type WorkloadName = ObjectId;

/// All that a scan found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The platforms of the nodes that were looked at.
    pub platforms: Vec<PlatformRow>,
    /// Each workload once, sorted by id.
    pub workloads: Vec<WorkloadResult>,
    /// Each distinct image, sorted.
    pub images: Vec<ImageRow>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// What could not be seen.
    pub incomplete: Vec<Incomplete>,
}

/// A workload and what will become of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadResult {
    /// Which workload.
    pub id: ObjectId,
    /// Where it begins, when it came from a file.
    pub location: Option<Location>,
    /// What a template engine left in it.
    pub rendered: Rendered,
    /// It has no pods now and starts none.
    pub dormant: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is unplaced or unknown.
    pub reason: Option<String>,
    /// The platforms it may land on, sorted.
    pub platforms: Vec<String>,
    /// The nodes that its pods run on now, sorted.
    pub live_nodes: Vec<String>,
    /// Its containers.
    pub containers: Vec<ContainerResult>,
}

/// A container and its outcome on each class of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerResult {
    /// Its name.
    pub name: String,
    /// Its part in the pod.
    pub role: ContainerRole,
    /// The image as written.
    pub image: String,
    /// Digest of what the reference leads to, when it was read.
    pub digest: Option<String>,
    /// What the image offers.
    pub image_platforms: Vec<String>,
    /// One for each class of nodes, sorted.
    pub outcomes: Vec<(NodeClass, Outcome)>,
}

/// A distinct image and how it was asked for. An image has several rows where the pull secrets of one namespace led to
/// another answer than those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// The normalised reference.
    pub image: String,
    /// The namespaces whose pods this row is for; none where it is for all.
    pub namespaces: Vec<String>,
    /// Digest of the top-level document.
    pub digest: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// Who was asked.
    pub asked_at: String,
    /// With which kind of credential.
    pub credential: CredentialKind,
    /// Why it could not be read.
    pub error: Option<String>,
    /// Who else was asked, and why that was no answer.
    pub tried: Vec<Tried>,
}

/// How many workloads have each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// All workloads.
    pub workloads: usize,
    /// Distinct images.
    pub images: usize,
    /// Verdict `fails`.
    pub fails: usize,
    /// Verdict `at-risk`.
    pub at_risk: usize,
    /// Verdict `ok`.
    pub ok: usize,
    /// Verdict `unknown`.
    pub unknown: usize,
    /// Verdict `unplaced`.
    pub unplaced: usize,
    /// Findings that somebody knows about.
    pub suppressed: usize,
}

impl Report {
    /// Counts the verdicts, and the findings that somebody knows about.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            workloads: self.workloads.len(),
            images: self.images.chunk_by(|a, b| a.image == b.image).count(),
            suppressed: self
                .findings
                .iter()
                .filter(|finding| finding.suppressed.is_some())
                .count(),
            ..Summary::default()
        };
        for workload in &self.workloads {
            *match workload.verdict {
                Verdict::Fails => &mut summary.fails,
                Verdict::AtRisk => &mut summary.at_risk,
                Verdict::Ok => &mut summary.ok,
                Verdict::Unknown => &mut summary.unknown,
                Verdict::Unplaced => &mut summary.unplaced,
            } += 1;
        }
        summary
    }
}
