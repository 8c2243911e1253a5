//! What every page has to have, and that no message is missing from one.

use std::collections::HashSet;

use super::*;
use crate::image::{
    ConfigFacts, Content, Digest, ImageFacts, Index, IndexEntry, IndexFormat, ManifestFacts,
    Platform, Shape, media_type,
};
use crate::model::{NodeOrigin, Runtime};
use crate::runtime::{NodeClass, PodContext, decide};

#[test]
fn names_are_unique_and_kebab_case() {
    let names: HashSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for name in names {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(name.chars().all(kebab), "{name}");
        assert_eq!(Rule::named(name).map(Rule::name), Some(name));
    }
    assert_eq!(Rule::named("nonsense"), None);
}

#[test]
fn every_page_says_all_that_a_reader_needs() {
    for page in Rule::ALL.iter().map(|rule| rule.page()) {
        let name = page.name;
        for text in [page.summary, page.advice, page.meaning, page.why] {
            assert!(!text.is_empty() && text == text.trim(), "{name}: {text:?}");
            assert!(!text.contains("  "), "{name} has two blanks: {text:?}");
        }
        for line in [page.summary, page.advice] {
            assert!(
                !line.contains('\n') && !line.ends_with('.'),
                "{name}: {line}"
            );
        }
        for text in page
            .fixes
            .iter()
            .chain(page.examples.iter().map(|e| &e.story))
        {
            assert!(
                text.ends_with('.') && !text.contains("  "),
                "{name}: {text:?}"
            );
        }
        assert!(
            !page.fixes.is_empty() && !page.examples.is_empty(),
            "{name}"
        );
        for example in page.examples {
            let (repository, number) = example.thread.split_once('#').unwrap();
            assert_eq!(
                repository.split('/').count(),
                2,
                "{name}: {}",
                example.thread
            );
            assert!(number.parse::<u32>().is_ok(), "{name}: {}", example.thread);
        }
    }
}

#[test]
fn a_message_covers_what_differs_at_its_gaps() {
    let message = |text| Message {
        by: "",
        seen: crate::runtime::Seen::Event,
        text,
    };
    for (text, seen, covers) in [
        ("no command specified", "no command specified", true),
        ("no command specified", "no command specified at all", false),
        ("in … and …", "in a and b", true),
        ("in … and …", "in a or b", false),
        ("…: not found", "docker.io/library/a:1: not found", true),
        ("parent snapshot…", "parent snapshot", true),
    ] {
        assert_eq!(message(text).covers(seen), covers, "{text}: {seen}");
    }
}

fn platform(text: &str) -> Platform {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default();
    Platform::new(next(), next(), next())
}

fn manifest(config: ConfigFacts) -> ManifestFacts {
    ManifestFacts {
        digest: Digest::sha256_of(b"manifest"),
        media_type: media_type::OCI_MANIFEST.to_owned(),
        layers: 1,
        config,
    }
}

fn entry(declared: Option<&str>, content: Content, media_type: &str) -> IndexEntry {
    IndexEntry {
        digest: Digest::sha256_of(b"entry"),
        media_type: media_type.to_owned(),
        platform: declared.map(platform),
        attestation: false,
        artifact_type: None,
        zstd: false,
        content,
    }
}

