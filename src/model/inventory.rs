//! Everything that an input yields.

use super::{MirrorSet, Node, Workload};

/// What a scan looks at, as far as it could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// Each workload once, sorted by id.
    pub workloads: Vec<Workload>,
    /// Nodes, sorted by name. Empty when the input has none.
    pub nodes: Vec<Node>,
    /// Whether the nodes could be listed; an empty list then means that there are none.
    pub nodes_listed: bool,
    /// Where the cluster's nodes look for images first, by the names of the objects that say so.
    pub mirror_sets: Vec<MirrorSet>,
    /// What could not be seen.
    pub incomplete: Vec<Incomplete>,
}

/// Something that could not be looked at: the reason why a scan is not "all good".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incomplete {
    /// What was not seen, e.g. `deployments.apps in all namespaces`.
    pub what: String,
    /// Why, e.g. `forbidden: User "x" cannot list …`.
    pub why: String,
    /// What would help.
    pub hint: String,
    /// Whether it could have changed a verdict (exit 2), or is only worth knowing.
    pub matters: bool,
}
