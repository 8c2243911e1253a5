//! The client against servers that misbehave in every way that is known. Real registries are in `tests/integration`.

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
    ConfigFacts, Content, CredentialKind, Digest, ImageAnswer, ImageError, ImageRef, Platform,
    Shape, media_type,
};

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
    let target = if request.method() == "POST" {
        let body = axum::body::to_bytes(request.into_body(), 10_000)
            .await
            .unwrap();
        format!(
            "POST {target} {}",
            String::from_utf8(body.to_vec()).unwrap()
        )
    } else {
        target
    };
    script
        .log
        .lock()
        .unwrap()
        .push(format!("{target} [{authorization}]"));
    let guard = script.guard.lock().unwrap().clone();
    let reply = match guard {
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
        layouts: Vec::new(),
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
        .resolve(&server.reference(rest))
        .await
        .result
        .unwrap_err()
}

#[tokio::test]
async fn documents_of_every_shape_are_read() {
    let server = Server::start().await;
    let amd64 = server.image("app", Some("single"), "amd64");
    let arm64 = server.image("app", None, "arm64");
    let platform = |architecture: &str| json!({"os": "linux", "architecture": architecture});
    let index = json!({"schemaVersion": 2, "manifests": [
        {"digest": amd64, "platform": platform("amd64")},
        {"digest": arm64},
        {"digest": amd64, "platform": {"os": "unknown", "architecture": "unknown"},
         "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
    ]});
    let inner = server.document("app", "manifests", Some("index"), &index);
    let nested = json!({"manifests": [{"mediaType": media_type::OCI_INDEX, "digest": inner, "platform": platform("amd64")}]});
    server.document("app", "manifests", Some("nested"), &nested);
    let chart = json!({"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": amd64}, "layers": [{}]});
    server.document("app", "manifests", Some("chart"), &chart);
    server.document(
        "app",
        "manifests",
        Some("old"),
        &json!({"schemaVersion": 1, "architecture": "amd64", "fsLayers": []}),
    );
    let client = client();
    let read = |tag: &str| {
        let reference = server.reference(&format!("app:{tag}"));
        let client = &client;
        async move { client.resolve(&reference).await.result.unwrap() }
    };
    assert_eq!(
        read("single").await.platforms(),
        [Platform::new("linux", "amd64", "")]
    );
    let index = read("index").await;
    assert_eq!(index.digest, inner);
    let names: Vec<String> = index.platforms().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["linux/amd64", "linux/arm64"]);
    let Shape::Index(entries) = &index.shape else {
        panic!("{index:?}")
    };
    assert!(
        matches!(entries.entries[0].content, Content::NotRead),
        "a declared platform is not asked for"
    );
    let Shape::Index(nested) = read("nested").await.shape else {
        panic!()
    };
    assert!(
        matches!(&nested.entries[0].content, Content::Index(inner) if inner.entries.len() == 3)
    );
    let Shape::Manifest(chart) = read("chart").await.shape else {
        panic!()
    };
    assert_eq!(
        chart.config,
        ConfigFacts::Artifact("a Helm chart".to_owned())
    );
    assert_eq!(
        read("old").await.shape,
        Shape::Schema1 {
            architecture: Some("amd64".to_owned())
        }
    );
}

