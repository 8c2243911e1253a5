//! Finds pod specs in any object (scheduling.md §3.3): maps with a list of `containers` that name images.

use serde_json::Value;

use super::path::Place;

/// Objects don't nest deeper than this; what does is not looked at.
const DEEPEST: usize = 64;
/// Keys under which nothing is ever run: what was seen, what people wrote, and volumes.
const NEVER: [&str; 5] = [
    "status",
    "annotations",
    "managedFields",
    "volumeClaimTemplates",
    "volumes",
];
/// The lists of a pod spec. Its other fields are walked on: some kinds keep another pod spec there.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// What a walk comes upon.
pub(super) enum Found<'v> {
    /// A pod spec.
    PodSpec(Place<'v>),
    /// A whole object inside another, which has its own rules.
    Object(Place<'v>),
}

/// Everything below `place` that may be run, in the order of the document.
pub(super) fn walk<'v>(place: &Place<'v>) -> Vec<Found<'v>> {
    let mut found = Vec::new();
    step(place, 0, &mut found);
    found
}

fn step<'v>(place: &Place<'v>, depth: usize, found: &mut Vec<Found<'v>>) {
    if depth > DEEPEST {
        return;
    }
    match place.value {
        Value::Array(_) => {
            for item in place.items() {
                step(&item, depth + 1, found);
            }
        }
        Value::Object(_) => {
            if depth > 0 && is_object(place.value) {
                found.push(Found::Object(place.clone()));
                return;
            }
            let is_pod_spec = names_images(place.value);
            if is_pod_spec {
                found.push(Found::PodSpec(place.clone()));
            }
            for value in place.values() {
                let key = value.route.rsplit('/').next().unwrap_or_default();
                let metadata = depth == 0 && key == "metadata";
                let taken = is_pod_spec && CONTAINERS.contains(&key);
                if !metadata && !taken && !NEVER.contains(&key) {
                    step(&value, depth + 1, found);
                }
            }
        }
        _ => {}
    }
}

/// Whether this is an object of the API, with its type.
fn is_object(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    text("apiVersion").is_some() && text("kind").is_some()
}

/// Whether this is a pod spec: a list of containers, of which one names an image.
fn names_images(value: &Value) -> bool {
    let Some(containers) = value.get("containers").and_then(Value::as_array) else {
        return false;
    };
    let image = |container: &Value| container.get("image").is_some_and(Value::is_string);
    let inits = value.get("initContainers").and_then(Value::as_array);
    containers.iter().all(Value::is_object)
        && containers
            .iter()
            .chain(inits.into_iter().flatten())
            .any(image)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn routes(value: &Value) -> Vec<String> {
        walk(&Place::root(value))
            .into_iter()
            .map(|found| match found {
                Found::PodSpec(place) => place.route,
                Found::Object(place) => format!("object {}", place.route),
            })
            .collect()
    }

    #[test]
    fn pod_specs_are_found_wherever_they_are() {
        let spec = json!({"containers": [{"name": "c", "image": "x"}]});
        for (value, expected) in [
            (
                json!({"spec": {"template": {"spec": spec}}}),
                vec!["/spec/template/spec"],
            ),
            (
                json!({"spec": {"replicaSpecs": {"Worker": {"template": {"spec": spec}}}}}),
                vec!["/spec/replicaSpecs/Worker/template/spec"],
            ),
            (
                json!({"spec": {"predictor": {"containers": [{"image": "x"}], "workerSpec": spec}}}),
                vec!["/spec/predictor", "/spec/predictor/workerSpec"],
            ),
            (
                json!({"spec": {"manifests": [{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": spec}}}]}}),
                vec!["object /spec/manifests/0"],
            ),
            // Containers without an image are patches of somebody else's.
            (
                json!({"spec": {"containers": [{"name": "c", "resources": {}}]}}),
                vec![],
            ),
            (
                json!({"spec": {"containers": [{"name": "c"}], "initContainers": [{"image": "x"}]}}),
                vec!["/spec"],
            ),
            (
                json!({"status": {"template": {"spec": spec}}, "metadata": {"annotations": {"last": spec}}}),
                vec![],
            ),
            (json!({"spec": {"containers": {"image": "x"}}}), vec![]),
            (json!({"spec": {"containers": ["x"]}}), vec![]),
            (
                json!({"spec": {"containers": [{"image": {"repository": "x"}}]}}),
                vec![],
            ),
            (
                json!({"spec": {"volumes": [{"rbd": {"image": "x"}}], "image": "vm-id"}}),
                vec![],
            ),
        ] {
            assert_eq!(routes(&value), expected, "{value}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), Just(json!("x")), Just(json!(1))];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let key = prop_oneof!["containers", "image", "spec", "kind", "apiVersion", "items"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map(key, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_route_leads_to_what_was_found(value in any_value()) {
            for found in walk(&Place::root(&value)) {
                let (Found::PodSpec(place) | Found::Object(place)) = found;
                prop_assert_eq!(value.pointer(&place.route), Some(place.value));
            }
        }
    }
}
