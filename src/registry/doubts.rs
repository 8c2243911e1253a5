//! Mirrors that could not be asked, so that another endpoint answered for them. A digest names the same bytes everywhere;
//! behind a tag, a mirror may have something else, and the nodes would get that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::image::{ImageError, ImageRef, Tried};
use crate::model::Incomplete;

/// What came of asking each mirror, and for which images.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<BTreeMap<String, (ImageError, BTreeSet<ImageRef>)>>);

impl Doubts {
    /// Notes who could not be asked before a tag was answered.
    pub(super) fn note(&self, image: &ImageRef, tried: &[Tried]) {
        let mut doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tried in tried.iter().filter(|tried| !is_absence(&tried.error)) {
            // By host, whatever the repositories are called there.
            let host = tried.asked_at.split('/').next().unwrap_or_default();
            let doubt = doubts.entry(host.to_owned());
            let (_, images) = doubt.or_insert_with(|| (tried.error.clone(), BTreeSet::new()));
            images.insert(image.clone());
        }
    }

    /// One entry a mirror.
    pub(super) fn incomplete(&self) -> Vec<Incomplete> {
        let doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doubts
            .iter()
            .map(|(host, (error, images))| {
                let (images, were) = match images.len() {
                    1 => ("1 image".to_owned(), "was"),
                    n => (format!("{n} images"), "were"),
                };
                Incomplete {
                    what: format!("mirror {host}: what it has for {images} by tag"),
                    why: format!("{error}; others answered, where the tags may lead elsewhere"),
                    hint: format!(
                        "scan from where the mirror can be asked, log in to it, or give what {were} read with --images"
                    ),
                    matters: true,
                }
            })
            .collect()
    }
}

/// The mirror answered, and does not have the image: the nodes go on to the next as well.
fn is_absence(error: &ImageError) -> bool {
    matches!(error, ImageError::NotFound { .. })
}
