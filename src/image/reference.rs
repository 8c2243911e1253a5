//! Image references, read as the kubelet reads them (distribution/reference `regexp.go`, `normalize.go`; Kubernetes
//! `pkg/util/parsers/parsers.go`). Written as a scanner instead of one large regular expression, after the same grammar:
//!
//! ```text
//! reference := name [ ":" tag ] [ "@" digest ]
//! name      := [ domain "/" ] path-component { "/" path-component }
//! component := [a-z0-9]+ { ( "." | "_" | "__" | "-"+ ) [a-z0-9]+ }
//! tag       := [A-Za-z0-9_] [A-Za-z0-9_.-]{0,127}
//! ```

use std::fmt;

use super::{Digest, DigestError};

/// The longest path (without host) that the grammar's owner accepts (`RepositoryNameTotalLengthMax`).
const LONGEST_PATH: usize = 255;
/// The longest tag.
const LONGEST_TAG: usize = 128;
/// Where an image without a host comes from.
const DOCKER_HUB: &str = "docker.io";

/// A parsed and normalised image reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    /// Registry host with port, e.g. `docker.io`, `localhost:5000`. `None` for the quirk `a_b.example.com/app`: the
    /// grammar takes such a host for a path.
    pub registry: Option<String>,
    /// Repository path, e.g. `library/nginx`.
    pub repository: String,
    /// Tag; the kubelet adds `latest` only where there is neither tag nor digest.
    pub tag: Option<String>,
    /// Digest; what is asked for when both are given.
    pub digest: Option<Digest>,
}

/// Why a text is no image reference, in the words that the kubelet prints with `InvalidImageName`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Against the grammar.
    #[error("invalid reference format")]
    Format,
    /// Upper-case letters in the path.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// 64 hexadecimal digits, which could be an image id.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    HexName(String),
    /// A path over 255 characters.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
    /// A digest of the right form and wrong content.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ImageRef {
    /// Parses as the kubelet does (`ParseImageName`): normalised, `latest` added where there is neither tag nor digest.
    ///
    /// # Errors
    /// When the kubelet would say `InvalidImageName`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let mut reference = Self::parse_normalized(text)?;
        if reference.tag.is_none() && reference.digest.is_none() {
            reference.tag = Some("latest".to_owned());
        }
        Ok(reference)
    }

    /// Parses and adds Docker Hub's host and `library/`, but no tag (`ParseNormalizedNamed`).
    ///
    /// # Errors
    /// When the text is against the grammar.
    pub fn parse_normalized(text: &str) -> Result<Self, ReferenceError> {
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ReferenceError::HexName(text.to_owned()));
        }
        let (domain, remainder) = split_docker_domain(text);
        // The name ends at the first colon; what follows may be a tag with capitals.
        let path = remainder.split(':').next().unwrap_or_default();
        if path.chars().any(char::is_uppercase) {
            return Err(ReferenceError::Uppercase(path.to_owned()));
        }
        Self::parse_strictly(&format!("{domain}/{remainder}"))
    }

    /// Parses by the grammar alone; a first component that is no host belongs to the path.
    fn parse_strictly(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = split_tag(rest);
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Format);
        }
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if is_domain(first) => (Some(first), path),
            _ => (None, name),
        };
        if !path.split('/').all(is_path_component) {
            return Err(ReferenceError::Format);
        }
        if path.len() > LONGEST_PATH {
            return Err(ReferenceError::TooLong);
        }
        let digest = digest.map(parse_digest).transpose()?;
        Ok(Self {
            registry: registry.map(str::to_owned),
            repository: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The host that is asked for the image: Docker Hub's registry answers elsewhere than its name says
    /// (containerd `core/remotes/docker/registry.go`). `None` where the reference names no host that could be asked.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self.registry.as_deref()? {
            DOCKER_HUB => Some("registry-1.docker.io"),
            host => Some(host),
        }
    }

    /// Whether a text looks like a template that was never rendered, or a placeholder that something fills in later:
    /// `{{ .Values.image }}`, `${IMAGE}`, `$(IMAGE)`, `$IMAGE`, `%IMAGE%`, `<image>`.
    #[must_use]
    pub fn looks_unrendered(text: &str) -> bool {
        let between = |open: char, close: char| {
            text.find(open)
                .is_some_and(|at| text[at + open.len_utf8()..].contains(close))
        };
        text.contains("{{")
            || text.contains('$')
            || between('%', '%')
            || between('<', '>')
            || between('{', '}')
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Splits off the host, or supplies Docker Hub's (`normalize.go splitDockerDomain`). A first segment is a host if it is
/// `localhost`, or has a dot, a colon or a capital letter.
fn split_docker_domain(text: &str) -> (&str, String) {
    let (domain, remainder) = match text.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (first, rest.to_owned()),
        _ => (DOCKER_HUB, text.to_owned()),
    };
    let domain = if domain == "index.docker.io" {
        DOCKER_HUB
    } else {
        domain
    };
    if domain == DOCKER_HUB && !remainder.contains('/') {
        return (domain, format!("library/{remainder}"));
    }
    (domain, remainder)
}

