//! Globs, as flags take them.

/// `*` and `?`, as in shells.
pub(crate) fn matches(glob: &str, text: &str) -> bool {
    fn rest_matches(glob: &[char], text: &[char]) -> bool {
        match glob {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|at| rest_matches(rest, &text[at..])),
            ['?', rest @ ..] => !text.is_empty() && rest_matches(rest, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && rest_matches(rest, &text[1..]),
        }
    }
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    rest_matches(&glob, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_shells() {
        for (glob, text, fits) in [
            ("kube-*", "kube-system", true),
            ("kube-*", "kube", false),
            ("*", "", true),
            ("dev-?", "dev-1", true),
            ("dev-?", "dev-10", false),
            ("shop", "shop", true),
            ("shop", "shopping", false),
        ] {
            assert_eq!(matches(glob, text), fits, "{glob} {text}");
        }
    }
}
