//! The test registries work: each starts, takes an image from skopeo, and gives its manifest back.
//!
//! When one of these fails, look here before looking for a bug in archcheck.

use crate::support::image_layout::ImageLayout;
use crate::support::registry_server::{PUBLIC_PREFIX, RegistryServer};

/// A layout with a two-platform index and its attestation, tagged `v1`; returns the digest too.
fn two_platforms() -> (tempfile::TempDir, ImageLayout, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path());
    let (amd64, arm64) = (layout.image("linux/amd64"), layout.image("linux/arm64"));
    let attestation = layout.attestation(&amd64);
    let index = layout.index(&[amd64, arm64, attestation]);
    layout.tag("example.com/team/app:v1", &index);
    (dir, layout, index.digest)
}

fn takes_and_gives_back(registry: &RegistryServer) {
    let (_dir, layout, digest) = two_platforms();
    registry.push(layout.path(), "v1", "team/app:v1");
    assert_eq!(
        registry.inspect_raw("team/app:v1"),
        layout.blob(&digest),
        "{}",
        registry.log()
    );
    let requests = registry.requests();
    assert!(
        requests.contains(&"GET /v2/team/app/manifests/v1 200".to_owned()),
        "{requests:#?}"
    );
}

#[test]
fn plain_http() {
    let registry = RegistryServer::plain();
    takes_and_gives_back(&registry);
    assert!(registry.token_requests().is_empty());
}

#[test]
fn tls_with_basic_auth() {
    let registry = RegistryServer::tls_basic();
    takes_and_gives_back(&registry);
    assert!(registry.ca_file().is_file());
    assert!(
        registry
            .requests()
            .iter()
            .any(|request| request.ends_with(" 401")),
        "{:#?}",
        registry.requests()
    );
}

#[test]
fn behind_a_token_server() {
    let registry = RegistryServer::token();
    takes_and_gives_back(&registry);
    let requests = registry.token_requests();
    let push = requests
        .iter()
        .find(|request| request.scopes.iter().any(|scope| scope.contains("push")));
    assert!(
        push.is_some_and(|request| request.with_credential),
        "{requests:#?}"
    );
}

#[test]
fn the_token_server_grants_what_it_says() {
    let registry = RegistryServer::token();
    let (_dir, layout, digest) = two_platforms();
    let public = format!("{PUBLIC_PREFIX}app:v1");
    registry.push(layout.path(), "v1", &public);
    registry.push(layout.path(), "v1", "private/app:v1");
    assert_eq!(
        registry.inspect_raw_anonymously(&public),
        Ok(layout.blob(&digest))
    );
    let refused = registry
        .inspect_raw_anonymously("private/app:v1")
        .unwrap_err();
    assert!(
        refused.contains("unauthorized") || refused.contains("denied"),
        "{refused}"
    );
}

#[test]
fn basic_auth_refuses_the_anonymous() {
    let registry = RegistryServer::tls_basic();
    let refused = registry.inspect_raw_anonymously("team/app:v1").unwrap_err();
    assert!(
        refused.contains("unauthorized") || refused.contains("authentication required"),
        "{refused}"
    );
    assert!(
        registry
            .docker_config()
            .contains(&format!("127.0.0.1:{}", registry.port()))
    );
}

#[test]
fn any_shape_can_be_pushed_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let layout = ImageLayout::new(dir.path());
    let registry = RegistryServer::plain();
    let amd64 = layout.image("linux/amd64");
    let nested = layout.index(&[
        layout.index_of(&["linux/arm64"]),
        amd64.clone().without_platform(),
    ]);
    let shapes = [
        ("nested", nested),
        ("lying", layout.index(&[amd64.claiming("linux/arm64")])),
        ("empty", layout.index(&[])),
        ("chart", layout.helm_chart()),
        ("artifact", layout.artifact("application/vnd.example")),
        ("bare", layout.image_without_config_platform()),
    ];
    for (tag, shape) in &shapes {
        registry.push_bytes(layout.path(), &shape.digest, "team/shapes", Some(tag));
        assert_eq!(
            registry.inspect_raw(&format!("team/shapes:{tag}")),
            layout.blob(&shape.digest),
            "{tag}"
        );
    }
}

#[test]
fn a_registry_ends_with_its_value() {
    let registry = RegistryServer::plain();
    let address = registry.host();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(registry);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
