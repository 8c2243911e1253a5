//! `image-not-found`: the registry says that it doesn't have it.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "image-not-found",
    severity: Severity::Error,
    milder: None,
    summary: "the registry has no such tag or digest",
    advice: "correct the tag or digest, or push it; if it is loaded onto the nodes by hand, give it with --images",
    meaning: "\
The registry says that the repository has no such tag or digest (`MANIFEST_UNKNOWN`), to a credential or token that it \
has accepted, or where it shows another tag of that repository to the same one. An answer that may hide a private \
repository (`NAME_UNKNOWN`, `DENIED`, 401) is `image-unreadable` instead.

The rule is silent about containers with `imagePullPolicy: Never`, and about nodes that hold the image already: there \
the outcome is unknown, because what lies on the node can't be read.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "ImagePullBackOff",
        },
        Message {
            by: "containerd",
            seen: Seen::Event,
            text: "…: not found",
        },
        Message {
            by: "CRI-O, Docker",
            seen: Seen::Event,
            text: "manifest unknown",
        },
    ],
    why: "\
The tag was mistyped, deleted, cleaned up, or not pushed yet. Pods that run today keep running, because their nodes \
still have the image; the next node does not.",
    fixes: &[
        "Correct the tag or digest, or push the image.",
        "If it is built into the nodes or loaded by hand, give it with `--images`, so that it can be checked.",
    ],
    snippet: None,
    examples: &[Example {
        thread: "chatwoot/chatwoot#12735",
        story: "The versioned Bitnami tags left Docker Hub in 2025, and charts that named them could no longer be installed.",
    }],
};
