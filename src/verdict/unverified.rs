//! What `--verify` was to look at and could not: an index is then believed, and that is said.

use std::collections::BTreeMap;

use super::Answers;
use crate::image::{Content, Index, Shape, media_type};
use crate::model::Incomplete;

/// How many images an entry names.
const NAMED: usize = 3;

/// One entry for each reason.
pub(super) fn unverified(answers: &Answers) -> Vec<Incomplete> {
    let mut images: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (image, answer, _) in answers.distinct() {
        let Ok(facts) = &answer.result else { continue };
        let Shape::Index(index) = &facts.shape else {
            continue;
        };
        for why in unread(index) {
            let of_reason = images.entry(why).or_default();
            let image = image.to_string();
            if of_reason.last() != Some(&image) {
                of_reason.push(image);
            }
        }
    }
    let entry = |(why, images): (&str, Vec<String>)| {
        let more = images.len().saturating_sub(NAMED);
        let named = images.iter().take(NAMED).cloned().collect::<Vec<_>>();
        let tail = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Incomplete {
            what: format!("what the index lists of {}{tail}", named.join(", ")),
            why: why.to_owned(),
            hint: "scan again; the index was believed".to_owned(),
            matters: true,
        }
    };
    images.into_iter().map(entry).collect()
}

/// Entries that declare a platform are looked at only to verify it.
fn unread(index: &Index) -> Vec<&str> {
    let nested = [media_type::OCI_INDEX, media_type::DOCKER_LIST];
    let mut found = Vec::new();
    for entry in &index.entries {
        match &entry.content {
            Content::Index(inner) => found.extend(unread(inner)),
            Content::Unreadable(why)
                if entry.platform.is_some() && !nested.contains(&entry.media_type.as_str()) =>
            {
                found.push(why.as_str());
            }
            _ => {}
        }
    }
    found
}
