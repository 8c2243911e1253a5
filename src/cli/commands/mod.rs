//! The commands beside the scan, one file each. They exit with 0 when done, 2 when something could not be read, and 3
//! when they failed (DESIGN §2).

mod completion;
mod rules;

use std::process::ExitCode;

use clap::Subcommand as _;

use super::args::Command;
use super::error::Failure;

/// Runs a command.
///
/// # Errors
/// When it failed (exit code 3).
pub(super) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Rules(args) => rules::run(&args),
        Command::Completion(args) => completion::run(&args),
    }
}

/// Whether a name of the scan is really a command that came too late, as in `-n shop rules`.
pub(super) fn is_command(name: &str) -> bool {
    Command::has_subcommand(name)
}
