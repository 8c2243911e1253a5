//! Which entry of an index a runtime chooses. Each matcher ranks candidates: none is refused, the least is preferred.

pub mod containerd;
pub mod crio;
pub mod docker;
pub mod windows;

use crate::image::Platform;

/// How well a candidate fits; less is better.
pub type Rank = (usize, std::cmp::Reverse<usize>, std::cmp::Reverse<String>);

/// Ranks candidates.
pub trait Matcher {
    /// `None` when the candidate is refused.
    fn rank(&self, candidate: &Platform) -> Option<Rank>;
}

/// containerd's choice (`core/images/image.go Manifest`): entries without a platform are kept and come last; the sort
/// is stable, and only the first is followed.
pub fn choose(matcher: &impl Matcher, candidates: &[Option<Platform>]) -> Option<usize> {
    let declared = candidates
        .iter()
        .enumerate()
        .filter_map(|(at, candidate)| Some((matcher.rank(candidate.as_ref()?)?, at)));
    let best = declared.min().map(|(_, at)| at);
    best.or_else(|| candidates.iter().position(Option::is_none))
}
