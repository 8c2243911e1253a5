//! Image references, read as the kubelet reads them.

use std::fmt;

use super::Digest;

/// A parsed and normalised image reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Registry host with port, e.g. `docker.io`, `localhost:5000`. `None` for the quirk `a_b.example.com/app`: the
    /// grammar takes such a host for a path.
    pub registry: Option<String>,
    /// Repository path, e.g. `library/nginx`.
    pub repository: String,
    /// Tag; the kubelet adds `latest` only where there is neither tag nor digest.
    pub tag: Option<String>,
    /// Digest; what is asked for when both are given.
    pub digest: Option<Digest>,
}

/// Why a text is no image reference. The words are those that the kubelet prints after `InvalidImageName`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Placeholder until the parser lands.
    #[error("invalid reference format")]
    Format,
}

impl ImageRef {
    /// Parses as the kubelet does (`pkg/util/parsers/parsers.go ParseImageName`): normalised, `latest` added where
    /// there is neither tag nor digest.
    ///
    /// # Errors
    /// When the kubelet would say `InvalidImageName`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let _ = text;
        Err(ReferenceError::Format)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
