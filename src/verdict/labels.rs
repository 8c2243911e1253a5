//! Nodes whose labels and nodeInfo disagree: the scheduler goes by the one, the runtime by the other.

use super::Finding;
use super::Verdict;
use super::rules::Rule;
use crate::model::{Node, NodeOrigin, ObjectId, Rendered};
use crate::runtime::Certainty;

/// Warns where a node's label says another platform than the node itself.
pub(super) fn label_mismatches(nodes: &[Node]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in nodes
        .iter()
        .filter(|node| node.origin == NodeOrigin::Existing)
    {
        for (label, real) in [
            ("kubernetes.io/arch", &node.platform.architecture),
            ("kubernetes.io/os", &node.platform.os),
        ] {
            let Some(claimed) = node.labels.get(label).filter(|claimed| *claimed != real) else {
                continue;
            };
            if real.is_empty() {
                continue;
            }
            findings.push(Finding {
                rule: Rule::NodeLabelMismatch,
                severity: Rule::NodeLabelMismatch.severity(),
                verdict: Verdict::Ok,
                workload: ObjectId {
                    kind: "Node".to_owned(),
                    name: node.name.clone(),
                    namespace: String::new(),
                    api_version: "v1".to_owned(),
                },
                dormant: false,
                container: String::new(),
                image: String::new(),
                platforms: vec![node.platform.to_string()],
                source: node.origin.as_str(),
                from: Vec::new(),
                nodes: 1,
                of_nodes: 1,
                node_examples: vec![node.name.clone()],
                message: format!("label {label} says {claimed}, but the node is {real}"),
                expect: Vec::new(),
                certainty: Certainty::Certain,
                advice: Rule::NodeLabelMismatch.advice(),
                location: None,
                object: None,
                rendered: Rendered::default(),
                suppressed: None,
            });
        }
    }
    findings
}
