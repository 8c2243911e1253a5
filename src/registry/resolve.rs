//! From a reference to an answer: layouts first, then the registry, with one credential after the other.

use std::sync::Arc;

use super::auth::Tokens;
use super::credentials::{Credential, Credentials, PullSecretSource, PullSecrets};
use super::host::Hosts;
use super::http::Http;
use super::layout::Layouts;
use super::once::OnceMap;
use super::repository::Repository;
use super::{RegistryOptions, RegistrySetupError};
use crate::glob;
use crate::image::{CredentialKind, Digest, ImageAnswer, ImageError, ImageRef};
use crate::model::{Incomplete, PullAccess};

/// Asks for images.
#[derive(Debug)]
pub struct Registry {
    layouts: Layouts,
    pub(super) http: Http,
    pub(super) hosts: Hosts,
    pub(super) tokens: Tokens,
    credentials: Credentials,
    pull_secrets: PullSecrets,
    /// Globs of the hosts that may be asked; none allows all.
    allow: Vec<String>,
    /// Each distinct question is asked once, also when several ask it at the same time.
    asked: OnceMap<Question, Arc<ImageAnswer>>,
}

/// What makes two questions one. What one namespace may read never answers for another: only those who would try the
/// same credentials share an answer.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    host: String,
    repository: String,
    /// Tag or digest.
    reference: String,
    candidates: Vec<Credential>,
}

impl Registry {
    /// Opens layouts and makes the HTTP clients. Also returns warnings.
    ///
    /// # Errors
    /// When a layout or certificate file can't be read.
    pub fn new(options: &RegistryOptions) -> Result<(Self, Vec<String>), RegistrySetupError> {
        let (layouts, warnings) = Layouts::open(&options.layouts)?;
        let registry = Self {
            layouts,
            http: Http::new(options)?,
            hosts: Hosts::default(),
            tokens: Tokens::default(),
            credentials: options.credentials.clone(),
            pull_secrets: PullSecrets::default(),
            allow: options.allow.clone(),
            asked: OnceMap::default(),
        };
        Ok((registry, warnings))
    }

    /// Uses the pull secrets of the pods, which are read from here when an image needs them.
    #[must_use]
    pub fn with_pull_secrets(mut self, source: Arc<dyn PullSecretSource>) -> Self {
        self.pull_secrets = PullSecrets::new(source);
        self
    }

    /// What could not be read of the pull secrets so far.
    #[must_use]
    pub fn incomplete(&self) -> Vec<Incomplete> {
        self.pull_secrets.incomplete()
    }

    /// What a reference holds for pods that pull with this access, or why that can't be found out.
    pub async fn resolve(&self, image: &ImageRef, access: &PullAccess) -> Arc<ImageAnswer> {
        if let Some(answer) = self.layouts.resolve(image).await {
            return Arc::new(answer);
        }
        let unasked = |host: &str, error| {
            Arc::new(ImageAnswer {
                result: Err(error),
                asked_at: host.to_owned(),
                credential: CredentialKind::Anonymous,
            })
        };
        let (Some(registry), Some(host)) = (image.registry.as_deref(), image.host()) else {
            let host = image.repository.split('/').next().unwrap_or_default();
            let error = ImageError::NoHost {
                host: host.to_owned(),
            };
            return unasked(host, error);
        };
        // Hosts are given as in references (`docker.io`) or as they are asked.
        let allowed = |glob: &String| glob::matches(glob, host) || glob::matches(glob, registry);
        if !self.allow.is_empty() && !self.allow.iter().any(allowed) {
            let error = ImageError::NotAllowed {
                host: host.to_owned(),
            };
            return unasked(host, error);
        }
        let repository = image.repository.as_str();
        let pull = self.pull_secrets.logins(access, registry, repository).await;
        let candidates = self.credentials.candidates(registry, repository, pull);
        let question = Question {
            host: host.to_owned(),
            repository: repository.to_owned(),
            reference: match (&image.digest, &image.tag) {
                (Some(digest), _) => digest.to_string(),
                (None, Some(tag)) => tag.clone(),
                (None, None) => "latest".to_owned(),
            },
            candidates: candidates.await,
        };
        let (digest, candidates) = (image.digest.as_ref(), question.candidates.clone());
        let (host, reference) = (question.host.clone(), question.reference.clone());
        let ask = || async {
            let answer = self.ask(&host, repository, digest, &reference, &candidates);
            Arc::new(answer.await)
        };
        let answer = self.asked.get_or_init(question, ask).await;
        if matches!(answer.result, Err(ImageError::Denied { .. })) {
            self.pull_secrets.refused(access).await;
        }
        answer
    }

    /// Asks with one credential after the other, and then without one: an expired login must not hide what another, or
    /// nobody's, may read. If none may, the first refusal says most.
    async fn ask(
        &self,
        host: &str,
        repository: &str,
        digest: Option<&Digest>,
        reference: &str,
        candidates: &[Credential],
    ) -> ImageAnswer {
        let mut repository = Repository {
            registry: self,
            host: self.hosts.get(host),
            name: repository,
            credential: None,
        };
        let mut refused = None;
        for credential in candidates.iter().map(Some).chain([None]) {
            repository.credential = credential;
            let result = repository.read(digest, reference).await;
            let challenged = repository.host.known_challenge().is_some();
            let answer = ImageAnswer {
                result,
                asked_at: host.to_owned(),
                credential: match credential {
                    Some(credential) if challenged => credential.kind,
                    _ => CredentialKind::Anonymous,
                },
            };
            match answer.result {
                Err(ImageError::Denied { .. }) if challenged => {
                    refused.get_or_insert(answer);
                }
                _ => return answer,
            }
        }
        refused.unwrap_or_else(|| ImageAnswer {
            result: Err(ImageError::Denied {
                host: host.to_owned(),
                status: 401,
                detail: String::new(),
            }),
            asked_at: host.to_owned(),
            credential: CredentialKind::Anonymous,
        })
    }
}
