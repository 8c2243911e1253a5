//! `-o sarif` against the OASIS schema, and what code scanning needs beyond it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::archcheck::{Archcheck, Outcome, repository};
use crate::support::fake_apiserver::FakeApiServer;
use crate::support::objects::{node, workload};
use crate::support::scenario;

/// The run of a report, after the schema has accepted all of it.
fn run_of(outcome: &Outcome) -> Value {
    let log: Value = serde_json::from_str(&outcome.stdout).unwrap();
    // The schema as OASIS publishes it, out of the crate serde-sarif.
    let schema = repository("tests/integration/data/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    log["runs"][0].clone()
}

fn results(run: &Value) -> &Vec<Value> {
    run["results"].as_array().unwrap()
}

fn fingerprints(run: &Value) -> BTreeSet<String> {
    let all = results(run).iter();
    all.map(|result| {
        result["partialFingerprints"]["archcheckFinding/v1"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

#[test]
fn every_kind_of_result_fits_the_schema() {
    let outcome = scenario::everything("-o sarif");
    let run = run_of(&outcome);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results(&run) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["helpUri"].as_str().unwrap().ends_with(".md"), "{rule}");
        // §3.27.10: what is no `fail` has no level.
        assert_eq!(
            result["kind"] != "fail",
            result["level"] == "none",
            "{result}"
        );
    }
    let summary: Vec<String> = results(&run)
        .iter()
        .map(|result| {
            let at = &result["locations"][0];
            format!(
                "{} {} {} {} {}",
                result["ruleId"].as_str().unwrap(),
                result["kind"].as_str().unwrap(),
                result["level"].as_str().unwrap(),
                at["logicalLocations"][0]["fullyQualifiedName"]
                    .as_str()
                    .unwrap(),
                at["physicalLocation"]["region"]["startLine"],
            )
        })
        .collect();
    insta::assert_debug_snapshot!(summary);
    // The broken document is a notification, and the run is not whole.
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["exitCode"], outcome.code);
    let notices = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert!(
        notices[0]["message"]["text"]
            .as_str()
            .unwrap()
            .contains("cluster.yaml"),
        "{notices:?}"
    );
}

#[test]
fn the_exit_code_is_told_and_what_it_means() {
    for (flags, code, is_whole) in [
        ("--platform linux/amd64", 2, false),
        ("--platform linux/arm64", 1, true),
        ("--platform linux/amd64 --allow-unknown", 0, true),
    ] {
        let (archcheck, _dir) = scenario::scan(
            "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: 'example.com/amd64:1'}, {name: b, image: 'example.com/unread:1'}]}}",
            flags,
        );
        let outcome = archcheck.line("-o sarif").run();
        let invocation = &run_of(&outcome)["invocations"][0];
        assert_eq!(outcome.code, code, "{flags}");
        assert_eq!(invocation["exitCode"], code, "{flags}");
        assert_eq!(invocation["executionSuccessful"], is_whole, "{flags}");
    }
}

#[test]
fn fingerprints_stay_when_lines_move_and_tags_change() {
    let run = |manifests: &str| {
        let (archcheck, _dir) = scenario::scan(manifests, "-o sarif");
        run_of(&archcheck.run())
    };
    let before = scenario::manifests();
    let first = run(before);
    assert_eq!(
        fingerprints(&first).len(),
        results(&first).len(),
        "all differ"
    );
    let moved = format!("# a comment\n\n{before}");
    assert_eq!(fingerprints(&run(&moved)), fingerprints(&first));
    let retagged = before.replace("example.com/amd64:1", "example.com/amd64:2");
    assert_ne!(retagged, before);
    assert_eq!(fingerprints(&run(&retagged)), fingerprints(&first));
    let renamed = before.replace("name: web, namespace: shop", "name: www, namespace: shop");
    let (old, new) = (fingerprints(&first), fingerprints(&run(&renamed)));
    assert_eq!(
        old.difference(&new).count(),
        1,
        "one workload is another one now"
    );
    // Two objects of one name in one file are two results.
    let twice =
        format!("{before}\n---\n").replace("metadata: {name: half\n", "metadata: {name: half}\n");
    let item = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: ops}, spec: {template: {spec: {containers: [{name: agent, image: 'example.com/single:1'}]}}}}";
    let twice = run(&format!("{twice}{item}\n"));
    assert_eq!(
        fingerprints(&twice).len(),
        results(&twice).len(),
        "all differ"
    );
    assert!(fingerprints(&twice).is_superset(&fingerprints(&first)));
}

#[test]
fn what_is_in_a_cluster_has_no_file() {
    let server = FakeApiServer::start();
    server.add(node("node-a", "arm64", "containerd://2.1.4"));
    server.add(workload("Deployment", "shop", "web", "example.com/none:1"));
    let outcome = Archcheck::new()
        .env("KUBECONFIG", server.kubeconfig())
        .line("--allow-registry nowhere.example -o sarif")
        .run();
    let run = run_of(&outcome);
    let location = &results(&run)[0]["locations"][0];
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "shop/Deployment/web/web"
    );
    assert!(location.get("physicalLocation").is_none(), "{location}");
}

#[test]
fn what_is_known_is_suppressed_with_its_reason() {
    for (by_annotation, expected) in [
        (
            true,
            json!([{"kind": "inSource", "status": "accepted", "justification": "only \"amd64\" <for> now (annotation)"}]),
        ),
        (
            false,
            json!([{"kind": "external", "status": "accepted", "justification": "amd64 for now (.archcheck.yaml:2, until 2999-12-31)"}]),
        ),
    ] {
        let run = run_of(&scenario::known(by_annotation, "-o sarif"));
        assert_eq!(results(&run)[0]["suppressions"], expected);
    }
    let run = run_of(&scenario::everything("-o sarif"));
    assert!(
        results(&run)
            .iter()
            .all(|result| result.get("suppressions").is_none())
    );
}

#[test]
fn hostile_names_stay_text() {
    let outcome = scenario::hostile("-o sarif");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let run = run_of(&outcome);
    assert_eq!(results(&run).len(), 2);
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stdout.contains('\u{202e}'));
}
