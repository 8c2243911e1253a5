//! Flags about what somebody knows already.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "What is known already")]
pub(in crate::cli) struct KnownArgs {
    /// Configuration file with ignores [default: .archcheck.yaml in the working directory, with -f only]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,

    /// Don't let annotations of objects (archcheck/ignore) ignore findings: a gate for changes by strangers
    #[arg(long)]
    pub(in crate::cli) no_annotations: bool,

    /// Count only what is new since this file was written
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,

    /// Write what is found to this file, and exit as if it were the baseline already
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) write_baseline: Option<PathBuf>,
}
