//! The kinds that archcheck reads: a table, one row a kind (scheduling.md §3.1).

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
}

impl Shape {
    /// Whether it is, or makes, pods. What doesn't is not in a namespace either.
    #[must_use]
    pub fn runs_pods(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace)
    }

    /// The route from the object to its pod template; empty for a pod, which is its own.
    #[must_use]
    pub fn template_route(self) -> &'static str {
        match self {
            Self::Pod | Self::Node | Self::Namespace => "",
            Self::Template => "/spec/template",
            Self::CronJob => "/spec/jobTemplate/spec/template",
            Self::PodTemplate => "/template",
        }
    }
}

/// A kind of the Kubernetes API.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// The version that is listed.
    pub version: &'static str,
    /// Kind, e.g. `Deployment`.
    pub kind: &'static str,
    /// Resource, e.g. `deployments`.
    pub plural: &'static str,
    /// What kubectl accepts beside kind and plural.
    pub short_names: &'static [&'static str],
    /// Where its pods are.
    pub shape: Shape,
}

/// All of them. Owners come before what they own, so that messages name them in that order.
pub static KINDS: [Kind; 11] = [
    kind("", "v1", "Node", "nodes", &["no"], Shape::Node),
    kind(
        "",
        "v1",
        "Namespace",
        "namespaces",
        &["ns"],
        Shape::Namespace,
    ),
    kind(
        "apps",
        "v1",
        "Deployment",
        "deployments",
        &["deploy"],
        Shape::Template,
    ),
    kind(
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        &["sts"],
        Shape::Template,
    ),
    kind(
        "apps",
        "v1",
        "DaemonSet",
        "daemonsets",
        &["ds"],
        Shape::Template,
    ),
    kind(
        "batch",
        "v1",
        "CronJob",
        "cronjobs",
        &["cj"],
        Shape::CronJob,
    ),
    kind("batch", "v1", "Job", "jobs", &[], Shape::Template),
    kind(
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        &["rs"],
        Shape::Template,
    ),
    kind(
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        &["rc"],
        Shape::Template,
    ),
    kind(
        "",
        "v1",
        "PodTemplate",
        "podtemplates",
        &[],
        Shape::PodTemplate,
    ),
    kind("", "v1", "Pod", "pods", &["po"], Shape::Pod),
];

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    shape: Shape,
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        short_names,
        shape,
    }
}

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

    /// The kind that a user names: kind, plural or short name, any case, with or without `.group`.
    #[must_use]
    pub fn named(text: &str) -> Option<&'static Self> {
        let text = text.to_lowercase();
        let (name, group) = text
            .split_once('.')
            .map_or((text.as_str(), None), |(n, g)| (n, Some(g)));
        KINDS.iter().find(|kind| {
            // `deployments.v1.apps` names the version as well.
            let in_group = group.is_none_or(|g| {
                g == kind.group || g.strip_prefix(kind.version) == Some(&format!(".{}", kind.group))
            });
            in_group
                && (name == kind.plural
                    || name == kind.kind.to_lowercase()
                    || kind.short_names.contains(&name))
        })
    }

    /// `deployments.apps`, as messages of the API server name it.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
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
            Some(namespace) if self.shape.runs_pods() => {
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
            assert_eq!(Kind::named(text).map(|k| k.kind), kind, "{text}");
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
