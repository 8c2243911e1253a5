//! How runc and crun find the program before they start it (Go `os/exec LookPath`; crun `src/libcrun/utils.c
//! find_executable`; runtime.md §10 "Before exec", "PATH").

use super::command::{Process, Word};
use super::errno::Errno;
use super::exec::Evidence;
use super::fault::{Fault, Part};
use super::stack::{Miss, Stack};
use super::tree::Node;

/// Which program looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Searcher {
    /// runc.
    Runc,
    /// crun.
    Crun,
}

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// This file will be executed (from this working directory, without links).
    Found {
        /// The path, as it will be given to the kernel.
        path: String,
        /// The working directory without links.
        cwd: String,
    },
    /// There is nothing to execute: the container is not even created.
    Failed {
        /// How.
        errno: Errno,
        /// Why.
        fault: Fault,
        /// What was looked at.
        seen: Vec<Evidence>,
    },
    /// It can't be told; says why.
    Unknown(String),
}

/// Looks for the program of a process.
///
/// # Errors
/// The number of a layer that has to be read first.
pub fn search(stack: &Stack<'_>, process: &Process, searcher: Searcher) -> Result<Search, usize> {
    let program = match process.argv.first() {
        Some(Word::Known(program)) => program,
        Some(Word::FromVariable(name)) => return Ok(Search::Unknown(from_variable(name))),
        None => return Ok(Search::Unknown("it names no program".to_owned())),
    };
    let cwd = match working_directory(stack, &process.cwd)? {
        Ok(cwd) => cwd,
        Err(why) => return Ok(Search::Unknown(why)),
    };
    if program.contains('/') {
        return Ok(match look_at(stack, &cwd, program)? {
            Looked::Executable => Search::Found {
                path: program.clone(),
                cwd,
            },
            Looked::Unknown(why) => Search::Unknown(why),
            Looked::Not { errno, fault, seen } => Search::Failed { errno, fault, seen },
        });
    }
    let path = match &process.path {
        Word::Known(path) => path,
        Word::FromVariable(name) => return Ok(Search::Unknown(from_variable(name))),
    };
    in_path(stack, &cwd, program, path, searcher)
}

fn from_variable(name: &str) -> String {
    format!(
        "what is started depends on the variable {name}, whose value is elsewhere in the cluster"
    )
}

fn in_path(
    stack: &Stack<'_>,
    cwd: &str,
    program: &str,
    path: &str,
    searcher: Searcher,
) -> Result<Search, usize> {
    // No PATH at all has no entry, and no name at all is found nowhere.
    let directories = path
        .split(':')
        .filter(|_| !path.is_empty() && !program.is_empty());
    for directory in directories {
        // An empty entry is the working directory.
        let there = if directory.is_empty() { "." } else { directory };
        let candidate = format!("{}/{program}", there.trim_end_matches('/'));
        match look_at(stack, cwd, &candidate)? {
            Looked::Not { .. } => {}
            Looked::Unknown(why) => return Ok(Search::Unknown(why)),
            Looked::Executable if there.starts_with('/') => {
                return Ok(Search::Found {
                    path: candidate,
                    cwd: cwd.to_owned(),
                });
            }
            Looked::Executable if searcher == Searcher::Runc => {
                return Ok(Search::Failed {
                    errno: Errno::NoEntry,
                    fault: Fault::RelativePath {
                        name: program.to_owned(),
                        directory: there.to_owned(),
                    },
                    seen: Vec::new(),
                });
            }
            // Seen with 1.8; newer ones read an empty entry otherwise.
            Looked::Executable if directory.is_empty() => {
                return Ok(Search::Unknown(format!(
                    "{program} is found by an empty entry of PATH, which versions of crun read differently"
                )));
            }
            Looked::Executable => {
                return Ok(Search::Found {
                    path: candidate,
                    cwd: cwd.to_owned(),
                });
            }
        }
    }
    Ok(Search::Failed {
        errno: Errno::NoEntry,
        fault: Fault::NotInPath {
            name: program.to_owned(),
            path: path.to_owned(),
        },
        seen: vec![Evidence {
            layer: None,
            path: program.to_owned(),
            detail: format!("in no directory of PATH {path}"),
        }],
    })
}

/// The working directory without links. One that is missing is made by the runtime.
fn working_directory(stack: &Stack<'_>, cwd: &str) -> Result<Result<String, String>, usize> {
    if cwd == "/" {
        return Ok(Ok("/".to_owned()));
    }
    match stack.follow("/", cwd) {
        Ok(found) => Ok(Ok(found.path)),
        Err(Miss::Needs(layer)) => Err(layer),
        // Programs with a whole path don't depend on it, and those below it are then in the volume as well.
        Err(Miss::Mounted(_)) | Err(Miss::Errno(Errno::NoEntry)) => Ok(Ok(cwd.to_owned())),
        Err(Miss::Errno(errno)) => Ok(Err(format!(
            "the working directory {cwd} can't be entered ({})",
            errno.in_go()
        ))),
    }
}

enum Looked {
    Executable,
    Not {
        errno: Errno,
        fault: Fault,
        seen: Vec<Evidence>,
    },
    Unknown(String),
}

/// Whether a file is there and may be executed, links followed.
fn look_at(stack: &Stack<'_>, cwd: &str, path: &str) -> Result<Looked, usize> {
    let not = |errno, fault, layer, detail: String| {
        Ok(Looked::Not {
            errno,
            fault,
            seen: vec![Evidence {
                layer,
                path: path.to_owned(),
                detail,
            }],
        })
    };
    let found = match stack.follow(cwd, path) {
        Ok(found) => found,
        Err(Miss::Needs(layer)) => return Err(layer),
        Err(Miss::Mounted(mount)) => return Ok(Looked::Unknown(format!("{path} lies in {mount}"))),
        Err(Miss::Errno(errno)) => {
            let fault = Fault::Missing {
                path: path.to_owned(),
                part: Part::Program,
                errno,
            };
            return not(errno, fault, None, errno.in_go().to_owned());
        }
    };
    let (errno, why) = match found.node {
        Node::File(file) if file.is_executable() => return Ok(Looked::Executable),
        Node::File(file) => (
            Errno::Access,
            format!("its mode is {:04o}", file.mode & 0o7777),
        ),
        Node::Directory(_) => (Errno::IsADirectory, "it is a directory".to_owned()),
        _ => (Errno::Access, "it is no file".to_owned()),
    };
    let fault = Fault::NotExecutable {
        path: path.to_owned(),
        part: Part::Program,
        why: why.clone(),
    };
    not(errno, fault, Some(found.layer), why)
}
