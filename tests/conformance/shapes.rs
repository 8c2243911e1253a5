//! Whole images of 21 shapes, as containerd's two pull paths take them.
//!
//! What was executed are the library's stages (fetch, then config). Where the CRI plugin on top of them does more, and
//! was seen to (runtime.md §10), the case's comment below says so and the CRI's answer is expected.

use archcheck::image::{
    ConfigFacts, Content, Digest, ImageFacts, Index, IndexEntry, IndexFormat, ManifestFacts,
    Platform, Shape, media_type,
};
use archcheck::model::{NodeOrigin, Runtime};
use archcheck::runtime::{NodeClass, OutcomeKind, PodContext, decide};
use serde_json::Value;

use crate::{cases, report};

fn platform(text: &str) -> Platform {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default();
    Platform::new(next(), next(), next())
}

fn manifest(config: ConfigFacts) -> ManifestFacts {
    let media_type = media_type::OCI_MANIFEST.to_owned();
    ManifestFacts {
        digest: Digest::sha256_of(b"m"),
        media_type,
        layers: 1,
        config,
    }
}

fn entry(declared: Option<&str>, content: Content) -> IndexEntry {
    let media_type = match content {
        Content::Index(_) => media_type::OCI_INDEX,
        _ => media_type::OCI_MANIFEST,
    };
    IndexEntry {
        digest: Digest::sha256_of(declared.unwrap_or("none").as_bytes()),
        media_type: media_type.to_owned(),
        platform: declared.map(platform),
        attestation: declared == Some("unknown/unknown"),
        artifact_type: None,
        zstd: false,
        content,
    }
}

fn declared(text: &str) -> IndexEntry {
    entry(Some(text), Content::NotRead)
}

fn undeclared(config: &str) -> IndexEntry {
    entry(
        None,
        Content::Manifest(manifest(ConfigFacts::Image(platform(config)))),
    )
}

fn index(entries: Vec<IndexEntry>) -> Shape {
    Shape::Index(Index {
        format: IndexFormat::Oci,
        entries,
    })
}

fn nested(declared: Option<&str>, inner: Vec<IndexEntry>) -> IndexEntry {
    entry(
        declared,
        Content::Index(Index {
            format: IndexFormat::Oci,
            entries: inner,
        }),
    )
}

fn single(config: ConfigFacts) -> Shape {
    Shape::Manifest(manifest(config))
}

/// The image that a case is about; `None` for a shape that is not known.
fn image(shape: &str) -> Option<ImageFacts> {
    let image = |text: &str| ConfigFacts::Image(platform(text));
    let artifact = || ConfigFacts::Artifact("an artifact".to_owned());
    let mut served_as = None;
    let shape = match shape {
        "index arm64+attestation host amd64" => {
            index(vec![declared("linux/arm64"), declared("unknown/unknown")])
        }
        "index amd64/v2 only host amd64" => index(vec![declared("linux/amd64/v2")]),
        "index amd64/v2 + 386 host amd64" => {
            index(vec![declared("linux/amd64/v2"), declared("linux/386")])
        }
        "index arm/v7 only host arm64" | "index arm/v7 only host arm/v8" => {
            index(vec![declared("linux/arm/v7")])
        }
        "index arm/v6+v7 host arm64" => {
            index(vec![declared("linux/arm/v6"), declared("linux/arm/v7")])
        }
        "index two amd64 entries" => index(vec![declared("linux/amd64"), declared("linux/amd64")]),
        "empty index" => index(Vec::new()),
        "index no-platform entry, config amd64" => index(vec![undeclared("linux/amd64")]),
        "index two no-platform: arm64 then amd64" => {
            index(vec![undeclared("linux/arm64"), undeclared("linux/amd64")])
        }
        "index no-platform arm64 first + declared amd64" => {
            index(vec![undeclared("linux/arm64"), declared("linux/amd64")])
        }
        "index no-platform amd64 + declared arm64" => {
            index(vec![undeclared("linux/amd64"), declared("linux/arm64")])
        }
        "index lying: declared amd64, config arm64" => index(vec![declared("linux/amd64")]),
        "single manifest arm64 config host amd64" => single(image("linux/arm64")),
        "single manifest windows config host linux" => single(image("windows/amd64")),
        "nested index (no match) first, then flat amd64" => index(vec![
            nested(None, vec![declared("linux/arm64")]),
            declared("linux/amd64"),
        ]),
        "nested index with declared platform amd64 -> entries amd64" => index(vec![nested(
            Some("linux/amd64"),
            vec![declared("linux/amd64")],
        )]),
        "artifact non-JSON config" => single(artifact()),
        "index: artifact(no platform) first + declared amd64" => index(vec![
            entry(None, Content::Manifest(manifest(artifact()))),
            declared("linux/amd64"),
        ]),
        "schema1 media type" => Shape::Schema1 {
            architecture: Some("amd64".to_owned()),
        },
        "index blob served as manifest type" => {
            served_as = Some(media_type::OCI_MANIFEST.to_owned());
            index(vec![declared("linux/amd64")])
        }
        _ => return None,
    };
    Some(ImageFacts {
        digest: Digest::sha256_of(b"image"),
        media_type: media_type::OCI_INDEX.to_owned(),
        served_as,
        shape,
    })
}

