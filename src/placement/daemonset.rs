//! What the DaemonSet controller adds to its pods (`pkg/controller/daemon/util/daemonset_util.go`).

use crate::model::{PodSpec, Toleration};

use super::taints::{NO_EXECUTE, NO_SCHEDULE, UNSCHEDULABLE};

/// Taints that every DaemonSet pod tolerates (`AddOrUpdateDaemonPodTolerations`). `not-ready:NoSchedule` is not one.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    (UNSCHEDULABLE, NO_SCHEDULE),
];

/// Tolerated as well by pods on their node's own network.
const TOLERATED_ON_HOST_NETWORK: (&str, &str) =
    ("node.kubernetes.io/network-unavailable", NO_SCHEDULE);

/// The tolerations that the controller adds to the template's.
pub(super) fn added_tolerations(host_network: bool) -> impl Iterator<Item = Toleration> {
    TOLERATED
        .into_iter()
        .chain(host_network.then_some(TOLERATED_ON_HOST_NETWORK))
        .map(|(key, effect)| Toleration {
            key: key.to_owned(),
            operator: "Exists".to_owned(),
            value: String::new(),
            effect: effect.to_owned(),
        })
}

/// The node that a DaemonSet's pod is for, bound or not (`GetTargetNodeName`).
///
/// The controller replaces the required affinity of its pods by one term that names the node: such a pod says nothing
/// about where the DaemonSet's others may land, its template does.
#[must_use]
pub fn target_node(pod: &PodSpec) -> Option<&str> {
    if let Some(name) = pod.node_name.as_deref().filter(|name| !name.is_empty()) {
        return Some(name);
    }
    pod.required_node_affinity()?
        .node_selector_terms
        .iter()
        .flat_map(|term| &term.match_fields)
        .find_map(|field| match field.values.as_slice() {
            [name] if field.key == "metadata.name" && field.operator == "In" => Some(name.as_str()),
            _ => None,
        })
}
