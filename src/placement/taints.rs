//! Taints and tolerations (kubernetes/api `core/v1/toleration.go`, the scheduler's `tainttoleration` plugin).

use crate::model::{Taint, Toleration};

/// Which effects count. `PreferNoSchedule` never forbids a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effects {
    /// What the scheduler and the DaemonSet controller filter on: NoSchedule and NoExecute.
    Scheduling,
    /// What a pod that is bound already is refused or evicted for: NoExecute.
    Running,
}

impl Effects {
    fn includes(self, effect: &str) -> bool {
        match self {
            Self::Scheduling => matches!(effect, "NoSchedule" | "NoExecute"),
            Self::Running => effect == "NoExecute",
        }
    }
}

/// Whether a toleration covers a taint. `comparisons`: the operators Gt and Lt are enabled (feature gate
/// `TaintTolerationComparisonOperators`, off by default).
#[must_use]
pub fn tolerates(toleration: &Toleration, taint: &Taint, comparisons: bool) -> bool {
    let fits = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
    if !fits(&toleration.effect, &taint.effect) || !fits(&toleration.key, &taint.key) {
        return false;
    }
    match toleration.operator.as_str() {
        "" | "Equal" => toleration.value == taint.value,
        "Exists" => true,
        "Gt" | "Lt" if comparisons => {
            let (Some(taint), Some(bound)) = (
                canonical_integer(&taint.value),
                canonical_integer(&toleration.value),
            ) else {
                return false;
            };
            if toleration.operator == "Gt" {
                taint > bound
            } else {
                taint < bound
            }
        }
        _ => false,
    }
}

/// A decimal int64 without a plus sign, leading zeros or `-0`.
fn canonical_integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The first taint that counts and that nothing tolerates.
#[must_use]
pub fn untolerated<'t>(
    taints: &'t [Taint],
    tolerations: &[Toleration],
    effects: Effects,
    comparisons: bool,
) -> Option<&'t Taint> {
    taints
        .iter()
        .filter(|taint| effects.includes(&taint.effect))
        .find(|taint| {
            !tolerations
                .iter()
                .any(|toleration| tolerates(toleration, taint, comparisons))
        })
}

/// Whether a taint comes and goes with the node's condition (kubernetes/api `core/v1/well_known_taints.go`; Karpenter's
/// `KnownEphemeralTaints`; the cloud provider's): a node that is not ready now is still one that a pod may land on.
#[must_use]
pub(super) fn is_transient(taint: &Taint) -> bool {
    const PASSING: [&str; 10] = [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/network-unavailable",
        "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "karpenter.sh/unregistered",
    ];
    PASSING.contains(&taint.key.as_str()) || taint.key.starts_with("readiness.k8s.io/")
}

/// The tolerations that the DaemonSet controller adds (`daemonset_util.go AddOrUpdateDaemonPodTolerations`).
#[must_use]
pub fn daemon_set_tolerations(host_network: bool) -> Vec<Toleration> {
    let mut added = vec![
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    if host_network {
        added.push(("network-unavailable", "NoSchedule"));
    }
    added
        .into_iter()
        .map(|(condition, effect)| Toleration {
            key: format!("node.kubernetes.io/{condition}"),
            operator: "Exists".to_owned(),
            value: String::new(),
            effect: effect.to_owned(),
        })
        .collect()
}
