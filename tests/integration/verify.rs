//! What a second look finds: children of an index that are missing or mislabelled, and digests of children.

use serde_json::Value;

use crate::support::archcheck::{Archcheck, findings, verdicts};
use crate::support::image_layout::ImageLayout;
use crate::support::registry_server::RegistryServer;

/// A registry with `app:both`, `app:liar` (its arm64 entry leads to a config that says amd64), and `app:broken`, whose
/// arm64 manifest was deleted; with the digests of `both` and of its amd64 manifest.
struct Fixture {
    registry: RegistryServer,
    index: String,
    amd64: String,
}

impl Fixture {
    fn new() -> Self {
        let registry = RegistryServer::plain();
        let dir = tempfile::tempdir().unwrap();
        let layout = ImageLayout::new(dir.path());
        let (amd64, arm64) = (layout.image("linux/amd64"), layout.image("linux/arm64"));
        let both = layout.index(&[amd64.clone(), arm64]);
        let liar = layout
            .image_with("linux/amd64", "linux/arm64")
            .claiming("linux/arm64");
        let liar = layout.index(&[amd64.clone(), liar]);
        let riscv64 = layout.image("linux/riscv64").claiming("linux/arm64");
        let broken = layout.index(&[amd64.clone(), riscv64.clone()]);
        for (tag, index) in [("both", &both), ("liar", &liar), ("broken", &broken)] {
            registry.push_bytes(layout.path(), &index.digest, "app", Some(tag));
        }
        registry.delete("app", &riscv64.digest);
        Self {
            registry,
            index: both.digest,
            amd64: amd64.digest,
        }
    }

    /// Scans one pod for each of these (`TAG`, `@DIGEST`, `TAG@DIGEST`), and returns what was asked of the registry.
    fn scan(&self, images: &[&str], flags: &str) -> (i32, Value, Vec<String>) {
        let pods = images.iter().enumerate().map(|(at, image)| {
            let colon = if image.starts_with('@') { "" } else { ":" };
            let image = self.registry.reference(&format!("app{colon}{image}"));
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{name: c, image: \"{image}\"}}]}}\n"
            )
        });
        let before = self.registry.requests().len();
        // Without the cache, so that a child of two indexes is asked for twice, whichever answer comes first.
        let (code, report) = Archcheck::new()
            .line("-f - --platform linux/amd64 --no-cache")
            .line(flags)
            .stdin(pods.collect::<String>())
            .json();
        (code, report, self.registry.requests().split_off(before))
    }
}

const BOTH: &str = "--platform linux/arm64";

#[test]
fn children_that_nodes_would_pick_are_looked_at_when_asked_to() {
    let fixture = Fixture::new();
    let images = ["both", "liar", "broken"];
    let (code, report, requests) = fixture.scan(&images, BOTH);
    assert_eq!((code, findings(&report)), (0, vec![]));
    assert_eq!(requests.len(), 3, "{requests:?}");

    let (code, report, requests) = fixture.scan(&images, "--platform linux/arm64 --verify");
    assert_eq!(code, 1);
    assert_eq!(
        verdicts(&report),
        ["Pod/p0 ok", "Pod/p1 at-risk", "Pod/p2 at-risk"]
    );
    assert_eq!(
        findings(&report),
        [
            "missing-child p2 linux/arm64",
            "mislabelled-image p1 linux/arm64"
        ]
    );
    let [missing, liar] = report["findings"].as_array().unwrap().as_slice() else {
        panic!()
    };
    let message = |finding: &Value| finding["message"].as_str().unwrap().to_owned();
    assert_eq!(
        message(missing),
        "the index lists an image for linux/arm64 that the registry does not have"
    );
    assert!(
        missing["expect"]
            .to_string()
            .contains("not found: not found")
    );
    assert_eq!(
        message(liar),
        "the index says linux/arm64 and the image's own config linux/amd64; its bytes, which decide, were not read"
    );
    assert_eq!(
        (&liar["severity"], &missing["severity"]),
        (&"warning".into(), &"error".into())
    );
    // Three indexes, the two manifests that nodes would pick of each, and their configs.
    let of = |part: &str| requests.iter().filter(|line| line.contains(part)).count();
    assert_eq!((of("/manifests/"), of("/blobs/")), (9, 5), "{requests:#?}");
    // What no node of the scan would pick is not looked at.
    let (code, _, requests) = fixture.scan(&["broken"], "--verify");
    assert_eq!(code, 0);
    assert_eq!(requests.len(), 3, "{requests:#?}");
}

#[test]
fn a_digest_of_one_platforms_manifest_is_told_with_that_of_the_index() {
    let fixture = Fixture::new();
    let pinned = format!("both@{}", fixture.amd64);
    let (code, report, requests) = fixture.scan(&[&pinned], BOTH);
    assert_eq!(code, 1);
    assert_eq!(findings(&report), ["pinned-child p0 linux/arm64"]);
    let finding = &report["findings"][0];
    assert_eq!(
        finding["message"],
        format!(
            "the digest is that of the image for linux/amd64 out of the index {}, which has linux/amd64, linux/arm64",
            fixture.index
        )
    );
    assert_eq!(
        (
            &finding["severity"],
            &finding["verdict"],
            &finding["certainty"]
        ),
        (&"error".into(), &"at-risk".into(), &"likely".into())
    );
    // One request more for the tag; the image itself is a manifest and a config.
    let tag = "GET /v2/app/manifests/both 200".to_owned();
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert!(requests.contains(&tag), "{requests:?}");
    // The tag is no image of a pod.
    assert_eq!(report["images"].as_array().unwrap().len(), 1);

    // Where every node can run it, nothing more is asked, and nothing said.
    let (code, report, requests) = fixture.scan(&[&pinned], "");
    assert_eq!((code, findings(&report)), (0, vec![]));
    assert_eq!(requests.len(), 2, "{requests:?}");
    // Unless an index that was read anyway lists it.
    let bare = format!("@{}", fixture.amd64);
    let (code, report, _) = fixture.scan(&[&bare, "both"], "");
    assert_eq!(
        (code, findings(&report)),
        (0, vec!["pinned-child p0 linux/amd64".to_owned()])
    );
    assert_eq!(report["findings"][0]["severity"], "warning");
    let (_, report, requests) = fixture.scan(&[&bare, "both"], BOTH);
    assert_eq!(findings(&report), ["pinned-child p0 linux/arm64"]);
    assert_eq!(requests.len(), 3, "{requests:?}");
    // An index that does not help is not recommended.
    let tag_of_another = format!("broken@{}", fixture.amd64);
    let (_, report, _) = fixture.scan(&[&tag_of_another], "--platform linux/s390x");
    assert_eq!(findings(&report), ["exec-format-error p0 linux/s390x"]);
}
