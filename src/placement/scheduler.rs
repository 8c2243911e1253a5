//! Places many pods on many nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::admit::{Constraints, Placer, Refusal, Taints};
use crate::model::{Node, PodTemplate};

/// Where a pod may land.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The nodes that admit it, by index, ascending.
    pub nodes: Vec<u32>,
    /// How many nodes refuse it, and why.
    pub refusals: BTreeMap<Refusal, usize>,
}

/// Places pods, and remembers: thousands of workloads share a few dozen sets of constraints.
#[derive(Debug)]
pub struct Scheduler<'n> {
    nodes: &'n [Node],
    known: Vec<(Constraints, Arc<Placement>)>,
}

/// How many sets of constraints are remembered: comparing must stay cheaper than placing.
const REMEMBERED: usize = 256;

impl<'n> Scheduler<'n> {
    /// A scheduler over these nodes.
    #[must_use]
    pub fn new(nodes: &'n [Node]) -> Self {
        Self {
            nodes,
            known: Vec::new(),
        }
    }

    /// Where a pod may land.
    pub fn place(&mut self, pod: &PodTemplate, placer: Placer) -> Arc<Placement> {
        let constraints = Constraints::of(pod, placer);
        if let Some((_, placement)) = self.known.iter().find(|(known, _)| *known == constraints) {
            return Arc::clone(placement);
        }
        let mut placement = Placement::default();
        for (at, node) in self.nodes.iter().enumerate() {
            match (constraints.admits(node, Taints::Lasting), u32::try_from(at)) {
                (Ok(()), Ok(at)) => placement.nodes.push(at),
                (Ok(()), Err(_)) => {}
                (Err(refusal), _) => *placement.refusals.entry(refusal).or_default() += 1,
            }
        }
        let placement = Arc::new(placement);
        if self.known.len() < REMEMBERED {
            self.known.push((constraints, Arc::clone(&placement)));
        }
        placement
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::image::Platform;
    use crate::model::{NodeOrigin, Runtime, Taint, Toleration};
    use crate::placement::admits;

    fn node(name: &str, origin: NodeOrigin, architecture: &str) -> Node {
        let labels = match origin {
            NodeOrigin::Hypothetical => BTreeMap::new(),
            _ => BTreeMap::from([
                ("kubernetes.io/os".to_owned(), "linux".to_owned()),
                ("kubernetes.io/arch".to_owned(), architecture.to_owned()),
                ("zone".to_owned(), "a".to_owned()),
            ]),
        };
        Node {
            name: name.to_owned(),
            origin,
            labels,
            taints: Vec::new(),
            unschedulable: false,
            platform: Platform::new("linux", architecture, ""),
            runtime: Runtime::parse("containerd://2.1.4"),
            os_image: String::new(),
            kernel_version: String::new(),
            images: Vec::new(),
        }
    }

    fn pod(spec: serde_json::Value) -> PodTemplate {
        serde_json::from_value(json!({ "spec": spec })).unwrap()
    }

    fn affinity(terms: serde_json::Value) -> serde_json::Value {
        json!({"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
    }

    #[test]
    fn a_hypothetical_node_is_known_by_os_and_architecture_alone() {
        let arm = node("linux/arm64", NodeOrigin::Hypothetical, "arm64");
        for (spec, lands) in [
            (json!({}), true),
            (
                json!({"nodeSelector": {"kubernetes.io/arch": "arm64"}}),
                true,
            ),
            (
                json!({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}),
                false,
            ),
            (json!({"nodeSelector": {"pool": "gpu"}}), true),
            (json!({"nodeName": "elsewhere"}), true),
            (
                affinity(
                    json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["x"]}]}]),
                ),
                true,
            ),
            (
                affinity(
                    json!([{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["a", "b"]}]}]),
                ),
                true,
            ),
            (
                affinity(json!([{"matchExpressions": [
                {"key": "pool", "operator": "In", "values": ["a"]},
                {"key": "pool", "operator": "NotIn", "values": ["a"]}]}])),
                false,
            ),
            (
                affinity(json!([{"matchExpressions": [
                {"key": "cores", "operator": "Gt", "values": ["8"]},
                {"key": "cores", "operator": "Lt", "values": ["9"]}]}])),
                false,
            ),
            (
                affinity(json!([{"matchExpressions": [
                {"key": "pool", "operator": "Exists"},
                {"key": "pool", "operator": "DoesNotExist"}]}])),
                false,
            ),
            (
                affinity(json!([{"matchExpressions": [{"key": "pool", "operator": "Wrong"}]}])),
                false,
            ),
            (affinity(json!([])), false),
        ] {
            let got = admits(&pod(spec.clone()), Placer::Scheduler, &arm);
            assert_eq!(got.is_ok(), lands, "{spec}: {got:?}");
        }
    }

    #[test]
    fn what_passes_is_ignored_and_what_lasts_is_not() {
        let mut tainted = node("n", NodeOrigin::Existing, "amd64");
        tainted.unschedulable = true;
        for (key, effect, lands) in [
            ("node.kubernetes.io/not-ready", "NoExecute", true),
            ("node.kubernetes.io/unschedulable", "NoSchedule", true),
            (
                "node.cloudprovider.kubernetes.io/uninitialized",
                "NoSchedule",
                true,
            ),
            ("karpenter.sh/unregistered", "NoExecute", true),
            ("readiness.k8s.io/gpu", "NoSchedule", true),
            ("kubernetes.io/arch", "PreferNoSchedule", true),
            ("kubernetes.io/arch", "NoSchedule", false),
            ("dedicated", "NoExecute", false),
        ] {
            tainted.taints = vec![Taint {
                key: key.into(),
                value: String::new(),
                effect: effect.into(),
            }];
            let got = admits(&PodTemplate::default(), Placer::Scheduler, &tainted);
            assert_eq!(got.is_ok(), lands, "{key}:{effect}");
        }
    }

    #[test]
    fn a_bound_pod_is_refused_by_the_kubelet_alone() {
        let mut target = node("n", NodeOrigin::Existing, "amd64");
        let bound = |extra: serde_json::Value| {
            let mut spec = json!({"nodeName": "n"});
            if let (Some(spec), Some(extra)) = (spec.as_object_mut(), extra.as_object()) {
                spec.extend(extra.clone());
            }
            pod(spec)
        };
        let taint = |effect: &str| {
            vec![Taint {
                key: "k".into(),
                value: String::new(),
                effect: effect.into(),
            }]
        };
        target.taints = taint("NoSchedule");
        assert_eq!(
            admits(&bound(json!({})), Placer::Scheduler, &target),
            Ok(())
        );
        target.taints = taint("NoExecute");
        assert!(admits(&bound(json!({})), Placer::Scheduler, &target).is_err());
        let mut mirror = bound(json!({}));
        mirror
            .metadata
            .annotations
            .insert("kubernetes.io/config.mirror".into(), "x".into());
        assert_eq!(admits(&mirror, Placer::Scheduler, &target), Ok(()));
        target.taints.clear();
        let windows = bound(json!({"os": {"name": "windows"}}));
        assert_eq!(
            admits(&windows, Placer::Scheduler, &target),
            Err(Refusal::OtherOs("windows".to_owned()))
        );
        let elsewhere = node("m", NodeOrigin::Existing, "amd64");
        assert_eq!(
            admits(&bound(json!({})), Placer::Scheduler, &elsewhere),
            Err(Refusal::OtherNode("n".into()))
        );
    }

    proptest! {
        #[test]
        fn a_toleration_never_takes_a_node_away(key in "[ab]", effect in "(NoSchedule|NoExecute|)", exists in any::<bool>()) {
            let mut tainted = node("n", NodeOrigin::Existing, "amd64");
            tainted.taints = vec![Taint { key: "a".into(), value: String::new(), effect: "NoSchedule".into() }];
            let before = admits(&PodTemplate::default(), Placer::Scheduler, &tainted).is_ok();
            let mut pod = PodTemplate::default();
            let operator = if exists { "Exists" } else { "Equal" }.to_owned();
            pod.spec.tolerations.push(Toleration { key, operator, value: String::new(), effect });
            prop_assert!(!before || admits(&pod, Placer::Scheduler, &tainted).is_ok());
        }

        #[test]
        fn a_hypothetical_node_admits_what_a_real_one_would(
            keys in proptest::collection::vec("(zone|pool|kubernetes\\.io/arch)", 0..3),
            operators in proptest::collection::vec("(In|NotIn|Exists|DoesNotExist|Nonsense)", 3),
            value in "(a|b|arm64|amd64)",
        ) {
            let expressions: Vec<_> = keys.iter().zip(&operators).map(|(key, operator)| {
                let values = if operator.ends_with("In") { vec![value.clone()] } else { vec![] };
                json!({"key": key, "operator": operator, "values": values})
            }).collect();
            let pod = pod(affinity(json!([{"matchExpressions": expressions}])));
            let real = node("n", NodeOrigin::Existing, "arm64");
            let assumed = node("linux/arm64", NodeOrigin::Hypothetical, "arm64");
            if admits(&pod, Placer::Scheduler, &real).is_ok() {
                prop_assert_eq!(admits(&pod, Placer::Scheduler, &assumed), Ok(()));
            }
        }
    }
}
