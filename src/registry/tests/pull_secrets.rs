//! Pull secrets: when they are read, in which order they are tried, and that they serve nobody else.

use futures::future::BoxFuture;

use super::*;
use crate::model::{PullSecret, Secret};

/// Secrets and service accounts by `namespace/name`; notes each read.
#[derive(Debug, Default)]
struct Cluster {
    secrets: HashMap<&'static str, Result<String, NotRead>>,
    accounts: HashMap<&'static str, Vec<String>>,
    log: Mutex<Vec<String>>,
}

impl PullSecretSource for Arc<Cluster> {
    fn secret<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<PullSecret>, NotRead>> {
        Box::pin(async move {
            let key = format!("{namespace}/{name}");
            self.log.lock().unwrap().push(format!("secret {key}"));
            match self.secrets.get(key.as_str()) {
                None => Ok(None),
                Some(Ok(text)) => Ok(Some(PullSecret::DockerConfigJson(Secret::new(text)))),
                Some(Err(why)) => Err(why.clone()),
            }
        })
    }

    fn service_account<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, NotRead>> {
        Box::pin(async move {
            let key = format!("{namespace}/{name}");
            self.log.lock().unwrap().push(format!("account {key}"));
            Ok(self.accounts.get(key.as_str()).cloned())
        })
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Cluster
    }

    fn name(&self) -> String {
        "https://cluster.example.com".to_owned()
    }
}

