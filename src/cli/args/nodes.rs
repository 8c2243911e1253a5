//! Flags about nodes.

use clap::Args as ClapArgs;

use crate::cli::flags::{RuntimeFlag, parse_platform, parse_runtime};
use crate::image::Platform;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Nodes")]
pub(in crate::cli) struct NodeArgs {
    /// Check against this platform instead of the cluster's nodes (can be repeated)
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = parse_platform)]
    pub(in crate::cli) platform: Vec<Platform>,

    /// Check against this platform as well as the cluster's nodes (can be repeated)
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = parse_platform, conflicts_with = "platform")]
    pub(in crate::cli) add_platform: Vec<Platform>,

    /// Container runtime of nodes that don't say: containerd, cri-o or docker
    #[arg(long, value_name = "NAME[://VERSION]", value_parser = parse_runtime, default_value = "containerd://2.1")]
    pub(in crate::cli) runtime: RuntimeFlag,
}
