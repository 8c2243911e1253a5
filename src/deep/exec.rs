//! What the kernel says when a file is executed: ELF, loaders, scripts that start scripts (Linux `fs/exec.c`,
//! `fs/binfmt_elf.c`, `fs/binfmt_script.c`; runtime.md §5.1, §10).

use super::elf::{Elf, Loadable, Loader, machine};
use super::errno::Errno;
use super::fault::{Fault, Part};
use super::head::{Head, Kind};
use super::kernel::{Accepts, Kernel};
use super::layer::File;
use super::shebang::{Shebang, ShebangFault};
use super::stack::{Found, Miss, Stack};
use super::tree::Node;

/// How many scripts may start one another (Linux `exec_binprm`).
const MOST_SCRIPTS: usize = 5;

/// What becomes of an attempt to execute a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The kernel's answer.
    pub answer: Answer,
    /// The files that were looked at, in order.
    pub seen: Vec<Evidence>,
}

/// The kernel's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The program starts.
    Starts(Started),
    /// It is refused.
    Refused {
        /// With this error.
        errno: Errno,
        /// For this reason.
        fault: Fault,
    },
    /// It can't be told; says why.
    Unknown(String),
}

/// A program that starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// It is a program of 32 bits on a kernel of 64.
    pub thirty_two_bit: bool,
    /// What was started in the end, in Go's names of architectures.
    pub architecture: String,
    /// The x86-64 level that program or loader say they need; 0 or 1 is any CPU.
    pub x86_level: u8,
    /// The 32-bit ARM version that the program was built for; 0 when it says nothing.
    pub arm_version: u8,
    /// The scripts that led to it, by their interpreters: what follows `env` in a `#!` line is only looked for later.
    pub through: Vec<Shebang>,
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The layer it is in, counted from the lowest; none for what is in no layer.
    pub layer: Option<usize>,
    /// Its path, without links.
    pub path: String,
    /// What it is.
    pub detail: String,
}

/// Executes a file in memory. `cwd` is the working directory, without links.
///
/// # Errors
/// The number of a layer that has to be read first.
pub fn execute(
    stack: &Stack<'_>,
    kernel: Kernel,
    cwd: &str,
    path: &str,
) -> Result<Execution, usize> {
    Attempt {
        stack,
        kernel,
        cwd,
        seen: Vec::new(),
        through: Vec::new(),
    }
    .run(path)
}

struct Attempt<'a, 'b> {
    stack: &'a Stack<'b>,
    kernel: Kernel,
    cwd: &'a str,
    seen: Vec<Evidence>,
    through: Vec<Shebang>,
}

/// A step that is the last one, or (`Err`) an answer found on the way to it.
type Step<T> = Result<T, Stop>;

enum Stop {
    Answer(Answer),
    Needs(usize),
}

