//! How bad a finding is.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something will not start.
    Error,
    /// Something may not start, or only by luck.
    Warning,
    /// Could not be checked.
    Unknown,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Info => "info",
        }
    }
}
