//! Node selector and required node affinity (component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`,
//! apimachinery `pkg/labels/selector.go`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::model::{Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use super::domain::{Domain, ValueSet};
use super::labels::{is_legal_key, is_legal_value};

/// The only field of a node that a selector can ask for.
const NAME_FIELD: &str = "metadata.name";

/// What a requirement asks of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Present, and one of these.
    In(Vec<String>),
    /// Absent, or none of these.
    NotIn(Vec<String>),
    /// Present.
    Exists,
    /// Absent.
    DoesNotExist,
    /// Present, and an integer above this.
    Gt(i64),
    /// Present, and an integer below this.
    Lt(i64),
}

impl Test {
    /// Whether a label with this value (`None`: no such label) passes (`labels.Requirement.Matches`).
    #[must_use]
    pub fn matches(&self, value: Option<&str>) -> bool {
        // Go's ParseInt and Rust's parse agree on what a base-10 int64 is: a sign and leading zeros are fine.
        let integer = || value.and_then(|v| v.parse::<i64>().ok());
        match self {
            Self::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
            Self::NotIn(values) => value.is_none_or(|v| values.iter().all(|x| x != v)),
            Self::Exists => value.is_some(),
            Self::DoesNotExist => value.is_none(),
            Self::Gt(bound) => integer().is_some_and(|i| i > *bound),
            Self::Lt(bound) => integer().is_some_and(|i| i < *bound),
        }
    }

    fn distinction(&self) -> Distinction<'_> {
        match self {
            Self::In(values) | Self::NotIn(values) => Distinction::Values(values),
            Self::Exists | Self::DoesNotExist => Distinction::Presence,
            Self::Gt(_) | Self::Lt(_) => Distinction::EachValue,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(values) => write!(f, "In [{}]", values.join(", ")),
            Self::NotIn(values) => write!(f, "NotIn [{}]", values.join(", ")),
            Self::Exists => f.write_str("Exists"),
            Self::DoesNotExist => f.write_str("DoesNotExist"),
            Self::Gt(bound) => write!(f, "Gt {bound}"),
            Self::Lt(bound) => write!(f, "Lt {bound}"),
        }
    }
}

/// Why a term is not valid: it then matches nothing, and the other terms still count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Broken {
    /// No expressions and no fields.
    #[error("a term is empty")]
    Empty,
    /// An operator that does not exist, or not for fields.
    #[error("{key:?}: {operator:?} is not an operator")]
    Operator {
        /// The requirement's key.
        key: String,
        /// What stands for an operator.
        operator: String,
    },
    /// Too many or too few values for the operator.
    #[error("{key:?}: {operator} does not take {count} values")]
    Count {
        /// The requirement's key.
        key: String,
        /// The operator.
        operator: String,
        /// How many values there are.
        count: usize,
    },
    /// Not a legal label key.
    #[error("{key:?} is not a label key")]
    Key {
        /// The requirement's key.
        key: String,
    },
    /// Not a legal label value.
    #[error("{key:?}: {value:?} is not a label value")]
    Value {
        /// The requirement's key.
        key: String,
        /// The value.
        value: String,
    },
    /// `Gt` or `Lt` of something else than an int64.
    #[error("{key:?}: {value:?} is not an integer")]
    Integer {
        /// The requirement's key.
        key: String,
        /// The value.
        value: String,
    },
}

/// A requirement on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

impl Requirement {
    /// Reads an entry of `matchExpressions` (`labels.NewRequirement`).
    fn parse(raw: &NodeSelectorRequirement) -> Result<Self, Broken> {
        let key = || raw.key.clone();
        if !is_legal_key(&raw.key) {
            return Err(Broken::Key { key: key() });
        }
        let count = raw.values.len();
        let enough = match raw.operator.as_str() {
            "In" | "NotIn" => count > 0,
            "Exists" | "DoesNotExist" => count == 0,
            "Gt" | "Lt" => count == 1,
            _ => {
                return Err(Broken::Operator {
                    key: key(),
                    operator: raw.operator.clone(),
                });
            }
        };
        if !enough {
            return Err(Broken::Count {
                key: key(),
                operator: raw.operator.clone(),
                count,
            });
        }
        // Also for Gt and Lt, which is why they can't be given a negative number.
        if let Some(value) = raw.values.iter().find(|value| !is_legal_value(value)) {
            return Err(Broken::Value {
                key: key(),
                value: value.clone(),
            });
        }
        let integer = || {
            let text = raw.values.first().map_or("", String::as_str);
            text.parse::<i64>().map_err(|_| Broken::Integer {
                key: key(),
                value: text.to_owned(),
            })
        };
        let test = match raw.operator.as_str() {
            "In" => Test::In(raw.values.clone()),
            "NotIn" => Test::NotIn(raw.values.clone()),
            "Exists" => Test::Exists,
            "DoesNotExist" => Test::DoesNotExist,
            "Gt" => Test::Gt(integer()?),
            _ => Test::Lt(integer()?),
        };
        Ok(Self { key: key(), test })
    }

