//! `missing-child`: an index that lists what the registry doesn't have.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "missing-child",
    severity: Severity::Error,
    milder: None,
    summary: "the index lists a manifest for this node that the registry does not have",
    advice: "push the image again for all platforms, and keep clean-up jobs away from untagged manifests",
    meaning: "\
The index has an entry for the node, and the registry does not have the manifest that it names. The pull fails, though \
the tag is there and its index can be read. Only a look at the manifest itself tells: with `--verify`, the entries that \
some node of the scan would pick are asked for; entries that declare no platform always are.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "ImagePullBackOff",
        },
        Message {
            by: "containerd",
            seen: Seen::Event,
            text: "manifests/sha256:… not found: not found",
        },
        Message {
            by: "CRI-O, Docker",
            seen: Seen::Event,
            text: "manifest unknown",
        },
    ],
    why: "\
The manifests of an index have no tags of their own, and jobs that delete what is untagged take them for leftovers. A \
copy that takes along some platforms only leaves the others out.",
    fixes: &[
        "Push or copy the image again, with all platforms (`docker buildx imagetools create`, `skopeo copy --all`, `crane copy`).",
        "Clean up with a tool that follows indexes to what they list.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "doobidoo/mcp-memory-service#1044",
            story: "A clean-up after each release deleted the untagged manifests of the index just pushed, and no platform \
                    could be pulled.",
        },
        Example {
            thread: "snok/container-retention-policy#43",
            story: "A weekly job deleted the amd64 manifest of a kept tag: its nodes got `manifest unknown`, while arm64 went \
                    on.",
        },
    ],
};
