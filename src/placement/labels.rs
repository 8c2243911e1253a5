//! What may be a label's key and value (apimachinery `pkg/util/validation`: `IsQualifiedName`, `IsValidLabelValue`).

/// A label's name and value are at most this long; bytes, as in Go.
const MAX_NAME: usize = 63;
/// A label key's prefix is a DNS subdomain, and these are at most this long.
const MAX_PREFIX: usize = 253;

/// Whether `key` is a legal label key: `[prefix/]name`.
pub(super) fn is_legal_key(key: &str) -> bool {
    match key.split_once('/') {
        // A second slash lands in the name, where it is illegal.
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// Whether `value` is a legal label value: empty, or shaped like the name of a key.
pub(super) fn is_legal_value(value: &str) -> bool {
    value.is_empty() || is_name(value)
}

/// Letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// RFC 1123 labels joined by dots, lower case. A label has no length of its own here, as in apimachinery.
fn is_subdomain(text: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_PREFIX
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(lower)
                && bytes.last().copied().is_some_and(lower)
                && bytes.iter().all(|&b| lower(b) || b == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let long = "a".repeat(63);
        let prefix = "b".repeat(253);
        for (key, legal) in [
            ("a", true),
            ("kubernetes.io/arch", true),
            ("beta.kubernetes.io/arch", true),
            ("1.example-x.com/My_Name.2", true),
            (long.as_str(), true),
            (&format!("{long}a"), false),
            (&format!("{prefix}/a"), true),
            (&format!("{prefix}b/a"), false),
            ("", false),
            ("/a", false),
            ("a/", false),
            ("a/b/c", false),
            ("Upper.io/a", false),
            ("-a.io/a", false),
            ("a..io/a", false),
            ("-a", false),
            ("a-", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(is_legal_key(key), legal, "{key:?}");
        }
    }

    #[test]
    fn values() {
        for (value, legal) in [
            ("", true),
            ("amd64", true),
            ("0204", true),
            ("A_b.c-1", true),
            ("-1", false),
            ("a/b", false),
            ("a b", false),
            ("a.", false),
        ] {
            assert_eq!(is_legal_value(value), legal, "{value:?}");
        }
    }
}
