//! Where pods may land: kube-scheduler, the DaemonSet controller, the kubelet.

use std::collections::BTreeMap;
use std::fmt::Debug;

use archcheck::image::Platform;
use archcheck::model::{
    Affinity, Node, NodeAffinity, NodeOrigin, NodeSelector, NodeSelectorRequirement,
    NodeSelectorTerm, PodSpec, PodTemplate, Runtime, Taint, Toleration,
};
use archcheck::placement::{Demands, Effects, Placer, Rules, admits, target_node, untolerated};
use serde::Deserialize;

use crate::support::{Origin, cases, run};

/// A node as the cases write it.
#[derive(Debug, Deserialize)]
struct CaseNode {
    #[serde(default)]
    name: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    taints: Vec<Taint>,
    #[serde(default)]
    unschedulable: bool,
}

impl CaseNode {
    fn to_node(&self) -> Node {
        Node {
            taints: self.taints.clone(),
            unschedulable: self.unschedulable,
            ..node(&self.name, &self.labels)
        }
    }
}

fn node(name: &str, labels: &BTreeMap<String, String>) -> Node {
    Node {
        name: name.to_owned(),
        origin: NodeOrigin::Existing,
        labels: labels.clone(),
        taints: Vec::new(),
        unschedulable: false,
        platform: Platform::default(),
        runtime: Runtime::parse(""),
        os_image: String::new(),
        kernel_version: String::new(),
        images: Vec::new(),
    }
}

fn template(spec: &PodSpec) -> PodTemplate {
    PodTemplate {
        spec: spec.clone(),
        ..PodTemplate::default()
    }
}

fn requiring(required: NodeSelector) -> PodTemplate {
    template(&PodSpec {
        affinity: Some(Affinity {
            node_affinity: Some(NodeAffinity {
                required: Some(required),
            }),
        }),
        ..PodSpec::default()
    })
}

/// What happens at this moment, as upstream's tests ask.
const NOW: Rules = Rules {
    comparison_operators: false,
    transient_refuses: true,
};

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what} is {found:?}, expected {expected:?}"))
    }
}

#[test]
fn node_affinity() {
    #[derive(Deserialize)]
    struct Case {
        #[serde(flatten)]
        origin: Origin,
        expect_fits: bool,
        /// The only nodes that a scheduler needs to look at.
        expect_candidate_node_names: Option<Vec<String>>,
        node: CaseNode,
        pod: PodSpec,
        /// From the scheduler's configuration; it counts in addition.
        scheduler_added_affinity_required: Option<NodeSelector>,
    }
    let cases = cases::<Case>("node_affinity.json").unwrap();
    run(
        "node affinity",
        52,
        &cases,
        |case| &case.origin,
        |case| {
            let fits = |node: &Node| {
                let added = case
                    .scheduler_added_affinity_required
                    .clone()
                    .map(requiring);
                let mut pods = added.into_iter().chain([template(&case.pod)]);
                pods.all(|pod| admits(&pod, Placer::Scheduler, node).is_ok())
            };
            if let Some(names) = &case.expect_candidate_node_names {
                for name in ["node1", "node2", "node3"] {
                    let is_candidate = names.iter().any(|candidate| candidate == name);
                    let node = node(name, &case.node.labels);
                    if fits(&node) && !is_candidate {
                        return Err(format!("{name} fits, expected one of {names:?}"));
                    }
                }
            }
            same("fits", &fits(&case.node.to_node()), &case.expect_fits)
        },
    );
}

#[test]
fn label_requirements() {
    #[derive(Deserialize)]
    struct Case {
        #[serde(flatten)]
        origin: Origin,
        expect_match: bool,
        labels: BTreeMap<String, String>,
        requirements: Vec<NodeSelectorRequirement>,
    }
    let cases = cases::<Case>("label_requirements.json").unwrap();
    run(
        "label requirements",
        4,
        &cases,
        |case| &case.origin,
        |case| {
            let pod = requiring(NodeSelector {
                node_selector_terms: vec![NodeSelectorTerm {
                    match_expressions: case.requirements.clone(),
                    ..NodeSelectorTerm::default()
                }],
            });
            let matches = admits(&pod, Placer::Scheduler, &node("n", &case.labels)).is_ok();
            same("match", &matches, &case.expect_match)
        },
    );
}

