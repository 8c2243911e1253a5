//! The decision table, row by row: every row of runtime.md §0 as corrected by §10 has its line here, which cites it.

use super::*;
use crate::image::{
    ConfigFacts, Content, Digest, ImageFacts, Index, IndexEntry, IndexFormat, ManifestFacts,
    Platform, Shape, media_type,
};
use crate::model::{NodeOrigin, Runtime};

/// containerd with local pull, containerd with the transfer service, CRI-O, Docker: the table's columns.
const COLUMNS: [&str; 4] = [
    "containerd://1.7.24",
    "containerd://2.1.9",
    "cri-o://1.34.0",
    "docker://28.5.0",
];

fn platform(text: &str) -> Platform {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default();
    Platform::new(next(), next(), next())
}

fn digest(text: &str) -> Digest {
    Digest::sha256_of(text.as_bytes())
}

fn config(text: &str) -> ConfigFacts {
    match text.strip_prefix("artifact:") {
        Some(kind) => ConfigFacts::Artifact(kind.to_owned()),
        None => ConfigFacts::Image(platform(text)),
    }
}

fn manifest(text: &str) -> ManifestFacts {
    ManifestFacts {
        digest: digest(text),
        media_type: media_type::OCI_MANIFEST.to_owned(),
        layers: 1,
        config: config(text),
    }
}

fn facts(shape: Shape) -> ImageFacts {
    ImageFacts {
        digest: digest("image"),
        media_type: media_type::OCI_INDEX.to_owned(),
        served_as: None,
        shape,
    }
}

/// `linux/amd64` declares it; `?linux/amd64` declares nothing, and its config says so; `[linux/amd64]` is a nested index
/// that declares it.
fn entry(text: &str) -> IndexEntry {
    let mut entry = IndexEntry {
        digest: digest(text),
        media_type: media_type::OCI_MANIFEST.to_owned(),
        platform: None,
        attestation: text == "unknown/unknown",
        artifact_type: None,
        zstd: false,
        content: Content::NotRead,
    };
    if let Some(inner) = text.strip_prefix('?') {
        entry.content = Content::Manifest(manifest(inner));
    } else if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        entry.media_type = media_type::OCI_INDEX.to_owned();
        entry.platform = Some(platform(inner));
        entry.content = Content::Index(Index {
            format: IndexFormat::Oci,
            entries: vec![self::entry(inner)],
        });
    } else {
        entry.platform = Some(platform(text));
    }
    entry
}

fn index(entries: &[&str]) -> ImageFacts {
    list(IndexFormat::Oci, entries)
}

fn list(format: IndexFormat, entries: &[&str]) -> ImageFacts {
    facts(Shape::Index(Index {
        format,
        entries: entries.iter().map(|text| entry(text)).collect(),
    }))
}

fn single(text: &str) -> ImageFacts {
    facts(Shape::Manifest(manifest(text)))
}

fn schema1(architecture: &str) -> ImageFacts {
    facts(Shape::Schema1 {
        architecture: Some(architecture.to_owned()),
    })
}

fn class(node: &str, runtime: &str) -> NodeClass {
    NodeClass {
        platform: platform(node),
        runtime: Runtime::parse(runtime),
        origin: NodeOrigin::Existing,
        emulation: None,
    }
}

fn on(image: &ImageFacts, node: &str, runtime: &str) -> Outcome {
    decide(image, PodContext::default(), &class(node, runtime))
}

/// Checks `expected`, a letter a column: r(uns) f(allback) p(ull) e(xec) c(reate) d(epends) u(nknown).
fn check(row: &str, image: &ImageFacts, node: &str, expected: &str) {
    let got: String = COLUMNS
        .iter()
        .map(|runtime| match on(image, node, runtime).kind {
            OutcomeKind::Runs => 'r',
            OutcomeKind::Fallback => 'f',
            OutcomeKind::PullFails => 'p',
            OutcomeKind::ExecFails => 'e',
            OutcomeKind::CreateFails => 'c',
            OutcomeKind::Depends => 'd',
            OutcomeKind::Unknown => 'u',
        })
        .collect();
    assert_eq!(got, expected, "row {row} on {node}");
}

