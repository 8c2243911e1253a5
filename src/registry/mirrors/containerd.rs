//! containerd's `certs.d`: a directory for each registry, with a `hosts.toml` (containerd `docs/hosts.md`,
//! `core/remotes/docker/config/hosts.go`) or, in Docker's way, with certificates alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};
use regex::Regex;
use reqwest::Url;
use toml::de::DeValue;

use super::toml_file::{At, File, Table};
use super::{Connection, Endpoint, MirrorConfigError, Route, Schemes, registry_name};
use crate::image::ImageRef;
use crate::registry::credentials::Login;

/// The directory that answers for registries without one of their own.
pub(super) const DEFAULT: &str = "_default";

/// What each registry's images are asked of.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    /// By directory name: `docker.io`, `registry.example.com_5000_`, `_default`.
    pub(super) namespaces: BTreeMap<String, Namespace>,
    /// Where this was read, for messages.
    pub(super) path: String,
}

/// The hosts of one registry: those of its tables in order, then the registry's own or what stands in its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Namespace {
    pub(super) hosts: Vec<Host>,
    pub(super) last: Last,
}

/// What is asked after all hosts.
#[derive(Debug, Clone)]
pub(super) enum Last {
    /// `server`.
    Server(Host),
    /// The registry itself, spoken to in this way.
    Registry(Connection, Option<Login>),
}

impl Default for Last {
    fn default() -> Self {
        Self::Registry(Connection::default(), None)
    }
}

/// A host that is asked for another registry's images.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) host: String,
    /// With a leading slash and none at the end; empty for the root.
    pub(super) root: String,
    /// Trusted to turn a tag into a digest.
    pub(super) resolve: bool,
    /// Trusted with what a digest names.
    pub(super) pull: bool,
    pub(super) connection: Connection,
    /// k3s: the first pattern that changes the repository's name does.
    pub(super) rewrites: Vec<(Regex, String)>,
    pub(super) login: Option<Login>,
}

impl Hosts {
    /// Whom containerd asks. A tag needs a host that may resolve and pull, a digest one that may pull
    /// (`core/remotes/docker/resolver.go` `Resolve`).
    pub(super) fn route(&self, image: &ImageRef) -> Option<Route> {
        let registry = image.registry.as_deref()?;
        let names = [directory(registry), registry.to_owned(), DEFAULT.to_owned()];
        let namespace = names.iter().find_map(|name| self.namespaces.get(name))?;
        let tag = image.digest.is_none();
        let last = match &namespace.last {
            Last::Server(server) => Some(server),
            Last::Registry(..) => None,
        };
        let hosts = namespace.hosts.iter().chain(last);
        let may = |host: &&Host| host.pull && (host.resolve || !tag);
        let mut endpoints: Vec<Endpoint> = hosts
            .filter(may)
            .map(|host| host.endpoint(image, registry))
            .collect();
        if let Last::Registry(connection, login) = &namespace.last {
            let own = Endpoint::own(image)?;
            endpoints.push(Endpoint {
                connection: connection.clone(),
                login: login.clone(),
                ..own
            });
        }
        if endpoints.is_empty() {
            let what = if tag { "tags" } else { "digests" };
            return Some(Route::Forbidden(format!(
                "{} lets no host answer for {what} of {registry}",
                self.path
            )));
        }
        Some(Route::Ask(endpoints))
    }
}

impl Host {
    fn endpoint(&self, image: &ImageRef, registry: &str) -> Endpoint {
        let renamed = self.rewrites.iter().find_map(|(pattern, to)| {
            let renamed = pattern.replace_all(&image.repository, to.as_str());
            (renamed != image.repository).then(|| renamed.into_owned())
        });
        // containerd `core/remotes/docker/registry.go` `isProxy`.
        let own = self.host == registry
            || (registry == "docker.io" && self.host == "registry-1.docker.io");
        Endpoint {
            host: self.host.clone(),
            registry: registry_name(&self.host),
            repository: renamed.unwrap_or_else(|| image.repository.clone()),
            root: self.root.clone(),
            namespace: (!own).then(|| registry.to_owned()),
            connection: self.connection.clone(),
            login: self.login.clone(),
        }
    }
}

/// `host_port_` for `host:port`, for systems that have no colons in file names.
fn directory(registry: &str) -> String {
    match registry.rsplit_once(':') {
        Some((host, port)) => format!("{host}_{port}_"),
        None => registry.to_owned(),
    }
}

