//! Whether one pod may land on one node: the filters of whoever places it, then the kubelet's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Node, NodeOrigin, NodeSelector, Placer, PodTemplate, Taint, Toleration};

use super::admission::{self, Conflict, Merged};
use super::daemonset;
use super::refusal::Refusal;
use super::selector::{Distinction, Mismatch, Property, Selector};
use super::taints::{self, Effects};

/// The label by which nodes say their OS; the kubelet reads it on pods, too.
const OS_LABEL: &str = "kubernetes.io/os";
/// Marks the API server's copy of a static pod.
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// What a pod is judged by, beyond itself and the node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The feature gate TaintTolerationComparisonOperators (alpha, off by default).
    pub comparison_operators: bool,
    /// Whether a cordon and taints that go away by themselves refuse, as they do at this moment. Off by default: the
    /// node may come back tomorrow.
    pub transient_refuses: bool,
}

/// Whether pods of `pod` may land on `node`, by the default [`Rules`].
///
/// For more than one node use [`super::Scheduler`], which reads the pod once.
pub fn admits(pod: &PodTemplate, placer: Placer, node: &Node) -> Result<(), Refusal<'static>> {
    Demands::new(pod, placer, Rules::default())
        .check(node)
        .map_err(Refusal::into_owned)
}

/// All of a pod that placement depends on. Many workloads have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Constraints {
    placer: Placer,
    bound: Option<String>,
    is_static: bool,
    node_selector: BTreeMap<String, String>,
    namespace_selector: BTreeMap<String, String>,
    required: Option<NodeSelector>,
    tolerations: Vec<Toleration>,
    host_network: bool,
    os: Option<String>,
    os_label: Option<String>,
}

impl Constraints {
    pub(super) fn of(pod: &PodTemplate, placer: Placer) -> Self {
        let spec = &pod.spec;
        Self {
            placer,
            bound: spec.node_name.clone().filter(|name| !name.is_empty()),
            is_static: pod.metadata.annotations.contains_key(MIRROR_ANNOTATION),
            node_selector: spec.node_selector.clone(),
            namespace_selector: spec.namespace_selector.clone(),
            required: spec.required_node_affinity().cloned(),
            tolerations: spec.tolerations.clone(),
            // It matters to DaemonSets alone; others share an answer.
            host_network: spec.host_network && placer == Placer::DaemonSetController,
            os: spec.os.as_ref().map(|os| os.name.clone()),
            os_label: pod.metadata.labels.get(OS_LABEL).cloned(),
        }
    }
}

/// What a pod asks of a node, read once and then put to many.
#[derive(Debug, Clone)]
pub struct Demands {
    bound: Option<String>,
    conflict: Option<Conflict>,
    selector: Selector,
    tolerations: Vec<Toleration>,
    effects: Effects,
    os: Option<String>,
    os_label: Option<String>,
    rules: Rules,
}

impl Demands {
    /// Reads `pod`.
    #[must_use]
    pub fn new(pod: &PodTemplate, placer: Placer, rules: Rules) -> Self {
        Self::of(&Constraints::of(pod, placer), rules)
    }

    pub(super) fn of(constraints: &Constraints, rules: Rules) -> Self {
        let mut tolerations = constraints.tolerations.clone();
        let effects = match constraints.placer {
            // NodeShouldRunDaemonPod: nodeName does not change which taints count.
            Placer::DaemonSetController => {
                tolerations.extend(daemonset::added_tolerations(constraints.host_network));
                Effects::Scheduling
            }
            // The kubelet never evicts its own static pods. (Those read from a file are known by the toleration of
            // everything NoExecute instead, which works as any toleration does.)
            Placer::Scheduler if constraints.is_static => Effects::Ignored,
            // No scheduler is asked; the kubelet only looks at NoExecute (`pkg/kubelet/lifecycle/predicate.go`).
            Placer::Scheduler if constraints.bound.is_some() => Effects::Execution,
            Placer::Scheduler => Effects::Scheduling,
        };
        let Merged { pairs, conflict } =
            admission::merge(&constraints.node_selector, &constraints.namespace_selector);
        Self {
            bound: constraints.bound.clone(),
            conflict,
            selector: Selector::new(&pairs, constraints.required.as_ref()),
            tolerations,
            effects,
            os: constraints.os.clone(),
            os_label: constraints.os_label.clone(),
            rules,
        }
    }

