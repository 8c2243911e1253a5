//! The client against servers that misbehave in every way that is known. Real registries are in `tests/integration`.

mod access;
mod caching;
mod documents;
mod layouts;
mod mirrored;
mod politeness;
mod pull_secrets;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::*;
use crate::image::{
    CredentialKind, Digest, ImageAnswer, ImageError, ImageRef, Platform, media_type,
};
use crate::model::PullAccess;

/// What a path is answered with.
#[derive(Clone)]
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    delay: Duration,
    /// After so many of these, the next reply of the path is given.
    times: usize,
}

impl Reply {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
            times: usize::MAX,
        }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn once(self) -> Self {
        Self { times: 1, ..self }
    }
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, Vec<Reply>>>,
    /// `PATH?QUERY [Authorization]` of every request.
    log: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    /// Paths that want this header, and are answered 401 with that challenge otherwise.
    guard: Mutex<Option<(String, String)>>,
    /// How many manifests may still be had with GET, told with every answer as Docker Hub tells it.
    pulls: Mutex<Option<u64>>,
}

impl Script {
    /// Counts a request as Docker Hub would; returns the answer where nothing is left, and what to say otherwise.
    fn count_pull(&self, get: bool, path: &str) -> (Option<Reply>, Option<String>) {
        let mut pulls = self.pulls.lock().unwrap();
        let Some(left) = pulls.as_mut().filter(|_| path.contains("/manifests/")) else {
            return (None, None);
        };
        if get && *left == 0 {
            let error = json!({"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit."});
            let body = json!({"errors": [error]}).to_string();
            return (Some(Reply::new(429, body)), None);
        }
        if get {
            *left -= 1;
        }
        (None, Some(format!("{left};w=21600")))
    }
}

/// A server on loopback that answers by script.
struct Server {
    host: String,
    script: Arc<Script>,
}

impl Server {
    async fn start() -> Self {
        let script = Arc::new(Script::default());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { host, script }
    }

    fn on(&self, path: &str, reply: Reply) -> &Self {
        self.script
            .replies
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default()
            .push(reply);
        self
    }

    /// Serves a document by digest, and under a tag if one is given.
    fn document(&self, repository: &str, kind: &str, tag: Option<&str>, body: &Value) -> Digest {
        let bytes = body.to_string().into_bytes();
        let digest = Digest::sha256_of(&bytes);
        self.on(
            &format!("/v2/{repository}/{kind}/{digest}"),
            Reply::new(200, bytes.clone()),
        );
        if let Some(tag) = tag {
            self.on(
                &format!("/v2/{repository}/{kind}/{tag}"),
                Reply::new(200, bytes),
            );
        }
        digest
    }

    fn image(&self, repository: &str, tag: Option<&str>, architecture: &str) -> Digest {
        let config = self.document(
            repository,
            "blobs",
            None,
            &json!({"os": "linux", "architecture": architecture}),
        );
        let manifest = json!({"schemaVersion": 2, "config": {"mediaType": media_type::OCI_CONFIG, "digest": config}, "layers": []});
        self.document(repository, "manifests", tag, &manifest)
    }

    fn guard(&self, authorization: &str, challenge: &str) {
        *self.script.guard.lock().unwrap() = Some((authorization.to_owned(), challenge.to_owned()));
    }

    fn log(&self) -> Vec<String> {
        self.script.log.lock().unwrap().clone()
    }

    fn count(&self, part: &str) -> usize {
        self.log().iter().filter(|line| line.contains(part)).count()
    }

    fn reference(&self, rest: &str) -> ImageRef {
        ImageRef::parse(&format!("{}/{rest}", self.host)).unwrap()
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let now = script.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    script.most_at_once.fetch_max(now, Ordering::SeqCst);
    let authorization = request
        .headers()
        .get("authorization")
        .map(|v| v.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let target = request.uri().path_and_query().unwrap().to_string();
    let path = request.uri().path().to_owned();
    let head = request.method() == "HEAD";
    let target = if head {
        format!("HEAD {target}")
    } else if request.method() == "POST" {
        let body = axum::body::to_bytes(request.into_body(), 10_000)
            .await
            .unwrap();
        format!(
            "POST {target} {}",
            String::from_utf8(body.to_vec()).unwrap()
        )
    } else if request.method() == "HEAD" {
        format!("HEAD {target}")
    } else {
        target
    };
    script
        .log
        .lock()
        .unwrap()
        .push(format!("{target} [{authorization}]"));
    let guard = script.guard.lock().unwrap().clone();
    let (used_up, left) = script.count_pull(!head, &path);
    let reply = match guard {
        _ if used_up.is_some() => used_up.unwrap(),
        Some((wanted, challenge)) if path.starts_with("/v2/") && authorization != wanted => {
            Reply::new(401, "").header("www-authenticate", challenge)
        }
        _ => {
            let mut replies = script.replies.lock().unwrap();
            match replies.get_mut(&path) {
                Some(list) if !list.is_empty() => {
                    if list[0].times == 1 {
                        list.remove(0)
                    } else {
                        list[0].clone()
                    }
                }
                _ => Reply::new(
                    404,
                    json!({"errors": [{"code": "NAME_UNKNOWN"}]}).to_string(),
                ),
            }
        }
    };
    tokio::time::sleep(reply.delay).await;
    script.at_once.fetch_sub(1, Ordering::SeqCst);
    let mut response = Response::builder().status(reply.status);
    if let Some(left) = left {
        response = response
            .header("ratelimit-limit", "100;w=21600")
            .header("ratelimit-remaining", left);
    }
    if head && reply.status == 200 {
        let digest = Digest::sha256_of(&reply.body).to_string();
        response = response.header("docker-content-digest", digest);
    }
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}

fn options() -> RegistryOptions {
    RegistryOptions {
        plain_http: Vec::new(),
        insecure: Vec::new(),
        ca_files: Vec::new(),
        allow: Vec::new(),
        request_timeout: Duration::from_secs(5),
        concurrency: 32,
        credentials: Credentials::default(),
        cache: Cache::default(),
        offline: false,
        mirrors: Mirrors::default(),
        layouts: Vec::new(),
    }
}

/// Asks as for a pod without pull secrets.
trait Resolved {
    async fn resolved(&self, image: &ImageRef) -> ImageAnswer;
}

impl Resolved for Registry {
    async fn resolved(&self, image: &ImageRef) -> ImageAnswer {
        let answer = self.resolve(image, &PullAccess::Nobody).await;
        answer.as_ref().clone()
    }
}

fn client() -> Registry {
    Registry::new(&options()).unwrap().0
}

fn with_login(host: &str) -> Registry {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    // user:secret
    std::fs::write(
        &path,
        json!({"auths": {host: {"auth": "dXNlcjpzZWNyZXQ="}}}).to_string(),
    )
    .unwrap();
    let file = CredentialFile {
        path,
        style: Style::Docker,
        kind: CredentialKind::DockerConfig,
    };
    let credentials = Credentials::read(&[file], None).unwrap().0;
    Registry::new(&RegistryOptions {
        credentials,
        ..options()
    })
    .unwrap()
    .0
}

async fn error_of(server: &Server, rest: &str) -> ImageError {
    client()
        .resolved(&server.reference(rest))
        .await
        .result
        .unwrap_err()
}
