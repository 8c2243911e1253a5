//! From outcomes to verdicts: each sentence of DESIGN §1 and the gate of §2 has its line here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::image::{
    ConfigFacts, Content, Digest, ImageAnswer, ImageError, ImageFacts, ImageRef, Index, IndexEntry,
    IndexFormat, ManifestFacts, Platform, Shape,
};
use crate::model::{Node, NodeOrigin, Runtime, Workload};
use crate::placement::{Placer, Scheduler};

fn digest(text: &str) -> Digest {
    Digest::sha256_of(text.as_bytes())
}

fn platform(text: &str) -> Platform {
    let (os, architecture) = text.split_once('/').unwrap();
    Platform::new(os, architecture, "")
}

/// The images that tests name: an index for the platforms after `index:`, a single one after `single:`.
fn answer(name: &str) -> ImageAnswer {
    let shape = |shape| {
        Ok(ImageFacts {
            digest: digest(name),
            media_type: String::new(),
            served_as: None,
            shape,
        })
    };
    let result = match name.split_once('-') {
        Some(("index", platforms)) => {
            let entry = |text: &str| IndexEntry {
                digest: digest(text),
                media_type: String::new(),
                platform: Some(platform(&text.replace('.', "/"))),
                attestation: false,
                artifact_type: None,
                zstd: false,
                content: Content::NotRead,
            };
            let entries = platforms.split('-').map(entry).collect();
            shape(Shape::Index(Index {
                format: IndexFormat::Oci,
                entries,
            }))
        }
        Some(("single", text)) => shape(Shape::Manifest(ManifestFacts {
            digest: digest(text),
            media_type: String::new(),
            layers: 1,
            config: ConfigFacts::Image(platform(&text.replace('.', "/"))),
        })),
        _ => Err(ImageError::TimedOut {
            host: "example.com".to_owned(),
            seconds: 15,
        }),
    };
    ImageAnswer {
        result,
        asked_at: "example.com".to_owned(),
        mirror: false,
        tried: Vec::new(),
        credential: CredentialKind::Anonymous,
    }
}

/// `amd64`, `arm64@containerd://1.7.27`, `windows/amd64`, `potential:arm64`, `hypothetical:arm64`, `tainted:arm64`.
fn node(text: &str, at: usize) -> Node {
    let (prefix, rest) = text
        .split_once(':')
        .filter(|(p, _)| !p.contains('@'))
        .unwrap_or(("", text));
    let (spec, runtime) = rest.split_once('@').unwrap_or((rest, "containerd://2.1.4"));
    let spec = if spec.contains('/') {
        spec.to_owned()
    } else {
        format!("linux/{spec}")
    };
    let platform = platform(&spec);
    let mut labels = BTreeMap::new();
    labels.insert("kubernetes.io/os".to_owned(), platform.os.clone());
    labels.insert(
        "kubernetes.io/arch".to_owned(),
        platform.architecture.clone(),
    );
    Node {
        name: format!("node-{at}"),
        origin: match prefix {
            "potential" => NodeOrigin::Potential("NodePool/pool".to_owned()),
            "hypothetical" => NodeOrigin::Hypothetical,
            _ => NodeOrigin::Existing,
        },
        labels,
        taints: if prefix == "tainted" {
            serde_json::from_value(json!([{"key": "k", "effect": "NoSchedule"}])).unwrap()
        } else {
            Vec::new()
        },
        unschedulable: false,
        platform,
        runtime: Runtime::parse(runtime),
        os_image: String::new(),
        kernel_version: String::new(),
        images: Vec::new(),
    }
}

