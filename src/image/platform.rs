//! Platforms: OS, architecture, variant (image-spec `image-index.md`, `config.md`; names are Go's GOOS and GOARCH).

use std::fmt;

use serde::Deserialize;

/// A platform as somebody wrote it; nothing is normalised until a matcher asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// GOOS, e.g. `linux`.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub os: String,
    /// GOARCH, e.g. `arm64`.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub architecture: String,
    /// CPU variant, e.g. `v7`; empty when none is given.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub variant: String,
    /// Windows build, e.g. `10.0.20348.2113`; empty when none is given.
    #[serde(
        rename = "os.version",
        deserialize_with = "crate::model::null_as_default"
    )]
    pub os_version: String,
    /// Features that the OS must have, e.g. `win32k`.
    #[serde(
        rename = "os.features",
        deserialize_with = "crate::model::null_as_default"
    )]
    pub os_features: Vec<String>,
}

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// Placeholder until the parser lands.
    #[error("{0}")]
    Invalid(String),
}

impl Platform {
    /// A platform out of its first three parts.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            ..Self::default()
        }
    }

    /// `unknown/unknown`: how BuildKit labels attestations.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

impl fmt::Display for Platform {
    /// `os/arch[/variant]`, without OS version and features (containerd's `Format`). Missing parts are `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let os = if self.os.is_empty() { "?" } else { &self.os };
        let architecture = if self.architecture.is_empty() {
            "?"
        } else {
            &self.architecture
        };
        write!(f, "{os}/{architecture}")?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}
