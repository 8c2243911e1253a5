//! Words and lines: plurals, lists, wrapping by display width.

use unicode_width::UnicodeWidthStr as _;

/// `1 node`, `2 nodes`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `a, b, c and 4 more`.
pub(super) fn some_of(names: &[String], all: usize) -> String {
    let listed = names.join(", ");
    match all.saturating_sub(names.len()) {
        0 => listed,
        more if listed.is_empty() => count(more, "node"),
        more => format!("{listed} and {more} more"),
    }
}

/// Breaks text into lines of at most `width` columns, at blanks where there are any.
pub(super) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let width = width.max(10);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = width.saturating_sub(line.width() + usize::from(!line.is_empty()));
        if word.width() <= room {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, width, &mut lines);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Puts all but the last piece of an overlong word into `lines`, and returns the last.
fn break_word(word: &str, width: usize, lines: &mut Vec<String>) -> String {
    let mut piece = String::new();
    for c in word.chars() {
        let mut buffer = [0; 4];
        if piece.width() + c.encode_utf8(&mut buffer).width() > width {
            lines.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    piece
}

/// A digest in running text, short enough for a table: `sha256:0123456789ab…`.
pub(super) fn shorten_digests(text: &str) -> String {
    cut_digests(text, 12)
}

/// Texts that differ by a digest alone become one: `sha256:…`.
pub(super) fn mask_digests(text: &str) -> String {
    cut_digests(text, 0)
}

fn cut_digests(text: &str, keep: usize) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("sha256:") {
        let (before, digest) = rest.split_at(at);
        short.push_str(before);
        let hex = digest["sha256:".len()..]
            .bytes()
            .take_while(u8::is_ascii_hexdigit)
            .count();
        let end = "sha256:".len() + hex;
        if hex == 64 {
            short.push_str(&digest[.."sha256:".len() + keep]);
            short.push('…');
        } else {
            short.push_str(&digest[..end]);
        }
        rest = &digest[end..];
    }
    short.push_str(rest);
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digests_are_shortened_in_place() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            shorten_digests(&format!("in {digest}: no")),
            "in sha256:aaaaaaaaaaaa…: no"
        );
        assert_eq!(shorten_digests("sha256:short"), "sha256:short");
        assert_eq!(mask_digests(&format!("in {digest}: no")), "in sha256:…: no");
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_word_and_the_width(text in "[a-z日]{0,30}( [a-z日]{0,30}){0,9}", width in 10_usize..60) {
            let lines = wrap(&text, Some(width));
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let joined: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            let expected: String = text.chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(joined, expected);
        }
    }
}
