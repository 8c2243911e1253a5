//! How a run ended, for formats that say so.

/// The exit code of a run (DESIGN §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending(pub u8);

impl Ending {
    /// What the code means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0 => "checked, nothing at or above --fail-on",
            1 => "findings at or above --fail-on",
            2 => "no such finding, but something could not be checked",
            130 | 143 => "interrupted; what was known is here",
            _ => "could not run",
        }
    }

    /// Whether everything was looked at that was to be looked at.
    #[must_use]
    pub fn is_complete(self) -> bool {
        matches!(self.0, 0 | 1)
    }
}