#[test]
fn taints() {
    #[derive(Deserialize)]
    struct Case {
        #[serde(flatten)]
        origin: Origin,
        expect_tolerated: bool,
        effects_considered: String,
        comparison_operators_enabled: bool,
        #[serde(default)]
        node_unschedulable: bool,
        taints: Vec<Taint>,
        tolerations: Vec<Toleration>,
    }
    let cases = cases::<Case>("taints.json").unwrap();
    run(
        "taints",
        52,
        &cases,
        |case| &case.origin,
        |case| {
            let counts: fn(&Taint) -> bool = match case.effects_considered.as_str() {
                "all" => |_| true,
                "none" => |_| false,
                "NoExecute" => |taint| Effects::Execution.count(&taint.effect),
                "NoSchedule,NoExecute" => |taint| Effects::Scheduling.count(&taint.effect),
                other => return Err(format!("unknown effects_considered {other:?}")),
            };
            let comparison_operators = case.comparison_operators_enabled;
            let open = untolerated(
                &case.taints,
                &case.tolerations,
                counts,
                comparison_operators,
            );
            if case.effects_considered != "NoSchedule,NoExecute" {
                return same("tolerated", &open.is_none(), &case.expect_tolerated);
            }
            // What a scheduler considers must come out of the whole filter, too; a cordon only there.
            let node = Node {
                taints: case.taints.clone(),
                unschedulable: case.node_unschedulable,
                ..node("n", &BTreeMap::new())
            };
            let pod = template(&PodSpec {
                tolerations: case.tolerations.clone(),
                ..PodSpec::default()
            });
            let rules = Rules {
                comparison_operators,
                ..NOW
            };
            let admitted = Demands::new(&pod, Placer::Scheduler, rules)
                .check(&node)
                .is_ok();
            if !case.node_unschedulable {
                same("tolerated alone", &open.is_none(), &admitted)?;
            }
            same("tolerated", &admitted, &case.expect_tolerated)
        },
    );
}

#[test]
fn daemon_sets() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Question {
        /// Whether a node runs it.
        Runs {
            node: CaseNode,
            template: PodSpec,
            expect_should_run: bool,
            expect_should_continue_running: Option<bool>,
        },
        /// What becomes of a template's affinity on `node_name`.
        Rewrites {
            affinity: Option<Affinity>,
            expect_affinity: Affinity,
            node_name: String,
        },
        /// Which node a pod is for.
        Targets {
            pod: PodSpec,
            expect_node: Option<String>,
        },
    }
    #[derive(Deserialize)]
    struct Case {
        #[serde(flatten)]
        origin: Origin,
        #[serde(flatten)]
        question: Question,
    }
    let cases = cases::<Case>("daemonset.json").unwrap();
    let mut asked = [0; 3];
    run(
        "DaemonSets",
        39,
        &cases,
        |case| &case.origin,
        |case| match &case.question {
            Question::Runs {
                node,
                template: spec,
                expect_should_run,
                expect_should_continue_running,
            } => {
                asked[0] += 1;
                let node = node.to_node();
                let demands = Demands::new(&template(spec), Placer::DaemonSetController, NOW);
                same("runs", &demands.check(&node).is_ok(), expect_should_run)?;
                let stays = demands.already_running().check(&node).is_ok();
                same(
                    "stays",
                    &stays,
                    &expect_should_continue_running.unwrap_or(stays),
                )
            }
            // Archcheck makes no pods: it must see through what the controller made, back to the node.
            Question::Rewrites {
                affinity,
                expect_affinity,
                node_name,
            } => {
                asked[1] += 1;
                let with = |affinity| PodSpec {
                    affinity,
                    ..PodSpec::default()
                };
                let made = with(Some(expect_affinity.clone()));
                same("target", &target_node(&made), &Some(node_name))?;
                let lands = |name: &str| {
                    let node = node(name, &BTreeMap::new());
                    admits(&template(&made), Placer::Scheduler, &node).is_ok()
                };
                same("lands on its node", &lands(node_name), &true)?;
                same("lands elsewhere", &lands("elsewhere"), &false)?;
                // The template's own pin, if any, is another one.
                let own = with(affinity.clone());
                same("own pin", &(target_node(&own) == Some(node_name)), &false)
            }
            Question::Targets { pod, expect_node } => {
                asked[2] += 1;
                same("target", &target_node(pod), &expect_node.as_deref())
            }
        },
    );
    assert_eq!(asked, [33, 3, 3], "cases by question");
}

#[test]
fn kubelet_os() {
    #[derive(Deserialize)]
    struct Case {
        #[serde(flatten)]
        origin: Origin,
        expect_rejected: bool,
        node: CaseNode,
        node_goos: String,
        pod: CasePod,
    }
    #[derive(Deserialize)]
    struct CasePod {
        labels: BTreeMap<String, String>,
        #[serde(flatten)]
        spec: PodSpec,
    }
    let cases = cases::<Case>("kubelet_os.json").unwrap();
    run(
        "kubelet, OS",
        1,
        &cases,
        |case| &case.origin,
        |case| {
            let node = Node {
                platform: Platform::new(&case.node_goos, "amd64", ""),
                ..case.node.to_node()
            };
            let mut pod = template(&case.pod.spec);
            pod.metadata.labels.clone_from(&case.pod.labels);
            let rejected = admits(&pod, Placer::Scheduler, &node).is_err();
            same("rejected", &rejected, &case.expect_rejected)
        },
    );
}
