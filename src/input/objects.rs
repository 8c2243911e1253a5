//! Reads one object of the API, with only the fields that a scan needs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::custom::{CustomKinds, CustomRead, hidden};
use super::kinds::{Kind, Shape};
use super::pull_secrets::{account_secrets, pull_secret};
use crate::image::Platform;
use crate::model::{
    Location, MirrorSet, Mirrored, Node, NodeOrigin, ObjectId, Placer, PodTemplate, PullSecret,
    RunningContainer, Runtime, Taint, null_as_default,
};

/// An object that matters to a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its name.
    pub id: ObjectId,
    /// Its uid; empty in manifests.
    pub uid: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The controller that made it.
    pub owner: Option<Owner>,
    /// What it is.
    pub role: Role,
    /// Where it stands, when it came from a file.
    pub location: Option<Location>,
    /// The template that a comment above it names.
    pub template_comment: Option<String>,
}

/// What an object is to a scan.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// A node.
    Node(Box<Node>),
    /// A namespace: its annotations may choose nodes for its pods.
    Namespace,
    /// Where nodes look for images first.
    Mirrors(Vec<MirrorSet>),
    /// A pod.
    Pod(Box<Pod>),
    /// Something that makes pods.
    Controller(Box<Controller>),
    /// A secret; in manifests only.
    PullSecret(Box<PullSecret>),
    /// A service account, with the names of the secrets that it gives to pods; in manifests only.
    ServiceAccount(Vec<String>),
}

/// A pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Its spec, as the template that would make it again.
    pub template: PodTemplate,
    /// It has ended (`Succeeded`, `Failed`), or is being deleted.
    pub over: bool,
    /// Its containers that are ready.
    pub ready: Vec<RunningContainer>,
}

/// Something that makes pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Controller {
    /// Its templates: one for each of Kubernetes' own kinds, any number for others.
    pub templates: Vec<Template>,
    /// It has no pods and starts none: replicas 0, suspended, a bare PodTemplate.
    pub dormant: bool,
    /// It has done its work: a Job that is complete or has failed; or it is being deleted.
    pub over: bool,
    /// Its own controller is not Kubernetes' and may add to what it says: what it has made says more.
    pub custom: bool,
}

/// A pod template, and where in its object the images stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// The template.
    pub pod: PodTemplate,
    /// The places of its images.
    pub routes: Routes,
}

/// Where images stand in an object: keys and indices, each after a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routes {
    /// In a pod spec of Kubernetes, at this place.
    Spec(&'static str),
    /// One by one: init containers, containers, ephemeral containers.
    Images(Vec<String>),
}

impl Default for Routes {
    fn default() -> Self {
        Self::Images(Vec::new())
    }
}

impl Routes {
    /// The routes that are known one by one.
    pub(super) fn images(&self) -> impl Iterator<Item = &str> {
        let routes: &[String] = match self {
            Self::Spec(_) => &[],
            Self::Images(routes) => routes,
        };
        routes.iter().map(String::as_str)
    }

    /// Puts another route before all.
    pub(super) fn put_behind(&mut self, before: &str) {
        if let Self::Images(routes) = self {
            for route in routes {
                route.insert_str(0, before);
            }
        }
    }
}

impl Template {
    /// Gives each image its place; `place` finds that of a route.
    pub(super) fn locate(&mut self, place: impl Fn(&str) -> Option<Location>) {
        let spec = &mut self.pod.spec;
        let lists = [
            ("initContainers", &mut spec.init_containers),
            ("containers", &mut spec.containers),
            ("ephemeralContainers", &mut spec.ephemeral_containers),
        ];
        match &self.routes {
            Routes::Images(routes) => {
                let containers = lists.into_iter().flat_map(|(_, containers)| containers);
                for (container, route) in containers.zip(routes) {
                    container.location = place(route);
                }
            }
            Routes::Spec(inside) => {
                for (field, containers) in lists {
                    for (at, container) in containers.iter_mut().enumerate() {
                        container.location = place(&format!("{inside}/{field}/{at}/image"));
                    }
                }
                for (at, volume) in spec.volumes.iter_mut().enumerate() {
                    volume.location = place(&format!("{inside}/volumes/{at}/image/reference"));
                }
            }
        }
    }
}

