//! What is said about rules (`verdict::Page`), for a terminal, for docs/rules/ and for programs.

mod json;
mod markdown;
mod text;

pub use json::json;
pub use markdown::{index, markdown};
pub use text::{list, text};

use crate::verdict::Rule;

/// Where a rule's page can be read on the web.
#[must_use]
pub fn url(rule: Rule) -> String {
    format!(
        "{}/blob/main/docs/rules/{}.md",
        env!("CARGO_PKG_REPOSITORY"),
        rule.name()
    )
}

/// `error`, or `error or warning`.
fn severities(rule: Rule) -> String {
    let page = rule.page();
    match page.milder {
        Some(milder) => format!("{} or {}", page.severity.as_str(), milder.as_str()),
        None => page.severity.as_str().to_owned(),
    }
}

/// A summary as a sentence of its own.
fn sentence(summary: &str) -> String {
    let mut chars = summary.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}
