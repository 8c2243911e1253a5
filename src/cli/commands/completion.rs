//! `kubectl archcheck completion SHELL`: a script that completes `kubectl-archcheck`, called by that name. How
//! `kubectl archcheck` is completed stands in `cli/complete`.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::{Shell as Generator, generate};

use crate::cli::args::{Args, CompletionArgs, Shell};
use crate::cli::error::Failure;
use crate::cli::output;

/// Prints the script.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn run(args: &CompletionArgs) -> Result<ExitCode, Failure> {
    let shell = match args.shell {
        Shell::Bash => Generator::Bash,
        Shell::Zsh => Generator::Zsh,
        Shell::Fish => Generator::Fish,
        Shell::Powershell => Generator::PowerShell,
    };
    let mut script = Vec::new();
    generate(
        shell,
        &mut Args::command(),
        "kubectl-archcheck",
        &mut script,
    );
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
