//! A layer as a runtime unpacks it.
//!
//! It is unpacked by itself, over nothing: links within it are followed on the way (containerd `pkg/archive/tar.go`,
//! moby `pkg/archive`), and what the layers below have shows only when all are stacked.

use std::collections::BTreeMap;

use super::layer::{Entry, EntryKind, File, LayerIndex};

/// The most links that are followed on the way to a file (Linux `MAXSYMLINKS`).
pub(super) const MOST_LINKS: usize = 40;

/// The files of a layer by their paths.
#[derive(Debug)]
pub struct LayerTree {
    /// Everything that was ever put; what was replaced hangs on no directory any more. The first is the root.
    nodes: Vec<Node>,
    broken: Option<Broken>,
}

/// Something in a layer that keeps runtimes from unpacking it: the pull fails (runtime.md §10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What: fits after "the layer can't be unpacked: ".
    pub what: String,
    /// Who refuses it.
    pub refused: Refused,
}

/// Who refuses a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// Every runtime.
    ByAll,
    /// Docker and CRI-O; containerd takes the last of several entries.
    ByAllButContainerd,
}

/// What is at a path of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory(Directory),
    /// A file.
    File(File),
    /// A symbolic link.
    Symlink(String),
    /// A device, pipe or socket.
    Special,
    /// What the layers below have here is gone.
    Whiteout,
}

/// A directory of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// It hides what the layers below have in it (`.wh..wh..opq`).
    opaque: bool,
    children: BTreeMap<Box<str>, usize>,
}

impl Directory {
    pub(super) const fn new() -> Self {
        Self {
            opaque: false,
            children: BTreeMap::new(),
        }
    }
}

/// What a layer says about a path.
#[derive(Debug)]
pub(super) enum Says<'a> {
    /// This is there.
    Node(&'a Node),
    /// Nothing is there, whatever the layers below have.
    Gone,
    /// Nothing: the layers below decide.
    Nothing,
}

const ROOT: usize = 0;

impl LayerTree {
    /// Unpacks a layer in memory.
    #[must_use]
    pub fn of(index: &LayerIndex) -> Self {
        let mut tree = Self {
            nodes: vec![Node::Directory(Directory::new())],
            broken: None,
        };
        for entry in &index.entries {
            tree.unpack(entry);
        }
        tree
    }

