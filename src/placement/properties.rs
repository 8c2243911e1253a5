//! What must hold for any pod and any nodes.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::model::{
    Affinity, Node, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Placer,
    PodOs, PodSpec, PodTemplate, Taint, Toleration,
};

use super::testing::{hypothetical, node};
use super::{Rules, Scheduler, admits, domain::Domain, domain::ValueSet, selector::Test};

/// Few keys and values, so that pods and nodes often speak of the same.
const KEYS: &[&str] = &["kubernetes.io/arch", "kubernetes.io/os", "a", "b"];
const VALUES: &[&str] = &["amd64", "arm64", "linux", "windows", "", "1", "05", "x"];

fn text(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(of).prop_map(ToOwned::to_owned)
}

/// Values that the API server would take for labels.
fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(&["a", "b"]), text(VALUES), 0..3)
}

fn requirement() -> impl Strategy<Value = NodeSelectorRequirement> {
    let operators = &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Bad"];
    (text(KEYS), text(operators), vec(text(VALUES), 0..3)).prop_map(|(key, operator, values)| {
        // Mostly valid.
        let takes_none = matches!(operator.as_str(), "Exists" | "DoesNotExist");
        let values = if takes_none { Vec::new() } else { values };
        NodeSelectorRequirement {
            key,
            operator,
            values,
        }
    })
}

fn field() -> impl Strategy<Value = NodeSelectorRequirement> {
    let names = &["n0", "n1", ""];
    (text(&["In", "NotIn", "Exists"]), vec(text(names), 1..2)).prop_map(|(operator, values)| {
        NodeSelectorRequirement {
            key: "metadata.name".to_owned(),
            operator,
            values,
        }
    })
}

fn term() -> impl Strategy<Value = NodeSelectorTerm> {
    (vec(requirement(), 0..3), vec(field(), 0..2)).prop_map(|(match_expressions, match_fields)| {
        NodeSelectorTerm {
            match_expressions,
            match_fields,
        }
    })
}

const EFFECTS: &[&str] = &["NoSchedule", "NoExecute", "PreferNoSchedule"];

fn taint() -> impl Strategy<Value = Taint> {
    let keys = &[
        "dedicated",
        "kubernetes.io/arch",
        "node.kubernetes.io/not-ready",
    ];
    (text(keys), text(VALUES), text(EFFECTS)).prop_map(|(key, value, effect)| Taint {
        key,
        value,
        effect,
    })
}

fn toleration() -> impl Strategy<Value = Toleration> {
    let keys = &["", "dedicated", "kubernetes.io/arch"];
    let operators = &["", "Equal", "Exists", "Gt", "Bad"];
    let effects = &["", "NoSchedule", "NoExecute"];
    (text(keys), text(operators), text(VALUES), text(effects)).prop_map(
        |(key, operator, value, effect)| Toleration {
            key,
            operator,
            value,
            effect,
        },
    )
}

prop_compose! {
    fn any_pod()(
        node_name in option::weighted(0.1, text(&["n0", "n1", ""])),
        node_selector in btree_map(text(KEYS), text(VALUES), 0..2),
        namespace_selector in btree_map(text(KEYS), text(VALUES), 0..2),
        terms in option::of(vec(term(), 0..3)),
        tolerations in vec(toleration(), 0..3),
        os in option::weighted(0.1, text(&["linux", "windows"])),
        os_label in option::weighted(0.1, text(&["linux", "windows"])),
    ) -> PodTemplate {
        let required = terms.map(|node_selector_terms| NodeSelector { node_selector_terms });
        let node_affinity = Some(NodeAffinity { required });
        let mut pod = PodTemplate {
            spec: PodSpec {
                node_name,
                node_selector,
                namespace_selector,
                affinity: Some(Affinity { node_affinity }),
                tolerations,
                os: os.map(|name| PodOs { name }),
                ..PodSpec::default()
            },
            ..PodTemplate::default()
        };
        pod.metadata.labels.extend(os_label.map(|os| ("kubernetes.io/os".to_owned(), os)));
        pod
    }
}

prop_compose! {
    /// A node as a kubelet registers it, with a few more labels.
    fn any_node()(
        name in text(&["n0", "n1", "n2", ""]),
        architecture in text(&["amd64", "arm64"]),
        labels in labels(),
        taints in vec(taint(), 0..2),
        unschedulable in any::<bool>(),
        missing in subsequence(vec!["kubernetes.io/arch", "kubernetes.io/os"], 0..2),
    ) -> Node {
        let mut node = Node { taints, unschedulable, ..node(&name, &architecture) };
        node.labels.extend(labels);
        node.labels.retain(|key, _| !missing.contains(&key.as_str()));
        node
    }
}

fn placer() -> impl Strategy<Value = Placer> {
    select(vec![Placer::Scheduler, Placer::DaemonSetController])
}

