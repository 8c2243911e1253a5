//! Workloads: what a report has one row for.

use std::collections::BTreeMap;
use std::fmt;

use super::{Placer, PodTemplate, Rendered, RunningContainer};

/// The name of an object in the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Namespace; empty for cluster-scoped objects, and for file objects that give none.
    pub namespace: String,
    /// Kind, e.g. `Deployment`.
    pub kind: String,
    /// Name; `generateName` with a `*` where the API server would append letters.
    pub name: String,
    /// API group and version, e.g. `apps/v1`.
    pub api_version: String,
}

impl fmt::Display for ObjectId {
    /// `Kind/name` or `Kind/namespace/name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A place in an input file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file as the user named it; `-` for standard input.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Something that runs pods, reported once under its topmost owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// The topmost owner.
    pub id: ObjectId,
    /// The owner's own labels (`-l` matches these) .
    pub labels: BTreeMap<String, String>,
    /// The owner's own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Where the object begins, when it came from a file.
    pub location: Option<Location>,
    /// What a template engine left in it.
    pub rendered: Rendered,
    /// It has no pods now and starts none (replicas 0, suspended): judged alike, marked.
    pub dormant: bool,
    /// What its pods look like. Most workloads have one template; a Pod without an owner is its own.
    pub templates: Vec<PodTemplate>,
    /// Pods that run now. A bare Pod is in here as well as in `templates`.
    pub pods: Vec<LivePod>,
}

impl Workload {
    /// Whether its pods, or some of them, are wanted on each node.
    #[must_use]
    pub fn is_on_each_node(&self) -> bool {
        let placers = self.templates.iter().map(|template| template.placer);
        placers
            .into_iter()
            .any(|placer| placer == Placer::DaemonSetController)
    }

    /// Whether this is a Pod that no controller would make again.
    #[must_use]
    pub fn is_bare_pod(&self) -> bool {
        self.id.kind == "Pod" && self.id.api_version == "v1"
    }
}

/// A pod that exists now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePod {
    /// Its name.
    pub name: String,
    /// The node it is bound to, if the scheduler has placed it.
    pub node: Option<String>,
    /// Its containers that are ready.
    pub ready: Vec<RunningContainer>,
}
