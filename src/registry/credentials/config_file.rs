//! Config files that hold credentials, or say which helper does: docker's `config.json` (docker/cli
//! `cli/config/configfile/file.go`, `cli/config/credentials/file_store.go`) and containers' `auth.json` (containers/image
//! `pkg/docker/config/config.go`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{CredentialFile, Login, Secret, Style};
use crate::image::CredentialKind;
use crate::model::null_as_default;

/// A config larger than this is none.
const LARGEST_CONFIG: u64 = 1024 * 1024;
/// The key under which `docker login` keeps Docker Hub's credential.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A config file, read.
#[derive(Debug, Clone)]
pub(super) struct ConfigFile {
    style: Style,
    kind: CredentialKind,
    logins: BTreeMap<String, Login>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

/// Where a credential is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// In the file.
    Here(&'a Login),
    /// With a helper.
    Helper { program: &'a str, server: String },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawConfig {
    #[serde(deserialize_with = "null_as_default")]
    auths: BTreeMap<String, serde_json::Value>,
    #[serde(deserialize_with = "null_as_default")]
    cred_helpers: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "null_as_default")]
    auth: String,
    #[serde(deserialize_with = "null_as_default")]
    username: String,
    #[serde(deserialize_with = "null_as_default")]
    password: String,
    #[serde(deserialize_with = "null_as_default")]
    identitytoken: String,
}

impl ConfigFile {
    /// Reads a file. One that isn't there is no file; what can't be read is a warning, for one broken entry must not hide
    /// the others.
    pub(super) fn read(wanted: &CredentialFile) -> (Option<Self>, Vec<String>) {
        let shown = wanted.path.display().to_string();
        let text = match std::fs::metadata(&wanted.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return (None, Vec::new());
            }
            Ok(meta) if meta.len() > LARGEST_CONFIG => {
                return (
                    None,
                    vec![format!("{shown} is too large for a file of credentials")],
                );
            }
            _ => std::fs::read(&wanted.path),
        };
        match text {
            Ok(text) => Self::parse(&text, &shown, wanted.style, wanted.kind),
            Err(error) => (None, vec![format!("{shown} could not be read: {error}")]),
        }
    }

    /// Reads `DOCKER_AUTH_CONFIG`, which may hold nothing but `auths.<host>.auth`; docker leaves out any other.
    pub(super) fn from_environment(text: &str) -> (Option<Self>, Vec<String>) {
        let only_auth = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| {
            let auths = value.get("auths").and_then(serde_json::Value::as_object);
            let alone = value.as_object().is_some_and(|fields| fields.len() == 1);
            alone
                && auths.is_some_and(|auths| {
                    let only = |entry: &serde_json::Value| {
                        entry
                            .as_object()
                            .is_some_and(|e| e.keys().all(|key| key == "auth"))
                    };
                    auths.values().all(only)
                })
        });
        if !only_auth {
            let why = "DOCKER_AUTH_CONFIG is not used: it must be {\"auths\":{HOST:{\"auth\":…}}}";
            return (None, vec![why.to_owned()]);
        }
        Self::parse(
            text.as_bytes(),
            "DOCKER_AUTH_CONFIG",
            Style::Docker,
            CredentialKind::DockerConfig,
        )
    }

    fn parse(
        text: &[u8],
        shown: &str,
        style: Style,
        kind: CredentialKind,
    ) -> (Option<Self>, Vec<String>) {
        let raw: RawConfig = match serde_json::from_slice(text) {
            Ok(raw) => raw,
            Err(error) => {
                // serde's text could quote a value; the place is enough.
                let (line, column) = (error.line(), error.column());
                let why = format!(
                    "{shown} could not be read (line {line}, column {column}); its credentials are not used"
                );
                return (None, vec![why]);
            }
        };
        let mut warnings = Vec::new();
        let mut logins = BTreeMap::new();
        for (key, entry) in raw.auths {
            match login(entry) {
                Ok(Some(login)) => {
                    logins.insert(key, login);
                }
                Ok(None) => {}
                Err(why) => {
                    warnings.push(format!("{shown}: the entry for {key} is not used: {why}"));
                }
            }
        }
        let store = Some(raw.creds_store).filter(|store| !store.is_empty());
        (
            Some(Self {
                style,
                kind,
                logins,
                helpers: raw.cred_helpers,
                store,
            }),
            warnings,
        )
    }

    pub(super) fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Where the credential for a repository of a registry is, the registry named as in references.
    pub(super) fn find(&self, registry: &str, repository: &str) -> Option<Place<'_>> {
        match self.style {
            Style::Docker => self.find_as_docker(registry),
            Style::Containers => self.find_as_containers(registry, repository),
        }
    }

    /// A helper for this very key, else the store, else the file: by exact key, else by host. Docker Hub has one key.
    fn find_as_docker(&self, registry: &str) -> Option<Place<'_>> {
        let hub = is_docker_hub(registry);
        let key = if hub { DOCKER_HUB_KEY } else { registry };
        if let Some(program) = self.helpers.get(key).or(self.store.as_ref()) {
            return Some(Place::Helper {
                program,
                server: key.to_owned(),
            });
        }
        self.docker_key(registry)
            .and_then(|key| self.logins.get(key))
            .map(Place::Here)
    }

    fn docker_key(&self, registry: &str) -> Option<&str> {
        let exact = if is_docker_hub(registry) {
            DOCKER_HUB_KEY
        } else {
            registry
        };
        let mut keys = self.logins.keys().map(String::as_str);
        if self.logins.contains_key(exact) {
            return keys.find(|key| *key == exact);
        }
        keys.find(|key| !is_docker_hub(registry) && host_of(key) == registry)
    }

    /// A helper for the host, else the longest key that is the repository or a path above it, else one whose host is the
    /// registry's.
    fn find_as_containers(&self, registry: &str, repository: &str) -> Option<Place<'_>> {
        if let Some(program) = self.helpers.get(registry) {
            return Some(Place::Helper {
                program,
                server: registry.to_owned(),
            });
        }
        let key = self.containers_key(registry, repository)?;
        self.logins.get(key).map(Place::Here)
    }

    fn containers_key(&self, registry: &str, repository: &str) -> Option<&str> {
        let full = format!("{registry}/{repository}");
        let above =
            std::iter::successors(Some(full.as_str()), |path| Some(path.rsplit_once('/')?.0));
        for path in above {
            if let Some((key, _)) = self.logins.get_key_value(path) {
                return Some(key);
            }
        }
        let wanted = normal_registry(registry);
        self.logins.keys().map(String::as_str).find(|key| {
            let host = match key.contains("://") {
                true => Some(host_of(key)),
                false => (!key.contains('/')).then_some(*key),
            };
            host.is_some_and(|host| normal_registry(host) == wanted)
        })
    }
}

