//! One endpoint after the other, as the node's runtime would: the first that has the image answers.

use super::credentials::Credential;
use super::mirrors::Endpoint;
use super::repository::{Repository, what};
use super::resolve::Registry;
use crate::image::{CredentialKind, ImageAnswer, ImageError, ImageRef, Tried};

/// An image, and its tag or digest as registries are asked for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) image: &'a ImageRef,
    pub(super) reference: &'a str,
    /// What the tag leads to may be in the cache: a HEAD tells.
    pub(super) head_first: bool,
}

impl Registry {
    /// Asks endpoints until one answers. If none does, the error says what keeps the answer from being known: that a
    /// mirror lacks an image is no news while another endpoint could not be asked.
    pub(super) async fn ask_in_turn(
        &self,
        wanted: Wanted<'_>,
        endpoints: &[Endpoint],
        own: &[Credential],
    ) -> ImageAnswer {
        let mut tried = Vec::new();
        let mut worst: Option<ImageAnswer> = None;
        for endpoint in endpoints {
            let mut answer = self.ask_endpoint(wanted, endpoint, own).await;
            let Err(error) = &answer.result else {
                if wanted.image.digest.is_none() {
                    self.doubts.note(wanted.image, &tried);
                }
                answer.tried = tried;
                return answer;
            };
            tracing::debug!("{}: {error}", answer.asked_at);
            tried.push(Tried {
                asked_at: answer.asked_at.clone(),
                error: error.clone(),
            });
            let told = worst.as_ref().is_some_and(|worst| {
                let absent = |answer: &ImageAnswer| {
                    matches!(answer.result, Err(ImageError::NotFound { .. }))
                };
                absent(&answer) && !absent(worst)
            });
            if !told {
                worst = Some(answer);
            }
        }
        // There is at least one endpoint; this is for the compiler.
        let none = || ImageAnswer::unasked("", ImageError::NotAsked { why: "no registry" });
        let mut worst = worst.unwrap_or_else(none);
        let at = tried
            .iter()
            .position(|tried| tried.asked_at == worst.asked_at);
        at.map(|at| tried.remove(at));
        worst.tried = tried;
        worst
    }

    /// Asks with one credential after the other, and then without one: an expired login must not hide what another, or
    /// nobody's, may read. If none may, the first refusal says most.
    async fn ask_endpoint(
        &self,
        wanted: Wanted<'_>,
        endpoint: &Endpoint,
        own: &[Credential],
    ) -> ImageAnswer {
        let asked_at = endpoint.shown(wanted.image);
        if !self.allows(endpoint) {
            let host = endpoint.host.clone();
            return ImageAnswer::unasked(&asked_at, ImageError::NotAllowed { host });
        }
        let candidates = self.candidates(wanted.image, endpoint, own).await;
        let mut repository = Repository {
            registry: self,
            host: self.hosts.get(&endpoint.host, &endpoint.connection),
            endpoint,
            credential: None,
        };
        let mut refused = None;
        for credential in candidates.iter().map(Some).chain([None]) {
            repository.credential = credential;
            let digest = wanted.image.digest.as_ref();
            let mut result = repository
                .read(digest, wanted.reference, wanted.head_first)
                .await;
            let challenged = repository.host.known_challenge().is_some();
            // A mirror that asks nobody for a credential hides nothing: it just does not mirror this repository.
            if let Err(ImageError::Denied { status: 404, .. }) = &result
                && !challenged
                && !is_own(wanted.image, endpoint)
            {
                result = Err(ImageError::NotFound {
                    host: endpoint.host.clone(),
                    repository: endpoint.repository.clone(),
                    reference: what(wanted.reference),
                    authorized: false,
                });
            }
            let answer = ImageAnswer {
                result,
                asked_at: asked_at.clone(),
                mirror: !is_own(wanted.image, endpoint),
                credential: match credential {
                    Some(credential) if challenged => credential.kind,
                    _ => CredentialKind::Anonymous,
                },
                tried: Vec::new(),
            };
            match answer.result {
                Err(ImageError::Denied { .. }) if challenged => {
                    refused.get_or_insert(answer);
                }
                _ => return answer,
            }
        }
        refused.unwrap_or_else(|| {
            let error = ImageError::Denied {
                host: endpoint.host.clone(),
                status: 401,
                detail: String::new(),
            };
            ImageAnswer::unasked(&asked_at, error)
        })
    }

    /// The credentials to try at an endpoint. A mirror never sees the credential of the registry that it mirrors
    /// (distribution-spec "Registry Proxying"), although containerd sends it: it gets what its configuration has for it,
    /// and what the user has under its own name.
    async fn candidates(
        &self,
        image: &ImageRef,
        endpoint: &Endpoint,
        own: &[Credential],
    ) -> Vec<Credential> {
        let configured = endpoint.login.clone().map(|login| Credential {
            login,
            kind: CredentialKind::MirrorConfig,
        });
        let users = match is_own(image, endpoint) {
            true => own.to_vec(),
            false => {
                self.credentials
                    .candidates(&endpoint.registry, &endpoint.repository, Vec::new())
                    .await
            }
        };
        configured.into_iter().chain(users).collect()
    }
}

/// Whether this is the place that the reference names, and not a mirror.
fn is_own(image: &ImageRef, endpoint: &Endpoint) -> bool {
    endpoint.namespace.is_none()
        && image.registry.as_deref() == Some(endpoint.registry.as_str())
        && endpoint.repository == image.repository
}
