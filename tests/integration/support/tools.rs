//! Finds the programs that `tests/setup.sh` installs.

use std::path::{Path, PathBuf};

/// The path of a program: out of `target/test-tools/bin`, else from `PATH`.
///
/// Panics with the remedy if there is none. A test that is skipped where its tool is missing would be green on every
/// machine that lacks the tool.
pub(crate) fn tool(name: &str) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/test-tools/bin")
        .join(name);
    if own.is_file() {
        return own;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run tests/setup.sh"))
}