impl<'b> Attempt<'_, 'b> {
    fn run(mut self, path: &str) -> Result<Execution, usize> {
        let answer = match self.steps(path) {
            Ok(started) => Answer::Starts(started),
            Err(Stop::Answer(answer)) => answer,
            Err(Stop::Needs(layer)) => return Err(layer),
        };
        Ok(Execution {
            answer,
            seen: self.seen,
        })
    }

    fn steps(&mut self, path: &str) -> Step<Started> {
        let mut part = Part::Program;
        let mut path = path.to_owned();
        loop {
            let (found, file) = self.open(&path, &part)?;
            let script = match &file.head {
                Head::Elf(elf) => return self.elf(&found, file, elf, &part),
                Head::Script(line) => line,
                other => {
                    let (fault, detail) = no_program(&found.path, &part, other);
                    self.see(&found, detail);
                    return Err(fault.map_or_else(
                        || unknown(format!("the bytes of {} were not read", found.path)),
                        |fault| refused(Errno::ExecFormat, fault),
                    ));
                }
            };
            self.see(&found, format!("a script with #!{}", script.interpreter));
            if self.through.len() == MOST_SCRIPTS {
                let fault = Fault::TooManyScripts { path: found.path };
                return Err(refused(Errno::Loop, fault));
            }
            part = Part::Interpreter {
                of: found.path,
                written: script.interpreter.clone(),
            };
            path.clone_from(&script.interpreter);
            self.through.push(script.clone());
        }
    }

    /// What `open_exec` does: follows links, wants a regular file with an x bit.
    fn open(&mut self, path: &str, part: &Part) -> Step<(Found<'b>, &'b File)> {
        // Inside the kernel no name at all is the working directory.
        let nothing = path.is_empty() && *part != Part::Program;
        let found = match self
            .stack
            .follow(self.cwd, if nothing { "." } else { path })
        {
            Ok(found) => found,
            Err(Miss::Needs(layer)) => return Err(Stop::Needs(layer)),
            Err(Miss::Mounted(mount)) => return Err(unknown(format!("{path} lies in {mount}"))),
            Err(Miss::Errno(errno)) => {
                self.seen.push(Evidence {
                    layer: None,
                    path: path.to_owned(),
                    detail: errno.in_go().to_owned(),
                });
                let fault = Fault::Missing {
                    path: path.to_owned(),
                    part: part.clone(),
                    errno,
                };
                return Err(refused(errno, fault));
            }
        };
        let not_executable = |why: &str| Fault::NotExecutable {
            path: found.path.clone(),
            part: part.clone(),
            why: why.to_owned(),
        };
        let (fault, detail) = match found.node {
            Node::File(file) if file.is_executable() => return Ok((found, file)),
            Node::File(file) => (
                not_executable(&format!("its mode is {:04o}", file.mode & 0o7777)),
                format!("a file with mode {:04o}", file.mode & 0o7777),
            ),
            Node::Directory(_) => (
                not_executable("it is a directory"),
                "a directory".to_owned(),
            ),
            _ => (not_executable("it is no file"), "no file".to_owned()),
        };
        self.see(&found, detail);
        Err(refused(Errno::Access, fault))
    }

    fn elf(&mut self, found: &Found<'_>, file: &File, elf: &Elf, part: &Part) -> Step<Started> {
        let accepts = self.kernel.accepts(elf);
        self.see(found, describe(elf));
        let broken = |what: &str| {
            refused(
                Errno::ExecFormat,
                Fault::Broken {
                    path: found.path.clone(),
                    part: part.clone(),
                    what: what.to_owned(),
                },
            )
        };
        if accepts == Accepts::Not {
            return Err(refused(
                Errno::ExecFormat,
                Fault::OtherMachine {
                    path: found.path.clone(),
                    part: part.clone(),
                    built_for: elf.architecture(),
                },
            ));
        }
        match elf.loadable {
            Loadable::Yes => {}
            Loadable::OtherType => return Err(broken("an object file, which is no program yet")),
            Loadable::BrokenHeaders if is_x32(elf) => {
                return Err(broken("an x32 program, which few kernels run"));
            }
            Loadable::BrokenHeaders => return Err(broken("a program that is cut off or damaged")),
            Loadable::NotKept => {
                return Err(unknown(format!(
                    "the headers of {} were not read",
                    found.path
                )));
            }
        }
        let mut x86_level = elf.x86_level;
        match &elf.loader {
            None => {}
            Some(Loader::Path(loader)) => {
                let part = Part::Loader {
                    of: found.path.clone(),
                    written: loader.clone(),
                };
                x86_level = x86_level.max(self.loader(loader, part, accepts)?);
            }
            Some(Loader::Malformed) => {
                return Err(broken("a program whose loader's name is damaged"));
            }
            Some(Loader::PastTheEnd) => {
                return Err(refused(
                    Errno::InputOutput,
                    Fault::Broken {
                        path: found.path.clone(),
                        part: part.clone(),
                        what: "a program that is cut off".to_owned(),
                    },
                ));
            }
            Some(Loader::NotKept) => {
                return Err(unknown(format!(
                    "which loader {} asks for was not read",
                    found.path
                )));
            }
        }
        if elf.cut_off {
            return Err(unknown(format!(
                "{} is cut off ({} bytes), and crashes where the rest is missing",
                found.path, file.size
            )));
        }
        Ok(Started {
            thirty_two_bit: accepts == Accepts::ThirtyTwoBit,
            architecture: elf.architecture(),
            x86_level,
            arm_version: elf.arm_version,
            through: std::mem::take(&mut self.through),
        })
    }

    /// The loader of a program; returns the x86-64 level that it asks for.
    fn loader(&mut self, path: &str, part: Part, program: Accepts) -> Step<u8> {
        let (found, file) = self.open(path, &part)?;
        let bad = |errno, built_for: Option<String>, what: &str| {
            let path = found.path.clone();
            let part = part.clone();
            refused(
                errno,
                match built_for {
                    Some(built_for) => Fault::OtherMachine {
                        path,
                        part,
                        built_for,
                    },
                    None => Fault::Broken {
                        path,
                        part,
                        what: what.to_owned(),
                    },
                },
            )
        };
        // The kernel reads a whole header, or gives up.
        let header = if program == Accepts::Natively && !self.kernel.is_32_bit() {
            64
        } else {
            52
        };
        let Head::Elf(elf) = &file.head else {
            if file.head == Head::NotRead {
                return Err(unknown(format!(
                    "the bytes of {} were not read",
                    found.path
                )));
            }
            let (_, detail) = no_program(&found.path, &part, &file.head);
            self.see(&found, detail.clone());
            let errno = if file.size < header {
                Errno::InputOutput
            } else {
                Errno::BadLibrary
            };
            return Err(bad(errno, None, &detail));
        };
        self.see(&found, describe(elf));
        if file.size < header {
            return Err(bad(Errno::InputOutput, None, "a loader that is cut off"));
        }
        if self.kernel.accepts(elf) != program {
            return Err(bad(Errno::BadLibrary, Some(elf.architecture()), ""));
        }
        match elf.loadable {
            Loadable::BrokenHeaders => Err(bad(
                Errno::BadLibrary,
                None,
                "a loader that is cut off or damaged",
            )),
            Loadable::NotKept | Loadable::OtherType => Err(unknown(format!(
                "whether {} is a loader was not read",
                found.path
            ))),
            Loadable::Yes => Ok(elf.x86_level),
        }
    }

    fn see(&mut self, found: &Found<'_>, detail: String) {
        self.seen.push(Evidence {
            layer: Some(found.layer),
            path: found.path.clone(),
            detail,
        });
    }
}

