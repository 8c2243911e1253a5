//! What a template engine left in a manifest about where it comes from.

use std::collections::BTreeMap;

/// Helm's hooks (<https://helm.sh/docs/topics/charts_hooks/>): a comma-separated list.
const HELM_HOOK: &str = "helm.sh/hook";
/// Kustomize's `buildMetadata: [originAnnotations]`: a small YAML document with `path: base/deployment.yaml`.
const KUSTOMIZE_ORIGIN: &str = "config.kubernetes.io/origin";

/// Which template an object was rendered from, and as which hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The template or base file, as the engine names it: `web/templates/deployment.yaml`.
    pub template: Option<String>,
    /// Helm's hooks that it is: `pre-install`, `test`. Such pods run only then, but they do run.
    pub hooks: Vec<String>,
}

impl Rendered {
    /// `comment` is what stands above the object: helm's `# Source: …`.
    #[must_use]
    pub fn of(comment: Option<String>, annotations: &BTreeMap<String, String>) -> Self {
        let origin = annotations.get(KUSTOMIZE_ORIGIN);
        let origin = || {
            let path = origin?
                .lines()
                .find_map(|line| line.strip_prefix("path: "))?;
            Some(path.trim().to_owned())
        };
        let hooks = annotations.get(HELM_HOOK).map_or("", String::as_str);
        Self {
            template: comment.or_else(origin),
            hooks: hooks
                .split(',')
                .map(str::trim)
                .filter(|hook| !hook.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_and_origins_are_read_from_annotations() {
        let annotations = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let hook = Rendered::of(
            None,
            &annotations(&[(HELM_HOOK, "pre-install, pre-upgrade,")]),
        );
        assert_eq!(hook.hooks, ["pre-install", "pre-upgrade"]);
        let origin = annotations(&[(KUSTOMIZE_ORIGIN, "path: ../base/web.yaml\nref: v1\n")]);
        let template =
            |comment: Option<&str>| Rendered::of(comment.map(str::to_owned), &origin).template;
        assert_eq!(template(None).as_deref(), Some("../base/web.yaml"));
        assert_eq!(
            template(Some("web/templates/a.yaml")).as_deref(),
            Some("web/templates/a.yaml")
        );
        assert_eq!(Rendered::of(None, &BTreeMap::new()), Rendered::default());
    }
}
