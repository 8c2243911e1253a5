//! containerd/platforms `compare.go`: `Only`, `OnlyStrict` (= `Ordered`), `OnlyOS`, by the version of the library that a
//! containerd is built with.

use std::cmp::Reverse;

use super::windows::WindowsMatcher;
use super::{Matcher, Rank};
use crate::image::Platform;
use crate::model::Version;

/// Versions of containerd/platforms that behave differently (go.mod at each tag of containerd).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LibraryVersion {
    /// In-tree `platforms/`: containerd 1.6, 1.7.0 to 1.7.18.
    InTree,
    /// v0.2.1: containerd 1.7.19 and newer 1.7.
    V0_2,
    /// v1.0.0-rc.0: containerd 2.0.0 to 2.0.5. arm64 v8.x and v9.x are ordered, `v8.0` and `v9.0` are aliases.
    Rc0,
    /// v1.0.0-rc.1: containerd 2.0.6 and newer 2.0, 2.1.
    Rc1,
    /// v1.0.0-rc.2: containerd 2.2.
    Rc2,
    /// v1.0.0-rc.4: containerd 2.3. `os.features` of an image must be a subset of the host's.
    Rc4,
}

impl LibraryVersion {
    /// The newest that is known.
    pub const LATEST: Self = Self::Rc4;

    /// The library of a containerd version; the newest for one that is not known.
    #[must_use]
    pub fn of(containerd: Option<Version>) -> Self {
        let Some(version) = containerd else {
            return Self::LATEST;
        };
        let starting = |major, minor, patch| version >= Version::new(major, minor, patch);
        if starting(2, 3, 0) {
            Self::Rc4
        } else if starting(2, 2, 0) {
            Self::Rc2
        } else if starting(2, 0, 6) {
            Self::Rc1
        } else if starting(2, 0, 0) {
            Self::Rc0
        } else if starting(1, 7, 19) {
            Self::V0_2
        } else {
            Self::InTree
        }
    }
}

impl Platform {
    /// The platform as this version of the library compares it.
    #[must_use]
    pub fn normalize(&self, library: LibraryVersion) -> Self {
        self.normalized(library >= LibraryVersion::Rc0)
    }
}

/// What containerd on a node takes for its own platform (`defaults_unix.go DefaultSpec`): no variant on amd64; on arm64
/// always v8, as the kernel prints "CPU architecture: 8"; on arm what the CPU has, v7 where nobody says.
#[must_use]
pub fn host_spec(node: &Platform) -> Platform {
    let variant = match node.architecture.as_str() {
        "arm64" => "v8",
        "arm" if node.variant.is_empty() => "v7",
        "arm" => &node.variant,
        _ => "",
    };
    Platform {
        variant: variant.to_owned(),
        ..node.clone()
    }
}

/// `Only(host)`: the host's platform, then lesser ones that it can run.
#[derive(Debug, Clone)]
pub struct Only {
    accepted: Vec<Platform>,
    exact: Exact,
}

/// `OnlyStrict(host)` and `Ordered(host)`: equal after normalisation.
#[derive(Debug, Clone)]
pub struct Ordered {
    host: Platform,
    exact: Exact,
}

/// `OnlyOS(host)`: OS, OS version and features (rc.4: what the transfer service unpacks).
#[derive(Debug, Clone)]
pub struct OnlyOs {
    host: Platform,
    exact: Exact,
}

impl Only {
    /// A matcher for a host.
    #[must_use]
    pub fn new(host: &Platform, library: LibraryVersion) -> Self {
        let exact = Exact::new(host, library);
        Self {
            accepted: platform_vector(&host.normalize(library), library),
            exact,
        }
    }
}

impl Matcher for Only {
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        let normal = self.exact.normal(candidate);
        let (features, os_version) = self.exact.os(&normal)?;
        let at = self
            .accepted
            .iter()
            .position(|accepted| same_cpu(accepted, &normal))?;
        Some((at, features, os_version))
    }
}

impl Ordered {
    /// A matcher for a host.
    #[must_use]
    pub fn new(host: &Platform, library: LibraryVersion) -> Self {
        Self {
            host: host.normalize(library),
            exact: Exact::new(host, library),
        }
    }
}

impl Matcher for Ordered {
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        let normal = self.exact.normal(candidate);
        let (features, os_version) = self.exact.os(&normal)?;
        same_cpu(&self.host, &normal).then_some((0, features, os_version))
    }
}

