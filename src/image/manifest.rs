//! The JSON documents of registries: told apart by their body first, by their declared type last (registry.md §2.3).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{ConfigFacts, Content, Digest, Index, IndexEntry, IndexFormat, Platform};
use crate::model::null_as_default;

/// How many entries of an index are read: real ones have a few dozen.
const MOST_ENTRIES: usize = 10_000;

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

/// A manifest document, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type: what the body says, else what was declared, else what the shape is usually called.
    pub media_type: String,
    /// What was declared, where it names another kind of document than the body is.
    pub served_as: Option<String>,
    /// What it is.
    pub kind: DocumentKind,
}

/// The three kinds of document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentKind {
    /// Index or list. The children are not read.
    Index(Index),
    /// Image or artifact manifest.
    Manifest(Box<RawManifest>),
    /// Schema 1, with its `architecture`.
    Schema1(Option<String>),
}

/// Why a body is no manifest document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON: a login page, a captive portal.
    #[error("not JSON but {0}")]
    NotJson(String),
    /// JSON that is no manifest.
    #[error("JSON that is no manifest")]
    NotAManifest,
    /// A manifest with something wrong in it.
    #[error("a manifest that can't be read: {0}")]
    Broken(String),
}

/// An image manifest as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawManifest {
    /// The config blob.
    pub config: Option<RawDescriptor>,
    /// Its layers; only their number matters.
    #[serde(deserialize_with = "null_as_default")]
    pub layers: Vec<RawDescriptor>,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
}

/// A descriptor as written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawDescriptor {
    /// Media type.
    #[serde(deserialize_with = "null_as_default")]
    pub media_type: String,
    /// Digest.
    #[serde(deserialize_with = "null_as_default")]
    pub digest: String,
    /// The declared platform.
    pub platform: Option<Platform>,
    /// What kind of artifact it points to.
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, Value>,
}

/// An image config, as far as it names a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct RawConfig {
    #[serde(flatten)]
    platform: Platform,
    rootfs: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIndex {
    #[serde(default, deserialize_with = "null_as_default")]
    manifests: Vec<RawDescriptor>,
}

impl Document {
    /// Tells a document apart. `declared` is the `Content-Type`, with or without parameters.
    ///
    /// # Errors
    /// When the body is no manifest of any kind.
    pub fn read(body: &[u8], declared: Option<&str>) -> Result<Self, DocumentError> {
        let value: Value =
            serde_json::from_slice(body).map_err(|_| DocumentError::NotJson(looks_like(body)))?;
        let declared = declared
            .and_then(|text| text.split(';').next())
            .map(|text| text.trim().to_ascii_lowercase());
        let declared = declared.as_deref();
        let written = value.get("mediaType").and_then(Value::as_str);
        let broken = |error: serde_json::Error| DocumentError::Broken(error.to_string());
        let known = |candidates: &[&str], usual: &str| -> String {
            let fitting = |text: &Option<&str>| text.is_some_and(|text| candidates.contains(&text));
            let named = Some(written)
                .filter(fitting)
                .or(Some(declared).filter(fitting))
                .flatten();
            named.unwrap_or(usual).to_owned()
        };
        let there = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
        if there("manifests") && (there("layers") || there("config")) {
            // Clients disagree about such a document (CVE-2021-41190), and containerd refuses it.
            return Err(DocumentError::Broken(
                "it is an index and a manifest at once".to_owned(),
            ));
        }
        if value.get("manifests").is_some_and(Value::is_array) {
            let types = [media_type::OCI_INDEX, media_type::DOCKER_LIST];
            let media_type = known(&types, media_type::OCI_INDEX);
            let format = if media_type == media_type::DOCKER_LIST {
                IndexFormat::DockerList
            } else {
                IndexFormat::Oci
            };
            let raw: RawIndex = serde_json::from_value(value).map_err(broken)?;
            let entries = raw
                .manifests
                .into_iter()
                .take(MOST_ENTRIES)
                .map(RawDescriptor::entry);
            let entries = entries.collect::<Result<_, _>>()?;
            let manifests = [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST];
            let served_as = declared.filter(|declared| manifests.contains(declared));
            return Ok(Self {
                media_type,
                served_as: served_as.map(str::to_owned),
                kind: DocumentKind::Index(Index { format, entries }),
            });
        }
        if value.get("fsLayers").is_some() || value.get("schemaVersion") == Some(&Value::from(1)) {
            let types = [
                media_type::DOCKER_SCHEMA1,
                media_type::DOCKER_SCHEMA1_SIGNED,
            ];
            let architecture = value.get("architecture").and_then(Value::as_str);
            return Ok(Self {
                media_type: known(&types, media_type::DOCKER_SCHEMA1),
                served_as: None,
                kind: DocumentKind::Schema1(architecture.map(str::to_owned)),
            });
        }
        if there("config") || (there("artifactType") && there("mediaType")) || there("layers") {
            let types = [media_type::OCI_MANIFEST, media_type::DOCKER_MANIFEST];
            let media_type = known(&types, written.unwrap_or(media_type::OCI_MANIFEST));
            let raw: RawManifest = serde_json::from_value(value).map_err(broken)?;
            return Ok(Self {
                media_type,
                served_as: None,
                kind: DocumentKind::Manifest(Box::new(raw)),
            });
        }
        Err(DocumentError::NotAManifest)
    }
}

