//! Names to choose from while a command is typed: of the kubeconfig's entries, and of a cluster's objects. What can't be
//! read is no choice.

use http::{Request, header};
use serde::Deserialize;

use super::connect::{self, ClusterFlags, Connection, Surroundings};
use crate::input::kinds::Kind;

/// No one chooses among more.
const MOST: u32 = 1_000;
/// Names without what they name; a server that doesn't know the first form sends the second.
const NAMES_ONLY: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// The entries of a kubeconfig.
#[derive(Debug, Default)]
pub struct KubeconfigNames {
    /// Contexts.
    pub contexts: Vec<String>,
    /// Clusters.
    pub clusters: Vec<String>,
    /// Users.
    pub users: Vec<String>,
}

/// Reads the names of a kubeconfig's entries.
#[must_use]
pub fn kubeconfig_names(flags: &ClusterFlags, surroundings: &Surroundings) -> KubeconfigNames {
    let files = connect::kubeconfig_files(flags, surroundings);
    let Ok(Some(config)) = connect::load(flags, &files) else {
        return KubeconfigNames::default();
    };
    KubeconfigNames {
        contexts: config.contexts.into_iter().map(|c| c.name).collect(),
        clusters: config.clusters.into_iter().map(|c| c.name).collect(),
        users: config.auth_infos.into_iter().map(|u| u.name).collect(),
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

/// The names of a kind's objects, by one request.
pub async fn names(connection: &Connection, kind: &Kind, namespace: Option<&str>) -> Vec<String> {
    let path = format!("{}?limit={MOST}", kind.path(namespace));
    let request = Request::get(path)
        .header(header::ACCEPT, NAMES_ONLY)
        .body(Vec::new());
    let Ok(request) = request else {
        return Vec::new();
    };
    match connection.client.request::<List>(request).await {
        Ok(list) => list
            .items
            .into_iter()
            .map(|item| item.metadata.name)
            .collect(),
        Err(_) => Vec::new(),
    }
}
