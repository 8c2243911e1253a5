//! Flags about reports and the gate.

use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::flags::{OutputFlag, parse_output};

#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct OutputArgs {
    /// table, wide, name, json, yaml, sarif, junit, github or markdown, to a file with =FILE (can be repeated) [default: table]
    #[arg(short = 'o', long, value_name = "FORMAT[=FILE]", value_parser = parse_output)]
    pub(in crate::cli) output: Vec<OutputFlag>,

    /// What table, wide and markdown list
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "findings",
        hide_possible_values = false
    )]
    pub(in crate::cli) show: Show,

    /// Print no header and summary lines
    #[arg(long)]
    pub(in crate::cli) no_headers: bool,

    /// When to colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) color: ColorChoice,

    /// From which verdict on to exit with 1
    #[arg(long, value_name = "VERDICT", default_value = "at-risk")]
    pub(in crate::cli) fail_on: FailOnFlag,

    /// Don't exit with 2 when something could not be checked
    #[arg(long)]
    pub(in crate::cli) allow_unknown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Show {
    /// What is wrong or unknown
    Findings,
    /// Everything
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ColorChoice {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOnFlag {
    /// A failure on some node is enough
    AtRisk,
    /// A failure on every node
    Fails,
    /// Findings never close the gate
    Never,
}
