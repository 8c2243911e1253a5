//! The layers of an image, one above the other, as a container sees them: whiteouts, links, and what is mounted over them.

use std::sync::Arc;

use super::elf::Loadable;
use super::errno::Errno;
use super::head::Head;
use super::kernel::{Accepts, Kernel};
use super::tree::{Directory, LayerTree, MOST_LINKS, Node, Says};

/// Linux `PATH_MAX` and `NAME_MAX`.
const LONGEST_PATH: usize = 4096;
const LONGEST_NAME: usize = 255;

/// What every runtime mounts over the image.
const ALWAYS_MOUNTED: [&str; 3] = ["/proc", "/sys", "/dev"];

/// `/` is there even in an image without layers.
static THE_ROOT: Node = Node::Directory(Directory::new());

/// A stack of layers, the lowest first. Those not read yet are asked for when a look-up needs them.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// The layers.
    pub layers: &'a [Option<Arc<LayerTree>>],
    /// What the pod mounts.
    pub mounts: &'a [Mount],
}

/// A volume mount of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mount {
    /// Where, as written.
    pub path: String,
    /// The volume's name.
    pub volume: String,
}

/// What is at a path.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The path without links.
    pub path: String,
    /// The layer that has it.
    pub layer: usize,
    /// What it is.
    pub node: &'a Node,
}

/// An executable file for another machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreign {
    /// Its path.
    pub path: String,
    /// The layer it is in.
    pub layer: usize,
    /// The machine that it is built for, in Go's names.
    pub built_for: String,
}

/// Why a look-up has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The kernel would say this.
    Errno(Errno),
    /// A layer has to be read first.
    Needs(usize),
    /// It lies in something mounted, which is not part of the image: names the mount.
    Mounted(String),
}

impl<'a> Stack<'a> {
    /// Follows a path as the kernel does, links included; `from` is the working directory, without links.
    ///
    /// # Errors
    /// What the kernel would say, or why it can't be known (yet).
    pub fn follow(&self, from: &str, path: &str) -> Result<Found<'a>, Miss> {
        if path.is_empty() {
            return Err(Miss::Errno(Errno::NoEntry));
        }
        if path.len() >= LONGEST_PATH {
            return Err(Miss::Errno(Errno::NameTooLong));
        }
        let absolute = path.starts_with('/');
        let mut here: Vec<String> = if absolute { Vec::new() } else { parts(from) };
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    here.pop();
                    continue;
                }
                _ if name.len() > LONGEST_NAME => return Err(Miss::Errno(Errno::NameTooLong)),
                _ => here.push(name),
            }
            if let Some(mount) = self.mounted(&here) {
                return Err(Miss::Mounted(mount));
            }
            let (layer, node) = self.at(&here)?;
            match node {
                Node::Directory(_) => {}
                Node::Symlink(target) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Miss::Errno(Errno::Loop));
                    }
                    if target.is_empty() {
                        return Err(Miss::Errno(Errno::NoEntry));
                    }
                    here.pop();
                    if target.starts_with('/') {
                        here.clear();
                    }
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
                // `file/`, `file/.` and `file/..` fail as well.
                _ if !rest.is_empty() => return Err(Miss::Errno(Errno::NotADirectory)),
                node => {
                    return Ok(Found {
                        path: absolute_path(&here),
                        layer,
                        node,
                    });
                }
            }
        }
        let (layer, node) = self.at(&here)?;
        Ok(Found {
            path: absolute_path(&here),
            layer,
            node,
        })
    }

    /// What is exactly here, by the highest layer that says anything.
    fn at(&self, path: &[String]) -> Result<(usize, &'a Node), Miss> {
        if path.is_empty() {
            return Ok((0, &THE_ROOT));
        }
        for (layer, tree) in self.layers.iter().enumerate().rev() {
            let tree = tree.as_deref().ok_or(Miss::Needs(layer))?;
            match tree.says(path) {
                Says::Node(node) => return Ok((layer, node)),
                Says::Gone => break,
                Says::Nothing => {}
            }
        }
        Err(Miss::Errno(Errno::NoEntry))
    }

    /// The mount whose place this is, in words.
    fn mounted(&self, path: &[String]) -> Option<String> {
        if let Some(always) = ALWAYS_MOUNTED.iter().find(|mount| parts(mount) == path) {
            return Some(format!("{always}, which is not part of the image"));
        }
        let mount = self
            .mounts
            .iter()
            .find(|mount| parts(&mount.path) == path)?;
        Some(format!(
            "volume {}, mounted at {}",
            mount.volume, mount.path
        ))
    }

    /// Every executable ELF file that this kernel would refuse, sorted: programs and libraries beside the one that is
    /// started.
    ///
    /// # Errors
    /// The number of a layer that has to be read first.
    pub fn foreign_programs(&self, kernel: Kernel) -> Result<Vec<Foreign>, usize> {
        let mut foreign = Vec::new();
        for (layer, tree) in self.layers.iter().enumerate().rev() {
            let tree = tree.as_deref().ok_or(layer)?;
            tree.each_file(|path, file| {
                let (true, Head::Elf(elf)) = (file.is_executable(), &file.head) else {
                    return;
                };
                let shown = || matches!(self.at(&parts(path)), Ok((at, _)) if at == layer);
                if elf.loadable == Loadable::Yes && kernel.accepts(elf) == Accepts::Not && shown() {
                    foreign.push(Foreign {
                        path: format!("/{path}"),
                        layer,
                        built_for: elf.architecture(),
                    });
                }
            });
        }
        foreign.sort();
        Ok(foreign)
    }
}

/// The parts of a path, without empty ones and dots; `..` is resolved by its text.
fn parts(path: &str) -> Vec<String> {
    let normal = super::layer::normal_path(path);
    if normal.is_empty() {
        return Vec::new();
    }
    normal.split('/').map(str::to_owned).collect()
}

fn absolute_path(parts: &[String]) -> String {
    format!("/{}", parts.join("/"))
}
