//! What came of asking for an image: the boundary between fetching (`registry/`) and deciding (`verdict/`).

use std::fmt;

use super::{Digest, ImageFacts, hints};

/// The answer to one question "what does this reference hold?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageAnswer {
    /// What the image holds, or why that could not be found out.
    pub result: Result<ImageFacts, ImageError>,
    /// Who was asked: a registry host (`registry-1.docker.io`), or the path of a layout or archive.
    pub asked_at: String,
    /// Whether that is a mirror, which need not have what the registry has.
    pub mirror: bool,
    /// With which kind of credential; never its value.
    pub credential: CredentialKind,
    /// Who else was asked, in order, and why that was no answer.
    pub tried: Vec<Tried>,
}

/// Somebody who was asked and did not have the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// A registry host, or a repository of one where it has another name there.
    pub asked_at: String,
    /// What came of it.
    pub error: ImageError,
}

impl ImageAnswer {
    /// The answer where nobody was asked.
    #[must_use]
    pub fn unasked(host: &str, error: ImageError) -> Self {
        Self {
            result: Err(error),
            asked_at: host.to_owned(),
            mirror: false,
            credential: CredentialKind::Anonymous,
            tried: Vec::new(),
        }
    }
}

/// Which kind of credential was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// None was needed: the image came from a layout or archive.
    NotNeeded,
    /// Asked without a credential.
    Anonymous,
    /// From the file that `--registry-config` names.
    RegistryConfig,
    /// From a pull secret of the pods that run the image.
    PullSecret,
    /// From the user's docker config.
    DockerConfig,
    /// From the mirror configuration that `--mirror-config` names.
    MirrorConfig,
    /// From podman's and its kin's `auth.json`.
    AuthFile,
    /// From a credential helper that one of the files names.
    Helper,
}

impl CredentialKind {
    /// All kinds.
    const ALL: [Self; 8] = [
        Self::NotNeeded,
        Self::Anonymous,
        Self::RegistryConfig,
        Self::PullSecret,
        Self::DockerConfig,
        Self::MirrorConfig,
        Self::AuthFile,
        Self::Helper,
    ];

    /// The kind that reports call so.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotNeeded => "not-needed",
            Self::Anonymous => "anonymous",
            Self::RegistryConfig => "registry-config",
            Self::PullSecret => "pull-secret",
            Self::DockerConfig => "docker-config",
            Self::MirrorConfig => "mirror-config",
            Self::AuthFile => "auth-file",
            Self::Helper => "credential-helper",
        }
    }
}

/// What a registry allows no more of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// Pulls: Docker Hub allows so many in so many hours.
    Pulls {
        /// How many.
        limit: Option<u64>,
        /// In how many seconds.
        window: Option<u64>,
    },
    /// Requests.
    Rate {
        /// Seconds until it wants to be asked again.
        retry_after: Option<u64>,
    },
}

impl fmt::Display for Limit {
    /// `allows 100 pulls in 6 h, and none is left to spare; scan the rest in 6 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pulls { limit, window } => {
                match limit {
                    Some(limit) => write!(f, "allows {limit} pulls")?,
                    None => f.write_str("limits pulls")?,
                }
                if let Some(window) = window {
                    write!(f, " in {}", in_words(*window))?;
                }
                f.write_str(", and none is left to spare")?;
                match window {
                    Some(window) => write!(f, "; scan the rest in {}", in_words(*window)),
                    None => Ok(()),
                }
            }
            Self::Rate { retry_after } => {
                f.write_str("limits the rate of requests")?;
                match retry_after {
                    Some(wait) => write!(f, ", and wants to be asked again in {}", in_words(*wait)),
                    None => Ok(()),
                }
            }
        }
    }
}

/// In hours, minutes or seconds, whichever is not too small a unit; rounded up.
fn in_words(seconds: u64) -> String {
    match seconds {
        seconds if seconds >= 2 * 3600 => format!("{} h", seconds.div_ceil(3600)),
        seconds if seconds >= 120 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{seconds} s"),
    }
}

