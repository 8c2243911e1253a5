//! Kinds that run images and are no part of Kubernetes itself: a table (`kinds.yaml`) that says where, and a walk that
//! finds pod specs in anything else.

mod hidden;
mod path;
mod read;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use hidden::mentioned as hidden;
pub use path::{Condition, Path, PathError};
pub(super) use read::CustomRead;

/// The table that comes with the program.
const TABLE: &str = include_str!("kinds.yaml");
/// Stands for all kinds of a group.
const ALL_KINDS: &str = "*";

/// An entry of the table: one kind, or several that look alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KindEntry {
    /// API group.
    pub group: String,
    /// The kinds; `*` is all of the group.
    pub kinds: Vec<String>,
    /// Instead of `kinds`, where it is but one.
    pub kind: Option<String>,
    /// Why nothing in such an object is ever run, although it looks so.
    pub skip: Option<String>,
    /// Pod specs that may lack `containers`.
    pub pod_spec_paths: Vec<Path>,
    /// Pods that the kind's controller puts together.
    pub pods: Vec<PodEntry>,
    /// The only such pod, for short: as in [`PodEntry`].
    pub image_paths: Vec<FirstOf>,
    /// See [`PodEntry::init_image_paths`].
    pub init_image_paths: Vec<FirstOf>,
    /// See [`PodEntry::disk_paths`].
    pub disk_paths: Vec<FirstOf>,
    /// See [`PodEntry::from_paths`].
    pub from_paths: Vec<Path>,
    /// See [`PodEntry::placement_paths`].
    pub placement_paths: Vec<Path>,
    /// See [`PodEntry::architecture_path`].
    pub architecture_path: Option<Path>,
    /// The controller wants a pod on each node.
    pub per_node: bool,
    /// What decides where its pods land, if the object does not.
    pub placed_by: Option<String>,
    /// Images that something may start some day.
    pub mentioned_paths: Vec<Path>,
    /// OpenShift's image triggers.
    pub image_triggers_path: Option<Path>,
    /// It starts no pods now.
    pub dormant: Vec<Condition>,
    /// It never starts pods again.
    pub finished: Vec<Condition>,
    /// It may have no pods for a long time, and then start some.
    pub pods_to_come: bool,
    /// Where the paths were seen in use. Without it they come from schemas and documentation alone.
    pub sample: Option<String>,
}

/// A pod that a controller puts together out of images and fields of its object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodEntry {
    /// One pod for each of these places; the object itself when left out.
    pub each: Option<Path>,
    /// What to call containers that have no name of their own.
    pub name: Option<String>,
    /// Images of its containers.
    pub image_paths: Vec<FirstOf>,
    /// Images of its init containers.
    pub init_image_paths: Vec<FirstOf>,
    /// Images that are pulled and used, but not started.
    pub disk_paths: Vec<FirstOf>,
    /// References by `kind` and `name` to an image.
    pub from_paths: Vec<Path>,
    /// Where node selector, affinity and tolerations stand.
    pub placement_paths: Vec<Path>,
    /// An architecture that becomes a node selector.
    pub architecture_path: Option<Path>,
    /// The controller wants a pod on each node.
    pub per_node: bool,
}

impl KindEntry {
    /// Puts what stands for the only pod where the others are.
    fn unfold(&mut self) {
        let only = PodEntry {
            each: None,
            name: None,
            image_paths: std::mem::take(&mut self.image_paths),
            init_image_paths: std::mem::take(&mut self.init_image_paths),
            disk_paths: std::mem::take(&mut self.disk_paths),
            from_paths: std::mem::take(&mut self.from_paths),
            placement_paths: std::mem::take(&mut self.placement_paths),
            architecture_path: self.architecture_path.take(),
            per_node: self.per_node,
        };
        if only.names_images() {
            self.pods.push(only);
        }
    }
}

impl PodEntry {
    fn names_images(&self) -> bool {
        let lists = [&self.image_paths, &self.init_image_paths, &self.disk_paths];
        lists.iter().any(|list| !list.is_empty()) || !self.from_paths.is_empty()
    }
}

/// `a || b`: the first of several paths that leads anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct FirstOf(Vec<Path>);

impl TryFrom<String> for FirstOf {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        let paths = text.split("||").map(|path| Path::parse(path.trim()));
        paths.collect::<Result<_, _>>().map(Self)
    }
}

/// Why a table can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Not YAML of the right shape.
    #[error("{0}")]
    Unreadable(String),
    /// An entry without a group or kinds.
    #[error("the entry for {group:?} {kinds:?} needs a group and at least one kind")]
    Nameless {
        /// Its group.
        group: String,
        /// Its kinds.
        kinds: Vec<String>,
    },
    /// Two entries of one table for a kind.
    #[error("{kind}.{group} has two entries")]
    Twice {
        /// The group.
        group: String,
        /// The kind.
        kind: String,
    },
}

