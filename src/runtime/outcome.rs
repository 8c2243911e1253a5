//! What happens when a node starts a container from an image.

use crate::image::Platform;
use crate::model::{NodeOrigin, Runtime};

/// Nodes that behave alike: one outcome for all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeClass {
    /// OS, architecture, and what is known of variant and OS version.
    pub platform: Platform,
    /// Container runtime and version.
    pub runtime: Runtime,
    /// Existing, potential (and of which pool) or hypothetical.
    pub origin: NodeOrigin,
    /// Evidence that programs of other architectures are emulated there, e.g. an osImage `Docker Desktop`.
    pub emulation: Option<String>,
}

/// What of the pod, beside the image, changes an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodContext<'a> {
    /// The container gives a `command`, so an image without one is started all the same.
    pub has_command: bool,
    /// The pod's RuntimeClass: its handler may be configured for another platform.
    pub runtime_class: Option<&'a str>,
}

/// The seven outcomes of the contract (DESIGN §1), from best to worst as a pod's verdict counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// The runtime picks a manifest made for this node.
    Runs,
    /// It picks a lesser platform, which CPU and kernel may or may not still speak.
    Fallback,
    /// Differs by something that can't be seen.
    Depends,
    /// Could not be found out.
    Unknown,
    /// The container can't be created (`CreateContainerError`).
    CreateFails,
    /// No manifest for the platform (`ImagePullBackOff`).
    PullFails,
    /// The process can't be started (`CrashLoopBackOff`).
    ExecFails,
}

impl OutcomeKind {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Fallback => "fallback",
            Self::ExecFails => "exec-fails",
            Self::PullFails => "pull-fails",
            Self::CreateFails => "create-fails",
            Self::Depends => "depends",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the container certainly or probably won't start.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::ExecFails | Self::PullFails | Self::CreateFails)
    }
}

/// How sure an outcome is (DESIGN §1), from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Follows from manifest and rule alone.
    Certain,
    /// Rests on a label or a default that nobody checked.
    Likely,
    /// On the thing that the reason names.
    Depends,
}

impl Certainty {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Depends => "depends",
        }
    }
}

/// Where a text will be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// `kubectl get pods`: the container's waiting or terminated reason.
    Status,
    /// `kubectl describe pod`: an event, and `waiting.message`.
    Event,
    /// `kubectl logs`.
    Log,
}

impl Seen {
    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Event => "event",
            Self::Log => "log",
        }
    }
}

/// A literal text that the user will see: the part of it that doesn't vary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expectation {
    /// Where.
    pub seen: Seen,
    /// The text.
    pub text: String,
    /// Exit code of the process, where one is known.
    pub exit_code: Option<i32>,
}

/// Why an outcome is what it is; each cause is spoken for by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A manifest for the node.
    Match,
    /// A lesser platform is chosen.
    LesserPlatform,
    /// The index has nothing for the node.
    NoMatch,
    /// A single manifest of another platform, taken as it is.
    ForeignManifest,
    /// Schema 1, chart or artifact.
    Unsupported,
    /// The registry does not have the manifest that the index lists.
    MissingChild,
    /// The index says one platform, the config another.
    Mislabelled,
    /// Something that the API can't show.
    Unseen,
    /// The document could not be read far enough.
    Unread,
    /// The node does not say which platform it is.
    NodeUnsaid,
}

/// What happens to one image on one class of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which of the seven.
    pub kind: OutcomeKind,
    /// How sure.
    pub certainty: Certainty,
    /// Why, for rules.
    pub cause: Cause,
    /// Why, for people: a sentence fragment without a full stop; empty for `runs`.
    pub reason: String,
    /// What will be seen; empty unless something fails.
    pub expect: Vec<Expectation>,
}

impl Outcome {
    /// The runtime picks a manifest made for this node.
    #[must_use]
    pub fn runs() -> Self {
        Self {
            kind: OutcomeKind::Runs,
            certainty: Certainty::Certain,
            cause: Cause::Match,
            reason: String::new(),
            expect: Vec::new(),
        }
    }

    /// A lesser platform is picked.
    pub(crate) fn fallback(reason: String) -> Self {
        Self::new(
            OutcomeKind::Fallback,
            Certainty::Likely,
            Cause::LesserPlatform,
            reason,
        )
    }

    /// Differs by something that can't be seen, which `reason` names.
    pub(crate) fn depends(reason: String) -> Self {
        Self::new(
            OutcomeKind::Depends,
            Certainty::Depends,
            Cause::Unseen,
            reason,
        )
    }

    /// Could not be found out.
    pub(crate) fn unknown(reason: String) -> Self {
        Self::new(
            OutcomeKind::Unknown,
            Certainty::Depends,
            Cause::Unread,
            reason,
        )
    }

    /// Any outcome without expectations.
    pub(crate) fn new(
        kind: OutcomeKind,
        certainty: Certainty,
        cause: Cause,
        reason: String,
    ) -> Self {
        Self {
            kind,
            certainty,
            cause,
            reason,
            expect: Vec::new(),
        }
    }

    /// Adds a text that will be seen.
    #[must_use]
    pub(crate) fn expecting(mut self, seen: Seen, text: impl Into<String>) -> Self {
        self.expect.push(Expectation {
            seen,
            text: text.into(),
            exit_code: None,
        });
        self
    }

    /// Adds a log line and the exit code that comes with it.
    #[must_use]
    pub(crate) fn expecting_exit(mut self, text: impl Into<String>, exit_code: i32) -> Self {
        self.expect.push(Expectation {
            seen: Seen::Log,
            text: text.into(),
            exit_code: Some(exit_code),
        });
        self
    }

    /// `ErrImagePull` with the runtime's own words.
    pub(crate) fn pull_fails(
        certainty: Certainty,
        cause: Cause,
        reason: String,
        text: impl Into<String>,
    ) -> Self {
        let text = text.into();
        let outcome = Self::new(OutcomeKind::PullFails, certainty, cause, reason)
            .expecting(Seen::Status, "ImagePullBackOff");
        if text.is_empty() {
            outcome
        } else {
            outcome.expecting(Seen::Event, text)
        }
    }

    /// `CreateContainerError` (or `StartError`) with the runtime's own words.
    pub(crate) fn create_fails(
        certainty: Certainty,
        cause: Cause,
        reason: String,
        status: &str,
        text: impl Into<String>,
    ) -> Self {
        let text = text.into();
        let outcome = Self::new(OutcomeKind::CreateFails, certainty, cause, reason)
            .expecting(Seen::Status, status);
        if text.is_empty() {
            outcome
        } else {
            outcome.expecting(Seen::Event, text)
        }
    }
}
