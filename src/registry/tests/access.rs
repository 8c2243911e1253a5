//! Challenges, tokens, and where credentials go.

use super::*;

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
    let answers = futures::future::join_all(references.iter().map(|r| client.resolved(r))).await;
    assert!(
        answers
            .iter()
            .all(|a| a.result.is_ok() && a.credential == CredentialKind::DockerConfig),
        "{answers:?}"
    );
    assert!(
        client
            .resolved(&server.reference("two:t"))
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
        .resolved(&server.reference("a:t"))
        .await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(
        other.log(),
        ["/elsewhere []"],
        "a redirect to another host drops the credential"
    );
    // Without a login there is nothing to answer with, and nothing is asked twice.
    let before = server.log().len();
    let anonymous = client().resolved(&server.reference("a:t")).await;
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
        .resolved(&server.reference("a:t"))
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
        .resolved(&server.reference("app:t"))
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
    let answer = client.resolved(&server.reference("a:t")).await;
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
        .resolved(&server.reference("a:t"))
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

/// Registries with private and public repositories challenge for the private ones alone.
#[tokio::test]
async fn a_repository_that_gives_no_token_does_not_close_the_others() {
    let (server, tokens) = (Server::start().await, Server::start().await);
    let challenge = format!("Bearer realm=\"http://{}/token\"", tokens.host);
    server.on(
        "/v2/private/manifests/t",
        Reply::new(401, "").header("www-authenticate", challenge),
    );
    server.image("public", Some("t"), "amd64");
    tokens.on("/token", Reply::new(403, ""));
    let client = client();
    let private = client.resolved(&server.reference("private:t")).await;
    assert!(
        matches!(private.result, Err(ImageError::Denied { .. })),
        "{private:?}"
    );
    let public = client.resolved(&server.reference("public:t")).await;
    assert!(public.result.is_ok(), "{public:?}");
}

#[tokio::test]
async fn who_did_not_answer_is_named() {
    let server = Server::start().await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    server.on(
        "/v2/redirected/manifests/t",
        Reply::new(307, "").header("location", format!("http://{nobody}/elsewhere")),
    );
    server.on(
        "/v2/challenged/manifests/t",
        Reply::new(401, "").header(
            "www-authenticate",
            format!("Bearer realm=\"http://{nobody}/token\""),
        ),
    );
    for repository in ["redirected:t", "challenged:t"] {
        let error = error_of(&server, repository).await;
        assert!(
            matches!(&error, ImageError::Unreachable { host, .. } if *host == nobody),
            "{repository}: {error}"
        );
    }
}
