//! Nodes that the user names by their platform.

use std::collections::BTreeMap;

use crate::image::Platform;
use crate::model::{Node, NodeOrigin, Runtime};

/// A hypothetical node: untainted, and nothing known of it but OS and architecture (DESIGN §1).
pub(super) fn hypothetical(platform: &Platform, runtime: &Runtime) -> Node {
    Node {
        name: platform.to_string(),
        origin: NodeOrigin::Hypothetical,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        unschedulable: false,
        platform: platform.clone(),
        runtime: runtime.clone(),
        os_image: String::new(),
        kernel_version: String::new(),
        images: Vec::new(),
    }
}
