//! Which entries of its pull secrets the kubelet offers for an image, and in which order (kubernetes
//! `pkg/credentialprovider/keyring.go`, `config.go` and `secrets/secrets.go`). Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::Login;
use crate::glob;
use crate::model::{PullSecret, Secret, null_as_default};

/// Where the kubelet finds Docker Hub's credential when nothing else matches.
const DOCKER_HUB_KEY: &str = "index.docker.io";

/// The entries of one pull secret. An entry without a user is one for nobody: the runtime then pulls anonymously.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entries(Vec<(String, Option<Login>)>);

/// What the kubelet offers for an image.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offer<'a> {
    /// In the order in which they are tried.
    pub(super) logins: Vec<&'a Login>,
    /// They are Docker Hub's, offered because no key matched and the host has no dot: the kubelet's own name for that is
    /// "default registry", and `localhost` is one to it.
    pub(super) by_default: bool,
}

/// Identity and registry tokens are not among the fields that the kubelet reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "null_as_default")]
    username: String,
    #[serde(deserialize_with = "null_as_default")]
    password: String,
    #[serde(deserialize_with = "null_as_default")]
    auth: String,
}

impl Entries {
    /// Reads a pull secret, all of it or nothing, as the kubelet does.
    ///
    /// # Errors
    /// Says what can't be decoded; never with a value.
    pub(super) fn read(secret: &PullSecret) -> Result<Self, String> {
        let place = |error: &serde_json::Error| {
            format!(
                "its JSON can't be decoded (line {}, column {})",
                error.line(),
                error.column()
            )
        };
        let auths: BTreeMap<String, Value> = match secret {
            PullSecret::NotForPulling => return Ok(Self::default()),
            // Without a value it is passed over.
            PullSecret::DockerConfigJson(text) | PullSecret::DockerCfg(text)
                if text.expose().is_empty() =>
            {
                return Ok(Self::default());
            }
            PullSecret::DockerConfigJson(text) => {
                let mut config: BTreeMap<String, Value> =
                    serde_json::from_str(text.expose()).map_err(|error| place(&error))?;
                match config.remove("auths") {
                    None | Some(Value::Null) => BTreeMap::new(),
                    Some(Value::Object(auths)) => auths.into_iter().collect(),
                    Some(_) => return Err("its auths is of another type".to_owned()),
                }
            }
            PullSecret::DockerCfg(text) => {
                serde_json::from_str(text.expose()).map_err(|error| place(&error))?
            }
        };
        let mut entries = Vec::new();
        for (written, value) in auths {
            let key = key(&written);
            let login = login(value).map_err(|why| match &key {
                Some(key) => format!("its entry for {key} {why}"),
                None => format!("one of its entries {why}"),
            })?;
            // A key that is no URL is passed over.
            entries.extend(key.map(|key| (key, login)));
        }
        Ok(Self(entries))
    }
}

/// What the kubelet offers for a repository (host and path, no tag) out of all secrets of a pod, which are one keyring:
/// by key, in reverse order of their letters; for one key by the order of the secrets.
pub(super) fn offer<'a>(
    secrets: impl IntoIterator<Item = &'a Entries>,
    repository: &str,
) -> Offer<'a> {
    let mut by_key: BTreeMap<&str, Vec<&Option<Login>>> = BTreeMap::new();
    for (key, login) in secrets.into_iter().flat_map(|entries| &entries.0) {
        let known = by_key.entry(key).or_default();
        if !known.contains(&login) {
            known.push(login);
        }
    }
    let matching: Vec<&Option<Login>> = by_key
        .iter()
        .rev()
        .filter(|(key, _)| matches(key, repository))
        .flat_map(|(_, logins)| logins.iter().copied())
        .collect();
    let by_default = matching.is_empty() && is_default_registry(repository);
    let offered = match by_key.get(DOCKER_HUB_KEY) {
        Some(logins) if by_default => logins.clone(),
        _ => matching,
    };
    Offer {
        by_default: by_default && !offered.is_empty(),
        logins: offered.into_iter().flatten().collect(),
    }
}

/// `auth` wins over user name and password.
fn login(value: Value) -> Result<Option<Login>, &'static str> {
    // serde would take a list for the fields in their order.
    if !(value.is_object() || value.is_null()) {
        return Err("is of another type");
    }
    let entry: Option<Entry> =
        serde_json::from_value(value).map_err(|_| "has fields of another type")?;
    let entry = entry.unwrap_or_default();
    let (username, password) = if entry.auth.is_empty() {
        (entry.username, entry.password)
    } else {
        // Go's decoder passes over line breaks, which `base64` wraps its output with.
        let text: String = entry
            .auth
            .trim()
            .chars()
            .filter(|c| !matches!(c, '\r' | '\n'))
            .collect();
        let decoded = if text.ends_with('=') {
            STANDARD.decode(text)
        } else {
            STANDARD_NO_PAD.decode(text)
        };
        let decoded = decoded.map_err(|_| "has an auth that is not base64")?;
        let decoded = String::from_utf8(decoded).map_err(|_| "has an auth that is not text")?;
        let (user, password) = decoded
            .split_once(':')
            .ok_or("has an auth without a colon")?;
        (user.to_owned(), password.to_owned())
    };
    Ok((!username.is_empty()).then(|| Login::Password {
        username,
        password: Secret::new(password),
    }))
}