/// A workload of a kind with these images, one container each; `init:` makes an init container.
fn workload(kind: &str, images: &[&str]) -> Workload {
    let container = |at: usize, image: &str| json!({"name": format!("c{at}"), "image": format!("example.com/{image}:1")});
    let (mut init, mut main, mut debug) = (Vec::new(), Vec::new(), Vec::new());
    for (at, image) in images.iter().enumerate() {
        match image.split_once(':') {
            Some(("init", image)) => init.push(container(at, image)),
            Some(("debug", image)) => debug.push(container(at, image)),
            _ => main.push(container(at, image)),
        }
    }
    let spec = json!({"initContainers": init, "containers": main, "ephemeralContainers": debug});
    let mut template: crate::model::PodTemplate =
        serde_json::from_value(json!({ "spec": spec })).unwrap();
    if kind == "DaemonSet" {
        template.placer = Placer::DaemonSetController;
    }
    Workload {
        rendered: crate::model::Rendered::default(),
        id: ObjectId {
            namespace: "ns".to_owned(),
            kind: kind.to_owned(),
            name: "w".to_owned(),
            api_version: "apps/v1".to_owned(),
        },
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        location: None,
        dormant: false,
        templates: vec![template],
        pods: Vec::new(),
    }
}

fn report(workloads: &[Workload], nodes: &[&str]) -> Report {
    let nodes: Vec<Node> = nodes
        .iter()
        .enumerate()
        .map(|(at, text)| node(text, at))
        .collect();
    let mut scheduler = Scheduler::new(&nodes);
    let placements: Vec<_> = workloads
        .iter()
        .map(|workload| {
            let templates = workload.templates.iter();
            templates
                .map(|template| scheduler.place(template, template.placer))
                .collect()
        })
        .collect();
    let mut answers = Answers::default();
    for workload in workloads {
        let spec = &workload.templates[0].spec;
        let access = spec.pull_access(&workload.id.namespace);
        for (_, container) in spec.all_containers() {
            if let Ok(image) = ImageRef::parse(&container.image) {
                let answer = Arc::new(answer(&image.repository));
                answers.add(image, access.clone(), answer);
            }
        }
    }
    let classes = NodeClasses::of(&nodes, None);
    judge(Evidence {
        workloads,
        placements: &placements,
        nodes: &nodes,
        classes: &classes,
        nodes_known: true,
        answers: &answers,
        tags: &Answers::default(),
        incomplete: Vec::new(),
    })
}

/// Short names for the images that tests use most.
fn long(image: &str) -> String {
    let (prefix, name) = image
        .split_once(':')
        .map_or(("", image), |(prefix, name)| (prefix, name));
    let name = match name {
        "both" => "index-linux.amd64-linux.arm64",
        "amd64" => "index-linux.amd64",
        "wrong" => "single-linux.amd64",
        other => other,
    };
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}:{name}")
    }
}

fn one(kind: &str, images: &[&str], nodes: &[&str]) -> Report {
    let images: Vec<String> = images.iter().map(|image| long(image)).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    report(&[workload(kind, &images)], nodes)
}

