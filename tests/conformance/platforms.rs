//! Platforms: parsing, normalising, and which entry of an index each runtime chooses.

use archcheck::image::{Content, Digest, Index, IndexEntry, IndexFormat, Platform};
use archcheck::model::Version;
use archcheck::runtime::matcher::choose;
use archcheck::runtime::matcher::containerd::{LibraryVersion, Only, OnlyOs, Ordered};
use archcheck::runtime::matcher::crio::WantedPlatforms;
use archcheck::runtime::matcher::docker::DockerMatcher;
use archcheck::runtime::matcher::windows::WindowsMatcher;
use serde_json::Value;

use crate::{cases, report};

const ALL_LIBRARIES: [LibraryVersion; 6] = [
    LibraryVersion::InTree,
    LibraryVersion::V0_2,
    LibraryVersion::Rc0,
    LibraryVersion::Rc1,
    LibraryVersion::Rc2,
    LibraryVersion::Rc4,
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn platform(value: &Value) -> Platform {
    Platform {
        os: text(&value["os"]),
        architecture: text(&value["arch"]),
        variant: text(&value["variant"]),
        os_version: text(&value["os.version"]),
        os_features: value["os.features"]
            .as_array()
            .map(|features| features.iter().map(text).collect())
            .unwrap_or_default(),
    }
}

fn candidates(case: &Value) -> Vec<Option<Platform>> {
    case["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| (!candidate.is_null()).then(|| platform(candidate)))
        .collect()
}

/// An index with these entries.
fn index(case: &Value) -> Index {
    let zstd: Vec<u64> = case["zstd_annotated"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_u64).collect())
        .unwrap_or_default();
    let list = case["list_media_type"]
        .as_str()
        .is_some_and(|t| t.contains("docker"));
    Index {
        format: if list {
            IndexFormat::DockerList
        } else {
            IndexFormat::Oci
        },
        entries: candidates(case)
            .into_iter()
            .enumerate()
            .map(|(at, platform)| IndexEntry {
                digest: Digest::sha256_of(&at.to_be_bytes()),
                media_type: String::new(),
                platform,
                attestation: false,
                artifact_type: None,
                zstd: zstd.contains(&(at as u64)),
                content: Content::NotRead,
            })
            .collect(),
    }
}

/// The libraries that a unit test's expectation holds for.
fn libraries(case: &Value) -> Vec<LibraryVersion> {
    let versions = text(&case["containerd_versions"]);
    let since = if versions.contains(">=2.3") {
        LibraryVersion::Rc4
    } else if versions.contains(">=2.1") || versions.contains("26100 rows") {
        LibraryVersion::Rc1
    } else if versions.contains(">=2.0") {
        LibraryVersion::Rc0
    } else if versions.contains(">=1.7.19") || versions.contains("v0.2.1") {
        LibraryVersion::V0_2
    } else {
        LibraryVersion::InTree
    };
    ALL_LIBRARIES
        .into_iter()
        .filter(|library| *library >= since)
        .collect()
}

/// What our matcher chooses, for each library that the case is about; `None` for a matcher that is not known.
fn chosen(case: &Value, libraries: &[LibraryVersion]) -> Option<Vec<Option<usize>>> {
    let host = platform(&case["host"]);
    let list = candidates(case);
    let each = |choice: &dyn Fn(LibraryVersion) -> Option<usize>| {
        Some(libraries.iter().map(|library| choice(*library)).collect())
    };
    match case["matcher"].as_str().unwrap() {
        // The docker rows test containerd's matcher with a host that moby worked out.
        "Only" | "default" | "OnlyPlatformWithFallback (graphdriver, LOCAL image lookup)" => {
            each(&|library| choose(&Only::new(&host, library), &list))
        }
        "OnlyStrict"
        | "Ordered"
        | "NewMatcher"
        | "NewMatcher(windows)"
        | "NewMatcher(linux host spec)" => {
            each(&|library| choose(&Ordered::new(&host, library), &list))
        }
        "OnlyOS" => each(&|library| choose(&OnlyOs::new(&host, library), &list)),
        "windowsMatchComparer" | "checkWindowsHostAndContainerCompat" => {
            each(&|library| choose(&WindowsMatcher::with_library(&host, library), &list))
        }
        "ChooseInstance" | "WantedPlatforms" => {
            let gzip = case["prefer_gzip"].as_bool().unwrap_or(false);
            let wanted = WantedPlatforms::new(&host).preferring_gzip(gzip);
            Some(vec![wanted.choose(&index(case))])
        }
        "filterManifests" => Some(vec![
            DockerMatcher::new(&host, Some(Version::new(29, 7, 2))).choose(&list),
        ]),
        _ => None,
    }
}

fn run_matches(file: &str, expected: usize, libraries: impl Fn(&Value) -> Vec<LibraryVersion>) {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases(file) {
        let expect = case["expect"]
            .as_u64()
            .map(|at| usize::try_from(at).unwrap());
        let Some(got) = chosen(&case, &libraries(&case)) else {
            failures.push(format!("no such matcher: {}", case["matcher"]));
            continue;
        };
        ran += 1;
        if got.iter().any(|choice| *choice != expect) {
            failures.push(format!("got {got:?}: {case}"));
        }
    }
    report(&failures, ran, expected);
}

#[test]
fn matches_of_unit_tests() {
    run_matches("platform_match.json", 232, libraries);
}

#[test]
fn matches_that_were_executed() {
    run_matches("platform_match_executed.json", 250, |case| {
        vec![match case["runtime_version"].as_str().unwrap() {
            "containerd 1.7.19-1.7.34" => LibraryVersion::V0_2,
            "containerd 2.0.0-2.0.5" => LibraryVersion::Rc0,
            "containerd 2.0.6+/2.1" => LibraryVersion::Rc1,
            "containerd 2.2" => LibraryVersion::Rc2,
            _ => LibraryVersion::Rc4,
        }]
    });
}

#[test]
fn variants_are_ordered_where_the_test_gives_an_order() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("platform_match.json") {
        let Some(order) = case["wanted_order"].as_array() else {
            continue;
        };
        ran += 1;
        let host = platform(&case["host"]);
        let wanted = WantedPlatforms::new(&host);
        let ranks: Vec<_> = order
            .iter()
            .map(|variant| {
                wanted.rank(&Platform {
                    variant: text(variant),
                    ..host.clone()
                })
            })
            .collect();
        let ascending: Vec<_> = (0..order.len()).map(Some).collect();
        if ranks != ascending {
            failures.push(format!("{ranks:?}: {case}"));
        }
    }
    report(&failures, ran, 13);
}