impl RawDescriptor {
    fn entry(self) -> Result<IndexEntry, DocumentError> {
        let digest: Digest = self
            .digest
            .parse()
            .map_err(|error| DocumentError::Broken(format!("digest {:?}: {error}", self.digest)))?;
        let annotated = |key: &str| self.annotations.get(key).and_then(Value::as_str);
        Ok(IndexEntry {
            attestation: annotated("vnd.docker.reference.type") == Some("attestation-manifest"),
            zstd: annotated("io.github.containers.compression.zstd") == Some("true"),
            digest,
            media_type: self.media_type,
            platform: self.platform,
            artifact_type: self.artifact_type.filter(|kind| !kind.is_empty()),
            content: Content::NotRead,
        })
    }
}

impl RawManifest {
    /// The digest of the image config to read, or what kind of artifact this is instead: one whose config is of another
    /// type. `artifactType` alone changes nothing for a runtime, which looks at the config.
    pub fn config_digest(&self) -> Result<Digest, ConfigFacts> {
        let Some(config) = &self.config else {
            return Err(self.artifact(""));
        };
        // The last four are what old registries and builders wrote (moby `distribution/pull_v2.go defaultImageTypes`).
        let image = [
            media_type::OCI_CONFIG,
            media_type::DOCKER_CONFIG,
            "",
            "application/octet-stream",
            "application/json",
            "text/html",
        ];
        if !image.contains(&config.media_type.as_str()) {
            return Err(self.artifact(&config.media_type));
        }
        config.digest.parse().map_err(|error| {
            ConfigFacts::Unreadable(format!(
                "the manifest's config has digest {:?}: {error}",
                config.digest
            ))
        })
    }

    fn artifact(&self, config_type: &str) -> ConfigFacts {
        let empty = "application/vnd.oci.empty.v1+json";
        let named = self
            .artifact_type
            .as_deref()
            .filter(|kind| !kind.is_empty());
        let name = match (named, config_type) {
            (Some(name), _) => name,
            (None, "") => "an artifact",
            (None, kind) if kind == empty => "an artifact",
            (None, kind) => kind,
        };
        ConfigFacts::Artifact(match name {
            "application/vnd.cncf.helm.config.v1+json" => "a Helm chart".to_owned(),
            "application/vnd.wasm.config.v0+json" | "application/vnd.wasm.config.v1+json" => {
                "a WebAssembly module".to_owned()
            }
            "an artifact" => "an artifact".to_owned(),
            name => format!("an artifact ({name})"),
        })
    }
}

impl ConfigFacts {
    /// Reads an image config.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<RawConfig>(body) {
            Ok(config) => {
                let named =
                    !config.platform.architecture.is_empty() || !config.platform.os.is_empty();
                if named || config.rootfs.is_some() {
                    Self::Image(config.platform)
                } else {
                    Self::Artifact("an artifact (its config is no image config)".to_owned())
                }
            }
            Err(error) => Self::Unreadable(format!("the config is no image config: {error}")),
        }
    }
}

