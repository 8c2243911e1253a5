//! `registries.conf` of CRI-O and podman (containers-registries.conf(5); containers/image
//! `pkg/sysregistriesv2/system_registries_v2.go`). OpenShift's mirror sets and `--mirror` become such entries as well.

use std::collections::BTreeMap;

use super::toml_file::{File, Table};
use super::{Connection, Endpoint, MirrorConfigError, Route, Schemes};
use crate::image::ImageRef;

/// What each prefix of names is asked of.
#[derive(Debug, Clone, Default)]
pub(super) struct RegistriesConf {
    pub(super) registries: Vec<Registry>,
}

/// A `[[registry]]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registry {
    /// The names that it is about: a registry, a path below one, or `*.` and a domain.
    pub(super) prefix: String,
    /// What takes the prefix's place; the prefix itself, where it is a domain with an asterisk.
    pub(super) location: Option<String>,
    pub(super) insecure: bool,
    pub(super) blocked: bool,
    pub(super) mirrors: Vec<Mirror>,
    /// File and line, for messages.
    pub(super) place: String,
}

/// A `[[registry.mirror]]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) location: String,
    pub(super) insecure: bool,
    pub(super) serves: Serves,
}

/// Which references a mirror is asked for (`pull-from-mirror`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    All,
    Digests,
    Tags,
}

impl RegistriesConf {
    /// Whom CRI-O asks: the mirrors of the longest prefix, then its location; none that is blocked
    /// (`docker/docker_image_src.go` `newImageSource`, `docker_client.go` `newDockerClient`).
    pub(super) fn route(&self, image: &ImageRef) -> Option<Route> {
        let name = name_of(image)?;
        let registry = self.find(&name)?;
        let rest = name.get(matching(&name, &registry.prefix)?..)?;
        let fits = |mirror: &&Mirror| match mirror.serves {
            Serves::All => true,
            Serves::Digests => image.digest.is_some(),
            Serves::Tags => image.digest.is_none(),
        };
        let mirrors = registry.mirrors.iter().filter(fits);
        let mut places: Vec<(String, bool)> = mirrors
            .map(|mirror| (format!("{}{rest}", mirror.location), mirror.insecure))
            .collect();
        let own = match &registry.location {
            Some(location) => format!("{location}{rest}"),
            None => name.clone(),
        };
        places.push((own, registry.insecure));
        let mut endpoints = Vec::new();
        let mut refused = None;
        for (place, insecure) in places {
            // The place that a name is rewritten to may be blocked by an entry of its own.
            let blocked = self.find(&place).filter(|registry| registry.blocked);
            match (blocked, endpoint(&place, insecure)) {
                (None, Some(endpoint)) => endpoints.push(endpoint),
                (Some(by), _) => {
                    refused = Some(format!("{} is blocked ({})", by.prefix, by.place));
                }
                (None, None) => {
                    refused.get_or_insert_with(|| {
                        format!("{place} is no image name ({})", registry.place)
                    });
                }
            }
        }
        if endpoints.is_empty() {
            return refused.map(Route::Forbidden);
        }
        Some(Route::Ask(endpoints))
    }

    /// The entry with the longest prefix.
    fn find(&self, name: &str) -> Option<&Registry> {
        let mut best: Option<&Registry> = None;
        for registry in &self.registries {
            let longer = best.is_none_or(|best| registry.prefix.len() > best.prefix.len());
            if longer && matching(name, &registry.prefix).is_some() {
                best = Some(registry);
            }
        }
        best
    }

    /// The entry of exactly this prefix, made where there is none.
    pub(super) fn entry(&mut self, prefix: &str, place: &str) -> &mut Registry {
        let at = self.registries.iter().position(|r| r.prefix == prefix);
        let at = at.unwrap_or_else(|| {
            self.registries.push(Registry {
                prefix: prefix.to_owned(),
                location: (!prefix.starts_with("*.")).then(|| prefix.to_owned()),
                insecure: false,
                blocked: false,
                mirrors: Vec::new(),
                place: place.to_owned(),
            });
            self.registries.len() - 1
        });
        &mut self.registries[at]
    }