fn looks_like_host(segment: &str) -> bool {
    segment == "localhost" || segment.contains(['.', ':']) || segment.to_lowercase() != segment
}

/// Splits off a tag: what follows the last colon, if no slash comes after it (that colon would begin a port).
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (text, None),
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= LONGEST_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// `[a-z0-9]+` joined by one dot, one or two underscores, or any number of hyphens.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
    let bytes = component.as_bytes();
    let mut at = 0;
    loop {
        let start = at;
        while bytes.get(at).copied().is_some_and(alphanumeric) {
            at += 1;
        }
        if at == start {
            return false;
        }
        if at == bytes.len() {
            return true;
        }
        let separator = at;
        while bytes.get(at).copied().is_some_and(|b| !alphanumeric(b)) {
            at += 1;
        }
        let joined = &bytes[separator..at];
        if !matches!(joined, b"." | b"_" | b"__") && !joined.iter().all(|b| *b == b'-') {
            return false;
        }
    }
}

/// A host name or IPv6 address in brackets, with an optional port.
fn is_domain(text: &str) -> bool {
    let (host, port) = if let Some(inside) = text.strip_prefix('[') {
        let Some((address, rest)) = inside.split_once(']') else {
            return false;
        };
        let hex = |b: u8| b.is_ascii_hexdigit() || b == b':';
        if address.is_empty() || !address.bytes().all(hex) {
            return false;
        }
        match rest.strip_prefix(':') {
            Some(port) => return is_port(port),
            None => return rest.is_empty(),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    host.split('.').all(is_domain_label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Letters, digits, and hyphens inside.
fn is_domain_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

/// `algorithm:hex` with at least 32 digits by the grammar, then by what go-digest accepts.
fn parse_digest(text: &str) -> Result<Digest, ReferenceError> {
    let (algorithm, hex) = text.split_once(':').ok_or(ReferenceError::Format)?;
    let component = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if !algorithm.split(['+', '.', '-', '_']).all(component)
        || hex.len() < 32
        || !hex.bytes().all(|b| b.is_ascii_hexdigit())
    {
        return Err(ReferenceError::Format);
    }
    Ok(text.parse()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unrendered_templates_are_recognised() {
        for text in [
            "{{ .Values.image }}:1",
            "${IMAGE}",
            "$(params.image)",
            "$IMAGE:$TAG",
            "%IMAGE%",
            "<image>",
        ] {
            assert!(ImageRef::looks_unrendered(text), "{text}");
        }
        for text in [
            "nginx",
            "Nginx",
            "nginx:1.27@sha256:00",
            "a%b",
            "https://x/y",
            " ",
        ] {
            assert!(!ImageRef::looks_unrendered(text), "{text}");
        }
    }

    #[test]
    fn docker_hub_is_asked_elsewhere_than_its_name_says() {
        for (text, host) in [
            ("nginx", Some("registry-1.docker.io")),
            (
                "index.docker.io/library/nginx",
                Some("registry-1.docker.io"),
            ),
            ("localhost:5000/app", Some("localhost:5000")),
            ("a_b.example.com/app", None),
        ] {
            assert_eq!(ImageRef::parse(text).unwrap().host(), host, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(
            registry in "(docker\\.io|localhost(:[0-9]{1,5})?|[a-z]{1,8}\\.io(:[0-9]{1,5})?)",
            path in "[a-z0-9]{1,9}(/[a-z0-9]{1,9}([._]|__|-{1,3})[a-z0-9]{1,9}){0,3}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
        ) {
            let text = format!("{registry}/{path}{}", tag.map(|t| format!(":{t}")).unwrap_or_default());
            let parsed = ImageRef::parse(&text).unwrap();
            prop_assert_eq!(ImageRef::parse(&parsed.to_string()).unwrap(), parsed);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = ImageRef::parse(&text);
            let _ = ImageRef::looks_unrendered(&text);
        }
    }
}
