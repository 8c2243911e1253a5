//! `unsupported-image`: a format that the node's runtime refuses.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "unsupported-image",
    severity: Severity::Error,
    milder: None,
    summary: "an old image format, a chart or another artifact, which this runtime refuses",
    advice: "push the image again with a current tool, as an OCI or Docker v2 image",
    meaning: "\
What the reference leads to is no image that the node's container runtime starts: a Docker schema 1 manifest, a Helm \
chart, a WASM module or another artifact, an index that the registry serves under a wrong media type, or (for CRI-O) \
an index within an index.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "ImagePullBackOff",
        },
        Message {
            by: "containerd 2.1 and later, for schema 1",
            seen: Seen::Event,
            text: "schema 1 image manifests are no longer supported: invalid argument",
        },
        Message {
            by: "Docker 26 to 28, for schema 1",
            seen: Seen::Event,
            text: "schema 1 support is disabled by default and will be removed in an upcoming release",
        },
        Message {
            by: "Docker 29 and later, for schema 1",
            seen: Seen::Event,
            text: "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed.",
        },
        Message {
            by: "containerd 1.6, for an artifact",
            seen: Seen::Event,
            text: "mismatched image rootfs and manifest layers",
        },
        Message {
            by: "the kubelet, for an artifact on containerd 1.7 and later or CRI-O 1.33 and later",
            seen: Seen::Status,
            text: "CreateContainerError",
        },
        Message {
            by: "containerd 1.7 and later, for an artifact",
            seen: Seen::Event,
            text: "no command specified",
        },
        Message {
            by: "the kubelet, for an artifact whose pod gives a command",
            seen: Seen::Status,
            text: "StartError",
        },
        Message {
            by: "containerd 1.7 and later, for an artifact whose pod gives a command",
            seen: Seen::Event,
            text: "no such file or directory",
        },
        Message {
            by: "CRI-O up to 1.32, for an artifact",
            seen: Seen::Event,
            text: "parsing image configuration",
        },
        Message {
            by: "Docker, for an artifact",
            seen: Seen::Event,
            text: "unsupported media type",
        },
        Message {
            by: "containerd, for an entry of an index that is no image",
            seen: Seen::Event,
            text: "unexpected media type … for …: not found",
        },
        Message {
            by: "containerd, for an index under the type of a manifest",
            seen: Seen::Event,
            text: "media-type: expected manifest but found index (…)",
        },
        Message {
            by: "CRI-O, for an index within an index",
            seen: Seen::Event,
            text: "Unexpectedly received a manifest list instead of a manifest for a single image",
        },
    ],
    why: "\
Images that nobody has pushed since about 2017 may still be stored as schema 1: registries keep the format, newer \
runtimes dropped it (containerd in 2.1, Docker in 29). Charts and artifacts share registries with images, and a wrong \
repository or a missing suffix in the name is enough to end at one.",
    fixes: &[
        "Schema 1: use a newer tag, or pull the image with a tool that still reads it and push it again.",
        "Chart or artifact: correct the image's name.",
        "Index within an index: name an index whose entries are images, or the digest of the inner one.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "kubernetes/k8s.io#8650",
            story: "registry.k8s.io/busybox:latest is schema 1: nodes that moved to containerd 2.0 could no longer pull it.",
        },
        Example {
            thread: "flux-iac/tofu-controller#307",
            story: "A chart was pulled as if it were an image, and Docker called its root file system invalid.",
        },
    ],
};