/// The key under which an entry is kept: host and path, without scheme, query, and a leading `/v1` or `/v2`.
fn key(written: &str) -> Option<String> {
    let rest = written
        .strip_prefix("https://")
        .or_else(|| written.strip_prefix("http://"))
        .unwrap_or(written);
    let rest = rest.split('#').next()?.split('?').next()?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    // What Go's url.Parse allows in a host, but for percent signs.
    let allowed = |c: char| {
        c.is_ascii_alphanumeric() || !c.is_ascii() || "-_.~!$&'()*+,;=:[]<>\"".contains(c)
    };
    let port = split_port(host).1;
    if !host.chars().all(allowed) || !port.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let path = match path.get(..4) {
        Some("/v1/" | "/v2/") => path.get(3..)?,
        _ => path,
    };
    Some(if path == "/" {
        host.to_owned()
    } else {
        format!("{host}{path}")
    })
}

/// Ports are equal, hosts have as many labels and each fits its glob, and the path begins with the key's: `pong` is
/// enough for `pongz`.
fn matches(key: &str, repository: &str) -> bool {
    let split = |text: &str| -> (String, String) {
        let (host, path) = text.find('/').map_or((text, ""), |at| text.split_at(at));
        (host.to_owned(), path.to_owned())
    };
    let ((key_host, key_path), (host, path)) = (split(key), split(repository));
    let ((key_name, key_port), (name, port)) = (split_port(&key_host), split_port(&host));
    let (key_labels, labels): (Vec<&str>, Vec<&str>) =
        (key_name.split('.').collect(), name.split('.').collect());
    // A bracket begins a class of characters to Go's filepath.Match; no host has one that a class could stand for.
    let fits = |(glob, label): (&&str, &&str)| !glob.contains('[') && glob::matches(glob, label);
    key_port == port
        && key_labels.len() == labels.len()
        && path.starts_with(&key_path)
        && key_labels.iter().zip(&labels).all(fits)
}

/// Host and port, as Go's `net.SplitHostPort`: brackets are taken off only where a port follows.
fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => {
            let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
            match bare {
                Some(bare) => (bare, port),
                None if name.contains(':') => (host, ""),
                None => (name, port),
            }
        }
        _ => (host, ""),
    }
}

