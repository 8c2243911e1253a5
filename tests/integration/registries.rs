//! Scans through real registries: plain, TLS with Basic auth, and behind a token server.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::image_layout::ImageLayout;
use crate::support::registry_server::{PASSWORD, RegistryServer, USER};

/// Pushes an index for both platforms and one image for amd64 alone.
fn fill(registry: &RegistryServer, prefix: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut layout = ImageLayout::new(dir.path());
    let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
    let amd64 = layout.image("linux/amd64");
    layout
        .tag("example.com/app:both", &both)
        .tag("example.com/app:amd64", &amd64);
    registry.push(layout.path(), "both", &format!("{prefix}app:both"));
    registry.push(layout.path(), "amd64", &format!("{prefix}app:amd64"));
}

fn manifests(registry: &RegistryServer, images: &[&str]) -> String {
    images
        .iter()
        .enumerate()
        .map(|(at, image)| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{name: c, image: \"{}\"}}]}}\n",
                registry.reference(image)
            )
        })
        .collect()
}

fn scan(registry: &RegistryServer, images: &[&str], flags: &[&str], login: bool) -> (i32, Value) {
    let config = tempfile::tempdir().unwrap();
    if login {
        std::fs::write(config.path().join("config.json"), registry.docker_config()).unwrap();
    }
    Archcheck::new()
        .line("-f - --platform linux/amd64 --platform linux/arm64")
        .args(flags)
        .env("DOCKER_CONFIG", config.path())
        .stdin(manifests(registry, images))
        .json()
}

fn credentials(report: &Value) -> Vec<&str> {
    report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["credential"].as_str().unwrap())
        .collect()
}

#[test]
fn plain_http_on_loopback_needs_no_flag() {
    let registry = RegistryServer::plain();
    fill(&registry, "team/");
    let before = registry.requests().len();
    let (code, report) = scan(
        &registry,
        &["team/app:both", "team/app:amd64", "team/app:gone"],
        &[],
        false,
    );
    assert_eq!(code, 1);
    assert_eq!(
        verdicts(&report),
        ["Pod/p0 ok", "Pod/p1 at-risk", "Pod/p2 fails"]
    );
    assert_eq!(
        findings(&report),
        [
            "image-not-found p2 linux/amd64,linux/arm64",
            "exec-format-error p1 linux/arm64"
        ]
    );
    // An index is one request, a single manifest two, and no ping before.
    let mut asked = registry.requests().split_off(before);
    asked.retain(|request| !request.contains("/blobs/"));
    asked.sort();
    assert_eq!(
        asked,
        [
            "GET /v2/team/app/manifests/amd64 200",
            "GET /v2/team/app/manifests/both 200",
            "GET /v2/team/app/manifests/gone 404",
        ]
    );
}

#[test]
fn loopback_registries_are_not_asked_through_a_proxy() {
    let registry = RegistryServer::plain();
    fill(&registry, "team/");
    let proxy = "http://127.0.0.1:1";
    let outcome = Archcheck::new()
        .line("-f - --platform linux/arm64")
        .env("HTTP_PROXY", proxy)
        .env("HTTPS_PROXY", proxy)
        .stdin(manifests(&registry, &["team/app:both"]))
        .run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn tls_with_a_ca_of_ones_own_and_a_login() {
    let registry = RegistryServer::tls_basic();
    fill(&registry, "team/");
    let ca = registry.ca_file().display().to_string();
    let images = ["team/app:both", "team/app:amd64"];
    let (code, report) = scan(&registry, &images, &["--registry-ca", &ca], true);
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["Pod/p0 ok".to_owned(), "Pod/p1 at-risk".to_owned()]),
        "{report:#}"
    );
    assert_eq!(credentials(&report), ["docker-config", "docker-config"]);
    assert!(!report.to_string().contains(PASSWORD));

    let (code, report) = scan(&registry, &images, &["--registry-ca", &ca], false);
    assert_eq!(
        (code, verdicts(&report)),
        (
            2,
            vec!["Pod/p0 unknown".to_owned(), "Pod/p1 unknown".to_owned()]
        )
    );
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("refused access (401"),
        "{report:#}"
    );

    // Without the CA the certificate is not trusted; --insecure-registry takes it as it is.
    let (code, report) = scan(&registry, &images, &[], true);
    assert_eq!(code, 2);
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("certificate"),
        "{report:#}"
    );
    let (code, _) = scan(
        &registry,
        &images,
        &["--insecure-registry", &registry.host()],
        true,
    );
    assert_eq!(code, 1);
}

