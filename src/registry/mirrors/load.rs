//! Finds out which format a path has, and reads its files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::containerd::{self, Hosts, Last, Namespace};
use super::registries_conf::RegistriesConf;
use super::toml_file::File;
use super::{Connection, MirrorConfigError, Table, k3s};

/// Configuration files larger than this are none.
const LARGEST_FILE: u64 = 1024 * 1024;
/// What a path may be, for messages.
const FORMATS: &str =
    "containerd's certs.d (REGISTRY/hosts.toml), a registries.conf, or k3s's registries.yaml";

/// Reads a path of any of the formats. Warnings are about files that it names and that are not here.
pub(super) fn load(path: &Path, warnings: &mut Vec<String>) -> Result<Table, MirrorConfigError> {
    let meta = std::fs::metadata(path).map_err(|error| failure(path, &error.to_string()))?;
    let table = if meta.is_dir() {
        directory(path)?
    } else {
        file(path)?
    };
    warnings.extend(missing(&table));
    Ok(table)
}

fn file(path: &Path) -> Result<Table, MirrorConfigError> {
    let extension = path.extension().and_then(OsStr::to_str);
    match extension.unwrap_or_default() {
        "yaml" | "yml" | "json" => yaml(path),
        _ if path.file_name() == Some(OsStr::new("hosts.toml")) => Err(failure(
            path,
            "give the directory that holds one such file for each registry (certs.d)",
        )),
        _ => {
            // Drop-ins are in a directory of the same name beside it (containers-registries.conf.d(5)).
            let mut name = path.as_os_str().to_owned();
            name.push(".d");
            registries_conf(Some(path), Path::new(&name))
        }
    }
}

fn directory(path: &Path) -> Result<Table, MirrorConfigError> {
    if path.join("hosts.toml").exists() {
        return file(&path.join("hosts.toml"));
    }
    let entries = list(path)?;
    let yaml_file = path.join("registries.yaml");
    let conf = path.join("registries.conf");
    let is_conf =
        |entry: &&PathBuf| entry.extension() == Some(OsStr::new("conf")) && entry.is_file();
    let drop_ins = path.join("registries.conf.d");
    let has_conf =
        conf.exists() || drop_ins.is_dir() || entries.iter().any(|entry| is_conf(&entry));
    let hosts = certs_d(path, &entries)?;
    match (yaml_file.exists(), has_conf, hosts.namespaces.is_empty()) {
        (true, false, true) => yaml(&yaml_file),
        (false, true, true) if conf.exists() => registries_conf(Some(&conf), &drop_ins),
        (false, true, true) if drop_ins.is_dir() => registries_conf(None, &drop_ins),
        (false, true, true) => registries_conf(None, path),
        (false, false, false) => Ok(Table::Hosts(hosts)),
        (false, false, true) => Err(failure(path, &format!("this is none of {FORMATS}"))),
        _ => Err(failure(
            path,
            &format!("this is more than one of {FORMATS}; name one of them"),
        )),
    }
}

fn yaml(path: &Path) -> Result<Table, MirrorConfigError> {
    let text = read(path)?;
    let dir = path.parent().unwrap_or(Path::new(""));
    k3s::read(&path.display().to_string(), &text, dir).map(Table::Hosts)
}

/// A file, and the drop-ins of a directory in alphabetical order.
fn registries_conf(main: Option<&Path>, drop_ins: &Path) -> Result<Table, MirrorConfigError> {
    let parse = |path: &Path, drop_in: bool| {
        let (name, text) = (path.display().to_string(), read(path)?);
        let file = File {
            path: &name,
            text: &text,
        };
        RegistriesConf::read(file, drop_in)
    };
    let mut conf = match main {
        Some(path) => parse(path, false)?,
        None => RegistriesConf::default(),
    };
    let entries = if drop_ins.is_dir() {
        list(drop_ins)?
    } else {
        Vec::new()
    };
    for path in entries {
        if path.is_file() && path.extension() == Some(OsStr::new("conf")) {
            conf.drop_in(parse(&path, true)?);
        }
    }
    Ok(Table::RegistriesConf(conf))
}

