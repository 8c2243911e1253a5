//! `exec-format-error`: started on a node that can't run it.

use super::{Example, Message, Page, Severity};
use crate::runtime::Seen;

pub(super) const PAGE: Page = Page {
    name: "exec-format-error",
    severity: Severity::Error,
    milder: None,
    summary: "a single image of another platform is started on this node",
    advice: "use an image built for these nodes too, or keep the pods off them: nodeSelector kubernetes.io/arch",
    meaning: "\
The reference leads to one manifest, not to an index with an entry for each platform. No container runtime compares \
the architecture of such an image with the node's when it pulls: the image arrives, the container is created, and the \
kernel refuses its program.

The image's config says for which platform it was built, and that is what the rule goes by. Labels can lie, so the \
finding is `likely`, not `certain`. Where something on the nodes suggests emulation, `runtime-dependent` speaks instead.",
    messages: &[
        Message {
            by: "the kubelet",
            seen: Seen::Status,
            text: "CrashLoopBackOff",
        },
        Message {
            by: "runc (containerd, Docker)",
            seen: Seen::Log,
            text: "exec format error",
        },
        Message {
            by: "crun (CRI-O 1.31 and later)",
            seen: Seen::Log,
            text: "Exec format error",
        },
        Message {
            by: "the kubelet, where containerd 2.3 or later starts an image for another OS",
            seen: Seen::Status,
            text: "CreateContainerError",
        },
        Message {
            by: "containerd 2.3 and later, for an image for another OS",
            seen: Seen::Event,
            text: "failed to create containerd container: parent snapshot…",
        },
        Message {
            by: "the kubelet, for a Windows image on a node of another build",
            seen: Seen::Status,
            text: "StartError",
        },
        Message {
            by: "containerd, for a Windows image on a node of another build",
            seen: Seen::Event,
            text: "The container operating system does not match the host operating system.",
        },
        Message {
            by: "the kubelet, where Docker or a Windows node refuses an image for another OS",
            seen: Seen::Status,
            text: "ImagePullBackOff",
        },
        Message {
            by: "Docker, for a Windows image on a node of another build",
            seen: Seen::Event,
            text: "a Windows version …-based image is incompatible with a … host",
        },
    ],
    why: "\
The image was built and pushed on one kind of machine. A digest or tag can also have come to name one platform's \
manifest out of an index: by `docker pull`, `docker tag` and `docker push` into another registry, by a copy without \
`--all`, by a pinned digest that was taken on one machine. The scheduler does not look at image architectures, so \
the pod runs for years until it lands on the other kind of node.",
    fixes: &[
        "Build for every architecture that your nodes have: `docker buildx build --platform linux/amd64,linux/arm64 --push`.",
        "If the image is pinned by digest, or was copied between registries: name, or copy again, the whole index \
         (`crane copy`, `skopeo copy --all`).",
        "Until then keep the pods on the nodes that can run it.",
    ],
    snippet: Some(
        "\
spec:
  nodeSelector:
    kubernetes.io/arch: amd64",
    ),
    examples: &[Example {
        thread: "kubernetes/k8s.io#9509",
        story: "registry.k8s.io/coredns/coredns:v1.14.3 was published as the amd64 manifest out of its index. On other \
                nodes CoreDNS, and with it the cluster's DNS, ended in CrashLoopBackOff.",
    }],
};
