//! Values of flags.

use std::path::PathBuf;

use crate::image::{ImageRef, Platform};
use crate::model::{Runtime, RuntimeName};
use crate::report::Format;

/// `-o FORMAT[=FILE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OutputFlag {
    pub(super) format: Format,
    pub(super) file: Option<PathBuf>,
}

/// The formats of `-o`, by the names that users type.
pub(super) const FORMATS: [(&str, Format); 9] = [
    ("table", Format::Table),
    ("wide", Format::Wide),
    ("name", Format::Name),
    ("json", Format::Json),
    ("yaml", Format::Yaml),
    ("sarif", Format::Sarif),
    ("junit", Format::Junit),
    ("github", Format::Github),
    ("markdown", Format::Markdown),
];

/// `--runtime`.
pub(super) type RuntimeFlag = Runtime;

pub(super) fn parse_output(text: &str) -> Result<OutputFlag, String> {
    let (format, file) = match text.split_once('=') {
        Some((_, "")) => return Err("the file name after = is missing".to_owned()),
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let Some((_, format)) = FORMATS.iter().find(|(name, _)| *name == format) else {
        let names = FORMATS.map(|(name, _)| name).join(", ");
        return Err(format!("{format:?} is none of {names}"));
    };
    Ok(OutputFlag {
        format: *format,
        file,
    })
}

/// `HOST[:PORT]` of a registry, as it stands in references. Docker Hub is asked under another name than it is written.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let shape = format!("{text}/x");
    let host = ImageRef::parse(&shape)
        .ok()
        .and_then(|image| Some((image.registry.clone()?, image.host()?.to_owned())));
    match host {
        Some((registry, host)) if registry == text => Ok(host),
        _ => Err(format!(
            "{text:?} is no registry host; write it as in references: registry.example.com or localhost:5000"
        )),
    }
}

pub(super) fn parse_platform(text: &str) -> Result<Platform, String> {
    Platform::parse_flag(text).map_err(|error| error.to_string())
}

pub(super) fn parse_runtime(text: &str) -> Result<RuntimeFlag, String> {
    let runtime = Runtime::parse(text);
    if matches!(runtime.name, RuntimeName::Other(_)) {
        return Err(format!(
            "{text:?} is none of containerd, cri-o, docker, as in containerd://2.1"
        ));
    }
    let has_version = text
        .split_once("://")
        .is_some_and(|(_, version)| !version.is_empty());
    if has_version && runtime.version.is_none() {
        return Err(format!(
            "the version in {text:?} can't be read; write it as in containerd://2.1"
        ));
    }
    Ok(runtime)
}
