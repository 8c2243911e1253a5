//! kubectl archcheck: which pods will fail, on which nodes, because an image was built for another platform.
//!
//! Data flows one way; ARCHITECTURE.md draws it. The library exists for our own tests and benches and makes no
//! semver promise.

pub mod cli;
pub mod config;
pub mod deep;
mod glob;
pub mod image;
pub mod input;
pub mod model;
pub mod placement;
pub mod policy;
pub mod registry;
pub mod report;
pub mod runtime;
mod tls_words;
pub mod verdict;