/// What a body that is not JSON seems to be.
fn looks_like(body: &[u8]) -> String {
    let start: String = String::from_utf8_lossy(body.get(..64).unwrap_or(body))
        .trim()
        .to_lowercase();
    if body.is_empty() {
        "nothing".to_owned()
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        "a web page (a login page or proxy in between?)".to_owned()
    } else if start.starts_with('{') {
        "JSON that breaks off".to_owned()
    } else {
        "something else".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn declared_types_are_read_in_any_case_and_without_parameters() {
        let declared = "Application/VND.Docker.Distribution.Manifest.List.v2+JSON; charset=utf-8";
        let list = Document::read(br#"{"manifests": []}"#, Some(declared)).unwrap();
        assert_eq!(list.media_type, media_type::DOCKER_LIST);
        assert_eq!(list.served_as, None);
    }

    const CHILD: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn read(value: &Value, declared: Option<&str>) -> Result<Document, DocumentError> {
        Document::read(value.to_string().as_bytes(), declared)
    }

    #[test]
    fn the_body_decides_what_a_document_is() {
        let index = json!({"schemaVersion": 2, "manifests": [{"digest": CHILD}]});
        let manifest = json!({"schemaVersion": 2, "config": {"digest": CHILD}, "layers": null});
        let schema1 = json!({"schemaVersion": 1, "architecture": "amd64", "fsLayers": []});
        for (value, declared, media_type) in [
            (&index, None, media_type::OCI_INDEX),
            (&index, Some("application/json"), media_type::OCI_INDEX),
            (
                &index,
                Some(media_type::DOCKER_LIST),
                media_type::DOCKER_LIST,
            ),
            (
                &index,
                Some("application/vnd.oci.image.index.v1+json; charset=utf-8"),
                media_type::OCI_INDEX,
            ),
            (&manifest, None, media_type::OCI_MANIFEST),
            (
                &manifest,
                Some(media_type::DOCKER_MANIFEST),
                media_type::DOCKER_MANIFEST,
            ),
            (&manifest, Some("text/plain"), media_type::OCI_MANIFEST),
            (
                &schema1,
                Some(media_type::DOCKER_SCHEMA1_SIGNED),
                media_type::DOCKER_SCHEMA1_SIGNED,
            ),
        ] {
            assert_eq!(
                read(value, declared).unwrap().media_type,
                media_type,
                "{value} {declared:?}"
            );
        }
        let lying = read(&index, Some(media_type::OCI_MANIFEST)).unwrap();
        assert_eq!(lying.served_as.as_deref(), Some(media_type::OCI_MANIFEST));
    }

    #[test]
    fn what_is_no_manifest_is_said_plainly() {
        for (body, says) in [
            ("<!DOCTYPE html><html>", "a web page"),
            ("", "nothing"),
            ("{\"schemaVersion\": 2, \"man", "breaks off"),
            ("{}", "no manifest"),
            ("[]", "no manifest"),
            (
                r#"{"manifests": [], "config": {}, "layers": []}"#,
                "an index and a manifest at once",
            ),
            (
                "{\"manifests\": [{\"digest\": \"sha256:1\"}]}",
                "digest \"sha256:1\"",
            ),
        ] {
            let error = Document::read(body.as_bytes(), None)
                .unwrap_err()
                .to_string();
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    #[test]
    fn artifacts_are_told_by_their_config() {
        for (config, artifact_type, is) in [
            (
                json!({"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": CHILD}),
                None,
                Some("a Helm chart"),
            ),
            (
                json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": CHILD}),
                Some("application/x"),
                Some("an artifact (application/x)"),
            ),
            (
                json!({"mediaType": media_type::OCI_CONFIG, "digest": CHILD}),
                Some("application/x"),
                None,
            ),
            (
                json!({"mediaType": media_type::DOCKER_CONFIG, "digest": CHILD}),
                None,
                None,
            ),
        ] {
            let document = json!({"config": config, "artifactType": artifact_type, "layers": []});
            let DocumentKind::Manifest(manifest) = read(&document, None).unwrap().kind else {
                panic!("{document}");
            };
            let got = manifest.config_digest().err();
            assert_eq!(
                got,
                is.map(|name| ConfigFacts::Artifact(name.to_owned())),
                "{document}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Document::read(&body, None);
            let _ = ConfigFacts::read(&body);
        }
    }
}
