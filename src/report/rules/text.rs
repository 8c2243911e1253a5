//! Rules on a terminal: `kubectl archcheck rules [RULE]`.

use std::fmt::Write as _;

use super::{sentence, severities, url};
use crate::report::text::wrap;
use crate::report::{Paint, Style};
use crate::verdict::Rule;

/// Columns of the severities in the list.
const SEVERITY: usize = 10;

/// Every rule in a line or two.
#[must_use]
pub fn list(width: usize, paint: Paint) -> String {
    let mut out = String::new();
    let longest = Rule::ALL.iter().map(|rule| rule.name().len()).max();
    let name = longest.unwrap_or_default() + 2;
    for &rule in Rule::ALL {
        let (before, room) = (name + SEVERITY, width.saturating_sub(name + SEVERITY));
        for (at, piece) in wrap(rule.page().summary, Some(room)).iter().enumerate() {
            let head = match at {
                0 => format!(
                    "{}{:SEVERITY$}",
                    paint.apply(Style::Strong, &format!("{:name$}", rule.name())),
                    rule.severity().as_str()
                ),
                _ => " ".repeat(before),
            };
            let _ = writeln!(out, "{head}{piece}");
        }
    }
    out.push_str("\nkubectl archcheck rules RULE says more about one.\n");
    out
}

/// One rule, in full.
#[must_use]
pub fn text(rule: Rule, width: usize, paint: Paint) -> String {
    let page = rule.page();
    let mut out = format!(
        "{} ({})\n\n",
        paint.apply(Style::Strong, page.name),
        severities(rule)
    );
    let heading = |out: &mut String, title: &str| {
        let _ = writeln!(out, "\n{}", paint.apply(Style::Strong, title));
    };
    paragraphs(&mut out, &sentence(page.summary), width);
    out.push('\n');
    paragraphs(&mut out, page.meaning, width);
    if !page.messages.is_empty() {
        heading(&mut out, "What you will see");
        for message in page.messages {
            indented(
                &mut out,
                &format!("  {:8}", message.seen.as_str()),
                message.text,
                width,
            );
            let by = format!("by {}", message.by);
            indented(&mut out, &" ".repeat(10), &by, width);
        }
    }
    heading(&mut out, "Why it happens");
    paragraphs(&mut out, page.why, width);
    heading(&mut out, "What to do");
    for fix in page.fixes {
        indented(&mut out, "  * ", fix, width);
    }
    if let Some(snippet) = page.snippet {
        out.push('\n');
        for line in snippet.lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
    heading(&mut out, "Where it happened");
    for example in page.examples {
        indented(&mut out, "  ", example.story, width);
        let _ = writeln!(out, "  {}", example.url());
    }
    let _ = writeln!(out, "\n{}", url(rule));
    out
}

fn paragraphs(out: &mut String, text: &str, width: usize) {
    for (at, paragraph) in text.split("\n\n").enumerate() {
        if at > 0 {
            out.push('\n');
        }
        indented(out, "", paragraph, width);
    }
}

/// Text behind a lead, wrapped under itself.
fn indented(out: &mut String, lead: &str, text: &str, width: usize) {
    let room = width.saturating_sub(lead.len());
    for (at, piece) in wrap(text, Some(room)).iter().enumerate() {
        let blank = " ".repeat(lead.len());
        let lead = if at == 0 { lead } else { &blank };
        let _ = writeln!(out, "{lead}{piece}");
    }
}
