//! The plain data that a scan works on: workloads, the pods they make, and nodes.
//!
//! Nothing here does I/O or knows where an object came from; `input/` fills these types, the pure modules
//! (`placement`, `runtime`, `verdict`) read them.

mod inventory;
mod mirror;
mod node;
mod plan;
mod pod;
mod pull_secret;
mod rendered;
mod workload;

pub use inventory::{Incomplete, Inventory};
pub use mirror::{MirrorSet, Mirrored};
pub use node::{Node, NodeOrigin, Runtime, RuntimeName, Taint, Version};
pub use plan::{Plan, PlannedAsk, PlannedHost, PlannedImage, Unasked};
pub(crate) use pod::null_as_default;
pub use pod::{
    Affinity, Container, ContainerRole, ImageVolume, NodeAffinity, NodeSelector,
    NodeSelectorRequirement, NodeSelectorTerm, Placer, PodMetadata, PodOs, PodSpec, PodTemplate,
    RunningContainer, SecretRef, Toleration, Volume,
};
pub use pull_secret::{PullAccess, PullSecret, Secret};
pub use rendered::Rendered;
pub use workload::{LivePod, Location, ObjectId, Workload};
