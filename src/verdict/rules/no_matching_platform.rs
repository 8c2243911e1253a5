//! `no-matching-platform`: an index without an entry for the node.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "no-matching-platform",
    severity: Severity::Error,
    milder: None,
    summary: "the image's index has nothing for this node",
    advice: "use an image built for these nodes too, or keep the pods off them: nodeSelector kubernetes.io/arch",
    meaning: "\
The reference leads to an index (a manifest list), and the node's container runtime accepts none of its entries. The \
pull fails, and the container never starts.

What a runtime accepts differs. containerd and Docker take a 386 image on amd64 and a 32-bit arm image on arm64 where \
they must, CRI-O compares to the letter, and containerd from 2.1 on fetches exact matches only. The rule decides for \
the runtime and version that each node reports; `kubectl archcheck explain IMAGE` shows the choice entry by entry.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "ImagePullBackOff",
        },
        Message {
            by: "containerd up to 2.0, or with local pull",
            seen: Seen::Event,
            text: "no match for platform in manifest: not found",
        },
        Message {
            by: "containerd 2.1 and later",
            seen: Seen::Event,
            text: "no match for platform in manifest sha256:…: not found",
        },
        Message {
            by: "containerd 2.1 and later, where only a lesser platform would do",
            seen: Seen::Event,
            text: "get image config descriptor: content digest sha256:…: not found",
        },
        Message {
            by: "containerd, where the entry for the node names no platform and others do",
            seen: Seen::Event,
            text: "get image compressed resource size: content digest sha256:…: not found",
        },
        Message {
            by: "CRI-O",
            seen: Seen::Event,
            text: "no image found in image index for architecture …, variant …, OS …",
        },
        Message {
            by: "CRI-O, for a Docker manifest list",
            seen: Seen::Event,
            text: "no image found in manifest list for architecture …, variant …, OS …",
        },
        Message {
            by: "Docker",
            seen: Seen::Event,
            text: "no matching manifest for … in the manifest list entries",
        },
    ],
    why: "\
The image was never built for this architecture, or a release lost one: jobs that build one platform each and push to \
one tag overwrite each other, and a copy may take along only what the copying machine needs. An image for one platform \
with a build attestation is an index too, so that it fails here and not with `exec format error`.",
    fixes: &[
        "Build for every architecture that your nodes have: `docker buildx build --platform linux/amd64,linux/arm64 --push`.",
        "If an older or newer tag has the platform, use that.",
        "Until then keep the pods on the nodes that can run it.",
    ],
    snippet: Some(
        "\
spec:
  nodeSelector:
    kubernetes.io/arch: amd64",
    ),
    examples: &[
        Example {
            thread: "codefactoryhu/manifest#11",
            story: "A release was pushed with an arm64 image and an attestation only; amd64 nodes got `no match for \
                    platform in manifest: not found`.",
        },
        Example {
            thread: "kubewarden/adm-controller#1378",
            story: "The tag latest held arm64 alone, and a nightly installation on amd64 failed.",
        },
    ],
};
