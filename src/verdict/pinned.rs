//! Digests of one platform's manifest that stand where the digest of an index was meant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::findings::Observation;
use super::rules::{Rule, Severity};
use super::{Answers, NodeClasses, Verdict};
use crate::image::{Content, Digest, ImageFacts, ImageRef, Index, Shape};
use crate::model::{PullAccess, Workload};
use crate::placement::Placement;
use crate::runtime::{Cause, Certainty, NodeClass, Outcome, OutcomeKind, PodContext, decide};

/// The indexes that were read, by the digests that they list.
#[derive(Debug, Default)]
pub(super) struct Pins<'a>(HashMap<Key<'a>, Vec<(&'a ImageRef, &'a ImageFacts)>>);

/// Registry, repository, and the digest of a child.
type Key<'a> = (Option<&'a str>, &'a str, &'a Digest);

impl<'a> Pins<'a> {
    /// Those of all answers: about images of pods, and about the tags beside their digests.
    pub(super) fn collect(answers: [&'a Answers; 2]) -> Self {
        let mut pins = Self::default();
        for (image, answer, _) in answers.into_iter().flat_map(Answers::distinct) {
            let Ok(facts) = &answer.result else { continue };
            let Shape::Index(index) = &facts.shape else {
                continue;
            };
            for child in children(index) {
                let key = (image.registry.as_deref(), image.repository.as_str(), child);
                pins.0.entry(key).or_default().push((image, facts));
            }
        }
        pins
    }

    /// The pin of an image that is a single manifest, if it is one.
    pub(super) fn pin(&self, image: &'a ImageRef, own: &'a ImageFacts) -> Option<Pin<'a>> {
        let index = self.index_of(image)?;
        Some(Pin { own, index })
    }

    /// The index that lists the digest of an image: the one that its tag leads to, if that does.
    fn index_of(&self, image: &'a ImageRef) -> Option<&'a ImageFacts> {
        let digest = image.digest.as_ref()?;
        let key = (image.registry.as_deref(), image.repository.as_str(), digest);
        let indexes = self.0.get(&key)?;
        let by_tag = indexes
            .iter()
            .find(|(known, _)| known.tag.is_some() && known.tag == image.tag);
        by_tag.or(indexes.first()).map(|(_, facts)| *facts)
    }
}

/// An image that is pinned to one platform's manifest out of an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pin<'a> {
    own: &'a ImageFacts,
    index: &'a ImageFacts,
}

impl Pin<'_> {
    /// What a finding says. The digest of the index is what the user is to write.
    pub(super) fn what(&self) -> String {
        let list = |facts: &ImageFacts| {
            let platforms: Vec<String> =
                facts.platforms().iter().map(ToString::to_string).collect();
            platforms.join(", ")
        };
        format!(
            "the digest is that of the image for {} out of the index {}, which has {}",
            list(self.own),
            self.index.digest,
            list(self.index)
        )
    }

    /// Whether a failure is the pin's fault: the index would not fail.
    pub(super) fn explains(
        &self,
        outcome: &Outcome,
        context: PodContext<'_>,
        class: &NodeClass,
    ) -> bool {
        let with_index = || decide(self.index, context, class).kind;
        outcome.kind.is_failure()
            && outcome.cause == Cause::ForeignManifest
            && matches!(with_index(), OutcomeKind::Runs | OutcomeKind::Fallback)
    }

    /// What is worth knowing where every node can run the image.
    pub(super) fn warning<'c>(&self, class: &'c NodeClass, members: &[u32]) -> Observation<'c> {
        Observation {
            rule: Rule::PinnedChild,
            severity: Severity::Warning,
            origin: &class.origin,
            platform: class.platform.to_string(),
            nodes: members.to_vec(),
            message: self.what(),
            expect: Vec::new(),
            certainty: Certainty::Certain,
            verdict: Verdict::Ok,
            advice: None,
        }
    }
}

fn children(index: &Index) -> Vec<&Digest> {
    let mut found = Vec::new();
    for entry in index.entries.iter().filter(|entry| !entry.attestation) {
        found.push(&entry.digest);
        if let Content::Index(nested) = &entry.content {
            found.extend(children(nested));
        }
    }
    found
}

/// The tags to ask for as well: those that stand beside the digest of a single manifest that some node can't run, where
/// no index that was read lists it. Each costs a request.
#[must_use]
pub fn tags_beside_digests(
    workloads: &[Workload],
    placements: &[Vec<Rc<Placement>>],
    classes: &NodeClasses,
    answers: &Answers,
) -> BTreeMap<ImageRef, BTreeSet<PullAccess>> {
    let none = Answers::default();
    let pins = Pins::collect([answers, &none]);
    let mut wanted: BTreeMap<ImageRef, BTreeSet<PullAccess>> = BTreeMap::new();
    for (workload, placements) in workloads.iter().zip(placements) {
        for (template, placement) in workload.templates.iter().zip(placements) {
            let access = template.spec.pull_access(&workload.id.namespace);
            for (_, container) in template.spec.all_containers() {
                let Ok(image) = ImageRef::parse(&container.image) else {
                    continue;
                };
                if image.tag.is_none() || image.digest.is_none() {
                    continue;
                }
                let Some((image, answer)) = answers.get(&image, &access) else {
                    continue;
                };
                let Ok(facts) = &answer.result else { continue };
                let fails = |&class: &u32| {
                    let class = classes.classes.get(class as usize);
                    class.is_some_and(|class| {
                        let outcome = decide(facts, PodContext::default(), class);
                        outcome.kind.is_failure() && outcome.cause == Cause::ForeignManifest
                    })
                };
                let groups = classes.group(&placement.nodes);
                if matches!(facts.shape, Shape::Manifest(_))
                    && pins.index_of(image).is_none()
                    && groups.keys().any(fails)
                {
                    let tag = ImageRef {
                        digest: None,
                        ..image.clone()
                    };
                    wanted.entry(tag).or_default().insert(access.clone());
                }
            }
        }
    }
    wanted
}
