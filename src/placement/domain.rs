//! What is known about a node's labels and name: the one place that tells apart nodes that exist from nodes that are
//! only described.

use crate::model::{Node, NodeOrigin};

use super::selector::Test;

/// What a label (or the name) of a node may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain<'a> {
    /// This value, or known to be absent.
    Known(Option<&'a str>),
    /// One of several possibilities: a node yet to be made gets the one that a pod asks for.
    Open(ValueSet<'a>),
}

impl<'a> Domain<'a> {
    /// What is known about the label `key` of `node`.
    ///
    /// Every label of a Node object is known. Of a hypothetical node only OS and architecture are, under the names that
    /// the kubelet registers (`pkg/kubelet/kubelet_node_status.go` initialNode), and the labels that it was given;
    /// an architecture's variant is in no label.
    #[must_use]
    pub fn of_label(node: &'a Node, key: &str) -> Self {
        if let Some(value) = node.labels.get(key) {
            return Self::Known(Some(value));
        }
        if node.origin != NodeOrigin::Hypothetical {
            return Self::Known(None);
        }
        match key {
            "kubernetes.io/os" | "beta.kubernetes.io/os" => Self::Known(Some(&node.platform.os)),
            "kubernetes.io/arch" | "beta.kubernetes.io/arch" => {
                Self::Known(Some(&node.platform.architecture))
            }
            _ => Self::Open(ValueSet::anything()),
        }
    }

    /// What is known about the name of `node`; absent when a Node object has none.
    #[must_use]
    pub fn of_name(node: &'a Node) -> Self {
        match node.origin {
            NodeOrigin::Hypothetical => Self::Open(ValueSet::named()),
            NodeOrigin::Existing | NodeOrigin::Potential(_) => {
                Self::Known(Some(node.name.as_str()).filter(|name| !name.is_empty()))
            }
        }
    }
}

/// The values that a label may still have after some requirements on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSet<'a> {
    /// It may be absent.
    absent: bool,
    /// If present, one of these; `None` is any value.
    only: Option<Vec<&'a str>>,
    /// If present, none of these.
    except: Vec<&'a str>,
    /// If present, an integer above this.
    above: Option<i64>,
    /// If present, an integer below this.
    below: Option<i64>,
}

impl<'a> ValueSet<'a> {
    /// Any value, or none: nothing is known.
    #[must_use]
    pub const fn anything() -> Self {
        Self {
            absent: true,
            only: None,
            except: Vec::new(),
            above: None,
            below: None,
        }
    }

    /// Some value: the name of a node yet to be made.
    #[must_use]
    pub fn named() -> Self {
        Self {
            absent: false,
            ..Self::anything()
        }
    }

    /// One of `values`.
    #[must_use]
    pub fn one_of(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            only: Some(values.into_iter().collect()),
            ..Self::named()
        }
    }

    /// Keeps what `test` accepts.
    pub fn narrow(&mut self, test: &'a Test) {
        if !test.matches(None) {
            self.absent = false;
        }
        match test {
            Test::In(values) => self.keep_only(values.iter().map(String::as_str).collect()),
            Test::NotIn(values) => self.except.extend(values.iter().map(String::as_str)),
            Test::Exists => {}
            Test::DoesNotExist => self.only = Some(Vec::new()),
            Test::Gt(bound) => {
                self.above = Some(self.above.map_or(*bound, |other| other.max(*bound)));
            }
            Test::Lt(bound) => {
                self.below = Some(self.below.map_or(*bound, |other| other.min(*bound)));
            }
        }
    }

    /// Keeps `value` alone, as a pair of a node selector does.
    pub fn narrow_to(&mut self, value: &'a str) {
        self.absent = false;
        self.keep_only(vec![value]);
    }

    fn keep_only(&mut self, mut values: Vec<&'a str>) {
        if let Some(only) = &self.only {
            values.retain(|value| only.contains(value));
        }
        self.only = Some(values);
    }

    /// Whether nothing is left: the requirements contradict each other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.absent && !self.allows_a_value()
    }

    fn allows_a_value(&self) -> bool {
        match &self.only {
            Some(values) => values
                .iter()
                .any(|value| !self.except.contains(value) && self.is_within_bounds(value)),
            // Values are many: 05 is as good as 5, so that a few exceptions never use them up.
            None => match (self.above, self.below) {
                (Some(above), Some(below)) => {
                    above.checked_add(1).is_some_and(|least| least < below)
                }
                (Some(above), None) => above < i64::MAX,
                (None, Some(below)) => below > i64::MIN,
                (None, None) => true,
            },
        }
    }

    fn is_within_bounds(&self, value: &str) -> bool {
        self.above
            .is_none_or(|bound| Test::Gt(bound).matches(Some(value)))
            && self
                .below
                .is_none_or(|bound| Test::Lt(bound).matches(Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(values: &[&str]) -> Test {
        Test::In(values.iter().map(ToString::to_string).collect())
    }

    fn not_in(values: &[&str]) -> Test {
        Test::NotIn(values.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn requirements_on_one_label_may_contradict_each_other() {
        use Test::{DoesNotExist, Exists, Gt, Lt};
        for (tests, possible) in [
            (vec![], true),
            (vec![is_in(&["a", "b"]), is_in(&["b", "c"])], true),
            (vec![is_in(&["a"]), is_in(&["b"])], false),
            (vec![is_in(&["a", "b"]), not_in(&["a"])], true),
            (vec![is_in(&["a", "b"]), not_in(&["a", "b"])], false),
            (vec![not_in(&["a"]), not_in(&["b"])], true),
            (vec![not_in(&["a"]), DoesNotExist], true),
            (vec![Exists, DoesNotExist], false),
            (vec![is_in(&["a"]), DoesNotExist], false),
            (vec![DoesNotExist, DoesNotExist], true),
            (vec![Exists, not_in(&["a"])], true),
            (vec![Gt(1), Lt(3)], true),
            (vec![Gt(1), Lt(2)], false),
            (vec![Gt(3), Lt(1)], false),
            (vec![Gt(i64::MAX)], false),
            (vec![Lt(i64::MIN)], false),
            (vec![Gt(1), DoesNotExist], false),
            (vec![Gt(1), is_in(&["1", "x"])], false),
            (vec![Gt(1), is_in(&["1", "2"])], true),
            (vec![Gt(1), is_in(&["1", "2"]), Lt(2)], false),
            (vec![Gt(1), Gt(5), is_in(&["5"])], false),
        ] {
            let mut set = ValueSet::anything();
            for test in &tests {
                set.narrow(test);
            }
            assert_eq!(!set.is_empty(), possible, "{tests:?}");
        }
    }

    #[test]
    fn a_set_of_values_is_never_absent() {
        let from_pool = || ValueSet::one_of(["amd64", "arm64"]);
        for (test, possible) in [
            (is_in(&["arm64"]), true),
            (is_in(&["s390x"]), false),
            (not_in(&["amd64"]), true),
            (not_in(&["amd64", "arm64"]), false),
            (Test::Exists, true),
            (Test::DoesNotExist, false),
            (Test::Gt(0), false),
        ] {
            let mut set = from_pool();
            set.narrow(&test);
            assert_eq!(!set.is_empty(), possible, "{test:?}");
        }
        let mut set = from_pool();
        set.narrow_to("s390x");
        assert!(set.is_empty());
    }
}
