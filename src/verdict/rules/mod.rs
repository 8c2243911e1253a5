//! The rules (DESIGN §3). Each has a file of its own here, which holds all that is said about it: reports, the command
//! `rules`, docs/rules/ and SARIF take their words from there. `judge` says when a rule speaks.
//!
//! A new rule: its file, and a line in each of the two lists below.

mod exec_format_error;
mod fallback_platform;
mod image_not_found;
mod image_unreadable;
mod invalid_reference;
mod mislabelled_image;
mod missing_child;
mod no_matching_platform;
mod node_label_mismatch;
mod os_not_pinned;
mod page;
mod pinned_child;
mod runtime_dependent;
mod severity;
#[cfg(test)]
mod tests;
mod unsupported_image;

use std::fmt;

pub use page::{Example, Message, Page};
pub use severity::Severity;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident in $file:ident;)+) => {
        /// One thing that can be wrong. Names are part of the interface and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// Every rule, in the order in which reports list them.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            /// All that is said about it.
            #[must_use]
            pub fn page(self) -> &'static Page {
                match self {
                    $(Self::$rule => &$file::PAGE,)+
                }
            }
        }
    };
}

// In the order in which reports list findings of one verdict.
rules! {
    /// A single manifest of another platform is started on this node.
    ExecFormatError in exec_format_error;
    /// The index has nothing for this node.
    NoMatchingPlatform in no_matching_platform;
    /// The digest is one platform's manifest out of an index.
    PinnedChild in pinned_child;
    /// Schema 1, chart or artifact, which this runtime refuses.
    UnsupportedImage in unsupported_image;
    /// The index lists a manifest that the registry doesn't have.
    MissingChild in missing_child;
    /// The registry has no such tag or digest.
    ImageNotFound in image_not_found;
    /// The kubelet would say InvalidImageName.
    InvalidReference in invalid_reference;
    /// Index and config name different platforms.
    MislabelledImage in mislabelled_image;
    /// Depends on what the API can't show.
    RuntimeDependent in runtime_dependent;
    /// May land on a node of another OS.
    OsNotPinned in os_not_pinned;
    /// No access, rate limited, unreachable, no registry's answer.
    ImageUnreadable in image_unreadable;
    /// Runs as 386 or 32-bit arm.
    FallbackPlatform in fallback_platform;
    /// A node's label and nodeInfo disagree.
    NodeLabelMismatch in node_label_mismatch;
}

impl Rule {
    /// The rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.page().name
    }

    /// How bad it is; where a page gives two severities, the worse.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.page().severity
    }

    /// What to do about it, in a line or two.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.page().advice
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
