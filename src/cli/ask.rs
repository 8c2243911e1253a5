//! Which images are to be asked for, and the asking: many at a time, until all have answered or the run is ended.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::{self, select_all};
use tokio::time::Instant;

use super::progress::Progress;
use super::stderr_is_terminal;
use super::stop::{self, Stop};
use crate::image::{ImageAnswer, ImageError, ImageRef};
use crate::model::{PullAccess, Workload};
use crate::placement::Placement;
use crate::registry::Registry;
use crate::verdict::Answers;

/// How many images of one host are in hand at a time: more than it is asked at a time, so that it is never idle. Each
/// host has its own, so that a slow one holds up no other.
const IN_HAND: usize = 16;

/// The distinct images, each with all accesses that pods pull it with.
pub(super) type Wanted = BTreeMap<ImageRef, BTreeSet<PullAccess>>;

/// The images of everything that lands somewhere. What no node admits is not asked for: each request costs.
pub(super) fn wanted(workloads: &[Workload], placements: &[Vec<Rc<Placement>>]) -> Wanted {
    let mut wanted = Wanted::new();
    for (workload, placements) in workloads.iter().zip(placements) {
        for (template, placement) in workload.templates.iter().zip(placements) {
            if placement.nodes.is_empty() {
                continue;
            }
            let spec = &template.spec;
            let access = spec.pull_access(&workload.id.namespace);
            let known = spec
                .all_containers()
                .filter(|(_, c)| c.unresolved.is_none());
            let containers = known.map(|(_, c)| c.image.as_str());
            let volumes = spec.volumes.iter().filter_map(|v| v.image.as_ref());
            let texts = containers.chain(volumes.map(|image| image.reference.as_str()));
            // What can't be parsed becomes a finding of its own.
            for image in texts.filter_map(|text| ImageRef::parse(text).ok()) {
                wanted.entry(image).or_default().insert(access.clone());
            }
        }
    }
    wanted
}

/// Asks for all images.
pub(super) async fn ask(
    registry: &Registry,
    wanted: Wanted,
    deadline: Option<Instant>,
) -> (Answers, Option<Stop>) {
    let progress = Progress::new(wanted.len(), stderr_is_terminal());
    let mut answers = Answers::default();
    let ended = {
        let mut by_host: BTreeMap<Option<&str>, Vec<_>> = BTreeMap::new();
        for (image, accesses) in &wanted {
            let of_host = by_host.entry(image.host()).or_default();
            of_host.push((image, accesses));
        }
        let hosts = by_host.into_values().map(|images| {
            let asking = stream::iter(images)
                .map(|(image, accesses)| async move {
                    let each = accesses
                        .iter()
                        .map(|access| registry.resolve(image, access));
                    (image, accesses, join_all(each).await)
                })
                .buffer_unordered(IN_HAND);
            Box::pin(asking)
        });
        let mut asking = select_all(hosts);
        let mut ending = std::pin::pin!(stop::wait(deadline));
        loop {
            tokio::select! {
                stop = &mut ending => break Some(stop),
                next = asking.next() => match next {
                    Some((image, accesses, got)) => {
                        if let Some(answer) = got.first() {
                            progress.done(&answer.asked_at);
                        }
                        for (access, answer) in accesses.iter().zip(got) {
                            answers.add(image.clone(), access.clone(), answer);
                        }
                    }
                    None => break None,
                },
            }
        }
    };
    progress.finish();
    if let Some(stop) = ended {
        for (image, accesses) in wanted {
            let unasked = Arc::new(unasked(&image, stop));
            for access in accesses {
                answers.add(image.clone(), access, Arc::clone(&unasked));
            }
        }
    }
    (answers, ended)
}

fn unasked(image: &ImageRef, stop: Stop) -> ImageAnswer {
    let host = image.host().unwrap_or_default();
    ImageAnswer::unasked(host, ImageError::NotAsked { why: stop.why() })
}
