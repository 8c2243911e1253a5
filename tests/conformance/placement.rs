//! The scheduler's, the DaemonSet controller's and the kubelet's placement rules.

use std::collections::BTreeMap;

use archcheck::image::Platform;
use archcheck::model::{Node, NodeOrigin, NodeSelector, PodTemplate, Runtime, Taint, Toleration};
use archcheck::placement::{
    Effects, Labels, Placer, Selector, admits, admits_now, keeps_running, pinned_node, tolerates,
    untolerated,
};
use serde_json::{Value, json};

use crate::{cases, report};

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// A pod as the cases write it: fields of the spec, and labels.
fn pod(value: &Value) -> PodTemplate {
    read(&json!({ "metadata": {"labels": value["labels"]}, "spec": value }))
}

fn node(value: &Value) -> Node {
    let list: Option<Vec<Taint>> = read(&value["taints"]);
    let labels: Option<BTreeMap<String, String>> = read(&value["labels"]);
    Node {
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        origin: NodeOrigin::Existing,
        labels: labels.unwrap_or_default(),
        taints: list.unwrap_or_default(),
        unschedulable: value["unschedulable"].as_bool().unwrap_or(false),
        platform: Platform::default(),
        runtime: Runtime::parse(""),
        os_image: String::new(),
        kernel_version: String::new(),
        images: Vec::new(),
    }
}

#[test]
fn node_affinity() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("node_affinity.json") {
        ran += 1;
        let pod = pod(&case["pod"]);
        let node = node(&case["node"]);
        let labels = Labels::Known {
            name: &node.name,
            labels: &node.labels,
        };
        let selector = Selector::of(&pod.spec);
        let added: Option<NodeSelector> = read(&case["scheduler_added_affinity_required"]);
        let added = Selector::new(&BTreeMap::new(), added.as_ref());
        let mut fits = selector.matches(&labels) && added.matches(&labels);
        // The scheduler's PreFilter: only these nodes are looked at.
        if let Some(candidates) = case["expect_candidate_node_names"].as_array() {
            let mut names: Vec<_> = candidates.iter().filter_map(Value::as_str).collect();
            let mut ours = selector.pinned_names().unwrap_or_default();
            names.sort_unstable();
            ours.sort_unstable();
            ours.dedup();
            if names != ours {
                failures.push(format!("candidates {ours:?}: {case}"));
            }
            fits = fits && (node.name.is_empty() || ours.contains(&node.name.as_str()));
        }
        if Value::from(fits) != case["expect_fits"] {
            failures.push(format!("got {fits}: {case}"));
        }
    }
    report(&failures, ran, 52);
}

#[test]
fn label_requirements() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("label_requirements.json") {
        ran += 1;
        let labels: BTreeMap<String, String> = read(&case["labels"]);
        let terms = json!({"nodeSelectorTerms": [{"matchExpressions": case["requirements"]}]});
        let terms: NodeSelector = read(&terms);
        let selector = Selector::new(&BTreeMap::new(), Some(&terms));
        let got = selector.matches(&Labels::Known {
            name: "",
            labels: &labels,
        });
        if Value::from(got) != case["expect_match"] {
            failures.push(format!("got {got}: {case}"));
        }
    }
    report(&failures, ran, 4);
}

#[test]
fn taints() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("taints.json") {
        ran += 1;
        let mut taints: Vec<Taint> = read(&case["taints"]);
        let tolerations: Vec<Toleration> = read(&case["tolerations"]);
        let comparisons = case["comparison_operators_enabled"].as_bool().unwrap();
        if case["node_unschedulable"].as_bool() == Some(true) {
            // The nodeunschedulable plugin asks whether this taint would be tolerated.
            taints.push(Taint {
                key: "node.kubernetes.io/unschedulable".to_owned(),
                value: String::new(),
                effect: "NoSchedule".to_owned(),
            });
        }
        let got = match case["effects_considered"].as_str().unwrap() {
            "NoSchedule,NoExecute" => {
                untolerated(&taints, &tolerations, Effects::Scheduling, comparisons).is_none()
            }
            "NoExecute" => {
                untolerated(&taints, &tolerations, Effects::Running, comparisons).is_none()
            }
            "none" => true,
            _ => taints.iter().all(|taint| {
                tolerations
                    .iter()
                    .any(|toleration| tolerates(toleration, taint, comparisons))
            }),
        };
        if Value::from(got) != case["expect_tolerated"] {
            failures.push(format!("got {got}: {case}"));
        }
    }
    report(&failures, ran, 52);
}

#[test]
fn daemon_sets() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("daemonset.json") {
        ran += 1;
        let mut check = |what: &str, got: Value, expected: &Value| {
            if got != *expected {
                failures.push(format!("{what} {got}: {case}"));
            }
        };
        match case["kind"].as_str() {
            Some("target_node") => {
                let got = pinned_node(&pod(&case["pod"]).spec);
                check("pinned", got.into(), &case["expect_node"]);
            }
            // The controller pins each pod by rewriting its affinity; what we must do is read the pin.
            Some("affinity_rewrite") => {
                let got = pinned_node(&pod(&json!({"affinity": case["expect_affinity"]})).spec);
                check("pinned", got.into(), &case["node_name"]);
            }
            _ => {
                let (pod, node) = (pod(&case["template"]), node(&case["node"]));
                let runs = admits_now(&pod, Placer::DaemonSetController, &node).is_ok();
                check("runs", runs.into(), &case["expect_should_run"]);
                if let Some(expected) = case.get("expect_should_continue_running") {
                    check("keeps running", keeps_running(&pod, &node).into(), expected);
                }
            }
        }
    }
    report(&failures, ran, 39);
}

#[test]
fn operating_systems() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("kubelet_os.json") {
        ran += 1;
        let mut node = node(&case["node"]);
        node.platform.os = case["node_goos"].as_str().unwrap().to_owned();
        let refused = admits(&pod(&case["pod"]), Placer::Scheduler, &node).is_err();
        if Value::from(refused) != case["expect_rejected"] {
            failures.push(format!("refused {refused}: {case}"));
        }
    }
    report(&failures, ran, 1);
}