impl OnlyOs {
    /// A matcher for a host.
    #[must_use]
    pub fn new(host: &Platform, library: LibraryVersion) -> Self {
        Self {
            host: host.normalize(library),
            exact: Exact::new(host, library),
        }
    }
}

impl Matcher for OnlyOs {
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        let normal = self.exact.normal(candidate);
        let (features, os_version) = self.exact.os(&normal)?;
        Some((
            usize::from(!same_cpu(&self.host, &normal)),
            features,
            os_version,
        ))
    }
}

/// What all of them compare alike: OS, OS version on Windows, OS features.
#[derive(Debug, Clone)]
struct Exact {
    os: String,
    features: Vec<String>,
    windows: Option<WindowsMatcher>,
    library: LibraryVersion,
}

impl Exact {
    fn new(host: &Platform, library: LibraryVersion) -> Self {
        let normal = host.normalize(library);
        let windows =
            (normal.os == "windows").then(|| WindowsMatcher::with_library(&normal, library));
        Self {
            os: normal.os,
            features: normal.os_features,
            windows,
            library,
        }
    }

    /// A missing OS is the host's.
    fn normal(&self, candidate: &Platform) -> Platform {
        let mut normal = candidate.normalize(self.library);
        if normal.os.is_empty() {
            normal.os.clone_from(&self.os);
        }
        normal
    }

    /// More features, and on Windows the higher version, are preferred.
    fn os(&self, candidate: &Platform) -> Option<(Reverse<usize>, Reverse<String>)> {
        if candidate.os != self.os {
            return None;
        }
        let mut os_version = String::new();
        if let Some(windows) = &self.windows {
            if !windows.accepts(&candidate.os_version) {
                return None;
            }
            os_version.clone_from(&candidate.os_version);
        }
        if self.library < LibraryVersion::Rc4 {
            return Some((Reverse(0), Reverse(os_version)));
        }
        // `win32k` is stripped from images for Windows hosts (platforms.go).
        let wanted: Vec<&String> = candidate
            .os_features
            .iter()
            .filter(|feature| self.windows.is_none() || *feature != "win32k")
            .collect();
        let has_all = wanted.iter().all(|feature| self.features.contains(feature));
        has_all.then_some((Reverse(wanted.len()), Reverse(os_version)))
    }
}

fn same_cpu(a: &Platform, b: &Platform) -> bool {
    a.architecture == b.architecture && a.variant == b.variant
}

/// `platformVector`: what a host accepts, best first. Expects a normalised host.
fn platform_vector(host: &Platform, library: LibraryVersion) -> Vec<Platform> {
    let with = |architecture: &str, variant: String| {
        Platform::new(&host.os, architecture, &variant).normalize(library)
    };
    let arm_from = |highest: u32| {
        (5..=highest)
            .rev()
            .map(move |v| with("arm", format!("v{v}")))
    };
    let number = |variant: &str| {
        variant
            .strip_prefix('v')
            .and_then(|v| v.parse::<u32>().ok())
    };
    let mut vector = vec![host.clone()];
    match host.architecture.as_str() {
        "amd64" => {
            let level = number(&host.variant).unwrap_or(1);
            vector.extend((1..level).rev().map(|v| with("amd64", format!("v{v}"))));
            vector.push(with("386", String::new()));
        }
        "arm" => {
            let version = number(&host.variant).unwrap_or(7);
            vector.extend(arm_from(version.saturating_sub(1)));
        }
        "arm64" if host.variant.is_empty() => vector.extend(arm_from(8)),
        "arm64" if library >= LibraryVersion::Rc0 => match arm64_versions(&host.variant) {
            Some(versions) => {
                vector = versions
                    .into_iter()
                    .map(|variant| with("arm64", variant))
                    .collect();
                vector.extend(arm_from(8));
            }
            None => vector.clear(),
        },
        _ => {}
    }
    vector
}

/// The arm64 versions that a v8.x or v9.x CPU runs, best first (`compare.go`): v9.x includes v8.(x+5).
fn arm64_versions(variant: &str) -> Option<Vec<String>> {
    let version = variant.strip_prefix('v')?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let write = |major: u32, minor: u32| match minor {
        0 => format!("v{major}"),
        minor => format!("v{major}.{minor}"),
    };
    let down = |major: u32, from: u32| (0..=from).rev().map(move |minor| write(major, minor));
    match (major, minor) {
        (8, 0..=9) => Some(down(8, minor).collect()),
        (9, 0..=9) => Some(down(9, minor).chain(down(8, (minor + 5).min(9))).collect()),
        _ => None,
    }
}
