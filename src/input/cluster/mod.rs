//! A live cluster, through kube-rs: `connect` makes a client by kubectl's rules, `discover` finds the kinds that may run
//! images, `list` reads kinds page by page, `names` says what the user named, `choices` what could be, `secrets` reads pull
//! secrets by name.

mod choices;
mod connect;
mod discover;
mod exec_plugin;
mod list;
mod names;
mod proxy;
mod secrets;

use futures::StreamExt as _;

pub use self::choices::{KubeconfigNames, kubeconfig_names, names};
pub use self::connect::{ClusterFlags, ConnectError, Connection, Surroundings, connect};
use self::discover::{Discovered, discover};
pub use self::exec_plugin::PluginError;
use self::list::{ListFailure, Listed, Lister};
use self::names::known;
pub use self::names::{NamesError, Target, parse_names};
pub use self::proxy::ProxyVariables;
pub use self::secrets::{SecretReader, SecretsFailure};
use super::custom::CustomKinds;
use super::fold::{fold, topmost};
use super::kinds::{KINDS, Kind, Shape};
use super::objects::{Object, Reader, Role};
use crate::model::{Incomplete, Inventory, ObjectId};
use crate::placement::{is_openshift_namespace, is_openshift_node};

/// How many kinds are listed at a time.
const AT_A_TIME: usize = 4;

/// What of a cluster is to be read.
#[derive(Debug, Clone)]
pub struct ClusterScope {
    /// One namespace, or all.
    pub namespace: Option<String>,
    /// The namespace to fall back to where listing across namespaces is forbidden.
    pub fallback_namespace: String,
    /// Named objects; none means everything.
    pub targets: Vec<Target>,
    /// Whether nodes are needed: not where `--platform` names them all.
    pub nodes: bool,
    /// Whether workloads are needed: not where manifests are checked against a cluster's nodes.
    pub workloads: bool,
    /// How many objects to list at a time; 0 for all.
    pub chunk_size: u32,
}

/// Why a cluster could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The API server does not know us.
    #[error("the API server at {server} does not accept these credentials: {detail}")]
    Unauthorized {
        /// The server.
        server: String,
        /// Its words.
        detail: String,
    },
    /// No connection.
    #[error("the API server at {server} could not be reached: {detail}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the network said.
        detail: String,
    },
    /// Something answers that is no API server.
    #[error("what answers at {server} is no Kubernetes API server")]
    NotKubernetes {
        /// The server.
        server: String,
    },
    /// A named type isn't there.
    #[error(transparent)]
    Names(#[from] NamesError),
    /// A named object isn't there.
    #[error("Error from server (NotFound): {resource} {name:?} not found")]
    NotFound {
        /// `deployments.apps`.
        resource: String,
        /// The name.
        name: String,
    },
}

/// Reads a cluster.
///
/// # Errors
/// When nothing can be read, or a named object isn't there.
pub async fn read(
    connection: &Connection,
    scope: &ClusterScope,
    reader: &Reader,
) -> Result<Inventory, ClusterError> {
    let lister = Lister::new(connection.client.clone(), scope.chunk_size);
    let mut reading = Reading::default();
    let custom = if scope.workloads {
        reading.discovered(discover(&lister, reader.custom()).await)
    } else {
        Vec::new()
    };
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|kind| match kind.shape {
            Shape::Node => scope.nodes,
            // Only of OpenShift, and its nodes must be seen first.
            Shape::MirrorSet => false,
            _ => scope.workloads,
        })
        // What is in no namespace is not in the one that was asked for.
        .chain(
            custom
                .iter()
                .filter(|kind| kind.namespaced || scope.namespace.is_none()),
        )
        .collect();
    let targets = targets(&kinds, scope)?;
    let kinds: Vec<&Kind> = kinds
        .into_iter()
        .filter(|kind| bears_on(kind, &targets))
        .collect();
    let listed = list_all(&lister, &kinds, scope.namespace.as_deref(), reader).await;
    let mut forbidden = Vec::new();
    for (kind, result) in listed {
        match result {
            Err(ListFailure::Forbidden(why))
                if scope.namespace.is_none() && kind.shape != Shape::Node =>
            {
                forbidden.push((kind, why));
            }
            result => reading.add(kind, scope.namespace.as_deref(), result),
        }
    }
    let needs_fallback = forbidden
        .iter()
        .any(|(kind, _)| kind.shape.runs_pods() && kind.shape != Shape::Custom);
    if needs_fallback {
        let kinds: Vec<_> = forbidden
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| kind.namespaced || kind.shape == Shape::Namespace)
            .collect();
        let namespace = scope.fallback_namespace.as_str();
        for (kind, result) in list_all(&lister, &kinds, Some(namespace), reader).await {
            reading.add(kind, Some(namespace), result);
        }
        reading.only_one_namespace(namespace, &forbidden);
    } else {
        for (kind, why) in forbidden {
            reading.add(kind, None, Err(ListFailure::Forbidden(why)));
        }
    }
    reading.say_custom(reader.custom(), scope.namespace.as_deref());
    if reading.is_openshift() {
        let kinds: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.shape == Shape::MirrorSet)
            .collect();
        for (kind, result) in list_all(&lister, &kinds, None, reader).await {
            reading.add(kind, None, result);
        }
    }
    reading.nothing_at_all(connection)?;
    let wanted = wanted(&reading.objects, &targets)?;
    let mut inventory = fold(reading.objects);
    if !scope.targets.is_empty() {
        inventory
            .workloads
            .retain(|workload| wanted.contains(&workload.id));
    }
    inventory.nodes_listed = reading.nodes_listed;
    inventory.incomplete = reading.incomplete;
    Ok(inventory)
}

