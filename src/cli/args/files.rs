//! Flags for manifests instead of a cluster.

use clap::{Args as ClapArgs, ValueHint};

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Manifests instead of a cluster")]
pub(in crate::cli) struct FileArgs {
    /// Scan rendered manifests: a file, a directory, or - for standard input (can be repeated)
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE|DIR|-",
        value_delimiter = ',',
        value_hint = ValueHint::AnyPath
    )]
    pub(in crate::cli) filename: Vec<String>,

    /// Go through directories of -f recursively
    #[arg(short = 'R', long, requires = "filename")]
    pub(in crate::cli) recursive: bool,
}
