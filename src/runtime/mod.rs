//! What a container runtime does with an image on a node: which manifest it picks, what becomes of it, and which
//! words the user will see. Pure.

mod child;
mod containerd;
mod crio;
mod decide;
mod docker;
pub mod matcher;
mod outcome;
mod single;
#[cfg(test)]
mod tests;

pub use decide::{decide, picks};
pub use outcome::{
    Cause, Certainty, Expectation, NodeClass, Outcome, OutcomeKind, PodContext, Seen,
};