    /// Adds a drop-in: entries of the same prefix are replaced whole (`updateWithConfigurationFrom`).
    pub(super) fn drop_in(&mut self, later: Self) {
        let mut merged: BTreeMap<String, Registry> = BTreeMap::new();
        for registry in std::mem::take(&mut self.registries)
            .into_iter()
            .chain(later.registries)
        {
            merged.insert(registry.prefix.clone(), registry);
        }
        self.registries = merged.into_values().collect();
    }

    /// Reads a file; drop-ins must be of version 2.
    pub(super) fn read(file: File<'_>, drop_in: bool) -> Result<Self, MirrorConfigError> {
        let table = file.parse()?;
        let old = table.table("registries")?;
        let registries = table.tables("registry")?;
        if let Some(old) = old {
            if drop_in || !registries.is_empty() {
                return Err(old.error(
                    "[registries] is the old format, which can't be used in a drop-in or beside [[registry]]",
                ));
            }
            return read_old(&old, file);
        }
        let mut conf = Self::default();
        for table in &registries {
            conf.registries.push(read_registry(table, file)?);
        }
        conf.check(&registries)?;
        Ok(conf)
    }

    /// One location must not be insecure or blocked in one entry and not in another.
    fn check(&self, tables: &[Table<'_>]) -> Result<(), MirrorConfigError> {
        let location = |registry: &Registry| {
            registry
                .location
                .clone()
                .unwrap_or_else(|| registry.prefix.clone())
        };
        for (at, (registry, table)) in self.registries.iter().zip(tables).enumerate() {
            let earlier = self.registries.get(..at).unwrap_or_default();
            let same = earlier.iter().filter(|r| location(r) == location(registry));
            for other in same {
                let conflict = match () {
                    () if other.insecure != registry.insecure => "insecure",
                    () if other.blocked != registry.blocked => "blocked",
                    () => continue,
                };
                return Err(table.error(format!(
                    "{} has another value of {conflict} than at {}",
                    location(registry),
                    other.place
                )));
            }
        }
        Ok(())
    }
}

fn read_registry(table: &Table<'_>, file: File<'_>) -> Result<Registry, MirrorConfigError> {
    let text = |key: &str| location_of(table, key);
    let (prefix, location) = (text("prefix")?, text("location")?);
    let place = place(table, file);
    let prefix = match (prefix, &location) {
        (Some(prefix), _) => prefix,
        (None, Some(location)) => location.clone(),
        (None, None) => return Err(table.error("a registry needs a location or a prefix")),
    };
    if let Some(domain) = prefix.strip_prefix("*.") {
        if domain.contains(['/', '@', ':']) {
            return Err(table.error(format!("prefix {prefix}: after *. comes a domain alone")));
        }
    } else if location.is_none() {
        return Err(table.error(format!(
            "the registry with prefix {prefix} needs a location"
        )));
    }
    if table.value("pull-from-mirror").is_some() {
        return Err(table.error("pull-from-mirror belongs into [[registry.mirror]]"));
    }
    let by_digest = table.flag("mirror-by-digest-only")?.unwrap_or(false);
    let mut mirrors = Vec::new();
    for mirror in table.tables("mirror")? {
        let location = location_of(&mirror, "location")?
            .ok_or_else(|| mirror.error("a mirror needs a location"))?;
        let serves = mirror.text("pull-from-mirror")?;
        let serves = match serves.as_ref().map(|at| (at, at.value.as_str())) {
            None | Some((_, "")) if by_digest => Serves::Digests,
            None | Some((_, "")) => Serves::All,
            Some((at, _)) if by_digest => {
                let detail = "pull-from-mirror can't be used with mirror-by-digest-only";
                return Err(mirror.error_at(at, detail));
            }
            Some((_, "all")) => Serves::All,
            Some((_, "digest-only")) => Serves::Digests,
            Some((_, "tag-only")) => Serves::Tags,
            Some((at, other)) => {
                let detail = format!(
                    "pull-from-mirror is {other:?}, and must be all, digest-only or tag-only"
                );
                return Err(mirror.error_at(at, detail));
            }
        };
        mirrors.push(Mirror {
            location,
            insecure: mirror.flag("insecure")?.unwrap_or(false),
            serves,
        });
    }
    Ok(Registry {
        prefix,
        location,
        insecure: table.flag("insecure")?.unwrap_or(false),
        blocked: table.flag("blocked")?.unwrap_or(false),
        mirrors,
        place,
    })
}

/// Version 1, which knows no mirrors (`ConvertToV2`).
fn read_old(old: &Table<'_>, file: File<'_>) -> Result<RegistriesConf, MirrorConfigError> {
    let mut conf = RegistriesConf::default();
    for (kind, blocked) in [("block", true), ("insecure", false)] {
        let Some(table) = old.table(kind)? else {
            continue;
        };
        let place = place(&table, file);
        for location in table.texts("registries")?.unwrap_or_default() {
            let entry = conf.entry(location.value.trim_end_matches('/'), &place);
            entry.blocked |= blocked;
            entry.insecure |= !blocked;
        }
    }
    Ok(conf)
}

/// A prefix or location: without a scheme, and without slashes at its end.
fn location_of(table: &Table<'_>, key: &str) -> Result<Option<String>, MirrorConfigError> {
    let Some(at) = table.text(key)? else {
        return Ok(None);
    };
    let text = at.value.trim_end_matches('/');
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(table.error_at(&at, format!("{key} {text} must come without a scheme")));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn place(table: &Table<'_>, file: File<'_>) -> String {
    let line = table.error("").line;
    let line = line.map_or_else(String::new, |line| format!(":{line}"));
    format!("{}{line}", file.path)
}

/// `registry/repository`.
fn name_of(image: &ImageRef) -> Option<String> {
    Some(format!("{}/{}", image.registry.as_ref()?, image.repository))
}

/// Where the part of a name ends that a prefix matches (`refMatchingPrefix`): at a separator, or at the end. `*.` stands
/// for any subdomain.
fn matching(name: &str, prefix: &str) -> Option<usize> {
    let end = match prefix.strip_prefix('*') {
        Some(domain) if domain.starts_with('.') => {
            let start = name.find(domain)?;
            if name.get(..start)?.contains('/') {
                return None;
            }
            start + domain.len()
        }
        _ => name.starts_with(prefix).then_some(prefix.len())?,
    };
    match name.as_bytes().get(end) {
        None | Some(b':' | b'/' | b'@') => Some(end),
        Some(_) => None,
    }
}

/// The endpoint for a full name; nothing for a text that is none.
fn endpoint(name: &str, insecure: bool) -> Option<Endpoint> {
    let image = ImageRef::parse_normalized(name).ok()?;
    // A name without a host would silently become one of Docker Hub's.
    if name_of(&image)? != name {
        return None;
    }
    let own = Endpoint::own(&image)?;
    Some(Endpoint {
        connection: Connection {
            schemes: if insecure {
                Schemes::HttpsThenHttp
            } else {
                Schemes::Usual
            },
            skip_verify: insecure,
            ..Connection::default()
        },
        ..own
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn read(text: &str) -> Result<RegistriesConf, MirrorConfigError> {
        let path = "registries.conf";
        RegistriesConf::read(File { path, text }, false)
    }

    fn asked(conf: &RegistriesConf, image: &str) -> Vec<String> {
        match conf.route(&ImageRef::parse(image).unwrap()) {
            None => vec!["not configured".to_owned()],
            Some(Route::Forbidden(why)) => vec![why],
            Some(Route::Ask(endpoints)) => endpoints
                .iter()
                .map(|endpoint| {
                    let insecure = if endpoint.connection.skip_verify {
                        " insecure"
                    } else {
                        ""
                    };
                    format!("{}/{}{insecure}", endpoint.host, endpoint.repository)
                })
                .collect(),
        }
    }

    #[test]
    fn names_are_rewritten_and_mirrors_tried_first() {
        // The example of containers-registries.conf(5).
        let manual = r#"
unqualified-search-registries = ["example.com"]

[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"

[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"

[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true

[[registry]]
location = "registry.com"

[[registry.mirror]]
location = "mirror.registry.com"
"#;
        let limited = r#"
[[registry]]
location = "quay.io"
[[registry.mirror]]
location = "digests.local"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.local"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "both.local"
pull-from-mirror = "all"
[[registry]]
location = "ghcr.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m.local"
"#;
        let wild = "[[registry]]\nprefix = \"*.example.com\"\n[[registry.mirror]]\nlocation = \"m.local/x\"\n";
        for (what, text, image, expected) in [
            (
                "the manual's example",
                manual,
                "example.com/foo/image:latest",
                vec![
                    "example-mirror-0.local/mirror-for-foo/image",
                    "example-mirror-1.local/mirrors/foo/image insecure",
                    "internal-registry-for-example.com/bar/image",
                ],
            ),
            (
                "mirrors are for their own table alone",
                manual,
                "registry.com/image:latest",
                vec!["mirror.registry.com/image", "registry.com/image"],
            ),
            (
                "no table",
                manual,
                "example.com/other:1",
                vec!["not configured"],
            ),
            (
                "a prefix ends at a slash",
                manual,
                "example.com/food:1",
                vec!["not configured"],
            ),
            (
                "tags",
                limited,
                "quay.io/a:1",
                vec!["tags.local/a", "both.local/a", "quay.io/a"],
            ),
            (
                "digests",
                limited,
                &format!("quay.io/a:1@{DIGEST}"),
                vec!["digests.local/a", "both.local/a", "quay.io/a"],
            ),
            ("by digest only", limited, "ghcr.io/a:1", vec!["ghcr.io/a"]),
            (
                "by digest only",
                limited,
                &format!("ghcr.io/a@{DIGEST}"),
                vec!["m.local/a", "ghcr.io/a"],
            ),
            (
                "any subdomain",
                wild,
                "a.b.example.com/r:1",
                vec!["m.local/x/r", "a.b.example.com/r"],
            ),
            (
                "but not the domain",
                wild,
                "example.com/r:1",
                vec!["not configured"],
            ),
            (
                "nor a path of that name",
                wild,
                "quay.io/a.example.com/r:1",
                vec!["not configured"],
            ),
            (
                "Docker Hub's library is part of the name",
                "[[registry]]\nprefix = \"docker.io/library\"\nlocation = \"quay.io/lib\"",
                "nginx",
                vec!["quay.io/lib/nginx"],
            ),
            (
                "Docker Hub answers elsewhere",
                "[[registry]]\nprefix = \"h.local\"\nlocation = \"docker.io/acme\"",
                "h.local/a:1",
                vec!["registry-1.docker.io/acme/a"],
            ),
            (
                "blocked",
                "[[registry]]\nlocation = \"docker.io\"\nblocked = true",
                "nginx",
                vec!["docker.io is blocked (registries.conf:1)"],
            ),
            (
                "a blocked registry still has its mirrors",
                "[[registry]]\nlocation = \"docker.io\"\nblocked = true\n[[registry.mirror]]\nlocation = \"m.local\"",
                "nginx",
                vec!["m.local/library/nginx"],
            ),
            (
                "a location can be blocked by another table",
                "[[registry]]\nprefix = \"a.b\"\nlocation = \"c.d\"\n[[registry]]\nlocation = \"c.d\"\nblocked = false\n[[registry]]\nprefix = \"c.d/x\"\nlocation = \"e.f\"\nblocked = true",
                "a.b/x/y:1",
                vec!["c.d/x is blocked (registries.conf:7)"],
            ),
            (
                "version 1",
                "[registries.search]\nregistries = ['docker.io']\n[registries.block]\nregistries = ['evil.com']\n[registries.insecure]\nregistries = ['i.local']",
                "evil.com/a:1",
                vec!["evil.com is blocked (registries.conf:3)"],
            ),
            (
                "a location that is no host",
                "[[registry]]\nprefix = \"a.b\"\nlocation = \"nowhere\"",
                "a.b/x:1",
                vec!["nowhere/x is no image name (registries.conf:1)"],
            ),
        ] {
            let conf = read(text).unwrap();
            assert_eq!(asked(&conf, image), expected, "{what}: {image}");
        }
    }

    #[test]
    fn drop_ins_replace_what_has_the_same_prefix() {
        let mut conf = read("[[registry]]\nlocation = \"a.b\"\n[[registry.mirror]]\nlocation = \"m.a\"\n[[registry]]\nlocation = \"c.d\"\n[[registry.mirror]]\nlocation = \"m.c\"").unwrap();
        conf.drop_in(read("[[registry]]\nlocation = \"a.b\"\ninsecure = true").unwrap());
        assert_eq!(asked(&conf, "a.b/x"), ["a.b/x insecure"]);
        assert_eq!(asked(&conf, "c.d/x"), ["m.c/x", "c.d/x"]);
    }

    #[test]
    fn mistakes_are_told_with_file_and_line() {
        for (text, says) in [
            ("[[registry]]\nlocation = ", "registries.conf:2: "),
            (
                "\n[[registry]]\n",
                "registries.conf:2: a registry needs a location or a prefix",
            ),
            (
                "[[registry]]\nprefix = \"a.b\"",
                "registries.conf:1: the registry with prefix a.b needs a location",
            ),
            (
                "[[registry]]\nprefix = \"*.a.b/c\"",
                "registries.conf:1: prefix *.a.b/c",
            ),
            (
                "[[registry]]\nlocation = \"https://a.b\"",
                "registries.conf:2: location https://a.b must come without a scheme",
            ),
            (
                "[[registry]]\nlocation = \"a.b\"\npull-from-mirror = \"all\"",
                "registries.conf:1: pull-from-mirror belongs",
            ),
            (
                "[[registry]]\nlocation = \"a.b\"\n[[registry.mirror]]\n",
                "registries.conf:3: a mirror needs a location",
            ),
            (
                "[[registry]]\nlocation = \"a.b\"\n[[registry.mirror]]\nlocation = \"m\"\npull-from-mirror = \"digests\"",
                "registries.conf:5: pull-from-mirror is \"digests\"",
            ),
            (
                "[[registry]]\nlocation = \"a.b\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m\"\npull-from-mirror = \"all\"",
                "registries.conf:6: pull-from-mirror can't be used",
            ),
            (
                "[[registry]]\nlocation = \"a.b\"\n[[registry]]\nprefix = \"c.d\"\nlocation = \"a.b\"\ninsecure = true",
                "registries.conf:3: a.b has another value of insecure than at registries.conf:1",
            ),
            (
                "registry = 1",
                "registries.conf:1: registry must be an array of tables",
            ),
            (
                "[registries.search]\nregistries = []\n[[registry]]\nlocation = \"a.b\"",
                "registries.conf:1: [registries] is the old format",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\[\\[registry\\]\\]\n|prefix = \"[*.a-z/:@]{0,9}\"\n|location = \"[.a-z/]{0,9}\"\n|blocked = true\n|\\PC{0,5}){0,6}") {
            if let Ok(conf) = read(&text) {
                for image in ["nginx", "a.b/c:1", "x.example.com/a/b"] {
                    let _ = conf.route(&ImageRef::parse(image).unwrap());
                }
            }
        }
    }
}