fn is_docker_hub(registry: &str) -> bool {
    normal_registry(registry) == "index.docker.io"
}

/// Docker Hub's names are one.
fn normal_registry(registry: &str) -> &str {
    match registry {
        "docker.io" | "registry-1.docker.io" => "index.docker.io",
        other => other,
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

/// An identity token, else `auth`, else `username` and `password`. An entry without any is left by a helper.
pub(in crate::registry) fn login(entry: serde_json::Value) -> Result<Option<Login>, &'static str> {
    let entry: Entry = serde_json::from_value(entry).map_err(|_| "it has another form")?;
    if !entry.identitytoken.is_empty() {
        return Ok(Some(Login::Identity(Secret::new(entry.identitytoken))));
    }
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
    Ok(Some(Login::Password {
        username,
        password: Secret::new(password),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(config: &Value, style: Style) -> (ConfigFile, Vec<String>) {
        let (file, warnings) = ConfigFile::parse(
            config.to_string().as_bytes(),
            "config.json",
            style,
            CredentialKind::DockerConfig,
        );
        (file.unwrap(), warnings)
    }

    fn password(place: Option<Place<'_>>) -> Value {
        match place {
            None => json!({"anonymous": true}),
            Some(Place::Here(Login::Password { username, password })) => {
                json!({"username": username, "password": password.expose()})
            }
            Some(Place::Here(Login::Identity(token))) => json!({"identity_token": token.expose()}),
            Some(Place::Helper { program, server }) => {
                json!({"helper": program, "helper_stdin": server})
            }
        }
    }

    fn cases() -> Value {
        serde_json::from_str(include_str!(
            "../../../tests/conformance/data/docker_config.json"
        ))
        .unwrap()
    }

    #[test]
    fn keys_are_chosen_as_docker_and_podman_choose_them() {
        let cases = cases();
        let rows = cases["matrix"]["rows"].as_array().unwrap();
        for row in rows {
            let keys = row["auths_keys"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str);
            let auths: serde_json::Map<String, Value> = keys
                .map(|key| (key.to_owned(), json!({"username": "u", "password": "p"})))
                .collect();
            let config = json!({ "auths": auths });
            let image = crate::image::ImageRef::parse(row["image"].as_str().unwrap()).unwrap();
            let registry = image.registry.as_deref().unwrap();
            let (docker, _) = parse(&config, Style::Docker);
            assert_eq!(
                docker.docker_key(registry),
                row["expect_key"]["docker_cli"].as_str(),
                "docker: {row}"
            );
            let (podman, _) = parse(&config, Style::Containers);
            let key = podman.containers_key(registry, &image.repository);
            assert_eq!(
                key,
                row["expect_key"]["containers_image"].as_str(),
                "containers: {row}"
            );
        }
        assert_eq!(rows.len(), 43);
    }

    #[test]
    fn files_are_read_as_their_programs_read_them() {
        let mut ran = 0;
        for case in cases()["vectors"].as_array().unwrap() {
            // Other readers, and what is no file, are left out by the field that says so.
            let style = match case["parser"].as_str().unwrap() {
                "docker/cli GetAuthConfig" => Style::Docker,
                parser if parser.starts_with("containers/image GetCredentials") => {
                    Style::Containers
                }
                _ => continue,
            };
            ran += 1;
            let (file, _) = parse(&case["config"], style);
            let lookup = case["lookup"].as_str().unwrap();
            let (registry, repository) = lookup.split_once('/').unwrap_or((lookup, ""));
            assert_eq!(
                password(file.find(registry, repository)),
                case["expect"],
                "{case}"
            );
        }
        assert_eq!(ran, 18);
    }

    #[test]
    fn entries_are_read_leniently_and_broken_ones_are_told() {
        let (file, warnings) = parse(
            &json!({"auths": {
                "padded.io": {"auth": "dXNlcjpwYXNz"},
                "bare.io": {"auth": "dTpwOng"},
                "nul.io": {"auth": "dXNlcjpwYXNzAAA="},
                "plain.io": {"username": "a", "password": "b"},
                "token.io": {"auth": "MDA6", "identitytoken": "refresh"},
                "helper.io": {},
                "bad.io": {"auth": "%%%"},
            }}),
            Style::Docker,
        );
        for (registry, expected) in [
            ("padded.io", json!({"username": "user", "password": "pass"})),
            ("bare.io", json!({"username": "u", "password": "p:x"})),
            ("nul.io", json!({"username": "user", "password": "pass"})),
            ("plain.io", json!({"username": "a", "password": "b"})),
            ("token.io", json!({"identity_token": "refresh"})),
            ("helper.io", json!({"anonymous": true})),
            ("bad.io", json!({"anonymous": true})),
        ] {
            assert_eq!(password(file.find(registry, "")), expected, "{registry}");
        }
        assert_eq!(
            warnings,
            ["config.json: the entry for bad.io is not used: its auth is not base64"]
        );
        assert!(!format!("{file:?}").contains("p:x"));
    }

    #[test]
    fn broken_files_are_warnings_without_their_content() {
        let broken = br#"{"auths": {"quay.io": {"auth": "secret"#;
        let (file, warnings) =
            ConfigFile::parse(broken, "c", Style::Docker, CredentialKind::DockerConfig);
        assert!(
            file.is_none()
                && warnings[0].contains("could not be read")
                && !warnings[0].contains("secret")
        );
        let (file, warnings) = ConfigFile::from_environment(
            r#"{"auths": {"a.io": {"username": "u", "password": "p"}}}"#,
        );
        assert!(file.is_none() && warnings[0].contains("DOCKER_AUTH_CONFIG is not used"));
        let (file, warnings) =
            ConfigFile::from_environment(r#"{"auths": {"a.io": {"auth": "dXNlcjpwYXNz"}}}"#);
        assert!(file.is_some() && warnings.is_empty());
    }
}