/// Reads a `hosts.toml`; `dir` is where relative paths in it begin.
pub(super) fn read(file: File<'_>, dir: &Path) -> Result<Namespace, MirrorConfigError> {
    let table = file.parse()?;
    let mut hosts = Vec::new();
    if let Some(named) = table.table("host")? {
        // The order of the file is the order of the tries.
        for url in named.keys() {
            let Some(host) = named.table(&url.value)? else {
                continue;
            };
            hosts.push(read_host(&host, &url, dir)?);
        }
    }
    let server = table.text("server")?.filter(|url| !url.value.is_empty());
    let last = match server {
        Some(url) => Last::Server(read_host(&table, &url, dir)?),
        // Without a server, capabilities at the top mean nothing: the registry has them all.
        None => {
            let connection = read_connection(&table, dir)?.0;
            Last::Registry(connection, None)
        }
    };
    Ok(Namespace { hosts, last })
}

fn read_host(table: &Table<'_>, url: &At<String>, dir: &Path) -> Result<Host, MirrorConfigError> {
    let override_path = table.flag("override_path")?.unwrap_or(false);
    let (scheme, host, root) = read_url(&url.value, override_path)
        .map_err(|detail| table.error_at(url, format!("{}: {detail}", url.value)))?;
    let (mut connection, tls) = read_connection(table, dir)?;
    connection.schemes = schemes(scheme, &host, tls);
    let mut host = Host {
        host,
        root,
        resolve: false,
        pull: false,
        connection,
        rewrites: Vec::new(),
        login: None,
    };
    let capabilities = table.texts("capabilities")?.unwrap_or_default();
    if capabilities.is_empty() {
        (host.resolve, host.pull) = (true, true);
    }
    for capability in capabilities {
        match capability.value.to_lowercase().as_str() {
            "pull" => host.pull = true,
            "resolve" => host.resolve = true,
            "push" | "referrers" => {}
            other => {
                let detail =
                    format!("unknown capability {other:?} (pull, resolve, push, referrers)");
                return Err(table.error_at(&capability, detail));
            }
        }
    }
    Ok(host)
}

/// A plain-http host with TLS settings is asked over https first, unless the port leaves no doubt (`hosts.go`).
pub(super) fn schemes(scheme: &str, host: &str, tls: bool) -> Schemes {
    match scheme {
        "http" if tls && !host.ends_with(":80") => Schemes::HttpsThenHttp,
        "http" => Schemes::Http,
        _ => Schemes::Https,
    }
}

/// Scheme, host and root of a host's URL. `/v2` is added to a path that does not end so, unless the path is all there is.
pub(super) fn read_url(
    text: &str,
    override_path: bool,
) -> Result<(&'static str, String, String), String> {
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&whole).map_err(|error| error.to_string())?;
    let scheme = match url.scheme() {
        "https" => "https",
        "http" => "http",
        _ => return Err("neither https nor http".to_owned()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name in it".to_owned());
    }
    // As written: `Url` drops a port that the scheme implies, and mirrors are told apart by it.
    let authority = whole
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    let segments: Vec<&str> = url.path().split('/').filter(|s| !s.is_empty()).collect();
    let mut root: String = segments.iter().map(|s| format!("/{s}")).collect();
    if !override_path && !root.ends_with("/v2") {
        root.push_str("/v2");
    }
    Ok((scheme, authority.to_lowercase(), root))
}

/// The TLS settings and headers of a table, and whether it has any of the former.
fn read_connection(table: &Table<'_>, dir: &Path) -> Result<(Connection, bool), MirrorConfigError> {
    let skip_verify = table.flag("skip_verify")?;
    let ca_files = paths(table, "ca", dir)?;
    let client = read_client(table, dir)?;
    let tls = skip_verify.is_some() || !ca_files.is_empty() || !client.is_empty();
    let connection = Connection {
        schemes: Schemes::Usual,
        skip_verify: skip_verify.unwrap_or(false),
        ca_files,
        client,
        headers: read_headers(table)?,
    };
    Ok((connection, tls))
}

/// A path or an array of them.
fn paths(table: &Table<'_>, key: &str, dir: &Path) -> Result<Vec<PathBuf>, MirrorConfigError> {
    let Some(at) = table.value(key) else {
        return Ok(Vec::new());
    };
    match at.value {
        DeValue::String(path) => Ok(vec![dir.join(path.as_ref())]),
        DeValue::Array(_) => {
            let paths = table.texts(key)?.unwrap_or_default();
            Ok(paths.iter().map(|path| dir.join(&path.value)).collect())
        }
        _ => Err(table.must_be(key, &at, "a path or an array of paths")),
    }
}

