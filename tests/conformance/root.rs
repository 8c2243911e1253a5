//! Small root file systems: in memory as a layer, and on disk.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use archcheck::deep::{Bytes, Entry, EntryKind, File, Head, LayerIndex, LayerTree};

use crate::tiny_elf::TinyElf;

/// What is put into a root.
#[derive(Debug, Clone)]
enum Thing {
    File(u32, Vec<u8>),
    Directory,
    Link(String),
}

/// A root file system, and which of its files is executed.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    things: Vec<(String, Thing)>,
    pub(crate) program: String,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            things: Vec::new(),
            program: "/app".to_owned(),
        }
    }

    pub(crate) fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.with_mode(path, 0o755, bytes)
    }

    pub(crate) fn with_mode(mut self, path: &str, mode: u32, bytes: impl AsRef<[u8]>) -> Self {
        let file = Thing::File(mode, bytes.as_ref().to_vec());
        self.things.push((path.to_owned(), file));
        self
    }

    pub(crate) fn elf(self, path: &str, elf: &TinyElf) -> Self {
        self.file(path, elf.bytes())
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.things
            .push((path.to_owned(), Thing::Link(target.to_owned())));
        self
    }

    pub(crate) fn directory(mut self, path: &str) -> Self {
        self.things.push((path.to_owned(), Thing::Directory));
        self
    }

    pub(crate) fn running(mut self, program: &str) -> Self {
        self.program = program.to_owned();
        self
    }

    pub(crate) fn layer(&self) -> LayerTree {
        let entry = |(path, thing): &(String, Thing)| Entry {
            path: path.clone(),
            kind: match thing {
                Thing::Directory => EntryKind::Directory,
                Thing::Link(target) => EntryKind::Symlink(target.clone()),
                Thing::File(mode, bytes) => EntryKind::File(File {
                    mode: *mode,
                    size: bytes.len() as u64,
                    head: Head::read(&Bytes::whole(bytes)).0,
                }),
            },
        };
        LayerTree::of(&LayerIndex {
            entries: self.things.iter().map(entry).collect(),
        })
    }

    pub(crate) fn write(&self, root: &Path) {
        for (path, thing) in &self.things {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match thing {
                Thing::Directory => std::fs::create_dir_all(&path).unwrap(),
                Thing::Link(target) => symlink(target, &path).unwrap(),
                Thing::File(mode, bytes) => {
                    std::fs::write(&path, bytes).unwrap();
                    std::fs::set_permissions(&path, PermissionsExt::from_mode(*mode)).unwrap();
                }
            }
        }
    }
}
