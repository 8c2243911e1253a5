//! Nodes sorted into classes that behave alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::Platform;
use crate::model::{Node, NodeOrigin};
use crate::runtime::NodeClass;

/// The classes of a scan's nodes.
#[derive(Debug)]
pub struct NodeClasses {
    /// The classes, sorted.
    pub classes: Vec<NodeClass>,
    /// The class of each node, by its index.
    pub of_node: Vec<u32>,
}

/// A row of the report's `platforms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformRow {
    /// `os/arch[/variant]`.
    pub platform: String,
    /// Windows build, when known.
    pub os_version: Option<String>,
    /// `existing`, `potential` or `hypothetical`.
    pub source: &'static str,
    /// How many nodes; 0 for hypothetical ones.
    pub nodes: usize,
    /// Their runtimes.
    pub runtimes: Vec<String>,
    /// The pools of potential nodes.
    pub from: Vec<String>,
}

impl NodeClasses {
    /// Sorts nodes into classes. `binfmt` names a workload that installs emulators on nodes, if there is one.
    #[must_use]
    pub fn of(nodes: &[Node], binfmt: Option<&str>) -> Self {
        let class_of = |node: &Node| NodeClass {
            platform: platform_of(node),
            runtime: node.runtime.clone(),
            origin: node.origin.clone(),
            emulation: emulation(node, binfmt),
        };
        let distinct: BTreeSet<NodeClass> = nodes.iter().map(class_of).collect();
        let classes: Vec<NodeClass> = distinct.into_iter().collect();
        let of_node = nodes
            .iter()
            .map(|node| {
                let at = classes.binary_search(&class_of(node)).unwrap_or_default();
                u32::try_from(at).unwrap_or_default()
            })
            .collect();
        Self { classes, of_node }
    }

    /// Nodes by class: what a placement means for outcomes.
    #[must_use]
    pub fn group(&self, nodes: &[u32]) -> BTreeMap<u32, Vec<u32>> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &node in nodes {
            if let Some(&class) = self.of_node.get(node as usize) {
                groups.entry(class).or_default().push(node);
            }
        }
        groups
    }

    /// The rows of the report's `platforms`, sorted.
    #[must_use]
    pub fn rows(&self) -> Vec<PlatformRow> {
        let mut counts = vec![0; self.classes.len()];
        for &class in &self.of_node {
            if let Some(count) = counts.get_mut(class as usize) {
                *count += 1;
            }
        }
        let mut rows: BTreeMap<(String, String, &'static str), PlatformRow> = BTreeMap::new();
        for (class, count) in self.classes.iter().zip(counts) {
            let source = class.origin.as_str();
            let platform = class.platform.to_string();
            let version = class.platform.os_version.clone();
            let row = rows
                .entry((platform.clone(), version.clone(), source))
                .or_insert_with(|| PlatformRow {
                    platform,
                    os_version: (!version.is_empty()).then_some(version),
                    source,
                    nodes: 0,
                    runtimes: Vec::new(),
                    from: Vec::new(),
                });
            if class.origin == NodeOrigin::Existing {
                row.nodes += count;
            }
            let runtime = class.runtime.to_string();
            if !row.runtimes.contains(&runtime) {
                row.runtimes.push(runtime);
            }
            if let NodeOrigin::Potential(pool) = &class.origin
                && !row.from.contains(pool)
            {
                row.from.push(pool.clone());
            }
        }
        rows.into_values().collect()
    }
}

/// The node's platform as the verdict needs it: Windows nodes carry their build in the kernel version.
fn platform_of(node: &Node) -> Platform {
    let mut platform = node.platform.clone();
    if platform.os == "windows" && platform.os_version.is_empty() {
        platform.os_version = node
            .kernel_version
            .splitn(4, '.')
            .take(3)
            .collect::<Vec<_>>()
            .join(".");
    }
    platform
}

/// Evidence for emulation (DESIGN §1): desktop products register QEMU or Rosetta in their virtual machines.
fn emulation(node: &Node, binfmt: Option<&str>) -> Option<String> {
    let desktop = ["Docker Desktop", "OrbStack"]
        .into_iter()
        .find(|product| node.os_image.contains(product))
        .map(|product| format!("osImage {product}"));
    desktop.or_else(|| {
        let existing = node.origin == NodeOrigin::Existing;
        binfmt
            .filter(|_| existing)
            .map(|workload| format!("{workload}, which installs emulators,"))
    })
}

/// A DaemonSet that registers emulators (binfmt_misc) on the nodes, if there is one: `Kind/namespace/name`.
#[must_use]
pub fn emulator_installer(workloads: &[crate::model::Workload]) -> Option<String> {
    const INSTALLERS: [&str; 3] = [
        "tonistiigi/binfmt",
        "multiarch/qemu-user-static",
        "docker/binfmt",
    ];
    let installs = |image: &str| {
        crate::image::ImageRef::parse(image)
            .is_ok_and(|image| INSTALLERS.contains(&image.repository.as_str()))
    };
    workloads
        .iter()
        .filter(|workload| workload.is_on_each_node())
        .find(|workload| {
            workload.templates.iter().any(|template| {
                template
                    .spec
                    .all_containers()
                    .any(|(_, c)| installs(&c.image))
            })
        })
        .map(|workload| workload.id.to_string())
}
