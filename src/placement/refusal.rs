//! Why a node refuses a pod, in words for people.

use std::borrow::Cow;
use std::fmt;

/// Why a node refuses a pod. Displays as a fragment of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal<'a> {
    /// `spec.nodeName` names another node.
    Bound {
        /// That node.
        node: Cow<'a, str>,
    },
    /// The node is cordoned (only under [`super::Rules::transient_refuses`]).
    Cordoned,
    /// A taint that the pod does not tolerate.
    Taint {
        /// Its key.
        key: Cow<'a, str>,
        /// Its value; often empty.
        value: Cow<'a, str>,
        /// Its effect.
        effect: Cow<'a, str>,
    },
    /// A pair of the node selector that the node's labels do not have.
    NodeSelector {
        /// Label key.
        key: Cow<'a, str>,
        /// The value asked for.
        value: Cow<'a, str>,
    },
    /// The namespace's node selector asks for another value than the pod's: the API server refuses the pod, for every
    /// node alike.
    NamespaceSelector {
        /// Label key.
        key: Cow<'a, str>,
        /// The value that the pod asks for.
        pod: Cow<'a, str>,
        /// The value that its namespace asks for.
        namespace: Cow<'a, str>,
    },
    /// No term of the required node affinity matches.
    NodeAffinity {
        /// The terms.
        terms: Cow<'a, str>,
    },
    /// The required node affinity has no valid term, which no node can match.
    InvalidNodeAffinity {
        /// What is wrong with it.
        why: Cow<'a, str>,
    },
    /// `spec.os.name` is not the node's OS: the kubelet would refuse (`PodOSNotSupported`).
    Os {
        /// The OS that the pod declares.
        declared: Cow<'a, str>,
        /// The node's.
        node: Cow<'a, str>,
    },
    /// The pod's own label `kubernetes.io/os` is not the node's OS: the kubelet would refuse
    /// (`PodOSSelectorNodeLabelDoesNotMatch`).
    OsLabel {
        /// The label's value.
        label: Cow<'a, str>,
        /// The node's OS.
        node: Cow<'a, str>,
    },
}

impl Refusal<'_> {
    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Refusal<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        match self {
            Self::Bound { node } => Refusal::Bound { node: own(node) },
            Self::Cordoned => Refusal::Cordoned,
            Self::Taint { key, value, effect } => Refusal::Taint {
                key: own(key),
                value: own(value),
                effect: own(effect),
            },
            Self::NodeSelector { key, value } => Refusal::NodeSelector {
                key: own(key),
                value: own(value),
            },
            Self::NamespaceSelector {
                key,
                pod,
                namespace,
            } => Refusal::NamespaceSelector {
                key: own(key),
                pod: own(pod),
                namespace: own(namespace),
            },
            Self::NodeAffinity { terms } => Refusal::NodeAffinity { terms: own(terms) },
            Self::InvalidNodeAffinity { why } => Refusal::InvalidNodeAffinity { why: own(why) },
            Self::Os { declared, node } => Refusal::Os {
                declared: own(declared),
                node: own(node),
            },
            Self::OsLabel { label, node } => Refusal::OsLabel {
                label: own(label),
                node: own(node),
            },
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { node } => write!(f, "bound to node {node}"),
            Self::Cordoned => f.write_str("cordoned"),
            Self::Taint { key, value, effect } => {
                // As `kubectl taint` writes them: no equals sign without a value.
                let equals = if value.is_empty() { "" } else { "=" };
                write!(f, "taint {key}{equals}{value}:{effect} is not tolerated")
            }
            Self::NodeSelector { key, value } => {
                write!(f, "node selector {key}={value} does not match")
            }
            Self::NamespaceSelector {
                key,
                pod,
                namespace,
            } => write!(
                f,
                "node selector {key}={pod} conflicts with the namespace's {key}={namespace}"
            ),
            Self::NodeAffinity { terms } => {
                write!(f, "required node affinity {terms} does not match")
            }
            Self::InvalidNodeAffinity { why } => {
                write!(f, "required node affinity matches no node: {why}")
            }
            Self::Os { declared, node } => {
                write!(f, "spec.os.name {declared} is not the node's OS, {node}")
            }
            Self::OsLabel { label, node } => {
                write!(
                    f,
                    "pod label kubernetes.io/os={label} is not the node's OS, {node}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_read_as_fragments() {
        let taint = |value| Refusal::Taint {
            key: "kubernetes.io/arch".into(),
            value: Cow::Borrowed(value),
            effect: "NoSchedule".into(),
        };
        for (refusal, text) in [
            (
                taint("arm64"),
                "taint kubernetes.io/arch=arm64:NoSchedule is not tolerated",
            ),
            (
                taint(""),
                "taint kubernetes.io/arch:NoSchedule is not tolerated",
            ),
            (Refusal::Bound { node: "n1".into() }, "bound to node n1"),
            (
                Refusal::NodeSelector {
                    key: "kubernetes.io/arch".into(),
                    value: "amd64".into(),
                },
                "node selector kubernetes.io/arch=amd64 does not match",
            ),
            (
                Refusal::NamespaceSelector {
                    key: "zone".into(),
                    pod: "a".into(),
                    namespace: "b".into(),
                },
                "node selector zone=a conflicts with the namespace's zone=b",
            ),
            (
                Refusal::NodeAffinity {
                    terms: "a In [b]".into(),
                },
                "required node affinity a In [b] does not match",
            ),
            (
                Refusal::Os {
                    declared: "windows".into(),
                    node: "linux".into(),
                },
                "spec.os.name windows is not the node's OS, linux",
            ),
        ] {
            assert_eq!(refusal.to_string(), text);
            assert_eq!(refusal.clone().into_owned(), refusal);
        }
    }
}