fn is_default_registry(repository: &str) -> bool {
    match repository.split_once('/') {
        None => !repository.is_empty(),
        Some((first, _)) => {
            matches!(first, "docker.io" | "index.docker.io")
                || (!first.is_empty() && !first.contains(['.', ':']))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CASES: &str = include_str!("../../../tests/conformance/data/keyring.json");

    fn secret(kind: &str, json: &Value) -> PullSecret {
        let text = Secret::new(json.to_string());
        match kind {
            "kubernetes.io/dockerconfigjson" => PullSecret::DockerConfigJson(text),
            "kubernetes.io/dockercfg" => PullSecret::DockerCfg(text),
            _ => PullSecret::NotForPulling,
        }
    }

    fn names<'a>(offer: &Offer<'a>) -> Vec<(&'a str, &'a str)> {
        let pair = |login: &&'a Login| match login {
            Login::Password { username, password } => (username.as_str(), password.expose()),
            Login::Identity(_) => panic!("the kubelet knows no identity tokens"),
        };
        offer.logins.iter().map(pair).collect()
    }

    #[test]
    fn keys_are_offered_as_the_kubelet_offers_them() {
        let cases: Value = serde_json::from_str(CASES).unwrap();
        let rows = cases["vectors"].as_array().unwrap();
        for row in rows {
            let keys = row["auths"].as_array().unwrap();
            let auths: serde_json::Map<String, Value> = keys
                .iter()
                .map(|key| key.as_str().unwrap().to_owned())
                .map(|key| (key.clone(), json!({"username": key, "password": "p"})))
                .collect();
            let entries = Entries::read(&secret(
                "kubernetes.io/dockerconfigjson",
                &json!({ "auths": auths }),
            ));
            let entries = [entries.unwrap()];
            let offer = offer(&entries, row["lookup"].as_str().unwrap());
            let offered: Vec<Value> = names(&offer).iter().map(|(key, _)| json!(key)).collect();
            assert_eq!(json!(offered), row["expect"], "{row}");
        }
        assert_eq!(rows.len(), 70);
    }

    #[test]
    fn secrets_of_both_types_are_one_keyring() {
        let cases: Value = serde_json::from_str(CASES).unwrap();
        let rows = cases["secret_vectors"].as_array().unwrap();
        for row in rows {
            let secrets = row["secrets_in_pod_order"].as_array().unwrap();
            let entries: Vec<Entries> = secrets
                .iter()
                .map(|s| Entries::read(&secret(s["type"].as_str().unwrap(), &s["json"])).unwrap())
                .collect();
            let offer = offer(&entries, row["lookup"].as_str().unwrap());
            let mut offered = json!(names(&offer));
            // What the node's own files add is not ours to know.
            let node = row["node_keyring_result"].as_array().unwrap();
            offered.as_array_mut().unwrap().extend(node.iter().cloned());
            assert_eq!(offered, row["expect_credentials_in_order"], "{row}");
        }
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn entries_are_decoded_as_the_kubelet_decodes_them() {
        let cases: Value = serde_json::from_str(include_str!(
            "../../../tests/conformance/data/docker_config.json"
        ))
        .unwrap();
        let mut ran = 0;
        for case in cases["vectors"].as_array().unwrap() {
            if case["parser"] != "one auths entry, kubelet" {
                continue;
            }
            ran += 1;
            let got = match login(case["config"].clone()) {
                Err(_) => json!("error"),
                Ok(None) => json!("anonymous"),
                Ok(Some(Login::Password { username, password })) => {
                    json!({"username": username, "password": password.expose()})
                }
                Ok(Some(Login::Identity(_))) => json!("identity token"),
            };
            let expect = &case["expect"];
            let expected = match expect["username"].as_str() {
                _ if expect.get("error").is_some() => json!("error"),
                // The runtime leaves out a credential without a user.
                Some("") => json!("anonymous"),
                _ => expect.clone(),
            };
            assert_eq!(got, expected, "{case}");
        }
        assert_eq!(ran, 3);
    }

    #[test]
    fn one_bad_entry_fails_the_whole_secret_and_is_never_quoted() {
        let wrap = |entry: Value| json!({"auths": {"a.io": {"auth": "dTpw"}, "https://u:pw@b.io/x": entry}});
        for (entry, says) in [
            (
                json!({"auth": "hunter2!"}),
                "its entry for b.io/x has an auth that is not base64",
            ),
            (json!({"auth": "aHVudGVyMg=="}), "without a colon"),
            (json!({"auth": "dTpw="}), "not base64"),
            (json!({"password": {"hunter2": 1}}), "another type"),
            (json!(["hunter2"]), "another type"),
        ] {
            let read = Entries::read(&secret("kubernetes.io/dockerconfigjson", &wrap(entry)));
            let why = read.unwrap_err();
            assert!(why.contains(says), "{why}");
            assert!(!why.contains("hunter2") && !why.contains("pw"), "{why}");
        }
        for (text, says) in [
            ("hunter2", "can't be decoded (line 1, column 1)"),
            ("{\"auths\": \"hunter2\"}", "its auths is of another type"),
            ("[\"hunter2\"]", "can't be decoded"),
        ] {
            let broken = PullSecret::DockerConfigJson(Secret::new(text));
            let why = Entries::read(&broken).unwrap_err();
            assert!(why.contains(says) && !why.contains("hunter2"), "{why}");
        }
        // What is absent is no error.
        for fine in [
            json!({}),
            json!({"auths": null}),
            wrap(json!(null)),
            wrap(json!({})),
        ] {
            assert!(
                Entries::read(&secret("kubernetes.io/dockerconfigjson", &fine)).is_ok(),
                "{fine}"
            );
        }
        assert_eq!(
            Entries::read(&PullSecret::DockerCfg(Secret::new(""))),
            Ok(Entries::default())
        );
    }

    #[test]
    fn what_is_docker_hubs_by_default_is_marked() {
        let hub =
            json!({"auths": {"https://index.docker.io/v1/": {"username": "u", "password": "p"}}});
        let entries = [Entries::read(&secret("kubernetes.io/dockerconfigjson", &hub)).unwrap()];
        for (repository, by_default, offered) in [
            ("docker.io/library/nginx", true, 1),
            ("index.docker.io/library/nginx", false, 1),
            ("localhost/app", true, 1),
            ("quay.io/a/b", false, 0),
        ] {
            let offer = offer(&entries, repository);
            assert_eq!(
                (offer.by_default, offer.logins.len()),
                (by_default, offered),
                "{repository}"
            );
        }
    }
}
