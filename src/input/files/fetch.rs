//! `-f URL`: manifests from a web server. Nothing but the host that the URL names is asked: where it redirects to another,
//! that is an error which says where.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Client, Url};

/// The most bytes that are read.
const LARGEST: usize = 256 * 1024 * 1024;
/// How often is tried in all, as kubectl does it (cli-runtime `resource/visitor.go`: three attempts, for 5xx).
const ATTEMPTS: u32 = 3;
/// The wait between two attempts, as in kubectl.
const PAUSE: Duration = Duration::from_secs(1);
/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many redirects on the host are followed.
const MOST_REDIRECTS: usize = 10;

/// A URL that `-f` names, and how it is called in reports: without what may be secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestUrl {
    url: Url,
    /// Scheme, host and path.
    pub name: String,
}

/// Why a URL gave no manifests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is none.
    #[error("{0:?} is no URL: {1}")]
    Invalid(String, String),
    /// No client could be made.
    #[error("no web client could be made: {0}")]
    Client(String),
    /// No answer.
    #[error("{name} could not be read: {why}")]
    Unreachable {
        /// The URL.
        name: String,
        /// Why.
        why: String,
    },
    /// An answer other than "here it is".
    #[error("{name} could not be read: the server says {status}")]
    Status {
        /// The URL.
        name: String,
        /// `404 Not Found`.
        status: String,
    },
    /// Another host was named.
    #[error("{name} redirects to another host, {host}, which is not asked")]
    Redirect {
        /// The URL.
        name: String,
        /// The other host.
        host: String,
    },
    /// More than is read.
    #[error("{name} is larger than {} MiB", LARGEST >> 20)]
    TooLarge {
        /// The URL.
        name: String,
    },
}

impl ManifestUrl {
    /// Whether kubectl takes a source for a URL.
    #[must_use]
    pub fn is_one(source: &str) -> bool {
        source.starts_with("http://") || source.starts_with("https://")
    }

    /// Reads a URL.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(source: &str) -> Result<Self, FetchError> {
        let url = Url::parse(source)
            .map_err(|error| FetchError::Invalid(without_secrets(source), error.to_string()))?;
        let name = without_secrets(source);
        Ok(Self { url, name })
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// When there is no answer in time, or another one than the manifests.
    pub async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        let client = client(&self.url)?;
        let mut attempt = 1;
        loop {
            let (error, may_pass) = match self.once(&client).await {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            if !may_pass || attempt == ATTEMPTS {
                return Err(error);
            }
            tracing::info!("{error}; trying again");
            attempt += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One attempt; an error comes with whether it may pass.
    async fn once(&self, client: &Client) -> Result<Vec<u8>, (FetchError, bool)> {
        let unreachable = |error: &reqwest::Error| FetchError::Unreachable {
            name: self.name.clone(),
            why: innermost(error),
        };
        let response = client
            .get(self.url.clone())
            .send()
            .await
            .map_err(|error| (unreachable(&error), error.is_connect()))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get("location");
            let to = to.and_then(|to| response.url().join(to.to_str().ok()?).ok());
            if let Some(to) = to {
                let host = to.host_str().unwrap_or_default().to_owned();
                let name = self.name.clone();
                return Err((FetchError::Redirect { name, host }, false));
            }
        }
        if !status.is_success() {
            let name = self.name.clone();
            let status_text = status.to_string();
            let error = FetchError::Status {
                name,
                status: status_text,
            };
            return Err((error, status.is_server_error()));
        }
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| (unreachable(&error), true))?;
            if body.len() + chunk.len() > LARGEST {
                let name = self.name.clone();
                return Err((FetchError::TooLarge { name }, false));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Without user, password, query and fragment: private files have tokens there.
fn without_secrets(source: &str) -> String {
    let Some((scheme, rest)) = source.split_once("://") else {
        return source.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest
        .find('/')
        .map_or((rest, ""), |slash| rest.split_at(slash));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn client(url: &Url) -> Result<Client, FetchError> {
    // Fails only where a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (host, port) = (
        url.host_str().map(str::to_owned),
        url.port_or_known_default(),
    );
    let build = |system: bool| {
        let host = host.clone();
        let same_host = reqwest::redirect::Policy::custom(move |attempt| {
            let to = attempt.url();
            // From http to https of a host is the same place.
            let same = to.host_str() == host.as_deref()
                && (to.port_or_known_default() == port || to.port().is_none());
            if !same {
                return attempt.stop();
            }
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error("too many redirects");
            }
            attempt.follow()
        });
        let mut builder = Client::builder()
            .user_agent(concat!("kubectl-archcheck/", env!("CARGO_PKG_VERSION")))
            .redirect(same_host)
            .timeout(TIMEOUT);
        if !system {
            builder = builder.tls_certs_only(Vec::new());
        }
        builder.build()
    };
    // A machine without any trusted certificate can't build a client that asks for them; plain http works there.
    build(true)
        .or_else(|_| build(false))
        .map_err(|error| FetchError::Client(innermost(&error)))
}

/// The cause itself, not that "an error happened".
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_urls_have_no_secrets() {
        for (url, name) in [
            (
                "https://example.com/a/b.yaml",
                "https://example.com/a/b.yaml",
            ),
            (
                "https://me:secret@example.com:8443/a?token=x#y",
                "https://example.com:8443/a",
            ),
            ("http://example.com?token=x", "http://example.com"),
            ("https://me:p@ss@example.com/a@b", "https://example.com/a@b"),
        ] {
            assert_eq!(ManifestUrl::parse(url).unwrap().name, name);
        }
        let error = ManifestUrl::parse("https://me:secret@exa mple/x")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