#[tokio::test]
async fn an_index_costs_one_request_and_a_single_manifest_two() {
    let server = Server::start().await;
    let amd64 = server.image("app", Some("single"), "amd64");
    let index = json!({"manifests": [{"digest": amd64, "platform": {"os": "linux", "architecture": "amd64"}}]});
    server.document("app", "manifests", Some("index"), &index);
    let client = client();
    for (tag, requests) in [("index", 1), ("single", 2)] {
        let before = server.log().len();
        let reference = server.reference(&format!("app:{tag}"));
        let both = tokio::join!(client.resolve(&reference), client.resolve(&reference));
        assert_eq!(both.0, both.1);
        assert_eq!(
            server.log().len() - before,
            requests,
            "{tag}: {:?}",
            server.log()
        );
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = Server::start().await;
    let unknown = |code: &str| {
        json!({"errors": [{"code": code, "message": "no\u{1b}[31m\nway"}]}).to_string()
    };
    server
        .on(
            "/v2/a/manifests/gone",
            Reply::new(404, unknown("MANIFEST_UNKNOWN")),
        )
        .on(
            "/v2/a/manifests/hidden",
            Reply::new(404, unknown("NAME_UNKNOWN")),
        )
        .on("/v2/a/manifests/bare", Reply::new(404, "not here"))
        .on(
            "/v2/a/manifests/forbidden",
            Reply::new(403, unknown("DENIED")),
        )
        .on(
            "/v2/a/manifests/portal",
            Reply::new(200, "<!DOCTYPE html><html>").header("content-type", "text/html"),
        )
        .on("/v2/a/manifests/empty", Reply::new(200, ""))
        .on("/v2/a/manifests/teapot", Reply::new(418, ""))
        .on(
            "/v2/a/manifests/huge",
            Reply::new(200, vec![b' '; 5 * 1024 * 1024]),
        )
        .on(
            "/v2/a/manifests/limited",
            Reply::new(429, "").header("retry-after", "3600"),
        );
    for (tag, expected) in [
        ("gone", "has no tag gone in a"),
        ("hidden", "refused access (404: no [31m way)"),
        ("bare", "refused access (404)"),
        ("forbidden", "refused access (403"),
        ("portal", "no registry's: not JSON but a web page"),
        ("empty", "not JSON but nothing"),
        ("teapot", "answered with status 418"),
        ("huge", "sent more than 4194304 bytes for a manifest"),
        (
            "limited",
            "limits the rate of requests (429), try again in 3600 s",
        ),
    ] {
        let text = error_of(&server, &format!("a:{tag}")).await.to_string();
        assert!(text.contains(expected), "{tag}: {text}");
        assert!(!text.contains('\u{1b}'), "{tag}: {text}");
    }
    assert!(matches!(
        error_of(&server, "a:gone").await,
        ImageError::NotFound { .. }
    ));
    assert!(matches!(
        error_of(&server, "a:hidden").await,
        ImageError::Denied { status: 404, .. }
    ));
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_will_not_is_not() {
    let server = Server::start().await;
    server.on(
        "/v2/a/manifests/flaky",
        Reply::new(503, "").header("retry-after", "0").once(),
    );
    server.image("a", Some("flaky"), "arm64");
    assert!(
        client()
            .resolve(&server.reference("a:flaky"))
            .await
            .result
            .is_ok()
    );
    server.on("/v2/a/manifests/denied", Reply::new(403, ""));
    let before = server.log().len();
    let _ = error_of(&server, "a:denied").await;
    assert_eq!(server.log().len() - before, 1);
}

#[tokio::test]
async fn bytes_must_have_the_digest_that_was_asked_for() {
    let server = Server::start().await;
    let real = server.image("a", None, "arm64");
    let asked = Digest::sha256_of(b"something else");
    let body = json!({"manifests": []}).to_string();
    server.on(&format!("/v2/a/manifests/{asked}"), Reply::new(200, body));
    assert!(
        client()
            .resolve(&server.reference(&format!("a@{real}")))
            .await
            .result
            .is_ok()
    );
    let error = error_of(&server, &format!("a@{asked}")).await;
    assert!(
        matches!(error, ImageError::DigestMismatch { .. }),
        "{error}"
    );
    // The config of a single manifest is verified as well.
    let manifest =
        json!({"config": {"mediaType": media_type::OCI_CONFIG, "digest": asked}, "layers": []});
    server.on(&format!("/v2/a/blobs/{asked}"), Reply::new(200, "{}"));
    server.document("a", "manifests", Some("liar"), &manifest);
    assert!(matches!(
        error_of(&server, "a:liar").await,
        ImageError::DigestMismatch { .. }
    ));
}

#[tokio::test]
async fn one_token_serves_a_repository_and_one_challenge_a_host() {
    let (server, tokens) = (Server::start().await, Server::start().await);
    for tag in 0..10 {
        server.image("one", Some(&format!("t{tag}")), "amd64");
    }
    server.image("two", Some("t"), "amd64");
    server.guard(
        "Bearer T",
        &format!(
            "Bearer realm=\"http://{}/token\",service=\"s\"",
            tokens.host
        ),
    );
    tokens.on(
        "/token",
        Reply::new(
            200,
            json!({"token": "old", "access_token": "T", "expires_in": 300}).to_string(),
        ),
    );
    let client = with_login(&server.host);
    let references: Vec<ImageRef> = (0..10)
        .map(|tag| server.reference(&format!("one:t{tag}")))
        .collect();
    let answers = futures::future::join_all(references.iter().map(|r| client.resolve(r))).await;
    assert!(
        answers
            .iter()
            .all(|a| a.result.is_ok() && a.credential == CredentialKind::DockerConfig),
        "{answers:?}"
    );
    assert!(
        client
            .resolve(&server.reference("two:t"))
            .await
            .result
            .is_ok()
    );
    let asked = tokens.log();
    assert_eq!(asked.len(), 2, "one a repository: {asked:?}");
    assert!(
        asked[0].contains("service=s") && asked[0].contains("scope=repository%3Aone%3Apull"),
        "{asked:?}"
    );
    assert!(
        asked
            .iter()
            .all(|line| line.ends_with("[Basic dXNlcjpzZWNyZXQ=]")),
        "{asked:?}"
    );
    // The first request of all learns the challenge; no other is refused.
    assert_eq!(server.count("[]"), 1, "{:?}", server.log());
}

#[tokio::test]
async fn credentials_stay_where_they_belong() {
    let (server, other) = (Server::start().await, Server::start().await);
    let config = json!({"os": "linux", "architecture": "arm64"})
        .to_string()
        .into_bytes();
    let digest = Digest::sha256_of(&config);
    other.on("/elsewhere", Reply::new(200, config));
    let moved = Reply::new(307, "").header("location", format!("http://{}/elsewhere", other.host));
    server.on(&format!("/v2/a/blobs/{digest}"), moved);
    let manifest =
        json!({"config": {"mediaType": media_type::OCI_CONFIG, "digest": digest}, "layers": []});
    server.document("a", "manifests", Some("t"), &manifest);
    server.guard("Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
    let answer = with_login(&server.host)
        .resolve(&server.reference("a:t"))
        .await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(
        other.log(),
        ["/elsewhere []"],
        "a redirect to another host drops the credential"
    );
    // Without a login there is nothing to answer with, and nothing is asked twice.
    let before = server.log().len();
    let anonymous = client().resolve(&server.reference("a:t")).await;
    assert!(
        matches!(
            anonymous.result,
            Err(ImageError::Denied { status: 401, .. })
        ),
        "{anonymous:?}"
    );
    assert_eq!(server.log().len() - before, 1);
    // A login elsewhere is not used here.
    let _ = with_login("quay.io")
        .resolve(&server.reference("a:t"))
        .await;
    assert_eq!(server.count("[Basic"), 2, "{:?}", server.log());
}

#[tokio::test]
async fn a_redirect_to_a_registry_that_wants_a_token_is_followed_without_our_credential() {
    // As registry.k8s.io does: every manifest is somewhere else, and there anybody may have a token.
    let (server, regional, tokens) = (
        Server::start().await,
        Server::start().await,
        Server::start().await,
    );
    regional.image("real/app", Some("t"), "arm64");
    let digest = regional.image("real/app", None, "arm64");
    for (from, to) in [
        ("manifests/t".to_owned(), "manifests/t".to_owned()),
        (format!("manifests/{digest}"), format!("manifests/{digest}")),
    ] {
        let place = format!("http://{}/v2/real/app/{to}", regional.host);
        server.on(
            &format!("/v2/app/{from}"),
            Reply::new(307, "").header("location", place),
        );
    }
    let config = Digest::sha256_of(
        json!({"os": "linux", "architecture": "arm64"})
            .to_string()
            .as_bytes(),
    );
    let blob = format!("http://{}/v2/real/app/blobs/{config}", regional.host);
    server.on(
        &format!("/v2/app/blobs/{config}"),
        Reply::new(307, "").header("location", blob),
    );
    regional.guard(
        "Bearer T",
        &format!(
            "Bearer realm=\"http://{}/token\",service=\"r\",scope=\"repository:real/app:pull\"",
            tokens.host
        ),
    );
    tokens.on("/token", Reply::new(200, json!({"token": "T"}).to_string()));
    let answer = with_login(&server.host)
        .resolve(&server.reference("app:t"))
        .await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(answer.credential, CredentialKind::Anonymous);
    assert!(
        tokens.log().iter().all(|line| line.ends_with("[]")),
        "{:?}",
        tokens.log()
    );
    assert!(
        tokens.log()[0].contains("scope=repository%3Areal%2Fapp%3Apull"),
        "{:?}",
        tokens.log()
    );
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_by_post() {
    let (server, tokens) = (Server::start().await, Server::start().await);
    server.image("a", Some("t"), "arm64");
    server.guard(
        "Bearer T",
        &format!(
            "Bearer realm=\"http://{}/token\",service=\"s\"",
            tokens.host
        ),
    );
    tokens.on(
        "/token",
        Reply::new(200, json!({"access_token": "T"}).to_string()),
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.json");
    // What `az acr login` leaves behind.
    let entry = json!({"auth": "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==", "identitytoken": "refresh me"});
    std::fs::write(&path, json!({"auths": {&server.host: entry}}).to_string()).unwrap();
    let file = CredentialFile {
        path,
        style: Style::Containers,
        kind: CredentialKind::AuthFile,
    };
    let credentials = Credentials::read(&[file], None).unwrap().0;
    let client = Registry::new(&RegistryOptions {
        credentials,
        ..options()
    })
    .unwrap()
    .0;
    let answer = client.resolve(&server.reference("a:t")).await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(answer.credential, CredentialKind::AuthFile);
    assert_eq!(
        tokens.log(),
        [
            "POST /token service=s&scope=repository%3Aa%3Apull&grant_type=refresh_token&client_id=kubectl-archcheck&refresh_token=refresh+me []"
        ]
    );
}

#[tokio::test]
async fn an_expired_login_does_not_hide_what_anybody_may_read() {
    let (server, tokens) = (Server::start().await, Server::start().await);
    server.image("a", Some("t"), "arm64");
    server.guard(
        "Bearer T",
        &format!("Bearer realm=\"http://{}/token\"", tokens.host),
    );
    tokens
        .on("/token", Reply::new(401, "").once())
        .on("/token", Reply::new(200, json!({"token": "T"}).to_string()));
    let answer = with_login(&server.host)
        .resolve(&server.reference("a:t"))
        .await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(answer.credential, CredentialKind::Anonymous);
    assert!(
        tokens.log()[0].ends_with("[Basic dXNlcjpzZWNyZXQ=]") && tokens.log()[1].ends_with("[]"),
        "{:?}",
        tokens.log()
    );
}

#[tokio::test]
async fn a_refused_token_is_said_and_not_asked_for_again() {
    let (server, tokens) = (Server::start().await, Server::start().await);
    server.guard(
        "Bearer never",
        &format!("Bearer realm=\"http://{}/token\"", tokens.host),
    );
    tokens
        .on("/token", Reply::new(403, "").once())
        .on("/token", Reply::new(200, json!({"token": "T"}).to_string()));
    let first = error_of(&server, "a:t").await;
    assert!(
        matches!(first, ImageError::Denied { status: 403, .. }),
        "{first}"
    );
    // A token that is refused is not tried a second time.
    let before = server.log().len();
    let second = error_of(&server, "a:t").await;
    assert!(
        matches!(second, ImageError::Denied { status: 401, .. }),
        "{second}"
    );
    assert!(server.log().len() - before <= 2, "{:?}", server.log());
    for (realm, says) in [("ftp://x/token", "is not https"), ("http://[", "is no URL")] {
        let odd = Server::start().await;
        odd.guard("Bearer never", &format!("Bearer realm=\"{realm}\""));
        let text = error_of(&odd, "a:t").await.to_string();
        assert!(text.contains(says), "{realm}: {text}");
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_holds_up_nothing() {
    let server = Server::start().await;
    server.on(
        "/v2/a/manifests/slow",
        Reply {
            delay: Duration::from_secs(60),
            ..Reply::new(200, "")
        },
    );
    let quick = RegistryOptions {
        request_timeout: Duration::from_millis(200),
        ..options()
    };
    let client = Registry::new(&quick).unwrap().0;
    let error = client
        .resolve(&server.reference("a:slow"))
        .await
        .result
        .unwrap_err();
    assert!(matches!(error, ImageError::TimedOut { .. }), "{error}");
    // Nobody listens there: after three failures the rest is told at once.
    let started = std::time::Instant::now();
    let dead: Vec<ImageRef> = (0..50)
        .map(|n| ImageRef::parse(&format!("127.0.0.1:1/a:{n}")).unwrap())
        .collect();
    let answers = futures::future::join_all(dead.iter().map(|r| client.resolve(r))).await;
    assert!(
        answers
            .iter()
            .all(|a| matches!(a.result, Err(ImageError::Unreachable { .. }))),
        "{answers:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_host_is_never_asked_more_than_eight_things_at_a_time() {
    let server = Server::start().await;
    let index = json!({"manifests": []}).to_string();
    for n in 0..60 {
        let slow = Reply {
            delay: Duration::from_millis(20),
            ..Reply::new(200, index.clone())
        };
        server.on(&format!("/v2/a{n}/manifests/latest"), slow);
    }
    let client = client();
    let references: Vec<ImageRef> = (0..60)
        .map(|n| server.reference(&format!("a{n}")))
        .collect();
    let answers = futures::future::join_all(references.iter().map(|r| client.resolve(r))).await;
    assert!(answers.iter().all(|a| a.result.is_ok()));
    assert_eq!(server.script.most_at_once.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_reference_without_a_host_is_not_asked_for() {
    let answer: ImageAnswer = client()
        .resolve(&ImageRef::parse("a_b.example.com/app").unwrap())
        .await;
    assert!(
        matches!(answer.result, Err(ImageError::NoHost { .. })),
        "{answer:?}"
    );
}

/// A layout with an amd64 image, in a directory; returns the digest of its manifest.
fn write_layout(dir: &std::path::Path, annotations: &Value) -> Digest {
    let blobs = dir.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let write = |value: &Value| {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::sha256_of(&bytes);
        std::fs::write(blobs.join(digest.hex()), bytes).unwrap();
        digest
    };
    let config = write(&json!({"os": "linux", "architecture": "amd64", "rootfs": {}}));
    let manifest = write(
        &json!({"schemaVersion": 2, "config": {"mediaType": media_type::OCI_CONFIG, "digest": config}, "layers": []}),
    );
    let index = json!({"schemaVersion": 2, "manifests": [{"mediaType": media_type::OCI_MANIFEST, "digest": manifest, "annotations": annotations}]});
    std::fs::write(dir.join("index.json"), index.to_string()).unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    manifest
}

fn tar_of(dir: &std::path::Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", dir).unwrap();
    tar.into_inner().unwrap()
}

async fn layout_answer(spec: LayoutSpec, image: &str) -> (Option<ImageAnswer>, Vec<String>) {
    let (layouts, warnings) = layout::Layouts::open(&[spec]).unwrap();
    (
        layouts.resolve(&ImageRef::parse(image).unwrap()).await,
        warnings,
    )
}

#[tokio::test]
async fn layouts_answer_for_the_names_that_they_carry() {
    for (what, annotations, reference, image, answers, warns) in [
        (
            "containerd's name",
            json!({"io.containerd.image.name": "docker.io/acme/app:1"}),
            None,
            "acme/app:1",
            true,
            false,
        ),
        (
            "normalised",
            json!({"io.containerd.image.name": "acme/app"}),
            None,
            "docker.io/acme/app:latest",
            true,
            false,
        ),
        (
            "a full ref.name",
            json!({"org.opencontainers.image.ref.name": "quay.io/a/b:2"}),
            None,
            "quay.io/a/b:2",
            true,
            false,
        ),
        (
            "containerd's name wins",
            json!({"io.containerd.image.name": "a/b:1", "org.opencontainers.image.ref.name": "c/d:1"}),
            None,
            "c/d:1",
            false,
            false,
        ),
        (
            "a tag alone",
            json!({"org.opencontainers.image.ref.name": "2"}),
            None,
            "quay.io/a/b:2",
            false,
            true,
        ),
        (
            "REF=",
            json!({}),
            Some("quay.io/a/b:2"),
            "quay.io/a/b:2",
            true,
            false,
        ),
        (
            "REF= takes the place of names",
            json!({"io.containerd.image.name": "x/y:1"}),
            Some("quay.io/a/b:2"),
            "x/y:1",
            false,
            false,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let digest = write_layout(dir.path(), &annotations);
        let archive = dir.path().join("../").join(format!(
            "{}.tar",
            dir.path().file_name().unwrap().to_string_lossy()
        ));
        std::fs::write(&archive, tar_of(dir.path())).unwrap();
        for path in [dir.path().to_owned(), archive.clone()] {
            let spec = LayoutSpec {
                reference: reference.map(str::to_owned),
                path: path.clone(),
            };
            let (answer, warnings) = layout_answer(spec.clone(), image).await;
            assert_eq!(answer.is_some(), answers, "{what}: {path:?}");
            assert_eq!(!warnings.is_empty(), warns, "{what}: {warnings:?}");
            if let Some(answer) = answer {
                assert_eq!(
                    answer.result.unwrap().platforms(),
                    [Platform::new("linux", "amd64", "")]
                );
                assert_eq!(answer.credential, CredentialKind::NotNeeded);
            }
            let (by_digest, _) = layout_answer(spec, &format!("any/thing@{digest}")).await;
            assert_eq!(by_digest.unwrap().result.unwrap().digest, digest, "{what}");
        }
        std::fs::remove_file(archive).unwrap();
    }
}

#[tokio::test]
async fn docker_save_archives_answer_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("abc.json"),
        json!({"os": "linux", "architecture": "arm64"}).to_string(),
    )
    .unwrap();
    let manifest =
        json!([{"Config": "abc.json", "RepoTags": ["acme/app:1"], "Layers": ["a/layer.tar"]}]);
    std::fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    let archive = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(archive.path(), tar_of(dir.path())).unwrap();
    let spec = LayoutSpec {
        reference: None,
        path: archive.path().to_owned(),
    };
    let (answer, _) = layout_answer(spec, "docker.io/acme/app:1").await;
    assert_eq!(
        answer.unwrap().result.unwrap().platforms(),
        [Platform::new("linux", "arm64", "")]
    );
}

#[tokio::test]
async fn broken_layouts_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: PathBuf| {
        layout::Layouts::open(&[LayoutSpec {
            reference: None,
            path,
        }])
        .map(|_| ())
    };
    assert!(
        open(dir.path().to_owned())
            .unwrap_err()
            .to_string()
            .contains("neither an OCI image layout")
    );
    assert!(open(PathBuf::from("/nonexistent")).is_err());
    let junk = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(junk.path(), "junk".repeat(400)).unwrap();
    assert!(open(junk.path().to_owned()).is_err());
    // A blob that is missing or altered is the image's error, not the layout's.
    let digest = write_layout(dir.path(), &json!({"io.containerd.image.name": "a/b:1"}));
    let blob = dir.path().join("blobs/sha256").join(digest.hex());
    for broken in [Some("{}"), None] {
        match broken {
            Some(text) => std::fs::write(&blob, text).unwrap(),
            None => std::fs::remove_file(&blob).unwrap(),
        }
        let spec = LayoutSpec {
            reference: None,
            path: dir.path().to_owned(),
        };
        let (answer, _) = layout_answer(spec, "a/b:1").await;
        assert!(matches!(
            answer.unwrap().result,
            Err(ImageError::Layout { .. })
        ));
    }
}
