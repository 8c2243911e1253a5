//! `runtime-dependent`: decided by what the API doesn't show.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "runtime-dependent",
    severity: Severity::Warning,
    milder: None,
    summary: "whether it starts depends on something that the cluster's API does not show",
    advice: "try one pod on such a node, or use an image that names the nodes' platform",
    meaning: "\
The image is one that works on some nodes and fails on others of the same platform, and nothing in the cluster tells \
which these are. The finding names what it depends on: the CPU's level (images for amd64/v2 and later), the container \
runtime where it is not known, a RuntimeClass whose handler may pull for another platform, emulation for which there \
is evidence, or the bytes of an image whose config says too little.",
    messages: &[],
    why: "\
A node says its architecture and its runtime's version, but not its CPU's level, not how its runtime is configured, and \
not which emulators its kernel knows.",
    fixes: &[
        "Publish an entry for the plain platform (`linux/amd64`) beside those for levels of it.",
        "Set the architecture and OS in the image's config: build with a tool that knows the target platform.",
        "Try one pod on such a node.",
    ],
    snippet: None,
    examples: &[Example {
        thread: "moby/moby#52773",
        story: "Docker with the containerd image store took hosts of any level for plain amd64, and refused images that have \
                entries for amd64/v2 or v3 only; since that change it looks at the CPU.",
    }],
};
