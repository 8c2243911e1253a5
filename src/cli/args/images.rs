//! Flags about images and registries.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum, ValueHint};

use crate::cli::duration;
use crate::cli::flags::parse_host;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Images")]
pub(in crate::cli) struct ImageArgs {
    /// An OCI image layout (directory or tar) or docker save archive, asked before any registry (can be repeated)
    #[arg(long, value_name = "[REF=]PATH", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) images: Vec<String>,

    /// Credentials for registries, asked before your own (a docker config.json or containers auth.json)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) registry_config: Option<PathBuf>,

    /// Whether to read the pull secrets that pods name, as the kubelet does
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) pull_secrets: PullSecretsFlag,

    /// Ask this mirror for the images of a registry, or of a path in it, before the registry (can be repeated)
    #[arg(long, value_name = "HOST[/PREFIX]=HOST[/PREFIX]")]
    pub(in crate::cli) mirror: Vec<String>,

    /// The nodes' mirrors: containerd's certs.d directory, a registries.conf, or k3s's registries.yaml
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) mirror_config: Option<PathBuf>,

    /// Speak plain http to this registry host (can be repeated)
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_host)]
    pub(in crate::cli) plain_http: Vec<String>,

    /// Accept any certificate from this registry host, or plain http (can be repeated)
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_host)]
    pub(in crate::cli) insecure_registry: Vec<String>,

    /// Trust the certificates in this PEM file, for registries (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) registry_ca: Vec<PathBuf>,

    /// How long one request to a registry may take
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "15s")]
    pub(in crate::cli) registry_timeout: Duration,

    /// Ask only these registry hosts; images of others are unknown (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) allow_registry: Vec<String>,

    /// Also look at the manifests and configs that nodes would pick out of an index (two requests more for each)
    #[arg(long)]
    pub(in crate::cli) verify: bool,

    /// Neither read nor write what registries have answered before
    #[arg(long)]
    pub(in crate::cli) no_cache: bool,

    /// Ask no registry: answer from the cache and from --images alone; the rest is unknown
    #[arg(long)]
    pub(in crate::cli) offline: bool,

    /// List images, hosts, and the most requests and Docker Hub pulls that a scan would cost, and stop
    #[arg(long)]
    pub(in crate::cli) plan: bool,

    /// How long the whole run may take; what is left then is unknown. 0 sets no limit
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(in crate::cli) timeout: Option<Duration>,

    /// How many requests to registries at a time, over all hosts
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) concurrency: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PullSecretsFlag {
    /// Each by its name, when an image has to be asked for
    Auto,
    /// None; your own logins alone are used
    Never,
}
