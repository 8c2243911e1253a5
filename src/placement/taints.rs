//! Taints and tolerations (kubernetes/api `core/v1/toleration.go`, component-helpers
//! `scheduling/corev1/helpers.go` FindMatchingUntoleratedTaint).

use crate::model::{Taint, Toleration};

/// The taint that stands for a cordon (`pkg/scheduler/framework/plugins/nodeunschedulable`).
pub(super) const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
pub(super) const NO_SCHEDULE: &str = "NoSchedule";
pub(super) const NO_EXECUTE: &str = "NoExecute";

/// Which taints refuse a pod, by their effect. `PreferNoSchedule` never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effects {
    /// `NoSchedule` and `NoExecute`: a pod that is to be placed.
    Scheduling,
    /// `NoExecute` alone: a pod that is bound to its node already.
    Execution,
    /// None: a static pod.
    Ignored,
}

impl Effects {
    /// Whether a taint of this effect counts.
    #[must_use]
    pub fn count(self, effect: &str) -> bool {
        match self {
            Self::Scheduling => effect == NO_SCHEDULE || effect == NO_EXECUTE,
            Self::Execution => effect == NO_EXECUTE,
            Self::Ignored => false,
        }
    }
}

/// Whether `toleration` covers `taint` (`Toleration.ToleratesTaint`).
///
/// `comparison_operators` is the feature gate TaintTolerationComparisonOperators: without it `Gt` and `Lt` cover nothing.
#[must_use]
pub fn tolerates(toleration: &Toleration, taint: &Taint, comparison_operators: bool) -> bool {
    covers(
        toleration,
        (&taint.key, &taint.value, &taint.effect),
        comparison_operators,
    )
}

/// [`tolerates`], of a taint in its parts: key, value, effect.
pub(super) fn covers(
    toleration: &Toleration,
    (key, value, effect): (&str, &str, &str),
    comparison_operators: bool,
) -> bool {
    if !toleration.effect.is_empty() && toleration.effect != effect {
        return false;
    }
    if !toleration.key.is_empty() && toleration.key != key {
        return false;
    }
    let compare = |holds: fn(&i64, &i64) -> bool| {
        comparison_operators
            && canonical_integer(value)
                .zip(canonical_integer(&toleration.value))
                .is_some_and(|(taint, bound)| holds(&taint, &bound))
    };
    match toleration.operator.as_str() {
        "" | "Equal" => toleration.value == value,
        "Exists" => true,
        "Gt" => compare(i64::gt),
        "Lt" => compare(i64::lt),
        _ => false,
    }
}

/// An int64 in its shortest spelling; unlike a node affinity's, no sign `+` and no leading zeros.
fn canonical_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = text == "0" || digits.starts_with(|c: char| matches!(c, '1'..='9'));
    if canonical { text.parse().ok() } else { None }
}

/// The first of the taints that counts and that no toleration covers.
#[must_use]
pub fn untolerated<'t>(
    taints: &'t [Taint],
    tolerations: &[Toleration],
    counts: impl Fn(&Taint) -> bool,
    comparison_operators: bool,
) -> Option<&'t Taint> {
    taints.iter().filter(|taint| counts(taint)).find(|taint| {
        !tolerations
            .iter()
            .any(|toleration| tolerates(toleration, taint, comparison_operators))
    })
}

/// Whether `taint` says what a node is going through, not what it is for: it goes away by itself, and then pods land.
///
/// The conditions of kubernetes/api `core/v1/well_known_taints.go`, the cloud provider's at startup, and Karpenter's
/// `KnownEphemeralTaints` (`pkg/scheduling/taints.go`).
#[must_use]
pub fn is_transient(taint: &Taint) -> bool {
    matches!(
        taint.key.as_str(),
        "node.kubernetes.io/not-ready"
            | "node.kubernetes.io/unreachable"
            | UNSCHEDULABLE
            | "node.kubernetes.io/memory-pressure"
            | "node.kubernetes.io/disk-pressure"
            | "node.kubernetes.io/network-unavailable"
            | "node.kubernetes.io/pid-pressure"
            | "node.kubernetes.io/out-of-service"
            | "node.cloudprovider.kubernetes.io/uninitialized"
            | "karpenter.sh/unregistered"
    ) || taint.key.starts_with("readiness.k8s.io/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(key: &str, operator: &str, value: &str, effect: &str) -> Toleration {
        Toleration {
            key: key.to_owned(),
            operator: operator.to_owned(),
            value: value.to_owned(),
            effect: effect.to_owned(),
        }
    }

    fn taint(key: &str, value: &str, effect: &str) -> Taint {
        Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect: effect.to_owned(),
        }
    }

    #[test]
    fn a_toleration_covers_by_effect_key_and_operator() {
        let arm = taint("kubernetes.io/arch", "arm64", NO_SCHEDULE);
        for (parts, covered) in [
            (("kubernetes.io/arch", "", "arm64", ""), true),
            (("kubernetes.io/arch", "Equal", "amd64", ""), false),
            (("kubernetes.io/arch", "Exists", "amd64", ""), true),
            (("", "Exists", "", ""), true),
            (("", "Exists", "", NO_SCHEDULE), true),
            (("", "Exists", "", NO_EXECUTE), false),
            // API validation forbids it; the code goes on to the value.
            (("", "Equal", "arm64", ""), true),
            (("", "Equal", "", ""), false),
            (("other", "Exists", "", ""), false),
            (("kubernetes.io/arch", "exists", "", ""), false),
        ] {
            let (key, operator, value, effect) = parts;
            let toleration = toleration(key, operator, value, effect);
            assert_eq!(tolerates(&toleration, &arm, false), covered, "{parts:?}");
        }
    }

    #[test]
    fn comparisons_need_canonical_integers() {
        for (text, integer) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("10", Some(10)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("-01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("-", None),
            ("", None),
            ("1x", None),
            ("--1", None),
        ] {
            assert_eq!(canonical_integer(text), integer, "{text:?}");
        }
    }

    #[test]
    fn effects() {
        for (effects, counting) in [
            (Effects::Scheduling, &["NoSchedule", "NoExecute"] as &[_]),
            (Effects::Execution, &["NoExecute"]),
            (Effects::Ignored, &[]),
        ] {
            for effect in ["NoSchedule", "NoExecute", "PreferNoSchedule", "Weird", ""] {
                assert_eq!(effects.count(effect), counting.contains(&effect));
            }
        }
    }

    #[test]
    fn transient_taints() {
        for (key, transient) in [
            ("node.kubernetes.io/not-ready", true),
            ("node.kubernetes.io/unschedulable", true),
            ("node.cloudprovider.kubernetes.io/uninitialized", true),
            ("karpenter.sh/unregistered", true),
            ("readiness.k8s.io/network", true),
            // These nodes are for something, or are going for good.
            ("kubernetes.io/arch", false),
            ("node-role.kubernetes.io/control-plane", false),
            ("karpenter.sh/disrupted", false),
            ("node.kubernetes.io/other", false),
        ] {
            assert_eq!(
                is_transient(&taint(key, "", NO_SCHEDULE)),
                transient,
                "{key}"
            );
        }
    }
}
