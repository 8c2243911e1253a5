//! Mirrors: who is asked in which order, with which credential, and what that leaves open.

use super::*;

/// A client whose mirrors of everything are these `hosts.toml` tables.
fn mirrored(hosts_toml: &str, options: RegistryOptions) -> Registry {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("_default")).unwrap();
    std::fs::write(dir.path().join("_default/hosts.toml"), hosts_toml).unwrap();
    let (mirrors, _) = Mirrors::read(&[], Some(dir.path())).unwrap();
    let options = RegistryOptions { mirrors, ..options };
    Registry::new(&options).unwrap().0
}

fn host(server: &Server) -> String {
    format!("[host.\"http://{}\"]\n", server.host)
}

fn gone() -> Reply {
    let body = json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]});
    Reply::new(404, body.to_string())
}

/// Who was asked before, and what came of it.
fn tried(answer: &ImageAnswer) -> Vec<String> {
    let one = |tried: &crate::image::Tried| format!("{}: {}", tried.asked_at, tried.error);
    answer.tried.iter().map(one).collect()
}

#[tokio::test]
async fn the_first_mirror_that_has_the_image_answers() {
    let (first, second, own) = (
        Server::start().await,
        Server::start().await,
        Server::start().await,
    );
    let hosts = host(&first) + &host(&second);
    first.on("/v2/a/manifests/t", gone());
    second.image("a", Some("t"), "amd64");
    own.image("a", Some("t"), "arm64");
    own.image("b", Some("t"), "arm64");
    let client = mirrored(&hosts, options());
    let answer = client.resolved(&own.reference("a:t")).await;
    assert_eq!(answer.asked_at, second.host);
    let missing = format!("{0}: {0} has no tag t in a", first.host);
    assert_eq!(tried(&answer), [missing]);
    assert_eq!(
        answer.result.unwrap().platforms(),
        [Platform::new("linux", "amd64", "")],
        "what the mirror has, not what the registry has"
    );
    assert_eq!(own.log(), Vec::<String>::new());
    assert!(
        second.log()[0].starts_with(&format!(
            "/v2/a/manifests/t?ns={}",
            own.host.replace(':', "%3A")
        )),
        "{:?}",
        second.log()
    );
    // A repository that no mirror has is read from its registry, without ?ns=; and nothing is left open.
    let answer = client.resolved(&own.reference("b:t")).await;
    assert_eq!(answer.asked_at, own.host);
    assert_eq!(answer.tried.len(), 2);
    assert!(
        own.log()[0].starts_with("/v2/b/manifests/t ["),
        "{:?}",
        own.log()
    );
    assert_eq!(client.incomplete(), []);
}

#[tokio::test]
async fn what_a_mirror_would_have_said_is_left_open_for_tags_alone() {
    let own = Server::start().await;
    let digest = own.image("a", Some("t"), "arm64");
    let dead = "[host.\"http://127.0.0.1:1\"]\n";
    let client = mirrored(dead, options());
    let by_digest = client
        .resolved(&own.reference(&format!("a@{digest}")))
        .await;
    assert!(by_digest.result.is_ok(), "{by_digest:?}");
    assert_eq!(client.incomplete(), []);
    for tag in ["t", "t2"] {
        own.image("a", Some(tag), "arm64");
        let by_tag = client.resolved(&own.reference(&format!("a:{tag}"))).await;
        assert!(by_tag.result.is_ok(), "{by_tag:?}");
    }
    let incomplete = client.incomplete();
    let [entry] = incomplete.as_slice() else {
        panic!("{incomplete:?}")
    };
    assert_eq!(
        entry.what,
        "mirror 127.0.0.1:1: what it has for 2 images by tag"
    );
    assert!(entry.why.contains("could not be reached"), "{entry:?}");
    assert!(entry.matters);
}

