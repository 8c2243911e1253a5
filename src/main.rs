//! The `kubectl-archcheck` binary: kubectl runs it as `kubectl archcheck`.
fn main() {}
