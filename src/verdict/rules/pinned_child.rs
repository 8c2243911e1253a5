//! `pinned-child`: a digest of one platform's manifest where the index was meant.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "pinned-child",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    summary: "the image is pinned to the digest of one platform's manifest out of an index",
    advice: "pin the digest of the index, which each node picks its own image from",
    meaning: "\
The digest in the reference is that of a manifest for one platform, and an index of the same repository lists it. A \
node pulls it whatever its own platform, and what is built for another does not start. The finding names the digest of \
the index, which has an image for the nodes that fail.

The index is the one that the tag beside the digest leads to (one request more, only where some node can't run the \
image), or any other of the repository that was read in the scan. Where every node can run the image it is a warning: \
the next node may be of another kind.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "CrashLoopBackOff",
        },
        Message {
            by: "the log of the container",
            seen: Seen::Log,
            text: "exec format error",
        },
    ],
    why: "\
`docker inspect`, `docker images --digests` and some bots give the digest of what they pulled, which is the manifest for \
their own machine. Copying tools that take along one platform give that one's digest, too.",
    fixes: &[
        "Pin the digest that the finding names.",
        "Ask for it with `docker buildx imagetools inspect IMAGE:TAG` or `crane digest IMAGE:TAG`, which print that of the index.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "vllm-project/semantic-router#2065",
            story: "A digest taken on a Mac was that of the arm64 manifest, and amd64 nodes could not run what was pinned to it.",
        },
        Example {
            thread: "siutsin/otaru#2842",
            story: "Three images of a cluster were pinned to the digests of their arm64 manifests.",
        },
    ],
};
