//! From flags to an inventory: a cluster, or manifests with the nodes that go with them.

use super::args::{Args, KubernetesArgs};
use super::commands::is_command;
use super::error::Failure;
use super::pull_secrets::PullSecretsFrom;
use crate::glob;
use crate::input::cluster::{
    self, ClusterError, ClusterFlags, ClusterScope, ConnectError, Connection, KubeconfigNames,
    NamesError, ProxyVariables, SecretReader, Surroundings, parse_names,
};
use crate::input::files::FilesError;
use crate::input::{LabelSelector, PullObjects, Reader, files, fold};
use crate::model::Inventory;
use crate::report::{NodesFrom, Scope, Source};

/// Reads what is to be scanned.
pub(super) async fn read(
    args: &Args,
    reader: &Reader,
) -> Result<(Inventory, Scope, PullSecretsFrom), Failure> {
    let selector = args
        .select
        .selector
        .as_deref()
        .map(LabelSelector::parse)
        .transpose();
    let selector = selector.map_err(|error| Failure::new(error.to_string()))?;
    let (mut inventory, mut scope, secrets) = if args.files.any() {
        from_files(args, reader).await?
    } else {
        from_cluster(args, reader).await?
    };
    scope.selector.clone_from(&args.select.selector);
    let excluded = &args.select.exclude_namespace;
    inventory.workloads.retain(|workload| {
        let namespace = workload.id.namespace.as_str();
        selector
            .as_ref()
            .is_none_or(|selector| selector.matches(&workload.labels))
            && !excluded.iter().any(|glob| glob::matches(glob, namespace))
    });
    Ok((inventory, scope, secrets))
}

async fn from_cluster(
    args: &Args,
    reader: &Reader,
) -> Result<(Inventory, Scope, PullSecretsFrom), Failure> {
    let targets = parse_names(&args.names).map_err(|error| names_failure(&error, &args.names))?;
    let connection = connect(&args.kubernetes, true).await?;
    // Names are looked up in one namespace, as in kubectl; everything else in all.
    let namespace = match &args.select.namespace {
        _ if args.select.all_namespaces => None,
        Some(namespace) => Some(namespace.clone()),
        None if targets.is_empty() => None,
        None => Some(connection.namespace.clone()),
    };
    let scope = ClusterScope {
        namespace: namespace.clone(),
        fallback_namespace: connection.namespace.clone(),
        targets,
        nodes: args.nodes.platform.is_empty(),
        workloads: true,
        chunk_size: args.kubernetes.chunk_size,
    };
    let (connection, inventory) = read_cluster(args, reader, true, connection, &scope).await?;
    let secrets = PullSecretsFrom::Cluster(SecretReader::new(&connection));
    let source = Source::Cluster {
        context: connection.context,
        namespace,
        targets: args.names.clone(),
    };
    Ok((
        inventory,
        Scope {
            source,
            nodes_from: vec![NodesFrom::Cluster],
            selector: None,
            config: None,
            baseline: None,
            offline: args.images.offline,
        },
        secrets,
    ))
}

async fn from_files(
    args: &Args,
    reader: &Reader,
) -> Result<(Inventory, Scope, PullSecretsFrom), Failure> {
    if !args.names.is_empty() {
        return Err(Failure::new("names can't be combined with -f or -k")
            .hint("choose workloads of the files with -l"));
    }
    let sources = super::sources::load(&args.files).await?;
    let source = Source::Files(sources.names.clone());
    let read = files::read(sources, &mut std::io::stdin(), reader).map_err(files_failure)?;
    let mut objects = read.objects;
    if let Some(namespace) = &args.select.namespace {
        for object in objects
            .iter_mut()
            .filter(|object| object.id.namespace.is_empty())
        {
            object.id.namespace.clone_from(namespace);
        }
        // As in a cluster: nothing of other namespaces. Nodes and namespaces are in none.
        objects.retain(|object| {
            object.templates().next().is_none()
                || args.select.all_namespaces
                || object.id.namespace == *namespace
        });
    }
    let secrets = PullSecretsFrom::Files(PullObjects::of(&objects));
    let mut inventory = fold(objects);
    inventory.incomplete = read.incomplete;
    let mut nodes_from = Vec::new();
    let named = !args.nodes.platform.is_empty();
    if !named && !inventory.nodes.is_empty() {
        inventory.nodes_listed = true;
        nodes_from.push(NodesFrom::Files);
    } else if !named {
        nodes_of_cluster(args, reader, &mut inventory, &mut nodes_from).await?;
    }
    Ok((
        inventory,
        Scope {
            source,
            nodes_from,
            selector: None,
            config: None,
            baseline: None,
            offline: args.images.offline,
        },
        secrets,
    ))
}

