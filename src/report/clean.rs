//! Makes untrusted text safe to print: names, images and messages come from clusters, registries and images.

use std::borrow::Cow;

/// The longest text that is printed in one piece, in characters.
const LONGEST: usize = 1_000;

/// Replaces control characters (C0, DEL, C1) and those that reorder text (bidirectional overrides and isolates) with
/// U+FFFD, and cuts what is over 1,000 characters.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let too_long = text.len() > LONGEST && text.chars().nth(LONGEST).is_some();
    if !too_long && !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut cleaned: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if is_unsafe(c) { '\u{fffd}' } else { c })
        .collect();
    if too_long {
        cleaned.push('…');
    }
    Cow::Owned(cleaned)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_never_gets_through() {
        for (dirty, shown) in [
            ("nginx:1.27", "nginx:1.27"),
            ("a\x1b[31mb", "a\u{fffd}[31mb"),
            ("line\nbreak", "line\u{fffd}break"),
            ("csi\u{9b}31m", "csi\u{fffd}31m"),
            ("moc.\u{202e}evil", "moc.\u{fffd}evil"),
            ("日本", "日本"),
        ] {
            assert_eq!(clean(dirty), shown);
        }
        assert_eq!(clean(&"x".repeat(5_000)).chars().count(), LONGEST + 1);
    }
}
