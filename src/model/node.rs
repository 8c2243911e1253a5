//! Nodes: labels and taints for placement, architecture and runtime for the verdict.

use std::collections::BTreeMap;
use std::fmt;

use crate::image::Platform;

/// A node that a pod may land on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The node's name; for a hypothetical node its platform.
    pub name: String,
    /// Where the node comes from.
    pub origin: NodeOrigin,
    /// Labels, which placement matches on.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable` (cordoned).
    pub unschedulable: bool,
    /// OS and architecture out of `status.nodeInfo`, which the verdict rests on. An existing node reports no variant.
    pub platform: Platform,
    /// Container runtime and version.
    pub runtime: Runtime,
    /// `nodeInfo.osImage`, e.g. `Docker Desktop`.
    pub os_image: String,
    /// `nodeInfo.kernelVersion`; on Windows it begins with the build, `10.0.20348.…`.
    pub kernel_version: String,
    /// `status.images[].names`: what the node holds already (incomplete: 50 images by default).
    pub images: Vec<String>,
}

/// Where a node comes from (the JSON report's `source`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeOrigin {
    /// A Node object.
    Existing,
    /// An autoscaler could start it; the name of the pool, e.g. `NodePool/graviton`.
    Potential(String),
    /// The user named its platform.
    Hypothetical,
}

impl NodeOrigin {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Existing => "existing",
            Self::Potential(_) => "potential",
            Self::Hypothetical => "hypothetical",
        }
    }
}

/// `core/v1 Taint`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(default)]
pub struct Taint {
    /// Taint key.
    pub key: String,
    /// Taint value; often empty.
    #[serde(deserialize_with = "super::pod::null_as_default")]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A container runtime as `nodeInfo.containerRuntimeVersion` names it, e.g. `containerd://2.1.4-k3s1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Runtime {
    /// Which runtime.
    pub name: RuntimeName,
    /// Its version, when it could be read.
    pub version: Option<Version>,
    /// As the node (or the user) wrote it, for reports.
    text: String,
}

/// The container runtimes that archcheck knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuntimeName {
    /// containerd.
    Containerd,
    /// CRI-O.
    CriO,
    /// Docker through cri-dockerd or dockershim.
    Docker,
    /// Something else, as the node calls it; empty when the node says nothing.
    Other(String),
}

/// Major, minor and patch of a runtime's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
    /// Patch; 0 when not given.
    pub patch: u32,
}

impl Version {
    /// A version out of its three parts.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Reads `2.1.4`, `v2.1`, `1.7.20-k3s1`: what follows the numbers is ignored. `None` without a minor version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts = text.splitn(3, '.');
        let leading = |part: &str| {
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        };
        let major = parts.next()?.parse().ok()?;
        let minor = leading(parts.next()?)?;
        let patch = parts.next().and_then(leading).unwrap_or(0);
        Some(Self {
            major,
            minor,
            patch,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Runtime {
    /// Reads `NAME[://VERSION]`. Never fails: what is not known is [`RuntimeName::Other`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (name, version) = text.split_once("://").unwrap_or((text, ""));
        let name = match name {
            "containerd" => RuntimeName::Containerd,
            "cri-o" => RuntimeName::CriO,
            "docker" => RuntimeName::Docker,
            other => RuntimeName::Other(other.to_owned()),
        };
        Self {
            name,
            version: Version::parse(version),
            text: text.to_owned(),
        }
    }

    /// A runtime of a known version.
    #[must_use]
    pub fn of(name: RuntimeName, version: Version) -> Self {
        let text = format!("{name}://{version}");
        Self {
            name,
            version: Some(version),
            text,
        }
    }

    /// Whether this is `name` in a version that is known and at least `major.minor`.
    #[must_use]
    pub fn at_least(&self, name: &RuntimeName, major: u32, minor: u32) -> bool {
        self.name == *name
            && self
                .version
                .is_some_and(|v| v >= Version::new(major, minor, 0))
    }
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
            Self::Docker => "docker",
            Self::Other(name) if name.is_empty() => "unknown",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.text.is_empty() {
            "unknown"
        } else {
            &self.text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_read_as_nodes_write_them() {
        for (text, shown, version) in [
            (
                "containerd://2.1.4",
                "containerd://2.1.4",
                Some(Version::new(2, 1, 4)),
            ),
            (
                "containerd://1.7.20-k3s1",
                "containerd://1.7.20-k3s1",
                Some(Version::new(1, 7, 20)),
            ),
            (
                "containerd://2.1",
                "containerd://2.1",
                Some(Version::new(2, 1, 0)),
            ),
            (
                "cri-o://1.33.1",
                "cri-o://1.33.1",
                Some(Version::new(1, 33, 1)),
            ),
            (
                "docker://27.1.1",
                "docker://27.1.1",
                Some(Version::new(27, 1, 1)),
            ),
            ("containerd://Unknown", "containerd://Unknown", None),
            ("docker", "docker", None),
            ("kwok", "kwok", None),
            ("", "unknown", None),
        ] {
            let runtime = Runtime::parse(text);
            assert_eq!(
                (runtime.to_string().as_str(), runtime.version),
                (shown, version),
                "{text}"
            );
        }
    }
}
