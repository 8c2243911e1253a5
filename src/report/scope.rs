//! What was scanned, for the first line of a report and for `scope` in the JSON.

/// What was scanned, and with which nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Cluster or files.
    pub source: Source,
    /// Where the nodes come from.
    pub nodes_from: Vec<NodesFrom>,
    /// `-l`, as given.
    pub selector: Option<String>,
    /// The configuration file that was read.
    pub config: Option<String>,
    /// The baseline that was read.
    pub baseline: Option<String>,
    /// No registry was asked (`--offline`): what tags lead to is as it was when they were.
    pub offline: bool,
}

/// Where the workloads come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A live cluster.
    Cluster {
        /// The kubeconfig context, where there is one.
        context: Option<String>,
        /// The namespace scanned; `None` for all.
        namespace: Option<String>,
        /// Names given on the command line.
        targets: Vec<String>,
    },
    /// Manifests, as the user named them.
    Files(Vec<String>),
}

/// Where nodes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodesFrom {
    /// Node objects of the cluster.
    Cluster,
    /// Node objects among the files.
    Files,
    /// `--platform`: instead of all others.
    Platform,
    /// `--add-platform`: beside others.
    AddPlatform,
}

impl NodesFrom {
    /// The word that machine formats use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Files => "files",
            Self::Platform | Self::AddPlatform => "flags",
        }
    }
}
