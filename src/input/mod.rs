//! Where workloads and nodes come from: a live cluster, or manifests. Both read objects by the same rules
//! (`objects`, `kinds`, `custom`) and fold them under their owners (`fold`). The only module that knows kube-rs, YAML and files.

pub mod cluster;
pub mod custom;
pub mod files;
mod fold;
pub mod kinds;
mod objects;
mod pull_secrets;
mod selector;
mod unread;

pub use fold::{fold, topmost};
pub use objects::{Object, ObjectError, Reader, Role};
pub use pull_secrets::PullObjects;
pub use selector::{LabelSelector, SelectorError};
