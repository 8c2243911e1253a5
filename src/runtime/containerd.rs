//! containerd under CRI: `images.Manifest` picks one entry of an index; local pull (default up to 2.0) and the
//! transfer service (default from 2.1) fetch by different filters (runtime.md §1.4, §1.5, §10).

use super::child;
use super::matcher::containerd::{LibraryVersion, Only, Ordered, host_spec};
use super::matcher::{Matcher as _, choose};
use super::outcome::{Cause, Certainty, NodeClass, Outcome, PodContext};
use super::single::{self, Speaks, lesser_platform, short, speaks};
use crate::image::{
    ConfigFacts, Content, Digest, ImageFacts, Index, IndexEntry, ManifestFacts, Platform, Shape,
    media_type,
};
use crate::model::{RuntimeName, Version};

/// What containerd of the class's version does.
pub(super) fn outcome(image: &ImageFacts, pod: PodContext<'_>, class: &NodeClass) -> Outcome {
    let node = Node::new(class);
    if let (Shape::Index(_), Some(declared)) = (&image.shape, &image.served_as) {
        // containerd validates the body against the type that the registry declared (core/images/image.go).
        return Outcome::pull_fails(
            Certainty::Likely,
            Cause::Unsupported,
            format!("the registry serves an index as {declared}, which containerd refuses"),
            format!("media-type: expected manifest but found index ({declared})"),
        );
    }
    match &image.shape {
        Shape::Schema1 { architecture } => node.schema1(architecture.as_deref(), class),
        Shape::Manifest(manifest) => node.manifest(manifest, pod, class),
        Shape::Index(index) => node.index(index, &image.digest, class),
    }
}

/// Which entry it follows.
pub(super) fn pick(index: &Index, class: &NodeClass) -> Option<usize> {
    Node::new(class).pick(index)
}

/// Its words for a manifest that the registry does not have (`core/remotes/docker/fetcher.go`); a descriptor without a
/// type is looked for elsewhere, in other words.
fn not_there(entry: &IndexEntry) -> String {
    match entry.media_type.as_str() {
        "" => String::new(),
        _ => format!("manifests/{} not found: not found", entry.digest),
    }
}

/// The containerd of a node: which entries it accepts and fetches.
struct Node {
    host: Platform,
    library: LibraryVersion,
    only: Only,
    ordered: Ordered,
    /// The transfer service fetches exact matches only.
    transfer: bool,
    version: Option<Version>,
}

impl Node {
    fn new(class: &NodeClass) -> Self {
        let version = match class.runtime.name {
            RuntimeName::Containerd => class.runtime.version,
            _ => None,
        };
        let library = LibraryVersion::of(version);
        let host = host_spec(&class.platform);
        Self {
            only: Only::new(&host, library),
            ordered: Ordered::new(&host, library),
            host,
            library,
            transfer: version.is_none_or(|version| version >= Version::new(2, 1, 0)),
            version,
        }
    }

    fn before(&self, major: u32, minor: u32) -> bool {
        self.version
            .is_some_and(|version| version < Version::new(major, minor, 0))
    }

    /// Row 20.
    fn schema1(&self, architecture: Option<&str>, class: &NodeClass) -> Outcome {
        if self.before(2, 0) {
            let platform = Platform::new("linux", architecture.unwrap_or_default(), "");
            return single::outcome(&platform, class);
        }
        let reason =
            "the image is stored as Docker schema 1, which this containerd no longer reads";
        if self.before(2, 1) {
            // 2.0 reads it only with CONTAINERD_ENABLE_DEPRECATED_PULL_SCHEMA_1_IMAGE=1.
            return Outcome::pull_fails(
                Certainty::Likely,
                Cause::Unsupported,
                reason.to_owned(),
                "",
            );
        }
        Outcome::pull_fails(
            Certainty::Certain,
            Cause::Unsupported,
            reason.to_owned(),
            "schema 1 image manifests are no longer supported: invalid argument",
        )
    }

    /// Rows 13, 14, 18, 19: the top-level descriptor is never compared with the node.
    fn manifest(
        &self,
        manifest: &ManifestFacts,
        pod: PodContext<'_>,
        class: &NodeClass,
    ) -> Outcome {
        match &manifest.config {
            ConfigFacts::Image(platform) => single::outcome(platform, class),
            ConfigFacts::Artifact(kind) => self.artifact(kind, pod),
            ConfigFacts::Unreadable(why) => {
                Outcome::unknown(format!("the image's config could not be read: {why}"))
            }
        }
    }

    fn artifact(&self, kind: &str, pod: PodContext<'_>) -> Outcome {
        let reason = format!("this is no container image but {kind}");
        if self.before(1, 7) {
            return Outcome::pull_fails(
                Certainty::Certain,
                Cause::Unsupported,
                reason,
                "mismatched image rootfs and manifest layers",
            );
        }
        if pod.has_command {
            return Outcome::create_fails(
                Certainty::Likely,
                Cause::Unsupported,
                reason,
                "StartError",
                "no such file or directory",
            );
        }
        Outcome::create_fails(
            Certainty::Certain,
            Cause::Unsupported,
            reason,
            "CreateContainerError",
            "no command specified",
        )
    }

