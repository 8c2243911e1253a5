//! The `#!` line, exactly as the kernel reads it (Linux `fs/binfmt_script.c`, 5.1 and newer).

use serde::{Deserialize, Serialize};

/// How much of a file the kernel looks at (`BINPRM_BUF_SIZE`).
pub(super) const LOOKED_AT: usize = 256;

/// A `#!` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shebang {
    /// The file that is started instead, as written: a carriage return at the line's end belongs to it.
    pub interpreter: String,
    /// Everything after it, as one argument.
    pub argument: Option<String>,
}

/// Why the kernel refuses a file that begins with `#!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShebangFault {
    /// Nothing but blanks follows.
    Empty,
    /// The interpreter's name does not end within the bytes that the kernel looks at.
    TooLong,
}

/// Reads the start of a file, padded with zeros; `None` when it does not begin with `#!`.
#[must_use]
pub(super) fn read(start: &[u8; LOOKED_AT]) -> Option<Result<Shebang, ShebangFault>> {
    let rest = start.strip_prefix(b"#!")?;
    // A zero byte ends the search for the line's end, but not the buffer.
    let line_end = rest.iter().position(|&b| b == b'\n' || b == 0);
    let line = match line_end {
        Some(end) if rest.get(end) == Some(&b'\n') => rest.get(..end).unwrap_or_default(),
        _ => {
            let Some(name) = rest.iter().position(|&b| !is_blank(b)) else {
                return Some(Err(ShebangFault::Empty));
            };
            // The name must be seen to end; what follows it may be cut off.
            let after = rest.get(name..).unwrap_or_default();
            if !after.iter().any(|&b| is_blank(b) || b == 0) {
                return Some(Err(ShebangFault::TooLong));
            }
            rest.get(..rest.len() - 1).unwrap_or_default()
        }
    };
    let ends_name = |b: &u8| is_blank(*b) || *b == 0;
    let from = line
        .iter()
        .position(|&b| !is_blank(b))
        .unwrap_or(line.len());
    let line = line.get(from..).unwrap_or_default();
    let name_end = line.iter().position(ends_name).unwrap_or(line.len());
    let name = line.get(..name_end).unwrap_or_default();
    if line.is_empty() {
        return Some(Err(ShebangFault::Empty));
    }
    let argument = line.get(name_end..).unwrap_or_default();
    let argument = argument.split(|&b| b == 0).next().unwrap_or_default();
    Some(Ok(Shebang {
        interpreter: String::from_utf8_lossy(name).into_owned(),
        argument: text(trim_blanks(argument)),
    }))
}

fn trim_blanks(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start(text: &[u8]) -> [u8; LOOKED_AT] {
        let mut start = [0; LOOKED_AT];
        for (to, from) in start.iter_mut().zip(text) {
            *to = *from;
        }
        start
    }

    #[test]
    fn lines_are_read_as_the_kernel_does() {
        let line = |interpreter: &str, argument: Option<&str>| {
            Some(Ok(Shebang {
                interpreter: interpreter.to_owned(),
                argument: argument.map(str::to_owned),
            }))
        };
        let long = |n: usize| format!("#!/{}", "x".repeat(n - 3));
        for (text, read_as) in [
            ("#!/bin/sh\n", line("/bin/sh", None)),
            ("#! \t/bin/sh -e \t\nx", line("/bin/sh", Some("-e"))),
            (
                "#!/usr/bin/env -S a b\n",
                line("/usr/bin/env", Some("-S a b")),
            ),
            ("#!/bin/sh\r\n", line("/bin/sh\r", None)),
            ("#!/bin/sh", line("/bin/sh", None)),
            ("#!sh\n", line("sh", None)),
            ("#!\n", Some(Err(ShebangFault::Empty))),
            ("#! \t \n", Some(Err(ShebangFault::Empty))),
            (&format!("{}\n", long(255)), line(&long(255)[2..], None)),
            (
                &format!("{}\n", long(256)),
                Some(Err(ShebangFault::TooLong)),
            ),
            (
                &format!("#!/bin/sh {}\n", "x".repeat(400)),
                line("/bin/sh", Some(&"x".repeat(245))),
            ),
            ("\n#!/bin/sh\n", None),
            (" #!/bin/sh\n", None),
            ("\u{feff}#!/bin/sh\n", None),
            ("", None),
        ] {
            assert_eq!(read(&start(text.as_bytes())), read_as, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_start_makes_it_panic(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(0)], 0..256)) {
            let mut bytes = bytes;
            bytes.splice(0..0, *b"#!");
            if let Some(Ok(line)) = read(&start(&bytes)) {
                prop_assert!(!line.interpreter.contains([' ', '\t', '\n', '\0']));
            }
        }
    }
}