#[test]
fn parsing() {
    let mut failures = Vec::new();
    let mut ran = 0;
    let host = Platform::new("linux", "amd64", "");
    let fill = |template: &str| {
        template
            .replace("$HOST_OS", &host.os)
            .replace("$HOST_ARCH", &host.architecture)
            .replace("/$HOST_VARIANT", "")
            .replace("$HOST_VARIANT", "")
    };
    for case in cases("platform_parse.json") {
        ran += 1;
        let got = Platform::parse_with_host(case["input"].as_str().unwrap(), &host);
        let expect = &case["expect"];
        let fits = match &got {
            Err(_) => expect == "error",
            Ok(_) if expect == "error" => false,
            Ok(read) => {
                let filled = Platform {
                    os: fill(&text(&expect["os"])),
                    architecture: fill(&text(&expect["arch"])),
                    variant: fill(&text(&expect["variant"])),
                    ..platform(expect)
                };
                let shown = match case["format"].as_str() {
                    Some("Format") => read.to_string() == fill(&text(&case["formatted"])),
                    Some(_) => read.format_all() == fill(&text(&case["formatted"])),
                    None => true,
                };
                let normal = &case["normalized"];
                let normalised = normal.is_null() || {
                    let ours = read.normalize(LibraryVersion::LATEST);
                    ours.os == text(&normal["os"])
                        && ours.architecture == text(&normal["arch"])
                        && ours.variant == text(&normal["variant"])
                };
                *read == filled && shown && normalised
            }
        };
        if !fits {
            failures.push(format!("got {got:?}: {case}"));
        }
    }
    report(&failures, ran, 65);
}

#[test]
fn normalising() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("platform_normalize_executed.json") {
        ran += 1;
        let got = platform(&case["input"]).normalize(LibraryVersion::LATEST);
        if got != platform(&case["expect"]) {
            failures.push(format!("got {got:?}: {case}"));
        }
    }
    report(&failures, ran, 13);
}
