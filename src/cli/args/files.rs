//! Flags for manifests instead of a cluster.

use clap::{Args as ClapArgs, ValueHint};

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Manifests instead of a cluster")]
pub(in crate::cli) struct FileArgs {
    /// Scan rendered manifests: a file, a directory, a URL, or - for standard input (can be repeated)
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE|DIR|URL|-",
        value_delimiter = ',',
        value_hint = ValueHint::AnyPath
    )]
    pub(in crate::cli) filename: Vec<String>,

    /// Scan what kubectl kustomize makes of this directory
    #[arg(
        short = 'k',
        long = "kustomize",
        value_name = "DIR",
        conflicts_with = "filename",
        value_hint = ValueHint::DirPath
    )]
    pub(in crate::cli) kustomize: Option<String>,

    /// Go through directories of -f recursively
    #[arg(short = 'R', long, requires = "filename")]
    pub(in crate::cli) recursive: bool,
}

impl FileArgs {
    /// Whether manifests are scanned, and no cluster.
    pub(in crate::cli) fn any(&self) -> bool {
        !self.filename.is_empty() || self.kustomize.is_some()
    }
}
