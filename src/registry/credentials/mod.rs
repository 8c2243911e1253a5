//! Credentials: which one belongs to which registry or repository, in the order in which they are tried.
//!
//! The user's: a file says where a credential is ([`config_file`]); a helper program may have to be asked for it
//! ([`helper`]). The pods': [`pull_secrets`] reads what they name, and [`keyring`] says what the kubelet would offer out
//! of it. They come between the file that the user names and those that are found.

mod config_file;
mod helper;
mod keyring;
mod pull_secrets;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) use self::config_file::login;
use self::config_file::{ConfigFile, Place};
pub(super) use self::pull_secrets::PullSecrets;
pub use self::pull_secrets::{NotRead, PullSecretSource, SourceKind};
use super::once::OnceMap;
use crate::image::CredentialKind;
pub(super) use crate::model::Secret;

/// How many credentials are tried for one repository (registry.md §3.2).
const MOST_TRIED: usize = 3;

/// A credential for a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Credential {
    pub(super) login: Login,
    pub(super) kind: CredentialKind,
}

/// What a credential consists of. User names aren't printed either: some registries take a token for one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Login {
    /// User name and password.
    Password { username: String, password: Secret },
    /// A refresh token, which the token server exchanges (docker's `identitytoken`, a helper's user `<token>`).
    Identity(Secret),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "a password",
            Self::Identity(_) => "a refresh token",
        })
    }
}

/// A config file to read, from first to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFile {
    /// Its path. One that isn't there holds no credentials.
    pub path: PathBuf,
    /// How its keys are read.
    pub style: Style,
    /// How reports call it.
    pub kind: CredentialKind,
}

/// Whose rules a config file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// docker/cli: a key is a host.
    Docker,
    /// containers/image: a key is a host or a path below it; the longest wins.
    Containers,
}

/// Which credential belongs to which registry.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    files: Vec<ConfigFile>,
    /// Helpers are asked once a host, and not twice at a time: some take seconds.
    asked: Arc<OnceMap<(String, String), Option<Login>>>,
}

impl Credentials {
    /// Reads config files, and `DOCKER_AUTH_CONFIG` before docker's own. Also returns warnings: what can't be read is not
    /// used, and hides nothing else.
    ///
    /// # Errors
    /// When the file that the user names isn't there or can't be read: scanning on with other credentials would answer
    /// another question.
    pub fn read(
        files: &[CredentialFile],
        docker_auth_config: Option<&str>,
    ) -> Result<(Self, Vec<String>), String> {
        let mut warnings = Vec::new();
        let mut credentials = Self::default();
        if let Some(text) = docker_auth_config {
            let (file, more) = ConfigFile::from_environment(text);
            credentials.files.extend(file);
            warnings.extend(more);
        }
        // What the user names on the command line goes before everything that is found.
        for wanted in files {
            let (file, more) = ConfigFile::read(wanted);
            let named = wanted.kind == CredentialKind::RegistryConfig;
            if named && file.is_none() {
                let missing = || format!("{} isn't there", wanted.path.display());
                return Err(more.into_iter().next().unwrap_or_else(missing));
            }
            let at = if named { 0 } else { credentials.files.len() };
            credentials.files.splice(at..at, file);
            warnings.extend(more);
        }
        Ok((credentials, warnings))
    }

    /// The credentials to try for a repository of a registry (named as in references), in order. `pull`: what the pods'
    /// pull secrets have for it.
    pub(super) async fn candidates(
        &self,
        registry: &str,
        repository: &str,
        pull: Vec<Login>,
    ) -> Vec<Credential> {
        let named = |file: &&ConfigFile| file.kind() == CredentialKind::RegistryConfig;
        let mut found = Candidates::default();
        for file in self.files.iter().filter(named) {
            found.add(self.of_file(file, registry, repository).await);
        }
        for login in pull {
            let kind = CredentialKind::PullSecret;
            found.add(Some(Credential { login, kind }));
        }
        for file in self.files.iter().filter(|file| !named(file)) {
            // A helper that is not needed is not run.
            if !found.enough() {
                found.add(self.of_file(file, registry, repository).await);
            }
        }
        found.0
    }

    async fn of_file(
        &self,
        file: &ConfigFile,
        registry: &str,
        repository: &str,
    ) -> Option<Credential> {
        let (login, kind) = match file.find(registry, repository)? {
            Place::Here(login) => (login.clone(), file.kind()),
            Place::Helper { program, server } => (
                self.ask_helper(program, &server).await?,
                CredentialKind::Helper,
            ),
        };
        Some(Credential { login, kind })
    }

    async fn ask_helper(&self, program: &str, server: &str) -> Option<Login> {
        let question = (program.to_owned(), server.to_owned());
        let find_out = || async {
            helper::get(program, server).await.unwrap_or_else(|error| {
                tracing::warn!("{}", crate::registry::http::short(&error.to_string()));
                None
            })
        };
        self.asked.get_or_init(question, find_out).await
    }
}

/// What has been found so far; no login twice, and no more than are tried.
#[derive(Default)]
struct Candidates(Vec<Credential>);

impl Candidates {
    fn enough(&self) -> bool {
        self.0.len() >= MOST_TRIED
    }

    fn add(&mut self, credential: Option<Credential>) {
        let Some(credential) = credential else { return };
        if !self.enough() && self.0.iter().all(|known| known.login != credential.login) {
            self.0.push(credential);
        }
    }
}
