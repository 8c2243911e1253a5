//! Why a program can't be started, in words that name the file at fault and its part in it.

use super::errno::Errno;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is built for another machine.
    OtherMachine {
        /// Which file.
        path: String,
        /// Its part.
        part: Part,
        /// The machine, in Go's names.
        built_for: String,
    },
    /// It is built for another system: Windows, macOS, WebAssembly.
    OtherSystem {
        /// Which file.
        path: String,
        /// Its part.
        part: Part,
        /// What it is.
        what: String,
    },
    /// It is not there.
    Missing {
        /// Which file, as it was asked for.
        path: String,
        /// Its part.
        part: Part,
        /// How it is not there: also links that lead in a circle, or a file in a directory's place.
        errno: Errno,
    },
    /// It is there, but may not be executed, or is no file.
    NotExecutable {
        /// Which file.
        path: String,
        /// Its part.
        part: Part,
        /// Why: fits after "but".
        why: String,
    },
    /// No directory of PATH has it.
    NotInPath {
        /// The name.
        name: String,
        /// The directories.
        path: String,
    },
    /// PATH leads to it by a relative directory, which runc doesn't follow.
    RelativePath {
        /// The name.
        name: String,
        /// The directory.
        directory: String,
    },
    /// A script that does not say what is to run it.
    NoShebang {
        /// Which file.
        path: String,
        /// Its part.
        part: Part,
        /// What it is.
        what: String,
    },
    /// Empty, cut off, an object file, a web page…: nothing that can be started.
    Broken {
        /// Which file.
        path: String,
        /// Its part.
        part: Part,
        /// What it is.
        what: String,
    },
    /// Scripts start scripts, too deep.
    TooManyScripts {
        /// The last one.
        path: String,
    },
}

/// What a file is needed for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// It is what shall be started.
    Program,
    /// A script's `#!` line names it.
    Interpreter {
        /// The script.
        of: String,
        /// The name in the line.
        written: String,
    },
    /// A dynamically linked program asks for it.
    Loader {
        /// The program.
        of: String,
        /// The path that it asks for.
        written: String,
    },
}

impl Fault {
    /// The sentence's end that says why: without a full stop.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::OtherMachine {
                path,
                part,
                built_for,
            } => format!("{}{path} is built for {built_for}", part.lead()),
            Self::OtherSystem { path, part, what }
            | Self::NoShebang { path, part, what }
            | Self::Broken { path, part, what } => format!("{}{path} is {what}", part.lead()),
            Self::Missing { path, part, errno } => missing(path, part, *errno),
            Self::NotExecutable { path, part, why } => {
                format!("{}{path} is there, but {why}", part.lead())
            }
            Self::NotInPath { name, path } => {
                format!("no directory of PATH ({path}) has an executable file {name}")
            }
            Self::RelativePath { name, directory } => format!(
                "{name} is found in the relative directory {directory} of PATH, which runc refuses"
            ),
            Self::TooManyScripts { path } => {
                format!("scripts start scripts more than five deep, up to {path}")
            }
        }
    }
}

impl Part {
    /// What leads to the file, to be put before its name.
    fn lead(&self) -> String {
        match self {
            Self::Program => String::new(),
            Self::Interpreter { of, written } => format!("{of} is run by {}: ", shown(written)),
            Self::Loader { of, written } => format!("{of} is loaded by {written}: "),
        }
    }
}

fn missing(path: &str, part: &Part, errno: Errno) -> String {
    let why = match errno {
        Errno::NoEntry => "the image has not".to_owned(),
        errno => format!("can't be reached ({})", errno.in_go()),
    };
    match part {
        Part::Program if errno == Errno::NoEntry => format!("the image has no {path}"),
        Part::Program => format!("{path} {why}"),
        Part::Interpreter { of, written } if written.ends_with('\r') => {
            format!(
                "the #! line of {of} ends with a carriage return, which belongs to the name then"
            )
        }
        Part::Interpreter { of, written } => {
            format!("{of} is to be run by {}, which {why}", shown(written))
        }
        Part::Loader { of, written } => format!("{of} needs the loader {written}, which {why}"),
    }
}

/// A name that may be empty or hold control characters.
fn shown(name: &str) -> String {
    if name.is_empty() || name.chars().any(char::is_control) {
        format!("{name:?}")
    } else {
        name.to_owned()
    }
}
