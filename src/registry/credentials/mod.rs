//! The user's credentials: which one belongs to which registry or repository, in the order in which they are tried.
//!
//! A file says where a credential is ([`config_file`]); a helper program may have to be asked for it ([`helper`]). Pull
//! secrets will join here, between the file that the user names and those that are found.

mod config_file;
mod helper;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use self::config_file::{ConfigFile, Place};
use crate::image::CredentialKind;

/// How many credentials are tried for one repository (registry.md §3.2).
const MOST_TRIED: usize = 3;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one header or form that it belongs in.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A credential for a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Credential {
    pub(super) login: Login,
    pub(super) kind: CredentialKind,
}

/// What a credential consists of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Login {
    /// User name and password.
    Password { username: String, password: Secret },
    /// A refresh token, which the token server exchanges (docker's `identitytoken`, a helper's user `<token>`).
    Identity(Secret),
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
    asked: Arc<Mutex<HashMap<(String, String), HelperSlot>>>,
}

type HelperSlot = Arc<OnceCell<Option<Login>>>;

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

    /// The credentials to try for a repository of a registry (named as in references), in order.
    pub(super) async fn candidates(&self, registry: &str, repository: &str) -> Vec<Credential> {
        let mut found: Vec<Credential> = Vec::new();
        for file in &self.files {
            let login = match file.find(registry, repository) {
                None => continue,
                Some(Place::Here(login)) => Some(login.clone()),
                Some(Place::Helper { program, server }) => self.ask_helper(program, &server).await,
            };
            let Some(login) = login else { continue };
            let helped = matches!(file.find(registry, repository), Some(Place::Helper { .. }));
            let kind = if helped {
                CredentialKind::Helper
            } else {
                file.kind()
            };
            if found.iter().all(|known| known.login != login) {
                found.push(Credential { login, kind });
            }
        }
        found.truncate(MOST_TRIED);
        found
    }

    async fn ask_helper(&self, program: &str, server: &str) -> Option<Login> {
        let slot = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                asked
                    .entry((program.to_owned(), server.to_owned()))
                    .or_default(),
            )
        };
        let login = slot.get_or_init(|| async {
            helper::get(program, server).await.unwrap_or_else(|error| {
                tracing::warn!("{}", crate::registry::http::short(&error.to_string()));
                None
            })
        });
        login.await.clone()
    }
}
