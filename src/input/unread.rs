//! Objects of kinds that are not read, and whether they hold images all the same: silence about those would look like
//! all being well.

use serde_json::Value;

use super::custom::CustomKinds;

/// How deep an object is looked through.
const DEEPEST: usize = 32;
/// Kinds that hold schemas or texts, never images that run.
const NO_WORKLOADS: [&str; 3] = ["CustomResourceDefinition", "ConfigMap", "Secret"];

/// Whether an object of an unknown kind seems to run images: a list of containers with images anywhere in it
/// (scheduling.md §3.3), or, for a custom resource, any text under a key `image`.
pub(super) fn seems_to_run_images(object: &Value, table: &CustomKinds) -> bool {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if kind.is_none_or(|kind| NO_WORKLOADS.contains(&kind)) {
        return false;
    }
    // What the table says to skip is known to run nothing.
    let group = api_version.and_then(|version| version.split_once('/'));
    if let (Some((group, _)), Some(kind)) = (group, kind)
        && table.find(group, kind).is_some()
    {
        return false;
    }
    let custom = api_version.is_some_and(is_custom_group);
    let Some(fields) = object.as_object() else {
        return false;
    };
    fields
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status"))
        .any(|(_, value)| holds_images(value, custom, 0))
}

/// Groups of the API server itself have no dot, or end in `k8s.io`; what they call `image` besides containers (a volume's
/// `rbd.image`) is none.
fn is_custom_group(api_version: &str) -> bool {
    api_version
        .split_once('/')
        .is_some_and(|(group, _)| group.contains('.') && !group.ends_with(".k8s.io"))
}

fn holds_images(value: &Value, any_image: bool, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    let has_image = |value: &Value| {
        value
            .get("image")
            .and_then(Value::as_str)
            .is_some_and(|image| !image.is_empty())
    };
    match value {
        Value::Object(fields) => {
            let containers = fields.get("containers").and_then(Value::as_array);
            containers.is_some_and(|list| list.iter().any(has_image))
                || (any_image && has_image(value))
                || fields
                    .values()
                    .any(|value| holds_images(value, any_image, depth + 1))
        }
        Value::Array(items) => items
            .iter()
            .any(|item| holds_images(item, any_image, depth + 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_runs_images_is_told_from_what_only_speaks_of_them() {
        let containers = json!([{"name": "c", "image": "nginx"}]);
        for (api_version, kind, rest, runs) in [
            (
                "argoproj.io/v1alpha1",
                "Rollout",
                json!({"template": {"spec": {"containers": containers}}}),
                true,
            ),
            (
                "monitoring.coreos.com/v1",
                "Prometheus",
                json!({"image": "prom/prometheus"}),
                true,
            ),
            (
                "tekton.dev/v1",
                "Task",
                json!({"steps": [{"image": "bash"}]}),
                true,
            ),
            ("v1", "Service", json!({"ports": []}), false),
            (
                "v1",
                "PersistentVolume",
                json!({"rbd": {"image": "disk"}}),
                false,
            ),
            (
                "storage.k8s.io/v1",
                "StorageClass",
                json!({"image": "x"}),
                false,
            ),
            (
                "cert-manager.io/v1",
                "Issuer",
                json!({"podTemplate": {"spec": {"nodeSelector": {}}}}),
                false,
            ),
            (
                "monitoring.coreos.com/v1",
                "Prometheus",
                json!({"containers": [{"name": "patch"}]}),
                false,
            ),
            (
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                json!({"containers": containers}),
                false,
            ),
        ] {
            let object = json!({"apiVersion": api_version, "kind": kind, "spec": rest});
            assert_eq!(
                seems_to_run_images(&object, &CustomKinds::default()),
                runs,
                "{object}"
            );
        }
    }
}
