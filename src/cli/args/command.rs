//! The commands beside the scan. A new one: a variant here, a file in `cli/commands/`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::ColorChoice;

/// What to do instead of a scan.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// What each rule means, and what to do
    Rules(RulesArgs),
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct RulesArgs {
    /// The rule to tell about; all are listed when left out
    #[arg(value_name = "RULE")]
    pub(in crate::cli) rule: Option<String>,

    /// How to print
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) output: DocumentFormat,

    /// When to colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) color: ColorChoice,
}

/// The formats of commands that print one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DocumentFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
