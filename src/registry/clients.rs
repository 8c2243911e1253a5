//! HTTP clients: one for each way in which hosts are to be trusted, made when it is first needed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, Client, Identity};

use super::http::innermost;
use super::{RegistryOptions, RegistrySetupError};

/// What tells clients apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Trust {
    /// Certificates are not checked.
    pub(super) anybody: bool,
    /// No proxy in between: for loopback, as Go's clients do.
    pub(super) direct: bool,
    /// PEM files to trust beside the system's and those of `--registry-ca`.
    pub(super) ca_files: Vec<PathBuf>,
    /// PEM files of client certificates and their keys.
    pub(super) identities: Vec<(PathBuf, Option<PathBuf>)>,
}

/// The clients of a run.
#[derive(Debug)]
pub(super) struct Clients {
    certificates: Vec<Certificate>,
    timeout: Duration,
    made: Mutex<HashMap<Trust, Client>>,
}

impl Clients {
    /// Reads `--registry-ca`, and makes the client that most hosts need.
    pub(super) fn new(options: &RegistryOptions) -> Result<Self, RegistrySetupError> {
        // Fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut certificates = Vec::new();
        for path in &options.ca_files {
            let found = read_certificates(path).map_err(|detail| {
                let path = path.clone();
                RegistrySetupError::Certificates { path, detail }
            })?;
            certificates.extend(found);
        }
        let clients = Self {
            certificates,
            timeout: options.request_timeout,
            made: Mutex::default(),
        };
        clients
            .get(&Trust::default())
            .map_err(RegistrySetupError::Client)?;
        Ok(clients)
    }

    /// The client for hosts that are trusted so. Fails, in words, when a file that mirror configuration names is broken;
    /// one that isn't on this machine was told of, and is left out.
    pub(super) fn get(&self, trust: &Trust) -> Result<Client, String> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(trust) {
            return Ok(client.clone());
        }
        let client = self.make(trust)?;
        made.insert(trust.clone(), client.clone());
        Ok(client)
    }

    fn make(&self, trust: &Trust) -> Result<Client, String> {
        let mut certificates = self.certificates.clone();
        for path in trust.ca_files.iter().filter(|path| path.exists()) {
            let found = read_certificates(path);
            certificates.extend(found.map_err(|why| format!("{}: {why}", path.display()))?);
        }
        // TLS offers one certificate to a server; of several, the first that is here.
        let identity = trust.identities.iter().find(|(path, _)| path.exists());
        let identity = identity
            .map(|(certificate, key)| read_identity(certificate, key.as_deref()))
            .transpose()?;
        let build = |system: bool| {
            let mut builder = Client::builder()
                .user_agent(concat!("kubectl-archcheck/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(self.timeout)
                .tls_danger_accept_invalid_certs(trust.anybody);
            builder = if system {
                builder.tls_certs_merge(certificates.clone())
            } else {
                builder.tls_certs_only(certificates.clone())
            };
            if let Some(identity) = &identity {
                builder = builder.identity(identity.clone());
            }
            if trust.direct {
                builder = builder.no_proxy();
            }
            builder.build()
        };
        // A machine without any trusted certificate can't build a client that asks for them (reqwest #2988); plain http
        // and --registry-ca must work there all the same.
        build(true)
            .or_else(|_| build(false))
            .map_err(|error| innermost(&error))
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| innermost(&error))?;
    if found.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(found)
}

/// A client certificate and its key, in one file or in two.
fn read_identity(certificate: &Path, key: Option<&Path>) -> Result<Identity, String> {
    let wrong =
        |error: &dyn std::error::Error| format!("{}: {}", certificate.display(), innermost(error));
    let mut pem = std::fs::read(certificate).map_err(|error| wrong(&error))?;
    if let Some(key) = key {
        let key = std::fs::read(key).map_err(|error| format!("{}: {error}", key.display()))?;
        pem.push(b'\n');
        pem.extend(key);
    }
    Identity::from_pem(&pem).map_err(|error| wrong(&error))
}
