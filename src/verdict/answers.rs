//! What came of asking for the images: by image, and by whose pull secrets it was asked with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::image::{ImageAnswer, ImageRef};
use crate::model::PullAccess;

/// The answers of a scan.
#[derive(Debug, Clone, Default)]
pub struct Answers(BTreeMap<ImageRef, BTreeMap<PullAccess, Arc<ImageAnswer>>>);

impl Answers {
    /// Adds an answer, unless there is one already.
    pub fn add(&mut self, image: ImageRef, access: PullAccess, answer: Arc<ImageAnswer>) {
        let of_image = self.0.entry(image).or_default();
        of_image.entry(access).or_insert(answer);
    }

    /// The answer for pods with this access.
    #[must_use]
    pub fn get(&self, image: &ImageRef, access: &PullAccess) -> Option<(&ImageRef, &ImageAnswer)> {
        let (image, of_image) = self.0.get_key_value(image)?;
        of_image.get(access).map(|answer| (image, answer.as_ref()))
    }

    /// All answers, sorted by image.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ImageRef, &PullAccess, &ImageAnswer)> {
        self.0.iter().flat_map(|(image, of_image)| {
            let answers = of_image.iter();
            answers.map(move |(access, answer)| (image, access, answer.as_ref()))
        })
    }

    /// The distinct answers of each image, sorted by image, with the namespaces whose pods they are for. Most images have
    /// one answer, whoever asks, and it is for all.
    pub(super) fn distinct(&self) -> Vec<(&ImageRef, &ImageAnswer, Vec<String>)> {
        let mut rows = Vec::new();
        for (image, of_image) in &self.0 {
            let mut distinct: Vec<(&Arc<ImageAnswer>, Vec<String>)> = Vec::new();
            for (access, answer) in of_image {
                let at = distinct.iter().position(|(known, _)| *known == answer);
                let at = at.unwrap_or_else(|| {
                    distinct.push((answer, Vec::new()));
                    distinct.len() - 1
                });
                if let (Some((_, namespaces)), Some(namespace)) =
                    (distinct.get_mut(at), access.namespace())
                {
                    namespaces.push(namespace.to_owned());
                }
            }
            let several = distinct.len() > 1;
            for (answer, mut namespaces) in distinct {
                namespaces.sort();
                namespaces.dedup();
                if !several {
                    namespaces.clear();
                }
                rows.push((image, answer.as_ref(), namespaces));
            }
        }
        rows
    }
}
