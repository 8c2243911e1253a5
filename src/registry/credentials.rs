//! The user's credentials: `auths` of a docker config (docker/cli `cli/config/credentials/file_store.go`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::image::CredentialKind;

/// A docker config larger than this is none.
const LARGEST_CONFIG: u64 = 1024 * 1024;
/// The key under which `docker login` keeps Docker Hub's credential.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one header that it belongs in.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user name and password for one registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Credential {
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) kind: CredentialKind,
}

/// Which credential belongs to which registry.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    by_key: BTreeMap<String, Credential>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct DockerConfig {
    #[serde(deserialize_with = "crate::model::null_as_default")]
    auths: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "crate::model::null_as_default")]
    auth: String,
    #[serde(deserialize_with = "crate::model::null_as_default")]
    username: String,
    #[serde(deserialize_with = "crate::model::null_as_default")]
    password: String,
}

impl Credentials {
    /// Reads a docker config. A file that isn't there holds no credentials; what can't be read is a warning, for one
    /// broken entry must not hide the others.
    #[must_use]
    pub fn from_docker_config(path: &Path) -> (Self, Vec<String>) {
        let mut credentials = Self::default();
        let shown = path.display();
        let text = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return (credentials, Vec::new());
            }
            Ok(meta) if meta.len() > LARGEST_CONFIG => {
                return (
                    credentials,
                    vec![format!("{shown} is too large for a docker config")],
                );
            }
            _ => std::fs::read(path),
        };
        let config = text.map_err(|error| error.to_string()).and_then(|text| {
            serde_json::from_slice::<DockerConfig>(&text).map_err(|error| {
                // serde's text could quote a value; the place is enough.
                format!(
                    "no docker config (line {}, column {})",
                    error.line(),
                    error.column()
                )
            })
        });
        let config = match config {
            Ok(config) => config,
            Err(error) => {
                return (
                    credentials,
                    vec![format!(
                        "{shown} could not be read: {error}; its credentials are not used"
                    )],
                );
            }
        };
        let mut warnings = Vec::new();
        for (key, entry) in config.auths {
            match credential(entry) {
                Ok(Some(credential)) => {
                    credentials.by_key.insert(key, credential);
                }
                Ok(None) => {}
                Err(why) => {
                    warnings.push(format!("{shown}: the entry for {key} is not used: {why}"));
                }
            }
        }
        (credentials, warnings)
    }

    /// The credential for a registry, named as in references (`docker.io`, `quay.io`, `localhost:5000`): the exact key
    /// first, then one whose host is the registry's. Docker Hub has one key, and that exactly.
    pub(super) fn for_registry(&self, registry: &str) -> Option<&Credential> {
        self.find(registry).map(|(_, credential)| credential)
    }

    fn find(&self, registry: &str) -> Option<(&String, &Credential)> {
        if matches!(
            registry,
            "docker.io" | "index.docker.io" | "registry-1.docker.io"
        ) {
            return self.by_key.get_key_value(DOCKER_HUB_KEY);
        }
        let of_host = || self.by_key.iter().find(|(key, _)| host_of(key) == registry);
        self.by_key.get_key_value(registry).or_else(of_host)
    }
}

/// The host of a key: without scheme and path (docker/cli `ConvertToHostname`).
fn host_of(key: &str) -> &str {
    let rest = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    rest.split('/').next().unwrap_or(rest)
}

/// `auth`, else `username` and `password`. An entry without either is left by a credential helper.
fn credential(entry: serde_json::Value) -> Result<Option<Credential>, &'static str> {
    let entry: Entry = serde_json::from_value(entry).map_err(|_| "it has another form")?;
    let (username, password) = if entry.auth.is_empty() {
        (entry.username, entry.password)
    } else {
        // Written with and without padding.
        let lenient = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let bytes = lenient
            .decode(entry.auth.trim())
            .map_err(|_| "its auth is not base64")?;
        let text = String::from_utf8(bytes).map_err(|_| "its auth is not text")?;
        let (user, password) = text.split_once(':').ok_or("its auth has no colon")?;
        (user.to_owned(), password.trim_end_matches('\0').to_owned())
    };
    if username.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credential {
        username,
        password: Secret::new(password),
        kind: CredentialKind::DockerConfig,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> (Credentials, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        Credentials::from_docker_config(&path)
    }

    #[test]
    fn keys_are_matched_as_docker_does() {
        // "dXNlcjpwYXNz" is user:pass, "dTpwOng" is u:p:x without padding.
        let (credentials, warnings) = config(
            r#"{"auths": {
                "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNz"},
                "quay.io": {"auth": "dTpwOng"},
                "https://registry.example.com/v2/": {"username": "a", "password": "b"},
                "localhost:5000": {"auth": "dXNlcjpwYXNz"},
                "helper.example.com": {},
                "bad.example.com": {"auth": "%%%"}
            }}"#,
        );
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("bad.example.com") && !warnings[0].contains("%%%"));
        for (registry, user) in [
            ("docker.io", Some("user")),
            ("quay.io", Some("u")),
            ("registry.example.com", Some("a")),
            ("localhost:5000", Some("user")),
            ("localhost:5001", None),
            ("helper.example.com", None),
            ("bad.example.com", None),
            ("example.com", None),
        ] {
            let got = credentials
                .for_registry(registry)
                .map(|c| c.username.as_str());
            assert_eq!(got, user, "{registry}");
        }
        assert_eq!(
            credentials
                .for_registry("quay.io")
                .unwrap()
                .password
                .expose(),
            "p:x"
        );
        assert!(!format!("{credentials:?}").contains("p:x"));
    }

    #[test]
    fn keys_are_chosen_as_docker_chooses_them() {
        let text = include_str!("../../tests/conformance/data/docker_config.json");
        let cases: serde_json::Value = serde_json::from_str(text).unwrap();
        let rows = cases["matrix"]["rows"].as_array().unwrap();
        for row in rows {
            let keys = row["auths_keys"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|k| k.as_str());
            let auths: BTreeMap<&str, _> = keys
                .map(|key| (key, serde_json::json!({"username": "u", "password": "p"})))
                .collect();
            let (credentials, _) = config(&serde_json::json!({ "auths": auths }).to_string());
            let image = crate::image::ImageRef::parse(row["image"].as_str().unwrap()).unwrap();
            let got = credentials
                .find(image.registry.as_deref().unwrap())
                .map(|(key, _)| key.as_str());
            assert_eq!(got, row["expect_key"]["docker_cli"].as_str(), "{row}");
        }
        assert_eq!(rows.len(), 43);
    }

    #[test]
    fn a_broken_file_is_a_warning() {
        let (credentials, warnings) = config(r#"{"auths": {"quay.io": {"auth": "secret"#);
        assert!(credentials.for_registry("quay.io").is_none());
        assert!(warnings[0].contains("could not be read") && !warnings[0].contains("secret"));
        let (_, none) = Credentials::from_docker_config(Path::new("/nonexistent/config.json"));
        assert!(none.is_empty());
    }
}
