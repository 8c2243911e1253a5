//! The cache between runs, `--offline`, and `--plan`, with a real registry.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::image_layout::ImageLayout;
use crate::support::registry_server::RegistryServer;

/// A registry with an index and a single image, and the manifests that use them by tag and by digest.
struct Fixture {
    registry: RegistryServer,
    digest: String,
    home: tempfile::TempDir,
}

impl Fixture {
    fn of(registry: RegistryServer) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut layout = ImageLayout::new(dir.path());
        let both = layout.index_of(&["linux/amd64", "linux/arm64"]);
        let amd64 = layout.image("linux/amd64");
        layout
            .tag("example.com/app:both", &both)
            .tag("example.com/app:amd64", &amd64);
        registry.push(layout.path(), "both", "private/app:both");
        registry.push(layout.path(), "amd64", "private/app:amd64");
        std::fs::create_dir(dir.path().join("unused")).unwrap();
        Self {
            registry,
            digest: both.digest,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn manifests(&self) -> String {
        let digest = format!("private/app@{}", self.digest);
        ["private/app:both", "private/app:amd64", &digest]
            .iter()
            .enumerate()
            .map(|(at, image)| {
                let image = self.registry.reference(image);
                format!(
                    "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n"
                )
            })
            .collect()
    }

    /// A run with a home that the next run finds again.
    fn run(&self) -> Archcheck {
        let home = self.home.path();
        std::fs::create_dir_all(home.join(".docker")).unwrap();
        std::fs::write(
            home.join(".docker/config.json"),
            self.registry.docker_config(),
        )
        .unwrap();
        Archcheck::new()
            .line("-f - --platform linux/arm64")
            .env("HOME", home)
            .stdin(self.manifests())
    }

    /// What the registry was asked since a moment, without the order.
    fn asked_since(&self, before: usize) -> Vec<String> {
        let prefix = "/v2/private/app/";
        let mut asked: Vec<String> = self.registry.requests().split_off(before);
        asked.sort();
        asked
            .iter()
            .map(|line| line.replace(prefix, "").replace(&self.digest, "DIGEST"))
            .collect()
    }

    fn default_place(&self) -> PathBuf {
        self.home.path().join(".kube/cache/archcheck")
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_second_scan_costs_a_head_for_each_tag_and_nothing_for_digests() {
    let fixture = Fixture::of(RegistryServer::plain());
    let before = fixture.registry.requests().len();
    let (code, first) = fixture.run().json();
    assert_eq!(
        (code, verdicts(&first)),
        (
            1,
            vec![
                "Pod/p0 ok".to_owned(),
                "Pod/p1 fails".to_owned(),
                "Pod/p2 ok".to_owned()
            ]
        )
    );
    let asked = fixture.asked_since(before);
    assert_eq!(asked.len(), 4, "{asked:?}");
    let before = fixture.registry.requests().len();
    let (code, second) = fixture.run().json();
    assert_eq!(code, 1);
    assert_eq!(
        first.to_string(),
        second.to_string(),
        "the report is the same"
    );
    assert_eq!(
        fixture.asked_since(before),
        ["HEAD manifests/amd64 200", "HEAD manifests/both 200"]
    );
    // --no-cache asks everything again.
    let before = fixture.registry.requests().len();
    let (_, third) = fixture.run().line("--no-cache").json();
    assert_eq!(fixture.asked_since(before), asked);
    assert_eq!(first.to_string(), third.to_string());
    // A damaged cache is as good as none, and is mended.
    for file in files_below(&fixture.default_place()) {
        std::fs::write(file, "damaged").unwrap();
    }
    let before = fixture.registry.requests().len();
    let (_, fourth) = fixture.run().json();
    assert_eq!(fixture.asked_since(before), asked);
    assert_eq!(first.to_string(), fourth.to_string());
    let before = fixture.registry.requests().len();
    fixture.run().json();
    assert_eq!(fixture.asked_since(before).len(), 2);
}

#[test]
fn the_cache_is_where_kubectl_keeps_its_own() {
    let fixture = Fixture::of(RegistryServer::plain());
    let elsewhere = tempfile::tempdir().unwrap();
    let (flag, variable) = (elsewhere.path().join("flag"), elsewhere.path().join("env"));
    let count = |dir: &Path| files_below(&dir.join("archcheck")).len();
    fixture
        .run()
        .line("--no-cache")
        .env("KUBECACHEDIR", &variable)
        .run();
    assert_eq!(count(&variable), 0, "--no-cache writes nothing");
    fixture.run().env("KUBECACHEDIR", &variable).run();
    assert!(count(&variable) > 0);
    fixture
        .run()
        .line("--cache-dir")
        .args([&flag])
        .env("KUBECACHEDIR", elsewhere.path().join("not-this"))
        .run();
    assert_eq!(count(&flag), count(&variable));
    assert!(!elsewhere.path().join("not-this").exists());
    assert!(!fixture.default_place().exists());
    fixture.run().run();
    assert_eq!(files_below(&fixture.default_place()).len(), count(&flag));
}

#[test]
fn a_cache_that_cannot_be_written_to_changes_nothing() {
    let fixture = Fixture::of(RegistryServer::plain());
    let file = tempfile::NamedTempFile::new().unwrap();
    let outcome = fixture.run().line("--cache-dir").args([file.path()]).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""));
}

#[test]
fn several_scans_at_once_share_a_cache() {
    let fixture = Fixture::of(RegistryServer::plain());
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| fixture.run().json()))
            .collect();
        let reports: Vec<String> = runs
            .into_iter()
            .map(|run| run.join().unwrap().1.to_string())
            .collect();
        assert!(reports.iter().all(|report| *report == reports[0]));
    });
    let partial = |path: &&PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    assert_eq!(
        files_below(&fixture.default_place()).iter().find(partial),
        None
    );
}

