//! Placement of many pods over many nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::rc::Rc;

use crate::model::{Node, NodeOrigin, Placer, PodTemplate};

use super::feasible::{Constraints, Demands, Rules, node_os};
use super::refusal::Refusal;
use super::selector::{Distinction, Property};

/// Where pods of a template may land.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The nodes that admit them: indices, ascending.
    pub nodes: Vec<u32>,
    /// Why the others do not, and how many each.
    pub refusals: BTreeMap<Refusal<'static>, usize>,
}

/// Answers for the nodes of a scan, each question once.
///
/// Thousands of workloads share a few constraints, and thousands of nodes differ in little that a given pod asks about:
/// nodes that look alike to a pod are asked as one.
#[derive(Debug)]
pub struct Scheduler<'a> {
    nodes: &'a [Node],
    rules: Rules,
    /// Label key → value → the nodes that have it.
    labels: HashMap<&'a str, HashMap<&'a str, Vec<u32>>>,
    /// Name → the nodes that have it; files may hold two.
    names: HashMap<&'a str, Vec<u32>>,
    /// The nodes in classes by all but labels and name.
    alike: Classes,
    /// Answers given.
    placements: HashMap<Constraints, Rc<Placement>>,
}

impl<'a> Scheduler<'a> {
    /// A scheduler over `nodes`, by the default [`Rules`].
    #[must_use]
    pub fn new(nodes: &'a [Node]) -> Self {
        Self::with_rules(nodes, Rules::default())
    }

    /// A scheduler over `nodes` by `rules`.
    #[must_use]
    pub fn with_rules(nodes: &'a [Node], rules: Rules) -> Self {
        let mut labels: HashMap<&str, HashMap<&str, Vec<_>>> = HashMap::new();
        let mut names: HashMap<&str, Vec<_>> = HashMap::new();
        for (index, node) in (0..).zip(nodes) {
            for (key, value) in &node.labels {
                let values = labels.entry(key).or_default();
                values.entry(value).or_default().push(index);
            }
            names.entry(&node.name).or_default().push(index);
        }
        let alike = Classes::by(nodes, |node| {
            // Of a hypothetical node an absent label may still be anything, and the platform stands for some.
            let hypothetical = node.origin == NodeOrigin::Hypothetical;
            (
                hypothetical.then_some((&node.platform, &node.labels)),
                node_os(node),
                &node.taints,
                node.unschedulable,
                // Fields are skipped where there is no name.
                node.name.is_empty(),
            )
        });
        Self {
            nodes,
            rules,
            labels,
            names,
            alike,
            placements: HashMap::new(),
        }
    }

    /// Where pods of `pod` may land.
    pub fn place(&mut self, pod: &PodTemplate, placer: Placer) -> Rc<Placement> {
        if let Some(names) = &pod.live_on {
            return Rc::new(self.where_they_are(names));
        }
        let constraints = Constraints::of(pod, placer);
        if let Some(placement) = self.placements.get(&constraints) {
            return Rc::clone(placement);
        }
        let demands = Demands::of(&constraints, self.rules);
        let placement = Rc::new(self.ask(&demands));
        self.placements.insert(constraints, Rc::clone(&placement));
        placement
    }

    /// Live pods are where they are, whatever the scheduler would say today.
    fn where_they_are(&self, names: &BTreeSet<String>) -> Placement {
        let indices = names
            .iter()
            .filter_map(|name| self.names.get(name.as_str()))
            .flatten();
        let exists = |index: &u32| {
            let node = self.nodes.get(*index as usize);
            node.is_some_and(|node| node.origin == NodeOrigin::Existing)
        };
        let mut nodes: Vec<u32> = indices.copied().filter(exists).collect();
        nodes.sort_unstable();
        Placement {
            nodes,
            refusals: BTreeMap::new(),
        }
    }

    fn ask(&self, demands: &Demands) -> Placement {
        let classes = self.classes(demands);
        let mut tally = Tally::default();
        let admitting: Vec<bool> = classes
            .classes
            .iter()
            .map(
                |class| match demands.check(&self.nodes[class.example as usize]) {
                    Ok(()) => true,
                    Err(refusal) => {
                        tally.add(refusal, class.count);
                        false
                    }
                },
            )
            .collect();
        let nodes = (0..).zip(&classes.of_node);
        Placement {
            nodes: nodes
                .filter(|&(_, &class)| admitting[class as usize])
                .map(|(index, _)| index)
                .collect(),
            refusals: tally.finish(),
        }
    }

