//! The requests of one repository: manifests and configs, each sent with what its host wants.

use futures::future::BoxFuture;
use http::{StatusCode, header};
use reqwest::Url;

use super::auth::{Challenge, Scope, challenge};
use super::credentials::Credential;
use super::http::{Answer, Request, SharedHost, Target};
use super::mirrors::{Connection, Endpoint};
use super::refusal::refusal;
use super::resolve::Registry;
use super::walk::{Declared, LARGEST_CONFIG, Source, facts};
use crate::image::{Digest, ImageError, ImageFacts};

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
            let answer = self.manifest(&digest.to_string()).await?;
            self.verify(digest, &answer.body)?;
            Ok((answer.body, content_type(&answer.headers)))
        })
    }

    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>> {
        Box::pin(async move {
            let path = self.endpoint.path("blobs", digest.as_str());
            let request = Request {
                target: Target::Path(&path),
                accept: "*/*",
                authorization: None,
                form: None,
                what: "a config",
                limit: LARGEST_CONFIG,
            };
            let answer = self.get(request).await?;
            if answer.status != StatusCode::OK {
                return Err(refusal(
                    &self.host.name,
                    &self.endpoint.repository,
                    &answer,
                    &format!("config {digest}"),
                ));
            }
            self.verify(digest, &answer.body)?;
            Ok(answer.body)
        })
    }

    fn not_a_document(&self, detail: String) -> ImageError {
        ImageError::NotARegistry {
            host: self.host.name.clone(),
            detail,
        }
    }
}

impl Repository<'_> {
    pub(super) async fn read(
        &self,
        digest: Option<&Digest>,
        reference: &str,
    ) -> Result<ImageFacts, ImageError> {
        let answer = self.manifest(reference).await?;
        if let Some(digest) = digest {
            self.verify(digest, &answer.body)?;
        }
        let declared = content_type(&answer.headers);
        let mut facts = facts(self, &answer.body, declared.as_deref()).await?;
        if let Some(digest) = digest {
            facts.digest = digest.clone();
        }
        Ok(facts)
    }

    async fn manifest(&self, reference: &str) -> Result<Answer, ImageError> {
        let path = self.endpoint.path("manifests", reference);
        let request = Request {
            target: Target::Path(&path),
            accept: ACCEPT,
            authorization: None,
            form: None,
            what: "a manifest",
            limit: LARGEST_MANIFEST,
        };
        let answer = self.get(request).await?;
        if answer.status == StatusCode::OK {
            return Ok(answer);
        }
        Err(refusal(
            &self.host.name,
            &self.endpoint.repository,
            &answer,
            &what(reference),
        ))
    }

    /// The first request to a host goes alone: what it learns (scheme, challenge) spares the others a refusal each.
    async fn get(&self, request: Request<'_>) -> Result<Answer, ImageError> {
        if self.host.first_contact.initialized() {
            return self.get_authorized(request).await;
        }
        let mut own = None;
        let first = self.host.first_contact.get_or_try_init(|| async {
            let answer = self.get_authorized(request.clone()).await;
            let made = answer.as_ref().map(|_| ()).map_err(Clone::clone);
            own = Some(answer);
            made
        });
        // Failing is remembered by the host, not by the cell: the next request tries again.
        let _ = first.await;
        match own {
            Some(answer) => answer,
            None => self.get_authorized(request).await,
        }
    }

    /// Sends with what the host is known to want, and once more if it wants something else.
    async fn get_authorized(&self, mut request: Request<'_>) -> Result<Answer, ImageError> {
        let Registry { http, tokens, .. } = self.registry;
        if let Some(known) = self.host.known_challenge() {
            request.authorization = tokens
                .authorization(
                    http,
                    &self.host,
                    Scope::Pull(&self.endpoint.repository),
                    &known,
                    self.credential,
                    None,
                )
                .await?;
        }
        let answer = http.send(&self.host, &request).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
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
