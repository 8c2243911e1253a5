//! What is known of the child that an index's chosen entry leads to, where it was looked at (`--verify`).

use super::matcher::containerd::LibraryVersion;
use super::outcome::{Cause, Certainty, Outcome, OutcomeKind};
use super::single::{Speaks, speaks};
use crate::image::{ConfigFacts, Content, IndexEntry, Platform};

/// The outcome of an entry that declares an accepted platform. `as_declared`: what it is if the declaration is true;
/// `not_there`: the runtime's words where the registry does not have the child.
pub(super) fn outcome(
    declared: &Platform,
    entry: &IndexEntry,
    as_declared: Outcome,
    not_there: impl Into<String>,
) -> Outcome {
    if as_declared.kind.is_failure() {
        return as_declared;
    }
    match &entry.content {
        Content::Missing => missing(entry, not_there),
        Content::Manifest(manifest) => match &manifest.config {
            ConfigFacts::Image(config) if disagree(declared, config) => {
                mislabelled(declared, config)
            }
            _ => as_declared,
        },
        Content::NotRead | Content::Index(_) | Content::Unreadable(_) => as_declared,
    }
}

/// The pull fails: the index can be read, and the manifest that it lists can't.
pub(super) fn missing(entry: &IndexEntry, not_there: impl Into<String>) -> Outcome {
    let lists = match &entry.platform {
        Some(platform) => format!("an image for {platform}"),
        None => "an image".to_owned(),
    };
    Outcome::pull_fails(
        Certainty::Certain,
        Cause::MissingChild,
        format!("the index lists {lists} that the registry does not have"),
        not_there,
    )
}

/// Row 15b: whoever lies, the bytes decide.
fn mislabelled(declared: &Platform, config: &Platform) -> Outcome {
    Outcome::new(
        OutcomeKind::Depends,
        Certainty::Depends,
        Cause::Mislabelled,
        format!(
            "the index says {declared} and the image's own config {config}; its bytes, which decide, were not read"
        ),
    )
}

/// Whether two platforms can't both be true: a variant may be left out, and a config without a platform says nothing.
fn disagree(declared: &Platform, config: &Platform) -> bool {
    let library = LibraryVersion::LATEST;
    let (declared, config) = (declared.normalize(library), config.normalize(library));
    if config.os.is_empty() || config.architecture.is_empty() || config.is_unknown() {
        return false;
    }
    config.os != declared.os
        || matches!(
            speaks(&declared, &config),
            Speaks::Not | Speaks::IfThirtyTwoBit
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_disagree_where_both_cant_be_true() {
        let platform = |text: &str| {
            let mut parts = text.split('/');
            let mut next = || parts.next().unwrap_or_default();
            Platform::new(next(), next(), next())
        };
        for (declared, config, expected) in [
            ("linux/arm64", "linux/amd64", true),
            ("linux/arm64/v8", "linux/arm64", false),
            ("linux/arm64", "linux/aarch64", false),
            ("linux/arm/v7", "linux/arm", false),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm64", "linux/arm/v7", true),
            ("linux/amd64", "linux/386", true),
            ("linux/386", "linux/amd64", true),
            ("linux/amd64", "windows/amd64", true),
            ("linux/amd64", "linux", false),
            ("linux/amd64", "unknown/unknown", false),
        ] {
            let got = disagree(&platform(declared), &platform(config));
            assert_eq!(got, expected, "{declared} {config}");
        }
    }
}
