//! kubectl's own flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::cli::duration;

/// kubectl's own flags (cli-runtime `genericclioptions/config_flags.go`).
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Kubernetes, as in kubectl")]
pub(in crate::cli) struct KubernetesArgs {
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) kubeconfig: Option<PathBuf>,
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,
    /// The kubeconfig cluster to use
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) cluster: Option<String>,
    /// The kubeconfig user to use
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// Address and port of the API server
    #[arg(short = 's', long, value_name = "URL")]
    pub(in crate::cli) server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(in crate::cli) token: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub(in crate::cli) as_user: Option<String>,
    /// Group to impersonate (can be repeated)
    #[arg(long, value_name = "GROUP")]
    pub(in crate::cli) as_group: Vec<String>,
    /// UID to impersonate
    #[arg(long, value_name = "UID")]
    pub(in crate::cli) as_uid: Option<String>,
    /// Extra field to impersonate, KEY=VALUE (can be repeated)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(in crate::cli) as_user_extra: Vec<String>,
    /// CA certificate of the API server
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) certificate_authority: Option<PathBuf>,
    /// Client certificate for TLS
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) client_certificate: Option<PathBuf>,
    /// Client key for TLS
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) client_key: Option<PathBuf>,
    /// Don't check the API server's certificate
    #[arg(long)]
    pub(in crate::cli) insecure_skip_tls_verify: bool,
    /// Server name to check the certificate against
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) tls_server_name: Option<String>,
    /// How long one request to the API server may take; 0 for no limit
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "0")]
    pub(in crate::cli) request_timeout: Duration,
    /// Don't ask the API server to compress its answers
    #[arg(long)]
    pub(in crate::cli) disable_compression: bool,
    /// How many objects to list at a time; 0 for all
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(in crate::cli) chunk_size: u32,
    /// kubectl's cache directory; what registries have answered is kept below it
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cache_dir: Option<PathBuf>,
}