#[test]
fn every_row_of_the_decision_table() {
    let all = |row, image: ImageFacts, node, expected| check(row, &image, node, expected);
    let (amd, arm64, arm7, arm6) = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6");
    all("1", index(&["linux/amd64", "linux/arm64"]), amd, "rrrr");
    all(
        "1",
        index(&["linux/amd64", "linux/arm64/v8"]),
        arm64,
        "rrrr",
    );
    all("1 (s390x)", index(&["linux/s390x"]), "linux/s390x", "rrrr");
    all("2", index(&["linux/amd64"]), arm64, "pppp");
    all(
        "2 (attestation left)",
        index(&["linux/arm64", "unknown/unknown"]),
        amd,
        "pppp",
    );
    all("2 (empty index)", index(&[]), amd, "pppp");
    all("3", index(&["linux/386"]), amd, "fppf");
    all(
        "3 (386 beside another)",
        index(&["linux/386", "linux/arm64"]),
        amd,
        "fppf",
    );
    all("4", index(&["linux/arm/v7"]), arm64, "fppf");
    all("4 (v5)", index(&["linux/arm/v5"]), arm64, "fppf");
    all("5", index(&["linux/arm/v6"]), arm7, "rprr");
    all("6", index(&["linux/arm"]), arm6, "pprp");
    all(
        "7",
        index(&["linux/amd64/v2", "linux/amd64/v3"]),
        amd,
        "pppd",
    );
    all(
        "7 (amd64 beside amd64/v3, §10)",
        index(&["linux/amd64", "linux/amd64/v3"]),
        amd,
        "rrrr",
    );
    all("8", index(&["linux/amd64/v1"]), amd, "rrpr");
    all("9", index(&["linux/arm64/v9"]), arm64, "pppp");
    all("9", index(&["linux/arm64/v8.2"]), arm64, "pppp");
    all("10", index(&["linux/x86_64"]), amd, "rrpr");
    all("10", index(&["linux/aarch64"]), arm64, "rrpr");
    all("10 (missing os, §10)", index(&["/amd64"]), amd, "rrpr");
    all("11", index(&["?linux/amd64"]), amd, "rrrr");
    all(
        "11 (the first decides, §10)",
        index(&["?linux/amd64", "?linux/arm64"]),
        amd,
        "rrrr",
    );
    all(
        "11 (docker list)",
        list(IndexFormat::DockerList, &["?linux/amd64"]),
        amd,
        "rrpr",
    );
    all("12", index(&["?linux/arm64", "?linux/amd64"]), amd, "ppee");
    all(
        "12 (beside a declared one, §10)",
        index(&["?linux/amd64", "linux/arm64"]),
        amd,
        "pprr",
    );
    all("13", single("linux/amd64"), arm64, "eeee");
    all("13 (right one)", single("linux/arm64/v8"), arm64, "rrrr");
    all("13 (386 on amd64)", single("linux/386"), amd, "ffff");
    all("13 (arm on arm64)", single("linux/arm/v7"), arm64, "ffff");
    all("14", single("windows/amd64"), amd, "dddp");
    all("16", index(&["linux/arm64"]), amd, "pppp");
    all("17", index(&["[linux/amd64]"]), amd, "rrpr");
    all(
        "18: as 13, whatever index the child belongs to",
        single("linux/arm64"),
        amd,
        "eeee",
    );
    all("19", single("artifact:a Helm chart"), amd, "cccp");
    all("20", schema1("amd64"), amd, "rprp");
}

#[test]
fn rows_that_differ_by_version() {
    for (row, image, node, runtime, expected) in [
        (
            "14",
            single("windows/amd64"),
            "linux/amd64",
            "containerd://2.3.4",
            OutcomeKind::CreateFails,
        ),
        (
            "14 (another architecture too)",
            single("windows/amd64"),
            "linux/arm64",
            "containerd://2.1.9",
            OutcomeKind::ExecFails,
        ),
        (
            "12 (Docker 20, §10)",
            index(&["?linux/amd64"]),
            "linux/amd64",
            "docker://20.10.24",
            OutcomeKind::PullFails,
        ),
        (
            "3 (Docker 20, §10)",
            index(&["linux/386"]),
            "linux/amd64",
            "docker://20.10.24",
            OutcomeKind::PullFails,
        ),
        (
            "7 (Docker 20)",
            index(&["linux/amd64/v2"]),
            "linux/amd64",
            "docker://20.10.24",
            OutcomeKind::PullFails,
        ),
        (
            "19",
            single("artifact:x"),
            "linux/amd64",
            "containerd://1.6.20",
            OutcomeKind::PullFails,
        ),
        (
            "19",
            single("artifact:x"),
            "linux/amd64",
            "cri-o://1.32.0",
            OutcomeKind::PullFails,
        ),
        (
            "20",
            schema1("amd64"),
            "linux/amd64",
            "containerd://2.0.1",
            OutcomeKind::PullFails,
        ),
        (
            "20",
            schema1("amd64"),
            "linux/arm64",
            "containerd://1.7.24",
            OutcomeKind::ExecFails,
        ),
        (
            "20",
            schema1("amd64"),
            "linux/amd64",
            "docker://25.0.0",
            OutcomeKind::Runs,
        ),
        (
            "20",
            schema1("amd64"),
            "linux/amd64",
            "docker://29.1.0",
            OutcomeKind::PullFails,
        ),
        (
            "1.2 arm64 containerd 1.7 knows v8 alone",
            index(&["linux/arm64/v8"]),
            "linux/arm64",
            "containerd://1.6.20",
            OutcomeKind::Runs,
        ),
    ] {
        assert_eq!(
            on(&image, node, runtime).kind,
            expected,
            "row {row}: {runtime}"
        );
    }
}