/// The controller of an object, from its ownerReferences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// API group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
}

/// Why an object could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No `kind` or `apiVersion`.
    #[error("{0} is not set")]
    NoType(&'static str),
    /// A field of another type than its kind has.
    #[error("{path}: {detail}")]
    Field {
        /// The field, e.g. `spec.template.spec.containers[0].image`.
        path: String,
        /// The same as a route, e.g. `/spec/template/spec/containers/0/image`.
        route: String,
        /// What is wrong with it.
        detail: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw {
    #[serde(deserialize_with = "null_as_default")]
    metadata: Metadata,
    #[serde(deserialize_with = "null_as_default")]
    spec: Spec,
    #[serde(deserialize_with = "null_as_default")]
    status: Status,
    template: Option<PodTemplate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OnlyMetadata {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    #[serde(deserialize_with = "null_as_default")]
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    generate_name: String,
    #[serde(deserialize_with = "null_as_default")]
    namespace: String,
    #[serde(deserialize_with = "null_as_default")]
    uid: String,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    owner_references: Vec<OwnerReference>,
    deletion_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    uid: String,
    #[serde(deserialize_with = "null_as_default")]
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    replicas: Option<i64>,
    suspend: Option<bool>,
    template: Option<PodTemplate>,
    job_template: Option<JobTemplate>,
    #[serde(deserialize_with = "null_as_default")]
    taints: Vec<Taint>,
    unschedulable: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    #[serde(deserialize_with = "null_as_default")]
    spec: JobSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobSpec {
    template: Option<PodTemplate>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    #[serde(deserialize_with = "null_as_default")]
    phase: String,
    #[serde(deserialize_with = "null_as_default")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "null_as_default")]
    container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "null_as_default")]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "null_as_default")]
    node_info: NodeInfo,
    #[serde(deserialize_with = "null_as_default")]
    images: Vec<NodeImage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    #[serde(deserialize_with = "null_as_default")]
    ready: bool,
    #[serde(rename = "imageID", deserialize_with = "null_as_default")]
    image_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeInfo {
    architecture: String,
    operating_system: String,
    os_image: String,
    kernel_version: String,
    container_runtime_version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeImage {
    #[serde(deserialize_with = "null_as_default")]
    names: Vec<String>,
}

/// A pod's own part of [`Raw`]: its `spec` is a pod spec, not a controller's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPod {
    #[serde(deserialize_with = "null_as_default")]
    metadata: Metadata,
    #[serde(deserialize_with = "null_as_default")]
    spec: crate::model::PodSpec,
    #[serde(deserialize_with = "null_as_default")]
    status: Status,
}

/// OpenShift's mirror sets (openshift/api `config/v1/types_image_digest_mirror_set.go`, `types_image_tag_mirror_set.go`,
/// `operator/v1alpha1/types_image_content_source_policy.go`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawMirrors {
    metadata: Metadata,
    spec: MirrorsSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MirrorsSpec {
    #[serde(deserialize_with = "null_as_default")]
    image_digest_mirrors: Vec<RawMirrorSet>,
    #[serde(deserialize_with = "null_as_default")]
    image_tag_mirrors: Vec<RawMirrorSet>,
    #[serde(deserialize_with = "null_as_default")]
    repository_digest_mirrors: Vec<RawMirrorSet>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMirrorSet {
    source: String,
    #[serde(deserialize_with = "null_as_default")]
    mirrors: Vec<String>,
    #[serde(deserialize_with = "null_as_default")]
    mirror_source_policy: String,
}

/// Reads objects.
#[derive(Debug, Clone)]
pub struct Reader {
    custom: CustomKinds,
    hidden_images: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(CustomKinds::built_in(), false)
    }
}

impl Reader {
    /// A reader that knows these kinds beside Kubernetes' own. With `hidden_images` it also looks for images in the
    /// environment and arguments of containers.
    #[must_use]
    pub fn new(custom: CustomKinds, hidden_images: bool) -> Self {
        Self {
            custom,
            hidden_images,
        }
    }

    /// The kinds that it knows beside Kubernetes' own.
    #[must_use]
    pub fn custom(&self) -> &CustomKinds {
        &self.custom
    }

    /// Reads an object; `None` for one that neither runs pods nor says where they may.
    ///
    /// # Errors
    /// When it has no type, or a field has another type than its kind gives it.
    pub fn read(&self, value: &Value) -> Result<Option<Object>, ObjectError> {
        let text = |field: &'static str| {
            let text = value
                .get(field)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty());
            text.ok_or(ObjectError::NoType(field))
        };
        let (api_version, kind_name) = (text("apiVersion")?, text("kind")?);
        match (api_version, kind_name) {
            ("v1", "Secret") => return Object::secret(value).map(Some),
            ("v1", "ServiceAccount") => return Ok(Some(Object::service_account(value))),
            _ => {}
        }
        let Some(kind) = Kind::of(api_version, kind_name) else {
            return self.read_custom(value, api_version, kind_name);
        };
        let object = match kind.shape {
            Shape::Pod => serde_path_to_error::deserialize(value)
                .map_err(field_error)
                .map(|raw| Some(Object::pod(raw, api_version))),
            Shape::MirrorSet => serde_path_to_error::deserialize(value)
                .map_err(field_error)
                .map(|raw| Some(Object::mirrors(raw, kind, api_version))),
            _ => serde_path_to_error::deserialize(value)
                .map_err(field_error)
                .map(|raw| Object::other(raw, kind, api_version)),
        }?;
        let refused = |route: String, detail: &str| ObjectError::Field {
            path: route.trim_start_matches('/').replace('/', "."),
            route,
            detail: detail.to_owned(),
        };
        let Some(object) = object else {
            // Of these only a ReplicationController may have no template.
            return match kind.shape {
                Shape::Template | Shape::CronJob if kind.kind != "ReplicationController" => {
                    let route = kind.shape.pod_spec_route();
                    Err(refused(route.to_owned(), "it has no pod template"))
                }
                _ => Ok(None),
            };
        };
        // The API server refuses these, so that only a manifest can hold one; judged, it would be fine.
        if object
            .templates()
            .any(|template| template.spec.containers.is_empty())
        {
            let route = format!("{}/containers", kind.shape.pod_spec_route());
            return Err(refused(route, "a pod needs at least one container"));
        }
        Ok(Some(self.with_hidden(object, kind, value)))
    }

    /// Reads an item of a list, which carries no type of its own.
    ///
    /// # Errors
    /// When a field has another type than its kind gives it.
    pub fn read_item(&self, item: &RawValue, kind: &Kind) -> Result<Option<Object>, ObjectError> {
        let api_version = kind.api_version();
        let mut json = serde_json::Deserializer::from_str(item.get());
        let object = match kind.shape {
            Shape::Custom => {
                let value: Value =
                    serde_path_to_error::deserialize(&mut json).map_err(field_error)?;
                return self.read_custom(&value, &api_version, &kind.kind);
            }
            Shape::Pod => serde_path_to_error::deserialize(&mut json)
                .map_err(field_error)
                .map(|raw| Some(Object::pod(raw, &api_version))),
            Shape::MirrorSet => serde_path_to_error::deserialize(&mut json)
                .map_err(field_error)
                .map(|raw| Some(Object::mirrors(raw, kind, &api_version))),
            _ => serde_path_to_error::deserialize(&mut json)
                .map_err(field_error)
                .map(|raw| Object::other(raw, kind, &api_version)),
        }?;
        if !self.hidden_images {
            return Ok(object);
        }
        let value: Value = serde_json::from_str(item.get()).unwrap_or_default();
        Ok(object.map(|object| self.with_hidden(object, kind, &value)))
    }

    fn read_custom(
        &self,
        value: &Value,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Object>, ObjectError> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let read = self.custom.read(group, kind, value, self.hidden_images)?;
        let Some(CustomRead {
            templates,
            dormant,
            finished,
        }) = read
        else {
            return Ok(None);
        };
        let OnlyMetadata { metadata } =
            serde_path_to_error::deserialize(value).map_err(field_error)?;
        let over = finished || metadata.deletion_timestamp.is_some();
        let role = Role::Controller(Box::new(Controller {
            templates,
            dormant,
            over,
            custom: true,
        }));
        Ok(Some(Object::with_metadata(
            metadata,
            api_version,
            kind,
            role,
        )))
    }

    fn with_hidden(&self, mut object: Object, kind: &Kind, value: &Value) -> Object {
        if self.hidden_images {
            let route = kind.shape.pod_spec_route();
            let found = value.pointer(route).map(hidden).unwrap_or_default();
            let pod = match &mut object.role {
                Role::Pod(pod) => Some(&mut pod.template),
                Role::Controller(controller) => {
                    controller.templates.first_mut().map(|t| &mut t.pod)
                }
                _ => None,
            };
            if let Some(pod) = pod {
                pod.spec.mentioned = found;
            }
        }
        object
    }
}