#[test]
fn verdicts_follow_from_the_worst_outcome_of_each_node() {
    use Verdict::{AtRisk, Fails, Ok, Unknown, Unplaced};
    for (what, kind, images, nodes, verdict) in [
        (
            "all is well",
            "Deployment",
            vec!["both"],
            vec!["amd64", "arm64"],
            Ok,
        ),
        (
            "a failure on every node",
            "Deployment",
            vec!["amd64"],
            vec!["arm64", "arm64"],
            Fails,
        ),
        (
            "a failure on some node",
            "Deployment",
            vec!["amd64"],
            vec!["amd64", "arm64"],
            AtRisk,
        ),
        (
            "a DaemonSet must run on each",
            "DaemonSet",
            vec!["amd64"],
            vec!["amd64", "arm64"],
            Fails,
        ),
        (
            "and on each hypothetical one",
            "DaemonSet",
            vec!["amd64"],
            vec!["amd64", "hypothetical:arm64"],
            Fails,
        ),
        (
            "but potential ones may never come",
            "DaemonSet",
            vec!["amd64"],
            vec!["amd64", "potential:arm64"],
            AtRisk,
        ),
        (
            "failures on potential nodes alone",
            "Deployment",
            vec!["amd64"],
            vec!["potential:arm64"],
            AtRisk,
        ),
        (
            "one container is enough",
            "Deployment",
            vec!["both", "amd64"],
            vec!["arm64"],
            Fails,
        ),
        (
            "an init container as well",
            "Deployment",
            vec!["both", "init:amd64"],
            vec!["arm64"],
            Fails,
        ),
        (
            "a debugging container is not",
            "Deployment",
            vec!["both", "debug:amd64"],
            vec!["arm64"],
            Ok,
        ),
        (
            "unknown on some",
            "Deployment",
            vec!["unread"],
            vec!["arm64"],
            Unknown,
        ),
        (
            "unknown never hides a failure",
            "Deployment",
            vec!["unread", "amd64"],
            vec!["arm64"],
            Fails,
        ),
        (
            "failing on one node, unknown on the other",
            "Deployment",
            vec!["unread", "amd64"],
            vec!["amd64", "arm64"],
            AtRisk,
        ),
        (
            "unknown goes before depends on a node",
            "Deployment",
            vec!["unread", "single-windows.amd64"],
            vec!["amd64"],
            Unknown,
        ),
        (
            "depends on some",
            "Deployment",
            vec!["single-windows.amd64"],
            vec!["amd64"],
            AtRisk,
        ),
        (
            "a fallback is ok",
            "Deployment",
            vec!["index-linux.386"],
            vec!["amd64@containerd://1.7.27"],
            Ok,
        ),
        (
            "no node admits it",
            "Deployment",
            vec!["both"],
            vec!["tainted:amd64"],
            Unplaced,
        ),
        (
            "no node at all",
            "Deployment",
            vec!["both"],
            vec![],
            Unplaced,
        ),
    ] {
        let report = one(kind, &images, &nodes);
        assert_eq!(
            report.workloads[0].verdict, verdict,
            "{what}: {:#?}",
            report.workloads[0]
        );
    }
}

#[test]
fn rules_speak_for_causes() {
    for (images, nodes, expected) in [
        (
            vec!["wrong"],
            vec!["arm64"],
            vec!["exec-format-error error fails likely"],
        ),
        (
            vec!["amd64"],
            vec!["arm64"],
            vec!["no-matching-platform error fails certain"],
        ),
        (
            vec!["amd64"],
            vec!["potential:arm64"],
            vec!["no-matching-platform error at-risk likely"],
        ),
        (
            vec!["unread"],
            vec!["arm64"],
            vec!["image-unreadable unknown unknown depends"],
        ),
        (
            vec!["single-windows.amd64"],
            vec!["amd64"],
            vec!["runtime-dependent warning at-risk depends"],
        ),
        (
            vec!["index-linux.386"],
            vec!["amd64@containerd://1.7.27"],
            vec!["fallback-platform warning ok likely"],
        ),
        (
            vec!["BAD"],
            vec!["amd64"],
            vec!["invalid-reference error fails certain"],
        ),
        (
            vec!["amd64"],
            vec!["amd64", "windows/amd64"],
            vec!["os-not-pinned warning at-risk certain"],
        ),
        (
            vec!["amd64"],
            vec!["windows/amd64"],
            vec!["no-matching-platform error fails certain"],
        ),
        (vec!["both"], vec!["amd64", "arm64"], vec![]),
    ] {
        let report = one("Deployment", &images, &nodes);
        let got: Vec<String> = report
            .findings
            .iter()
            .map(|f| {
                format!(
                    "{} {} {} {}",
                    f.rule,
                    f.severity.as_str(),
                    f.verdict.as_str(),
                    f.certainty.as_str()
                )
            })
            .collect();
        assert_eq!(got, expected, "{images:?} on {nodes:?}");
    }
}