    /// The nodes in classes by all that `demands` can tell apart.
    fn classes(&self, demands: &Demands) -> Classes {
        let mut split = Split::of(&self.alike);
        for (property, distinction) in demands.distinctions() {
            let groups = match property {
                Property::Name => Some(&self.names),
                Property::Label(key) => self.labels.get(key),
            };
            // What no node has tells no nodes apart.
            let Some(groups) = groups else { continue };
            match distinction {
                Distinction::Values(values) => {
                    for nodes in values.iter().filter_map(|v| groups.get(v.as_str())) {
                        split.off(nodes);
                    }
                }
                Distinction::Presence => split.off(groups.values().flatten()),
                Distinction::EachValue => groups.values().for_each(|nodes| split.off(nodes)),
            }
        }
        split.finish()
    }
}

/// Nodes sorted into classes.
#[derive(Debug)]
struct Classes {
    /// Node → its class.
    of_node: Vec<u32>,
    /// What there is to know of each class.
    classes: Vec<Class>,
}

/// Nodes that look alike.
#[derive(Debug)]
struct Class {
    /// Index of one of them.
    example: u32,
    /// How many there are.
    count: usize,
}

impl Classes {
    /// Classes of nodes with the same `look`.
    fn by<'a, K: Eq + Hash>(nodes: &'a [Node], look: impl Fn(&'a Node) -> K) -> Self {
        let mut numbers = HashMap::new();
        let of_node = nodes.iter().map(|node| {
            let fresh = as_index(numbers.len());
            *numbers.entry(look(node)).or_insert(fresh)
        });
        let of_node = of_node.collect();
        Self::numbered(of_node, numbers.len())
    }

    /// Classes by the numbers of their nodes, below `count`. The numbers become those of first appearance, without gaps.
    fn numbered(mut of_node: Vec<u32>, count: usize) -> Self {
        let mut renumbered = vec![None; count];
        let mut classes: Vec<Class> = Vec::new();
        for (example, class) in (0..).zip(&mut of_node) {
            *class = *renumbered[*class as usize].get_or_insert_with(|| {
                classes.push(Class { example, count: 0 });
                as_index(classes.len() - 1)
            });
            classes[*class as usize].count += 1;
        }
        Self { of_node, classes }
    }
}

/// Classes in the course of being split.
struct Split {
    /// Node → its class.
    of_node: Vec<u32>,
    /// Class → the group of nodes that last left it, and the class to which they went.
    left: Vec<(u32, u32)>,
    /// Groups of nodes so far.
    groups: u32,
}

impl Split {
    fn of(classes: &Classes) -> Self {
        Self {
            of_node: classes.of_node.clone(),
            left: vec![(0, 0); classes.classes.len()],
            groups: 0,
        }
    }

    /// Tells `nodes` apart from all others.
    fn off<'n>(&mut self, nodes: impl IntoIterator<Item = &'n u32>) {
        self.groups += 1;
        for node in nodes {
            let class = &mut self.of_node[*node as usize];
            let fresh = as_index(self.left.len());
            let (group, to) = &mut self.left[*class as usize];
            if *group == self.groups {
                *class = *to;
            } else {
                (*group, *to) = (self.groups, fresh);
                *class = fresh;
                self.left.push((0, 0));
            }
        }
    }

    fn finish(self) -> Classes {
        Classes::numbered(self.of_node, self.left.len())
    }
}

/// Indices of nodes are 32 bits wide: there are no four billion nodes.
fn as_index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Counts refusals. There are few different ones, and the same often come in a row.
#[derive(Debug, Default)]
struct Tally<'a>(Vec<(Refusal<'a>, usize)>);

impl<'a> Tally<'a> {
    fn add(&mut self, refusal: Refusal<'a>, count: usize) {
        match self.0.iter_mut().rev().find(|(other, _)| *other == refusal) {
            Some((_, total)) => *total += count,
            None => self.0.push((refusal, count)),
        }
    }

