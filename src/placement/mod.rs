//! Where a pod may land: the scheduler's static filters, the DaemonSet controller's, and the kubelet's own admission.
//! Pure; what depends on other pods (resources, ports, spreading, pod affinity) is not looked at.

mod admit;
mod scheduler;
mod selector;
mod taints;

pub use admit::{Placer, Refusal, admits, admits_now, keeps_running, pinned_node};
pub use scheduler::{Placement, Scheduler};
pub use selector::{Labels, Selector};
pub use taints::{Effects, daemon_set_tolerations, tolerates, untolerated};
