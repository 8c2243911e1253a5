//! Images that nodes hold although no registry has them: loaded by hand, or pulled before they were deleted.

use std::collections::{HashMap, HashSet};

use super::Evidence;
use crate::image::{ImageError, ImageRef};

/// Images that nodes certainly hold: where a ready container runs one, or the node's own list names it.
#[derive(Debug, Default)]
pub(super) struct HeldImages {
    by_node: HashMap<String, HashSet<ImageRef>>,
}

impl HeldImages {
    /// Only images that a registry doesn't have are looked for; usually there are none.
    pub(super) fn collect(evidence: &Evidence<'_>) -> Self {
        let missing: HashSet<&ImageRef> = evidence
            .answers
            .distinct()
            .into_iter()
            .filter(|(_, answer, _)| matches!(answer.result, Err(ImageError::NotFound { .. })))
            .map(|(image, _, _)| image)
            .collect();
        let mut held = Self::default();
        if missing.is_empty() {
            return held;
        }
        let mut hold = |node: &str, image: &str| {
            if let Ok(image) = ImageRef::parse(image)
                && missing.contains(&image)
            {
                held.by_node
                    .entry(node.to_owned())
                    .or_default()
                    .insert(image);
            }
        };
        for node in evidence.nodes {
            for image in &node.images {
                hold(&node.name, image);
            }
        }
        for workload in evidence.workloads {
            for pod in &workload.pods {
                let Some(node) = &pod.node else { continue };
                for ready in &pod.ready {
                    for template in &workload.templates {
                        for (_, container) in template.spec.all_containers() {
                            if container.name == ready.name {
                                hold(node, &container.image);
                            }
                        }
                    }
                }
            }
        }
        held
    }

    pub(super) fn holds(&self, node: &str, image: &ImageRef) -> bool {
        self.by_node
            .get(node)
            .is_some_and(|images| images.contains(image))
    }
}
