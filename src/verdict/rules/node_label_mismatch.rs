//! `node-label-mismatch`: what the scheduler believes and what the node is.

use super::{Example, Page, Severity};

pub(super) const PAGE: Page = Page {
    name: "node-label-mismatch",
    severity: Severity::Warning,
    milder: None,
    summary: "a node's label says another platform than the node itself",
    advice: "correct the label: the scheduler goes by it, the container runtime by the real architecture",
    meaning: "\
The label `kubernetes.io/arch` or `kubernetes.io/os` of a node differs from what the node reports about itself \
(`status.nodeInfo`). The scheduler goes by the label, the container runtime by the real platform, so that a correct \
nodeSelector can send pods to the wrong nodes. This program matches by label and judges by nodeInfo, as they do.",
    messages: &[],
    why: "\
The kubelet sets both labels when it starts. They are changed by hand, by provisioning scripts, and by templates that \
assume amd64.",
    fixes: &[
        "Set the label to what `kubectl get node NAME -o jsonpath='{.status.nodeInfo.architecture}'` says, or restart the \
         kubelet, which sets it again.",
        "Find what wrote it: cloud-init, a node pool's label settings, an autoscaler's template.",
    ],
    snippet: None,
    examples: &[Example {
        thread: "kubernetes/autoscaler#9322",
        story: "The autoscaler's templates for Azure said amd64 for arm64 machines, so that pods with a correct selector \
                started no nodes. A label is what somebody wrote.",
    }],
};
