//! The flags, as close to the command line as possible; nothing is looked up here. One file for each group of `--help`.

mod command;
mod files;
mod images;
mod known;
mod kubernetes;
mod nodes;
mod output;
mod select;

use clap::{ArgAction, Parser};

pub(super) use command::{Command, CompletionArgs, DocumentFormat, RulesArgs, Shell};
pub(super) use files::FileArgs;
pub(super) use images::{ImageArgs, PullSecretsFlag};
pub(super) use known::KnownArgs;
pub(super) use kubernetes::KubernetesArgs;
pub(super) use nodes::NodeArgs;
pub(super) use output::{ColorChoice, FailOnFlag, OutputArgs, Show};
pub(super) use select::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  kubectl archcheck                                  the whole cluster
  kubectl archcheck -n shop deploy/web               one workload
  kubectl archcheck --platform linux/arm64           what breaks on arm64 nodes?
  helm template . | kubectl archcheck -f - --platform linux/amd64 --platform linux/arm64
  kubectl get nodes,deploy,ds,sts,cj,pods -A -o yaml > dump.yaml; kubectl archcheck -f dump.yaml

Exit codes:
  0  checked, nothing at or above --fail-on
  1  findings at or above --fail-on
  2  no such finding, but something could not be checked
  3  could not run";

/// Finds pods that will fail because an image was built for another CPU architecture.
///
/// Works out on which nodes each pod may land, asks each image's registry what the image really holds, and says
/// which pods will fail, where, why, and with which message. Nothing in the cluster is changed.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-archcheck",
    version,
    after_help = EXAMPLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    // What follows a name or flag of the scan is a name again: `deploy rules` is a Deployment called rules.
    args_conflicts_with_subcommands = true,
    subcommand_help_heading = "Other commands",
    subcommand_value_name = "COMMAND"
)]
pub struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// What to scan: TYPE/NAME, or TYPE NAME…; everything when left out
    #[arg(value_name = "TYPE/NAME")]
    pub names: Vec<String>,

    #[command(flatten)]
    pub(super) files: FileArgs,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) nodes: NodeArgs,
    #[command(flatten)]
    pub(super) images: ImageArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) known: KnownArgs,
    #[command(flatten)]
    pub(super) kubernetes: KubernetesArgs,

    /// Say more on stderr (-v, -vv, or -v=N as in kubectl)
    #[arg(
        short = 'v', long = "v", value_name = "N", action = ArgAction::Append,
        num_args = 0..=1, require_equals = true, default_missing_value = "1",
        hide_default_value = true, help_heading = "Output"
    )]
    verbose: Vec<u8>,
}

impl Args {
    /// The sum of all `-v`.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.verbose.iter().fold(0, |sum, v| sum.saturating_add(*v))
    }
}
