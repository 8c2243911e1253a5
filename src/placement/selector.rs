//! nodeSelector and required node affinity (component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`).
//!
//! A selector is compiled once a template and matched against many nodes. What a node says about a label is a
//! [`Labels`]: an existing node knows all of its labels, a hypothetical one only OS and architecture, and what it does
//! not know is satisfiable unless the requirements contradict each other.

use std::collections::BTreeMap;

use crate::image::Platform;
use crate::model::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec};

/// The one field that a term can ask for.
const NAME_FIELD: &str = "metadata.name";

/// What is known of a node's labels.
#[derive(Debug, Clone, Copy)]
pub enum Labels<'a> {
    /// All of them, and the node's name.
    Known {
        /// The node's name; with an empty one, fields are not evaluated.
        name: &'a str,
        /// The labels.
        labels: &'a BTreeMap<String, String>,
    },
    /// OS and architecture alone.
    Assumed(&'a Platform),
}

/// A label's value, as far as it is known.
enum Value<'a> {
    Is(&'a str),
    Absent,
    Open,
}

impl<'a> Labels<'a> {
    fn value(&self, key: &str) -> Value<'a> {
        match self {
            Self::Known { labels, .. } => labels.get(key).map_or(Value::Absent, |v| Value::Is(v)),
            Self::Assumed(platform) => match key {
                "kubernetes.io/os" | "beta.kubernetes.io/os" => Value::Is(&platform.os),
                "kubernetes.io/arch" | "beta.kubernetes.io/arch" => {
                    Value::Is(&platform.architecture)
                }
                _ => Value::Open,
            },
        }
    }
}

/// A pod's nodeSelector and required affinity, checked and ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    pairs: Vec<Requirement>,
    /// `None`: no required affinity. An empty list matches nothing.
    terms: Option<Vec<Term>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    Gt(i64),
    Lt(i64),
}

impl Selector {
    /// The selector of a pod.
    #[must_use]
    pub fn of(pod: &PodSpec) -> Self {
        Self::new(&pod.node_selector, pod.required_node_affinity())
    }

    /// A selector out of its two parts. A term that is broken or empty matches nothing and leaves the others alone.
    #[must_use]
    pub fn new(pairs: &BTreeMap<String, String>, affinity: Option<&NodeSelector>) -> Self {
        let pairs = pairs
            .iter()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::In(vec![value.clone()]),
            })
            .collect();
        let terms = affinity.map(|affinity| {
            affinity
                .node_selector_terms
                .iter()
                .filter_map(Term::compile)
                .collect()
        });
        Self { pairs, terms }
    }

    /// Whether a node may be selected.
    #[must_use]
    pub fn matches(&self, node: &Labels<'_>) -> bool {
        match &self.terms {
            None => self.with_term(node, &[]),
            Some(terms) => terms
                .iter()
                .any(|term| term.fields_match(node) && self.with_term(node, &term.labels)),
        }
    }

    /// nodeSelector and one term together.
    fn with_term(&self, node: &Labels<'_>, term: &[Requirement]) -> bool {
        let mut open: Vec<&Requirement> = Vec::new();
        for requirement in self.pairs.iter().chain(term) {
            let fits = match node.value(&requirement.key) {
                Value::Is(value) => requirement.operator.accepts(Some(value)),
                Value::Absent => requirement.operator.accepts(None),
                Value::Open => {
                    open.push(requirement);
                    true
                }
            };
            if !fits {
                return false;
            }
        }
        satisfiable(&open)
    }

    /// In words, for the reason why no node fits: `kubernetes.io/arch=amd64`.
    #[must_use]
    pub fn describe(&self) -> String {
        let pairs = self.pairs.iter().map(Requirement::describe);
        let terms = self.terms.iter().map(|terms| {
            let terms: Vec<_> = terms.iter().map(Term::describe).collect();
            if terms.is_empty() {
                "an affinity that matches nothing".to_owned()
            } else {
                terms.join(" or ")
            }
        });
        pairs.chain(terms).collect::<Vec<_>>().join(", ")
    }
}

impl Term {
    /// `None` for a term that can't match: empty, or with a requirement that the API server would refuse.
    fn compile(term: &NodeSelectorTerm) -> Option<Self> {
        if term.match_expressions.is_empty() && term.match_fields.is_empty() {
            return None;
        }
        let labels: Option<Vec<_>> = term
            .match_expressions
            .iter()
            .map(Requirement::of_label)
            .collect();
        let fields: Option<Vec<_>> = term
            .match_fields
            .iter()
            .map(Requirement::of_field)
            .collect();
        Some(Self {
            labels: labels?,
            fields: fields?,
        })
    }

    /// Only `metadata.name` is known; any other field is compared with the empty string. Nothing binds a hypothetical
    /// node, and a node without a name is not compared.
    fn fields_match(&self, node: &Labels<'_>) -> bool {
        let name = match node {
            Labels::Known { name, .. } if !name.is_empty() => *name,
            _ => return true,
        };
        self.fields.iter().all(|field| {
            field
                .operator
                .accepts(Some(if field.key == NAME_FIELD { name } else { "" }))
        })
    }

