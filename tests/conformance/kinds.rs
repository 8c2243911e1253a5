//! Custom kinds: the images that objects run, by the table and by the walk (`data/custom_kinds.yaml`).

use std::collections::BTreeSet;

use archcheck::input::custom::CustomKinds;
use archcheck::input::{Object, Reader, Role};
use archcheck::model::{Container, Placer, PodSpec, PodTemplate};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    source: Option<String>,
    derived: Option<String>,
    object: Value,
    #[serde(default)]
    images: Vec<String>,
    places: Option<Vec<String>>,
    #[serde(default)]
    dormant: bool,
    #[serde(default)]
    finished: bool,
    #[serde(default)]
    per_node: bool,
    placed_by: Option<String>,
    #[serde(default)]
    none: bool,
}

fn cases() -> Vec<Case> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conformance/data/custom_kinds.yaml"
    );
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn container(container: &Container) -> String {
    let mark = match container {
        Container {
            unresolved: Some(_),
            ..
        } => " (unresolved)",
        Container { data: true, .. } => " (data)",
        _ => "",
    };
    format!("{} {}{mark}", container.name, container.image)
}

fn place(spec: &PodSpec) -> String {
    let selector = spec.node_selector.iter().map(|(k, v)| format!("{k}={v}"));
    let tolerations = spec.tolerations.iter().map(|t| t.key.clone());
    let affinity = spec.required_node_affinity().map(|_| "affinity".to_owned());
    let parts: Vec<String> = selector.chain(tolerations).chain(affinity).collect();
    parts.join(" ")
}

fn check(case: &Case, read: Option<&Object>) -> Result<(), String> {
    let Some(object) = read else {
        return case
            .none
            .then_some(())
            .ok_or_else(|| "nothing was found".to_owned());
    };
    let Role::Controller(controller) = &object.role else {
        return Err(format!("{:?}", object.role));
    };
    let templates: Vec<&PodTemplate> = controller.templates.iter().map(|t| &t.pod).collect();
    let images: Vec<String> = templates
        .iter()
        .flat_map(|t| t.spec.all_containers())
        .map(|(_, c)| container(c))
        .collect();
    let places: Vec<String> = templates.iter().map(|t| place(&t.spec)).collect();
    let per_node = templates
        .iter()
        .any(|t| t.placer == Placer::DaemonSetController);
    let placed_by = templates.iter().find_map(|t| t.placed_by.clone());
    let got = (
        &images,
        case.places.as_ref().map(|_| &places),
        controller.dormant,
        controller.over,
        per_node,
        &placed_by,
    );
    let expected = (
        &case.images,
        case.places.as_ref(),
        case.dormant,
        case.finished,
        case.per_node,
        &case.placed_by,
    );
    if got == expected && !case.none {
        Ok(())
    } else {
        Err(format!("{got:?}, not {expected:?}"))
    }
}

#[test]
fn objects_run_the_images_that_their_projects_say() {
    let reader = Reader::default();
    let mut failures = Vec::new();
    let cases = cases();
    for case in &cases {
        let kind = &case.object["kind"];
        let origin = case.source.as_ref().or(case.derived.as_ref()).unwrap();
        match reader.read(&case.object) {
            Err(error) => failures.push(format!("{kind} ({origin}): {error}")),
            Ok(read) => {
                if let Err(difference) = check(case, read.as_ref()) {
                    failures.push(format!("{kind} ({origin}): {difference}"));
                }
            }
        }
    }
    super::report(&failures, cases.len(), 73);
}

/// An entry that names a sample has a case made from it; one without is marked so by having none.
#[test]
fn entries_are_verified_by_samples() {
    let name = |api_version: &str, kind: &str| {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        format!("{kind}.{group}")
    };
    let cases = cases();
    let seen: BTreeSet<String> = cases
        .iter()
        .filter(|case| case.source.is_some())
        .map(|case| {
            let text = |key: &str| case.object[key].as_str().unwrap();
            name(text("apiVersion"), text("kind"))
        })
        .collect();
    let table = CustomKinds::built_in();
    let mut unverified = Vec::new();
    for entry in table.entries() {
        let kinds = entry
            .kinds
            .iter()
            .map(|kind| format!("{kind}.{}", entry.group));
        let with_case = kinds.clone().any(|kind| seen.contains(&kind));
        assert_eq!(
            entry.sample.is_some(),
            with_case,
            "{:?}: a sample in the table needs a case with its source, and the other way round",
            kinds.collect::<Vec<_>>()
        );
        if entry.sample.is_none() && entry.skip.is_none() {
            unverified.extend(kinds);
        }
    }
    unverified.sort();
    unverified.dedup();
    // So many are known from schemas and documentation alone; a sample takes one off.
    assert_eq!(unverified.len(), 53, "{unverified:?}");
}
