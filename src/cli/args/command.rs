//! The commands beside the scan. A new one: a variant here, a file in `cli/commands/`.

use clap::{Args as ClapArgs, Subcommand};

/// What to do instead of a scan.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// What each rule means, and what to do
    Rules(RulesArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct RulesArgs {
    /// The rule to explain; all are listed when left out
    #[arg(value_name = "RULE")]
    pub(in crate::cli) rule: Option<String>,
}