/// Manifests without nodes are checked against the nodes of the configured cluster, if there is one. In-cluster
/// configuration is never used: a CI job that happens to run in a pod must not depend on that pod's cluster.
async fn nodes_of_cluster(
    args: &Args,
    reader: &Reader,
    inventory: &mut Inventory,
    nodes_from: &mut Vec<NodesFrom>,
) -> Result<(), Failure> {
    let connection = match connect(&args.kubernetes, false).await {
        Ok(connection) => connection,
        Err(_) if !args.nodes.add_platform.is_empty() => return Ok(()),
        Err(failure) => {
            // A broken document may have been the nodes.
            let broken = inventory.incomplete.first();
            let broken = broken.map_or_else(String::new, |entry| {
                format!("; {} could not be read: {}", entry.what, entry.why)
            });
            return Err(Failure::new(format!(
                "which nodes? There are no Node objects among the files, and no cluster to take them from ({}){broken}",
                failure.message()
            ))
            .hint("name the platforms, as in --platform linux/amd64 --platform linux/arm64"));
        }
    };
    let scope = ClusterScope {
        namespace: None,
        fallback_namespace: connection.namespace.clone(),
        targets: Vec::new(),
        nodes: true,
        workloads: false,
        chunk_size: args.kubernetes.chunk_size,
    };
    let reading = read_cluster(args, reader, false, connection, &scope).await;
    let (_, cluster) = reading.map_err(|failure| {
        failure.hint("or name the platforms, as in --platform linux/amd64 --platform linux/arm64")
    })?;
    inventory.nodes = cluster.nodes;
    inventory.nodes_listed = cluster.nodes_listed;
    inventory.incomplete.extend(cluster.incomplete);
    nodes_from.push(NodesFrom::Cluster);
    Ok(())
}

/// Reads a cluster; once more with a new credential where that of a plugin is refused: it may have been kept too long.
async fn read_cluster(
    args: &Args,
    reader: &Reader,
    in_cluster: bool,
    connection: Connection,
    scope: &ClusterScope,
) -> Result<(Connection, Inventory), Failure> {
    match cluster::read(&connection, scope, reader).await {
        Err(ClusterError::Unauthorized { .. }) if connection.by_plugin => {
            let again = connect(&args.kubernetes, in_cluster).await?;
            let read = cluster::read(&again, scope, reader).await;
            Ok((again, read.map_err(cluster_failure)?))
        }
        read => Ok((connection, read.map_err(cluster_failure)?)),
    }
}

/// A connection to the cluster that the flags lead to.
pub(super) async fn connect(
    args: &KubernetesArgs,
    in_cluster: bool,
) -> Result<Connection, Failure> {
    cluster::connect(&flags(args), &surroundings(in_cluster))
        .await
        .map_err(connect_failure)
}

/// What could be named with `--context`, `--cluster` and `--user`.
pub(super) fn kubeconfig_names(args: &KubernetesArgs) -> KubeconfigNames {
    cluster::kubeconfig_names(&flags(args), &surroundings(false))
}

fn flags(args: &KubernetesArgs) -> ClusterFlags {
    ClusterFlags {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        cluster: args.cluster.clone(),
        user: args.user.clone(),
        server: args.server.clone(),
        token: args.token.clone(),
        as_user: args.as_user.clone(),
        as_group: args.as_group.clone(),
        as_uid: args.as_uid.clone(),
        as_user_extra: args.as_user_extra.clone(),
        certificate_authority: args.certificate_authority.clone(),
        client_certificate: args.client_certificate.clone(),
        client_key: args.client_key.clone(),
        insecure_skip_tls_verify: args.insecure_skip_tls_verify,
        tls_server_name: args.tls_server_name.clone(),
        request_timeout: args.request_timeout,
        disable_compression: args.disable_compression,
    }
}

/// The one place that reads the environment for clusters.
fn surroundings(in_cluster: bool) -> Surroundings {
    let either = |lower: &str, upper: &str| {
        std::env::var(lower)
            .ok()
            .filter(|v| !v.is_empty())
            .or_else(|| std::env::var(upper).ok())
    };
    let kubeconfig = std::env::var_os("KUBECONFIG")
        .map(|list| std::env::split_paths(&list).collect())
        .unwrap_or_default();
    Surroundings {
        kubeconfig,
        home: std::env::home_dir(),
        proxies: ProxyVariables {
            https: either("https_proxy", "HTTPS_PROXY"),
            http: either("http_proxy", "HTTP_PROXY"),
            no: either("no_proxy", "NO_PROXY"),
        },
        in_cluster: in_cluster && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
    }
}

fn names_failure(error: &NamesError, names: &[String]) -> Failure {
    let failure = Failure::new(error.to_string());
    match names.first() {
        Some(name) if is_command(name) => {
            failure.hint(format!("commands come first: kubectl archcheck {name}"))
        }
        _ => failure,
    }
}

fn connect_failure(error: ConnectError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        ConnectError::NoConfig(_) => {
            failure.hint("point --kubeconfig or KUBECONFIG at one, or check manifests with -f")
        }
        ConnectError::NoContext(_) => failure.hint("choose one with --context"),
        ConnectError::Plugin {
            install_hint: Some(hint),
            ..
        } => failure.hint(hint),
        _ => failure,
    }
}

fn files_failure(error: FilesError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        FilesError::NoObjects(_) => failure.hint(
            "if it comes through a pipe, the command before may have failed: with set -o pipefail the shell says so",
        ),
        _ => failure,
    }
}

fn cluster_failure(error: ClusterError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        ClusterError::Unauthorized { .. } => {
            failure.hint("log in again; kubectl get nodes should work with the same flags")
        }
        ClusterError::Unreachable { .. } | ClusterError::NotKubernetes { .. } => failure.hint(
            "check the context and the network; kubectl get nodes should work with the same flags",
        ),
        ClusterError::Names(_) => failure,
        ClusterError::NotFound { .. } => {
            failure.hint("names are looked up in one namespace; choose it with -n")
        }
    }
}