/// A directory for each registry; those that hold neither `hosts.toml` nor certificates say nothing.
fn certs_d(root: &Path, entries: &[PathBuf]) -> Result<Hosts, MirrorConfigError> {
    let mut namespaces = BTreeMap::new();
    for dir in entries.iter().filter(|entry| entry.is_dir()) {
        let Some(name) = dir.file_name().and_then(OsStr::to_str) else {
            continue;
        };
        let file = dir.join("hosts.toml");
        let namespace = if file.exists() {
            let (shown, text) = (file.display().to_string(), read(&file)?);
            let file = File {
                path: &shown,
                text: &text,
            };
            Some(containerd::read(file, dir)?)
        } else {
            certificates(dir)?
        };
        if let Some(namespace) = namespace {
            namespaces.insert(name.to_owned(), namespace);
        }
    }
    Ok(Hosts {
        namespaces,
        path: root.display().to_string(),
    })
}

/// Docker's way: `*.crt` are trusted, `*.cert` and `*.key` are the client's (containerd `hosts.go` `loadCertFiles`).
fn certificates(dir: &Path) -> Result<Option<Namespace>, MirrorConfigError> {
    let mut connection = Connection::default();
    for path in list(dir)? {
        match path.extension().and_then(OsStr::to_str) {
            Some("crt") => connection.ca_files.push(path),
            Some("cert") => {
                let key = path.with_extension("key");
                let key = key.exists().then_some(key);
                connection.client.push((path, key));
            }
            _ => {}
        }
    }
    let any = connection != Connection::default();
    Ok(any.then(|| Namespace {
        hosts: Vec::new(),
        last: Last::Registry(connection, None),
    }))
}

/// Certificates that the configuration names and that are not on this machine: nodes have them, this one may not.
fn missing(table: &Table) -> Vec<String> {
    let Table::Hosts(hosts) = table else {
        return Vec::new();
    };
    let mut missing = Vec::new();
    for namespace in hosts.namespaces.values() {
        let last = match &namespace.last {
            Last::Server(host) => &host.connection,
            Last::Registry(connection, _) => connection,
        };
        let connections = namespace.hosts.iter().map(|host| &host.connection);
        for connection in connections.chain([last]) {
            let files = connection.files().filter(|file| !file.exists());
            missing.extend(files.map(|file| {
                format!(
                    "{}: {} is not on this machine, and left out; --registry-ca names certificates to trust",
                    hosts.path,
                    file.display()
                )
            }));
        }
    }
    missing.sort();
    missing.dedup();
    missing
}

