//! The commands beside the scan. A new one: a variant here, a file in `cli/commands/`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::ColorChoice;

/// What to do instead of a scan.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// What each rule means, and what to do
    Rules(RulesArgs),
    /// A script that lets a shell complete kubectl-archcheck
    ///
    /// The script is for kubectl-archcheck, called by that name. `kubectl archcheck` is completed by kubectl's own
    /// script (`kubectl completion`, from 1.26 on), which asks the program kubectl_complete-archcheck on the PATH: put
    /// the one of the release there, or link kubectl-archcheck under that name.
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion(CompletionArgs),
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  source <(kubectl-archcheck completion bash)
  kubectl-archcheck completion zsh > \"${fpath[1]}/_kubectl-archcheck\"
  kubectl-archcheck completion fish | source
  kubectl-archcheck completion powershell | Out-String | Invoke-Expression
  ln -s kubectl-archcheck ~/.cargo/bin/kubectl_complete-archcheck     for kubectl archcheck";

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(in crate::cli) shell: Shell,
}

/// The shells that kubectl has completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
    /// PowerShell
    Powershell,
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
