//! `registries.yaml` of k3s and RKE2 (k3s docs "Private Registry Configuration"), which k3s turns into containerd's
//! `hosts.toml` (k3s `pkg/agent/containerd/config.go` `getHostConfigs`): so does this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::containerd::{DEFAULT, Host, Hosts, Last, Namespace, read_url, schemes};
use super::{Connection, MirrorConfigError, Schemes, registry_name};
use crate::model::null_as_default;
use crate::registry::credentials::{Login, login};
use crate::registry::host::is_loopback;

/// The entry for all registries that have none of their own.
const ANY: &str = "*";

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFile {
    #[serde(deserialize_with = "null_as_default")]
    mirrors: BTreeMap<String, Option<RawMirror>>,
    #[serde(deserialize_with = "null_as_default")]
    configs: BTreeMap<String, Option<RawConfig>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawMirror {
    #[serde(deserialize_with = "null_as_default")]
    endpoint: Vec<Spanned<String>>,
    #[serde(deserialize_with = "null_as_default")]
    rewrite: BTreeMap<String, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawConfig {
    auth: Option<RawAuth>,
    tls: Option<RawTls>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAuth {
    #[serde(deserialize_with = "null_as_default")]
    username: String,
    #[serde(deserialize_with = "null_as_default")]
    password: String,
    #[serde(deserialize_with = "null_as_default")]
    auth: String,
    #[serde(deserialize_with = "null_as_default")]
    identity_token: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawTls {
    #[serde(deserialize_with = "null_as_default")]
    ca_file: String,
    #[serde(deserialize_with = "null_as_default")]
    cert_file: String,
    #[serde(deserialize_with = "null_as_default")]
    key_file: String,
    #[serde(deserialize_with = "null_as_default")]
    insecure_skip_verify: bool,
}

/// Reads the file. `dir` is where relative paths in it begin.
pub(super) fn read(path: &str, text: &str, dir: &Path) -> Result<Hosts, MirrorConfigError> {
    let error = |line: Option<usize>, detail: String| MirrorConfigError {
        path: path.to_owned(),
        line,
        detail,
    };
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    // The parser's words could quote a password; the line is enough.
    let raw: Option<RawFile> =
        serde_saphyr::from_str_with_options(text, options).map_err(|failure| {
            let line = failure.location().and_then(|at| line(&at));
            let detail = "this is no registries.yaml (mirrors: {REGISTRY: {endpoint: [URL]}})";
            error(line, detail.to_owned())
        })?;
    let RawFile { mirrors, configs } = raw.unwrap_or_default();
    let configs: BTreeMap<String, RawConfig> = configs
        .into_iter()
        .map(|(host, config)| (host, config.unwrap_or_default()))
        .collect();
    let mut namespaces = BTreeMap::new();
    for (registry, config) in &configs {
        // An entry without content writes no directory: the asterisk's answers then.
        if config.auth.is_some() || config.tls.is_some() {
            let last = Last::Registry(config.connection(dir, Schemes::Usual), config.login());
            let hosts = Vec::new();
            namespaces.insert(directory(registry), Namespace { hosts, last });
        }
    }
    for (registry, mirror) in mirrors {
        let mirror = mirror.unwrap_or_default();
        let rewrites = mirror
            .rewrite
            .iter()
            .map(|(pattern, to)| {
                let pattern = Regex::new(pattern).map_err(|failure| {
                    let words = failure.to_string();
                    let last = words.lines().last().unwrap_or_default();
                    let why = last.strip_prefix("error: ").unwrap_or(last);
                    error(line(&to.defined), format!("rewrite {pattern:?}: {why}"))
                })?;
                Ok((pattern, to.value.clone()))
            })
            .collect::<Result<Vec<_>, MirrorConfigError>>()?;
        let mut hosts: Vec<Host> = Vec::new();
        for endpoint in &mirror.endpoint {
            let host = host(&endpoint.value, &configs, dir, &rewrites).map_err(|detail| {
                let detail = format!("endpoint {}: {detail}", endpoint.value);
                error(line(&endpoint.defined), detail)
            })?;
            // What is the registry's own endpoint comes last in any case, under its own name.
            let own = host.host == own_host(&registry)
                && host.root == "/v2"
                && host.connection.schemes == Schemes::Https;
            if !own {
                hosts.push(host);
            }
        }
        let known = namespaces.contains_key(&directory(&registry));
        if !hosts.is_empty() || known {
            namespaces.entry(directory(&registry)).or_default().hosts = hosts;
        }
    }
    Ok(Hosts {
        namespaces,
        path: path.to_owned(),
    })
}

impl RawConfig {
    fn connection(&self, dir: &Path, schemes: Schemes) -> Connection {
        let mut connection = Connection {
            schemes,
            ..Connection::default()
        };
        if let Some(tls) = &self.tls {
            let file = |name: &str| (!name.is_empty()).then(|| dir.join(name));
            connection.skip_verify = tls.insecure_skip_verify;
            connection.ca_files = file(&tls.ca_file).into_iter().collect();
            let pair = |certificate: PathBuf| (certificate, file(&tls.key_file));
            connection.client = file(&tls.cert_file).map(pair).into_iter().collect();
        }
        connection
    }

    /// The credential for this host; one that can't be read is none, as for k3s.
    fn login(&self) -> Option<Login> {
        let auth = self.auth.as_ref()?;
        let entry = serde_json::json!({
            "username": auth.username,
            "password": auth.password,
            "auth": auth.auth,
            "identitytoken": auth.identity_token,
        });
        login(entry).ok().flatten()
    }
}

/// An endpoint, spoken to as `configs` says for its host.
fn host(
    endpoint: &str,
    configs: &BTreeMap<String, RawConfig>,
    dir: &Path,
    rewrites: &[(Regex, String)],
) -> Result<Host, String> {
    let (scheme, name, root) = read_url(endpoint, false)?;
    // Without a scheme, loopback on an odd port speaks http (`normalizeEndpointAddress`).
    let port = name.rsplit_once(':').map(|(_, port)| port);
    let odd = port.is_some_and(|port| port != "443");
    let scheme = match endpoint.contains("://") {
        false if odd && is_loopback(&name) => "http",
        _ => scheme,
    };
    // A path is all there is, unless it is the usual one.
    let root = match root.as_str() {
        "/v2" => root,
        _ => read_url(endpoint, true)?.2,
    };
    let none = RawConfig::default();
    let config = configs
        .get(&name)
        .or_else(|| configs.get(&registry_name(&name)));
    let config = config.unwrap_or(&none);
    Ok(Host {
        connection: config.connection(dir, schemes(scheme, &name, config.tls.is_some())),
        login: config.login(),
        host: own_host(&name).to_owned(),
        root,
        resolve: true,
        pull: true,
        rewrites: rewrites.to_vec(),
    })
}

/// Docker Hub's registry answers elsewhere than its names say.
fn own_host(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        registry => registry,
    }
}

fn directory(registry: &str) -> String {
    match registry {
        ANY => DEFAULT.to_owned(),
        registry => registry.to_owned(),
    }
}

fn line(location: &serde_saphyr::Location) -> Option<usize> {
    usize::try_from(location.line())
        .ok()
        .filter(|line| *line > 0)
}

#[cfg(test)]
mod tests {
    use super::super::Route;
    use super::*;
    use crate::image::ImageRef;
    use crate::registry::credentials::Secret;

    fn hosts(text: &str) -> Result<Hosts, MirrorConfigError> {
        read("registries.yaml", text, Path::new("/etc"))
    }

    fn endpoints(text: &str, image: &str) -> Vec<super::super::Endpoint> {
        match hosts(text).unwrap().route(&ImageRef::parse(image).unwrap()) {
            Some(Route::Ask(endpoints)) => endpoints,
            other => panic!("{other:?}"),
        }
    }

    fn requests(text: &str, image: &str) -> Vec<String> {
        let parsed = ImageRef::parse(image).unwrap();
        if hosts(text).unwrap().route(&parsed).is_none() {
            return vec!["not configured".to_owned()];
        }
        endpoints(text, image)
            .iter()
            .map(|endpoint| {
                let schemes = format!("{:?}", endpoint.connection.schemes).to_lowercase();
                format!(
                    "{schemes} {}{}",
                    endpoint.host,
                    endpoint.path("manifests", "1")
                )
            })
            .collect()
    }

    #[test]
    fn mirrors_are_tried_before_the_registry() {
        // The examples of k3s's docs "Private Registry Configuration", and what getHostConfigs does beyond them.
        let mirror =
            "mirrors:\n  docker.io:\n    endpoint: [\"https://registry.example.com:5000\"]\n";
        let hub = "usual registry-1.docker.io/v2/rancher/pause/manifests/1";
        for (what, text, image, expected) in [
            (
                "a mirror",
                mirror.to_owned(),
                "rancher/pause:1",
                vec!["https registry.example.com:5000/v2/rancher/pause/manifests/1?ns=docker.io", hub],
            ),
            (
                "a rewrite, which the registry itself does not get",
                format!("{mirror}    rewrite:\n      \"^rancher/(.*)\": \"mirrorproject/rancher-images/$1\"\n"),
                "rancher/pause:1",
                vec![
                    "https registry.example.com:5000/v2/mirrorproject/rancher-images/pause/manifests/1?ns=docker.io",
                    hub,
                ],
            ),
            ("another registry", mirror.to_owned(), "quay.io/a/b:1", vec!["not configured"]),
            (
                "the asterisk",
                mirror.replace("docker.io:", "\"*\":"),
                "quay.io/a/b:1",
                vec![
                    "https registry.example.com:5000/v2/a/b/manifests/1?ns=quay.io",
                    "usual quay.io/v2/a/b/manifests/1",
                ],
            ),
            (
                "the registry among its own mirrors",
                "mirrors: {docker.io: {endpoint: [\"https://docker.io\"]}}".to_owned(),
                "rancher/pause:1",
                vec!["not configured"],
            ),
            (
                "the registry with its port is another place, where rewrites count",
                "mirrors: {r.example.com: {endpoint: [\"https://r.example.com:443\"], rewrite: {\"^\": \"p/\"}}}".to_owned(),
                "r.example.com/a:1",
                vec![
                    "https r.example.com:443/v2/p/a/manifests/1?ns=r.example.com",
                    "usual r.example.com/v2/a/manifests/1",
                ],
            ),
            (
                "a path is all there is",
                "mirrors: {docker.io: {endpoint: [\"https://h.example.com/v2/hub\"]}}".to_owned(),
                "rancher/pause:1",
                vec!["https h.example.com/v2/hub/rancher/pause/manifests/1?ns=docker.io", hub],
            ),
            (
                "plain http, without a scheme only for loopback",
                "mirrors: {docker.io: {endpoint: [\"http://a:5000\", \"localhost:5000\", b]}}".to_owned(),
                "rancher/pause:1",
                vec![
                    "http a:5000/v2/rancher/pause/manifests/1?ns=docker.io",
                    "http localhost:5000/v2/rancher/pause/manifests/1?ns=docker.io",
                    "https b/v2/rancher/pause/manifests/1?ns=docker.io",
                    hub,
                ],
            ),
            ("an empty file", String::new(), "rancher/pause:1", vec!["not configured"]),
            ("null", "mirrors:\nconfigs:\n  docker.io:\n".to_owned(), "rancher/pause:1", vec!["not configured"]),
            (
                "a registry that only has settings of its own has no mirror",
                mirror.replace("docker.io:", "\"*\":") + "configs: {docker.io: {tls: {insecure_skip_verify: true}}}\n",
                "rancher/pause:1",
                vec![hub],
            ),
        ] {
            assert_eq!(requests(&text, image), expected, "{what}");
        }
    }

    #[test]
    fn each_host_has_its_own_settings_and_login() {
        let text = r#"
mirrors:
  docker.io:
    endpoint: ["https://m.example.com:5000"]
configs:
  m.example.com:5000:
    auth: {username: u, password: 12345}
    tls: {ca_file: ca.crt, cert_file: /c.crt, key_file: /c.key}
  docker.io:
    tls: {insecure_skip_verify: yes}
"#;
        let found = endpoints(text, "nginx");
        let [mirror, hub] = found.as_slice() else {
            panic!("{found:?}")
        };
        let login = Login::Password {
            username: "u".to_owned(),
            password: Secret::new("12345"),
        };
        assert_eq!(mirror.login, Some(login));
        assert_eq!(mirror.connection.ca_files, [PathBuf::from("/etc/ca.crt")]);
        assert_eq!(
            mirror.connection.client,
            [("/c.crt".into(), Some("/c.key".into()))]
        );
        assert!(!mirror.connection.skip_verify && hub.connection.skip_verify);
        assert_eq!(hub.login, None);
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_without_secrets() {
        for (text, says) in [
            (
                "mirrors:\n  docker.io:\n    endpoint:\n    - ftp://x\n",
                "registries.yaml:4: endpoint ftp://x: neither https nor http",
            ),
            (
                "mirrors:\n  a:\n    rewrite:\n      \"(\": x\n",
                "registries.yaml:4: rewrite \"(\": unclosed group",
            ),
            (
                "mirrors:\n  a: 5\n",
                "registries.yaml:2: this is no registries.yaml",
            ),
            (
                "configs:\n  a:\n    auth: {password: [hunter2]}\n",
                "registries.yaml:3: this is no registries.yaml",
            ),
            ("a: [", "this is no registries.yaml"),
        ] {
            let error = hosts(text).unwrap_err().to_string();
            assert!(
                error.contains(says) && !error.contains("hunter2"),
                "{text}: {error}"
            );
        }
    }
}
