//! Mirrors that nodes use, with real registries behind them.

use serde_json::{Value, json};

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::fake_apiserver::{FakeApiServer, Fault};
use crate::support::image_layout::ImageLayout;
use crate::support::objects::{node, workload};
use crate::support::registry_server::RegistryServer;

/// A registry that has an image for both platforms, and a mirror to which only the amd64 one was copied: what
/// `skopeo copy` and `docker pull && docker push` do unless they are told otherwise.
struct Fixture {
    own: RegistryServer,
    mirror: RegistryServer,
    /// Of the index; the mirror does not have it.
    digest: String,
}

impl Fixture {
    fn new() -> Self {
        let (own, mirror) = (RegistryServer::plain(), RegistryServer::plain());
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path());
        let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
        let amd64 = layout.image("linux/amd64");
        layout
            .tag("example.com/app:both", &both)
            .tag("example.com/app:amd64", &amd64);
        own.push(layout.path(), "both", "team/app:1");
        mirror.push(layout.path(), "amd64", "team/app:1");
        mirror.push(layout.path(), "amd64", "copies/team/app:1");
        Self {
            own,
            mirror,
            digest: both.digest,
        }
    }

    fn pod(&self, rest: &str) -> String {
        let image = self.own.reference(rest);
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n"
        )
    }

    fn scan(&self, rest: &str, flags: &[&str]) -> (i32, Value) {
        Archcheck::new()
            .line("-f - --platform linux/arm64")
            .args(flags)
            .stdin(self.pod(rest))
            .json()
    }
}

fn asked_at(report: &Value) -> &str {
    report["images"][0]["askedAt"].as_str().unwrap()
}

#[test]
fn a_mirror_that_lost_a_platform_is_found_whatever_configures_it() {
    let fixture = Fixture::new();
    let (own, mirror) = (fixture.own.host(), fixture.mirror.host());
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        &format!("certs.d/{}_/hosts.toml", own.replace(':', "_")),
        format!("[host.\"http://{mirror}\"]\n"),
    );
    write(
        "containers/registries.conf",
        format!(
            "[[registry]]\nlocation = \"{own}/team\"\n[[registry.mirror]]\nlocation = \"{mirror}/copies/team\"\ninsecure = true\n"
        ),
    );
    write(
        "registries.yaml",
        format!(
            "mirrors:\n  \"*\":\n    endpoint: [\"http://{mirror}\"]\n    rewrite: {{\"^team/(.*)\": \"copies/team/$1\"}}\n"
        ),
    );
    let config = |name: &str| dir.path().join(name).display().to_string();
    let copies = format!("{mirror}/copies/team/app");
    for (flag, value, asked) in [
        ("--mirror", format!("{own}={mirror}"), &mirror),
        (
            "--mirror",
            format!("{own}/team={mirror}/copies/team"),
            &copies,
        ),
        ("--mirror-config", config("certs.d"), &mirror),
        ("--mirror-config", config("containers"), &copies),
        (
            "--mirror-config",
            config("containers/registries.conf"),
            &copies,
        ),
        ("--mirror-config", config("registries.yaml"), &copies),
    ] {
        let (code, report) = fixture.scan("team/app:1", &[flag, &value]);
        assert_eq!(
            findings(&report),
            ["exec-format-error p linux/arm64"],
            "{flag} {value}"
        );
        assert_eq!(
            (code, asked_at(&report)),
            (1, asked.as_str()),
            "{flag} {value}"
        );
        let message = report["findings"][0]["message"].as_str().unwrap();
        let says = format!("so it is in the mirror {asked}, which is asked first");
        assert!(message.ends_with(&says), "{message}");
        // The index is not in the mirror: by digest it comes from its registry, as on the node.
        let (code, report) = fixture.scan(&format!("team/app@{}", fixture.digest), &[flag, &value]);
        assert_eq!(
            (code, asked_at(&report)),
            (0, own.as_str()),
            "{flag} {value}"
        );
        let tried = &report["images"][0]["tried"][0];
        assert_eq!(tried["askedAt"], asked.as_str());
        assert!(
            tried["error"]
                .as_str()
                .unwrap()
                .contains("has no digest sha256:"),
            "{tried}"
        );
    }
    let (code, report) = fixture.scan("team/app:1", &[]);
    assert_eq!((code, asked_at(&report)), (0, own.as_str()));
    assert!(report["images"][0].get("tried").is_none());
}

#[test]
fn a_mirror_that_cannot_be_asked_leaves_tags_open() {
    let fixture = Fixture::new();
    let flag = format!("{}=127.0.0.1:1", fixture.own.host());
    let (code, report) = fixture.scan("team/app:1", &["--mirror", &flag]);
    assert_eq!((code, verdicts(&report)), (2, vec!["Pod/p ok".to_owned()]));
    let entry = &report["incomplete"][0];
    assert_eq!(
        entry["what"],
        "mirror 127.0.0.1:1: what it has for 1 image by tag"
    );
    let (code, _) = fixture.scan("team/app:1", &["--mirror", &flag, "--allow-unknown"]);
    assert_eq!(code, 0);
    let by_digest = format!("team/app@{}", fixture.digest);
    let (code, report) = fixture.scan(&by_digest, &["--mirror", &flag]);
    assert_eq!((code, &report["incomplete"]), (0, &json!([])));
}

