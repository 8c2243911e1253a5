//! The command line: flags in, exit code out. The only module that uses all the others, reads the environment and
//! knows which stream is a terminal.

mod args;
mod ask;
mod commands;
mod complete;
mod duration;
mod error;
mod flags;
mod images;
mod inventory;
mod job_summary;
mod nodes;
mod output;
mod plan;
mod policy;
mod progress;
mod pull_secrets;
mod run;
mod sources;
mod stop;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

pub use args::Args;
pub use error::Failure;

/// Exit code when nothing could be checked at all: bad usage, no cluster, unreadable input.
const COULD_NOT_RUN: u8 = 3;

/// Runs the program with these arguments (the first is its own name).
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(words) = complete::words(&args) {
        return complete::run(&words);
    }
    let command = command(args.first());
    let parsed = match command
        .try_get_matches_from(args)
        .and_then(|m| Args::from_arg_matches(&m))
    {
        Ok(parsed) => parsed,
        Err(error) => {
            // A closed pipe is no reason to complain about.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { COULD_NOT_RUN } else { 0 });
        }
    };
    log_to_stderr(parsed.verbosity());
    let done = match parsed.command {
        Some(command) => commands::run(command),
        None => run::run(parsed),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "{}", failure.render());
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// The command, which calls itself `kubectl archcheck` when kubectl runs it: kubectl passes the path that it found.
fn command(argv0: Option<&OsString>) -> clap::Command {
    let command = Args::command();
    let plugin = argv0
        .map(std::path::Path::new)
        .and_then(|path| path.file_name())
        .is_some_and(|name| name.to_string_lossy().starts_with("kubectl-"));
    if plugin {
        command.bin_name("kubectl archcheck")
    } else {
        command
    }
}

/// Sends warnings, and with `-v` more, to stderr.
fn log_to_stderr(verbosity: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::prelude::*;

    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2..=5 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Other crates only from -v=8 on: their lines could carry headers.
    let others = if verbosity >= 8 {
        LevelFilter::DEBUG
    } else {
        LevelFilter::OFF
    };
    let filter = Targets::new()
        .with_default(others)
        .with_target("archcheck", level);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time();
    // Only fails when a logger is set already, as in tests that call `main` twice.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init();
}

/// Whether standard error is a terminal: only then is there a progress bar.
fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
