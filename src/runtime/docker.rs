//! Docker Engine behind cri-dockerd or dockershim (runtime.md §3, §10).

use super::child;
use super::containerd::offers;
use super::matcher::containerd::LibraryVersion;
use super::matcher::docker::{DockerMatcher, host_spec};
use super::outcome::{Cause, Certainty, NodeClass, Outcome};
use super::single::{self, Speaks, lesser_platform, speaks};
use crate::image::{ConfigFacts, Content, ImageFacts, Index, ManifestFacts, Platform, Shape};
use crate::model::Version;

/// What Docker of the class's version does.
pub(super) fn outcome(image: &ImageFacts, class: &NodeClass) -> Outcome {
    match &image.shape {
        Shape::Schema1 { architecture } => schema1(architecture.as_deref(), class),
        Shape::Manifest(manifest) => self::manifest(manifest, class),
        Shape::Index(index) => self::index(index, class),
    }
}

/// Its words for a manifest that the registry does not have.
const NOT_THERE: &str = "manifest unknown";

/// Which entry it follows: for amd64 one for a higher level as well, which its CPU may have (row 7).
pub(super) fn pick(index: &Index, class: &NodeClass) -> Option<usize> {
    let host = host_spec(&class.platform);
    let candidates: Vec<_> = index
        .entries
        .iter()
        .map(|entry| entry.platform.clone())
        .collect();
    let plain = DockerMatcher::new(&host, class.runtime.version).choose(&candidates);
    plain.or_else(|| {
        let best = Platform {
            variant: "v4".to_owned(),
            ..host
        };
        (best.architecture == "amd64")
            .then(|| DockerMatcher::new(&best, class.runtime.version).choose(&candidates))
            .flatten()
    })
}

fn before(class: &NodeClass, major: u32) -> bool {
    class
        .runtime
        .version
        .is_some_and(|version| version < Version::new(major, 0, 0))
}

/// Row 20.
fn schema1(architecture: Option<&str>, class: &NodeClass) -> Outcome {
    if before(class, 26) {
        return single::outcome(
            &Platform::new("linux", architecture.unwrap_or_default(), ""),
            class,
        );
    }
    let reason =
        "the image is stored as Docker schema 1, which this Docker no longer reads".to_owned();
    if before(class, 29) {
        return Outcome::pull_fails(
            Certainty::Likely,
            Cause::Unsupported,
            reason,
            "schema 1 support is disabled by default and will be removed in an upcoming release",
        );
    }
    Outcome::pull_fails(
        Certainty::Certain,
        Cause::Unsupported,
        reason,
        "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed.",
    )
}

fn manifest(manifest: &ManifestFacts, class: &NodeClass) -> Outcome {
    match &manifest.config {
        ConfigFacts::Image(platform) => single::outcome(platform, class),
        ConfigFacts::Artifact(kind) => Outcome::pull_fails(
            Certainty::Certain,
            Cause::Unsupported,
            format!("this is no container image but {kind}"),
            "unsupported media type",
        ),
        ConfigFacts::Unreadable(why) => {
            Outcome::unknown(format!("the image's config could not be read: {why}"))
        }
    }
}

fn index(index: &Index, class: &NodeClass) -> Outcome {
    let host = host_spec(&class.platform);
    let candidates: Vec<_> = index
        .entries
        .iter()
        .map(|entry| entry.platform.clone())
        .collect();
    let version = class.runtime.version;
    let Some(at) = DockerMatcher::new(&host, version).choose(&candidates) else {
        return beyond_plain(index, &candidates, &host, class);
    };
    let Some(entry) = index.entries.get(at) else {
        return no_match(index, class);
    };
    match (&entry.platform, &entry.content) {
        (_, Content::Index(nested)) => self::index(nested, class),
        (Some(platform), _) => {
            child::outcome(platform, entry, lesser_or_equal(platform, class), NOT_THERE)
        }
        (None, Content::Missing) => child::missing(entry, NOT_THERE),
        // Row 12: the graphdriver store takes it blindly.
        (None, Content::Manifest(manifest)) => self::manifest(manifest, class),
        (None, Content::NotRead) => {
            Outcome::unknown("an index entry names no platform and was not read".to_owned())
        }
        (None, Content::Unreadable(why)) => Outcome::unknown(format!(
            "an index entry names no platform and could not be read: {why}"
        )),
    }
}

/// Row 7: from 23 on Docker asks the real CPU, so amd64/v2 to v4 may do although plain amd64 is missing.
fn beyond_plain(
    index: &Index,
    candidates: &[Option<Platform>],
    host: &Platform,
    class: &NodeClass,
) -> Outcome {
    let best = Platform {
        variant: "v4".to_owned(),
        ..host.clone()
    };
    if host.architecture != "amd64" || before(class, 23) {
        return no_match(index, class);
    }
    match DockerMatcher::new(&best, class.runtime.version)
        .choose(candidates)
        .and_then(|at| candidates.get(at))
    {
        Some(Some(platform)) => Outcome::depends(format!(
            "the image is built for {platform}, and the node's CPU level can't be seen"
        )),
        _ => no_match(index, class),
    }
}

fn no_match(index: &Index, class: &NodeClass) -> Outcome {
    Outcome::pull_fails(
        Certainty::Certain,
        Cause::NoMatch,
        offers(index),
        format!(
            "no matching manifest for {} in the manifest list entries",
            host_spec(&class.platform).format_all()
        ),
    )
}

fn lesser_or_equal(platform: &Platform, class: &NodeClass) -> Outcome {
    let image = platform.normalize(LibraryVersion::LATEST);
    let node = class.platform.normalize(LibraryVersion::LATEST);
    match speaks(&node, &image) {
        Speaks::IfThirtyTwoBit => Outcome::fallback(lesser_platform(&node, &image)),
        Speaks::Natively | Speaks::IfCpuHas | Speaks::Not => Outcome::runs(),
    }
}