    /// Rows 1 to 12, 16, 17.
    fn index(&self, index: &Index, digest: &Digest, class: &NodeClass) -> Outcome {
        let Some(entry) = self.pick(index).and_then(|at| index.entries.get(at)) else {
            return self.no_match(index, digest);
        };
        match (&entry.platform, &entry.content) {
            (_, Content::Index(nested)) => self.index(nested, digest, class),
            (Some(platform), _) if !is_manifest(&entry.media_type) => Outcome::pull_fails(
                Certainty::Certain,
                Cause::Unsupported,
                format!(
                    "the entry for {platform} is no image but {}",
                    entry.media_type
                ),
                format!(
                    "unexpected media type {} for {}: not found",
                    entry.media_type, entry.digest
                ),
            ),
            (Some(platform), _) => child::outcome(
                platform,
                entry,
                self.declared(platform, entry, class),
                not_there(entry),
            ),
            (None, Content::Missing) => child::missing(entry, not_there(entry)),
            (None, Content::Manifest(manifest)) => self.undeclared(manifest, index, digest, class),
            (None, Content::NotRead) => {
                Outcome::unknown("an index entry names no platform and was not read".to_owned())
            }
            (None, Content::Unreadable(why)) => Outcome::unknown(format!(
                "an index entry names no platform and could not be read: {why}"
            )),
        }
    }

    fn pick(&self, index: &Index) -> Option<usize> {
        let candidates: Vec<_> = index
            .entries
            .iter()
            .map(|entry| entry.platform.clone())
            .collect();
        choose(&self.only, &candidates)
    }

    /// Row 2, and 7, 9, 16.
    fn no_match(&self, index: &Index, digest: &Digest) -> Outcome {
        let text = if self.transfer {
            format!("no match for platform in manifest {digest}: not found")
        } else {
            "no match for platform in manifest: not found".to_owned()
        };
        Outcome::pull_fails(Certainty::Certain, Cause::NoMatch, offers(index), text)
    }

    /// Rows 1, 3, 4, 5, 8, 10: an entry that declares an accepted platform.
    fn declared(&self, platform: &Platform, entry: &IndexEntry, class: &NodeClass) -> Outcome {
        if self.transfer && self.ordered.rank(platform).is_none() {
            return Outcome::pull_fails(
                Certainty::Likely,
                Cause::NoMatch,
                format!(
                    "only {platform} would do for {}, and containerd's transfer service fetches exact matches only",
                    short(&self.host)
                ),
                format!(
                    "get image config descriptor: content digest {}: not found",
                    entry.digest
                ),
            );
        }
        self.lesser_or_equal(platform, class)
    }

    /// `runs`, or `fallback` for a 32-bit predecessor. A lower variant of the same architecture runs everywhere.
    fn lesser_or_equal(&self, platform: &Platform, class: &NodeClass) -> Outcome {
        let image = platform.normalize(self.library);
        let node = class.platform.normalize(self.library);
        match speaks(&node, &image) {
            Speaks::IfThirtyTwoBit => Outcome::fallback(lesser_platform(&node, &image)),
            Speaks::Natively | Speaks::IfCpuHas | Speaks::Not => Outcome::runs(),
        }
    }

    /// Rows 11 and 12: an entry without a platform is compared by its config.
    fn undeclared(
        &self,
        manifest: &ManifestFacts,
        index: &Index,
        digest: &Digest,
        class: &NodeClass,
    ) -> Outcome {
        let platform = match &manifest.config {
            ConfigFacts::Image(platform) => platform,
            ConfigFacts::Artifact(_) => return self.no_match(index, digest),
            ConfigFacts::Unreadable(why) => {
                return Outcome::unknown(format!(
                    "an index entry names no platform, and its config could not be read: {why}"
                ));
            }
        };
        if self.only.rank(platform).is_none() {
            return Outcome::pull_fails(
                Certainty::Certain,
                Cause::NoMatch,
                format!(
                    "the first index entry without a platform is tried, and its config is for {platform}"
                ),
                format!("no match for platform in manifest {digest}: not found"),
            );
        }
        // §10: the pull then asks for the size of an entry that it never fetched (1.6 to 2.1, seen).
        if let Some(other) = index.entries.iter().find(|entry| entry.platform.is_some()) {
            return Outcome::pull_fails(
                Certainty::Likely,
                Cause::NoMatch,
                "the entry for this node names no platform but others do, which no containerd can pull"
                    .to_owned(),
                format!(
                    "get image compressed resource size: content digest {}: not found",
                    other.digest
                ),
            );
        }
        self.lesser_or_equal(platform, class)
    }
}

/// Says what an index holds instead. The same words for every node, so that a finding says them once.
pub(super) fn offers(index: &Index) -> String {
    let platforms: Vec<String> = index.platforms().iter().map(ToString::to_string).collect();
    if platforms.is_empty() {
        return "the index has no image for any platform".to_owned();
    }
    format!("the index has images for {} only", platforms.join(", "))
}

/// Whether containerd follows a descriptor of this type. No type at all is read by its body.
fn is_manifest(media_type: &str) -> bool {
    media_type.is_empty()
        || [
            media_type::OCI_INDEX,
            media_type::OCI_MANIFEST,
            media_type::DOCKER_LIST,
            media_type::DOCKER_MANIFEST,
        ]
        .contains(&media_type)
}