async fn list_all<'k>(
    lister: &Lister,
    kinds: &[&'k Kind],
    namespace: Option<&str>,
    reader: &Reader,
) -> Vec<(&'k Kind, Result<Listed, ListFailure>)> {
    let lists = futures::stream::iter(kinds.iter().copied())
        .map(|kind| async move { (kind, lister.list(kind, namespace, reader).await) });
    // In the order of the table, whichever answers first: reports are stable.
    lists.buffered(AT_A_TIME).collect().await
}

/// The kinds and names of what the user named.
fn targets<'k>(
    kinds: &[&'k Kind],
    scope: &ClusterScope,
) -> Result<Vec<(&'k Kind, String)>, ClusterError> {
    let targets = scope.targets.iter();
    targets
        .map(|target| Ok((known(kinds, &target.kind)?, target.name.clone())))
        .collect()
}

/// Whether a kind has to be listed for what the user named: as one of its kinds, as what these make, or as what may have
/// made them. Without names everything is wanted.
fn bears_on(kind: &Kind, targets: &[(&Kind, String)]) -> bool {
    if targets.is_empty() || !kind.shape.runs_pods() {
        return true;
    }
    targets.iter().any(|(target, _)| {
        let made = match (target.kind.as_str(), kind.kind.as_str()) {
            (_, "Pod") | ("Deployment", "ReplicaSet") | ("CronJob", "Job") => true,
            // Any controller may own these, and a custom resource may make anything.
            ("Pod" | "ReplicaSet" | "Job", _) => true,
            _ => target.shape == Shape::Custom,
        };
        made || *target == kind
    })
}

/// The workloads that the named objects belong to.
fn wanted(objects: &[Object], targets: &[(&Kind, String)]) -> Result<Vec<ObjectId>, ClusterError> {
    targets
        .iter()
        .map(|(kind, name)| {
            topmost(objects, kind, name).ok_or_else(|| ClusterError::NotFound {
                resource: kind.resource(),
                name: name.clone(),
            })
        })
        .collect()
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    objects: Vec<Object>,
    incomplete: Vec<Incomplete>,
    nodes_listed: bool,
    answered: bool,
    unauthorized: Option<String>,
    unreachable: Option<String>,
    /// Kinds of custom resources that could not be listed.
    custom: Vec<(Kind, String)>,
}

impl Reading {
    /// The kinds of custom resources; what could not be found out about them is noted.
    fn discovered(&mut self, discovered: Result<Discovered, ListFailure>) -> Vec<Kind> {
        let (kinds, silent) = match discovered {
            Ok(Discovered { kinds, silent }) => (kinds, silent),
            Err(failure) => (Vec::new(), vec![("all groups".to_owned(), failure)]),
        };
        for (group, failure) in silent {
            self.incomplete.push(Incomplete {
                what: format!("custom resources: {group}"),
                why: failure.to_string(),
                hint: "kubectl api-resources should list them".to_owned(),
                matters: true,
            });
        }
        kinds
    }

