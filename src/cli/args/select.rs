//! Flags that choose what is scanned.

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "What to scan")]
pub(in crate::cli) struct SelectArgs {
    /// Only this namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub(in crate::cli) namespace: Option<String>,

    /// All namespaces (the default without names)
    #[arg(short = 'A', long, conflicts_with = "names")]
    pub(in crate::cli) all_namespaces: bool,

    /// Leave out namespaces (can be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) exclude_namespace: Vec<String>,

    /// Only workloads whose own labels match, e.g. app=web,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names")]
    pub(in crate::cli) selector: Option<String>,

    /// Also list images that containers name in arguments and environment, as information
    #[arg(long)]
    pub(in crate::cli) hidden_images: bool,
}
