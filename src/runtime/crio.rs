//! CRI-O (containers/image): entries are compared byte for byte (runtime.md §2, §10).

use super::child;
use super::containerd::offers;
use super::matcher::crio::{WantedPlatforms, host_spec};
use super::outcome::{Cause, Certainty, NodeClass, Outcome};
use super::single::{self};
use crate::image::{
    ConfigFacts, Content, ImageFacts, Index, IndexFormat, ManifestFacts, Platform, Shape,
};
use crate::model::Version;

/// What CRI-O of the class's version does.
pub(super) fn outcome(image: &ImageFacts, class: &NodeClass) -> Outcome {
    match &image.shape {
        // Still accepted and converted.
        Shape::Schema1 { architecture } => single::outcome(
            &Platform::new("linux", architecture.as_deref().unwrap_or_default(), ""),
            class,
        ),
        Shape::Manifest(manifest) => self::manifest(manifest, class),
        Shape::Index(index) => self::index(index, class),
    }
}

/// Which entry it follows.
pub(super) fn pick(index: &Index, class: &NodeClass) -> Option<usize> {
    WantedPlatforms::new(&host_spec(&class.platform)).choose(index)
}

/// Its words for a manifest that the registry does not have.
const NOT_THERE: &str = "manifest unknown";

fn before(class: &NodeClass, major: u32, minor: u32) -> bool {
    class
        .runtime
        .version
        .is_some_and(|version| version < Version::new(major, minor, 0))
}

fn manifest(manifest: &ManifestFacts, class: &NodeClass) -> Outcome {
    match &manifest.config {
        ConfigFacts::Image(platform) => single::outcome(platform, class),
        // Row 19: from 1.33 on the pull falls back to "OCI artifact", which has nothing to start.
        ConfigFacts::Artifact(kind) if before(class, 1, 33) => Outcome::pull_fails(
            Certainty::Certain,
            Cause::Unsupported,
            format!("this is no container image but {kind}"),
            "parsing image configuration",
        ),
        ConfigFacts::Artifact(kind) => Outcome::create_fails(
            Certainty::Likely,
            Cause::Unsupported,
            format!("this is no container image but {kind}"),
            "CreateContainerError",
            "",
        ),
        ConfigFacts::Unreadable(why) => {
            Outcome::unknown(format!("the image's config could not be read: {why}"))
        }
    }
}

fn index(index: &Index, class: &NodeClass) -> Outcome {
    let host = host_spec(&class.platform);
    let Some(entry) = pick(index, class).and_then(|at| index.entries.get(at)) else {
        return Outcome::pull_fails(
            Certainty::Certain,
            Cause::NoMatch,
            offers(index),
            no_image_found(index.format, &host, before(class, 1, 30)),
        );
    };
    match (&entry.platform, &entry.content) {
        // Row 17.
        (_, Content::Index(_)) => Outcome::pull_fails(
            Certainty::Certain,
            Cause::Unsupported,
            "the entry for this node is another index, which CRI-O refuses".to_owned(),
            "Unexpectedly received a manifest list instead of a manifest for a single image",
        ),
        (Some(platform), _) => child::outcome(platform, entry, Outcome::runs(), NOT_THERE),
        (None, Content::Missing) => child::missing(entry, NOT_THERE),
        // Row 12: a last resort that is taken with no look at its config.
        (None, Content::Manifest(manifest)) => self::manifest(manifest, class),
        (None, Content::NotRead) => {
            Outcome::unknown("an index entry names no platform and was not read".to_owned())
        }
        (None, Content::Unreadable(why)) => Outcome::unknown(format!(
            "an index entry names no platform and could not be read: {why}"
        )),
    }
}

/// The platform in this text is the node's. Values are quoted from CRI-O 1.30 on (messages.json).
fn no_image_found(format: IndexFormat, host: &Platform, unquoted: bool) -> String {
    let document = match format {
        IndexFormat::Oci => "image index",
        IndexFormat::DockerList => "manifest list",
    };
    let Platform {
        os,
        architecture,
        variant,
        ..
    } = host;
    if unquoted {
        format!(
            r#"no image found in {document} for architecture {architecture}, variant "{variant}", OS {os}"#
        )
    } else {
        format!(
            r#"no image found in {document} for architecture "{architecture}", variant "{variant}", OS "{os}""#
        )
    }
}
