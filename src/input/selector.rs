//! `-l`: label selectors (apimachinery `pkg/labels/selector.go`).

use std::collections::BTreeMap;

/// A parsed selector: all requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{part:?} in the selector {text:?} is no requirement; write key=value, key!=value, key in (a,b), key or !key"
)]
pub struct SelectorError {
    text: String,
    part: String,
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// Names the requirement that can't be read.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for part in split(text) {
            let requirement = Requirement::parse(part.trim()).ok_or_else(|| SelectorError {
                text: text.to_owned(),
                part: part.trim().to_owned(),
            })?;
            requirements.push(requirement);
        }
        Ok(Self(requirements))
    }

    /// Whether labels fit.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::Absent(key) => !labels.contains_key(key),
        })
    }
}

/// At commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    if text.trim().is_empty() {
        Vec::new()
    } else {
        parts
    }
}

impl Requirement {
    fn parse(part: &str) -> Option<Self> {
        let word = |text: &str| {
            let text = text.trim();
            let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            text.chars().all(ok).then(|| text.to_owned())
        };
        let key = |text: &str| word(text).filter(|key| !key.is_empty());
        if let Some(rest) = part.strip_prefix('!') {
            return Some(Self::Absent(key(rest)?));
        }
        if let Some((name, value)) = part.split_once("!=") {
            return Some(Self::NotIn(key(name)?, vec![word(value)?]));
        }
        if let Some((name, value)) = part.split_once('=') {
            let value = value.strip_prefix('=').unwrap_or(value);
            return Some(Self::In(key(name)?, vec![word(value)?]));
        }
        if let Some((head, list)) = part.split_once('(') {
            let values: Option<Vec<String>> = list
                .trim()
                .strip_suffix(')')?
                .split(',')
                .map(word)
                .collect();
            let mut words = head.split_whitespace();
            let (name, operator) = (key(words.next()?)?, words.next()?);
            return match (operator, words.next()) {
                ("in", None) => Some(Self::In(name, values?)),
                ("notin", None) => Some(Self::NotIn(name, values?)),
                _ => None,
            };
        }
        Some(Self::Exists(key(part)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_as_in_kubectl() {
        let labels = BTreeMap::from([
            ("app".to_owned(), "web".to_owned()),
            ("tier".to_owned(), "a".to_owned()),
        ]);
        for (text, fits) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier!=b", true),
            ("app in (api, web)", true),
            ("app notin (api,web)", false),
            ("other notin (x)", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("app=web,other", false),
            ("empty=", false),
        ] {
            assert_eq!(
                LabelSelector::parse(text).unwrap().matches(&labels),
                fits,
                "{text}"
            );
        }
        for text in [
            "=web",
            "app in web",
            "app in (a",
            "a b",
            "app like (x)",
            ",",
            "app>1",
        ] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