    fn add(&mut self, kind: &Kind, namespace: Option<&str>, result: Result<Listed, ListFailure>) {
        let what = match namespace {
            Some(namespace) if kind.shape.runs_pods() => {
                format!("{} in namespace {namespace}", kind.resource())
            }
            Some(namespace) if kind.shape == Shape::Namespace => format!("namespace {namespace}"),
            _ => kind.resource(),
        };
        let failure = match result {
            Ok(listed) => {
                self.answered = true;
                self.nodes_listed |= kind.shape == Shape::Node;
                self.objects.extend(listed.objects);
                self.incomplete
                    .extend(listed.broken.into_iter().map(|(name, why)| Incomplete {
                        what: format!("{} {name}", kind.resource()),
                        why,
                        hint: "the object has a form that this version does not know".to_owned(),
                        matters: true,
                    }));
                return;
            }
            Err(failure) => failure,
        };
        if kind.shape == Shape::Custom {
            // A kind that is gone since it was discovered hides nothing.
            if failure != ListFailure::Absent {
                self.custom.push((kind.clone(), failure.to_string()));
            }
            return;
        }
        let absent = failure == ListFailure::Absent;
        let (why, hint) = match failure {
            // It has no workloads, which must not look like all being well.
            ListFailure::Absent if kind.shape == Shape::Namespace && namespace.is_some() => (
                "there is no such namespace".to_owned(),
                "correct -n".to_owned(),
            ),
            // Every cluster has these: whatever answers is no API server, or does not let us see one.
            ListFailure::Absent if kind.group.is_empty() => (
                "there is no such API at this server".to_owned(),
                "check --server and the context".to_owned(),
            ),
            // An API that a cluster doesn't have hides nothing.
            ListFailure::Absent => return,
            ListFailure::Forbidden(why) if kind.shape == Shape::Node => {
                self.answered = true;
                (
                    why,
                    "name the nodes' platforms with --platform, or ask for list on nodes"
                        .to_owned(),
                )
            }
            ListFailure::Forbidden(why) => {
                self.answered = true;
                // The same words for every kind: people's formats show what is advised alike in one place.
                let hint = if kind.shape == Shape::Namespace && namespace.is_some() {
                    "ask for the verb get on it"
                } else {
                    "ask for the verb list on it; the README has the ClusterRole"
                };
                (why, hint.to_owned())
            }
            ListFailure::Unauthorized(why) => {
                self.unauthorized.get_or_insert(why.clone());
                (why, "log in again".to_owned())
            }
            ListFailure::Unreachable(why) => {
                self.unreachable.get_or_insert(why.clone());
                (why, "try again".to_owned())
            }
            ListFailure::Refused(why) => {
                self.answered = true;
                (
                    why,
                    "try again, perhaps with a smaller --chunk-size".to_owned(),
                )
            }
        };
        let matters = match kind.shape {
            // It makes no pods, and the stock role `view` does not show them.
            Shape::PodTemplate => false,
            // Only OpenShift's annotations choose nodes; a namespace that isn't there is another matter.
            Shape::Namespace => absent || self.is_openshift(),
            // A digest is the same image wherever it comes from; only mirrored tags, which are rare, could differ.
            Shape::MirrorSet => false,
            _ => true,
        };
        self.incomplete.push(Incomplete {
            what,
            why,
            hint,
            matters,
        });
    }

    /// One entry for all that lies in other namespaces.
    fn only_one_namespace(&mut self, namespace: &str, forbidden: &[(&Kind, String)]) {
        let unseen: Vec<_> = forbidden
            .iter()
            .filter(|(kind, _)| kind.shape.runs_pods())
            .collect();
        let kinds: Vec<_> = unseen.iter().map(|(kind, _)| kind.resource()).collect();
        self.incomplete.push(Incomplete {
            what: format!("all namespaces but {namespace}: {}", kinds.join(", ")),
            why: unseen.first().map(|(_, why)| why.clone()).unwrap_or_default(),
            hint: format!(
                "ask for a ClusterRole with the verb list on these; to check {namespace} alone, give -n {namespace}"
            ),
            matters: true,
        });
    }

    /// One entry for all kinds of custom resources that could not be listed. It matters where one of them may start pods
    /// that are not there now; what runs is seen in the pods.
    fn say_custom(&mut self, table: &CustomKinds, namespace: Option<&str>) {
        let Some((_, why)) = self.custom.first() else {
            return;
        };
        let to_come = |kind: &Kind| {
            let entry = table.find(&kind.group, &kind.kind);
            entry.is_none_or(|entry| entry.pods_to_come)
        };
        let resources: Vec<_> = self
            .custom
            .iter()
            .map(|(kind, _)| kind.resource())
            .collect();
        let place = namespace
            .map(|n| format!(" in namespace {n}"))
            .unwrap_or_default();
        self.incomplete.push(Incomplete {
            what: format!("custom resources{place}: {}", resources.join(", ")),
            why: why.clone(),
            hint: "ask for the verb list on these".to_owned(),
            matters: self.custom.iter().any(|(kind, _)| to_come(kind)),
        });
    }

    fn nothing_at_all(&self, connection: &Connection) -> Result<(), ClusterError> {
        let server = connection.server.clone();
        if let Some(detail) = &self.unauthorized {
            return Err(ClusterError::Unauthorized {
                server,
                detail: detail.clone(),
            });
        }
        match &self.unreachable {
            Some(detail) if !self.answered => Err(ClusterError::Unreachable {
                server,
                detail: detail.clone(),
            }),
            None if !self.answered => Err(ClusterError::NotKubernetes { server }),
            _ => Ok(()),
        }
    }

    /// By the nodes, which are read first, or the namespaces.
    fn is_openshift(&self) -> bool {
        self.objects.iter().any(|object| match &object.role {
            Role::Node(node) => is_openshift_node(node),
            Role::Namespace => is_openshift_namespace(&object.annotations),
            _ => false,
        })
    }
}