/// The table, by group and kind.
#[derive(Debug, Clone, Default)]
pub struct CustomKinds {
    entries: HashMap<(String, String), KindEntry>,
}

impl CustomKinds {
    /// The table that comes with the program.
    #[must_use]
    pub fn built_in() -> Self {
        // A test reads it; what does not parse can't be released.
        static BUILT_IN: LazyLock<CustomKinds> = LazyLock::new(|| {
            parse(TABLE)
                .and_then(|entries| CustomKinds::default().with(entries))
                .unwrap_or_default()
        });
        BUILT_IN.clone()
    }

    /// The same with entries of a user's, which go before those of the program.
    ///
    /// # Errors
    /// When an entry names nothing, or a kind has two.
    pub fn with(mut self, entries: Vec<KindEntry>) -> Result<Self, TableError> {
        let mut seen = BTreeSet::new();
        for mut entry in entries {
            entry.kinds.extend(entry.kind.take());
            let KindEntry { group, kinds, .. } = &entry;
            if group.is_empty() || kinds.is_empty() || kinds.iter().any(String::is_empty) {
                return Err(TableError::Nameless {
                    group: group.clone(),
                    kinds: kinds.clone(),
                });
            }
            entry.unfold();
            for kind in entry.kinds.clone() {
                let key = (entry.group.clone(), kind);
                if !seen.insert(key.clone()) {
                    let (group, kind) = key;
                    return Err(TableError::Twice { group, kind });
                }
                self.entries.insert(key, entry.clone());
            }
        }
        Ok(self)
    }

    /// All entries, one a kind, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &KindEntry> {
        self.entries.values()
    }

    /// The entry of a kind.
    #[must_use]
    pub fn find(&self, group: &str, kind: &str) -> Option<&KindEntry> {
        let entry = |kind: &str| self.entries.get(&(group.to_owned(), kind.to_owned()));
        entry(kind).or_else(|| entry(ALL_KINDS))
    }

    /// Whether the kind has an entry by which something in its objects may be run.
    #[must_use]
    pub fn runs_images(&self, group: &str, kind: &str) -> bool {
        self.find(group, kind)
            .is_some_and(|entry| entry.skip.is_none())
    }

    /// The groups of which some kind may run something.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<&str> {
        let running = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.skip.is_none());
        running.map(|((group, _), _)| group.as_str()).collect()
    }

    /// The last keys of all routes to images, for whoever notes where these stand.
    #[must_use]
    pub fn image_keys(&self) -> BTreeSet<&str> {
        let paths = self.entries.values().flat_map(|entry| {
            let pods = entry.pods.iter().flat_map(|pod| {
                let lists = [&pod.image_paths, &pod.init_image_paths, &pod.disk_paths];
                lists.into_iter().flatten().flat_map(|first| &first.0)
            });
            pods.chain(&entry.mentioned_paths)
        });
        let keys = paths.filter_map(Path::last_key);
        // Containers, and image volumes.
        keys.chain(["image", "reference"]).collect()
    }
}

/// Reads a table: a list of entries in YAML.
///
/// # Errors
/// Says where it is broken.
pub fn parse(text: &str) -> Result<Vec<KindEntry>, TableError> {
    serde_saphyr::from_str(text)
        .map_err(|error| TableError::Unreadable(error.without_snippet().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_valid() {
        let entries = parse(TABLE).unwrap();
        let table = CustomKinds::default().with(entries).unwrap();
        assert_eq!(table.entries.len(), CustomKinds::built_in().entries.len());
        assert!(table.runs_images("argoproj.io", "Workflow"));
        assert!(!table.runs_images("kyverno.io", "AnyPolicy"));
        assert!(!table.runs_images("example.com", "Widget"));
    }

    #[test]
    fn a_users_entry_goes_first_and_broken_ones_are_told() {
        let entries =
            parse("- {group: argoproj.io, kind: Rollout, imagePaths: [.spec.mine]}").unwrap();
        let table = CustomKinds::built_in().with(entries).unwrap();
        assert_eq!(table.find("argoproj.io", "Rollout").unwrap().pods.len(), 1);
        for (text, says) in [
            (
                "- {group: a, kind: B}\n- {group: a, kinds: [B]}",
                "B.a has two entries",
            ),
            ("- {kind: B}", "needs a group"),
            ("- {group: a}", "at least one kind"),
            ("- {group: a, kind: B, imagePaths: ['x[']}", "is no path"),
        ] {
            let error = parse(text).and_then(|entries| CustomKinds::default().with(entries));
            assert!(error.unwrap_err().to_string().contains(says), "{text}");
        }
    }
}
