//! `fallback-platform`: a 32-bit image on a 64-bit node.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "fallback-platform",
    severity: Severity::Warning,
    milder: None,
    summary: "runs as a 32-bit program, which not every CPU and kernel still allows",
    advice: "use an image built for the nodes' own platform",
    meaning: "\
The image has nothing for the node's own platform, and its runtime takes a lesser one: 386 on amd64, 32-bit arm on arm64. \
It is pulled and started. Whether the kernel then runs it depends on the machine.

32-bit arm needs a CPU that still has AArch32 (Graviton4, Axion, Grace and Apple silicon have not) and a kernel with pages \
of 4 KiB. 386 needs a kernel with IA32 emulation. Where it is missing, the container ends with `exec format error`.",
    messages: &[],
    why: "\
Images for Raspberry Pis are often built for arm/v6 or arm/v7 alone, and some old ones for 386. containerd and Docker \
accept them on 64-bit nodes, because it works on most; CRI-O never does.",
    fixes: &[
        "Use an image built for the nodes' own platform.",
        "Until then keep the pods on nodes where it is known to work.",
    ],
    snippet: None,
    examples: &[
        Example {
            thread: "containerd/containerd#4932",
            story: "The change that lets arm64 nodes take 32-bit arm images says itself that not every arm64 chip can run \
                    them, and accepts it.",
        },
        Example {
            thread: "scaleway/image-debian#86",
            story: "armv7 programs ended with `exec format error` on arm64 servers, whose CPUs have no 32-bit mode.",
        },
    ],
};
