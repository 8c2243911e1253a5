//! Why the program could not run, for people: what happened, and what to try.

use crate::report::clean;

/// An error that ends the run (exit code 3).
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// What happened.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// What to try.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What happened, alone.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The text for stderr.
    #[must_use]
    pub fn render(&self) -> String {
        let message = self
            .message
            .lines()
            .map(clean)
            .collect::<Vec<_>>()
            .join("\n");
        match &self.hint {
            Some(hint) => format!("error: {message}\nhint: {}", clean(hint)),
            None => format!("error: {message}"),
        }
    }
}
