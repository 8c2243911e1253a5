//! Untrusted text in GitHub Flavored Markdown: it must not become a link, an image, a mention or HTML.

use std::fmt::Write as _;

use crate::report::clean;

/// Breaks what GitHub makes a link of outside of code: `@name`, `#1`, `https://…`. It has no width.
const WORD_JOINER: char = '\u{2060}';

/// Text as a code span, in which nothing has a meaning (CommonMark §6.1).
pub(super) fn code(text: &str) -> String {
    let text = clean(text);
    if text.is_empty() {
        return String::new();
    }
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A blank at each end is taken off again; without it a backtick would join the fence.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as prose: what could mean something is escaped, and what would become a link is broken up.
pub(super) fn prose(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // `@name`, `#1`.
            '@' | '#' => {
                let _ = write!(out, "\\{c}{WORD_JOINER}");
            }
            // `https://…`, `www.…`.
            ':' if rest.starts_with("//") => {
                let _ = write!(out, ":{WORD_JOINER}");
            }
            '.' if out.to_ascii_lowercase().ends_with("www") => {
                let _ = write!(out, "{WORD_JOINER}.");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '|' => {
                let _ = write!(out, "\\{c}");
            }
            c => out.push(c),
        }
    }
    out
}

/// Text inside of HTML, as in `<summary>`, where GitHub looks for mentions and links as well.
pub(super) fn html(text: &str) -> String {
    let escaped = clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    format!("<code>{escaped}</code>")
}