/// Images of every shape that some runtime refuses, with the rule that speaks.
fn refused() -> Vec<(Rule, ImageFacts)> {
    let facts = |shape| ImageFacts {
        digest: Digest::sha256_of(b"image"),
        media_type: media_type::OCI_INDEX.to_owned(),
        served_as: None,
        shape,
    };
    let index = |format, entries| facts(Shape::Index(Index { format, entries }));
    let single = |text: &str| {
        facts(Shape::Manifest(manifest(ConfigFacts::Image(platform(
            text,
        )))))
    };
    let declared = |text| entry(Some(text), Content::NotRead, media_type::OCI_MANIFEST);
    let undeclared = |text| {
        let content = Content::Manifest(manifest(ConfigFacts::Image(platform(text))));
        entry(None, content, media_type::OCI_MANIFEST)
    };
    let nested = Content::Index(Index {
        format: IndexFormat::Oci,
        entries: vec![declared("linux/arm64")],
    });
    let chart = || ConfigFacts::Artifact("a chart".to_owned());
    let oci = IndexFormat::Oci;
    vec![
        (Rule::ExecFormatError, single("linux/amd64")),
        (Rule::ExecFormatError, single("windows/amd64")),
        (
            Rule::NoMatchingPlatform,
            index(oci, vec![declared("linux/amd64")]),
        ),
        (
            Rule::NoMatchingPlatform,
            index(IndexFormat::DockerList, vec![declared("linux/amd64")]),
        ),
        (
            Rule::NoMatchingPlatform,
            index(oci, vec![declared("linux/arm/v7")]),
        ),
        (
            Rule::NoMatchingPlatform,
            index(oci, vec![undeclared("linux/amd64")]),
        ),
        (
            Rule::NoMatchingPlatform,
            index(
                oci,
                vec![undeclared("linux/arm64"), declared("linux/amd64")],
            ),
        ),
        (
            Rule::UnsupportedImage,
            facts(Shape::Manifest(manifest(chart()))),
        ),
        (
            Rule::UnsupportedImage,
            facts(Shape::Schema1 {
                architecture: Some("arm64".to_owned()),
            }),
        ),
        (
            Rule::UnsupportedImage,
            index(
                oci,
                vec![entry(Some("linux/arm64"), nested, media_type::OCI_INDEX)],
            ),
        ),
        (
            Rule::UnsupportedImage,
            index(
                oci,
                vec![entry(Some("linux/arm64"), Content::NotRead, "text/html")],
            ),
        ),
        (
            Rule::UnsupportedImage,
            ImageFacts {
                served_as: Some(media_type::OCI_MANIFEST.to_owned()),
                ..index(oci, vec![declared("linux/arm64")])
            },
        ),
    ]
}

#[test]
fn every_message_of_a_runtime_stands_on_the_page_of_its_rule() {
    let mut unused: HashSet<(Rule, &str)> = [
        Rule::ExecFormatError,
        Rule::NoMatchingPlatform,
        Rule::UnsupportedImage,
    ]
    .into_iter()
    .flat_map(|rule| rule.page().messages.iter().map(move |m| (rule, m.text)))
    .collect();
    let runtimes = [
        "containerd://1.6.39",
        "containerd://1.7.24",
        "containerd://2.0.5",
        "containerd://2.1.9",
        "containerd://2.3.4",
        "cri-o://1.29.0",
        "cri-o://1.32.0",
        "cri-o://1.34.0",
        "docker://25.0.0",
        "docker://28.5.0",
        "docker://29.0.0",
    ];
    let mut windows = platform("windows/amd64");
    windows.os_version = "10.0.20348".to_owned();
    let mut older = platform("windows/amd64");
    older.os_version = "10.0.17763".to_owned();
    let mut cases = Vec::new();
    for (rule, image) in refused() {
        cases.push((rule, image, platform("linux/arm64")));
    }
    let mut build = refused().remove(0).1;
    build.shape = Shape::Manifest(manifest(ConfigFacts::Image(older)));
    cases.push((Rule::ExecFormatError, build, windows));
    for (rule, image, node) in cases {
        for runtime in runtimes {
            let class = NodeClass {
                platform: node.clone(),
                runtime: Runtime::parse(runtime),
                origin: NodeOrigin::Existing,
                emulation: None,
            };
            for has_command in [false, true] {
                let pod = PodContext {
                    has_command,
                    runtime_class: None,
                };
                let outcome = decide(&image, pod, &class);
                // What one runtime refuses, another starts or refuses for another reason.
                let mine = match outcome.cause {
                    crate::runtime::Cause::NoMatch => Rule::NoMatchingPlatform,
                    crate::runtime::Cause::Unsupported => Rule::UnsupportedImage,
                    _ => Rule::ExecFormatError,
                };
                if !outcome.kind.is_failure() {
                    continue;
                }
                for expectation in &outcome.expect {
                    let found = mine
                        .page()
                        .messages
                        .iter()
                        .find(|m| m.seen == expectation.seen && m.covers(&expectation.text));
                    let found = found.unwrap_or_else(|| {
                        panic!("{mine} does not say {expectation:?} ({rule}, {runtime}, {image:?})")
                    });
                    unused.remove(&(mine, found.text));
                }
            }
        }
    }
    assert!(unused.is_empty(), "no runtime says: {unused:?}");
}