#[test]
fn tokens_are_asked_for_once_a_repository() {
    let registry = RegistryServer::token();
    fill(&registry, "private/");
    fill(&registry, "public/");
    let before = registry.token_requests().len();
    let images = ["public/app:both", "public/app:amd64"];
    let (code, report) = scan(&registry, &images, &[], false);
    assert_eq!(
        (code, verdicts(&report)),
        (1, vec!["Pod/p0 ok".to_owned(), "Pod/p1 at-risk".to_owned()]),
        "{report:#}"
    );
    assert_eq!(credentials(&report), ["anonymous", "anonymous"]);
    let tokens = registry.token_requests().len() - before;
    assert_eq!(tokens, 1, "{:?}", registry.token_requests());

    let images = ["private/app:both", "private/app:amd64", "public/app:both"];
    let before = registry.token_requests().len();
    let (code, report) = scan(&registry, &images, &[], true);
    assert_eq!(
        (code, report["summary"]["unknown"].as_u64()),
        (1, Some(0)),
        "{report:#}"
    );
    assert_eq!(registry.token_requests().len() - before, 2);
    assert!(
        registry.token_requests()[before..]
            .iter()
            .all(|request| request.scopes.len() == 1)
    );

    let (code, report) = scan(&registry, &["private/app:both"], &[], false);
    assert_eq!(
        (code, verdicts(&report)),
        (2, vec!["Pod/p0 unknown".to_owned()]),
        "{report:#}"
    );
}

/// Scans one private image with a home of its own, prepared by `prepare`; returns exit code, credential and stderr.
fn scan_as(
    registry: &RegistryServer,
    prepare: &dyn Fn(&Path) -> Vec<(&'static str, PathBuf)>,
) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut run = Archcheck::new()
        .line("-f - --platform linux/arm64 -o json")
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("DOCKER_CONFIG", home.path().join("docker"))
        .stdin(manifests(registry, &["private/app:both"]));
    for (name, value) in prepare(home.path()) {
        run = if name.starts_with("--") {
            run.args([name]).args([value])
        } else {
            run.env(name, value)
        };
    }
    let outcome = run.run();
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    (
        outcome.code,
        credentials(&report)[0].to_owned(),
        outcome.stderr,
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A directory with a helper that answers so.
fn helper(home: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = home.join("bin/docker-credential-test");
    write(&path, &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let paths = [home.join("bin"), "/usr/bin".into(), "/bin".into()];
    std::env::join_paths(paths).unwrap().into()
}

#[test]
fn logins_are_found_where_docker_and_podman_keep_them() {
    let registry = RegistryServer::token();
    fill(&registry, "private/");
    let host = registry.host();
    let login = format!("{USER}:{PASSWORD}");
    let auth = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, login);
    let entry = |key: &str| serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
    let below = entry(&format!("{host}/private"));
    let elsewhere = entry(&format!("{host}/other"));
    let helpers = serde_json::json!({"credHelpers": {&host: "test"}}).to_string();
    let wrong =
        serde_json::json!({"auths": {&host: {"username": "x", "password": "y"}}}).to_string();
    let answer =
        serde_json::json!({"ServerURL": host, "Username": USER, "Secret": PASSWORD}).to_string();

    // podman's file, by a path below the host; another path's login is not ours.
    let podman = |text: &str| {
        scan_as(&registry, &|home| {
            write(&home.join("run/containers/auth.json"), text);
            Vec::new()
        })
    };
    assert_eq!(podman(&below).0, 0);
    assert_eq!(podman(&below).1, "auth-file");
    assert_eq!(podman(&elsewhere).0, 2);
    // The file that the user names goes first.
    let (code, kind, _) = scan_as(&registry, &|home| {
        write(&home.join("docker/config.json"), &wrong);
        write(&home.join("mine.json"), &entry(&host));
        vec![("--registry-config", home.join("mine.json"))]
    });
    assert_eq!((code, kind.as_str()), (0, "registry-config"));
    // A wrong login is passed over for the next one.
    let (code, kind, _) = scan_as(&registry, &|home| {
        write(&home.join("docker/config.json"), &wrong);
        write(&home.join("config/containers/auth.json"), &entry(&host));
        Vec::new()
    });
    assert_eq!((code, kind.as_str()), (0, "auth-file"));
    // A helper is asked for the host, by its protocol.
    let script = format!("[ \"$1\" = get ] && [ \"$(cat)\" = '{host}' ] && echo '{answer}'");
    let (code, kind, stderr) = scan_as(&registry, &|home| {
        write(&home.join("docker/config.json"), &helpers);
        vec![("PATH", helper(home, &script))]
    });
    assert_eq!(
        (code, kind.as_str(), stderr.as_str()),
        (0, "credential-helper", "")
    );
    // One that has nothing is no news; one that is missing or fails is a warning, and the scan goes on.
    let nothing = "echo credentials not found in native keychain; exit 1";
    for (script, says) in [
        (Some(nothing), ""),
        (Some("echo very secret; exit 3"), "failed for"),
        (None, "could not be run"),
    ] {
        let (code, kind, stderr) = scan_as(&registry, &|home| {
            write(&home.join("docker/config.json"), &helpers);
            let path = helper(home, script.unwrap_or_default());
            if script.is_none() {
                std::fs::remove_file(home.join("bin/docker-credential-test")).unwrap();
            }
            vec![("PATH", path)]
        });
        assert_eq!(
            (code, kind.as_str()),
            (2, "anonymous"),
            "{script:?}: {stderr}"
        );
        assert_eq!(stderr.is_empty(), says.is_empty(), "{script:?}: {stderr}");
        assert!(
            stderr.contains(says) && !stderr.contains("secret"),
            "{script:?}: {stderr}"
        );
    }
}

/// A host that accepts connections and never says anything.
fn silent_host() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    (listener, host)
}

fn pod_of(image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n"
    )
}

