//! Which hosts a node asks for an image: the mirrors that its container runtime is configured with, in the order in
//! which it tries them.
//!
//! Each format of configuration has a file here that turns it into plain tables; [`load`](self::load) finds out which
//! format a path has. A table answers with [`Endpoint`]s, or with nothing where it does not speak of an image.

mod containerd;
mod flag;
mod k3s;
mod load;
mod openshift;
mod registries_conf;
mod toml_file;

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};

use super::credentials::Login;
use crate::image::ImageRef;
use crate::model::MirrorSet;

/// One place where an image may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The host that is asked, with its port.
    pub(super) host: String,
    /// The registry's name as credentials are kept for it: `docker.io` for Docker Hub's host.
    pub(super) registry: String,
    /// The repository there; mirrors may hold it under another name.
    pub(super) repository: String,
    /// What comes before the repository in a request's path: `/v2` nearly everywhere.
    pub(super) root: String,
    /// The registry that a mirror is asked on behalf of (`?ns=`, distribution-spec "Registry Proxying").
    pub(super) namespace: Option<String>,
    /// How the configuration wants the host to be spoken to.
    pub(super) connection: Connection,
    /// The configuration's own credential for this host (k3s).
    pub(super) login: Option<Login>,
}

/// How a host is spoken to, where its configuration says so. Flags for the host come on top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    pub(super) schemes: Schemes,
    /// Certificates are not checked.
    pub(super) skip_verify: bool,
    /// PEM files with certificates to trust beside the system's.
    pub(super) ca_files: Vec<PathBuf>,
    /// PEM files of a client certificate and its key; one file may hold both.
    pub(super) client: Vec<(PathBuf, Option<PathBuf>)>,
    /// Headers that every request carries; their values are never printed.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Connection {
    /// All files that it names.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let client = self.client.iter();
        let pairs = client.flat_map(|(certificate, key)| [Some(certificate), key.as_ref()]);
        self.ca_files.iter().chain(pairs.flatten())
    }
}

/// The schemes to try, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Schemes {
    /// As for any registry: https; for loopback, and where flags allow it, http after it.
    #[default]
    Usual,
    Https,
    Http,
    HttpsThenHttp,
}

/// Whom to ask for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// These, until one has it. Never empty.
    Ask(Vec<Endpoint>),
    /// Nobody: the node's configuration forbids it. Says where.
    Forbidden(String),
}

/// Why mirror configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}{}: {detail}", line_suffix(.line))]
pub struct MirrorConfigError {
    /// The file or directory.
    pub path: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub detail: String,
}

fn line_suffix(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

/// One configuration's mirrors.
#[derive(Debug, Clone)]
enum Table {
    Hosts(containerd::Hosts),
    RegistriesConf(registries_conf::RegistriesConf),
}

/// All mirrors of a run; the first table that speaks of an image decides.
#[derive(Debug, Clone, Default)]
pub struct Mirrors {
    tables: Vec<Table>,
}

impl Mirrors {
    /// Reads `--mirror` and `--mirror-config`. Also returns warnings, about files that are named and not here.
    ///
    /// # Errors
    /// When a flag is no mirror, or a configuration can't be read; names file and line.
    pub fn read(
        flags: &[String],
        config: Option<&std::path::Path>,
    ) -> Result<(Self, Vec<String>), MirrorConfigError> {
        let mut tables = Vec::new();
        let mut warnings = Vec::new();
        if !flags.is_empty() {
            tables.push(Table::RegistriesConf(flag::read(flags)?));
        }
        if let Some(path) = config {
            tables.push(load::load(path, &mut warnings)?);
        }
        Ok((Self { tables }, warnings))
    }

    /// Adds what the cluster says, for images of which nothing else speaks.
    pub(super) fn use_sets(&mut self, sets: &[MirrorSet]) {
        if !sets.is_empty() {
            self.tables
                .push(Table::RegistriesConf(openshift::read(sets)));
        }
    }

    /// Whom the node asks for an image. `None` for a reference that names no host.
    pub(super) fn route(&self, image: &ImageRef) -> Option<Route> {
        let own = Endpoint::own(image)?;
        let found = self.tables.iter().find_map(|table| match table {
            Table::Hosts(hosts) => hosts.route(image),
            Table::RegistriesConf(conf) => conf.route(image),
        });
        Some(found.unwrap_or_else(|| Route::Ask(vec![own])))
    }
}

impl Endpoint {
    /// The registry that a reference names itself.
    pub(super) fn own(image: &ImageRef) -> Option<Self> {
        Some(Self {
            host: image.host()?.to_owned(),
            registry: image.registry.clone()?,
            repository: image.repository.clone(),
            root: "/v2".to_owned(),
            namespace: None,
            connection: Connection::default(),
            login: None,
        })
    }

    /// The path and query of a request: `kind` is `manifests` or `blobs`.
    pub(super) fn path(&self, kind: &str, reference: &str) -> String {
        let Self {
            root, repository, ..
        } = self;
        let query = self.namespace.as_ref().map(|namespace| {
            let pair: String = url_form(namespace);
            format!("?ns={pair}")
        });
        format!(
            "{root}/{repository}/{kind}/{reference}{}",
            query.unwrap_or_default()
        )
    }

    /// How reports name it: as a reference to it would begin, where that says more than the host.
    pub(super) fn shown(&self, image: &ImageRef) -> String {
        if self.repository == image.repository && self.root == "/v2" {
            return self.host.clone();
        }
        let root = self.root.strip_prefix("/v2").unwrap_or(&self.root);
        format!("{}{root}/{}", self.host, self.repository)
    }
}

/// A host with port, as a query parameter has it.
fn url_form(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ':' => url.push_str("%3A"),
            '[' => url.push_str("%5B"),
            ']' => url.push_str("%5D"),
            c => url.push(c),
        }
    }
    url
}

/// The name under which credentials for a host are kept.
fn registry_name(host: &str) -> String {
    match host {
        "registry-1.docker.io" | "index.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_configuration_a_registry_is_asked_itself() {
        let mirrors = Mirrors::default();
        let image = ImageRef::parse("nginx:1.27").unwrap();
        let Some(Route::Ask(endpoints)) = mirrors.route(&image) else {
            panic!()
        };
        let [endpoint] = endpoints.as_slice() else {
            panic!("{endpoints:?}")
        };
        assert_eq!(
            (endpoint.host.as_str(), endpoint.registry.as_str()),
            ("registry-1.docker.io", "docker.io")
        );
        assert_eq!(
            endpoint.path("manifests", "1.27"),
            "/v2/library/nginx/manifests/1.27"
        );
        assert_eq!(endpoint.shown(&image), "registry-1.docker.io");
        let image = ImageRef::parse("a_b.example.com/app").unwrap();
        assert_eq!(mirrors.route(&image), None);
    }

    #[test]
    fn the_registry_behind_a_mirror_is_escaped_in_the_query() {
        let image = ImageRef::parse("localhost:5000/app:1").unwrap();
        let endpoint = Endpoint {
            host: "mirror.example.com".to_owned(),
            namespace: Some("localhost:5000".to_owned()),
            root: "/v2/hub".to_owned(),
            ..Endpoint::own(&image).unwrap()
        };
        assert_eq!(
            endpoint.path("manifests", "1"),
            "/v2/hub/app/manifests/1?ns=localhost%3A5000"
        );
        assert_eq!(endpoint.shown(&image), "mirror.example.com/hub/app");
    }
}
