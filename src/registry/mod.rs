//! Asks registries, image layouts and archives what a reference holds: the only module that knows HTTP to registries.
//!
//! `resolve` goes from a reference to an answer: it asks `layout`, then a `repository` with one credential after the
//! other. `walk` reads documents from either. Below `repository`, `auth` answers challenges, `refusal` says what a registry
//! means by a refusal, and `http` sends: at the `pace` that a `host` wants, within its `quota`, and with `retry` where a
//! failure may pass. `credentials` says which credential belongs to which registry, `mirrors` which `endpoints` stand for
//! it, and `cache` what has been answered before.

mod auth;
mod cache;
mod clients;
mod credentials;
mod doubts;
mod endpoints;
mod host;
mod http;
mod layout;
mod mirrors;
mod once;
mod pace;
mod plan;
mod quota;
mod refusal;
mod repository;
mod resolve;
mod retry;
mod walk;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub use cache::Cache;
pub use credentials::{CredentialFile, Credentials, NotRead, PullSecretSource, SourceKind, Style};
pub use mirrors::{MirrorConfigError, Mirrors};
pub use resolve::Registry;

/// How registries are to be asked.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// Hosts that speak plain http.
    pub plain_http: Vec<String>,
    /// Hosts whose certificate is not checked, and that may speak plain http.
    pub insecure: Vec<String>,
    /// PEM files with certificates to trust beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// Globs of the hosts that may be asked; none allows all.
    pub allow: Vec<String>,
    /// How many requests at a time, over all hosts.
    pub concurrency: usize,
    /// The user's credentials.
    pub credentials: Credentials,
    /// What registries have answered before.
    pub cache: Cache,
    /// Whether only layouts and the cache are asked.
    pub offline: bool,
    /// The mirrors that nodes use.
    pub mirrors: Mirrors,
    /// Layouts and archives to ask before any registry.
    pub layouts: Vec<LayoutSpec>,
}

/// `--images [REF=]PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutSpec {
    /// The reference that the layout answers for; without one, those that its annotations name.
    pub reference: Option<String>,
    /// A directory, tar or docker save archive.
    pub path: PathBuf,
}

/// Why registries can't be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum RegistrySetupError {
    /// A certificate file.
    #[error("{path} could not be read as PEM certificates: {detail}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A layout or archive.
    #[error("--images {path}: {detail}")]
    Layout {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The HTTP client.
    #[error("no HTTP client could be made: {0}")]
    Client(String),
}
