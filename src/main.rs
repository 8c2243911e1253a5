//! The `kubectl-archcheck` binary: kubectl runs it as `kubectl archcheck`.

use std::process::ExitCode;

fn main() -> ExitCode {
    archcheck::cli::main(std::env::args_os())
}
