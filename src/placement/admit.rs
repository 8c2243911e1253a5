//! Whether one pod may land on one node.

use std::fmt;
use std::sync::Arc;

use super::selector::{Labels, Selector};
use super::taints::{Effects, daemon_set_tolerations, is_transient, untolerated};
use crate::model::{Node, NodeOrigin, PodSpec, PodTemplate, Taint, Toleration};

/// Set by the kubelet on pods that it runs from files.
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// Who places a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placer {
    /// The scheduler; or nobody, where the pod names its node itself.
    Scheduler,
    /// The DaemonSet controller: on every node that admits the pod.
    DaemonSetController,
}

/// Why a node does not admit a pod. Displays as a fragment that a count of nodes can follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The pod is bound to another node.
    OtherNode(Arc<str>),
    /// nodeSelector or required affinity.
    Selector(Arc<str>),
    /// A taint that is not tolerated.
    Taint {
        /// `key=value:effect`.
        taint: String,
    },
    /// The pod is for another operating system.
    OtherOs(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherNode(name) => write!(f, "bound to node {name}"),
            Self::Selector(wanted) => write!(f, "wants {wanted}"),
            Self::Taint { taint } => write!(f, "does not tolerate taint {taint}"),
            Self::OtherOs(os) => write!(f, "is for {os} nodes"),
        }
    }
}

/// Whether a pod may land on a node.
///
/// Transient taints and cordons are ignored: they go away, and then the pod may land there (scheduling.md §1.4, §1.5).
///
/// # Errors
/// Says why the node refuses.
pub fn admits(pod: &PodTemplate, placer: Placer, node: &Node) -> Result<(), Refusal> {
    Constraints::of(pod, placer).admits(node, Taints::Lasting)
}

/// Whether a node admits a pod this minute: with the taints that only come and go.
///
/// # Errors
/// Says why the node refuses.
pub fn admits_now(pod: &PodTemplate, placer: Placer, node: &Node) -> Result<(), Refusal> {
    Constraints::of(pod, placer).admits(node, Taints::All)
}

/// Which taints count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taints {
    /// Those that stay until somebody takes them away.
    Lasting,
    /// Those too that come and go with the node's condition.
    All,
}

/// Whether the DaemonSet controller leaves a pod running on a node (`daemon_controller.go NodeShouldRunDaemonPod`):
/// only affinity and NoExecute taints end it.
#[must_use]
pub fn keeps_running(pod: &PodTemplate, node: &Node) -> bool {
    let constraints = Constraints::of(pod, Placer::DaemonSetController);
    constraints.binding_refuses(node).is_none()
        && constraints.selector_refuses(node).is_none()
        && constraints
            .taints_refuse(node, Effects::Running, Taints::All)
            .is_none()
}

/// The node that a DaemonSet's pod is made for (`daemonset_util.go GetTargetNodeName`): bound, or pinned by
/// `metadata.name`.
#[must_use]
pub fn pinned_node(pod: &PodSpec) -> Option<String> {
    if let Some(name) = pod.node_name.as_ref().filter(|name| !name.is_empty()) {
        return Some(name.clone());
    }
    let selector = Selector::of(pod);
    match selector.pinned_names()?.as_slice() {
        [name] => Some((*name).to_owned()),
        _ => None,
    }
}

/// A pod's requirements, compiled once for many nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constraints {
    node_name: Option<Arc<str>>,
    selector: Selector,
    wanted: Arc<str>,
    tolerations: Vec<Toleration>,
    /// `spec.os.name`, else the pod's own label: the kubelet refuses a pod of another OS
    /// (`pkg/kubelet/lifecycle/predicate.go`).
    os: Vec<String>,
    /// Run by a kubelet from a file: no taint stops it.
    fixed: bool,
}

impl Constraints {
    pub(super) fn of(pod: &PodTemplate, placer: Placer) -> Self {
        let spec = &pod.spec;
        let mut tolerations = spec.tolerations.clone();
        if placer == Placer::DaemonSetController {
            tolerations.extend(daemon_set_tolerations(spec.host_network));
        }
        let declared = spec.os.as_ref().map(|os| os.name.clone());
        let labelled = pod.metadata.labels.get("kubernetes.io/os").cloned();
        let selector = Selector::of(spec);
        Self {
            node_name: spec
                .node_name
                .as_deref()
                .filter(|name| !name.is_empty())
                .map(Arc::from),
            wanted: selector.describe().into(),
            selector,
            tolerations,
            os: declared
                .into_iter()
                .chain(labelled)
                .filter(|os| !os.is_empty())
                .collect(),
            fixed: pod.metadata.annotations.contains_key(MIRROR_ANNOTATION),
        }
    }

    pub(super) fn admits(&self, node: &Node, taints: Taints) -> Result<(), Refusal> {
        if let Some(refusal) = self.binding_refuses(node) {
            return Err(refusal);
        }
        if let Some(refusal) = self.selector_refuses(node) {
            return Err(refusal);
        }
        let effects = if self.node_name.is_some() {
            Effects::Running
        } else {
            Effects::Scheduling
        };
        if let Some(refusal) = self.taints_refuse(node, effects, taints) {
            return Err(refusal);
        }
        match self
            .os
            .iter()
            .find(|os| !node.platform.os.is_empty() && **os != node.platform.os)
        {
            Some(os) => Err(Refusal::OtherOs(os.clone())),
            None => Ok(()),
        }
    }

    /// A hypothetical node is nobody's: binding is ignored (DESIGN §1).
    fn binding_refuses(&self, node: &Node) -> Option<Refusal> {
        let bound = self.node_name.as_ref()?;
        let elsewhere = node.origin != NodeOrigin::Hypothetical && **bound != *node.name;
        elsewhere.then(|| Refusal::OtherNode(Arc::clone(bound)))
    }

    fn selector_refuses(&self, node: &Node) -> Option<Refusal> {
        let labels = match node.origin {
            NodeOrigin::Hypothetical => Labels::Assumed(&node.platform),
            _ => Labels::Known {
                name: &node.name,
                labels: &node.labels,
            },
        };
        (!self.selector.matches(&labels)).then(|| Refusal::Selector(Arc::clone(&self.wanted)))
    }

    fn taints_refuse(&self, node: &Node, effects: Effects, taints: Taints) -> Option<Refusal> {
        if self.fixed && self.node_name.is_some() {
            return None;
        }
        let counts = |taint: &&Taint| taints == Taints::All || !is_transient(taint);
        node.taints
            .iter()
            .filter(counts)
            .find(|taint| {
                untolerated(
                    std::slice::from_ref(*taint),
                    &self.tolerations,
                    effects,
                    false,
                )
                .is_some()
            })
            .map(|taint| Refusal::Taint {
                taint: describe(taint),
            })
    }
}

/// `key=value:effect`, as kubectl writes it.
fn describe(taint: &Taint) -> String {
    if taint.value.is_empty() {
        format!("{}:{}", taint.key, taint.effect)
    } else {
        format!("{}={}:{}", taint.key, taint.value, taint.effect)
    }
}
