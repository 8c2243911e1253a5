//! The decision table (runtime.md §0 as corrected by §10): image × node class → outcome.

use super::outcome::{Cause, Certainty, NodeClass, Outcome, OutcomeKind, PodContext};
use super::{containerd, crio, docker};
use crate::image::{ImageFacts, Index};
use crate::model::{Runtime, RuntimeName, Version};

/// What happens when a container of this image is started on nodes of this class.
///
/// Where the runtime or its version is not known, the versions that behave differently are all asked: if they
/// agree, that is the outcome; if not, it `depends`.
#[must_use]
pub fn decide(image: &ImageFacts, pod: PodContext<'_>, class: &NodeClass) -> Outcome {
    // A Node object from before its kubelet has reported: neither nodeInfo nor a label says what it is.
    if class.platform.architecture.is_empty() || class.platform.os.is_empty() {
        return Outcome {
            cause: Cause::NodeUnsaid,
            ..Outcome::unknown(
                "the node says neither by nodeInfo nor by label which platform it is".to_owned(),
            )
        };
    }
    let mut outcomes = stand_ins(&class.runtime).into_iter().map(|runtime| {
        let class = NodeClass {
            runtime: runtime.clone(),
            ..class.clone()
        };
        let outcome = match runtime.name {
            RuntimeName::CriO => crio::outcome(image, &class),
            RuntimeName::Docker => docker::outcome(image, &class),
            RuntimeName::Containerd | RuntimeName::Other(_) => {
                containerd::outcome(image, pod, &class)
            }
        };
        (runtime, outcome)
    });
    // `stand_ins` never returns an empty list; without a first outcome there is nothing to say.
    let Some((_, first)) = outcomes.next() else {
        return Outcome::runs();
    };
    let outcome = outcomes.fold(first, |merged, (runtime, other)| {
        agree(merged, other, &runtime)
    });
    through_handler(outcome, pod)
}

/// The entries of an index that nodes of this class would follow: more than one where the runtime is not fully known.
#[must_use]
pub fn picks(index: &Index, class: &NodeClass) -> Vec<usize> {
    let mut picks: Vec<usize> = stand_ins(&class.runtime)
        .into_iter()
        .filter_map(|runtime| {
            let class = NodeClass {
                runtime,
                ..class.clone()
            };
            match class.runtime.name {
                RuntimeName::CriO => crio::pick(index, &class),
                RuntimeName::Docker => docker::pick(index, &class),
                RuntimeName::Containerd | RuntimeName::Other(_) => containerd::pick(index, &class),
            }
        })
        .collect();
    picks.sort_unstable();
    picks.dedup();
    picks
}

/// The runtimes to ask in place of one that is not fully known.
fn stand_ins(runtime: &Runtime) -> Vec<Runtime> {
    let known = |name: RuntimeName, versions: &[Version]| -> Vec<Runtime> {
        versions
            .iter()
            .map(|v| Runtime::of(name.clone(), *v))
            .collect()
    };
    if runtime.version.is_some() && !matches!(runtime.name, RuntimeName::Other(_)) {
        return vec![runtime.clone()];
    }
    let containerd = [
        Version::new(1, 7, 0),
        Version::new(2, 1, 0),
        Version::new(2, 3, 0),
    ];
    let crio = [Version::new(1, 32, 0), Version::new(1, 34, 0)];
    let docker = [Version::new(25, 0, 0), Version::new(29, 0, 0)];
    match runtime.name {
        RuntimeName::Containerd => known(RuntimeName::Containerd, &containerd),
        RuntimeName::CriO => known(RuntimeName::CriO, &crio),
        RuntimeName::Docker => known(RuntimeName::Docker, &docker),
        RuntimeName::Other(_) => {
            let mut all = known(RuntimeName::Containerd, &containerd);
            all.extend(known(RuntimeName::CriO, &crio));
            all.extend(known(RuntimeName::Docker, &docker));
            all
        }
    }
}

/// One outcome out of two that two runtimes would give. Failures of different kinds stay a failure of the first kind.
fn agree(mut merged: Outcome, other: Outcome, runtime: &Runtime) -> Outcome {
    if merged.kind == other.kind || (merged.kind.is_failure() && other.kind.is_failure()) {
        merged.certainty = merged.certainty.max(other.certainty);
        for expectation in other.expect {
            if !merged.expect.contains(&expectation) {
                merged.expect.push(expectation);
            }
        }
        return merged;
    }
    if merged.kind == OutcomeKind::Depends {
        return merged;
    }
    let failing = if merged.kind.is_failure() {
        &merged
    } else {
        &other
    };
    let reason = if failing.reason.is_empty() {
        &merged.reason
    } else {
        &failing.reason
    };
    Outcome {
        expect: failing.expect.clone(),
        ..Outcome::depends(format!(
            "{reason}; the container runtime is not known, and {} would say otherwise",
            runtime.name
        ))
    }
}

/// containerd can give a runtime handler another platform (`runtime_platforms`), which the API doesn't show.
fn through_handler(outcome: Outcome, pod: PodContext<'_>) -> Outcome {
    match pod.runtime_class {
        Some(class) if outcome.kind.is_failure() => Outcome {
            kind: OutcomeKind::Depends,
            certainty: Certainty::Depends,
            reason: format!(
                "{}, unless the handler of RuntimeClass {class} pulls for another platform",
                outcome.reason
            ),
            ..outcome
        },
        _ => outcome,
    }
}