/// Why an image could not be read. The texts are fragments that fit after "… could not be read: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The repository answered and does not have this tag or digest (`MANIFEST_UNKNOWN`).
    #[error("{host} has no {reference} in {repository}")]
    NotFound {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// `tag v1` or `digest sha256:…`.
        reference: String,
        /// It said so to a credential or token that it had accepted.
        authorized: bool,
    },
    /// 401, 403, or a 404 that may hide a private repository (`NAME_UNKNOWN`).
    #[error("{host} refused access ({status}{})", detail_suffix(.detail))]
    Denied {
        /// The registry or its token server.
        host: String,
        /// HTTP status.
        status: u16,
        /// The registry's own words, shortened and cleaned; may be empty.
        detail: String,
    },
    /// 429, also when asked again.
    #[error("{host} limits the rate of requests (429){}", retry_suffix(.retry_after))]
    RateLimited {
        /// The registry.
        host: String,
        /// Seconds until it wants to be asked again.
        retry_after: Option<u64>,
    },
    /// Not asked for, or in vain, because the host allows no more for now.
    #[error("{host} {limit}")]
    OverLimit {
        /// The registry.
        host: String,
        /// What it allows, and when to come back.
        limit: Limit,
    },
    /// No connection: DNS, refused, TLS.
    #[error("{host} could not be reached: {detail}")]
    Unreachable {
        /// The registry or its token server.
        host: String,
        /// What the network said.
        detail: String,
    },
    /// No answer in time.
    #[error("{host} gave no answer within {seconds} s")]
    TimedOut {
        /// The registry.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// Another HTTP status that is no answer (5xx, 406, …).
    #[error("{host} answered with status {status}{}", detail_suffix(.detail))]
    Status {
        /// The registry.
        host: String,
        /// HTTP status.
        status: u16,
        /// The registry's own words, shortened and cleaned; may be empty.
        detail: String,
    },
    /// A success that is no registry's answer: a login page, a captive portal, half a document.
    #[error("{host} gave an answer that is no registry's: {detail}")]
    NotARegistry {
        /// Who answered.
        host: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The bytes do not have the digest that was asked for.
    #[error("{host} sent bytes with digest {actual} for {expected}")]
    DigestMismatch {
        /// Who answered.
        host: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The body exceeds the limit.
    #[error("{host} sent more than {limit} bytes for {what}")]
    TooLarge {
        /// Who answered.
        host: String,
        /// `a manifest`, `a config`, `a token`.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// The user allows no requests to this host.
    #[error("{host} is not allowed by --allow-registry")]
    NotAllowed {
        /// The registry.
        host: String,
    },
    /// The node's own configuration lets it ask nobody.
    #[error("the nodes may not pull it: {why}")]
    Forbidden {
        /// Which registry is blocked, and where that is written.
        why: String,
    },
    /// No registry may be asked.
    #[error("it is neither in the cache nor in a layout, and --offline asks no registry")]
    Offline,
    /// The run ended before the image's turn.
    #[error("it was not asked for: {why}")]
    NotAsked {
        /// `the time that --timeout allows was up`, `the run was interrupted`.
        why: &'static str,
    },
    /// A layout or archive could not be read.
    #[error("{path}: {detail}")]
    Layout {
        /// The path as the user gave it.
        path: String,
        /// What is wrong.
        detail: String,
    },
    /// The reference has no registry that could be asked (an underscore in its host).
    #[error("the reference names no registry host that can be asked: {host} has an underscore")]
    NoHost {
        /// The first path segment, which was meant as host.
        host: String,
    },
}

impl ImageError {
    /// What to try.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => {
                "correct the tag or digest, or push it; if it is loaded onto the nodes by hand, give it with --images"
            }
            Self::Denied { host, .. } => hints::login(host),
            Self::RateLimited { .. }
            | Self::OverLimit {
                limit: Limit::Rate { .. },
                ..
            } => "scan again later, or log in for a higher limit",
            Self::OverLimit {
                limit: Limit::Pulls { .. },
                ..
            } => "scan again then, or log in for a higher limit (docker login)",
            Self::Unreachable { host, .. } => hints::reach(host),
            Self::TimedOut { .. } => "scan again, or allow more time with --registry-timeout",
            Self::Status { .. } => "scan again later",
            Self::NotARegistry { .. } => {
                "check the host's name, and whether a proxy or login page answers in its place"
            }
            Self::DigestMismatch { .. } => {
                "don't run this image: what the registry holds was altered or damaged"
            }
            Self::TooLarge { .. } => "check that the reference names an image",
            Self::NotAllowed { .. } => {
                "allow the host with --allow-registry, or give the image with --images"
            }
            Self::Forbidden { .. } => {
                "use an image that the nodes may pull, or correct their mirror configuration"
            }
            Self::Offline => "scan once without --offline, or give the image with --images",
            Self::NotAsked { .. } => "scan again with more time",
            Self::Layout { .. } => "make the layout or archive again, or leave --images out",
            Self::NoHost { .. } => "give the registry a host name without an underscore",
        }
    }
}

fn detail_suffix(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    }
}

fn retry_suffix(retry_after: &Option<u64>) -> String {
    retry_after.map_or_else(String::new, |seconds| format!(", try again in {seconds} s"))
}