impl Object {
    /// Its pods' templates, where it is or makes any.
    pub fn templates(&self) -> impl Iterator<Item = &PodTemplate> {
        let (pod, controller) = match &self.role {
            Role::Pod(pod) => (Some(&pod.template), None),
            Role::Controller(controller) => (None, Some(&controller.templates)),
            _ => (None, None),
        };
        let templates = controller.into_iter().flatten();
        pod.into_iter()
            .chain(templates.map(|template| &template.pod))
    }

    /// These are no [`Kind`]: that table is what a cluster is asked to list, and secrets are never listed.
    fn secret(value: &Value) -> Result<Self, ObjectError> {
        let secret = pull_secret(value).map_err(|key| ObjectError::Field {
            path: format!("data[{key:?}]"),
            route: "/data".to_owned(),
            detail: "it is not base64".to_owned(),
        })?;
        let role = Role::PullSecret(Box::new(secret));
        Ok(Self::by_name_alone(value, "Secret", role))
    }

    fn service_account(value: &Value) -> Self {
        let role = Role::ServiceAccount(account_secrets(value));
        Self::by_name_alone(value, "ServiceAccount", role)
    }

    /// With nothing of its metadata but the name: `kubectl apply` writes all that is in a secret into an annotation.
    fn by_name_alone(value: &Value, kind: &str, role: Role) -> Self {
        let text = |field: &str| {
            let text = value.get("metadata").and_then(|m| m.get(field)?.as_str());
            text.unwrap_or_default().to_owned()
        };
        let metadata = Metadata {
            name: text("name"),
            namespace: text("namespace"),
            ..Metadata::default()
        };
        Self::with_metadata(metadata, "v1", kind, role)
    }

