//! From a reference to an answer: layouts first, then the registry, with one credential after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::auth::Tokens;
use super::credentials::Credentials;
use super::host::Hosts;
use super::http::Http;
use super::layout::Layouts;
use super::repository::Repository;
use super::{RegistryOptions, RegistrySetupError};
use crate::glob;
use crate::image::{CredentialKind, ImageAnswer, ImageError, ImageRef};

/// Asks for images.
#[derive(Debug)]
pub struct Registry {
    layouts: Layouts,
    pub(super) http: Http,
    pub(super) hosts: Hosts,
    pub(super) tokens: Tokens,
    credentials: Credentials,
    /// Globs of the hosts that may be asked; none allows all.
    allow: Vec<String>,
    /// Each distinct question is asked once, also when several ask it at the same time.
    asked: Mutex<HashMap<Question, Arc<OnceCell<ImageAnswer>>>>,
}

/// Host, repository, and tag or digest.
type Question = (String, String, String);

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
            allow: options.allow.clone(),
            asked: Mutex::default(),
        };
        Ok((registry, warnings))
    }

    /// What a reference holds, or why that can't be found out.
    pub async fn resolve(&self, image: &ImageRef) -> ImageAnswer {
        if let Some(answer) = self.layouts.resolve(image).await {
            return answer;
        }
        let (Some(registry), Some(host)) = (image.registry.as_deref(), image.host()) else {
            let host = image
                .repository
                .split('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            return ImageAnswer {
                asked_at: host.clone(),
                result: Err(ImageError::NoHost { host }),
                credential: CredentialKind::Anonymous,
            };
        };
        // Hosts are given as in references (`docker.io`) or as they are asked.
        let allowed = |glob: &String| glob::matches(glob, host) || glob::matches(glob, registry);
        if !self.allow.is_empty() && !self.allow.iter().any(allowed) {
            return ImageAnswer {
                result: Err(ImageError::NotAllowed {
                    host: host.to_owned(),
                }),
                asked_at: host.to_owned(),
                credential: CredentialKind::Anonymous,
            };
        }
        let reference = match (&image.digest, &image.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        };
        let question = (host.to_owned(), image.repository.clone(), reference.clone());
        let cell = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.entry(question).or_default())
        };
        cell.get_or_init(|| self.ask(registry, host, image, &reference))
            .await
            .clone()
    }

    async fn ask(
        &self,
        registry: &str,
        host: &str,
        image: &ImageRef,
        reference: &str,
    ) -> ImageAnswer {
        let mut repository = Repository {
            registry: self,
            host: self.hosts.get(host),
            name: &image.repository,
            credential: None,
        };
        // An expired login must not hide what another, or nobody's, may read. If none may, the first refusal says most.
        let candidates = self
            .credentials
            .candidates(registry, &image.repository)
            .await;
        let mut refused = None;
        for credential in candidates.iter().map(Some).chain([None]) {
            repository.credential = credential;
            let result = repository.read(image.digest.as_ref(), reference).await;
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