    /// Reads an entry of `matchFields`: `In` or `NotIn` with exactly one value, which may be anything.
    fn parse_field(raw: &NodeSelectorRequirement) -> Result<Self, Broken> {
        let key = raw.key.clone();
        let values = raw.values.clone();
        let test = match raw.operator.as_str() {
            "In" => Test::In(values),
            "NotIn" => Test::NotIn(values),
            operator => {
                return Err(Broken::Operator {
                    key,
                    operator: operator.to_owned(),
                });
            }
        };
        match raw.values.len() {
            1 => Ok(Self { key, test }),
            count => Err(Broken::Count {
                key,
                operator: raw.operator.clone(),
                count,
            }),
        }
    }
}

/// A valid term: requirements that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

impl Term {
    fn parse(raw: &NodeSelectorTerm) -> Result<Self, Broken> {
        if raw.match_expressions.is_empty() && raw.match_fields.is_empty() {
            return Err(Broken::Empty);
        }
        Ok(Self {
            labels: raw
                .match_expressions
                .iter()
                .map(Requirement::parse)
                .collect::<Result<_, _>>()?,
            fields: raw
                .match_fields
                .iter()
                .map(Requirement::parse_field)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether the term and the node selector's `pairs` can hold together on `node`.
    ///
    /// The pairs have been checked one by one already; they matter again where a label is open, since a term may ask
    /// another value of it.
    fn matches(&self, pairs: &BTreeMap<String, String>, node: &Node) -> bool {
        let mut open: Vec<(&str, ValueSet<'_>)> = Vec::new();
        for Requirement { key, test } in &self.labels {
            match Domain::of_label(node, key) {
                Domain::Known(value) => {
                    if !test.matches(value) {
                        return false;
                    }
                }
                Domain::Open(mut set) => {
                    if let Some((_, known)) = open.iter_mut().find(|(other, _)| other == key) {
                        known.narrow(test);
                        continue;
                    }
                    if let Some(value) = pairs.get(key) {
                        set.narrow_to(value);
                    }
                    set.narrow(test);
                    open.push((key, set));
                }
            }
        }
        open.iter().all(|(_, set)| !set.is_empty()) && self.matches_fields(node)
    }

    fn matches_fields(&self, node: &Node) -> bool {
        let name = match Domain::of_name(node) {
            // Upstream looks at fields only if the node has any, and the name is the only one.
            Domain::Known(None) => return true,
            known @ Domain::Known(_) => known,
            Domain::Open(mut set) => {
                for field in self.fields.iter().filter(|field| field.key == NAME_FIELD) {
                    set.narrow(&field.test);
                }
                if set.is_empty() {
                    return false;
                }
                Domain::Open(set)
            }
        };
        self.fields.iter().all(|field| {
            if field.key != NAME_FIELD {
                // A field that a node does not have reads as an empty one.
                return field.test.matches(Some(""));
            }
            match name {
                Domain::Known(name) => field.test.matches(name),
                Domain::Open(_) => true,
            }
        })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Requirement { key, test }) in self.labels.iter().chain(&self.fields).enumerate() {
            let and = if i == 0 { "" } else { " and " };
            write!(f, "{and}{key} {test}")?;
        }
        Ok(())
    }
}

/// Which part of a selector refuses a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch<'a> {
    /// This pair of the node selector.
    Pair(&'a str, &'a str),
    /// Every term of the required node affinity; its text.
    Terms(&'a str),
    /// The required node affinity, which has no valid term; why not.
    NoValidTerm(&'a str),
}

/// Node selector and required node affinity of a pod, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    pairs: BTreeMap<String, String>,
    affinity: Option<RequiredAffinity>,
}

/// Required node affinity: terms of which one must match, without the broken ones.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RequiredAffinity {
    terms: Vec<Term>,
    /// The terms, for people; or what is wrong if there are none.
    text: String,
}

impl RequiredAffinity {
    /// A text that is longer than this helps nobody.
    const MAX_TEXT: usize = 160;

    fn parse(raw: &NodeSelector) -> Self {
        let mut terms = Vec::new();
        let mut broken = None;
        for term in &raw.node_selector_terms {
            match Term::parse(term) {
                Ok(term) => terms.push(term),
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        let text = if terms.is_empty() {
            broken.map_or_else(
                || Cow::Borrowed("it has no terms"),
                |error| error.to_string().into(),
            )
        } else {
            let terms: Vec<_> = terms.iter().map(ToString::to_string).collect();
            terms.join(" or ").into()
        };
        let mut text = text.into_owned();
        if let Some((cut, _)) = text.char_indices().nth(Self::MAX_TEXT) {
            text.truncate(cut);
            text.push('…');
        }
        Self { terms, text }
    }
}

impl Selector {
    /// Reads a pod's `nodeSelector` and required node affinity (`NewRequiredNodeAffinity`).
    ///
    /// Never fails: a broken term matches nothing and leaves the other terms alone.
    #[must_use]
    pub fn new(node_selector: &BTreeMap<String, String>, required: Option<&NodeSelector>) -> Self {
        Self {
            pairs: node_selector.clone(),
            affinity: required.map(RequiredAffinity::parse),
        }
    }

    /// Whether `node` matches, or may turn out to where it is only described.
    pub fn check(&self, node: &Node) -> Result<(), Mismatch<'_>> {
        for (key, value) in &self.pairs {
            // Raw equality: a node selector's values are not checked for being legal.
            if let Domain::Known(known) = Domain::of_label(node, key)
                && known != Some(value)
            {
                return Err(Mismatch::Pair(key, value));
            }
        }
        match &self.affinity {
            None => Ok(()),
            Some(affinity) if affinity.terms.is_empty() => {
                Err(Mismatch::NoValidTerm(&affinity.text))
            }
            Some(affinity) => {
                if affinity.terms.iter().any(|t| t.matches(&self.pairs, node)) {
                    Ok(())
                } else {
                    Err(Mismatch::Terms(&affinity.text))
                }
            }
        }
    }

    /// What the answer depends on; some may come twice.
    pub(super) fn distinctions(&self) -> impl Iterator<Item = (Property<'_>, Distinction<'_>)> {
        let pairs = self.pairs.iter().map(|(key, value)| {
            let values = Distinction::Values(std::slice::from_ref(value));
            (Property::Label(key), values)
        });
        let terms = self.affinity.iter().flat_map(|affinity| &affinity.terms);
        let requirements = terms.flat_map(|term| {
            let labels = term
                .labels
                .iter()
                .map(|label| (Property::Label(&label.key), label.test.distinction()));
            let fields = term
                .fields
                .iter()
                .map(|field| (Property::Name, field.test.distinction()));
            labels.chain(fields)
        });
        pairs.chain(requirements)
    }
}

/// Something about a node that a selector asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property<'a> {
    /// Its name.
    Name,
    /// The label of this key.
    Label(&'a str),
}

/// What a requirement tells apart: whether two Node objects can get another answer from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distinction<'a> {
    /// These values from each other and from all else, be it another value or none.
    Values(&'a [String]),
    /// Some value from none.
    Presence,
    /// Each value from each other, and from none.
    EachValue,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::testing::node;

    fn requirement(key: &str, operator: &str, values: &[&str]) -> NodeSelectorRequirement {
        NodeSelectorRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn broken_expressions() {
        for (key, operator, values, error) in [
            ("a", "In", &["b"] as &[_], None),
            ("a", "In", &[""], None),
            ("a", "In", &[], Some(r#""a": In does not take 0 values"#)),
            (
                "a",
                "NotIn",
                &[],
                Some(r#""a": NotIn does not take 0 values"#),
            ),
            ("a", "Exists", &[], None),
            (
                "a",
                "Exists",
                &["b"],
                Some(r#""a": Exists does not take 1 values"#),
            ),
            (
                "a",
                "DoesNotExist",
                &["b"],
                Some(r#""a": DoesNotExist does not take 1 values"#),
            ),
            ("a", "Gt", &["0204"], None),
            ("a", "Lt", &["9223372036854775807"], None),
            (
                "a",
                "Lt",
                &["9223372036854775808"],
                Some(r#""a": "9223372036854775808" is not an integer"#),
            ),
            (
                "a",
                "Gt",
                &["1", "2"],
                Some(r#""a": Gt does not take 2 values"#),
            ),
            ("a", "Gt", &["ten"], Some(r#""a": "ten" is not an integer"#)),
            (
                "a",
                "Gt",
                &["-1"],
                Some(r#""a": "-1" is not a label value"#),
            ),
            ("a", "Gt", &[""], Some(r#""a": "" is not an integer"#)),
            ("a", "in", &["b"], Some(r#""a": "in" is not an operator"#)),
            ("a", "", &[], Some(r#""a": "" is not an operator"#)),
            ("a b", "Exists", &[], Some(r#""a b" is not a label key"#)),
            (
                "a",
                "In",
                &["b", "c d"],
                Some(r#""a": "c d" is not a label value"#),
            ),
        ] {
            let parsed = Requirement::parse(&requirement(key, operator, values));
            let found = parsed.err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), error, "{key} {operator} {values:?}");
        }
    }

    #[test]
    fn broken_fields() {
        for (key, operator, values, valid) in [
            ("metadata.name", "In", &["n"] as &[_], true),
            ("metadata.name", "NotIn", &["not a label value!"], true),
            ("not a key!", "In", &["n"], true),
            ("metadata.name", "In", &["n", "m"], false),
            ("metadata.name", "In", &[], false),
            ("metadata.name", "Exists", &[], false),
            ("metadata.name", "Gt", &["1"], false),
        ] {
            let parsed = Requirement::parse_field(&requirement(key, operator, values));
            assert_eq!(parsed.is_ok(), valid, "{key} {operator} {values:?}");
        }
    }

    #[test]
    fn fields_are_not_looked_at_on_a_nameless_node() {
        let selector = |key: &str, operator: &str, value: &str| {
            let term = NodeSelectorTerm {
                match_fields: vec![requirement(key, operator, &[value])],
                ..NodeSelectorTerm::default()
            };
            let required = NodeSelector {
                node_selector_terms: vec![term],
            };
            Selector::new(&BTreeMap::new(), Some(&required))
        };
        for (key, operator, value, named) in [
            ("metadata.name", "In", "a", true),
            ("metadata.name", "In", "b", false),
            ("metadata.name", "NotIn", "a", false),
            ("metadata.name", "NotIn", "b", true),
            ("metadata.uid", "In", "", true),
            ("metadata.uid", "In", "a", false),
            ("metadata.uid", "NotIn", "a", true),
        ] {
            let selector = selector(key, operator, value);
            assert_eq!(selector.check(&node("a", "arm64")).is_ok(), named);
            assert_eq!(selector.check(&node("", "arm64")), Ok(()));
        }
    }

    #[test]
    fn mismatches_say_what_was_asked() {
        let expressions = |requirements: Vec<NodeSelectorRequirement>| NodeSelectorTerm {
            match_expressions: requirements,
            ..NodeSelectorTerm::default()
        };
        let long = "x".repeat(63);
        let arm = node("a", "arm64");
        for (terms, mismatch) in [
            (vec![], Mismatch::NoValidTerm("it has no terms")),
            (
                vec![expressions(vec![])],
                Mismatch::NoValidTerm("a term is empty"),
            ),
            (
                vec![expressions(vec![requirement("a", "Is", &[])])],
                Mismatch::NoValidTerm(r#""a": "Is" is not an operator"#),
            ),
            (
                vec![
                    expressions(vec![
                        requirement("kubernetes.io/arch", "In", &["amd64", "s390x"]),
                        requirement("gpu", "Exists", &[]),
                    ]),
                    expressions(vec![]),
                    expressions(vec![requirement("n", "Gt", &["010"])]),
                ],
                Mismatch::Terms("kubernetes.io/arch In [amd64, s390x] and gpu Exists or n Gt 10"),
            ),
            (
                vec![expressions(vec![requirement(
                    "a",
                    "In",
                    &[&long, &long, &long],
                )])],
                Mismatch::Terms(&format!("a In [{long}, {long}, {}…", &long[..24])),
            ),
        ] {
            let required = NodeSelector {
                node_selector_terms: terms,
            };
            let selector = Selector::new(&BTreeMap::new(), Some(&required));
            assert_eq!(selector.check(&arm), Err(mismatch));
        }
    }
}
