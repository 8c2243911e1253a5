//! The walk from a reference to what it holds: layouts first, then one GET of the manifest, one of a single manifest's
//! config, and those children of an index whose platform only they themselves can tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures::future::BoxFuture;
use http::{StatusCode, header};
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::auth::{Challenge, Scope, Tokens, challenge};
use super::credentials::{Credential, Credentials};
use super::host::Hosts;
use super::http::{Answer, Http, Request, SharedHost, Target, retry_after, short};
use super::layout::Layouts;
use super::{RegistryOptions, RegistrySetupError};
use crate::glob;
use crate::image::{
    ConfigFacts, Content, CredentialKind, Digest, Document, DocumentKind, ImageAnswer, ImageError,
    ImageFacts, ImageRef, Index, ManifestFacts, RawManifest, Shape, media_type,
};

/// Index types first, then manifests, in ONE header: some proxies keep only the first line (registry.md §2.2).
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// distribution-spec asks for at least 4 MB; containerd reads no more.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;
/// Configs hold an image's history; real ones stay under 1 MiB.
pub(super) const LARGEST_CONFIG: usize = 8 * 1024 * 1024;
/// How many children without a platform are read; runtimes look at the first alone.
const MOST_CHILDREN: usize = 16;
/// How deep indexes may nest.
const DEEPEST: usize = 4;

/// A document's bytes, and the type that was declared for it.
pub(super) type Declared = (Vec<u8>, Option<String>);

/// Where documents and configs come from.
pub(super) trait Source: Sync {
    /// A manifest by its digest, with its declared type.
    fn document<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Declared, ImageError>>;
    /// A config by its digest.
    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>>;
    /// An error about a document that isn't one.
    fn not_a_document(&self, detail: String) -> ImageError;
}

/// Reads what a top-level document says, and as much of its children as a verdict needs.
pub(super) async fn facts(
    source: &dyn Source,
    body: &[u8],
    declared: Option<&str>,
) -> Result<ImageFacts, ImageError> {
    let document =
        Document::read(body, declared).map_err(|e| source.not_a_document(e.to_string()))?;
    let digest = Digest::sha256_of(body);
    let shape = match document.kind {
        DocumentKind::Schema1(architecture) => Shape::Schema1 { architecture },
        DocumentKind::Manifest(raw) => {
            let facts = manifest_facts(source, digest.clone(), &document.media_type, &raw).await;
            // An unreadable config of the image itself is the image's error, not an entry's.
            Shape::Manifest(facts?)
        }
        DocumentKind::Index(mut index) => {
            read_children(source, &mut index, 1).await;
            Shape::Index(index)
        }
    };
    Ok(ImageFacts {
        digest,
        media_type: document.media_type,
        served_as: document.served_as,
        shape,
    })
}

async fn manifest_facts(
    source: &dyn Source,
    digest: Digest,
    media_type: &str,
    raw: &RawManifest,
) -> Result<ManifestFacts, ImageError> {
    let config = match raw.config_digest() {
        Ok(config) => ConfigFacts::read(&source.config(&config).await?),
        Err(no_image) => no_image,
    };
    Ok(ManifestFacts {
        digest,
        media_type: media_type.to_owned(),
        layers: raw.layers.len(),
        config,
    })
}

/// Reads nested indexes, and entries that declare no platform: a runtime looks into those as well.
fn read_children<'a>(
    source: &'a dyn Source,
    index: &'a mut Index,
    depth: usize,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let nested = [media_type::OCI_INDEX, media_type::DOCKER_LIST];
        let wanted = index.entries.iter_mut().filter(|entry| {
            !entry.attestation
                && (entry.platform.is_none() || nested.contains(&entry.media_type.as_str()))
        });
        for entry in wanted.take(MOST_CHILDREN) {
            entry.content = if depth >= DEEPEST {
                Content::Unreadable(format!("indexes are nested more than {DEEPEST} deep"))
            } else {
                child(source, &entry.digest, depth)
                    .await
                    .unwrap_or_else(|error| Content::Unreadable(error.to_string()))
            };
        }
    })
}

async fn child(source: &dyn Source, digest: &Digest, depth: usize) -> Result<Content, ImageError> {
    let (body, declared) = source.document(digest).await?;
    let document = Document::read(&body, declared.as_deref())
        .map_err(|e| source.not_a_document(e.to_string()))?;
    match document.kind {
        DocumentKind::Index(mut index) => {
            read_children(source, &mut index, depth + 1).await;
            Ok(Content::Index(index))
        }
        DocumentKind::Manifest(raw) => {
            let facts = manifest_facts(source, digest.clone(), &document.media_type, &raw).await?;
            Ok(Content::Manifest(facts))
        }
        DocumentKind::Schema1(_) => Ok(Content::Unreadable(
            "it is a Docker schema 1 manifest".to_owned(),
        )),
    }
}

/// Asks for images.
#[derive(Debug)]
pub struct Registry {
    layouts: Layouts,
    http: Http,
    hosts: Hosts,
    tokens: Tokens,
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

/// One repository, as one credential sees it.
struct Repository<'a> {
    registry: &'a Registry,
    host: SharedHost,
    name: &'a str,
    credential: Option<&'a Credential>,
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
            let path = format!("/v2/{}/blobs/{digest}", self.name);
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
                return Err(self.refusal(&answer, &format!("config {digest}")));
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
    async fn read(
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
        let path = format!("/v2/{}/manifests/{reference}", self.name);
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
        let kind = if reference.contains(':') {
            "digest"
        } else {
            "tag"
        };
        Err(self.refusal(&answer, &format!("{kind} {reference}")))
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
                    Scope::Pull(self.name),
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
                Scope::Pull(self.name),
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
        let host = hosts.get(url.authority());
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

    /// What a status other than 200 means. A 404 is "not found" only where the registry says that the repository is
    /// there and the tag is not: private repositories hide (DESIGN §3 `image-not-found`).
    fn refusal(&self, answer: &Answer, what: &str) -> ImageError {
        let host = self.host.name.clone();
        let errors = Errors::read(&answer.body);
        let status = answer.status.as_u16();
        match status {
            404 if errors.has("MANIFEST_UNKNOWN") => ImageError::NotFound {
                host,
                repository: self.name.to_owned(),
                reference: what.to_owned(),
            },
            401 | 403 | 404 => ImageError::Denied {
                host,
                status,
                detail: errors.detail(),
            },
            429 => ImageError::RateLimited {
                host,
                retry_after: retry_after(&answer.headers, SystemTime::now()).map(|d| d.as_secs()),
            },
            200..=299 => self.not_a_document(format!("status {status}")),
            _ => ImageError::Status {
                host,
                status,
                detail: errors.detail(),
            },
        }
    }
}

fn content_type(headers: &http::HeaderMap) -> Option<String> {
    headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// distribution-spec's error document.
#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<RegistryError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RegistryError {
    #[serde(deserialize_with = "crate::model::null_as_default")]
    code: String,
    #[serde(deserialize_with = "crate::model::null_as_default")]
    message: String,
}

impl Errors {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }

    fn detail(&self) -> String {
        self.errors.first().map_or_else(String::new, |error| {
            let text = if error.message.is_empty() {
                &error.code
            } else {
                &error.message
            };
            short(text)
        })
    }
}
