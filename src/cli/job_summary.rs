//! The job summary of GitHub Actions: Markdown that is appended to the file that the runner names.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Failure;
use super::flags::OutputFlag;
use crate::report::Format;

/// The file that the runner names for this step, if the report goes to GitHub Actions.
pub(super) fn file(outputs: &[OutputFlag]) -> Option<PathBuf> {
    let wanted = outputs.iter().any(|output| output.format == Format::Github);
    let file = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|name| !name.is_empty())?;
    wanted.then(|| PathBuf::from(file))
}

/// Appends the report to the file: other steps and commands of the job write there as well.
///
/// # Errors
/// When the file can't be written.
pub(super) fn append(file: &Path, markdown: &str) -> Result<(), Failure> {
    let append = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)?;
        file.write_all(markdown.as_bytes())?;
        file.write_all(b"\n")
    };
    append().map_err(|error| {
        Failure::new(format!(
            "the job summary (GITHUB_STEP_SUMMARY) {} could not be written: {error}",
            file.display()
        ))
    })
}
