//! Secrets and service accounts, as far as pulling images goes. Errors never quote what is in them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::objects::{Object, Role};
use crate::model::{PullSecret, Secret};

/// What a `core/v1 Secret` holds for pulling, out of the one key that its type needs. Nothing else is looked at.
///
/// # Errors
/// Names the key whose value is not base64.
pub(super) fn pull_secret(secret: &Value) -> Result<PullSecret, &'static str> {
    let (key, wrap): (_, fn(Secret) -> PullSecret) = match secret["type"].as_str() {
        Some("kubernetes.io/dockerconfigjson") => {
            (".dockerconfigjson", PullSecret::DockerConfigJson)
        }
        Some("kubernetes.io/dockercfg") => (".dockercfg", PullSecret::DockerCfg),
        _ => return Ok(PullSecret::NotForPulling),
    };
    // In manifests only; the API server moves it into `data`.
    if let Some(text) = secret["stringData"][key].as_str() {
        return Ok(wrap(Secret::new(text)));
    }
    let Some(text) = secret["data"][key].as_str() else {
        return Ok(PullSecret::NotForPulling);
    };
    // Manifests wrap it, and Go's decoder passes over line breaks.
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(text).map_err(|_| key)?;
    Ok(wrap(Secret::new(String::from_utf8_lossy(&bytes))))
}

/// The names of the secrets that a `core/v1 ServiceAccount` gives to pods.
pub(super) fn account_secrets(account: &Value) -> Vec<String> {
    let secrets = account["imagePullSecrets"].as_array().into_iter().flatten();
    secrets
        .filter_map(|secret| secret["name"].as_str())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The secrets and service accounts of manifests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PullObjects {
    secrets: HashMap<(String, String), PullSecret>,
    accounts: HashMap<(String, String), Vec<String>>,
}

impl PullObjects {
    /// Those among these objects. Of two with one name the later counts, as when they are applied in turn.
    #[must_use]
    pub fn of(objects: &[Object]) -> Self {
        let mut found = Self::default();
        for object in objects {
            let name = (object.id.namespace.clone(), object.id.name.clone());
            match &object.role {
                Role::PullSecret(secret) => {
                    found.secrets.insert(name, secret.as_ref().clone());
                }
                Role::ServiceAccount(names) => {
                    found.accounts.insert(name, names.clone());
                }
                Role::Node(_)
                | Role::Namespace
                | Role::Mirrors(_)
                | Role::Pod(_)
                | Role::Controller(_) => {}
            }
        }
        found
    }

    /// A secret.
    #[must_use]
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&PullSecret> {
        self.secrets.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The names of the secrets that a service account gives to pods.
    #[must_use]
    pub fn service_account(&self, namespace: &str, name: &str) -> Option<&[String]> {
        self.accounts
            .get(&(namespace.to_owned(), name.to_owned()))
            .map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::Reader;

    fn read(value: &Value) -> Result<PullSecret, String> {
        match Reader::default().read(value) {
            Ok(Some(Object {
                role: Role::PullSecret(secret),
                ..
            })) => Ok(*secret),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_type_says_which_key_is_read() {
        let json = |text: &str| PullSecret::DockerConfigJson(Secret::new(text));
        let cfg = |text: &str| PullSecret::DockerCfg(Secret::new(text));
        let not = PullSecret::NotForPulling;
        for (kind, rest, expected) in [
            (
                "kubernetes.io/dockerconfigjson",
                json!({"data": {".dockerconfigjson": "e30="}}),
                json("{}"),
            ),
            (
                "kubernetes.io/dockerconfigjson",
                json!({"data": {".dockerconfigjson": "e3\n 0="}}),
                json("{}"),
            ),
            (
                "kubernetes.io/dockerconfigjson",
                json!({"stringData": {".dockerconfigjson": "{}"}}),
                json("{}"),
            ),
            (
                "kubernetes.io/dockerconfigjson",
                json!({"data": {".dockerconfigjson": "eA=="}, "stringData": {".dockerconfigjson": "y"}}),
                json("y"),
            ),
            (
                "kubernetes.io/dockerconfigjson",
                json!({"data": {".dockercfg": "e30="}}),
                not.clone(),
            ),
            (
                "kubernetes.io/dockercfg",
                json!({"data": {".dockercfg": "e30="}}),
                cfg("{}"),
            ),
            (
                "kubernetes.io/dockercfg",
                json!({"data": null}),
                not.clone(),
            ),
            (
                "Opaque",
                json!({"data": {".dockerconfigjson": "e30="}}),
                not.clone(),
            ),
            ("", json!({}), not),
        ] {
            let mut value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": kind});
            value
                .as_object_mut()
                .unwrap()
                .extend(rest.as_object().unwrap().clone());
            assert_eq!(read(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn what_is_in_a_secret_is_never_quoted() {
        let broken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "hunter2!"}});
        let error = read(&broken).unwrap_err();
        assert_eq!(error, "data[\".dockerconfigjson\"]: it is not base64");
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "hunter2"}});
        let object = Reader::default().read(&object).unwrap().unwrap();
        assert!(!format!("{object:?}").contains("hunter2"));
    }
}