#[test]
fn a_finding_counts_its_nodes_and_names_a_few() {
    let nodes: Vec<&str> = std::iter::repeat_n("arm64", 5).chain(["amd64"]).collect();
    let report = one("Deployment", &["amd64"], &nodes);
    let finding = &report.findings[0];
    assert_eq!((finding.nodes, finding.of_nodes), (5, 6));
    assert_eq!(finding.node_examples, ["node-0", "node-1", "node-2"]);
    assert_eq!(finding.platforms, ["linux/arm64"]);
    // Two versions of a runtime are two classes, and one finding with the words of both.
    let report = one(
        "Deployment",
        &["wrong"],
        &["arm64@containerd://1.7.27", "arm64@containerd://2.1.4"],
    );
    assert_eq!((report.findings.len(), report.findings[0].nodes), (1, 2));
    let codes: Vec<_> = report.findings[0]
        .expect
        .iter()
        .filter_map(|e| e.exit_code)
        .collect();
    assert_eq!(codes, [1, 255]);
}

#[test]
fn the_gate_counts_findings_and_what_could_have_changed_a_verdict() {
    use GateOutcome::{Findings, Pass, Unchecked};
    let gate = |fail_on, allow_unknown, count_dormant| Gate {
        fail_on,
        allow_unknown,
        count_dormant,
    };
    let (some, every) = (FailOn::AtRisk, FailOn::Fails);
    let at_risk = || one("Deployment", &["amd64"], &["amd64", "arm64"]);
    let unknown = || one("Deployment", &["unread"], &["arm64"]);
    let failing = || one("Deployment", &["unread", "amd64"], &["arm64"]);
    let half_seen = || one("Deployment", &["unread", "amd64"], &["amd64", "arm64"]);
    let dormant = |mut report: Report| {
        report.workloads[0].dormant = true;
        report
            .findings
            .iter_mut()
            .for_each(|finding| finding.dormant = true);
        report
    };
    let incomplete = |matters| {
        let mut report = one("Deployment", &["both"], &["amd64"]);
        let text = || "x".to_owned();
        report.incomplete.push(Incomplete {
            what: text(),
            why: text(),
            hint: text(),
            matters,
        });
        report
    };
    for (what, report, gate, expected) in [
        ("at risk", at_risk(), gate(some, false, false), Findings),
        (
            "at risk is not failing",
            at_risk(),
            gate(every, false, false),
            Pass,
        ),
        ("never", at_risk(), gate(FailOn::Never, false, false), Pass),
        ("unknown", unknown(), gate(some, false, false), Unchecked),
        (
            "unknown, whatever --fail-on says",
            unknown(),
            gate(FailOn::Never, false, false),
            Unchecked,
        ),
        ("unknown allowed", unknown(), gate(some, true, false), Pass),
        (
            "a failure goes first",
            failing(),
            gate(some, false, false),
            Findings,
        ),
        (
            "what fails anyway can't get worse",
            failing(),
            gate(FailOn::Never, false, false),
            Pass,
        ),
        (
            "what is at risk can",
            half_seen(),
            gate(every, false, false),
            Unchecked,
        ),
        (
            "dormant ones are not counted",
            dormant(failing()),
            gate(some, false, false),
            Pass,
        ),
        (
            "but in manifests they are",
            dormant(failing()),
            gate(some, false, true),
            Findings,
        ),
        (
            "something was not seen",
            incomplete(true),
            gate(some, false, false),
            Unchecked,
        ),
        (
            "that could change nothing",
            incomplete(false),
            gate(some, false, false),
            Pass,
        ),
    ] {
        assert_eq!(gate.outcome(&report), expected, "{what}");
    }
}

#[test]
fn an_index_that_could_not_be_verified_is_not_called_fine() {
    let mut answers = Answers::default();
    let mut answer = answer("index-linux.amd64-linux.arm64");
    let Ok(facts) = &mut answer.result else {
        panic!()
    };
    let Shape::Index(index) = &mut facts.shape else {
        panic!()
    };
    index.entries[1].content = Content::Unreadable("example.com gave no answer".to_owned());
    let image = ImageRef::parse("example.com/a:1").unwrap();
    answers.add(image, crate::model::PullAccess::Nobody, Arc::new(answer));
    let [entry] = unverified::unverified(&answers).try_into().unwrap();
    assert_eq!(entry.what, "what the index lists of example.com/a:1");
    assert_eq!(entry.why, "example.com gave no answer");
    assert!(entry.matters);
}
