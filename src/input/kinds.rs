//! Kubernetes' own kinds: a table, one row a kind (scheduling.md §3.1).

use std::sync::LazyLock;

/// Where a kind keeps its pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// It is a pod.
    Pod,
    /// `.spec.template`.
    Template,
    /// `.spec.jobTemplate.spec.template`.
    CronJob,
    /// `.template`: a v1 PodTemplate has no spec of its own.
    PodTemplate,
    /// It is a node.
    Node,
    /// It is a namespace.
    Namespace,
    /// It is no kind of Kubernetes' own: the table in [`super::custom`] says, or the object itself.
    Custom,
    /// It says where nodes look for images first (OpenShift).
    MirrorSet,
}

impl Shape {
    /// Whether it is, or makes, pods. What doesn't is not in a namespace either.
    #[must_use]
    pub fn runs_pods(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace | Self::MirrorSet)
    }

    /// The route from the object to its pod spec; empty where there is none, or where it differs.
    #[must_use]
    pub fn pod_spec_route(self) -> &'static str {
        match self {
            Self::Node | Self::Namespace | Self::MirrorSet | Self::Custom => "",
            Self::Pod => "/spec",
            Self::Template => "/spec/template/spec",
            Self::CronJob => "/spec/jobTemplate/spec/template/spec",
            Self::PodTemplate => "/template/spec",
        }
    }
}

/// A kind of the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// The version that is listed.
    pub version: String,
    /// Kind, e.g. `Deployment`.
    pub kind: String,
    /// Resource, e.g. `deployments`.
    pub plural: String,
    /// What kubectl accepts beside kind and plural.
    pub short_names: Vec<String>,
    /// Its objects are in namespaces.
    pub namespaced: bool,
    /// Where its pods are.
    pub shape: Shape,
}

/// All of Kubernetes' own. Owners come before what they own, so that messages name them in that order.
pub static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    use Shape::{CronJob, MirrorSet, Namespace, Node, Pod, PodTemplate, Template};
    let rows = [
        ("", "Node", "nodes", "no", Node),
        ("", "Namespace", "namespaces", "ns", Namespace),
        ("apps", "Deployment", "deployments", "deploy", Template),
        ("apps", "StatefulSet", "statefulsets", "sts", Template),
        ("apps", "DaemonSet", "daemonsets", "ds", Template),
        ("batch", "CronJob", "cronjobs", "cj", CronJob),
        ("batch", "Job", "jobs", "", Template),
        ("apps", "ReplicaSet", "replicasets", "rs", Template),
        (
            "",
            "ReplicationController",
            "replicationcontrollers",
            "rc",
            Template,
        ),
        ("", "PodTemplate", "podtemplates", "", PodTemplate),
        ("", "Pod", "pods", "po", Pod),
        (
            "config.openshift.io",
            "ImageDigestMirrorSet",
            "imagedigestmirrorsets",
            "idms",
            MirrorSet,
        ),
        (
            "config.openshift.io",
            "ImageTagMirrorSet",
            "imagetagmirrorsets",
            "itms",
            MirrorSet,
        ),
        (
            "operator.openshift.io",
            "ImageContentSourcePolicy",
            "imagecontentsourcepolicies",
            "",
            MirrorSet,
        ),
    ];
    let kind = |(group, kind, plural, short, shape): (&str, &str, &str, &str, Shape)| Kind {
        group: group.to_owned(),
        version: match group {
            "operator.openshift.io" => "v1alpha1".to_owned(),
            _ => "v1".to_owned(),
        },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        short_names: short.split_whitespace().map(str::to_owned).collect(),
        namespaced: shape.runs_pods(),
        shape,
    };
    rows.into_iter().map(kind).collect()
});

impl Kind {
    /// The kind of an object, by its own words. Versions are not compared: `apps/v1beta1` has the same shape.
    #[must_use]
    pub fn of(api_version: &str, kind: &str) -> Option<&'static Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let core = api_version.split_once('/').is_none();
        // Deployments and their like once lived in `extensions`.
        let group = if group == "extensions" { "apps" } else { group };
        KINDS
            .iter()
            .find(|k| k.kind == kind && k.group == group && (core == k.group.is_empty()))
    }

    /// The kind among `kinds` that a user names: kind, plural or short name, any case, with or without `.group`.
    #[must_use]
    pub fn named<'k>(kinds: impl IntoIterator<Item = &'k Self>, text: &str) -> Option<&'k Self> {
        let text = text.to_lowercase();
        kinds.into_iter().find(|kind| {
            let (name, group) = text
                .split_once('.')
                .map_or((text.as_str(), None), |(n, g)| (n, Some(g)));
            // `deployments.v1.apps` names the version as well.
            let in_group = group.is_none_or(|g| {
                g == kind.group
                    || g.strip_prefix(&kind.version) == Some(&format!(".{}", kind.group))
            });
            in_group
                && (name == kind.plural
                    || name == kind.kind.to_lowercase()
                    || kind.short_names.iter().any(|short| short == name))
        })
    }

    /// `deployments.apps`, as messages of the API server name it.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of its list, in a namespace or in all; of the namespace itself, if that is what is asked for.
    #[must_use]
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) if self.namespaced => {
                format!("{root}/namespaces/{namespace}/{}", self.plural)
            }
            Some(namespace) if self.shape == Shape::Namespace => {
                format!("{root}/{}/{namespace}", self.plural)
            }
            _ => format!("{root}/{}", self.plural),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_the_names_that_kubectl_takes() {
        for (text, kind) in [
            ("deploy", Some("Deployment")),
            ("deployments", Some("Deployment")),
            ("Deployment", Some("Deployment")),
            ("deployments.apps", Some("Deployment")),
            ("deployments.v1.apps", Some("Deployment")),
            ("deployment.batch", None),
            ("po", Some("Pod")),
            ("cj", Some("CronJob")),
            ("svc", None),
        ] {
            assert_eq!(
                Kind::named(KINDS.iter(), text).map(|k| k.kind.as_str()),
                kind,
                "{text}"
            );
        }
        for (api_version, name, found) in [
            ("apps/v1", "Deployment", true),
            ("extensions/v1beta1", "Deployment", true),
            ("batch/v1beta1", "CronJob", true),
            ("v1", "Pod", true),
            ("v1", "Deployment", false),
            ("example.com/v1", "Pod", false),
            ("serving.knative.dev/v1", "Service", false),
        ] {
            assert_eq!(
                Kind::of(api_version, name).is_some(),
                found,
                "{api_version} {name}"
            );
        }
    }
}