/// The entries of a directory, by name.
fn list(dir: &Path) -> Result<Vec<PathBuf>, MirrorConfigError> {
    let entries = std::fs::read_dir(dir).map_err(|error| failure(dir, &error.to_string()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(
            entry
                .map_err(|error| failure(dir, &error.to_string()))?
                .path(),
        );
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, MirrorConfigError> {
    let wrong = |error: std::io::Error| failure(path, &error.to_string());
    if std::fs::metadata(path).map_err(wrong)?.len() > LARGEST_FILE {
        return Err(failure(path, "this is too large for mirror configuration"));
    }
    std::fs::read_to_string(path).map_err(wrong)
}

fn failure(path: &Path, detail: &str) -> MirrorConfigError {
    MirrorConfigError {
        path: path.display().to_string(),
        line: None,
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mirrors, Route};
    use super::*;
    use crate::image::ImageRef;

    /// A directory with these files.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn asked(path: &Path, image: &str) -> Vec<String> {
        let (mirrors, _) = Mirrors::read(&[], Some(path)).unwrap();
        match mirrors.route(&ImageRef::parse(image).unwrap()) {
            Some(Route::Ask(endpoints)) => endpoints.into_iter().map(|e| e.host).collect(),
            other => panic!("{other:?}"),
        }
    }

    const HOSTS: &str = "[host.\"https://m.example.com\"]\n";
    const CONF: &str = "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example.com\"\n";
    const YAML: &str = "mirrors: {docker.io: {endpoint: [\"https://m.example.com\"]}}\n";

    #[test]
    fn the_format_of_a_path_is_found_out() {
        for (what, files, path) in [
            ("certs.d", &[("docker.io/hosts.toml", HOSTS)][..], ""),
            (
                "its default",
                &[("_default/hosts.toml", HOSTS), ("empty/x", "")],
                "",
            ),
            (
                "registries.conf",
                &[("registries.conf", CONF)],
                "registries.conf",
            ),
            (
                "its directory",
                &[("registries.conf", CONF), ("policy.json", "")],
                "",
            ),
            (
                "a drop-in",
                &[("registries.conf", ""), ("registries.conf.d/1.conf", CONF)],
                "registries.conf",
            ),
            (
                "a drop-in",
                &[("registries.conf", ""), ("registries.conf.d/1.conf", CONF)],
                "",
            ),
            ("drop-ins alone", &[("registries.conf.d/1.conf", CONF)], ""),
            (
                "the drop-ins' own directory",
                &[("1.conf", CONF), ("1.ignored", "[")],
                "",
            ),
            (
                "registries.yaml",
                &[("registries.yaml", YAML)],
                "registries.yaml",
            ),
            ("its directory", &[("registries.yaml", YAML)], ""),
        ] {
            let root = tree(files);
            let asked = asked(&root.path().join(path), "nginx");
            assert_eq!(asked, ["m.example.com", "registry-1.docker.io"], "{what}");
        }
    }

    #[test]
    fn what_is_no_configuration_is_told() {
        for (files, path, says) in [
            (&[][..], "", "this is none of containerd's certs.d"),
            (&[("README", "")], "", "this is none of"),
            (
                &[("registries.conf", CONF), ("registries.yaml", YAML)],
                "",
                "more than one of",
            ),
            (
                &[("hosts.toml", HOSTS)],
                "",
                "give the directory that holds one such file for each registry",
            ),
            (
                &[("hosts.toml", HOSTS)],
                "hosts.toml",
                "give the directory that holds",
            ),
            (
                &[("docker.io/hosts.toml", "server = 1")],
                "",
                "docker.io/hosts.toml:1: server must be a string",
            ),
            (
                &[("registries.conf", ""), ("registries.conf.d/a.conf", "\n[")],
                "",
                "registries.conf.d/a.conf:2: ",
            ),
            (
                &[
                    ("registries.conf", ""),
                    ("registries.conf.d/a.conf", "[registries.block]"),
                ],
                "",
                "a.conf:1: [registries] is the old format",
            ),
            (&[], "gone", "No such file"),
        ] {
            let root = tree(files);
            let error = Mirrors::read(&[], Some(&root.path().join(path))).unwrap_err();
            assert!(error.to_string().contains(says), "{files:?}: {error}");
        }
    }

    #[test]
    fn certificates_alone_are_the_registrys_own() {
        let root = tree(&[
            ("r.example.com/ca.crt", ""),
            ("r.example.com/me.cert", ""),
            ("r.example.com/me.key", ""),
        ]);
        let (mirrors, warnings) = Mirrors::read(&[], Some(root.path())).unwrap();
        let Some(Route::Ask(endpoints)) =
            mirrors.route(&ImageRef::parse("r.example.com/a").unwrap())
        else {
            panic!()
        };
        let dir = root.path().join("r.example.com");
        assert_eq!(endpoints[0].host, "r.example.com");
        assert_eq!(endpoints[0].connection.ca_files, [dir.join("ca.crt")]);
        assert_eq!(
            endpoints[0].connection.client,
            [(dir.join("me.cert"), Some(dir.join("me.key")))]
        );
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn certificates_that_only_the_node_has_are_told_once() {
        let text =
            "server = \"https://m\"\nca = \"gone.crt\"\n[host.\"https://n\"]\nca = \"gone.crt\"";
        let root = tree(&[("docker.io/hosts.toml", text)]);
        let (_, warnings) = Mirrors::read(&[], Some(root.path())).unwrap();
        let [warning] = warnings.as_slice() else {
            panic!("{warnings:?}")
        };
        assert!(
            warning.contains("docker.io/gone.crt is not on this machine"),
            "{warning}"
        );
    }
}