    /// The same for a pod that runs on its node already: it stays in spite of a new `NoSchedule` taint
    /// (`NodeShouldRunDaemonPod`'s second answer).
    #[must_use]
    pub fn already_running(self) -> Self {
        let effects = match self.effects {
            Effects::Scheduling | Effects::Execution => Effects::Execution,
            Effects::Ignored => Effects::Ignored,
        };
        Self { effects, ..self }
    }

    /// Whether `node` admits the pod; if not, the first reason in the order of kube-scheduler's filters, whose event
    /// people know (`pkg/scheduler/apis/config/v1/default_plugins.go`).
    pub fn check<'a>(&'a self, node: &'a Node) -> Result<(), Refusal<'a>> {
        self.check_name(node)?;
        self.check_taints(node)?;
        self.check_selector(node)?;
        self.check_os(node)
    }

    /// What the answer depends on among names and labels; some may come twice.
    pub(super) fn distinctions(&self) -> impl Iterator<Item = (Property<'_>, Distinction<'_>)> {
        let bound = self.bound.iter().map(|name| {
            let values = Distinction::Values(std::slice::from_ref(name));
            (Property::Name, values)
        });
        bound.chain(self.selector.distinctions())
    }

    fn check_name<'a>(&'a self, node: &Node) -> Result<(), Refusal<'a>> {
        match &self.bound {
            // A hypothetical node asks about the template: it is not there to be bound to.
            Some(name) if node.origin != NodeOrigin::Hypothetical && *name != node.name => {
                Err(Refusal::Bound {
                    node: name.as_str().into(),
                })
            }
            _ => Ok(()),
        }
    }

    fn check_taints<'a>(&self, node: &'a Node) -> Result<(), Refusal<'a>> {
        let Rules {
            comparison_operators,
            transient_refuses,
        } = self.rules;
        if transient_refuses && node.unschedulable && self.effects.count(taints::NO_SCHEDULE) {
            let cordon = (taints::UNSCHEDULABLE, "", taints::NO_SCHEDULE);
            let covered = |toleration| taints::covers(toleration, cordon, comparison_operators);
            if !self.tolerations.iter().any(covered) {
                return Err(Refusal::Cordoned);
            }
        }
        let counts = |taint: &Taint| {
            self.effects.count(&taint.effect) && (transient_refuses || !taints::is_transient(taint))
        };
        match taints::untolerated(
            &node.taints,
            &self.tolerations,
            counts,
            comparison_operators,
        ) {
            None => Ok(()),
            Some(taint) => Err(Refusal::Taint {
                key: taint.key.as_str().into(),
                value: taint.value.as_str().into(),
                effect: taint.effect.as_str().into(),
            }),
        }
    }

    fn check_selector(&self, node: &Node) -> Result<(), Refusal<'_>> {
        if let Some(Conflict {
            key,
            pod,
            namespace,
        }) = &self.conflict
        {
            return Err(Refusal::NamespaceSelector {
                key: key.into(),
                pod: pod.into(),
                namespace: namespace.into(),
            });
        }
        self.selector
            .check(node)
            .map_err(|mismatch| match mismatch {
                Mismatch::Pair(key, value) => Refusal::NodeSelector {
                    key: key.into(),
                    value: value.into(),
                },
                Mismatch::Terms(terms) => Refusal::NodeAffinity {
                    terms: terms.into(),
                },
                Mismatch::NoValidTerm(why) => Refusal::InvalidNodeAffinity { why: why.into() },
            })
    }

    /// The kubelet's own two filters by OS (`pkg/kubelet/lifecycle/predicate.go`); kube-scheduler has none.
    fn check_os<'a>(&'a self, node: &'a Node) -> Result<(), Refusal<'a>> {
        let Some(actual) = node_os(node) else {
            return Ok(());
        };
        let differs = |wanted: &'a Option<String>| {
            let wanted = wanted.as_deref().filter(|wanted| *wanted != actual)?;
            Some((Cow::Borrowed(wanted), Cow::Borrowed(actual)))
        };
        if let Some((label, node)) = differs(&self.os_label) {
            return Err(Refusal::OsLabel { label, node });
        }
        if let Some((declared, node)) = differs(&self.os) {
            return Err(Refusal::Os { declared, node });
        }
        Ok(())
    }
}

