//! The JSON documents of registries: told apart by their body first, by their declared type last.

use serde::Deserialize;

use super::Platform;

/// Media types (image-spec `media-types.md`, Docker's `manifest-v2-2.md`).
pub mod media_type {
    /// OCI image index.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image manifest.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image config.
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker image config.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// Docker image manifest, schema 1, unsigned.
    pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
    /// Docker image manifest, schema 1, signed.
    pub const DOCKER_SCHEMA1_SIGNED: &str =
        "application/vnd.docker.distribution.manifest.v1+prettyjws";
}

/// A manifest document, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Index or list.
    Index(RawIndex),
    /// Image or artifact manifest.
    Manifest(RawManifest),
    /// Schema 1, with its `architecture`.
    Schema1(Option<String>),
}

/// Why a body is no manifest document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Placeholder until the classifier lands.
    #[error("not a manifest: {0}")]
    NotAManifest(String),
}

/// An index as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RawIndex {}

/// A manifest as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RawManifest {}

/// A descriptor as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RawDescriptor {
    /// The declared platform.
    pub platform: Option<Platform>,
}
