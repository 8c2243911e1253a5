//! containers/image: `internal/pkg/platform/platform_matcher.go`, `internal/manifest/oci_index.go` and
//! `docker_schema2_list.go`. Entries are compared byte for byte: no aliases, no normalisation.

use crate::image::{Index, IndexFormat, Platform};

/// What CRI-O on a node looks for, best first.
#[derive(Debug, Clone)]
pub struct WantedPlatforms {
    os: String,
    architecture: String,
    variants: Vec<String>,
    prefer_gzip: bool,
}

/// What CRI-O on a node takes for its own platform: a variant on arm and arm64 alone.
#[must_use]
pub fn host_spec(node: &Platform) -> Platform {
    super::containerd::host_spec(node)
}

impl WantedPlatforms {
    /// For a host, whose variant may be empty: then any variant of the architecture does.
    #[must_use]
    pub fn new(host: &Platform) -> Self {
        let known: &[&str] = match host.architecture.as_str() {
            "arm" => &["v8", "v7", "v6", "v5"],
            "arm64" => &["v8"],
            _ => &[],
        };
        let owned =
            |variants: &[&str]| variants.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        let mut variants = Vec::new();
        if host.variant.is_empty() {
            variants.push(String::new());
            variants.extend(owned(known));
        } else {
            match known.iter().position(|variant| *variant == host.variant) {
                Some(at) => variants.extend(owned(&known[at..])),
                None => variants.push(host.variant.clone()),
            }
            variants.push(String::new());
        }
        Self {
            os: host.os.clone(),
            architecture: host.architecture.clone(),
            variants,
            prefer_gzip: false,
        }
    }

    /// Prefers gzip over zstd, as a caller can ask for.
    #[must_use]
    pub fn preferring_gzip(self, prefer_gzip: bool) -> Self {
        Self {
            prefer_gzip,
            ..self
        }
    }

    /// How well a declared platform fits: its place in the list, `None` when it doesn't.
    #[must_use]
    pub fn rank(&self, candidate: &Platform) -> Option<usize> {
        let fits = candidate.os == self.os && candidate.architecture == self.architecture;
        self.variants
            .iter()
            .position(|variant| fits && *variant == candidate.variant)
    }

    /// The entry that is pulled: best platform, then zstd, then the first. An entry without a platform is the last
    /// resort, in an OCI index only.
    #[must_use]
    pub fn choose(&self, index: &Index) -> Option<usize> {
        let zstd_last = |zstd: bool| if self.prefer_gzip { zstd } else { !zstd };
        let declared = index.entries.iter().enumerate().filter_map(|(at, entry)| {
            let rank = self.rank(entry.platform.as_ref()?)?;
            // A Docker list knows nothing of zstd.
            let compression = index.format == IndexFormat::Oci && zstd_last(entry.zstd);
            Some((rank, compression, at))
        });
        if let Some((_, _, at)) = declared.min() {
            return Some(at);
        }
        if index.format == IndexFormat::DockerList {
            return None;
        }
        let undeclared = index
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.platform.is_none());
        undeclared
            .map(|(at, entry)| (zstd_last(entry.zstd), at))
            .min()
            .map(|(_, at)| at)
    }
}