/// What the kubelet on `node` takes for its OS: its own GOOS, whatever the label says. The label is a stand-in where
/// nothing is reported (a Node object out of a file without status).
pub(super) fn node_os(node: &Node) -> Option<&str> {
    let label = || node.labels.get(OS_LABEL).map(String::as_str);
    Some(node.platform.os.as_str())
        .filter(|os| !os.is_empty())
        .or_else(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::testing::{hypothetical, node, pod, taint};

    const ARM_TAINT: &str = "taint kubernetes.io/arch=arm64:NoSchedule is not tolerated";

    /// What `node` says to `pod`; empty if it admits.
    fn answer(pod: &PodTemplate, placer: Placer, node: &Node) -> String {
        match admits(pod, placer, node) {
            Ok(()) => String::new(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn the_scheduler_asks_name_taints_and_labels() {
        let mut arm = node("arm", "arm64");
        arm.taints = vec![
            taint("kubernetes.io/arch", "arm64"),
            Taint {
                effect: "PreferNoSchedule".to_owned(),
                ..taint("spot", "")
            },
        ];
        let tolerating = r#""tolerations": [{"key": "kubernetes.io/arch", "operator": "Exists"}]"#;
        for (spec, expected) in [
            ("{}".to_owned(), ARM_TAINT),
            (format!("{{{tolerating}}}"), ""),
            (
                format!(r#"{{{tolerating}, "nodeSelector": {{"kubernetes.io/arch": "amd64"}}}}"#),
                "node selector kubernetes.io/arch=amd64 does not match",
            ),
            // The scheduler is bypassed, and NoSchedule with it.
            (r#"{"nodeName": "arm"}"#.to_owned(), ""),
            (r#"{"nodeName": ""}"#.to_owned(), ARM_TAINT),
            (r#"{"nodeName": "n1"}"#.to_owned(), "bound to node n1"),
            (
                r#"{"nodeName": "arm", "nodeSelector": {"zone": "a"}}"#.to_owned(),
                "node selector zone=a does not match",
            ),
        ] {
            assert_eq!(
                answer(&pod(&spec), Placer::Scheduler, &arm),
                expected,
                "{spec}"
            );
        }
    }

    #[test]
    fn a_bound_pod_is_refused_by_no_execute_unless_it_is_static() {
        let mut node = node("a", "amd64");
        node.taints.push(Taint {
            effect: "NoExecute".to_owned(),
            ..taint("gone", "")
        });
        let mut bound = pod(r#"{"nodeName": "a"}"#);
        let refused = "taint gone:NoExecute is not tolerated";
        assert_eq!(answer(&bound, Placer::Scheduler, &node), refused);
        let annotations = &mut bound.metadata.annotations;
        annotations.insert(MIRROR_ANNOTATION.to_owned(), "hash".to_owned());
        assert_eq!(answer(&bound, Placer::Scheduler, &node), "");
        let from_file =
            r#"{"nodeName": "a", "tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}"#;
        assert_eq!(answer(&pod(from_file), Placer::Scheduler, &node), "");
    }

    #[test]
    fn what_is_transient_refuses_only_when_asked() {
        let mut not_ready = node("a", "amd64");
        not_ready
            .taints
            .push(taint("node.kubernetes.io/not-ready", ""));
        let mut cordoned = node("b", "amd64");
        cordoned.unschedulable = true;
        let strict = Rules {
            transient_refuses: true,
            ..Rules::default()
        };
        for (placer, node, refused) in [
            (Placer::Scheduler, &not_ready, true),
            (Placer::DaemonSetController, &not_ready, true),
            (Placer::Scheduler, &cordoned, true),
            (Placer::DaemonSetController, &cordoned, false),
        ] {
            let pod = pod("{}");
            assert_eq!(admits(&pod, placer, node), Ok(()));
            let now = Demands::new(&pod, placer, strict);
            assert_eq!(
                now.check(node).is_err(),
                refused,
                "{placer:?} {}",
                node.name
            );
        }
    }

    #[test]
    fn the_kubelet_refuses_another_os() {
        let linux = node("a", "amd64");
        let mut silent = node("b", "amd64");
        silent.platform.os.clear();
        let mut windows = pod(r#"{"os": {"name": "windows"}}"#);
        let declared = "spec.os.name windows is not the node's OS, linux";
        for node in [&linux, &silent, &hypothetical("linux", "amd64")] {
            assert_eq!(answer(&windows, Placer::Scheduler, node), declared);
        }
        silent.labels.clear();
        assert_eq!(answer(&windows, Placer::Scheduler, &silent), "");
        assert_eq!(
            answer(
                &windows,
                Placer::Scheduler,
                &hypothetical("windows", "amd64")
            ),
            ""
        );
        let labels = &mut windows.metadata.labels;
        labels.insert(OS_LABEL.to_owned(), "windows".to_owned());
        assert_eq!(
            answer(&windows, Placer::Scheduler, &linux),
            "pod label kubernetes.io/os=windows is not the node's OS, linux"
        );
    }

    #[test]
    fn of_a_hypothetical_node_os_and_architecture_are_known() {
        let node = hypothetical("linux", "arm64");
        let term = |expressions: &str| {
            format!(
                r#"{{"nodeSelector": {{"team": "a"}}, "affinity": {{"nodeAffinity": {{
                    "requiredDuringSchedulingIgnoredDuringExecution":
                        {{"nodeSelectorTerms": [{expressions}]}}}}}}}}"#
            )
        };
        let expressions = |text: &str| term(&format!(r#"{{"matchExpressions": [{text}]}}"#));
        let fields = |text: &str| term(&format!(r#"{{"matchFields": [{text}]}}"#));
        for (spec, admitted) in [
            (r#"{"nodeName": "n1"}"#.to_owned(), true),
            (r#"{"nodeSelector": {"pool": "x"}}"#.to_owned(), true),
            (
                r#"{"nodeSelector": {"kubernetes.io/arch": "arm64"}}"#.to_owned(),
                true,
            ),
            (
                r#"{"nodeSelector": {"kubernetes.io/arch": "amd64"}}"#.to_owned(),
                false,
            ),
            (
                r#"{"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}"#.to_owned(),
                false,
            ),
            (
                r#"{"nodeSelector": {"kubernetes.io/os": "windows"}}"#.to_owned(),
                false,
            ),
            (
                r#"{"nodeSelector": {"beta.kubernetes.io/os": "linux"}}"#.to_owned(),
                true,
            ),
            (
                expressions(r#"{"key": "team", "operator": "In", "values": ["a"]}"#),
                true,
            ),
            (
                expressions(r#"{"key": "team", "operator": "In", "values": ["b"]}"#),
                false,
            ),
            (
                expressions(r#"{"key": "team", "operator": "DoesNotExist"}"#),
                false,
            ),
            (
                expressions(r#"{"key": "gpu", "operator": "Gt", "values": ["3"]}"#),
                true,
            ),
            (
                expressions(r#"{"key": "gpu", "operator": "DoesNotExist"}"#),
                true,
            ),
            (
                expressions(
                    r#"{"key": "gpu", "operator": "DoesNotExist"}, {"key": "gpu", "operator": "Exists"}"#,
                ),
                false,
            ),
            // Broken, so that it matches nothing even where all is possible.
            (expressions(r#"{"key": "gpu", "operator": "In"}"#), false),
            (term("{}"), false),
            (term(""), false),
            (
                fields(r#"{"key": "metadata.name", "operator": "In", "values": ["n1"]}"#),
                true,
            ),
            (
                fields(r#"{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}"#),
                true,
            ),
            (
                fields(r#"{"key": "metadata.name", "operator": "Exists"}"#),
                false,
            ),
            (
                fields(r#"{"key": "metadata.uid", "operator": "In", "values": ["x"]}"#),
                false,
            ),
        ] {
            let admits = admits(&pod(&spec), Placer::Scheduler, &node);
            assert_eq!(admits.is_ok(), admitted, "{spec}: {admits:?}");
        }
    }
}
