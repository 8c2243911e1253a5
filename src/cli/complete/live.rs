//! Choices out of the kubeconfig and the cluster. Whoever waits for them has a hand on the keyboard: they come soon, or
//! not at all.

use std::time::Duration;

use clap::{Args as _, Command, FromArgMatches as _};

use super::Choice;
use super::line::Line;
use crate::cli::args::KubernetesArgs;
use crate::cli::inventory;
use crate::input::cluster::{self, Connection, KubeconfigNames};
use crate::input::kinds::{KINDS, Kind, Shape};

/// For the connection, a credential plugin and the list together.
const LONGEST: Duration = Duration::from_secs(3);

/// The names of a kubeconfig that `pick` wants.
pub(super) fn kubeconfig(
    line: &Line<'_>,
    pick: impl FnOnce(KubeconfigNames) -> Vec<String>,
) -> Vec<Choice> {
    let names = flags(line).map(|flags| inventory::kubeconfig_names(&flags));
    names.map(|names| bare(pick(names))).unwrap_or_default()
}

/// The cluster's namespaces.
pub(super) fn namespaces(line: &Line<'_>) -> Vec<Choice> {
    let is_namespace = |kind: &&Kind| kind.shape == Shape::Namespace;
    let Some(kind) = KINDS.iter().find(is_namespace) else {
        return Vec::new();
    };
    bare(ask(line, async |connection| {
        cluster::names(&connection, kind, None).await
    }))
}

/// The workloads of a kind, as `typed/NAME` where a type was typed before a slash. Those that stand there already are
/// left out.
pub(super) fn workloads(line: &Line<'_>, kind: &Kind, typed: &str) -> Vec<Choice> {
    if !kind.shape.runs_pods() {
        return Vec::new();
    }
    let names = ask(line, async |connection| {
        let namespace = line.value("namespace").unwrap_or(&connection.namespace);
        cluster::names(&connection, kind, Some(namespace)).await
    });
    let full = names.into_iter().map(|name| match typed {
        "" => name,
        typed => format!("{typed}/{name}"),
    });
    bare(
        full.filter(|name| !line.names.contains(&name.as_str()))
            .collect(),
    )
}

fn bare(names: Vec<String>) -> Vec<Choice> {
    names.into_iter().map(Choice::bare).collect()
}

/// Asks the cluster that the line's flags lead to.
fn ask<F>(line: &Line<'_>, question: impl FnOnce(Connection) -> F) -> Vec<String>
where
    F: Future<Output = Vec<String>>,
{
    let Some(flags) = flags(line) else {
        return Vec::new();
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Vec::new();
    };
    let answer = runtime.block_on(async {
        let asking = async {
            match inventory::connect(&flags, true).await {
                Ok(connection) => question(connection).await,
                Err(_) => Vec::new(),
            }
        };
        tokio::time::timeout(LONGEST, asking).await
    });
    // A credential plugin that still waits for something is not waited for.
    runtime.shutdown_background();
    answer.unwrap_or_default()
}

/// kubectl's own flags as they stand in the line; none where one can't be read.
fn flags(line: &Line<'_>) -> Option<KubernetesArgs> {
    let command = KubernetesArgs::augment_args(Command::new("complete").no_binary_name(true));
    let theirs = |id: &clap::Id| command.get_arguments().any(|flag| flag.get_id() == id);
    let words: Vec<String> = line
        .flags
        .iter()
        .filter(|(flag, _)| theirs(flag.get_id()))
        .filter_map(|(flag, value)| {
            let name = flag.get_long()?;
            Some(value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")))
        })
        .collect();
    let matches = command.try_get_matches_from(words).ok()?;
    KubernetesArgs::from_arg_matches(&matches).ok()
}