/// The requirement as it is evaluated, if it is valid.
fn test_of(raw: &NodeSelectorRequirement) -> Option<Test> {
    let first = || raw.values.first()?.parse().ok();
    Some(match raw.operator.as_str() {
        "In" => Test::In(raw.values.clone()),
        "NotIn" => Test::NotIn(raw.values.clone()),
        "Exists" => Test::Exists,
        "DoesNotExist" => Test::DoesNotExist,
        "Gt" => Test::Gt(first()?),
        "Lt" => Test::Lt(first()?),
        _ => return None,
    })
}

proptest! {
    #[test]
    fn classes_of_nodes_answer_as_each_node_would(
        nodes in vec(any_node(), 0..12),
        platforms in vec((text(&["amd64", "arm64"]), labels()), 0..3),
        pods in vec((any_pod(), placer()), 1..6),
    ) {
        let mut nodes = nodes;
        nodes.extend(platforms.into_iter().map(|(architecture, labels)| Node {
            labels,
            ..hypothetical("linux", &architecture)
        }));
        let mut scheduler = Scheduler::new(&nodes);
        for (pod, placer) in &pods {
            let placement = scheduler.place(pod, *placer);
            let mut expected = super::Placement::default();
            for (index, node) in (0..).zip(&nodes) {
                match admits(pod, *placer, node) {
                    Ok(()) => expected.nodes.push(index),
                    Err(refusal) => *expected.refusals.entry(refusal).or_default() += 1,
                }
            }
            prop_assert_eq!(&*placement, &expected);
        }
    }

    #[test]
    fn another_toleration_never_loses_a_node(
        pod in any_pod(), placer in placer(), node in any_node(), more in toleration(), strict in any::<bool>(),
    ) {
        let rules = Rules { transient_refuses: strict, ..Rules::default() };
        let admits = |pod| super::Demands::new(pod, placer, rules).check(&node).is_ok();
        let mut tolerant = pod.clone();
        tolerant.spec.tolerations.push(more);
        prop_assert!(!admits(&pod) || admits(&tolerant));
    }

    #[test]
    fn what_is_transient_only_takes_nodes_away(pod in any_pod(), placer in placer(), node in any_node()) {
        let rules = Rules { transient_refuses: true, ..Rules::default() };
        let now = super::Demands::new(&pod, placer, rules);
        prop_assert!(now.check(&node).is_err() || admits(&pod, placer, &node).is_ok());
    }

    #[test]
    fn a_broken_term_changes_nothing(
        pod in any_pod(), node in any_node(), terms in vec(term(), 1..3), at in any::<bool>(),
    ) {
        let broken = NodeSelectorTerm {
            match_expressions: vec![NodeSelectorRequirement {
                key: "a".to_owned(),
                operator: "In".to_owned(),
                values: Vec::new(),
            }],
            ..NodeSelectorTerm::default()
        };
        let with = |terms: &[NodeSelectorTerm]| {
            let required = Some(NodeSelector { node_selector_terms: terms.to_vec() });
            let mut pod = pod.clone();
            pod.spec.affinity = Some(Affinity { node_affinity: Some(NodeAffinity { required }) });
            let existing = admits(&pod, Placer::Scheduler, &node).is_ok();
            let described = hypothetical("linux", &node.platform.architecture);
            (existing, admits(&pod, Placer::Scheduler, &described).is_ok())
        };
        let mut more = terms.clone();
        more.insert(if at { 0 } else { terms.len() }, broken.clone());
        prop_assert_eq!(with(&more), with(&terms));
        prop_assert_eq!(with(&[broken]), (false, false));
    }

    #[test]
    fn a_hypothetical_node_admits_what_an_untainted_one_would(
        pod in any_pod(), placer in placer(), name in text(&["n0", "n1", "n2"]),
        architecture in text(&["amd64", "arm64"]), labels in labels(),
    ) {
        let mut existing = node(&name, &architecture);
        existing.labels.extend(labels);
        let described = hypothetical("linux", &architecture);
        prop_assert!(
            admits(&pod, placer, &existing).is_err() || admits(&pod, placer, &described).is_ok()
        );
    }

    #[test]
    fn one_possible_value_is_as_good_as_a_known_one(
        requirements in vec(requirement(), 0..4), value in text(VALUES),
    ) {
        let tests: Vec<_> = requirements.iter().filter_map(test_of).collect();
        let mut set = ValueSet::one_of([value.as_str()]);
        for test in &tests {
            set.narrow(test);
        }
        prop_assert_eq!(!set.is_empty(), tests.iter().all(|test| test.matches(Some(&value))));
    }

    #[test]
    fn a_value_that_passes_all_is_never_ruled_out(
        requirements in vec(requirement(), 0..4), value in option::of(text(VALUES)),
    ) {
        let tests: Vec<_> = requirements.iter().filter_map(test_of).collect();
        let passes = tests.iter().all(|test| test.matches(value.as_deref()));
        let hypothetical = hypothetical("linux", "arm64");
        let Domain::Open(mut set) = Domain::of_label(&hypothetical, "a") else {
            return Err(TestCaseError::fail("the label is not open"));
        };
        for test in &tests {
            set.narrow(test);
        }
        prop_assert!(!passes || !set.is_empty());
    }
}
