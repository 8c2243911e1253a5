//! Rules as docs/rules/: one page each, and a list of them.

use std::fmt::Write as _;

use super::{sentence, severities};
use crate::verdict::Rule;

const GENERATED: &str =
    "<!-- Generated from src/verdict/rules/ by UPDATE_DOCS=1 cargo test: change it there. -->\n";

/// `docs/rules/README.md`.
#[must_use]
pub fn index() -> String {
    let mut out = format!(
        "{GENERATED}\n# Rules\n\n\
         What `kubectl archcheck` can find. Names are part of the interface and never change; `kubectl archcheck rules` \
         prints the same texts.\n\n| rule | severity | says |\n|---|---|---|\n"
    );
    for &rule in Rule::ALL {
        let _ = writeln!(
            out,
            "| [`{name}`]({name}.md) | {} | {} |",
            severities(rule),
            rule.page().summary,
            name = rule.name(),
        );
    }
    out
}

/// `docs/rules/NAME.md`.
#[must_use]
pub fn markdown(rule: Rule) -> String {
    let page = rule.page();
    let mut out = format!(
        "{GENERATED}\n# {}\n\n{} Severity: {}.\n\n{}\n",
        page.name,
        sentence(page.summary),
        severities(rule),
        page.meaning
    );
    if !page.messages.is_empty() {
        out.push_str("\n## What you will see\n\n| where | text | by |\n|---|---|---|\n");
        for message in page.messages {
            let _ = writeln!(
                out,
                "| {} | `{}` | {} |",
                message.seen.as_str(),
                message.text,
                message.by
            );
        }
    }
    let _ = write!(
        out,
        "\n## Why it happens\n\n{}\n\n## What to do\n\n",
        page.why
    );
    for fix in page.fixes {
        let _ = writeln!(out, "- {fix}");
    }
    if let Some(snippet) = page.snippet {
        let _ = write!(out, "\n```yaml\n{snippet}\n```\n");
    }
    out.push_str("\n## Where it happened\n\n");
    for example in page.examples {
        let _ = writeln!(
            out,
            "- [{}]({}): {}",
            example.thread,
            example.url(),
            example.story
        );
    }
    out
}
