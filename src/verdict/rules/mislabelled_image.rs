//! `mislabelled-image`: an index and an image that name different platforms.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "mislabelled-image",
    severity: Severity::Error,
    milder: Some(Severity::Warning),
    summary: "the index says one platform for an image, and the image's own config another",
    advice: "try one pod on such a node; then have the image built again with the right label",
    meaning: "\
The entry that a node picks declares a platform which the image's config contradicts. No runtime compares the two when \
it pulls, so that the bytes decide: if the index is right, the container runs, and if the config is right, it dies with \
`exec format error`. Both happen.

The config is read with `--verify`, for the entries that some node of the scan would pick. Without a look at the bytes \
it is a warning, and the outcome depends.",
    messages: &[],
    why: "\
Programs that are compiled for another architecture and copied into an image get the label of the machine that built it, \
unless the build is told (`--platform`). Tools that make an index out of such images write the right platform into it \
and leave the config alone.",
    fixes: &[
        "Find out which label is right: `docker run --rm --entrypoint cat IMAGE PROGRAM | file -`, or one pod on such a node.",
        "Build again with `docker buildx build --platform`, which writes both labels.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "kubernetes-sigs/descheduler#1886",
            story: "The arm64 image of a release said amd64 in its config; the program in it was for arm64, and ran.",
        },
        Example {
            thread: "coredns/coredns#3669",
            story: "All images of an index said amd64 in their configs for years; containerd ran them, podman refused.",
        },
    ],
};
