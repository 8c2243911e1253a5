//! Which rules an entry is about: names, or globs over names.

use crate::glob;
use crate::verdict::Rule;

/// Some of the rules, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet(Vec<Rule>);

/// A name that no rule has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleSetError {
    /// Neither a rule's name nor a glob over some.
    #[error("there is no rule {0:?}{1}")]
    NoSuchRule(String, Nearest),
    /// No rule is named at all.
    #[error("no rule is named")]
    None,
}

/// The rule that was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearest(Option<Rule>);

impl std::fmt::Display for Nearest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(rule) => write!(f, "; did you mean {rule}?"),
            None => Ok(()),
        }
    }
}

impl RuleSet {
    /// Reads names and globs (`*`, `exec-*`).
    ///
    /// # Errors
    /// When one of them fits no rule, or there is none.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleSetError> {
        let mut rules = Vec::new();
        for name in names {
            let before = rules.len();
            rules.extend(
                Rule::ALL
                    .iter()
                    .copied()
                    .filter(|rule| glob::matches(name, rule.name())),
            );
            if rules.len() == before {
                let nearest = Nearest(nearest(name));
                return Err(RuleSetError::NoSuchRule(name.to_owned(), nearest));
            }
        }
        rules.sort_unstable();
        rules.dedup();
        if rules.is_empty() {
            return Err(RuleSetError::None);
        }
        Ok(Self(rules))
    }

    /// Whether a rule is one of them.
    #[must_use]
    pub fn contains(&self, rule: Rule) -> bool {
        self.0.contains(&rule)
    }
}

impl std::fmt::Display for RuleSet {
    /// `exec-format-error, no-matching-platform`, or `all rules`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.len() == Rule::ALL.len() {
            return f.write_str("all rules");
        }
        let names: Vec<&str> = self.0.iter().map(|rule| rule.name()).collect();
        f.write_str(&names.join(", "))
    }
}

/// The rule whose name shares the longest beginning, or end, with what was written.
fn nearest(name: &str) -> Option<Rule> {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    let common = |rule: &Rule| {
        let (a, b) = (name.as_bytes(), rule.name().as_bytes());
        let front = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let back = a
            .iter()
            .rev()
            .zip(b.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        front.max(back)
    };
    let best = Rule::ALL.iter().copied().max_by_key(common)?;
    (common(&best) >= 4).then_some(best)
}