#[test]
fn the_words_are_those_of_the_runtime() {
    let image = digest("image");
    let arm = digest("linux/arm/v7");
    for (row, facts, node, runtime, seen, text, exit) in [
        (
            "2",
            index(&["linux/amd64"]),
            "linux/arm64",
            "containerd://1.7.24",
            Seen::Event,
            "no match for platform in manifest: not found".to_owned(),
            None,
        ),
        (
            "2",
            index(&["linux/amd64"]),
            "linux/arm64",
            "containerd://2.1.9",
            Seen::Event,
            format!("no match for platform in manifest {image}: not found"),
            None,
        ),
        (
            "2",
            index(&["linux/amd64"]),
            "linux/arm64",
            "cri-o://1.34.0",
            Seen::Event,
            r#"no image found in image index for architecture "arm64", variant "v8", OS "linux""#
                .to_owned(),
            None,
        ),
        (
            "2 (list)",
            list(IndexFormat::DockerList, &["linux/arm64"]),
            "linux/amd64",
            "cri-o://1.34.0",
            Seen::Event,
            r#"no image found in manifest list for architecture "amd64", variant "", OS "linux""#
                .to_owned(),
            None,
        ),
        (
            "2 (before 1.30)",
            list(IndexFormat::DockerList, &["linux/arm64"]),
            "linux/amd64",
            "cri-o://1.29.1",
            Seen::Event,
            r#"no image found in manifest list for architecture amd64, variant "", OS linux"#
                .to_owned(),
            None,
        ),
        (
            "2",
            index(&["linux/amd64"]),
            "linux/arm64",
            "docker://28.5.0",
            Seen::Event,
            "no matching manifest for linux/arm64/v8 in the manifest list entries".to_owned(),
            None,
        ),
        (
            "4",
            index(&["linux/arm/v7"]),
            "linux/arm64",
            "containerd://2.1.9",
            Seen::Event,
            format!("get image config descriptor: content digest {arm}: not found"),
            None,
        ),
        (
            "13",
            single("linux/amd64"),
            "linux/arm64",
            "containerd://1.7.24",
            Seen::Log,
            "exec format error".to_owned(),
            Some(1),
        ),
        (
            "13",
            single("linux/amd64"),
            "linux/arm64",
            "containerd://2.1.9",
            Seen::Log,
            "exec format error".to_owned(),
            Some(255),
        ),
        (
            "13",
            single("linux/amd64"),
            "linux/arm64",
            "cri-o://1.34.0",
            Seen::Log,
            "Exec format error".to_owned(),
            Some(1),
        ),
        (
            "13",
            single("linux/amd64"),
            "linux/arm64",
            "containerd://2.1.9",
            Seen::Status,
            "CrashLoopBackOff".to_owned(),
            None,
        ),
        (
            "14",
            single("windows/amd64"),
            "linux/amd64",
            "containerd://2.3.4",
            Seen::Event,
            "failed to create containerd container: parent snapshot".to_owned(),
            None,
        ),
        (
            "17",
            index(&["[linux/amd64]"]),
            "linux/amd64",
            "cri-o://1.34.0",
            Seen::Event,
            "Unexpectedly received a manifest list instead of a manifest for a single image"
                .to_owned(),
            None,
        ),
        (
            "19",
            single("artifact:x"),
            "linux/amd64",
            "containerd://1.6.20",
            Seen::Event,
            "mismatched image rootfs and manifest layers".to_owned(),
            None,
        ),
        (
            "19",
            single("artifact:x"),
            "linux/amd64",
            "containerd://2.1.9",
            Seen::Event,
            "no command specified".to_owned(),
            None,
        ),
        (
            "19",
            single("artifact:x"),
            "linux/amd64",
            "docker://28.5.0",
            Seen::Event,
            "unsupported media type".to_owned(),
            None,
        ),
        (
            "20",
            schema1("amd64"),
            "linux/amd64",
            "containerd://2.1.9",
            Seen::Event,
            "schema 1 image manifests are no longer supported: invalid argument".to_owned(),
            None,
        ),
    ] {
        let outcome = on(&facts, node, runtime);
        let expected = Expectation {
            seen,
            text,
            exit_code: exit,
        };
        assert!(
            outcome.expect.contains(&expected),
            "row {row}, {runtime}: {:?}",
            outcome.expect
        );
    }
}

