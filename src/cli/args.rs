//! The flags, as close to the command line as possible; nothing is looked up here.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs, Parser, ValueEnum};

use super::duration;
use super::flags::{OutputFlag, RuntimeFlag, parse_output, parse_platform, parse_runtime};
use crate::image::Platform;

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
    disable_help_subcommand = true
)]
pub struct Args {
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

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Manifests instead of a cluster")]
pub(super) struct FileArgs {
    /// Scan rendered manifests: a file, a directory, or - for standard input (can be repeated)
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE|DIR|-",
        value_delimiter = ','
    )]
    pub(super) filename: Vec<String>,

    /// Go through directories of -f recursively
    #[arg(short = 'R', long, requires = "filename")]
    pub(super) recursive: bool,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "What to scan")]
pub(super) struct SelectArgs {
    /// Only this namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,

    /// All namespaces (the default without names)
    #[arg(short = 'A', long, conflicts_with = "names")]
    pub(super) all_namespaces: bool,

    /// Leave out namespaces (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude_namespace: Vec<String>,

    /// Only workloads whose own labels match, e.g. app=web,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names")]
    pub(super) selector: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Nodes")]
pub(super) struct NodeArgs {
    /// Check against this platform instead of the cluster's nodes (can be repeated)
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = parse_platform)]
    pub(super) platform: Vec<Platform>,

    /// Check against this platform as well as the cluster's nodes (can be repeated)
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = parse_platform, conflicts_with = "platform")]
    pub(super) add_platform: Vec<Platform>,

    /// Container runtime of nodes that don't say: containerd, cri-o or docker
    #[arg(long, value_name = "NAME[://VERSION]", value_parser = parse_runtime, default_value = "containerd://2.1")]
    pub(super) runtime: RuntimeFlag,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Images")]
pub(super) struct ImageArgs {
    /// An OCI image layout (directory or tar) or docker save archive, asked before any registry (can be repeated)
    #[arg(long, value_name = "[REF=]PATH")]
    pub(super) images: Vec<String>,

    /// Credentials for registries, asked before your own (a docker config.json or containers auth.json)
    #[arg(long, value_name = "FILE")]
    pub(super) registry_config: Option<PathBuf>,

    /// Speak plain http to this registry host (can be repeated)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) plain_http: Vec<String>,

    /// Accept any certificate from this registry host, or plain http (can be repeated)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) insecure_registry: Vec<String>,

    /// Trust the certificates in this PEM file, for registries (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub(super) registry_ca: Vec<PathBuf>,

    /// How long one request to a registry may take
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "15s")]
    pub(super) registry_timeout: Duration,

    /// Ask only these registry hosts; images of others are unknown (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(super) allow_registry: Vec<String>,

    /// How long the whole run may take; what is left then is unknown
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(super) timeout: Option<Duration>,

    /// How many requests to registries at a time, over all hosts
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) concurrency: u16,
}

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// table, wide, name, json or yaml, to a file with =FILE (can be repeated) [default: table]
    #[arg(short = 'o', long, value_name = "FORMAT[=FILE]", value_parser = parse_output)]
    pub(super) output: Vec<OutputFlag>,

    /// What table and wide list
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "findings",
        hide_possible_values = false
    )]
    pub(super) show: Show,

    /// Print no header and summary lines
    #[arg(long)]
    pub(super) no_headers: bool,

    /// When to colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,

    /// From which verdict on to exit with 1
    #[arg(long, value_name = "VERDICT", default_value = "at-risk")]
    pub(super) fail_on: FailOnFlag,

    /// Don't exit with 2 when something could not be checked
    #[arg(long)]
    pub(super) allow_unknown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Show {
    /// What is wrong or unknown
    Findings,
    /// Everything
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOnFlag {
    /// A failure on some node is enough
    AtRisk,
    /// A failure on every node
    Fails,
    /// Findings never close the gate
    Never,
}

/// kubectl's own flags (cli-runtime `genericclioptions/config_flags.go`).
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Kubernetes, as in kubectl")]
pub(super) struct KubernetesArgs {
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
    /// The kubeconfig cluster to use
    #[arg(long, value_name = "NAME")]
    pub(super) cluster: Option<String>,
    /// The kubeconfig user to use
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Address and port of the API server
    #[arg(short = 's', long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub(super) as_user: Option<String>,
    /// Group to impersonate (can be repeated)
    #[arg(long, value_name = "GROUP")]
    pub(super) as_group: Vec<String>,
    /// UID to impersonate
    #[arg(long, value_name = "UID")]
    pub(super) as_uid: Option<String>,
    /// Extra field to impersonate, KEY=VALUE (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) as_user_extra: Vec<String>,
    /// CA certificate of the API server
    #[arg(long, value_name = "FILE")]
    pub(super) certificate_authority: Option<PathBuf>,
    /// Client certificate for TLS
    #[arg(long, value_name = "FILE")]
    pub(super) client_certificate: Option<PathBuf>,
    /// Client key for TLS
    #[arg(long, value_name = "FILE")]
    pub(super) client_key: Option<PathBuf>,
    /// Don't check the API server's certificate
    #[arg(long)]
    pub(super) insecure_skip_tls_verify: bool,
    /// Server name to check the certificate against
    #[arg(long, value_name = "NAME")]
    pub(super) tls_server_name: Option<String>,
    /// How long one request to the API server may take; 0 for no limit
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "0")]
    pub(super) request_timeout: Duration,
    /// Don't ask the API server to compress its answers
    #[arg(long)]
    pub(super) disable_compression: bool,
    /// How many objects to list at a time; 0 for all
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) chunk_size: u32,
    /// kubectl's cache directory
    #[arg(long, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
}