    fn pod(mut raw: RawPod, api_version: &str) -> Self {
        raw.spec.admitted = !raw.metadata.uid.is_empty();
        let over = matches!(raw.status.phase.as_str(), "Succeeded" | "Failed")
            || raw.metadata.deletion_timestamp.is_some();
        let statuses = raw
            .status
            .init_container_statuses
            .into_iter()
            .chain(raw.status.container_statuses);
        let ready = statuses
            .filter(|status| status.ready)
            .map(|status| RunningContainer {
                name: status.name,
                image_id: status.image_id,
            })
            .collect();
        let mut template = PodTemplate {
            spec: raw.spec,
            ..PodTemplate::default()
        };
        template.metadata.labels.clone_from(&raw.metadata.labels);
        template
            .metadata
            .annotations
            .clone_from(&raw.metadata.annotations);
        let role = Role::Pod(Box::new(Pod {
            template,
            over,
            ready,
        }));
        Self::with_metadata(raw.metadata, api_version, "Pod", role)
    }

    fn mirrors(raw: RawMirrors, kind: &Kind, api_version: &str) -> Self {
        let RawMirrors { metadata, spec } = raw;
        let object = format!("{}/{}", kind.kind, metadata.name);
        let tags = spec.image_tag_mirrors.into_iter();
        let digests = spec
            .image_digest_mirrors
            .into_iter()
            .chain(spec.repository_digest_mirrors);
        let sets = digests
            .map(|set| (set, Mirrored::Digests))
            .chain(tags.map(|set| (set, Mirrored::Tags)))
            .map(|(set, mirrored)| MirrorSet {
                source: set.source,
                mirrors: set.mirrors,
                mirrored,
                never_source: set.mirror_source_policy == "NeverContactSource",
                object: object.clone(),
            });
        let role = Role::Mirrors(sets.collect());
        Self::with_metadata(metadata, api_version, &kind.kind, role)
    }

