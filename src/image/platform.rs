//! Platforms: OS, architecture, variant (image-spec `image-index.md`, `config.md`; names are Go's GOOS and GOARCH), and
//! how containerd reads and normalises them (containerd/platforms `platforms.go`, `database.go`).

use std::fmt;

use serde::Deserialize;

/// A platform as somebody wrote it; nothing is normalised until a matcher asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// GOOS, e.g. `linux`.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub os: String,
    /// GOARCH, e.g. `arm64`.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub architecture: String,
    /// CPU variant, e.g. `v7`; empty when none is given.
    #[serde(deserialize_with = "crate::model::null_as_default")]
    pub variant: String,
    /// Windows build, e.g. `10.0.20348.2113`; empty when none is given.
    #[serde(
        rename = "os.version",
        deserialize_with = "crate::model::null_as_default"
    )]
    pub os_version: String,
    /// Features that the OS must have, e.g. `win32k`.
    #[serde(
        rename = "os.features",
        deserialize_with = "crate::model::null_as_default"
    )]
    pub os_features: Vec<String>,
}

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// A part has characters that no platform has, or is empty.
    #[error(
        "{part:?} in {text:?} is no part of a platform; write OS/ARCH[/VARIANT], as in linux/arm64"
    )]
    BadPart {
        /// The part.
        part: String,
        /// The whole text.
        text: String,
    },
    /// `*`.
    #[error("{0:?}: a platform has no wildcards; name each one")]
    Wildcard(String),
    /// A single word that is neither an OS nor an architecture.
    #[error("{0:?} is neither an operating system nor an architecture")]
    UnknownWord(String),
    /// More than three parts.
    #[error("{0:?} has more parts than OS/ARCH/VARIANT")]
    TooManyParts(String),
    /// For flags: the architecture is missing, or the parts are the wrong way round.
    #[error("{text:?} is no platform of the form OS/ARCH[/VARIANT]; did you mean {suggestion}?")]
    DidYouMean {
        /// The whole text.
        text: String,
        /// What it probably means.
        suggestion: String,
    },
    /// For flags: a word that Go knows no such OS for.
    #[error("{0:?} is no operating system that Kubernetes runs on; it is linux or windows")]
    UnknownOs(String),
    /// For flags: a word that Go knows no such architecture for.
    #[error("{0:?} is no architecture; try amd64, arm64, arm, ppc64le, s390x, riscv64 or 386")]
    UnknownArchitecture(String),
}

/// GOOS values (Go's `internal/syslist`, as containerd/platforms `database.go` lists them).
const KNOWN_OS: [&str; 18] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];

/// GOARCH values (as above).
const KNOWN_ARCHITECTURES: [&str; 27] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
    "alpha",
    "ia64",
    "m68k",
];

impl Platform {
    /// A platform out of its first three parts.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            ..Self::default()
        }
    }

    /// `unknown/unknown`: how BuildKit labels attestations.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// Reads a platform as containerd's `platforms.Parse` does; `host` stands in for parts that are left out.
    ///
    /// # Errors
    /// When the text is against the grammar, which the error names the part of.
    pub fn parse_with_host(text: &str, host: &Self) -> Result<Self, PlatformError> {
        if text.contains('*') {
            return Err(PlatformError::Wildcard(text.to_owned()));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let bad = |part: &str| PlatformError::BadPart {
            part: part.to_owned(),
            text: text.to_owned(),
        };
        let mut platform = Self::default();
        for (at, part) in parts.iter().enumerate() {
            if at == 0 {
                let (os, version, features) = parse_os(part).ok_or_else(|| bad(part))?;
                platform.os = normal_os(os);
                platform.os_version = version;
                platform.os_features = features;
            } else if !is_word(part, true) {
                return Err(bad(part));
            }
        }
        match parts.as_slice() {
            [word] => {
                if KNOWN_OS.contains(&platform.os.as_str()) {
                    platform.architecture.clone_from(&host.architecture);
                    if host.architecture == "arm" && host.variant != "v7" {
                        platform.variant.clone_from(&host.variant);
                    }
                    return Ok(platform);
                }
                let (architecture, variant) = normal_architecture(word, "", true);
                if !KNOWN_ARCHITECTURES.contains(&architecture.as_str()) {
                    return Err(PlatformError::UnknownWord((*word).to_owned()));
                }
                platform.os.clone_from(&host.os);
                platform.variant = implied_variant(&architecture, variant);
                platform.architecture = architecture;
            }
            [_, architecture] => {
                let (architecture, variant) = normal_architecture(architecture, "", true);
                platform.variant = implied_variant(&architecture, variant);
                platform.architecture = architecture;
            }
            [_, architecture, variant] => {
                let (architecture, variant) = normal_architecture(architecture, variant, true);
                platform.variant = if architecture == "arm64" && variant.is_empty() {
                    "v8".to_owned()
                } else {
                    variant
                };
                platform.architecture = architecture;
            }
            _ => return Err(PlatformError::TooManyParts(text.to_owned())),
        }
        Ok(platform)
    }

    /// Reads the value of `--platform`: OS and architecture must both be there and be ones that exist.
    ///
    /// # Errors
    /// Says which part is wrong, and what was probably meant.
    pub fn parse_flag(text: &str) -> Result<Self, PlatformError> {
        let platform = Self::parse_with_host(text, &Self::new("linux", "amd64", ""))?;
        let known_os = KNOWN_OS.contains(&platform.os.as_str());
        let known_architecture = KNOWN_ARCHITECTURES.contains(&platform.architecture.as_str());
        let did_you_mean = |suggestion: String| PlatformError::DidYouMean {
            text: text.to_owned(),
            suggestion,
        };
        if !text.contains('/') {
            let os_alone = KNOWN_OS.contains(&text.to_lowercase().as_str());
            let suggestion = if os_alone {
                format!("{}/amd64 or {}/arm64", platform.os, platform.os)
            } else {
                platform.to_string()
            };
            return Err(did_you_mean(suggestion));
        }
        if KNOWN_ARCHITECTURES.contains(&platform.os.as_str())
            && KNOWN_OS.contains(&platform.architecture.as_str())
        {
            return Err(did_you_mean(format!(
                "{}/{}",
                platform.architecture, platform.os
            )));
        }
        if !known_os {
            return Err(PlatformError::UnknownOs(platform.os));
        }
        if !known_architecture {
            return Err(PlatformError::UnknownArchitecture(platform.architecture));
        }
        Ok(platform)
    }

    /// The platform as containerd compares it: lower case, aliases resolved, implied variants added or removed.
    /// `dotted`: `arm64/v8.0` and `v9.0` are aliases too (containerd 2.0 and newer).
    #[must_use]
    pub(crate) fn normalized(&self, dotted: bool) -> Self {
        let (architecture, variant) =
            normal_architecture(&self.architecture, &self.variant, dotted);
        Self {
            os: normal_os(&self.os),
            architecture,
            variant,
            ..self.clone()
        }
    }

    /// `os(version+feature)/arch/variant`, as containerd's `FormatAll` writes it: what Docker prints.
    #[must_use]
    pub fn format_all(&self) -> String {
        let mut text = self.os.clone();
        if !self.os_version.is_empty() || !self.os_features.is_empty() {
            let mut features: Vec<&String> = self.os_features.iter().collect();
            features.sort();
            text.push('(');
            text.push_str(&escape(&self.os_version));
            for feature in features {
                text.push('+');
                text.push_str(&escape(feature));
            }
            text.push(')');
        }
        for part in [&self.architecture, &self.variant] {
            if !part.is_empty() {
                text.push('/');
                text.push_str(part);
            }
        }
        text
    }
}

