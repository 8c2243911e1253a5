//! From a reference to an answer: layouts first, then the endpoints that the node would ask.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::auth::Tokens;
use super::cache::Cache;
use super::credentials::{Credential, Credentials, PullSecretSource, PullSecrets};
use super::doubts::Doubts;
use super::endpoints::Wanted;
use super::host::Hosts;
use super::http::Http;
use super::layout::Layouts;
use super::mirrors::{Endpoint, Mirrors, Route};
use super::once::OnceMap;
use super::{RegistryOptions, RegistrySetupError};
use crate::glob;
use crate::image::{CredentialKind, Digest, ImageAnswer, ImageError, ImageFacts, ImageRef, Index};
use crate::model::{Incomplete, MirrorSet, PullAccess};

/// Asks for images.
#[derive(Debug)]
pub struct Registry {
    pub(super) layouts: Layouts,
    pub(super) http: Http,
    pub(super) hosts: Hosts,
    pub(super) tokens: Tokens,
    pub(super) credentials: Credentials,
    pub(super) pull_secrets: PullSecrets,
    pub(super) mirrors: Mirrors,
    pub(super) cache: Cache,
    /// No registry is asked.
    pub(super) offline: bool,
    pub(super) doubts: Doubts,
    verify: Option<Verify>,
    /// Globs of the hosts that may be asked; none allows all.
    allow: Vec<String>,
    /// Each distinct question is asked once, also when several ask it at the same time.
    asked: OnceMap<Question, Arc<ImageAnswer>>,
    /// What has been pulled from hosts that count pulls.
    pub(super) pulled: OnceMap<Pulled, Result<ImageFacts, ImageError>>,
}

/// Host, repository, digest, and who pulled it.
type Pulled = (String, String, Digest, Option<Credential>);

/// Says which entries of an index nodes would pick.
struct Verify(Box<Picks>);

type Picks = dyn Fn(&Index) -> Vec<usize> + Send + Sync;

impl fmt::Debug for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verify")
    }
}

/// What makes two questions one. What one namespace may read never answers for another: only those who would try the
/// same credentials share an answer.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    registry: String,
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
            mirrors: options.mirrors.clone(),
            cache: options.cache.clone(),
            offline: options.offline,
            doubts: Doubts::default(),
            verify: None,
            allow: options.allow.clone(),
            asked: OnceMap::default(),
            pulled: OnceMap::default(),
        };
        Ok((registry, warnings))
    }

    /// Uses the pull secrets of the pods, which are read from here when an image needs them.
    #[must_use]
    pub fn with_pull_secrets(mut self, source: Arc<dyn PullSecretSource>) -> Self {
        self.pull_secrets = PullSecrets::new(source);
        self
    }

    /// Uses what the cluster says about mirrors, for images of which no flag speaks.
    #[must_use]
    pub fn with_mirror_sets(mut self, sets: &[MirrorSet]) -> Self {
        self.mirrors.use_sets(sets);
        self
    }

    /// Looks at the children that nodes would pick as well, so that an index is not believed: one or two requests more for
    /// each.
    #[must_use]
    pub fn verifying(self, picks: impl Fn(&Index) -> Vec<usize> + Send + Sync + 'static) -> Self {
        Self {
            verify: Some(Verify(Box::new(picks))),
            ..self
        }
    }

    /// The entries of an index that are to be verified.
    pub(super) fn picks(&self, index: &Index) -> Vec<usize> {
        self.verify
            .as_ref()
            .map_or_else(Vec::new, |Verify(picks)| picks(index))
    }

    /// What the answers so far leave open: pull secrets that could not be read, mirrors that could not be asked.
    #[must_use]
    pub fn incomplete(&self) -> Vec<Incomplete> {
        let mut incomplete = self.pull_secrets.incomplete();
        incomplete.extend(self.doubts.incomplete());
        incomplete
    }

    /// What a reference holds for pods that pull with this access, or why that can't be found out.
    pub async fn resolve(&self, image: &ImageRef, access: &PullAccess) -> Arc<ImageAnswer> {
        if let Some(answer) = self.layouts.resolve(image).await {
            return Arc::new(answer);
        }
        let unasked = |host: &str, error| Arc::new(ImageAnswer::unasked(host, error));
        let (Some(route), Some(registry)) = (self.mirrors.route(image), &image.registry) else {
            let host = image.repository.split('/').next().unwrap_or_default();
            let error = ImageError::NoHost {
                host: host.to_owned(),
            };
            return unasked(host, error);
        };
        let endpoints = match route {
            Route::Ask(endpoints) => endpoints,
            Route::Forbidden(why) => return unasked(registry, ImageError::Forbidden { why }),
        };
        if let [only] = endpoints.as_slice()
            && !self.allows(only)
        {
            // No secret is read for an image that will not be asked for.
            let host = only.host.clone();
            return unasked(&only.shown(image), ImageError::NotAllowed { host });
        }
        let holder = self.pull_secrets.holder(access);
        // A digest names the same bytes for ever; what a tag leads to is asked again in each run.
        if (self.offline || image.digest.is_some())
            && let Some(answer) = self.cache.answer(image, holder.as_deref()).await
        {
            tracing::debug!("{image}: in the cache");
            return Arc::new(answer);
        }
        if self.offline {
            let host = image.host().unwrap_or_default();
            return unasked(host, ImageError::Offline);
        }
        let repository = image.repository.as_str();
        let pull = self.pull_secrets.logins(access, registry, repository).await;
        let candidates = self.credentials.candidates(registry, repository, pull);
        let question = Question {
            registry: registry.clone(),
            repository: repository.to_owned(),
            reference: match (&image.digest, &image.tag) {
                (Some(digest), _) => digest.to_string(),
                (None, Some(tag)) => tag.clone(),
                (None, None) => "latest".to_owned(),
            },
            candidates: candidates.await,
        };
        let (reference, candidates) = (question.reference.clone(), question.candidates.clone());
        let asked = AtomicBool::new(false);
        let ask = || async {
            let wanted = Wanted {
                image,
                reference: &reference,
                head_first: image.digest.is_none()
                    && self.cache.memory(image, holder.as_deref()).await.is_some(),
            };
            asked.store(true, Ordering::Relaxed);
            Arc::new(self.ask_in_turn(wanted, &endpoints, &candidates).await)
        };
        let answer = self.asked.get_or_init(question, ask).await;
        // What a pull secret opened is remembered for each who has it.
        if asked.into_inner() || answer.credential == CredentialKind::PullSecret {
            self.cache.remember(image, holder.as_deref(), &answer).await;
        }
        if matches!(answer.result, Err(ImageError::Denied { .. })) {
            self.pull_secrets.refused(access).await;
        }
        answer
    }

    /// Keeps the cache small; at the end of a run.
    pub fn trim_cache(&self) {
        self.cache.trim();
    }

    /// Hosts are given as in references (`docker.io`) or as they are asked.
    pub(super) fn allows(&self, endpoint: &Endpoint) -> bool {
        let fits = |glob: &String| {
            glob::matches(glob, &endpoint.host) || glob::matches(glob, &endpoint.registry)
        };
        self.allow.is_empty() || self.allow.iter().any(fits)
    }
}