#[test]
fn certainty_says_what_an_outcome_rests_on() {
    for (what, image, node, certainty) in [
        (
            "an index without an entry (row 2)",
            index(&["linux/amd64"]),
            "linux/arm64",
            Certainty::Certain,
        ),
        (
            "a default that can be switched off (rows 3 to 5)",
            index(&["linux/386"]),
            "linux/amd64",
            Certainty::Likely,
        ),
        (
            "a label (row 13)",
            single("linux/amd64"),
            "linux/arm64",
            Certainty::Likely,
        ),
    ] {
        assert_eq!(
            on(&image, node, "containerd://2.1.9").certainty,
            certainty,
            "{what}"
        );
    }
}

#[test]
fn windows_builds_must_fit() {
    let windows = |version: &str| Platform {
        os_version: version.to_owned(),
        ..Platform::new("windows", "amd64", "")
    };
    let node = |version: &str, runtime: &str| NodeClass {
        platform: windows(version),
        ..class("windows/amd64", runtime)
    };
    let image = |version: &str| {
        let mut manifest = manifest("windows/amd64");
        manifest.config = ConfigFacts::Image(windows(version));
        facts(Shape::Manifest(manifest))
    };
    for (host, built, runtime, kind) in [
        (
            "10.0.17763",
            "10.0.17763.5458",
            "containerd://2.1.9",
            OutcomeKind::Runs,
        ),
        (
            "10.0.20348",
            "10.0.17763.5458",
            "containerd://2.1.9",
            OutcomeKind::CreateFails,
        ),
        (
            "10.0.26100",
            "10.0.20348.2322",
            "containerd://2.1.9",
            OutcomeKind::Runs,
        ),
        (
            "10.0.20348",
            "10.0.20348.2322",
            "docker://28.5.0",
            OutcomeKind::Runs,
        ),
        (
            "10.0.17763",
            "10.0.20348.2322",
            "docker://28.5.0",
            OutcomeKind::PullFails,
        ),
    ] {
        let outcome = decide(&image(built), PodContext::default(), &node(host, runtime));
        assert_eq!(outcome.kind, kind, "{built} on {host}, {runtime}");
    }
}

#[test]
fn what_cant_be_seen_is_said_and_not_guessed() {
    let foreign = single("linux/amd64");
    let node = class("linux/arm64", "containerd://2.1.9");
    let handler = PodContext {
        runtime_class: Some("wasm"),
        ..PodContext::default()
    };
    let outcome = decide(&foreign, handler, &node);
    assert_eq!(outcome.kind, OutcomeKind::Depends);
    assert!(outcome.reason.contains("RuntimeClass wasm"));

    let emulated = NodeClass {
        emulation: Some("osImage Docker Desktop".to_owned()),
        ..node.clone()
    };
    assert_eq!(
        decide(&foreign, PodContext::default(), &emulated).kind,
        OutcomeKind::Depends
    );
    let missing = index(&["linux/amd64"]);
    let outcome = decide(&missing, PodContext::default(), &emulated);
    assert_eq!(
        outcome.kind,
        OutcomeKind::PullFails,
        "selection does not look at emulation (§5.6)"
    );

    assert_eq!(
        on(&index(&["linux/386"]), "linux/amd64", "kwok").kind,
        OutcomeKind::Depends
    );
    assert_eq!(
        on(&index(&["linux/386"]), "linux/amd64", "containerd").kind,
        OutcomeKind::Depends
    );
    assert_eq!(
        on(&missing, "linux/arm64", "").kind,
        OutcomeKind::PullFails,
        "all runtimes agree"
    );
    assert_eq!(
        on(&index(&["linux/arm64"]), "linux/arm64", "").kind,
        OutcomeKind::Runs
    );

    let nameless = single("/");
    assert_eq!(
        on(&nameless, "linux/arm64", "containerd://2.1.9").kind,
        OutcomeKind::Depends
    );
    let unread = ManifestFacts {
        config: ConfigFacts::Unreadable("404".to_owned()),
        ..manifest("linux/amd64")
    };
    assert_eq!(
        on(
            &facts(Shape::Manifest(unread)),
            "linux/arm64",
            "docker://28.5.0"
        )
        .kind,
        OutcomeKind::Unknown
    );
}

#[test]
fn a_node_that_does_not_say_what_it_is_decides_nothing() {
    for node in ["", "linux", "/amd64"] {
        for runtime in COLUMNS {
            let outcome = on(&single("linux/amd64"), node, runtime);
            assert_eq!(outcome.kind, OutcomeKind::Unknown, "{node} {runtime}");
            assert!(
                outcome.reason.contains("nor by label"),
                "{}",
                outcome.reason
            );
        }
    }
}