    /// Why runtimes can't unpack this layer, if that is so.
    #[must_use]
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    fn unpack(&mut self, entry: &Entry) {
        let (parent, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        if name.is_empty() {
            // The root itself.
            return;
        }
        let Some(parent) = self.directory(parent, true) else {
            let what = format!("{} lies below something that is no directory", entry.path);
            return self.fault(what, Refused::ByAll);
        };
        if name == ".wh..wh..opq" {
            // overlayfs takes no notice of it at the root.
            if parent != ROOT
                && let Some(Node::Directory(directory)) = self.nodes.get_mut(parent)
            {
                directory.opaque = true;
            }
            return;
        }
        // `.wh..wh.` begins the private files of aufs.
        if name.starts_with(".wh..wh.") {
            return;
        }
        if let Some(hidden) = name.strip_prefix(".wh.") {
            if self.child(parent, hidden).is_some() {
                let what = format!("{} hides what the same layer adds", entry.path);
                self.fault(what, Refused::ByAll);
            }
            self.put(parent, hidden, Node::Whiteout);
            return;
        }
        let known = self.child(parent, name).and_then(|at| self.nodes.get(at));
        let both_directories =
            matches!(known, Some(Node::Directory(_))) && matches!(entry.kind, EntryKind::Directory);
        if both_directories {
            return;
        }
        if matches!(known, Some(known) if *known != Node::Whiteout) {
            let what = format!("{} is in it twice", entry.path);
            self.fault(what, Refused::ByAllButContainerd);
        }
        let node = match &entry.kind {
            EntryKind::File(file) => Node::File(file.clone()),
            EntryKind::Symlink(target) => Node::Symlink(target.clone()),
            EntryKind::Special => Node::Special,
            EntryKind::Directory => Node::Directory(Directory::new()),
            EntryKind::HardLink(target) => match self.find(target) {
                Some(node @ (Node::File(_) | Node::Symlink(_) | Node::Special)) => node.clone(),
                _ => {
                    let what = format!(
                        "{} is a hard link to {target}, which comes later or not at all",
                        entry.path
                    );
                    return self.fault(what, Refused::ByAll);
                }
            },
        };
        self.put(parent, name, node);
    }

    fn fault(&mut self, what: String, refused: Refused) {
        let worse = self
            .broken
            .as_ref()
            .is_none_or(|broken| broken.refused > refused);
        if worse {
            self.broken = Some(Broken { what, refused });
        }
    }

    fn child(&self, parent: usize, name: &str) -> Option<usize> {
        match self.nodes.get(parent) {
            Some(Node::Directory(directory)) => directory.children.get(name).copied(),
            _ => None,
        }
    }

    fn put(&mut self, parent: usize, name: &str, node: Node) -> usize {
        let at = self.nodes.len();
        self.nodes.push(node);
        if let Some(Node::Directory(directory)) = self.nodes.get_mut(parent) {
            directory.children.insert(Box::from(name), at);
        }
        at
    }

    /// The directory at `path`, through links as far as this layer has them; with `make`, what is missing is made.
    /// `None` where something else is in the way, or links lead in a circle.
    fn directory(&mut self, path: &str, make: bool) -> Option<usize> {
        let mut rest: Vec<Box<str>> = path.rsplit('/').map(Box::from).collect();
        let mut way: Vec<usize> = vec![ROOT];
        let mut links = 0;
        while let Some(name) = rest.pop() {
            if matches!(&*name, "" | ".") {
                continue;
            }
            if &*name == ".." {
                way.truncate(way.len().saturating_sub(1).max(1));
                continue;
            }
            let here = way.last().copied().unwrap_or(ROOT);
            let next = self.child(here, &name);
            match (next, next.and_then(|at| self.nodes.get(at))) {
                (Some(at), Some(Node::Directory(_))) => way.push(at),
                (_, Some(Node::Symlink(target))) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return None;
                    }
                    if target.starts_with('/') {
                        way.truncate(1);
                    }
                    rest.extend(target.rsplit('/').map(Box::from));
                }
                (Some(_), _) => return None,
                (None, _) if !make => return None,
                (None, _) => {
                    let made = self.put(here, &name, Node::Directory(Directory::new()));
                    way.push(made);
                }
            }
        }
        way.pop()
    }

    /// What a hard link to `path` would be another name of: the last part is not followed.
    fn find(&mut self, path: &str) -> Option<&Node> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.directory(parent, false)?;
        let at = self.child(parent, name)?;
        self.nodes.get(at)
    }

    /// What this layer says about a path all of whose directories are real ones, not links.
    pub(super) fn says(&self, path: &[String]) -> Says<'_> {
        let mut at = ROOT;
        let mut opaque = false;
        for (depth, name) in path.iter().enumerate() {
            let Some(Node::Directory(directory)) = self.nodes.get(at) else {
                // A layer above has a directory here, which replaces this.
                return Says::Gone;
            };
            opaque |= directory.opaque;
            let Some(&next) = directory.children.get(name.as_str()) else {
                return if opaque { Says::Gone } else { Says::Nothing };
            };
            match self.nodes.get(next) {
                None | Some(Node::Whiteout) => return Says::Gone,
                Some(node) if depth + 1 == path.len() => return Says::Node(node),
                Some(_) => at = next,
            }
        }
        self.nodes.get(at).map_or(Says::Nothing, Says::Node)
    }

    /// Calls `found` with the path (without a leading slash) of every file.
    pub fn each_file(&self, mut found: impl FnMut(&str, &File)) {
        let mut rest = vec![(String::new(), ROOT)];
        while let Some((path, at)) = rest.pop() {
            match self.nodes.get(at) {
                Some(Node::Directory(directory)) => {
                    let join = |name: &str| {
                        if path.is_empty() {
                            name.to_owned()
                        } else {
                            format!("{path}/{name}")
                        }
                    };
                    let children = directory.children.iter().rev();
                    rest.extend(children.map(|(name, &child)| (join(name), child)));
                }
                Some(Node::File(file)) => found(&path, file),
                _ => {}
            }
        }
    }
}