#[tokio::test]
async fn not_found_needs_everybodys_word() {
    for (what, mirror, expected) in [
        (
            "the mirror lacks it as well",
            Some(404),
            "has no tag gone in a",
        ),
        ("the mirror refuses", Some(403), "refused access (403"),
        ("nobody is there", None, "could not be reached"),
    ] {
        let (server, own) = (Server::start().await, Server::start().await);
        own.on("/v2/a/manifests/gone", gone());
        let hosts = match mirror {
            Some(status) => {
                server.on("/v2/a/manifests/gone", Reply::new(status, ""));
                host(&server)
            }
            None => "[host.\"http://127.0.0.1:1\"]\n".to_owned(),
        };
        let answer = mirrored(&hosts, options())
            .resolved(&own.reference("a:gone"))
            .await;
        let error = answer.result.clone().unwrap_err().to_string();
        assert!(error.contains(expected), "{what}: {error}");
        assert_eq!(answer.tried.len(), 1, "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn a_mirror_gets_its_own_credential_and_never_the_registrys() {
    let (mirror, own) = (Server::start().await, Server::start().await);
    for server in [&mirror, &own] {
        server.image("a", Some("t"), "arm64");
        server.guard("Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
    }
    // The login is the registry's: the mirror refuses us, and never sees it.
    let login = |host: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        let auths = json!({"auths": {host: {"auth": "dXNlcjpzZWNyZXQ="}}});
        std::fs::write(&path, auths.to_string()).unwrap();
        let file = CredentialFile {
            path,
            style: Style::Docker,
            kind: CredentialKind::DockerConfig,
        };
        let credentials = Credentials::read(&[file], None).unwrap().0;
        RegistryOptions {
            credentials,
            ..options()
        }
    };
    let client = mirrored(&host(&mirror), login(&own.host));
    let answer = client.resolved(&own.reference("a:t")).await;
    assert_eq!(
        (answer.asked_at.as_str(), answer.credential),
        (own.host.as_str(), CredentialKind::DockerConfig)
    );
    assert!(
        mirror.log().iter().all(|line| line.ends_with("[]")),
        "{:?}",
        mirror.log()
    );
    assert_eq!(client.incomplete().len(), 1);
    // The mirror's own login is used there.
    let client = mirrored(&host(&mirror), login(&mirror.host));
    let answer = client.resolved(&own.reference("a:t")).await;
    assert_eq!(
        (answer.asked_at.as_str(), answer.credential),
        (mirror.host.as_str(), CredentialKind::DockerConfig)
    );
    assert_eq!(client.incomplete(), []);
}

#[tokio::test]
async fn headers_and_logins_of_the_configuration_are_used_for_its_host_alone() {
    let (mirror, own, elsewhere) = (
        Server::start().await,
        Server::start().await,
        Server::start().await,
    );
    let config = json!({"os": "linux", "architecture": "arm64"}).to_string();
    let digest = Digest::sha256_of(config.as_bytes());
    elsewhere.on("/blob", Reply::new(200, config));
    let moved = Reply::new(307, "").header("location", format!("http://{}/blob", elsewhere.host));
    mirror.on(&format!("/v2/a/blobs/{digest}"), moved);
    let manifest =
        json!({"config": {"mediaType": media_type::OCI_CONFIG, "digest": digest}, "layers": []});
    mirror.document("a", "manifests", Some("t"), &manifest);
    mirror.guard("Bearer fixed", "Basic realm=\"x\"");
    let hosts = format!(
        "{0}[host.\"http://{1}\".header]\nauthorization = \"Bearer fixed\"\n",
        host(&mirror),
        mirror.host
    );
    let answer = mirrored(&hosts, options())
        .resolved(&own.reference("a:t"))
        .await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(elsewhere.log(), ["/blob []"]);
}

#[tokio::test]
async fn a_mirror_that_is_not_allowed_is_not_asked() {
    let (mirror, own) = (Server::start().await, Server::start().await);
    mirror.image("a", Some("t"), "amd64");
    own.image("a", Some("t"), "arm64");
    let allow = vec![own.host.clone()];
    let client = mirrored(&host(&mirror), RegistryOptions { allow, ..options() });
    let answer = client.resolved(&own.reference("a:t")).await;
    assert_eq!(answer.asked_at, own.host);
    assert_eq!(mirror.log(), Vec::<String>::new());
    assert!(tried(&answer)[0].contains("--allow-registry"), "{answer:?}");
    assert!(client.incomplete()[0].why.contains("--allow-registry"));
}

#[tokio::test]
async fn two_ways_to_one_host_share_its_limit() {
    let server = Server::start().await;
    let index = json!({"manifests": []}).to_string();
    for n in 0..40 {
        let slow = Reply {
            delay: Duration::from_millis(20),
            ..Reply::new(200, index.clone())
        };
        server.on(&format!("/v2/a{n}/manifests/latest"), slow);
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("one.example", ""), ("two.example", "skip_verify = true\n")] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        let text = format!("server = \"http://{}\"\n{text}", server.host);
        std::fs::write(dir.path().join(name).join("hosts.toml"), text).unwrap();
    }
    let (mirrors, _) = Mirrors::read(&[], Some(dir.path())).unwrap();
    let client = Registry::new(&RegistryOptions {
        mirrors,
        ..options()
    })
    .unwrap()
    .0;
    let references: Vec<ImageRef> = (0..40)
        .map(|n| {
            let registry = ["one.example", "two.example"][n % 2];
            ImageRef::parse(&format!("{registry}/a{n}")).unwrap()
        })
        .collect();
    let answers = futures::future::join_all(references.iter().map(|r| client.resolved(r))).await;
    assert!(answers.iter().all(|a| a.result.is_ok()), "{answers:?}");
    assert_eq!(server.script.most_at_once.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_broken_certificate_file_is_the_endpoints_error_and_names_itself() {
    let own = Server::start().await;
    own.image("a", Some("t"), "arm64");
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let hosts = format!("[host.\"https://m.example.com\"]\nca = \"{path}\"\n");
    let answer = mirrored(&hosts, options())
        .resolved(&own.reference("a:t"))
        .await;
    assert!(answer.result.is_ok());
    let text = &tried(&answer)[0];
    assert!(
        text.contains(&format!("{path}: there is no certificate in it")),
        "{text}"
    );
}
