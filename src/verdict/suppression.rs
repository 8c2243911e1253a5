//! The mark of a finding that somebody knows about.

/// Why a finding does not count for the gate. It changes no verdict: what is known fails all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Where it was said.
    pub by: SuppressedBy,
    /// Why it is fine, in the words of whoever said so.
    pub reason: String,
    /// The place: `.archcheck.yaml:7`, or the object that carries the annotation.
    pub place: String,
    /// The last day on which it holds (`2026-12-31`), where it ends.
    pub expires: Option<String>,
}

/// Where somebody said "I know".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuppressedBy {
    /// The annotation `archcheck/ignore` of the object or its pod template.
    Annotation,
    /// An `ignore:` entry of the configuration file.
    Config,
    /// The baseline: it was there before.
    Baseline,
}

impl SuppressedBy {
    /// The word that machine formats use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Config => "config",
            Self::Baseline => "baseline",
        }
    }
}
