//! Pull secrets: which of them a pod's images may be pulled with, and what they hold.

use std::fmt;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one header, form or parser that it belongs in.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// With whose pull secrets the kubelet pulls a pod's images. Never those of another namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PullAccess {
    /// With none.
    #[default]
    Nobody,
    /// With the secrets that the pod names, in its order.
    Secrets {
        /// The pod's namespace.
        namespace: String,
        /// Their names; never empty.
        names: Vec<String>,
    },
    /// With those that its service account names: the API server copies them into a new pod that names none (kubernetes
    /// `plugin/pkg/admission/serviceaccount/admission.go`).
    ServiceAccount {
        /// The pod's namespace.
        namespace: String,
        /// The account.
        name: String,
    },
}

impl PullAccess {
    /// The namespace whose secrets these are.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Nobody => None,
            Self::Secrets { namespace, .. } | Self::ServiceAccount { namespace, .. } => {
                Some(namespace)
            }
        }
    }
}

/// What a Secret holds for pulling images (kubernetes `pkg/credentialprovider/secrets/secrets.go`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullSecret {
    /// Type `kubernetes.io/dockerconfigjson`: a docker config with `auths`.
    DockerConfigJson(Secret),
    /// Type `kubernetes.io/dockercfg`: the entries of `auths` alone.
    DockerCfg(Secret),
    /// Of another type, or without the key that its type needs; the kubelet passes over it.
    NotForPulling,
}
