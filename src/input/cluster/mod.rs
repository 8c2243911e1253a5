//! A live cluster, through kube-rs: `connect` makes a client by kubectl's rules, `list` reads kinds page by page,
//! `names` says what the user named, `secrets` reads pull secrets by name.

mod connect;
mod exec_plugin;
mod list;
mod names;
mod proxy;
mod secrets;

use futures::StreamExt as _;

pub use self::connect::{ClusterFlags, ConnectError, Connection, Surroundings, connect};
pub use self::exec_plugin::PluginError;
use self::list::{ListFailure, Listed, Lister};
pub use self::names::{NamesError, Target, parse_names};
pub use self::proxy::ProxyVariables;
pub use self::secrets::{SecretReader, SecretsFailure};
use super::fold::{fold, topmost};
use super::kinds::{KINDS, Kind, Shape};
use super::objects::{Object, Role};
use crate::model::{Incomplete, Inventory};
use crate::placement::is_openshift_node;

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
) -> Result<Inventory, ClusterError> {
    let lister = Lister::new(connection.client.clone(), scope.chunk_size);
    let kinds: Vec<&'static Kind> = KINDS
        .iter()
        .filter(|kind| {
            if kind.shape == Shape::Node {
                scope.nodes
            } else {
                scope.workloads
            }
        })
        .collect();
    let listed = list_all(&lister, &kinds, scope.namespace.as_deref()).await;
    let mut reading = Reading::default();
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
        .any(|(kind, _): &(&Kind, String)| kind.shape.runs_pods());
    if needs_fallback {
        let kinds: Vec<_> = forbidden.iter().map(|(kind, _)| *kind).collect();
        let namespace = scope.fallback_namespace.as_str();
        for (kind, result) in list_all(&lister, &kinds, Some(namespace)).await {
            reading.add(kind, Some(namespace), result);
        }
        reading.only_one_namespace(namespace, &forbidden);
    } else {
        for (kind, why) in forbidden {
            reading.add(kind, None, Err(ListFailure::Forbidden(why)));
        }
    }
    reading.nothing_at_all(connection)?;
    let wanted = wanted(&reading.objects, scope)?;
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

async fn list_all(
    lister: &Lister,
    kinds: &[&'static Kind],
    namespace: Option<&str>,
) -> Vec<(&'static Kind, Result<Listed, ListFailure>)> {
    let lists = futures::stream::iter(kinds.iter().copied())
        .map(|kind| async move { (kind, lister.list(kind, namespace).await) });
    // In the order of the table, whichever answers first: reports are stable.
    lists.buffered(AT_A_TIME).collect().await
}

/// The workloads that the named objects belong to.
fn wanted(
    objects: &[Object],
    scope: &ClusterScope,
) -> Result<Vec<crate::model::ObjectId>, ClusterError> {
    scope
        .targets
        .iter()
        .map(|target| {
            topmost(objects, target.kind.kind, &target.name).ok_or_else(|| ClusterError::NotFound {
                resource: target.kind.resource(),
                name: target.name.clone(),
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
}

impl Reading {
    fn add(
        &mut self,
        kind: &'static Kind,
        namespace: Option<&str>,
        result: Result<Listed, ListFailure>,
    ) {
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
    fn only_one_namespace(&mut self, namespace: &str, forbidden: &[(&'static Kind, String)]) {
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

    /// By the nodes, which are read first.
    fn is_openshift(&self) -> bool {
        self.objects
            .iter()
            .any(|object| matches!(&object.role, Role::Node(node) if is_openshift_node(node)))
    }
}
