//! What is said about a rule. Texts are plain English; code stands in backticks, which are shown as they are on a
//! terminal. Paragraphs are parted by an empty line.

use super::Severity;
use crate::runtime::Seen;

/// All that is said about a rule.
#[derive(Debug)]
pub struct Page {
    /// The stable name.
    pub name: &'static str,
    /// How bad it is, at worst.
    pub severity: Severity,
    /// How bad it is where no node fails because of it, if that makes a difference.
    pub milder: Option<Severity>,
    /// What it says: one sentence without a full stop, for lists.
    pub summary: &'static str,
    /// What to do: the line that reports print.
    pub advice: &'static str,
    /// What it means that the rule speaks, and when it does.
    pub meaning: &'static str,
    /// What users will see; empty where nothing has to fail.
    pub messages: &'static [Message],
    /// Why it happens, and how people come to it.
    pub why: &'static str,
    /// Ways out, best first.
    pub fixes: &'static [&'static str],
    /// What to write into a manifest, or to type.
    pub snippet: Option<&'static str>,
    /// Where it happened to others.
    pub examples: &'static [Example],
}

/// A literal text that users see: the part of it that doesn't vary. `…` stands for what does.
#[derive(Debug)]
pub struct Message {
    /// Whose words these are, with versions where they matter.
    pub by: &'static str,
    /// Where they are seen.
    pub seen: Seen,
    /// The words.
    pub text: &'static str,
}

/// A public thread.
#[derive(Debug)]
pub struct Example {
    /// `owner/repository#number` on GitHub.
    pub thread: &'static str,
    /// What happened there, in our words.
    pub story: &'static str,
}

impl Message {
    /// Whether a text is one of these: they differ only where this one has `…`.
    #[must_use]
    pub fn covers(&self, text: &str) -> bool {
        let mut rest = text;
        for (at, piece) in self.text.split('…').enumerate() {
            let found = match at {
                0 => rest.starts_with(piece).then_some(0),
                _ => rest.find(piece),
            };
            let Some(found) = found else { return false };
            rest = &rest[found + piece.len()..];
        }
        rest.is_empty() || self.text.ends_with('…')
    }
}

impl Example {
    /// The address of the thread; GitHub sends on to the pull request where it is one.
    #[must_use]
    pub fn url(&self) -> String {
        let (repository, number) = self.thread.split_once('#').unwrap_or((self.thread, ""));
        format!("https://github.com/{repository}/issues/{number}")
    }
}