fn refused(errno: Errno, fault: Fault) -> Stop {
    Stop::Answer(Answer::Refused { errno, fault })
}

fn unknown(why: String) -> Stop {
    Stop::Answer(Answer::Unknown(why))
}

fn is_x32(elf: &Elf) -> bool {
    elf.machine == machine::X86_64 && elf.class == 1
}

/// An ELF file in a few words.
fn describe(elf: &Elf) -> String {
    let linked = match &elf.loader {
        Some(Loader::Path(loader)) => format!(", loaded by {loader}"),
        Some(_) => String::new(),
        None if elf.loadable == Loadable::Yes => ", static".to_owned(),
        None => String::new(),
    };
    format!("ELF for {}{linked}", elf.architecture())
}

/// The fault of a file that is no program and no script, and what it is; no fault where its bytes were not read.
fn no_program(path: &str, part: &Part, head: &Head) -> (Option<Fault>, String) {
    let (path, part) = (path.to_owned(), part.clone());
    match head {
        Head::Other(kind @ (Kind::WindowsProgram | Kind::MacProgram | Kind::WebAssembly)) => {
            let detail = kind.as_str().to_owned();
            let fault = Fault::OtherSystem {
                path,
                part,
                what: detail.clone(),
            };
            (Some(fault), detail)
        }
        Head::Other(kind @ (Kind::Text | Kind::ByteOrderMark | Kind::BlankBeforeShebang)) => {
            let detail = kind.as_str().to_owned();
            let fault = Fault::NoShebang {
                path,
                part,
                what: detail.clone(),
            };
            (Some(fault), detail)
        }
        Head::BrokenScript(fault) => {
            let detail = match fault {
                ShebangFault::Empty => "a script whose #! line names nothing",
                ShebangFault::TooLong => {
                    "a script whose #! line is longer than the 255 bytes that the kernel reads"
                }
            };
            let fault = Fault::NoShebang {
                path,
                part,
                what: detail.to_owned(),
            };
            (Some(fault), detail.to_owned())
        }
        Head::Empty | Head::Other(_) => {
            let detail = match head {
                Head::Other(kind) => kind.as_str(),
                _ => "an empty file",
            };
            let fault = Fault::Broken {
                path,
                part,
                what: detail.to_owned(),
            };
            (Some(fault), detail.to_owned())
        }
        Head::NotRead | Head::Elf(_) | Head::Script(_) => (None, "not read".to_owned()),
    }
}
