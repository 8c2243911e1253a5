//! What a layer holds, entry by entry.

use serde::{Deserialize, Serialize};

use super::head::Head;

/// The entries of a layer, in the order of its archive. Cached by the layer's digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerIndex {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where, without a leading slash: `usr/bin/app`. Bytes that are no UTF-8 are replaced.
    pub path: String,
    /// What.
    pub kind: EntryKind,
}

/// What an entry puts into the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// A file.
    File(File),
    /// A directory.
    Directory,
    /// A symbolic link, with its target as written.
    Symlink(String),
    /// Another name of a file in the same layer.
    HardLink(String),
    /// A device, pipe or socket.
    Special,
}

/// A file of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Permission bits.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// What its first bytes say, when anybody may execute it.
    pub head: Head,
}

impl File {
    /// Whether root may execute it: one of the three x bits is enough.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// A path of an archive as a runtime reads it: relative to the root, without `.`, and with `..` never leading out of it.
#[must_use]
pub fn normal_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
