//! The cache between runs: what is asked again and what is not.

use super::*;
use crate::image::ImageFacts;

/// A client of its own each time, as in one run after the other.
fn run(dir: &tempfile::TempDir) -> Registry {
    with(dir, options())
}

fn with(dir: &tempfile::TempDir, options: RegistryOptions) -> Registry {
    let cache = Cache::below(dir.path());
    Registry::new(&RegistryOptions { cache, ..options })
        .unwrap()
        .0
}

fn offline(dir: &tempfile::TempDir) -> Registry {
    let offline = RegistryOptions {
        offline: true,
        ..options()
    };
    with(dir, offline)
}

/// The server's own digest header, as registries send it.
fn headed(server: &Server, path: &str, digest: &Digest) {
    let mut replies = server.script.replies.lock().unwrap();
    for reply in replies.get_mut(path).unwrap() {
        reply
            .headers
            .push(("docker-content-digest", digest.to_string()));
    }
}

fn index(server: &Server, tag: &str) -> Digest {
    let child = Digest::sha256_of(tag.as_bytes());
    let platform = json!({"os": "linux", "architecture": "arm64"});
    let index = json!({"manifests": [{"digest": child, "platform": platform}]});
    let digest = server.document("a", "manifests", Some(tag), &index);
    headed(server, &format!("/v2/a/manifests/{tag}"), &digest);
    digest
}

async fn facts_of(client: &Registry, server: &Server, rest: &str) -> ImageFacts {
    client
        .resolved(&server.reference(rest))
        .await
        .result
        .unwrap()
}

#[tokio::test]
async fn a_digest_is_asked_for_once_and_a_tag_costs_one_head() {
    let server = Server::start().await;
    let index_digest = index(&server, "index");
    let single = server.image("a", Some("single"), "arm64");
    headed(&server, "/v2/a/manifests/single", &single);
    let dir = tempfile::tempdir().unwrap();
    for (rest, cold, warm) in [
        (format!("a@{index_digest}"), 1, vec![]),
        (format!("a:index@{index_digest}"), 1, vec![]),
        (
            "a:index".to_owned(),
            1,
            vec!["HEAD /v2/a/manifests/index []"],
        ),
        (format!("a@{single}"), 2, vec![]),
        // Its config is in the cache already.
        (
            "a:single".to_owned(),
            1,
            vec!["HEAD /v2/a/manifests/single []"],
        ),
    ] {
        let before = server.log().len();
        let first = run(&dir).resolved(&server.reference(&rest)).await;
        assert_eq!(
            server.log().len() - before,
            cold,
            "{rest}: {:?}",
            server.log()
        );
        let before = server.log().len();
        let second = run(&dir).resolved(&server.reference(&rest)).await;
        assert_eq!(server.log()[before..], warm, "{rest}");
        assert_eq!(first, second, "{rest}: the report is the same");
    }
}

#[tokio::test]
async fn a_tag_that_moved_is_read_anew() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let old = index(&server, "t");
    assert_eq!(facts_of(&run(&dir), &server, "a:t").await.digest, old);
    server.script.replies.lock().unwrap().clear();
    let new = server.image("a", Some("t"), "amd64");
    headed(&server, "/v2/a/manifests/t", &new);
    assert_eq!(facts_of(&run(&dir), &server, "a:t").await.digest, new);
    assert_eq!(facts_of(&offline(&dir), &server, "a:t").await.digest, new);
}

