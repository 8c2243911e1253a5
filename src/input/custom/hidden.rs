//! Images that an operator is told of in its environment or arguments, and may start some day.

use serde_json::Value;

use crate::image::ImageRef;
use crate::model::Container;

/// The images that the containers of a pod spec are told of, in the order of the document, each once.
pub(in crate::input) fn mentioned(pod_spec: &Value) -> Vec<Container> {
    let mut found: Vec<Container> = Vec::new();
    let lists = ["initContainers", "containers"];
    let containers = lists
        .iter()
        .filter_map(|list| pod_spec.get(list)?.as_array())
        .flatten();
    for container in containers {
        for (name, image) in in_environment(container).chain(in_arguments(container)) {
            // Words and switches are references, too; a tag, digest or path tells.
            let telling = image.contains(['/', ':', '@']);
            if telling && ImageRef::parse(image).is_ok() && !found.iter().any(|c| c.image == image)
            {
                found.push(Container {
                    name: name.to_owned(),
                    image: image.to_owned(),
                    ..Container::default()
                });
            }
        }
    }
    found
}

/// `RELATED_IMAGE_X` (what Operator Lifecycle Manager asks for) and `X_IMAGE`.
fn in_environment(container: &Value) -> impl Iterator<Item = (&str, &str)> {
    let variables = container.get("env").and_then(Value::as_array);
    variables.into_iter().flatten().filter_map(|variable| {
        let name = variable.get("name")?.as_str()?;
        let names_image = name.starts_with("RELATED_IMAGE_") || name.ends_with("_IMAGE");
        let value = variable.get("value")?.as_str()?;
        names_image.then_some((name, value))
    })
}

/// `--some-image=REF`, and `--some-image REF`.
fn in_arguments(container: &Value) -> impl Iterator<Item = (&str, &str)> {
    let words = |field: &str| {
        let list = container.get(field).and_then(Value::as_array);
        let words = list.into_iter().flatten().map(Value::as_str);
        words.map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    let mut all = words("command");
    all.extend(words("args"));
    let flags: Vec<(&str, &str)> = all
        .iter()
        .enumerate()
        .filter_map(|(at, word)| {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, value),
                None => (*word, *all.get(at + 1)?),
            };
            let name = flag.trim_start_matches('-');
            let names_image =
                flag.starts_with('-') && (name == "image" || name.ends_with("-image"));
            names_image.then_some((flag, value))
        })
        .collect();
    flags.into_iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_in_environment_and_arguments_are_found() {
        let spec = json!({"containers": [{"image": "operator:1",
            "env": [
                {"name": "RELATED_IMAGE_DB", "value": "quay.io/a/db:1"},
                {"name": "SIDECAR_IMAGE", "value": "quay.io/a/sidecar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {"name": "RELATED_IMAGE_NONE", "valueFrom": {}},
                {"name": "USE_IMAGE", "value": "true"},
                {"name": "IMAGE_PULL_POLICY", "value": "a/b:c"}],
            "args": ["--prometheus-config-reloader-image=quay.io/p/reloader:v1", "--image", "quay.io/b/c:2", "--acme-image=Bad", "-v", "--image-cache=x/y:z"]}]});
        let found: Vec<String> = mentioned(&spec)
            .into_iter()
            .map(|c| format!("{} {}", c.name, c.image))
            .collect();
        assert_eq!(
            found,
            [
                "RELATED_IMAGE_DB quay.io/a/db:1",
                "SIDECAR_IMAGE quay.io/a/sidecar@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "--prometheus-config-reloader-image quay.io/p/reloader:v1",
                "--image quay.io/b/c:2",
            ]
        );
    }
}