    /// The names that its fields allow, if they restrict them.
    fn names(&self) -> Option<Vec<&str>> {
        let mut lists = self
            .fields
            .iter()
            .filter(|field| field.key == NAME_FIELD)
            .filter_map(|field| match &field.operator {
                Operator::In(names) => Some(names),
                _ => None,
            });
        let first = lists.next()?;
        let rest: Vec<_> = lists.collect();
        let common = first
            .iter()
            .filter(|name| rest.iter().all(|list| list.contains(name)));
        Some(common.map(String::as_str).collect())
    }

    fn describe(&self) -> String {
        let parts: Vec<_> = self
            .labels
            .iter()
            .chain(&self.fields)
            .map(Requirement::describe)
            .collect();
        parts.join(", ")
    }
}

impl Selector {
    /// The names of nodes that required affinity pins by `metadata.name`: `None` when some term leaves them open.
    #[must_use]
    pub fn pinned_names(&self) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        for term in self.terms.as_ref()? {
            names.extend(term.names()?);
        }
        Some(names)
    }
}

impl Requirement {
    fn of_label(written: &NodeSelectorRequirement) -> Option<Self> {
        let values = &written.values;
        if !is_label_key(&written.key) || !values.iter().all(|value| is_label_value(value)) {
            return None;
        }
        let operator = match (written.operator.as_str(), values.as_slice()) {
            ("In", [_, ..]) => Operator::In(values.clone()),
            ("NotIn", [_, ..]) => Operator::NotIn(values.clone()),
            ("Exists", []) => Operator::Exists,
            ("DoesNotExist", []) => Operator::DoesNotExist,
            ("Gt", [bound]) => Operator::Gt(bound.parse().ok()?),
            ("Lt", [bound]) => Operator::Lt(bound.parse().ok()?),
            _ => return None,
        };
        Some(Self {
            key: written.key.clone(),
            operator,
        })
    }

    fn of_field(written: &NodeSelectorRequirement) -> Option<Self> {
        let operator = match (written.operator.as_str(), written.values.as_slice()) {
            ("In", [_]) => Operator::In(written.values.clone()),
            ("NotIn", [_]) => Operator::NotIn(written.values.clone()),
            _ => return None,
        };
        Some(Self {
            key: written.key.clone(),
            operator,
        })
    }

    fn describe(&self) -> String {
        let key = &self.key;
        match &self.operator {
            Operator::In(values) if values.len() == 1 => format!("{key}={}", values.concat()),
            Operator::In(values) => format!("{key} in ({})", values.join(",")),
            Operator::NotIn(values) => format!("{key} not in ({})", values.join(",")),
            Operator::Exists => format!("{key} exists"),
            Operator::DoesNotExist => format!("no {key}"),
            Operator::Gt(bound) => format!("{key} > {bound}"),
            Operator::Lt(bound) => format!("{key} < {bound}"),
        }
    }
}

impl Operator {
    /// Whether a label with this value (`None`: without this label) fits.
    fn accepts(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::In(values) => value.is_some_and(|value| values.iter().any(|v| v == value)),
            Self::NotIn(values) => value.is_none_or(|value| values.iter().all(|v| v != value)),
            Self::Exists => value.is_some(),
            Self::DoesNotExist => value.is_none(),
            Self::Gt(bound) => number().is_some_and(|number| number > *bound),
            Self::Lt(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Whether labels exist that fit all requirements. Requirements on different labels never get in each other's way.
fn satisfiable(requirements: &[&Requirement]) -> bool {
    requirements.iter().all(|requirement| {
        let same: Vec<&Operator> = requirements
            .iter()
            .filter(|other| other.key == requirement.key)
            .map(|other| &other.operator)
            .collect();
        label_can_fit(&same)
    })
}

/// Whether one label (or its absence) fits all operators.
fn label_can_fit(operators: &[&Operator]) -> bool {
    let fits = |value: Option<&str>| operators.iter().all(|operator| operator.accepts(value));
    if fits(None) {
        return true;
    }
    // Where values are listed, one of them must do.
    let listed = operators.iter().find_map(|operator| match operator {
        Operator::In(values) => Some(values),
        _ => None,
    });
    if let Some(values) = listed {
        return values.iter().any(|value| fits(Some(value)));
    }
    // Otherwise a number next to a bound, or a value that nobody lists.
    let near_bounds = operators.iter().filter_map(|operator| match operator {
        Operator::Gt(bound) => bound.checked_add(1),
        Operator::Lt(bound) => bound.checked_sub(1),
        _ => None,
    });
    near_bounds
        .map(|number| number.to_string())
        .any(|value| fits(Some(&value)))
        || fits(Some("a-value-that-nobody-lists"))
}

/// `[prefix/]name` (apimachinery `validation.IsQualifiedName`).
fn is_label_key(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name)) => {
            let label = |label: &str| {
                let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                !label.is_empty()
                    && label.bytes().all(ok)
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            };
            if prefix.len() > 253 || !prefix.split('.').all(label) {
                return false;
            }
            name
        }
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

/// At most 63 of letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; may be empty.
fn is_label_value(value: &str) -> bool {
    let end = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    value.len() <= 63
        && end(value.bytes().next())
        && end(value.bytes().last())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
