//! What the kernel answers instead of starting a program (Linux `errno` values, in the words of Go and of the C library).

use serde::{Deserialize, Serialize};

/// The errors that `execve` and looking for a file can end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Errno {
    /// Nothing is there: the file, its loader or its interpreter.
    NoEntry,
    /// An empty or broken file where a loader should be.
    InputOutput,
    /// Nothing that this kernel can start.
    ExecFormat,
    /// No permission to execute.
    Access,
    /// A file where a directory should be.
    NotADirectory,
    /// A directory where a file should be.
    IsADirectory,
    /// A name or path that is too long.
    NameTooLong,
    /// Too many symbolic links, or scripts that start scripts.
    Loop,
    /// A loader for another machine, or none at all.
    BadLibrary,
}

impl Errno {
    /// The number on x86-64 and arm64 (`asm-generic/errno.h`).
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::NoEntry => 2,
            Self::InputOutput => 5,
            Self::ExecFormat => 8,
            Self::Access => 13,
            Self::NotADirectory => 20,
            Self::IsADirectory => 21,
            Self::NameTooLong => 36,
            Self::Loop => 40,
            Self::BadLibrary => 80,
        }
    }

    /// As Go (runc) writes it.
    #[must_use]
    pub fn in_go(self) -> &'static str {
        match self {
            Self::NoEntry => "no such file or directory",
            Self::InputOutput => "input/output error",
            Self::ExecFormat => "exec format error",
            Self::Access => "permission denied",
            Self::NotADirectory => "not a directory",
            Self::IsADirectory => "is a directory",
            Self::NameTooLong => "file name too long",
            Self::Loop => "too many levels of symbolic links",
            Self::BadLibrary => "accessing a corrupted shared library",
        }
    }

    /// As the C library (crun, shells) writes it.
    #[must_use]
    pub fn in_c(self) -> &'static str {
        match self {
            Self::NoEntry => "No such file or directory",
            Self::InputOutput => "Input/output error",
            Self::ExecFormat => "Exec format error",
            Self::Access => "Permission denied",
            Self::NotADirectory => "Not a directory",
            Self::IsADirectory => "Is a directory",
            Self::NameTooLong => "File name too long",
            Self::Loop => "Too many levels of symbolic links",
            Self::BadLibrary => "Accessing a corrupted shared library",
        }
    }
}