    fn finish(self) -> BTreeMap<Refusal<'static>, usize> {
        let owned = |(refusal, count): (Refusal<'_>, _)| (refusal.into_owned(), count);
        self.0.into_iter().map(owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::testing::{self, node, pod};

    #[test]
    fn alike_pods_share_an_answer() {
        let nodes = [node("a", "amd64"), node("b", "arm64")];
        let mut scheduler = Scheduler::new(&nodes);
        let wants_arm = pod(r#"{"nodeSelector": {"kubernetes.io/arch": "arm64"}}"#);
        let mut other = wants_arm.clone();
        other.spec.containers.push(testing::container("x"));

        let placement = scheduler.place(&wants_arm, Placer::Scheduler);
        assert!(Rc::ptr_eq(
            &placement,
            &scheduler.place(&other, Placer::Scheduler)
        ));
        assert_eq!(placement.nodes, [1]);
        let refusals: Vec<_> = placement
            .refusals
            .iter()
            .map(|(refusal, count)| (refusal.to_string(), *count))
            .collect();
        assert_eq!(
            refusals,
            [(
                "node selector kubernetes.io/arch=arm64 does not match".to_owned(),
                1
            )]
        );
    }

    #[test]
    fn refusals_are_tallied_by_reason() {
        let mut nodes = testing::many_nodes(10);
        for node in &mut nodes[..4] {
            node.taints.push(testing::taint("dedicated", "gpu"));
        }
        nodes[4].labels.remove("kubernetes.io/arch");
        let pod = pod(r#"{"nodeSelector": {"kubernetes.io/arch": "s390x"}}"#);
        let placement = Scheduler::new(&nodes).place(&pod, Placer::Scheduler);
        assert!(placement.nodes.is_empty());
        let counts: Vec<_> = placement.refusals.values().copied().collect();
        assert_eq!(counts, [4, 6]);
    }

    #[test]
    fn bound_pods_have_one_node() {
        let nodes = testing::many_nodes(10);
        let pod = pod(r#"{"nodeName": "node-7"}"#);
        let placement = Scheduler::new(&nodes).place(&pod, Placer::Scheduler);
        assert_eq!(placement.nodes, [7]);
        assert_eq!(
            placement.refusals.values().copied().collect::<Vec<_>>(),
            [9]
        );
    }

    #[test]
    fn no_nodes() {
        let placement = Scheduler::new(&[]).place(&pod("{}"), Placer::Scheduler);
        assert_eq!(*placement, Placement::default());
    }

    #[test]
    fn nodes_that_look_alike_are_asked_as_one() {
        let nodes = testing::many_nodes(1000);
        let term = |requirement: &str| {
            pod(&format!(
                r#"{{"affinity": {{"nodeAffinity": {{
                    "requiredDuringSchedulingIgnoredDuringExecution":
                        {{"nodeSelectorTerms": [{{"matchExpressions": [{requirement}]}}]}}}}}}}}"#
            ))
        };
        let scheduler = Scheduler::new(&nodes);
        for (pod, classes) in [
            (pod("{}"), 1),
            (pod(r#"{"nodeSelector": {"nobody-has-it": "x"}}"#), 1),
            (
                pod(r#"{"nodeSelector": {"kubernetes.io/arch": "arm64"}}"#),
                2,
            ),
            (
                pod(r#"{"nodeSelector": {"kubernetes.io/hostname": "node-3"}}"#),
                2,
            ),
            (pod(r#"{"nodeName": "node-3"}"#), 2),
            (
                term(
                    r#"{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["node-3", "node-5"]}"#,
                ),
                3,
            ),
            (
                term(r#"{"key": "kubernetes.io/hostname", "operator": "Exists"}"#),
                1,
            ),
            (
                term(r#"{"key": "kubernetes.io/hostname", "operator": "Gt", "values": ["1"]}"#),
                1000,
            ),
        ] {
            let demands = Demands::new(&pod, Placer::Scheduler, Rules::default());
            assert_eq!(
                scheduler.classes(&demands).classes.len(),
                classes,
                "{pod:?}"
            );
        }
    }
}
