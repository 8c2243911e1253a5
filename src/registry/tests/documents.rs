//! What is asked for, and what the answers mean.

use super::*;
use crate::image::{ConfigFacts, Content, Shape};

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
        async move { client.resolved(&reference).await.result.unwrap() }
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
        let both = tokio::join!(client.resolved(&reference), client.resolved(&reference));
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
async fn bytes_must_have_the_digest_that_was_asked_for() {
    let server = Server::start().await;
    let real = server.image("a", None, "arm64");
    let asked = Digest::sha256_of(b"something else");
    let body = json!({"manifests": []}).to_string();
    server.on(&format!("/v2/a/manifests/{asked}"), Reply::new(200, body));
    assert!(
        client()
            .resolved(&server.reference(&format!("a@{real}")))
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
async fn a_reference_without_a_host_is_not_asked_for() {
    let answer: ImageAnswer = client()
        .resolved(&ImageRef::parse("a_b.example.com/app").unwrap())
        .await;
    assert!(
        matches!(answer.result, Err(ImageError::NoHost { .. })),
        "{answer:?}"
    );
}
