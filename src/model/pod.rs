//! The part of a pod (or pod template) that decides where it may land and which images it runs.
//!
//! The types have the shape of the Kubernetes API (`core/v1`, camelCase) and deserialise from it directly; every
//! field that archcheck does not need is skipped while parsing, so `managedFields` never live in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::{Location, PullAccess};

/// Go clients write an empty list or map as `null`; both mean "none".
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A pod template, or a pod seen as the template that would make it again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodTemplate {
    /// Labels and annotations of the pods.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: PodMetadata,
    /// What runs, and where it may.
    #[serde(deserialize_with = "null_as_default")]
    pub spec: PodSpec,
    /// Who chooses nodes for its pods.
    #[serde(skip)]
    pub placer: Placer,
    /// Something else says where its pods land, e.g. `the pods that it is injected into`: no node is certain.
    #[serde(skip)]
    pub placed_by: Option<String>,
    /// Set for live pods that run other images than their owner's template names (an older revision, or a webhook that
    /// rewrites images): the nodes that they are on. They are judged there, and nowhere else.
    #[serde(skip)]
    pub live_on: Option<BTreeSet<String>>,
}

/// Who chooses the node for a pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Placer {
    /// kube-scheduler, or one that has its filters; nobody if `spec.nodeName` is set.
    #[default]
    Scheduler,
    /// The DaemonSet controller, which tolerates more, and wants a pod on each node.
    DaemonSetController,
}

/// Labels and annotations of a pod template.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodMetadata {
    /// The pods' labels.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// The pods' annotations.
    #[serde(deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
}

/// `core/v1 PodSpec`, as far as placement and images go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// The node that the pod is bound to, if any.
    pub node_name: Option<String>,
    /// Labels that the node must have.
    #[serde(deserialize_with = "null_as_default")]
    pub node_selector: BTreeMap<String, String>,
    /// What the API server adds to `node_selector` when the pod is made, because its namespace says so. Pods that exist
    /// have it in `node_selector` already.
    #[serde(skip)]
    pub namespace_selector: BTreeMap<String, String>,
    /// Node affinity; pod affinity depends on other pods and is not looked at.
    pub affinity: Option<Affinity>,
    /// Taints that the pod tolerates.
    #[serde(deserialize_with = "null_as_default")]
    pub tolerations: Vec<Toleration>,
    /// Whether the pod uses its node's network (DaemonSets then tolerate `network-unavailable`).
    #[serde(deserialize_with = "null_as_default")]
    pub host_network: bool,
    /// The operating system that the pod declares.
    pub os: Option<PodOs>,
    /// The RuntimeClass: its handler may pull for another platform.
    pub runtime_class_name: Option<String>,
    /// The scheduler that places the pod.
    pub scheduler_name: Option<String>,
    /// The service account whose pull secrets apply when the pod names none; `default` when left out.
    pub service_account_name: Option<String>,
    /// The same by its old name. The API server gives both.
    pub service_account: Option<String>,
    /// It is the spec of a pod that exists: what the API server adds is in it already.
    #[serde(skip)]
    pub admitted: bool,
    /// The pull secrets that the pod names.
    #[serde(deserialize_with = "null_as_default")]
    pub image_pull_secrets: Vec<SecretRef>,
    /// Containers that run to completion first, or (restartPolicy Always) beside the main ones.
    #[serde(deserialize_with = "null_as_default")]
    pub init_containers: Vec<Container>,
    /// The main containers.
    #[serde(deserialize_with = "null_as_default")]
    pub containers: Vec<Container>,
    /// Debugging containers added to a live pod.
    #[serde(deserialize_with = "null_as_default")]
    pub ephemeral_containers: Vec<Container>,
    /// Volumes; only image volumes matter here.
    #[serde(deserialize_with = "null_as_default")]
    pub volumes: Vec<Volume>,
    /// Images that are only named in arguments or environment: something may start them, elsewhere. Read on demand alone.
    #[serde(skip)]
    pub mentioned: Vec<Container>,
}

impl PodSpec {
    /// The required node affinity, if the pod has one. `Some` with no terms matches no node.
    #[must_use]
    pub fn required_node_affinity(&self) -> Option<&NodeSelector> {
        self.affinity
            .as_ref()?
            .node_affinity
            .as_ref()?
            .required
            .as_ref()
    }

    /// With whose pull secrets the images are pulled, in this namespace.
    #[must_use]
    pub fn pull_access(&self, namespace: &str) -> PullAccess {
        let namespace = namespace.to_owned();
        let names: Vec<String> = self
            .image_pull_secrets
            .iter()
            .map(|secret| secret.name.clone())
            .filter(|name| !name.is_empty())
            .collect();
        if !names.is_empty() {
            return PullAccess::Secrets { namespace, names };
        }
        // Admission looks at the list alone, and an empty name in it is one all the same.
        if self.admitted || !self.image_pull_secrets.is_empty() {
            return PullAccess::Nobody;
        }
        let named = [&self.service_account_name, &self.service_account];
        let name = named.into_iter().flatten().find(|name| !name.is_empty());
        PullAccess::ServiceAccount {
            namespace,
            name: name.map_or("default", String::as_str).to_owned(),
        }
    }