    fn other(raw: Raw, kind: &Kind, api_version: &str) -> Option<Self> {
        let Raw {
            metadata,
            spec,
            status,
            template,
        } = raw;
        let deleted = metadata.deletion_timestamp.is_some();
        let finished = kind.kind == "Job"
            && status
                .conditions
                .iter()
                .any(|c| matches!(c.kind.as_str(), "Complete" | "Failed") && c.status == "True");
        let dormant = spec.replicas == Some(0)
            || spec.suspend == Some(true)
            || finished
            || kind.shape == Shape::PodTemplate;
        let template = match kind.shape {
            Shape::Node => {
                let node = node(&metadata, spec.taints, spec.unschedulable, status);
                let role = Role::Node(Box::new(node));
                return Some(Self::with_metadata(metadata, api_version, &kind.kind, role));
            }
            Shape::Namespace => {
                let role = Role::Namespace;
                return Some(Self::with_metadata(metadata, api_version, &kind.kind, role));
            }
            Shape::CronJob => spec.job_template.and_then(|job| job.spec.template),
            Shape::PodTemplate => template,
            Shape::Template | Shape::Pod | Shape::MirrorSet | Shape::Custom => spec.template,
        };
        // A ReplicationController may have no template at all.
        let mut pod = template?;
        if kind.kind == "DaemonSet" {
            pod.placer = Placer::DaemonSetController;
        }
        let controller = Controller {
            templates: vec![Template {
                pod,
                routes: Routes::Spec(kind.shape.pod_spec_route()),
            }],
            dormant,
            over: finished || deleted,
            custom: false,
        };
        let role = Role::Controller(Box::new(controller));
        Some(Self::with_metadata(metadata, api_version, &kind.kind, role))
    }

    fn with_metadata(metadata: Metadata, api_version: &str, kind: &str, role: Role) -> Self {
        let name = if metadata.name.is_empty() && !metadata.generate_name.is_empty() {
            format!("{}*", metadata.generate_name)
        } else {
            metadata.name
        };
        let owner = metadata
            .owner_references
            .into_iter()
            .find(|owner| owner.controller);
        Self {
            id: ObjectId {
                namespace: metadata.namespace,
                kind: kind.to_owned(),
                name,
                api_version: api_version.to_owned(),
            },
            uid: metadata.uid,
            labels: metadata.labels,
            annotations: metadata.annotations,
            owner: owner.map(|owner| Owner {
                api_version: owner.api_version,
                kind: owner.kind,
                name: owner.name,
                uid: owner.uid,
            }),
            role,
            location: None,
            template_comment: None,
        }
    }
}

