//! Globs, as flags and the configuration file take them.

/// `*` and `?`, as in shells, but `*` goes over slashes. Takes no longer than the product of both lengths: globs come out
/// of clusters, and of strangers' pull requests.
pub(crate) fn matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut here) = (0, 0);
    // Where the last star stands, and how far what it stands for reaches: only that has ever to be tried again.
    let mut star = None;
    while here < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(c) if *c == '?' || text.get(here) == Some(c) => {
                at += 1;
                here += 1;
            }
            _ => {
                let Some((star_at, reach)) = star else {
                    return false;
                };
                star = Some((star_at, reach + 1));
                at = star_at + 1;
                here = reach + 1;
            }
        }
    }
    glob.iter().skip(at).all(|c| *c == '*')
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
            ("ü?", "üß", true),
            ("*.io", "quay.io", true),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axbxbx", false),
            ("**", "x", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(glob, text), fits, "{glob} {text}");
        }
        // One that would take for ever if every star were tried with every length.
        assert!(!matches(&"a*".repeat(100), &"a".repeat(99)));
        assert!(!matches(
            &format!("{}b", "a*".repeat(50)),
            &"a".repeat(1000)
        ));
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
