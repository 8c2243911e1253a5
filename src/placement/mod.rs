//! Which nodes a pod may land on, as far as it can be told from the pod and the nodes alone.
//!
//! The same filters as kube-scheduler, the DaemonSet controller and the kubelet apply, minus all that depends on other
//! pods (resources, ports, spread, pod affinity) or changes by itself (cordon, not-ready and the like): "may land" is
//! meant to be wider than "would land now". Pure: plain functions over plain data.

mod admission;
mod daemonset;
mod domain;
mod feasible;
mod labels;
mod refusal;
mod scheduler;
mod selector;
mod taints;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;

pub use crate::model::Placer;
pub use admission::{
    Conflict, Merged, is_openshift_namespace, is_openshift_node, merge, namespace_selectors,
};
pub use daemonset::target_node;
pub use domain::{Domain, ValueSet};
pub use feasible::{Demands, Rules, admits};
pub use refusal::Refusal;
pub use scheduler::{Placement, Scheduler};
pub use selector::{Mismatch, Selector, Test};
pub use taints::{Effects, is_transient, tolerates, untolerated};
