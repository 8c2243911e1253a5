//! Globs, as flags and the configuration file take them.

/// `*` and `?`, as in shells, but `*` goes over slashes. Takes at most pattern × text steps: patterns may come from a
/// stranger's pull request.
pub(crate) fn matches(glob: &str, text: &str) -> bool {
    let (mut pattern, mut rest) = (glob.chars(), text.chars());
    // Where to go on when what follows the last star does not fit: after the star, one character later in the text.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = pattern.clone();
        let mut here = rest.clone();
        match (ahead.next(), here.next()) {
            (Some('*'), _) => {
                pattern = ahead;
                retry = Some((pattern.clone(), rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(p), Some(t)) if p == '?' || p == t => {
                (pattern, rest) = (ahead, here);
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = &mut retry else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (pattern, rest) = (after_star.clone(), from.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn globs_match_as_in_shells() {
        for (glob, text, fits) in [
            ("kube-*", "kube-system", true),
            ("kube-*", "kube", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("dev-?", "dev-1", true),
            ("dev-?", "dev-10", false),
            ("shop", "shop", true),
            ("shop", "shopping", false),
            ("*/nginx:*", "docker.io/library/nginx:1", true),
            ("*ab", "aab", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbX", false),
            ("ü?", "üß", true),
        ] {
            assert_eq!(matches(glob, text), fits, "{glob} {text}");
        }
    }

    #[test]
    fn a_glob_of_stars_takes_no_time() {
        let glob = "*a".repeat(200) + "b";
        assert!(!matches(&glob, &"a".repeat(2_000)));
    }

    /// The definition, which takes its time.
    fn defined(glob: &[char], text: &[char]) -> bool {
        match glob {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|at| defined(rest, &text[at..])),
            ['?', rest @ ..] => !text.is_empty() && defined(rest, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && defined(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn globs_match_by_the_definition(glob in "[ab*?]{0,6}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&glob, &text), defined(&chars(&glob), &chars(&text)));
        }
    }
}
