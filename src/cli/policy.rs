//! From flags and files to what is known already.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::args::Args;
use super::error::Failure;
use super::output;
use crate::config::{Config, FILE_NAME};
use crate::input::custom::CustomKinds;
use crate::policy::{Baseline, Date, Policy};
use crate::verdict::Report;

/// The largest configuration file that is read.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;
/// The largest baseline that is read: some hundred thousand findings.
const LARGEST_BASELINE: u64 = 256 * 1024 * 1024;

/// What is known already, with the name of the configuration file that says so.
pub(super) struct Known {
    pub(super) policy: Policy,
    /// The custom resources that run images.
    pub(super) kinds: CustomKinds,
    pub(super) config: Option<String>,
}

/// Reads what is known already; before anything else, so that a mistake in it costs no scan.
pub(super) fn read(args: &Args) -> Result<Known, Failure> {
    let file = config_file(args);
    let config = match &file {
        Some(file) => read_config(file)?,
        None => Config::default(),
    };
    let baseline = args.known.baseline.as_deref();
    let baseline = baseline.map(read_baseline).transpose()?;
    let kinds = CustomKinds::built_in()
        .with(config.kinds)
        .map_err(|error| {
            let name = file.as_deref().unwrap_or(Path::new(FILE_NAME)).display();
            Failure::new(format!("{name}: kinds: {error}"))
                .hint("docs/configuration.md describes the file")
        })?;
    Ok(Known {
        kinds,
        policy: Policy {
            ignores: config.ignores,
            baseline,
            annotations: !args.known.no_annotations,
            today: today(),
            whole: is_whole(args),
        },
        config: file.map(|file| file.display().to_string()),
    })
}

/// The file that the user names, else the one of the working directory. A scan of a cluster reads only the former: which
/// directory one happens to be in says nothing about it.
fn config_file(args: &Args) -> Option<PathBuf> {
    let here = || {
        let reads_files = args.files.any();
        let file = PathBuf::from(FILE_NAME);
        (reads_files && file.symlink_metadata().is_ok()).then_some(file)
    };
    args.known.config.clone().or_else(here)
}

fn read_config(file: &Path) -> Result<Config, Failure> {
    let name = file.display().to_string();
    let text = bounded(file, LARGEST_CONFIG).map_err(|why| {
        Failure::new(format!(
            "the configuration file {name:?} can't be read: {why}"
        ))
    })?;
    Config::parse(&text, &name).map_err(|error| {
        Failure::new(error.to_string()).hint("docs/configuration.md describes the file")
    })
}

fn read_baseline(file: &Path) -> Result<(String, Baseline), Failure> {
    let name = file.display().to_string();
    let read = bounded(file, LARGEST_BASELINE)
        .and_then(|text| Baseline::parse(&text).map_err(|error| error.to_string()));
    match read {
        Ok(baseline) => Ok((name, baseline)),
        Err(why) => Err(
            Failure::new(format!("the baseline {name:?} can't be read: {why}"))
                .hint("--write-baseline FILE writes one"),
        ),
    }
}

fn bounded(file: &Path, largest: u64) -> Result<String, String> {
    let mut text = String::new();
    let size = std::fs::File::open(file)
        .and_then(|opened| opened.take(largest + 1).read_to_string(&mut text))
        .map_err(|error| error.to_string())?;
    if u64::try_from(size).is_ok_and(|size| size > largest) {
        return Err(format!("it is larger than {} MiB", largest >> 20));
    }
    Ok(text)
}

/// Writes the baseline that was asked for, and returns the report as it would be with that in force, for the exit code.
pub(super) fn write_baseline(file: &Path, report: &Report) -> Result<Report, Failure> {
    let name = file.display().to_string();
    let failed =
        |why: String| Failure::new(format!("the baseline {name:?} could not be written: {why}"));
    let baseline = Baseline::of(report);
    let text = baseline
        .to_json()
        .map_err(|error| failed(error.to_string()))?;
    output::write_whole(file, &text).map_err(|error| failed(error.to_string()))?;
    let mut accepted = report.clone();
    baseline.apply(&mut accepted, &name, false);
    let _ = writeln!(
        std::io::stderr(),
        "wrote {} to {}",
        crate::report::count(baseline.len(), "finding"),
        crate::report::clean(&name)
    );
    Ok(accepted)
}

/// Whether no flag leaves a part out.
fn is_whole(args: &Args) -> bool {
    let select = &args.select;
    args.names.is_empty()
        && select.selector.is_none()
        && select.exclude_namespace.is_empty()
        && select.namespace.is_none()
}

/// Today, in UTC wherever the run is: a pipeline gives the same answer on every machine.
fn today() -> Date {
    jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
}