fn node(
    metadata: &Metadata,
    taints: Vec<Taint>,
    unschedulable: Option<bool>,
    status: Status,
) -> Node {
    let info = status.node_info;
    // A Node object from before its kubelet has reported, or a hand-written one, says it by label alone.
    let or_label = |value: String, label: &str| {
        if value.is_empty() {
            metadata.labels.get(label).cloned().unwrap_or_default()
        } else {
            value
        }
    };
    Node {
        name: metadata.name.clone(),
        origin: NodeOrigin::Existing,
        labels: metadata.labels.clone(),
        taints,
        unschedulable: unschedulable.unwrap_or(false),
        platform: Platform::new(
            &or_label(info.operating_system, "kubernetes.io/os"),
            &or_label(info.architecture, "kubernetes.io/arch"),
            "",
        ),
        runtime: Runtime::parse(&info.container_runtime_version),
        os_image: info.os_image,
        kernel_version: info.kernel_version,
        images: status
            .images
            .into_iter()
            .flat_map(|image| image.names)
            .collect(),
    }
}

impl ObjectError {
    /// The same error of something that stands at a place in an object.
    pub(super) fn inside(self, dotted: &str, before: &str) -> Self {
        match self {
            Self::NoType(field) => Self::NoType(field),
            Self::Field {
                path,
                route,
                detail,
            } => Self::Field {
                path: match path.as_str() {
                    "." => dotted.to_owned(),
                    path if path.starts_with('[') => format!("{dotted}{path}"),
                    path => format!("{dotted}.{path}"),
                },
                route: format!("{before}{route}"),
                detail,
            },
        }
    }
}

pub(super) fn field_error(error: serde_path_to_error::Error<serde_json::Error>) -> ObjectError {
    let path = error.path().to_string();
    let route = error
        .path()
        .iter()
        .map(|segment| format!("/{}", bare(segment)));
    let route = route.collect();
    let detail = error.into_inner().to_string();
    // serde_json adds a position in the reserialised text, which nobody has seen.
    let detail = detail
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    ObjectError::Field {
        path,
        route,
        detail,
    }
}

/// A step of a route: serde_path_to_error writes indices in brackets.
fn bare(segment: &serde_path_to_error::Segment) -> String {
    segment.to_string().trim_matches(['[', ']']).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dormant_and_finished_controllers_are_told() {
        let template = json!({"spec": {"containers": [{"name": "c", "image": "x"}]}});
        for (value, dormant, over) in [
            (
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}),
                false,
                false,
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "template": template}}),
                true,
                false,
            ),
            (
                json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"suspend": true, "jobTemplate": {"spec": {"template": template}}}}),
                true,
                false,
            ),
            (
                json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}),
                true,
                true,
            ),
            (
                json!({"apiVersion": "v1", "kind": "PodTemplate", "template": template}),
                true,
                false,
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"template": template}}),
                false,
                true,
            ),
        ] {
            let Some(Object {
                role: Role::Controller(controller),
                ..
            }) = Reader::default().read(&value).unwrap()
            else {
                panic!("{value}");
            };
            assert_eq!(
                (controller.dormant, controller.over),
                (dormant, over),
                "{value}"
            );
            assert_eq!(controller.templates[0].pod.spec.containers[0].image, "x");
        }
    }

    #[test]
    fn errors_name_the_field() {
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "c", "image": 5}]}}}});
        assert_eq!(
            Reader::default().read(&value).unwrap_err().to_string(),
            "spec.template.spec.containers[0].image: invalid type: integer `5`, expected a string"
        );
        assert_eq!(
            Reader::default().read(&json!({"kind": "Pod"})).unwrap_err(),
            ObjectError::NoType("apiVersion")
        );
        assert_eq!(
            Reader::default().read(&json!({"apiVersion": "v1", "kind": "Service"})),
            Ok(None)
        );
    }

    #[test]
    fn nulls_are_as_good_as_nothing() {
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": null, "ownerReferences": null},
            "spec": {"nodeSelector": null, "tolerations": null, "containers": [{"name": "c", "image": null}], "initContainers": null, "volumes": null}, "status": {"containerStatuses": null}});
        assert!(Reader::default().read(&value).unwrap().is_some());
    }
}
