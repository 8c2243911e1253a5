//! What the API server adds to a pod's node selector when the pod is made (scheduling.md §1.8).
//!
//! OpenShift merges the annotation `openshift.io/node-selector` of a namespace into every pod that is made in it, and
//! refuses a pod that asks for another value. Kubernetes' own PodNodeSelector has an annotation, too, but is off by
//! default, and whether it is on can't be seen: that one is not applied.

use std::collections::{BTreeMap, HashMap};

use crate::model::Node;

/// The annotation of a namespace (OpenShift: "Creating project-wide node selectors").
const ANNOTATION: &str = "openshift.io/node-selector";
/// OpenShift labels its nodes so; elsewhere nobody heeds the annotation, though charts may set it.
const OPENSHIFT_NODE_LABEL: &str = "node.openshift.io/os_id";
/// OpenShift gives every namespace one of these (OpenShift: "About pre-allocated security context constraints values").
const OPENSHIFT_NAMESPACE_ANNOTATION: &str = "openshift.io/sa.scc.uid-range";

/// Whether this is a node of OpenShift.
#[must_use]
pub fn is_openshift_node(node: &Node) -> bool {
    node.labels.contains_key(OPENSHIFT_NODE_LABEL)
}

/// Whether a namespace is OpenShift's, by its annotations.
#[must_use]
pub fn is_openshift_namespace(annotations: &BTreeMap<String, String>) -> bool {
    annotations.contains_key(OPENSHIFT_NAMESPACE_ANNOTATION)
}

/// The node selectors of namespaces, by the namespaces' names; none where the cluster is not OpenShift.
///
/// `namespaces` gives names and annotations. A broken selector is left out: OpenShift then makes no pods at all, which
/// the user has long seen.
#[must_use]
pub fn namespace_selectors<'a>(
    mut nodes: impl Iterator<Item = &'a Node>,
    namespaces: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>)> + Clone,
) -> HashMap<String, BTreeMap<String, String>> {
    let mut annotated = namespaces.clone();
    let openshift = nodes.any(is_openshift_node)
        || annotated.any(|(_, annotations)| is_openshift_namespace(annotations));
    if !openshift {
        return HashMap::new();
    }
    namespaces
        .filter_map(|(name, annotations)| {
            let selector = parse(annotations.get(ANNOTATION)?)?;
            (!selector.is_empty()).then(|| (name.to_owned(), selector))
        })
        .collect()
}

/// Reads `key=value,key2=value2`; a value may be empty, blanks don't count.
fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let pairs = text.split(',').map(str::trim);
    pairs
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            // `==` means the same.
            let value = value.strip_prefix('=').unwrap_or(value);
            let key = key.trim();
            (!key.is_empty()).then(|| (key.to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// A pod's node selector and its namespace's, as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The pairs of both.
    pub pairs: BTreeMap<String, String>,
    /// The first key for which they ask different values.
    pub conflict: Option<Conflict>,
}

/// A label of which a pod and its namespace ask different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Label key.
    pub key: String,
    /// The value that the pod asks for.
    pub pod: String,
    /// The value that its namespace asks for.
    pub namespace: String,
}

/// Merges a pod's node selector with its namespace's.
#[must_use]
pub fn merge(pod: &BTreeMap<String, String>, namespace: &BTreeMap<String, String>) -> Merged {
    let conflict = namespace.iter().find_map(|(key, wanted)| {
        let own = pod.get(key).filter(|own| *own != wanted)?;
        Some(Conflict {
            key: key.clone(),
            pod: own.clone(),
            namespace: wanted.clone(),
        })
    });
    let mut pairs = namespace.clone();
    pairs.extend(pod.clone());
    Merged { pairs, conflict }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn selectors_are_read_as_openshift_reads_them() {
        for (text, pairs) in [
            ("", Some(labels(&[]))),
            ("env=dev", Some(labels(&[("env", "dev")]))),
            (
                " node-role.kubernetes.io/infra= , zone == a ",
                Some(labels(&[
                    ("node-role.kubernetes.io/infra", ""),
                    ("zone", "a"),
                ])),
            ),
            ("infra", None),
            ("=a", None),
        ] {
            assert_eq!(parse(text), pairs, "{text:?}");
        }
    }

    #[test]
    fn a_conflict_is_told_from_an_addition() {
        let namespace = labels(&[("env", "dev"), ("zone", "a")]);
        let merged = merge(&labels(&[("disk", "ssd"), ("env", "dev")]), &namespace);
        assert_eq!(
            merged.pairs,
            labels(&[("disk", "ssd"), ("env", "dev"), ("zone", "a")])
        );
        assert_eq!(merged.conflict, None);
        let merged = merge(&labels(&[("zone", "b")]), &namespace);
        let conflict = merged.conflict.map(|c| (c.key, c.pod, c.namespace));
        assert_eq!(
            conflict,
            Some(("zone".to_owned(), "b".to_owned(), "a".to_owned()))
        );
    }

    #[test]
    fn only_openshift_heeds_the_annotation() {
        for (label, annotation, count) in [
            ("node.openshift.io/os_id", "other", 1),
            ("other", "openshift.io/sa.scc.uid-range", 1),
            ("other", "other", 0),
        ] {
            let mut node = testing::node("n", "amd64");
            node.labels.insert(label.to_owned(), "rhcos".to_owned());
            let annotations = labels(&[(ANNOTATION, "env=dev"), (annotation, "1/2")]);
            let namespaces = [("shop", &annotations)].into_iter();
            let found = namespace_selectors([node].iter(), namespaces);
            assert_eq!(found.len(), count, "{label} {annotation}");
        }
    }
}
