//! What a registry (or a layout) says that an image holds: the input of every verdict about it.

use super::{Digest, Platform};

/// An image as its registry describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// Digest of the top-level document, over its raw bytes.
    pub digest: Digest,
    /// Media type of the top-level document, decided by its body first.
    pub media_type: String,
    /// What the registry declared (`Content-Type`), where that is a manifest type that contradicts the body.
    pub served_as: Option<String>,
    /// Index, single manifest or schema 1.
    pub shape: Shape,
}

/// The three shapes that a reference can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// One entry a platform.
    Index(Index),
    /// One image (or artifact), whatever its platform.
    Manifest(ManifestFacts),
    /// Docker schema 1, which names an architecture but no OS.
    Schema1 {
        /// Top-level `architecture`, a GOARCH.
        architecture: Option<String>,
    },
}

/// An OCI image index or Docker manifest list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Which of the two formats: CRI-O treats them differently.
    pub format: IndexFormat,
    /// The entries, in the order of the document.
    pub entries: Vec<IndexEntry>,
}

/// The two formats of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IndexFormat {
    /// `application/vnd.oci.image.index.v1+json`
    Oci,
    /// `application/vnd.docker.distribution.manifest.list.v2+json`
    DockerList,
}

/// One entry (descriptor) of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Digest of the child.
    pub digest: Digest,
    /// Media type that the descriptor gives; empty when it gives none.
    pub media_type: String,
    /// Platform that the descriptor declares, as written. `None`: no `platform` at all.
    pub platform: Option<Platform>,
    /// A BuildKit attestation (`vnd.docker.reference.type: attestation-manifest`): never an image.
    pub attestation: bool,
    /// `artifactType`, when the descriptor has one.
    pub artifact_type: Option<String>,
    /// Annotated `io.github.containers.compression.zstd: "true"`, which containers/image prefers.
    pub zstd: bool,
    /// What the child itself says; read where its platform isn't declared, and for nested indexes.
    pub content: Content,
}

/// What is known of an index entry's child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Not asked for: the declared platform decides, unless `--verify` looks.
    NotRead,
    /// An image or artifact manifest.
    Manifest(ManifestFacts),
    /// A nested index.
    Index(Index),
    /// Asked for, and the registry that has the index does not have it.
    Missing,
    /// Asked for, and not readable; says why.
    Unreadable(String),
}

/// A manifest for one platform, with what its config says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFacts {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Number of layers.
    pub layers: usize,
    /// What the config says.
    pub config: ConfigFacts,
}

/// What the config of a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFacts {
    /// An image config. Its `os` and `architecture` as written; empty strings where absent.
    Image(Platform),
    /// No image config (Helm chart, WASM module, signature, …): names `artifactType` or the config's media type.
    Artifact(String),
    /// The config could not be read; says why.
    Unreadable(String),
}

impl Index {
    /// The platforms that the index offers, in its order: declared ones, and those of configs that were read.
    /// Attestations and artifacts are left out.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        let mut found = Vec::new();
        for entry in &self.entries {
            if entry.attestation || entry.platform.as_ref().is_some_and(Platform::is_unknown) {
                continue;
            }
            match (&entry.platform, &entry.content) {
                (_, Content::Index(nested)) => found.extend(nested.platforms()),
                (Some(platform), _) => found.push(platform.clone()),
                (None, Content::Manifest(manifest)) => {
                    if let ConfigFacts::Image(platform) = &manifest.config {
                        found.push(platform.clone());
                    }
                }
                (None, _) => {}
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|platform| seen.insert(platform.clone()));
        found
    }
}

impl ImageFacts {
    /// The platforms that the image offers, for people to read; empty for artifacts.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        match &self.shape {
            Shape::Index(index) => index.platforms(),
            Shape::Manifest(manifest) => match &manifest.config {
                ConfigFacts::Image(platform) => vec![platform.clone()],
                ConfigFacts::Artifact(_) | ConfigFacts::Unreadable(_) => Vec::new(),
            },
            Shape::Schema1 { architecture } => architecture
                .iter()
                .map(|architecture| Platform::new("linux", architecture, ""))
                .collect(),
        }
    }
}
