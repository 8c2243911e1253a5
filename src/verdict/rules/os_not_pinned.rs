//! `os-not-pinned`: a pod that doesn't say which OS it needs.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "os-not-pinned",
    severity: Severity::Warning,
    milder: None,
    summary: "the pods may land on nodes of another OS than the image's",
    advice: "add nodeSelector kubernetes.io/os to the pods, or taint the nodes of the other OS",
    meaning: "\
The cluster has Linux and Windows nodes, the image is for one of the two, and nothing keeps its pods off the other. \
Reports group these findings into one for the cluster, because the remedy is usually one taint.",
    messages: &[],
    why: "\
The scheduler does not look at images, nor at `spec.os.name` of a pod: node selectors, affinity and taints are all that \
it goes by. DaemonSets, and pods that tolerate everything, get onto the other nodes first.",
    fixes: &[
        "Pin the pods to their OS.",
        "Taint the nodes of the rarer OS, and let only their own pods tolerate it.",
    ],
    snippet: Some(
        "\
spec:
  nodeSelector:
    kubernetes.io/os: linux",
    ),
    examples: &[
        Example {
            thread: "OneUptime/oneuptime#3041",
            story: "8 of 12 pods of two DaemonSets stayed in ImagePullBackOff on a Windows node pool: images for Linux, no \
                    nodeSelector, and a toleration for every taint.",
        },
        Example {
            thread: "kubernetes/kubernetes#94366",
            story: "The manifest of nodelocaldns had no selector for the OS, and its pods failed on every Windows node.",
        },
    ],
};
