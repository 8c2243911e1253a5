//! Where reports go: standard output, and files that are written whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use super::args::{ColorChoice, OutputArgs, Show};
use super::error::Failure;
use super::flags::OutputFlag;
use super::job_summary;
use crate::report::{Ending, Format, Layout, Paint, Scope, clean, render};
use crate::verdict::Report;

/// What of the surroundings shapes a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Standard output is a terminal.
    pub(super) stdout: bool,
    /// Its width in columns; of something else, what `COLUMNS` says.
    pub(super) width: Option<usize>,
    /// `NO_COLOR` is set to something.
    pub(super) no_color: bool,
    /// `CLICOLOR_FORCE` is set to something other than 0.
    pub(super) force_color: bool,
}

impl Terminal {
    /// Looks at the real surroundings.
    pub(super) fn here() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            stdout: io::IsTerminal::is_terminal(&io::stdout()),
            width: terminal_size::terminal_size()
                .map(|(width, _)| usize::from(width.0))
                .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok()),
            no_color: set("NO_COLOR"),
            force_color: std::env::var_os("CLICOLOR_FORCE")
                .is_some_and(|value| !value.is_empty() && value != "0"),
        }
    }

    /// How wide running text is printed: lines of over a hundred columns are hard to read.
    pub(super) fn text_width(&self) -> usize {
        self.width.unwrap_or(80).min(100)
    }

    /// Whether to colour what goes to standard output, or to a file.
    pub(super) fn paint(&self, choice: ColorChoice, to_stdout: bool) -> Paint {
        let colour = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !self.no_color && (self.stdout || self.force_color),
        };
        if colour && to_stdout {
            Paint::On
        } else {
            Paint::Off
        }
    }

    pub(super) fn layout(&self, args: &OutputArgs, to_stdout: bool) -> Layout {
        let terminal = self.stdout && to_stdout;
        Layout {
            // Shells don't export COLUMNS: a pipe is cut only where somebody asks for it.
            width: match (terminal, to_stdout) {
                (true, _) => self.width.or(Some(80)),
                (false, true) => self.width,
                (false, false) => None,
            },
            paint: self.paint(args.color, to_stdout),
            show_all: args.show == Show::All,
            headers: !args.no_headers,
        }
    }
}

/// The outputs that were asked for, `table` when none was.
///
/// # Errors
/// When two of them would go to standard output, or to one file.
pub(super) fn plan(args: &OutputArgs) -> Result<Vec<OutputFlag>, Failure> {
    let mut outputs = args.output.clone();
    if !outputs.iter().any(|output| output.file.is_none()) && outputs.is_empty() {
        outputs.push(OutputFlag {
            format: Format::Table,
            file: None,
        });
    }
    for (at, output) in outputs.iter().enumerate() {
        if outputs[..at]
            .iter()
            .any(|earlier| earlier.file == output.file)
        {
            let place = output.file.as_ref().map_or_else(
                || "standard output".to_owned(),
                |file| file.display().to_string(),
            );
            return Err(Failure::new(format!("two outputs (-o) go to {place}"))
                .hint("give all but one a file of its own, as in -o table -o json=report.json"));
        }
    }
    Ok(outputs)
}

/// Writes the report to every output; files first, so that a full disk is told before the table scrolls by.
///
/// # Errors
/// When a file or standard output can't be written.
pub(super) fn write(
    report: &Report,
    scope: &Scope,
    ending: Ending,
    outputs: &[OutputFlag],
    args: &OutputArgs,
    terminal: Terminal,
) -> Result<(), Failure> {
    // A list of names has no room for what was not seen.
    if outputs.iter().all(|output| output.format == Format::Name) {
        for entry in report.incomplete.iter().filter(|entry| entry.matters) {
            tracing::warn!("not seen: {}: {}", clean(&entry.what), clean(&entry.why));
        }
    }
    let mut ordered: Vec<&OutputFlag> = outputs.iter().collect();
    ordered.sort_by_key(|output| output.file.is_none());
    let write_as = |format, layout: &Layout| {
        render(report, scope, ending, format, layout)
            .map_err(|error| Failure::new(error.to_string()))
    };
    if let Some(file) = job_summary::file(outputs) {
        let markdown = write_as(Format::Markdown, &terminal.layout(args, false))?;
        job_summary::append(&file, &markdown)?;
    }
    for output in ordered {
        let text = write_as(output.format, &terminal.layout(args, output.file.is_none()))?;
        put(output, &text)?;
    }
    Ok(())
}

/// Writes one output.
///
/// # Errors
/// When its file or standard output can't be written.
pub(super) fn put(output: &OutputFlag, text: &str) -> Result<(), Failure> {
    match &output.file {
        Some(file) => write_whole(file, text).map_err(|error| {
            Failure::new(format!("{} could not be written: {error}", file.display()))
        }),
        None => print(text),
    }
}

/// Prints to standard output; a reader that stops reading (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "standard output could not be written: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes beside the file and renames: a reader sees the old content or the new.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let Some(name) = file.file_name() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is no file name",
        ));
    };
    if file.exists() && !file.is_file() {
        // A device or pipe such as /dev/stderr can't be replaced.
        return std::fs::write(file, text);
    }
    let mut partial = std::ffi::OsString::from(".");
    partial.push(name);
    partial.push(format!(".{}", std::process::id()));
    let partial = file.with_file_name(partial);
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written
}