#[test]
fn offline_the_cache_answers_and_the_rest_is_unknown() {
    let fixture = Fixture::of(RegistryServer::token());
    let (code, report) = fixture.run().line("--offline").json();
    assert_eq!((code, report["summary"]["unknown"].as_u64()), (2, Some(3)));
    assert_eq!(findings(&report).len(), 3);
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("--offline asks no registry"),
        "{report:#}"
    );
    let (_, online) = fixture.run().json();
    assert_eq!(online["images"][0]["credential"], "docker-config");
    let before = fixture.registry.requests().len();
    let outcome = fixture.run().line("--offline").run();
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stdout.contains("no registry was asked (--offline)"),
        "{}",
        outcome.stdout
    );
    let (code, mut offline) = fixture.run().line("--offline").json();
    assert_eq!(
        (code, &offline["scope"]["offline"]),
        (1, &Value::Bool(true))
    );
    offline["scope"].as_object_mut().unwrap().remove("offline");
    assert_eq!(offline, online, "as when it was asked");
    assert_eq!(fixture.asked_since(before), Vec::<String>::new());
    let (code, _) = fixture.run().line("--offline --no-cache").json();
    assert_eq!(code, 2);
}

#[test]
fn nothing_secret_is_kept() {
    let fixture = Fixture::of(RegistryServer::token());
    let outcome = fixture.run().line("-vvv").run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let kept = files_below(&fixture.default_place());
    assert!(!kept.is_empty());
    for file in kept {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        for secret in [
            crate::support::registry_server::PASSWORD,
            "eyJ",
            "Bearer",
            "Basic",
        ] {
            assert!(!text.contains(secret), "{}: {text}", file.display());
        }
    }
}

#[test]
fn a_plan_costs_nothing_and_says_what_a_scan_would() {
    let fixture = Fixture::of(RegistryServer::plain());
    let before = fixture.registry.requests().len();
    let plan = |line: &str| fixture.run().line("--plan").line(line).json();
    let (code, report) = plan("");
    assert_eq!(code, 0);
    let body = &report["plan"];
    // Three images of two requests each, the first one again with a token, and a token.
    assert_eq!(
        (body["requests"].as_u64(), body["dockerHubPulls"].as_u64()),
        (Some(8), Some(0)),
        "{body:#}"
    );
    assert_eq!(body["hosts"][0]["host"], fixture.registry.host());
    assert_eq!(body["images"].as_array().unwrap().len(), 3);
    assert_eq!(fixture.asked_since(before), Vec::<String>::new());
    assert!(!fixture.default_place().exists());
    fixture.run().json();
    let (_, report) = plan("");
    let answered: Vec<&Value> = report["plan"]["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["answeredBy"])
        .collect();
    assert_eq!(
        answered.iter().filter(|by| **by == "cache").count(),
        1,
        "{report:#}"
    );
    let (_, report) = plan("--offline");
    assert_eq!(report["plan"]["requests"], 0);
    let (_, report) = plan("--allow-registry example.com");
    let why = report["plan"]["images"][0]["unknown"].as_str().unwrap();
    assert!(why.contains("is not allowed by --allow-registry"), "{why}");
}

#[test]
fn a_plan_is_printed_for_people_and_for_programs() {
    let pods: String = ["nginx:1.27", "nginx:1.28", "ghcr.io/acme/app:1", "a_b.example.com/app:1"]
        .iter()
        .enumerate()
        .map(|(at, image)| format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n"))
        .collect();
    let run = |line: &str| {
        Archcheck::new()
            .line("-f - --platform linux/arm64 --plan --mirror ghcr.io=mirror.example.com/ghcr")
            .line(line)
            .env("COLUMNS", "80")
            .stdin(pods.clone())
            .run()
    };
    insta::assert_snapshot!(run("").stdout, @r"
    A scan would ask 3 hosts for 3 images: at most 13 requests, 2 pulls on Docker
    Hub. What has to be asked for twice comes on top: after a failure, with another
    login, or because an index does not say its platforms.

    HOST                  IMAGES  REQUESTS  PULLS
    ghcr.io               1       4         -
    mirror.example.com    1       3         -
    registry-1.docker.io  2       6         2

    IMAGE                         REQUESTS  PULLS  ASKED AT
    a_b.example.com/app:1         0         -      nobody: the reference names no registry host that can be asked: a_b.example.com has an underscore
    docker.io/library/nginx:1.27  2         1      registry-1.docker.io
    docker.io/library/nginx:1.28  2         1      registry-1.docker.io
    ghcr.io/acme/app:1            3         -      mirror.example.com, then ghcr.io
    ");
    insta::assert_snapshot!(run("-o name").stdout, @r"
    a_b.example.com/app:1
    docker.io/library/nginx:1.27
    docker.io/library/nginx:1.28
    ghcr.io/acme/app:1
    ");
    assert_eq!(run("-o yaml").code, 0);
    let sarif = run("-o sarif");
    assert_eq!(sarif.code, 3);
    assert!(
        sarif
            .stderr
            .contains("a plan has no findings; its formats are table, name, json and yaml"),
        "{sarif:?}"
    );
    let broken = Archcheck::new()
        .line("-f - --platform linux/arm64 --plan")
        .stdin(format!("{pods}---\nkind: Pod\n"))
        .run();
    assert_eq!(broken.code, 2, "what was not seen would cost more");
    assert!(broken.stdout.contains("Not seen: -:"), "{}", broken.stdout);
}