#[test]
fn what_the_nodes_may_not_pull_is_unknown_and_says_why() {
    let fixture = Fixture::new();
    let conf = tempfile::Builder::new().suffix(".conf").tempfile().unwrap();
    let text = format!(
        "[[registry]]\nlocation = \"{}\"\nblocked = true\n",
        fixture.own.host()
    );
    std::fs::write(conf.path(), text).unwrap();
    let path = conf.path().display().to_string();
    let (code, report) = fixture.scan("team/app:1", &["--mirror-config", &path]);
    assert_eq!(
        (code, findings(&report)),
        (2, vec!["image-unreadable p linux/arm64".to_owned()])
    );
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(
        message.contains(&format!("is blocked ({path}:1)")),
        "{message}"
    );
}

#[test]
fn mirror_configuration_that_is_wrong_ends_the_run_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("docker.io")).unwrap();
    std::fs::write(dir.path().join("docker.io/hosts.toml"), "\nserver = 1\n").unwrap();
    let path = dir.path().display().to_string();
    for (flags, says) in [
        (
            ["--mirror-config", path.as_str()],
            "docker.io/hosts.toml:2: server must be a string",
        ),
        (
            ["--mirror-config", "/nonexistent"],
            "/nonexistent: No such file",
        ),
        (
            ["--mirror", "nonsense"],
            "--mirror nonsense: this must be HOST[/PREFIX]=HOST[/PREFIX]",
        ),
    ] {
        let outcome = Archcheck::new()
            .line("-f - --platform linux/arm64")
            .args(flags)
            .run();
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
}

fn mirror_set(kind: &str, spec: &Value) -> Value {
    let group = match kind {
        "ImageContentSourcePolicy" => "operator.openshift.io/v1alpha1",
        _ => "config.openshift.io/v1",
    };
    json!({"apiVersion": group, "kind": kind, "metadata": {"name": "copies"}, "spec": spec})
}

#[test]
fn openshift_says_itself_which_mirrors_its_nodes_use() {
    let fixture = Fixture::new();
    let (own, mirror) = (fixture.own.host(), fixture.mirror.host());
    let sources =
        json!([{"source": format!("{own}/team"), "mirrors": [format!("{mirror}/copies/team")]}]);
    let by_tag = mirror_set("ImageTagMirrorSet", &json!({"imageTagMirrors": sources}));
    let by_digest = [
        mirror_set(
            "ImageDigestMirrorSet",
            &json!({"imageDigestMirrors": sources}),
        ),
        mirror_set(
            "ImageContentSourcePolicy",
            &json!({"repositoryDigestMirrors": sources}),
        ),
    ];
    let server = FakeApiServer::start();
    let mut openshift = node("node-a", "arm64", "cri-o://1.34.0");
    openshift["metadata"]["labels"]["node.openshift.io/os_id"] = "rhel".into();
    server.add(openshift);
    server.add(workload(
        "Deployment",
        "shop",
        "web",
        &fixture.own.reference("team/app:1"),
    ));
    let scan = || {
        Archcheck::new()
            .line("--kubeconfig")
            .args([server.kubeconfig()])
            .json()
    };
    assert_eq!(verdicts(&scan().1), ["Deployment/web ok"]);
    server.add(by_tag.clone());
    let (code, report) = scan();
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["Deployment/web fails".to_owned()])
    );
    assert_eq!(asked_at(&report), format!("{mirror}/copies/team/app"));
    // Who may not see them is told, and that changes no verdict.
    server.fault("imagetagmirrorsets", Fault::Status(403));
    let (code, report) = scan();
    assert_eq!(
        (code, verdicts(&report)),
        (0, vec!["Deployment/web ok".to_owned()])
    );
    assert_eq!(
        report["incomplete"][0]["what"],
        "imagetagmirrorsets.config.openshift.io"
    );

    // In a dump they count as well; digests are asked for at those mirrors alone.
    let docs = |sets: &[&Value], rest: &str| {
        let sets: String = sets.iter().map(|set| format!("---\n{set}\n")).collect();
        format!("{}{sets}", fixture.pod(rest))
    };
    let digest = format!("team/app@{}", fixture.digest);
    for (sets, rest, tried) in [
        (vec![&by_tag], "team/app:1", 0),
        (vec![&by_tag], digest.as_str(), 0),
        (vec![&by_digest[0]], digest.as_str(), 1),
        (vec![&by_digest[1]], digest.as_str(), 1),
        (vec![&by_digest[0]], "team/app:1", 0),
    ] {
        let (_, report) = Archcheck::new()
            .line("-f - --platform linux/arm64")
            .stdin(docs(&sets, rest))
            .json();
        let list = report["images"][0]["tried"].as_array();
        assert_eq!(list.map_or(0, Vec::len), tried, "{rest}: {report:#}");
    }
}

#[test]
fn other_clusters_are_not_asked_for_openshifts_objects() {
    let server = FakeApiServer::start();
    server.add(node("node-a", "arm64", "containerd://2.1.0"));
    let (code, _) = Archcheck::new()
        .line("--kubeconfig")
        .args([server.kubeconfig()])
        .json();
    assert_eq!(code, 0);
    assert!(
        !server.log().iter().any(|path| path.contains("openshift")),
        "{:?}",
        server.log()
    );
}