#[test]
fn what_is_left_when_the_time_is_up_is_unknown() {
    let (_listener, host) = silent_host();
    let started = std::time::Instant::now();
    let (code, report) = Archcheck::new()
        .line("-f - --platform linux/arm64 --timeout 1s")
        .stdin(pod_of(&format!("{host}/a:1")))
        .json();
    assert_eq!(code, 2);
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "it was not asked for: the time that --timeout allows was up"
    );
}

#[test]
fn an_interrupted_run_prints_what_it_knows() {
    let (listener, host) = silent_host();
    let registry = RegistryServer::plain();
    fill(&registry, "team/");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let text = format!(
            "{}---\n{}",
            pod_of(&format!("{host}/a:1")),
            manifests(&registry, &["team/app:amd64"])
        );
        let mut child = std::process::Command::new(crate::support::archcheck::binary())
            .args([
                "-f",
                "-",
                "--platform",
                "linux/arm64",
                "--allow-unknown",
                "--fail-on",
                "never",
            ])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        // Once the silent host has been asked, and the other one has had time to answer.
        let _asked = listener.accept().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
        let pid = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-s", signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stdout}");
        assert!(stdout.contains("the run was interrupted"), "{stdout}");
        assert!(stdout.contains("exec-format-error"), "{stdout}");
    }
}

#[test]
fn only_allowed_registries_are_asked() {
    let registry = RegistryServer::plain();
    fill(&registry, "team/");
    let before = registry.requests().len();
    let (code, report) = scan(
        &registry,
        &["team/app:both"],
        &["--allow-registry", "*.example.com"],
        false,
    );
    assert_eq!(code, 2);
    assert_eq!(registry.requests().len(), before);
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("is not allowed by --allow-registry")
    );
    let (code, _) = scan(
        &registry,
        &["team/app:both"],
        &["--allow-registry", "127.0.0.1:*"],
        false,
    );
    assert_eq!(code, 0);
}
