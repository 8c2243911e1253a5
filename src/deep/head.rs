//! What the first bytes of a file say that it is.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::elf::{self, Elf, machine};
use super::shebang::{self, LOOKED_AT, Shebang, ShebangFault};

/// How many bytes of a file's start are enough for nearly all of them: the headers and the loader's name of a program.
pub const USUAL_HEAD: u64 = 4096;

/// What a file is, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Head {
    /// It has no bytes.
    Empty,
    /// A Linux program, library or object file.
    Elf(Box<Elf>),
    /// A script with a `#!` line.
    Script(Shebang),
    /// A `#!` line that the kernel refuses.
    BrokenScript(ShebangFault),
    /// Nothing that Linux starts.
    Other(Kind),
    /// The bytes were not read: the file is not executable, or only a table of contents was.
    NotRead,
}

/// Kinds of files that people put in a program's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `MZ`: a program for Windows (or UEFI).
    WindowsProgram,
    /// Mach-O: a program for macOS.
    MacProgram,
    /// A WebAssembly module.
    WebAssembly,
    /// A byte order mark stands before `#!`.
    ByteOrderMark,
    /// Blanks or empty lines stand before `#!`.
    BlankBeforeShebang,
    /// What a failed download left: a web page.
    WebPage,
    /// What a checkout without Git LFS left.
    LfsPointer,
    /// A gzip file.
    Gzip,
    /// A zip file, such as a jar.
    Zip,
    /// Text without a `#!` line.
    Text,
    /// Something else.
    Data,
}

impl Kind {
    /// What it is, with an article.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WindowsProgram => "a Windows program",
            Self::MacProgram => "a macOS program",
            Self::WebAssembly => "a WebAssembly module",
            Self::ByteOrderMark => "a script whose #! line comes after a byte order mark",
            Self::BlankBeforeShebang => "a script whose #! line is not at its very beginning",
            Self::WebPage => "a web page",
            Self::LfsPointer => "a Git LFS pointer",
            Self::Gzip => "a gzip file",
            Self::Zip => "a zip file",
            Self::Text => "text without a #! line",
            Self::Data => "no program of any known kind",
        }
    }
}

impl Head {
    /// Reads what is at hand of a file. Also says which bytes would tell more.
    #[must_use]
    pub fn read(bytes: &Bytes) -> (Self, Vec<Range<u64>>) {
        if bytes.size() == 0 {
            return (Self::Empty, Vec::new());
        }
        let needed = bytes.size().min(LOOKED_AT as u64);
        if bytes.get(0, needed).is_err() {
            let missing = 0..bytes.size().min(USUAL_HEAD);
            return (Self::NotRead, vec![missing]);
        }
        if let Some((elf, missing)) = elf::read(bytes) {
            return (Self::Elf(Box::new(elf)), missing);
        }
        let start: [u8; LOOKED_AT] = bytes.start();
        let head = match shebang::read(&start) {
            Some(Ok(line)) => Self::Script(line),
            Some(Err(fault)) => Self::BrokenScript(fault),
            None => {
                let length = usize::try_from(needed).unwrap_or(LOOKED_AT);
                Self::Other(kind(start.get(..length).unwrap_or_default()))
            }
        };
        (head, Vec::new())
    }

    /// Whether the end of the file would tell more: 32-bit ARM programs say there for which version they were built.
    #[must_use]
    pub fn wants_the_end(&self) -> bool {
        matches!(self, Self::Elf(elf) if elf.machine == machine::ARM)
    }
}

fn kind(start: &[u8]) -> Kind {
    let begins = |magic: &[u8]| start.starts_with(magic);
    if begins(b"MZ") {
        return Kind::WindowsProgram;
    }
    let mac: [&[u8]; 5] = [
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    if mac.iter().any(|magic| begins(magic)) {
        return Kind::MacProgram;
    }
    if begins(b"\0asm") {
        return Kind::WebAssembly;
    }
    if begins(b"\x1f\x8b") {
        return Kind::Gzip;
    }
    if begins(b"PK\x03\x04") {
        return Kind::Zip;
    }
    if begins(b"\xef\xbb\xbf#!") {
        return Kind::ByteOrderMark;
    }
    if begins(b"version https://git-lfs") {
        return Kind::LfsPointer;
    }
    let trimmed = start.trim_ascii_start();
    if trimmed.starts_with(b"#!") {
        return Kind::BlankBeforeShebang;
    }
    let lower = trimmed.get(..16).unwrap_or(trimmed).to_ascii_lowercase();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Kind::WebPage;
    }
    let printable = |b: &u8| !b.is_ascii_control() || b.is_ascii_whitespace();
    if start.iter().all(printable) {
        Kind::Text
    } else {
        Kind::Data
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        for (bytes, kind) in [
            (&b"MZ\x90\0"[..], Kind::WindowsProgram),
            (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", Kind::MacProgram),
            (b"\0asm\x01\0\0\0", Kind::WebAssembly),
            (b"\x1f\x8b\x08", Kind::Gzip),
            (b"PK\x03\x04", Kind::Zip),
            (b"\xef\xbb\xbf#!/bin/sh\n", Kind::ByteOrderMark),
            (b"\n#!/bin/sh\n", Kind::BlankBeforeShebang),
            (b"\r\n  #!/bin/sh\n", Kind::BlankBeforeShebang),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                Kind::LfsPointer,
            ),
            (b"<!DOCTYPE html><html>", Kind::WebPage),
            (b"echo hello\n", Kind::Text),
            ("echo grüß dich\n".as_bytes(), Kind::Text),
            (b"\x01\x02\x03", Kind::Data),
        ] {
            let (head, _) = Head::read(&Bytes::whole(bytes));
            assert_eq!(head, Head::Other(kind), "{bytes:?}");
        }
        assert_eq!(Head::read(&Bytes::whole(b"")).0, Head::Empty);
        let (unread, missing) = Head::read(&Bytes::of_size(10_000));
        assert_eq!(unread, Head::NotRead);
        assert_eq!(missing.first(), Some(&(0..USUAL_HEAD)));
    }

    proptest! {
        /// Any bytes after an ELF's magic, and any later piece of the file.
        #[test]
        fn no_bytes_make_it_panic(
            head in proptest::collection::vec(any::<u8>(), 0..600),
            later in proptest::collection::vec(any::<u8>(), 0..300),
            offset in 0_u64..100_000,
            class in 0_u8..4,
            machine in prop_oneof![any::<u8>(), Just(62), Just(40)],
        ) {
            let mut bytes = Bytes::of_size(offset + 300);
            let mut start = b"\x7fELF".to_vec();
            start.extend([class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, machine, 0]);
            start.extend(head);
            bytes.add(0, start);
            bytes.add(offset, later);
            let _ = Head::read(&bytes);
        }
    }
}