#[tokio::test]
async fn a_registry_that_answers_head_badly_is_asked_with_get() {
    for (what, status, header) in [
        ("no such method", 405, None),
        ("no digest", 200, None),
        ("nonsense for a digest", 200, Some("sha256:abc")),
        ("not even there", 404, None),
    ] {
        let server = Server::start().await;
        let dir = tempfile::tempdir().unwrap();
        let digest = index(&server, "t");
        assert_eq!(facts_of(&run(&dir), &server, "a:t").await.digest, digest);
        let body = server.script.replies.lock().unwrap()["/v2/a/manifests/t"][0]
            .body
            .clone();
        server.script.replies.lock().unwrap().clear();
        let mut head = Reply::new(status, "").once();
        if let Some(value) = header {
            head = head.header("docker-content-digest", value);
        }
        server
            .on("/v2/a/manifests/t", head)
            .on("/v2/a/manifests/t", Reply::new(200, body));
        assert_eq!(
            facts_of(&run(&dir), &server, "a:t").await.digest,
            digest,
            "{what}"
        );
        assert_eq!(server.log().len(), 3, "{what}: {:?}", server.log());
    }
}

#[tokio::test]
async fn another_repository_of_the_same_image_is_asked() {
    // Its content is known, but not that this repository has it: a node that pulls it there may fail.
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let digest = index(&server, "t");
    facts_of(&run(&dir), &server, &format!("a@{digest}")).await;
    let elsewhere = server.reference(&format!("b@{digest}"));
    let error = run(&dir).resolved(&elsewhere).await.result.unwrap_err();
    assert!(
        matches!(error, ImageError::Denied { status: 404, .. }),
        "{error}"
    );
    assert!(offline(&dir).resolved(&elsewhere).await.result.is_err());
}

#[tokio::test]
async fn offline_nobody_is_asked() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let digest = index(&server, "t");
    let online = run(&dir).resolved(&server.reference("a:t")).await;
    let before = server.log().len();
    let client = offline(&dir);
    assert_eq!(client.resolved(&server.reference("a:t")).await, online);
    for rest in ["a:never".to_owned(), format!("a@{digest}")] {
        let answer = client.resolved(&server.reference(&rest)).await;
        assert!(
            matches!(answer.result, Err(ImageError::Offline)),
            "{rest}: {answer:?}"
        );
    }
    assert_eq!(server.log().len(), before);
}

#[tokio::test]
async fn errors_are_not_kept() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let error = run(&dir).resolved(&server.reference("a:t")).await.result;
    assert!(error.is_err());
    index(&server, "t");
    assert!(
        run(&dir)
            .resolved(&server.reference("a:t"))
            .await
            .result
            .is_ok()
    );
    // Half of what belongs to an image is no answer: a child that could not be read is asked for again.
    let child = Digest::sha256_of(b"child");
    let nested = json!({"manifests": [{"digest": child}]});
    let digest = server.document("a", "manifests", None, &nested);
    let rest = format!("a@{digest}");
    for _ in 0..2 {
        facts_of(&run(&dir), &server, &rest).await;
    }
    assert_eq!(
        server.count(&format!("/v2/a/manifests/{child} ")),
        2,
        "{:?}",
        server.log()
    );
}

#[tokio::test]
async fn no_credential_is_kept() {
    let server = Server::start().await;
    let dir = tempfile::tempdir().unwrap();
    let digest = index(&server, "t");
    server.guard("Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
    let config = tempfile::NamedTempFile::new().unwrap();
    let auths = json!({"auths": {&server.host: {"auth": "dXNlcjpzZWNyZXQ="}}});
    std::fs::write(config.path(), auths.to_string()).unwrap();
    let file = CredentialFile {
        path: config.path().to_owned(),
        style: Style::Docker,
        kind: CredentialKind::DockerConfig,
    };
    let credentials = Credentials::read(&[file], None).unwrap().0;
    let login = RegistryOptions {
        credentials,
        ..options()
    };
    let client = with(&dir, login);
    let reference = server.reference(&format!("a@{digest}"));
    let first = client.resolved(&reference).await;
    assert_eq!(first.credential, CredentialKind::DockerConfig);
    assert_eq!(run(&dir).resolved(&reference).await, first);
    let mut files = vec![dir.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
            assert!(
                !text.contains("secret") && !text.contains("dXNlcjpz"),
                "{text}"
            );
        }
    }
}
