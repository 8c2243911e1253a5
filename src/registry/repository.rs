//! The requests of one repository: manifests and configs, each sent with what its host wants.

use std::time::SystemTime;

use futures::future::BoxFuture;
use http::{StatusCode, header};
use reqwest::Url;

use super::auth::{Challenge, Scope, challenge};
use super::credentials::Credential;
use super::http::{Answer, Method, Request, SharedHost, Target};
use super::mirrors::{Connection, Endpoint};
use super::quota::{Quota, TooMany, too_many};
use super::refusal::refusal;
use super::resolve::Registry;
use super::walk::{Declared, LARGEST_CONFIG, Source, facts};
use crate::image::{Digest, ImageError, ImageFacts, Index};

/// Index types first, then manifests, in ONE header: some proxies keep only the first line (registry.md §2.2).
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// distribution-spec asks for at least 4 MB; containerd reads no more.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// One repository, as one credential sees it.
pub(super) struct Repository<'a> {
    pub(super) registry: &'a Registry,
    pub(super) host: SharedHost,
    pub(super) endpoint: &'a Endpoint,
    pub(super) credential: Option<&'a Credential>,
}

impl Source for Repository<'_> {
    fn document<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Declared, ImageError>> {
        Box::pin(async move {
            match self.registry.cache.blob(digest).await {
                Some(kept) => Ok(kept),
                None => self.get_digest(digest, true).await,
            }
        })
    }

    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>> {
        Box::pin(async move {
            let cache = &self.registry.cache;
            if let Some((kept, _)) = cache.blob(digest).await {
                return Ok(kept);
            }
            let path = self.endpoint.path("blobs", digest.as_str());
            let request = Request {
                target: Target::Path(&path),
                accept: "*/*",
                authorization: None,
                method: Method::Get,
                what: "a config",
                limit: LARGEST_CONFIG,
            };
            let answer = self.get(request, false).await?;
            if answer.status != StatusCode::OK {
                return Err(refusal(
                    &self.host.name,
                    &self.endpoint.repository,
                    &answer,
                    &format!("config {digest}"),
                ));
            }
            self.verify(digest, &answer.body)?;
            cache.keep_blob(digest, &answer.body, None).await;
            Ok(answer.body)
        })
    }

    fn picks(&self, index: &Index) -> Vec<usize> {
        self.registry.picks(index)
    }

    fn not_a_document(&self, detail: String) -> ImageError {
        ImageError::NotARegistry {
            host: self.host.name.clone(),
            detail,
        }
    }
}

