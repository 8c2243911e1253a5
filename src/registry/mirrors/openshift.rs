//! OpenShift's mirror sets, as its machine config operator writes them into the nodes' `registries.conf`
//! (openshift/runtime-utils `pkg/registries/registries.go` `EditRegistriesConfig`).

use std::collections::BTreeMap;

use super::registries_conf::{Mirror, RegistriesConf, Serves};
use crate::model::{MirrorSet, Mirrored};

/// The entries that the sets become; digests come before tags, as there.
pub(super) fn read(sets: &[MirrorSet]) -> RegistriesConf {
    let mut conf = RegistriesConf::default();
    for (mirrored, serves) in [
        (Mirrored::Digests, Serves::Digests),
        (Mirrored::Tags, Serves::Tags),
    ] {
        let mut by_source: BTreeMap<&str, Vec<&MirrorSet>> = BTreeMap::new();
        for set in sets.iter().filter(|set| set.mirrored == mirrored) {
            // A set that names nothing but the source is none, whatever else it says.
            if set.mirrors.iter().any(|mirror| *mirror != set.source) {
                by_source.entry(&set.source).or_default().push(set);
            }
        }
        for (source, sets) in by_source {
            let objects: Vec<&str> = sets.iter().map(|set| set.object.as_str()).collect();
            let entry = conf.entry(source, &objects.join(", "));
            entry.blocked |= sets.iter().any(|set| set.never_source);
            let mirrors = merge(source, &sets).into_iter().map(|location| Mirror {
                location: location.to_owned(),
                insecure: false,
                serves,
            });
            entry.mirrors.extend(mirrors);
        }
    }
    conf
}

/// All mirrors of a source in one order that keeps each set's own, where the sets agree. The source itself comes last
/// unless a set puts it elsewhere.
fn merge<'a>(source: &'a str, sets: &[&'a MirrorSet]) -> Vec<&'a str> {
    let mut left: Vec<&str> = Vec::new();
    let mut before: Vec<(&str, &str)> = Vec::new();
    for set in sets {
        let mut order: Vec<&str> = set.mirrors.iter().map(String::as_str).collect();
        if !order.contains(&source) {
            order.push(source);
        }
        for pair in order.windows(2) {
            if let [first, second] = *pair {
                before.push((first, second));
            }
        }
        for place in order {
            if !left.contains(&place) {
                left.push(place);
            }
        }
    }
    let mut merged = Vec::new();
    while !left.is_empty() {
        let free = |place: &str| {
            !before
                .iter()
                .any(|(first, second)| *second == place && left.contains(first))
        };
        // Sets that contradict each other leave none free; any order is then as good.
        let at = left.iter().position(|place| free(place)).unwrap_or(0);
        merged.push(left.remove(at));
    }
    if merged.last() == Some(&source) {
        merged.pop();
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::super::{Mirrors, Route};
    use super::*;
    use crate::image::ImageRef;

    fn set(source: &str, mirrors: &[&str], mirrored: Mirrored) -> MirrorSet {
        MirrorSet {
            source: source.to_owned(),
            mirrors: mirrors.iter().map(|m| (*m).to_owned()).collect(),
            mirrored,
            never_source: false,
            object: "ImageDigestMirrorSet/x".to_owned(),
        }
    }

    fn asked(sets: &[MirrorSet], image: &str) -> Vec<String> {
        let mut mirrors = Mirrors::default();
        mirrors.use_sets(sets);
        match mirrors.route(&ImageRef::parse(image).unwrap()) {
            Some(Route::Ask(endpoints)) => endpoints
                .iter()
                .map(|endpoint| format!("{}/{}", endpoint.host, endpoint.repository))
                .collect(),
            Some(Route::Forbidden(why)) => vec![why],
            None => panic!(),
        }
    }

    #[test]
    fn sets_become_mirrors_of_digests_or_tags() {
        let digest = format!("r.io/a/b@sha256:{}", "0".repeat(64));
        let digests = set("r.io", &["m.local/r"], Mirrored::Digests);
        let tags = set("r.io/a", &["t.local/x"], Mirrored::Tags);
        let never = MirrorSet {
            never_source: true,
            ..digests.clone()
        };
        let only_itself = MirrorSet {
            never_source: true,
            ..set("r.io", &["r.io"], Mirrored::Digests)
        };
        for (sets, image, expected) in [
            (
                vec![digests.clone()],
                digest.as_str(),
                vec!["m.local/r/a/b", "r.io/a/b"],
            ),
            (vec![digests.clone()], "r.io/a/b:1", vec!["r.io/a/b"]),
            (
                vec![tags.clone()],
                "r.io/a/b:1",
                vec!["t.local/x/b", "r.io/a/b"],
            ),
            // The longest source decides alone.
            (
                vec![digests.clone(), tags.clone()],
                &digest,
                vec!["r.io/a/b"],
            ),
            (vec![never.clone()], &digest, vec!["m.local/r/a/b"]),
            (
                vec![never],
                "r.io/a/b:1",
                vec!["r.io is blocked (ImageDigestMirrorSet/x)"],
            ),
            (vec![only_itself], "r.io/a/b:1", vec!["r.io/a/b"]),
            (vec![digests], "other.io/a:1", vec!["other.io/a"]),
        ] {
            assert_eq!(asked(&sets, image), expected, "{sets:?} {image}");
        }
    }

    #[test]
    fn sets_of_one_source_are_merged_in_an_order_that_fits_all() {
        for (lists, merged) in [
            (
                vec![vec!["a", "b", "c"], vec!["c", "d", "e"]],
                vec!["a", "b", "c", "d", "e"],
            ),
            (vec![vec!["b", "c"], vec!["a", "b"]], vec!["a", "b", "c"]),
            (vec![vec!["a"], vec!["b"]], vec!["a", "b"]),
            (vec![vec!["a", "s", "b"]], vec!["a", "s", "b"]),
            (vec![vec!["a", "b"], vec!["b", "a"]], vec!["a", "b"]),
        ] {
            let sets: Vec<MirrorSet> = lists
                .iter()
                .map(|list| set("s", list, Mirrored::Digests))
                .collect();
            let sets: Vec<&MirrorSet> = sets.iter().collect();
            assert_eq!(merge("s", &sets), merged, "{lists:?}");
        }
    }
}