impl Cluster {
    fn with(secrets: &[(&'static str, String)]) -> Self {
        let secrets = secrets.iter().cloned();
        Self {
            secrets: secrets.map(|(name, text)| (name, Ok(text))).collect(),
            ..Self::default()
        }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// A docker config with one login; `user:secret` is what [`guarded`] wants.
fn config(key: &str, login: &str) -> String {
    let (username, password) = login.split_once(':').unwrap();
    json!({"auths": {key: {"username": username, "password": password}}}).to_string()
}

fn named(namespace: &str, names: &[&str]) -> PullAccess {
    PullAccess::Secrets {
        namespace: namespace.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A registry with `a:t`, which wants `user:secret`.
async fn guarded() -> Server {
    let server = Server::start().await;
    server.image("a", Some("t"), "arm64");
    server.guard("Basic dXNlcjpzZWNyZXQ=", "Basic realm=\"x\"");
    server
}

#[tokio::test]
async fn one_namespaces_right_never_answers_for_another() {
    let server = guarded().await;
    let cluster = Arc::new(Cluster::with(&[
        ("shop/reg", config(&server.host, "user:secret")),
        ("twin/other", config(&server.host, "user:secret")),
        ("ops/reg", config(&server.host, "user:old")),
    ]));
    let client = client().with_pull_secrets(Arc::new(Arc::clone(&cluster)));
    let image = server.reference("a:t");
    let (shop, twin, ops) = (
        named("shop", &["reg"]),
        named("twin", &["other"]),
        named("ops", &["reg"]),
    );
    let answer = client.resolve(&image, &shop).await;
    assert!(answer.result.is_ok(), "{answer:?}");
    assert_eq!(answer.credential, CredentialKind::PullSecret);
    for access in [&ops, &PullAccess::Nobody] {
        let answer = client.resolve(&image, access).await;
        let denied = matches!(answer.result, Err(ImageError::Denied { .. }));
        assert!(denied, "{access:?}: {answer:?}");
    }
    // Another namespace with the same login is the same question, and costs nothing.
    let before = server.log().len();
    assert!(client.resolve(&image, &twin).await.result.is_ok());
    assert_eq!(server.log().len(), before);
    assert_eq!(
        cluster.log(),
        ["secret shop/reg", "secret ops/reg", "secret twin/other"]
    );
    assert!(client.incomplete().is_empty(), "{:?}", client.incomplete());
}

#[tokio::test]
async fn secrets_are_read_once_and_only_when_an_image_has_to_be_asked_for() {
    let server = guarded().await;
    server.image("a", Some("u"), "arm64");
    let cluster = Arc::new(Cluster::with(&[(
        "shop/reg",
        config(&server.host, "user:secret"),
    )]));
    let with = |options: &RegistryOptions| {
        let source = Arc::new(Arc::clone(&cluster));
        Registry::new(options).unwrap().0.with_pull_secrets(source)
    };
    let access = named("shop", &["reg"]);
    let elsewhere = RegistryOptions {
        allow: vec!["quay.io".to_owned()],
        ..options()
    };
    let not_allowed = with(&elsewhere)
        .resolve(&server.reference("a:t"), &access)
        .await;
    assert!(matches!(
        not_allowed.result,
        Err(ImageError::NotAllowed { .. })
    ));
    assert!(cluster.log().is_empty());
    let client = with(&options());
    let images = [server.reference("a:t"), server.reference("a:u")];
    let asked = images.iter().map(|image| client.resolve(image, &access));
    let answers = futures::future::join_all(asked).await;
    assert!(answers.iter().all(|a| a.result.is_ok()), "{answers:?}");
    assert_eq!(cluster.log(), ["secret shop/reg"]);
}

#[tokio::test]
async fn a_service_accounts_secrets_serve_pods_that_name_none() {
    let server = guarded().await;
    let mut cluster = Cluster::with(&[("shop/reg", config(&server.host, "user:secret"))]);
    cluster
        .accounts
        .insert("shop/builder", vec!["reg".to_owned()]);
    let cluster = Arc::new(cluster);
    let client = client().with_pull_secrets(Arc::new(Arc::clone(&cluster)));
    for (account, fine) in [("builder", true), ("default", false)] {
        let access = PullAccess::ServiceAccount {
            namespace: "shop".to_owned(),
            name: account.to_owned(),
        };
        for _ in 0..2 {
            let answer = client.resolve(&server.reference("a:t"), &access).await;
            assert_eq!(answer.result.is_ok(), fine, "{account}: {answer:?}");
        }
    }
    assert_eq!(
        cluster.log(),
        [
            "account shop/builder",
            "secret shop/reg",
            "account shop/default"
        ]
    );
}

#[tokio::test]
async fn logins_are_tried_in_order_and_no_more_than_three() {
    let server = guarded().await;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, login: &str, kind| {
        let path = dir.path().join(name);
        std::fs::write(&path, config(&server.host, login)).unwrap();
        let style = Style::Docker;
        CredentialFile { path, style, kind }
    };
    let basic = |login: &str| {
        use base64::Engine as _;
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(login)
        )
    };
    let files = [
        file("mine", "named:x", CredentialKind::RegistryConfig),
        file("found", "found:x", CredentialKind::DockerConfig),
    ];
    let credentials = Credentials::read(&files, None).unwrap().0;
    let options = RegistryOptions {
        credentials,
        ..options()
    };
    let cluster = Cluster::with(&[
        ("shop/one", config(&server.host, "one:x")),
        ("shop/two", config(&server.host, "two:x")),
    ]);
    let client = Registry::new(&options).unwrap().0;
    let client = client.with_pull_secrets(Arc::new(Arc::new(cluster)));
    let tried = |from: usize| -> Vec<String> {
        let log = server.log().split_off(from);
        let sent = log.iter().map(|line| {
            let (_, sent) = line.rsplit_once(" [").unwrap();
            sent.trim_end_matches(']').to_owned()
        });
        sent.collect()
    };
    for (secrets, expected) in [
        // The user's own comes after the pods', and nobody's last. The first request of all learns the challenge.
        (vec!["two"], vec!["named:x", "two:x", "found:x"]),
        (vec!["two", "one"], vec!["named:x", "two:x", "one:x"]),
    ] {
        let before = server.log().len();
        let answer = client
            .resolve(&server.reference("a:t"), &named("shop", &secrets))
            .await;
        assert!(matches!(answer.result, Err(ImageError::Denied { .. })));
        let mut expected: Vec<String> = expected.into_iter().map(basic).collect();
        expected.push(String::new());
        let mut tried = tried(before);
        if before == 0 {
            assert_eq!(tried.remove(0), "");
        }
        assert_eq!(tried, expected, "{secrets:?}");
    }
}

#[tokio::test]
async fn what_cant_be_read_is_told_once_and_others_are_tried() {
    let server = guarded().await;
    let forbidden = NotRead::Forbidden("secrets \"x\" is forbidden".to_owned());
    let mut cluster = Cluster::with(&[
        (
            "shop/bad",
            json!({"auths": {"quay.io": {"auth": "?"}}}).to_string(),
        ),
        ("shop/good", config(&server.host, "user:secret")),
    ]);
    cluster
        .secrets
        .insert("shop/hidden", Err(forbidden.clone()));
    cluster.secrets.insert("ops/hidden", Err(forbidden));
    let source = Arc::new(Arc::new(cluster));
    let client = with_login(&server.host).with_pull_secrets(source);
    let image = server.reference("a:t");
    for (names, kind) in [
        // The kubelet would pull nothing at all with a secret that it can't decode; the user's own login may.
        (vec!["bad", "good"], CredentialKind::DockerConfig),
        (vec!["hidden"], CredentialKind::DockerConfig),
        (vec!["hidden", "good"], CredentialKind::PullSecret),
        (vec!["gone"], CredentialKind::DockerConfig),
    ] {
        let answer = client.resolve(&image, &named("shop", &names)).await;
        assert!(answer.result.is_ok(), "{names:?}: {answer:?}");
        assert_eq!(answer.credential, kind, "{names:?}");
    }
    client.resolve(&image, &named("ops", &["hidden"])).await;
    let told = |client: &Registry| -> Vec<String> {
        let entries = client.incomplete().into_iter();
        entries
            .map(|entry| format!("{} | {} | {}", entry.what, entry.why, entry.hint))
            .collect()
    };
    // A secret that isn't there is missed only where an image was refused.
    insta::assert_snapshot!(told(&client).join("\n"));
    server.guard("Basic nobody", "Basic realm=\"x\"");
    client
        .resolve(&server.reference("b:t"), &named("shop", &["gone"]))
        .await;
    assert!(told(&client).iter().any(|entry| {
        entry.starts_with("pull secrets: shop/gone | pods name it, and there is no such secret")
    }));
}

#[tokio::test]
async fn docker_hubs_login_goes_to_no_other_host() {
    let server = guarded().await;
    let port = server.host.rsplit_once(':').unwrap().1;
    // The kubelet would offer it to `localhost`, which has no dot; with a port it is another host to it.
    let hub = "https://index.docker.io/v1/";
    let cluster = Cluster::with(&[("shop/hub", config(hub, "user:secret"))]);
    let client = client().with_pull_secrets(Arc::new(Arc::new(cluster)));
    for image in [format!("localhost:{port}/a:t"), "localhost/a:t".to_owned()] {
        let image = ImageRef::parse(&image).unwrap();
        let answer = client.resolve(&image, &named("shop", &["hub"])).await;
        assert!(answer.result.is_err(), "{answer:?}");
    }
    assert_eq!(server.count("[Basic"), 0, "{:?}", server.log());
}