impl fmt::Display for Platform {
    /// `os/arch[/variant]`, without OS version and features (containerd's `Format`). Missing parts are `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let os = if self.os.is_empty() { "?" } else { &self.os };
        let architecture = if self.architecture.is_empty() {
            "?"
        } else {
            &self.architecture
        };
        write!(f, "{os}/{architecture}")?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

fn normal_os(os: &str) -> String {
    match os.to_lowercase().as_str() {
        "macos" => "darwin".to_owned(),
        os => os.to_owned(),
    }
}

/// `normalizeArch`: architecture and variant without aliases.
fn normal_architecture(architecture: &str, variant: &str, dotted: bool) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386".into(), String::new()),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64".into(), String::new()),
        ("x86_64" | "x86-64" | "amd64", _) => ("amd64".into(), variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64".into(), String::new()),
        ("aarch64" | "arm64", "v8.0") if dotted => ("arm64".into(), String::new()),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") if dotted => ("arm64".into(), "v9".into()),
        ("aarch64" | "arm64", _) => ("arm64".into(), variant),
        ("armhf", _) => ("arm".into(), "v7".into()),
        ("armel", _) => ("arm".into(), "v6".into()),
        ("arm", "" | "7") => ("arm".into(), "v7".into()),
        ("arm", "5" | "6" | "8") => ("arm".into(), format!("v{variant}")),
        _ => (architecture, variant),
    }
}

/// What a variant that was not written is left out of: `arm` means v7.
fn implied_variant(architecture: &str, variant: String) -> String {
    if architecture == "arm" && variant == "v7" {
        String::new()
    } else {
        variant
    }
}

/// `os`, or `os(version+feature+feature)` with percent escapes.
fn parse_os(part: &str) -> Option<(&str, String, Vec<String>)> {
    let Some((os, options)) = part.split_once('(') else {
        return is_word(part, false).then(|| (part, String::new(), Vec::new()));
    };
    let options = options.strip_suffix(')')?;
    if !is_word(os, false) {
        return None;
    }
    let mut pieces = options.split('+');
    let version = pieces.next().and_then(unescape)?;
    let features: Option<Vec<String>> = pieces
        .map(|piece| unescape(piece).filter(|feature| !feature.is_empty()))
        .collect();
    Some((os, version, features?))
}

fn is_word(text: &str, dots: bool) -> bool {
    let ok = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || (dots && b == b'.');
    !text.is_empty() && text.bytes().all(ok)
}

/// Percent-decodes; `None` for characters that must be escaped or an escape that is none.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        match b {
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'.' | b'_' | b'-' => bytes.push(b),
            b if b.is_ascii_alphanumeric() => bytes.push(b),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

fn escape(text: &str) -> String {
    use fmt::Write as _;
    text.bytes().fold(String::new(), |mut escaped, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-') {
            escaped.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{b:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wants_an_os_and_an_architecture_that_exist() {
        for (text, read) in [
            ("linux/arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64/v8"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("Linux/x86_64", "linux/amd64"),
            ("windows/amd64", "windows/amd64"),
        ] {
            assert_eq!(
                Platform::parse_flag(text).unwrap().to_string(),
                read,
                "{text}"
            );
        }
        for (text, says) in [
            ("arm64", "did you mean linux/arm64?"),
            ("linux", "did you mean linux/amd64 or linux/arm64?"),
            ("amd64/linux", "did you mean linux/amd64?"),
            ("linux/armv7l", "is no architecture"),
            ("lnux/arm64", "is no operating system"),
            ("linux/*", "no wildcards"),
            ("linux/arm64/v8/x", "more parts"),
            ("", "is no part of a platform"),
        ] {
            let error = Platform::parse_flag(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
