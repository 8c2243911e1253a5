//! Whether a registry that says "not found" can be believed: private repositories hide.

use std::collections::HashSet;

use super::Answers;
use crate::image::{CredentialKind, ImageAnswer, ImageError, ImageRef};
use crate::model::PullAccess;

/// The repositories of which something was read, by who read it.
#[derive(Debug, Default)]
pub(super) struct Visible<'a>(HashSet<Reader<'a>>);

/// Registry, repository, and with whose credential.
type Reader<'a> = (Option<&'a str>, &'a str, &'a PullAccess, CredentialKind);

impl<'a> Visible<'a> {
    pub(super) fn collect(answers: &'a Answers) -> Self {
        let read = answers
            .iter()
            .filter(|(_, _, answer)| answer.result.is_ok());
        Self(read.map(|(i, a, answer)| reader(i, a, answer)).collect())
    }

    /// Whether an image is certainly not there: the registry said so to a credential that it had accepted, or shows other
    /// tags of the repository to the same one (DESIGN §3 `image-not-found`).
    pub(super) fn is_missing(
        &self,
        image: &'a ImageRef,
        access: &'a PullAccess,
        answer: &ImageAnswer,
    ) -> bool {
        match &answer.result {
            Err(ImageError::NotFound { authorized, .. }) => {
                *authorized || self.0.contains(&reader(image, access, answer))
            }
            _ => false,
        }
    }
}

fn reader<'a>(image: &'a ImageRef, access: &'a PullAccess, answer: &ImageAnswer) -> Reader<'a> {
    (
        image.registry.as_deref(),
        image.repository.as_str(),
        access,
        answer.credential,
    )
}