/// A path, an array of paths, or an array of pairs of paths.
fn read_client(
    table: &Table<'_>,
    dir: &Path,
) -> Result<Vec<(PathBuf, Option<PathBuf>)>, MirrorConfigError> {
    let Some(at) = table.value("client") else {
        return Ok(Vec::new());
    };
    let wrong = || table.must_be("client", &at, "a path, or an array of paths or of pairs");
    let one = |path: &str| (dir.join(path), None);
    match at.value {
        DeValue::String(path) => Ok(vec![one(path)]),
        DeValue::Array(items) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(path) => Ok(one(path)),
                DeValue::Array(pair) => {
                    let texts: Option<Vec<&str>> =
                        pair.iter().map(|path| path.get_ref().as_str()).collect();
                    match texts.as_deref() {
                        Some([certificate, ""]) => Ok(one(certificate)),
                        Some([certificate, key]) => {
                            Ok((dir.join(certificate), Some(dir.join(key))))
                        }
                        _ => Err(wrong()),
                    }
                }
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn read_headers(table: &Table<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, MirrorConfigError> {
    let Some(named) = table.table("header")? else {
        return Ok(Vec::new());
    };
    let mut headers = Vec::new();
    for key in named.keys() {
        // The value may be a secret: messages name the header alone.
        let wrong = |what: &str| named.error_at(&key, format!("header {}: {what}", key.value));
        let name = HeaderName::from_bytes(key.value.as_bytes()).map_err(|_| wrong("no header"))?;
        let values = match named.value(&key.value).map(|at| at.value) {
            Some(DeValue::String(value)) => vec![value.to_string()],
            _ => named
                .texts(&key.value)
                .map_err(|_| wrong("must be a string or an array of strings"))?
                .unwrap_or_default()
                .into_iter()
                .map(|at| at.value)
                .collect(),
        };
        for value in values {
            let mut value =
                HeaderValue::from_str(&value).map_err(|_| wrong("its value can't be sent"))?;
            value.set_sensitive(true);
            headers.push((name.clone(), value));
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(text: &str) -> Result<Namespace, MirrorConfigError> {
        let file = File {
            path: "certs.d/docker.io/hosts.toml",
            text,
        };
        read(file, Path::new("/certs.d/docker.io"))
    }

    fn route(directory: &str, text: &str, image: &str) -> Option<Route> {
        let hosts = Hosts {
            namespaces: BTreeMap::from([(directory.to_owned(), namespace(text).unwrap())]),
            path: "certs.d".to_owned(),
        };
        hosts.route(&ImageRef::parse(image).unwrap())
    }

    /// `scheme host path` of every request for a manifest.
    fn requests(directory: &str, text: &str, image: &str) -> Vec<String> {
        let parsed = ImageRef::parse(image).unwrap();
        let reference = match (&parsed.digest, &parsed.tag) {
            (Some(digest), _) => digest.short().to_owned(),
            (None, tag) => tag.clone().unwrap_or_default(),
        };
        match route(directory, text, image) {
            None => vec!["not configured".to_owned()],
            Some(Route::Forbidden(why)) => vec![why],
            Some(Route::Ask(endpoints)) => endpoints
                .iter()
                .map(|endpoint| {
                    let schemes = format!("{:?}", endpoint.connection.schemes).to_lowercase();
                    let path = endpoint.path("manifests", &reference);
                    format!("{schemes} {}{path}", endpoint.host)
                })
                .collect(),
        }
    }

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn hosts_are_tried_in_the_order_of_the_file_and_the_registry_last() {
        // The examples of containerd's docs/hosts.md, and what hosts.go does beyond them.
        let two = r#"
server = "https://registry-1.docker.io"
[host."https://z-mirror.example.com"]
  capabilities = ["pull"]
[host."https://docker-mirror.internal"]
  capabilities = ["pull", "resolve"]
  [host."https://docker-mirror.internal".header]
    x-custom = "1"
"#;
        let last = "https registry-1.docker.io/v2/library/nginx/manifests/1";
        let internal = "https docker-mirror.internal/v2/library/nginx/manifests/1?ns=docker.io";
        for (what, text, image, expected) in [
            (
                "a tag needs a host that may resolve",
                two,
                "nginx:1",
                vec![internal, last],
            ),
            (
                "a digest does not",
                two,
                &format!("nginx@{DIGEST}"),
                vec![
                    "https z-mirror.example.com/v2/library/nginx/manifests/sha256:44136fa355b3?ns=docker.io",
                    "https docker-mirror.internal/v2/library/nginx/manifests/sha256:44136fa355b3?ns=docker.io",
                    "https registry-1.docker.io/v2/library/nginx/manifests/sha256:44136fa355b3",
                ],
            ),
            (
                "without a server the registry itself is last",
                "[host.\"https://m.example.com\"]",
                "nginx:1",
                vec![
                    "https m.example.com/v2/library/nginx/manifests/1?ns=docker.io",
                    "usual registry-1.docker.io/v2/library/nginx/manifests/1",
                ],
            ),
            (
                "a server stands in its place",
                "server = \"m.example.com\"",
                "nginx:1",
                vec!["https m.example.com/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "a path gets /v2",
                "server = \"https://m.example.com/hub/\"",
                "nginx:1",
                vec!["https m.example.com/hub/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "unless it ends so",
                "server = \"https://m.example.com/hub/v2\"",
                "nginx:1",
                vec!["https m.example.com/hub/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "or is all there is",
                "server = \"https://m.example.com/v2/hub\"\noverride_path = true",
                "nginx:1",
                vec!["https m.example.com/v2/hub/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "plain http",
                "server = \"http://m.example.com:5000\"",
                "nginx:1",
                vec!["http m.example.com:5000/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "plain http with TLS settings is https first",
                "server = \"http://m.example.com:5000\"\nskip_verify = true",
                "nginx:1",
                vec!["httpsthenhttp m.example.com:5000/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "port 80 leaves no doubt",
                "server = \"http://m.example.com:80\"\nskip_verify = true",
                "nginx:1",
                vec!["http m.example.com:80/v2/library/nginx/manifests/1?ns=docker.io"],
            ),
            (
                "nobody may answer for a tag",
                "server = \"https://m.example.com\"\ncapabilities = [\"pull\"]",
                "nginx:1",
                vec!["certs.d lets no host answer for tags of docker.io"],
            ),
            (
                "another registry's directory",
                two,
                "quay.io/a/b:1",
                vec!["not configured"],
            ),
        ] {
            assert_eq!(requests("docker.io", text, image), expected, "{what}");
        }
    }

    #[test]
    fn a_registry_has_the_first_directory_that_is_there() {
        for (directory, image, configured) in [
            (
                "registry.example.com_5000_",
                "registry.example.com:5000/a:1",
                true,
            ),
            (
                "registry.example.com:5000",
                "registry.example.com:5000/a:1",
                true,
            ),
            (
                "registry.example.com",
                "registry.example.com:5000/a:1",
                false,
            ),
            ("_default", "registry.example.com:5000/a:1", true),
            ("_default", "nginx", true),
        ] {
            let found = route(directory, "server = \"https://m\"", image).is_some();
            assert_eq!(found, configured, "{directory} {image}");
        }
    }

    #[test]
    fn tls_settings_and_headers_are_read_in_all_their_forms() {
        let text = r#"
server = "https://m.example.com"
ca = "ca.crt"
client = [["/etc/c.cert", "c.key"], ["both.pem", ""], "one.pem"]
[header]
  authorization = "Bearer secret"
  x = ["a", "b"]
"#;
        let Last::Server(host) = namespace(text).unwrap().last else {
            panic!()
        };
        let dir = Path::new("/certs.d/docker.io");
        assert_eq!(host.connection.ca_files, [dir.join("ca.crt")]);
        assert_eq!(
            host.connection.client,
            [
                (PathBuf::from("/etc/c.cert"), Some(dir.join("c.key"))),
                (dir.join("both.pem"), None),
                (dir.join("one.pem"), None)
            ]
        );
        assert_eq!(host.connection.headers.len(), 3);
        assert!(!format!("{host:?}").contains("secret"), "{host:?}");
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        for (text, says) in [
            ("server = ", "hosts.toml:1: "),
            ("\n\nserver = 5", "hosts.toml:3: server must be a string"),
            (
                "[host.\"https://m\"]\ncapabilities = [\"pull\",\n \"fly\"]",
                "hosts.toml:3: unknown capability \"fly\"",
            ),
            (
                "\nskip_verify = \"no\"",
                "hosts.toml:2: skip_verify must be true or false",
            ),
            (
                "[host.\"ftp://m\"]",
                "hosts.toml:1: ftp://m: neither https nor http",
            ),
            ("ca = 1", "hosts.toml:1: ca must be a path"),
            ("client = [[\"a\"]]", "hosts.toml:1: client must be"),
            (
                "[header]\nx = 1",
                "hosts.toml:2: header x: must be a string",
            ),
            ("host = 1", "hosts.toml:1: host must be a table"),
            ("server = \"https://u:p@m\"", "hosts.toml:1: "),
        ] {
            let error = namespace(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