#[test]
fn shapes() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("image_shape_executed.json") {
        let name = case["shape"].as_str().unwrap();
        let Some(facts) = image(name) else {
            failures.push(format!("no such shape: {case}"));
            continue;
        };
        // Local pull is what versions before 2.1 do; the transfer service what 2.1 does by default.
        for (column, runtime) in [
            ("local_pull", "containerd://2.0.11"),
            ("transfer_service", "containerd://2.1.9"),
        ] {
            ran += 1;
            let class = NodeClass {
                platform: platform(case["host"].as_str().unwrap()),
                runtime: Runtime::parse(runtime),
                origin: NodeOrigin::Existing,
                emulation: None,
            };
            let outcome = decide(&facts, PodContext::default(), &class);
            let executed = &case[column];
            let pulled = !matches!(
                outcome.kind,
                OutcomeKind::PullFails | OutcomeKind::CreateFails
            );
            let expected = match name {
                // §10: the CRI then asks for the size of the entry that it never fetched.
                "index no-platform amd64 + declared arm64" => false,
                _ => executed["result"] == "pulled",
            };
            let texts: Vec<&str> = outcome.expect.iter().map(|e| e.text.as_str()).collect();
            let words = executed["error"].as_str().unwrap_or_default();
            let said = match executed["stage"].as_str() {
                // The library's words for schema 1 and for a config that is no JSON never reach the kubelet: the pull
                // refuses schema 1 before (§1.7), and an artifact fails when the container is created (§10).
                Some("RootFS") => true,
                _ if name == "schema1 media type" => true,
                _ => says(&texts, words),
            };
            if pulled != expected || !said {
                failures.push(format!(
                    "{column}: got {:?} {texts:?}: {case}",
                    outcome.kind
                ));
            }
        }
    }
    report(&failures, ran, 42);
}

/// Whether one of the texts holds the words, any digest standing for `<digest>`. Containerd's own prefix may differ.
fn says(texts: &[&str], words: &str) -> bool {
    let parts: Vec<&str> = words.split("<digest>").collect();
    let last = parts.first().copied().unwrap_or_default();
    let start = last.rsplit("invalid desc sha256:").next().unwrap_or(last);
    words.is_empty()
        || texts.iter().any(|text| {
            let tail = parts
                .last()
                .copied()
                .unwrap_or_default()
                .trim_start_matches(": ");
            text.contains(start.trim_start_matches("children: ")) && text.contains(tail)
        })
}

#[test]
fn every_case_is_known() {
    let unknown: Vec<Value> = cases("image_shape_executed.json")
        .into_iter()
        .filter(|c| image(c["shape"].as_str().unwrap()).is_none())
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