impl Repository<'_> {
    /// What a tag or digest holds.
    pub(super) async fn read(
        &self,
        digest: Option<&Digest>,
        reference: &str,
        head_first: bool,
    ) -> Result<ImageFacts, ImageError> {
        let by_tag = match digest {
            // That its content is known does not say that this repository has it.
            Some(digest) => {
                let document = self.get_digest(digest, true).await?;
                return self.facts_of(digest, document).await;
            }
            None => reference,
        };
        // A HEAD is no pull: it says how many are left, and two tags of one digest are pulled once. Where the tag was asked
        // for before, what it leads to is probably in the cache.
        if (head_first || self.host.counts_pulls())
            && let Some((digest, counted)) = self.head(by_tag).await?
        {
            if let Some(kept) = self.registry.cache.blob(&digest).await {
                return self.facts_of(&digest, kept).await;
            }
            if self.host.counts_pulls() {
                let question = (
                    self.host.name.clone(),
                    self.endpoint.repository.clone(),
                    digest.clone(),
                    self.credential.cloned(),
                );
                let pull = || async {
                    let document = self.get_digest(&digest, counted).await?;
                    self.facts_of(&digest, document).await
                };
                return self.registry.pulled.get_or_init(question, pull).await;
            }
        }
        let answer = self.manifest(by_tag, true).await?;
        let declared = content_type(&answer.headers);
        let facts = facts(self, &answer.body, declared.as_deref()).await?;
        let cache = &self.registry.cache;
        cache
            .keep_blob(&facts.digest, &answer.body, declared.as_deref())
            .await;
        Ok(facts)
    }

    async fn facts_of(
        &self,
        digest: &Digest,
        (body, declared): Declared,
    ) -> Result<ImageFacts, ImageError> {
        let mut facts = facts(self, &body, declared.as_deref()).await?;
        facts.digest = digest.clone();
        Ok(facts)
    }

    /// Asks for a manifest by its digest, and keeps it.
    async fn get_digest(&self, digest: &Digest, counted: bool) -> Result<Declared, ImageError> {
        let answer = self.manifest(digest.as_str(), counted).await?;
        self.verify(digest, &answer.body)?;
        let declared = content_type(&answer.headers);
        let cache = &self.registry.cache;
        cache
            .keep_blob(digest, &answer.body, declared.as_deref())
            .await;
        Ok((answer.body, declared))
    }

    /// Asks for a tag's digest, and whether a GET of it counts as a pull. `None` where only a GET can tell: old servers
    /// give no digest, or know no HEAD, and a 404 has no words.
    async fn head(&self, tag: &str) -> Result<Option<(Digest, bool)>, ImageError> {
        let path = self.endpoint.path("manifests", tag);
        let request = Request {
            method: Method::Head,
            ..self.manifest_request(&path)
        };
        let answer = self.get(request, false).await?;
        match answer.status {
            StatusCode::OK => {
                let digest = answer.headers.get("docker-content-digest");
                let digest = digest.and_then(|digest| digest.to_str().ok()?.parse().ok());
                // Without numbers nothing is counted: no limit, or an image that is exempt.
                Ok(digest.map(|digest| (digest, Quota::read(&answer.headers).is_some())))
            }
            StatusCode::TOO_MANY_REQUESTS => Err(self.refused(&answer, tag)),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            // A GET would say more, but counts.
            _ if self.host.counts_pulls() => Err(self.refused(&answer, tag)),
            _ => Ok(None),
        }
    }

    /// `counted`: whether it may count as a pull.
    async fn manifest(&self, reference: &str, counted: bool) -> Result<Answer, ImageError> {
        let path = self.endpoint.path("manifests", reference);
        let answer = self.get(self.manifest_request(&path), counted).await?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            _ => Err(self.refused(&answer, reference)),
        }
    }

    fn manifest_request<'a>(&self, path: &'a str) -> Request<'a> {
        Request {
            target: Target::Path(path),
            accept: ACCEPT,
            authorization: None,
            method: Method::Get,
            what: "a manifest",
            limit: LARGEST_MANIFEST,
        }
    }

    fn note_quota(&self, answer: &Answer) {
        if answer.elsewhere.is_some() {
            return;
        }
        let quotas = &self.host.quotas;
        if let Some(quota) = Quota::read(&answer.headers) {
            quotas.note(self.credential, quota);
        }
        if answer.status == StatusCode::TOO_MANY_REQUESTS
            && too_many(&answer.headers, &answer.body, SystemTime::now()) == TooMany::Pulls
        {
            quotas.used_up(self.credential);
        }
    }

    fn refused(&self, answer: &Answer, reference: &str) -> ImageError {
        refusal(
            &self.host.name,
            &self.endpoint.repository,
            answer,
            &what(reference),
        )
    }

    /// The first request to a host goes alone: what it learns (scheme, challenge, limits) spares the others a refusal
    /// each. `counted`: whether it may count as a pull.
    async fn get(&self, request: Request<'_>, counted: bool) -> Result<Answer, ImageError> {
        if self.host.first_contact.initialized() {
            return self.get_counted(request, counted).await;
        }
        let mut own = None;
        let first = self.host.first_contact.get_or_try_init(|| async {
            let answer = self.get_counted(request.clone(), counted).await;
            let made = answer.as_ref().map(|_| ()).map_err(Clone::clone);
            own = Some(answer);
            made
        });
        // Failing is remembered by the host, not by the cell: the next request tries again.
        let _ = first.await;
        match own {
            Some(answer) => answer,
            None => self.get_counted(request, counted).await,
        }
    }

    async fn get_counted(&self, request: Request<'_>, counted: bool) -> Result<Answer, ImageError> {
        let over_limit = |limit| ImageError::OverLimit {
            host: self.host.name.clone(),
            limit,
        };
        let pull = counted.then(|| self.host.quotas.begin(self.credential));
        let pull = pull.transpose().map_err(over_limit)?;
        let answer = self.get_authorized(request).await?;
        self.note_quota(&answer);
        drop(pull);
        Ok(answer)
    }

    /// Sends with what the host is known to want, and once more if it wants something else.
    async fn get_authorized(&self, mut request: Request<'_>) -> Result<Answer, ImageError> {
        let Registry { http, tokens, .. } = self.registry;
        let mut denied = None;
        if let Some(known) = self.host.known_challenge() {
            let authorization = tokens.authorization(
                http,
                &self.host,
                Scope::Pull(&self.endpoint.repository),
                &known,
                self.credential,
                None,
            );
            match authorization.await {
                Ok(authorization) => request.authorization = authorization,
                // The challenge was another repository's; this one may want nothing.
                Err(error @ ImageError::Denied { .. }) => denied = Some(error),
                Err(error) => return Err(error),
            }
        }
        let answer = http.send(&self.host, &request).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        if let Some(error) = denied {
            return Err(error);
        }
        let Some(asked) = challenge(&answer.headers) else {
            return Ok(answer);
        };
        if let Some(url) = answer.elsewhere.clone() {
            return self.get_elsewhere(url, &asked, request).await;
        }
        self.host.learn_challenge(asked.clone());
        let refused = request.authorization.take();
        let authorization = tokens
            .authorization(
                http,
                &self.host,
                Scope::Pull(&self.endpoint.repository),
                &asked,
                self.credential,
                refused.as_ref(),
            )
            .await?;
        if authorization.is_none() || authorization == refused {
            return Ok(answer);
        }
        request.authorization = authorization;
        http.send(&self.host, &request).await
    }

    /// The host that a redirect led to wants a token of its own (registry.k8s.io sends everybody to a regional registry
    /// that does). It is asked as anybody would be: our credential is for the host that was named.
    async fn get_elsewhere(
        &self,
        url: Url,
        asked: &Challenge,
        request: Request<'_>,
    ) -> Result<Answer, ImageError> {
        let Registry {
            http,
            tokens,
            hosts,
            ..
        } = self.registry;
        let host = hosts.get(url.authority(), &Connection::default());
        host.learn_scheme(&url);
        let authorization = tokens
            .authorization(
                http,
                &host,
                Scope::AsChallenged(url.path()),
                asked,
                None,
                None,
            )
            .await?;
        let request = Request {
            target: Target::Url(url),
            authorization,
            ..request
        };
        http.send(&host, &request).await
    }

    fn verify(&self, expected: &Digest, body: &[u8]) -> Result<(), ImageError> {
        if expected.matches(body) {
            return Ok(());
        }
        Err(ImageError::DigestMismatch {
            host: self.host.name.clone(),
            expected: expected.clone(),
            actual: Digest::sha256_of(body),
        })
    }
}

/// `tag v1`, `digest sha256:…`.
pub(super) fn what(reference: &str) -> String {
    let kind = if reference.contains(':') {
        "digest"
    } else {
        "tag"
    };
    format!("{kind} {reference}")
}

fn content_type(headers: &http::HeaderMap) -> Option<String> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()
        .map(str::to_owned)
}