    /// Keeps the containers that `keep` accepts.
    pub fn retain(&mut self, keep: impl Fn(&Container) -> bool) {
        let lists = [
            &mut self.init_containers,
            &mut self.containers,
            &mut self.ephemeral_containers,
            &mut self.mentioned,
        ];
        for list in lists {
            list.retain(&keep);
        }
    }

    /// All containers in the order in which they start: init and sidecar, main, ephemeral; then what is only mentioned.
    pub fn all_containers(&self) -> impl Iterator<Item = (ContainerRole, &Container)> {
        let init = self.init_containers.iter().map(|c| {
            let sidecar = c.restart_policy.as_deref() == Some("Always");
            (
                if sidecar {
                    ContainerRole::Sidecar
                } else {
                    ContainerRole::Init
                },
                c,
            )
        });
        let main = self
            .containers
            .iter()
            .map(|c| (ContainerRole::Container, c));
        let ephemeral = self
            .ephemeral_containers
            .iter()
            .map(|c| (ContainerRole::Ephemeral, c));
        let mentioned = self.mentioned.iter().map(|c| (ContainerRole::Mentioned, c));
        init.chain(main).chain(ephemeral).chain(mentioned)
    }
}

/// `core/v1 LocalObjectReference` to a pull secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SecretRef {
    /// The secret's name, in the pod's namespace.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
}

/// `core/v1 PodOS`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PodOs {
    /// `linux` or `windows`.
    pub name: String,
}

/// `core/v1 Affinity`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Affinity {
    /// Which nodes the pod needs.
    pub node_affinity: Option<NodeAffinity>,
}

/// `core/v1 NodeAffinity`; preferred terms never forbid a node and are skipped.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeAffinity {
    /// Terms of which one must match.
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<NodeSelector>,
}

/// `core/v1 NodeSelector`: terms are ORed; none matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeSelector {
    /// The terms.
    #[serde(deserialize_with = "null_as_default")]
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// `core/v1 NodeSelectorTerm`: requirements are ANDed; an empty term matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeSelectorTerm {
    /// Requirements on the node's labels.
    #[serde(deserialize_with = "null_as_default")]
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// Requirements on the node's fields; only `metadata.name` is known.
    #[serde(deserialize_with = "null_as_default")]
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// `core/v1 NodeSelectorRequirement`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
pub struct NodeSelectorRequirement {
    /// Label or field name.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`; anything else breaks its term.
    pub operator: String,
    /// Operands.
    #[serde(deserialize_with = "null_as_default")]
    pub values: Vec<String>,
}

/// `core/v1 Toleration`. Empty strings mean what an absent field means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
pub struct Toleration {
    /// Taint key; empty matches every key.
    #[serde(deserialize_with = "null_as_default")]
    pub key: String,
    /// `Equal` (also when empty), `Exists`, and behind a feature gate `Gt`, `Lt`.
    #[serde(deserialize_with = "null_as_default")]
    pub operator: String,
    /// Taint value.
    #[serde(deserialize_with = "null_as_default")]
    pub value: String,
    /// Taint effect; empty matches every effect.
    #[serde(deserialize_with = "null_as_default")]
    pub effect: String,
}

/// `core/v1 Container` (init and ephemeral containers have the same fields).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// The container's name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The image as written; empty when the object gives none.
    #[serde(deserialize_with = "null_as_default")]
    pub image: String,
    /// `Always`, `IfNotPresent`, `Never`.
    pub image_pull_policy: Option<String>,
    /// Replaces the image's entrypoint.
    #[serde(deserialize_with = "null_as_default")]
    pub command: Vec<String>,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Option<String>,
    /// Where the `image:` value stands, when the object came from a file.
    #[serde(skip)]
    pub location: Option<Location>,
    /// Why the object does not say which image this is (`ImageStreamTag ruby:latest is filled in`), where it does not.
    #[serde(skip)]
    pub unresolved: Option<String>,
    /// The image is pulled and its files are used, but no program of it is started: a virtual machine's disk.
    #[serde(skip)]
    pub data: bool,
}

/// Which part a container plays in its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerRole {
    /// Runs to completion before the main containers.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    /// A main container.
    Container,
    /// A debugging container; information only.
    Ephemeral,
    /// An image mounted as a volume (KEP-4639); information only.
    ImageVolume,
    /// An image named in an argument or variable; information only.
    Mentioned,
}

impl ContainerRole {
    /// Whether the pod fails when this container does.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Init | Self::Sidecar | Self::Container)
    }
}

/// `core/v1 Volume`; all but image volumes are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// The volume's name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// The image to mount, if this is an image volume.
    pub image: Option<ImageVolume>,
    /// Where the reference stands, when the object came from a file.
    #[serde(skip)]
    pub location: Option<Location>,
}

/// `core/v1 ImageVolumeSource`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ImageVolume {
    /// The reference; may be absent in templates.
    #[serde(deserialize_with = "null_as_default")]
    pub reference: String,
}

/// A container of a live pod that runs and is ready: proof that its image works on its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningContainer {
    /// The container's name.
    pub name: String,
    /// `status.containerStatuses[].imageID`, as the runtime reports it.
    pub image_id: String,
}
