//! The rules: stable names, how bad, what each says (DESIGN §3).

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something will not start.
    Error,
    /// Something may not start, or only by luck.
    Warning,
    /// Could not be checked.
    Unknown,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Info => "info",
        }
    }
}

/// One thing that can be wrong. Names are part of the interface and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A single manifest of another platform is started on this node.
    ExecFormatError,
    /// The index has nothing for this node.
    NoMatchingPlatform,
    /// Schema 1, chart or artifact, which this runtime refuses.
    UnsupportedImage,
    /// The registry has no such tag or digest.
    ImageNotFound,
    /// The kubelet would say InvalidImageName.
    InvalidReference,
    /// Depends on what the API can't show.
    RuntimeDependent,
    /// May land on a node of another OS.
    OsNotPinned,
    /// No access, rate limited, unreachable, no registry's answer.
    ImageUnreadable,
    /// Runs as 386 or 32-bit arm.
    FallbackPlatform,
    /// A node's label and nodeInfo disagree.
    NodeLabelMismatch,
}

impl Rule {
    /// Every rule, in the order in which reports list them.
    pub const ALL: [Self; 10] = [
        Self::ExecFormatError,
        Self::NoMatchingPlatform,
        Self::UnsupportedImage,
        Self::ImageNotFound,
        Self::InvalidReference,
        Self::RuntimeDependent,
        Self::OsNotPinned,
        Self::ImageUnreadable,
        Self::FallbackPlatform,
        Self::NodeLabelMismatch,
    ];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExecFormatError => "exec-format-error",
            Self::NoMatchingPlatform => "no-matching-platform",
            Self::UnsupportedImage => "unsupported-image",
            Self::ImageNotFound => "image-not-found",
            Self::InvalidReference => "invalid-reference",
            Self::RuntimeDependent => "runtime-dependent",
            Self::OsNotPinned => "os-not-pinned",
            Self::ImageUnreadable => "image-unreadable",
            Self::FallbackPlatform => "fallback-platform",
            Self::NodeLabelMismatch => "node-label-mismatch",
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::ExecFormatError
            | Self::NoMatchingPlatform
            | Self::UnsupportedImage
            | Self::ImageNotFound
            | Self::InvalidReference => Severity::Error,
            Self::RuntimeDependent
            | Self::OsNotPinned
            | Self::FallbackPlatform
            | Self::NodeLabelMismatch => Severity::Warning,
            Self::ImageUnreadable => Severity::Unknown,
        }
    }

    /// What to do about it, in a line or two.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::ExecFormatError | Self::NoMatchingPlatform => {
                "use an image built for these nodes too, or keep the pods off them: nodeSelector kubernetes.io/arch"
            }
            Self::UnsupportedImage => {
                "push the image again with a current tool, as an OCI or Docker v2 image"
            }
            Self::ImageNotFound => {
                "correct the tag or digest, or push it; if it is loaded onto the nodes by hand, give it with --images"
            }
            Self::InvalidReference => "write the image as [HOST/]NAME[:TAG][@DIGEST]",
            Self::RuntimeDependent => {
                "try one pod on such a node, or use an image that names the nodes' platform"
            }
            Self::OsNotPinned => {
                "add nodeSelector kubernetes.io/os to the pods, or taint the nodes of the other OS"
            }
            Self::ImageUnreadable => {
                "log in (docker login), check the network, or give the image with --images"
            }
            Self::FallbackPlatform => "use an image built for the nodes' own platform",
            Self::NodeLabelMismatch => {
                "correct the label: the scheduler goes by it, the container runtime by the real architecture"
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let names: HashSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        assert!(
            names
                .iter()
                .all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        );
    }
}
