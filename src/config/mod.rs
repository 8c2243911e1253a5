//! The configuration file, `.archcheck.yaml`: text in, [`Config`] out. One file a section; who wants a new section adds
//! a field to [`Config`] and to `RawConfig`, and the schema in `docs/` follows.

mod ignore;
mod one_or_many;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

use self::ignore::RawIgnore;
use crate::input::custom::KindEntry;
use crate::policy::Ignore;

/// What the file of the working directory is called.
pub const FILE_NAME: &str = ".archcheck.yaml";

/// A configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// What somebody knows about.
    pub ignores: Vec<Ignore>,
    /// Custom resources that run images.
    pub kinds: Vec<KindEntry>,
}

/// Why a configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong, with the key.
    pub reason: String,
}

/// kubectl archcheck reads this file from the working directory with -f and -k, or as --config FILE.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "kubectl archcheck configuration")]
struct RawConfig {
    /// Findings that somebody knows about: they stay in the report, marked, and don't count for the gate.
    #[schemars(with = "Option<Vec<RawIgnore>>")]
    ignore: Option<Vec<serde_saphyr::Spanned<RawIgnore>>>,
    /// Custom resources that run images, and where these stand; they go before what the program knows of them.
    kinds: Option<Vec<KindEntry>>,
}

impl Config {
    /// Reads the text of a file; `file` is what errors and entries call it.
    ///
    /// # Errors
    /// When it is no YAML, or has a key or a value that means nothing: each is named with its place.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        };
        let mut path = String::new();
        let raw: Option<RawConfig> =
            serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
                serde_path_to_error::deserialize(yaml).map_err(|error| {
                    // `Spanned` puts a level of its own into the path.
                    path = error.path().to_string().replace(".value", "");
                    error.into_inner()
                })
            })
            .map_err(|error| syntax_error(&error, &path, file))?;
        let RawConfig { ignore, kinds } = raw.unwrap_or_default();
        let ignores = ignore
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(at, entry)| ignore::checked(at, entry, file))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            ignores,
            kinds: kinds.unwrap_or_default(),
        })
    }
}

/// The JSON Schema of the file, generated from its types; the copy in `docs/` is checked against it.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RawConfig).to_value()
}

/// `path` is the key at fault, `.` where it is the file.
fn syntax_error(error: &serde_saphyr::Error, path: &str, file: &str) -> ConfigError {
    let place = error.location();
    let text = error.without_snippet().to_string();
    let what = text.lines().next().unwrap_or_default();
    // The place is told already.
    let what = what.split(" at line ").next().unwrap_or_default();
    ConfigError {
        file: file.to_owned(),
        line: place.map_or(1, |place| place.line().max(1)),
        column: place.map_or(1, |place| place.column().max(1)),
        reason: match path {
            "" | "." => what.to_owned(),
            path => format!("{path}: {what}"),
        },
    }
}

/// An error about a value that was read.
fn value_error(at: serde_saphyr::Location, file: &str, reason: String) -> ConfigError {
    ConfigError {
        file: file.to_owned(),
        line: at.line().max(1),
        column: at.column().max(1),
        reason,
    }
}
