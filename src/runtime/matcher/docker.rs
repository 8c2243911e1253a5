//! Docker Engine (moby `daemon/internal/distribution/pull_v2_unix.go`, `pull_v2_windows.go`).

use std::cmp::Reverse;

use super::containerd::{LibraryVersion, Only, Ordered};
use super::{Matcher, Rank};
use crate::image::Platform;
use crate::model::Version;

/// What Docker on a node takes for its own platform, as it prints it. A level of amd64 is kept: Docker asks the CPU.
#[must_use]
pub fn host_spec(node: &Platform) -> Platform {
    if node.architecture == "amd64" {
        return node.clone();
    }
    super::containerd::host_spec(node)
}

/// Which entry of a list Docker pulls.
#[derive(Debug, Clone)]
pub struct DockerMatcher {
    by: By,
    /// Entries without a platform are taken when nothing else fits.
    undeclared_last: bool,
}

#[derive(Debug, Clone)]
enum By {
    /// Up to 20.10: equal after normalisation.
    Strict(Ordered),
    /// From 23 on: as containerd, with the CPU's real level.
    Only(Only),
    /// Windows: same architecture, build no newer than the host's, the same build preferred.
    Windows(Platform),
}

impl DockerMatcher {
    /// For a host and a version of Docker; the newest for one that is not known.
    #[must_use]
    pub fn new(host: &Platform, version: Option<Version>) -> Self {
        let since = |major| version.is_none_or(|version| version >= Version::new(major, 0, 0));
        let library = if since(29) {
            LibraryVersion::LATEST
        } else {
            LibraryVersion::V0_2
        };
        let by = if host.os == "windows" {
            By::Windows(host.normalize(library))
        } else if since(23) {
            By::Only(Only::new(host, library))
        } else {
            By::Strict(Ordered::new(host, library))
        };
        Self {
            by,
            undeclared_last: since(23),
        }
    }

    /// The entry that is pulled.
    #[must_use]
    pub fn choose(&self, candidates: &[Option<Platform>]) -> Option<usize> {
        let declared = candidates
            .iter()
            .enumerate()
            .filter_map(|(at, candidate)| Some((self.rank(candidate.as_ref()?)?, at)));
        let best = declared.min().map(|(_, at)| at);
        best.or_else(|| {
            candidates
                .iter()
                .position(Option::is_none)
                .filter(|_| self.undeclared_last)
        })
    }
}

impl Matcher for DockerMatcher {
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        match &self.by {
            By::Strict(strict) => strict.rank(candidate),
            By::Only(only) => only.rank(candidate),
            By::Windows(host) => {
                let build = |version: &str| {
                    version
                        .split('.')
                        .nth(2)
                        .and_then(|build| build.parse::<usize>().ok())
                };
                let normal = candidate.normalize(LibraryVersion::LATEST);
                let fits = normal.os == host.os && normal.architecture == host.architecture;
                let (ours, theirs) = (build(&host.os_version), build(&normal.os_version));
                let newer = matches!((ours, theirs), (Some(ours), Some(theirs)) if theirs > ours);
                (fits && !newer).then(|| (0, Reverse(theirs.unwrap_or(0)), Reverse(String::new())))
            }
        }
    }
}
