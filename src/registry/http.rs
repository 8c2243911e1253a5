//! Sends requests: schemes, redirects, limits, retries, bounded bodies. Credentials are given, never looked for here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Url;
use tokio::sync::Semaphore;

use super::clients::{Clients, Trust};
use super::credentials::Secret;
use super::host::{Host, Scheme, is_loopback};
use super::mirrors::Schemes;
use super::pace::Outcome;
use super::{RegistryOptions, RegistrySetupError};
use crate::image::ImageError;

/// How many redirects are followed (archeio and GHCR need one or two).
const MOST_REDIRECTS: usize = 5;
/// The longest text of a registry that is passed on, in characters.
const LONGEST_DETAIL: usize = 200;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Where it came from, when a redirect led to another host.
    pub(super) elsewhere: Option<Url>,
    /// The request carried a credential or token for the host that answered.
    pub(super) authorized: bool,
}

impl Answer {
    fn outcome(&self) -> Outcome<'_> {
        Outcome::Answered {
            status: self.status,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    /// Path and query on the registry host, beginning with a slash; or a whole URL of a token server.
    pub(super) target: Target<'a>,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) method: Method,
    /// What the body is, for the error when it is too large.
    pub(super) what: &'static str,
    /// The most bytes that the body may have.
    pub(super) limit: usize,
}

/// How it is asked for.
#[derive(Debug, Clone)]
pub(super) enum Method {
    Get,
    Head,
    /// With a form.
    Post(Secret),
}

impl Method {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post(_) => "POST",
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(super) enum Target<'a> {
    Path(&'a str),
    Url(Url),
}

/// Sends requests to registries and token servers.
#[derive(Debug)]
pub(super) struct Http {
    clients: Clients,
    plain_http: Vec<String>,
    insecure: Vec<String>,
    timeout: Duration,
    global: Semaphore,
}

impl Http {
    pub(super) fn new(options: &RegistryOptions) -> Result<Self, RegistrySetupError> {
        Ok(Self {
            clients: Clients::new(options)?,
            plain_http: options.plain_http.clone(),
            insecure: options.insecure.clone(),
            timeout: options.request_timeout,
            global: Semaphore::new(options.concurrency.max(1)),
        })
    }

    /// Whether a token server may be asked over plain http: only where its registry is.
    pub(super) fn speaks_plain_http(&self, host: &Host) -> bool {
        host.scheme.get() == Some(&Scheme::Http)
    }

    /// Sends a request, again where a failure may pass. While it waits, it takes nobody's place.
    pub(super) async fn send(
        &self,
        host: &Host,
        request: &Request<'_>,
    ) -> Result<Answer, ImageError> {
        let mut attempt = 0;
        loop {
            // The host's turn first: who waits for it must not keep others from other hosts.
            let slot = host.pace.slot().await?;
            let result = {
                let _global = self.global.acquire().await;
                let sent = self.send_by_scheme(host, request);
                tokio::time::timeout(self.timeout, sent)
                    .await
                    .unwrap_or_else(|_| {
                        Err(ImageError::TimedOut {
                            host: host.name.clone(),
                            seconds: self.timeout.as_secs().max(1),
                        })
                    })
            };
            let again = match &result {
                Ok(answer) => slot.done(answer.outcome(), attempt),
                Err(error @ ImageError::Unreachable { .. }) => {
                    slot.done(Outcome::Failed(error), attempt)
                }
                Err(error @ ImageError::TimedOut { .. }) => {
                    slot.done(Outcome::TimedOut(error), attempt)
                }
                // It answers, if not well.
                Err(_) => None,
            };
            let Some(wait) = again else { return result };
            tracing::debug!(host = host.name, ?wait, "asking again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Tries the schemes that the host may speak, and remembers the one that it does.
    async fn send_by_scheme(
        &self,
        host: &Host,
        request: &Request<'_>,
    ) -> Result<Answer, ImageError> {
        let url = |scheme: Scheme, path: &str| {
            Url::parse(&format!("{}://{}{path}", scheme.as_str(), host.name)).map_err(|error| {
                ImageError::Unreachable {
                    host: host.name.clone(),
                    detail: error.to_string(),
                }
            })
        };
        let path = match &request.target {
            Target::Url(url) => return self.follow(host, url.clone(), request).await,
            Target::Path(path) => *path,
        };
        if let Some(scheme) = host.scheme.get() {
            return self.follow(host, url(*scheme, path)?, request).await;
        }
        let plain = self.plain_http.contains(&host.name);
        let either = self.insecure.contains(&host.name) || is_loopback(&host.name);
        let schemes: &[Scheme] = match host.connection.schemes {
            _ if plain => &[Scheme::Http],
            Schemes::Http => &[Scheme::Http],
            Schemes::HttpsThenHttp => &[Scheme::Https, Scheme::Http],
            Schemes::Usual if either => &[Scheme::Https, Scheme::Http],
            Schemes::Https | Schemes::Usual => &[Scheme::Https],
        };
        let mut first = None;
        for scheme in schemes {
            match self.follow(host, url(*scheme, path)?, request).await {
                // A server that wants https answers plain http with 400: what https said is the reason.
                Ok(answer) if answer.status == StatusCode::BAD_REQUEST && first.is_some() => {}
                Ok(answer) => {
                    let _ = host.scheme.set(*scheme);
                    return Ok(answer);
                }
                // It answered on this scheme, and broke off or led to a place that can't be reached: that is the reason.
                Err(error) if host.scheme.initialized() => return Err(error),
                Err(error @ ImageError::Unreachable { .. }) => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| ImageError::Unreachable {
            host: host.name.clone(),
            detail: "no scheme to try".to_owned(),
        }))
    }

    /// Follows redirects by hand: Authorization never goes to another scheme, host or port, and https never becomes http
    /// unless the registry itself is plain http.
    async fn follow(
        &self,
        host: &Host,
        start: Url,
        request: &Request<'_>,
    ) -> Result<Answer, ImageError> {
        let connection = &host.connection;
        let trust = Trust {
            anybody: connection.skip_verify || self.insecure.contains(&host.name),
            direct: is_loopback(&host.name),
            ca_files: connection.ca_files.clone(),
            identities: connection.client.clone(),
        };
        let unusable = |detail| ImageError::Unreachable {
            host: host.name.clone(),
            detail,
        };
        let client = self.clients.get(&trust).map_err(unusable)?;
        let mut url = start.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut builder = match &request.method {
                Method::Get => client.get(url.clone()),
                Method::Head => client.head(url.clone()),
                Method::Post(form) => client
                    .post(url.clone())
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.expose().to_owned()),
            };
            builder = builder.header(header::ACCEPT, request.accept);
            if url.origin() == start.origin() {
                // What the configuration adds is for the host itself, not for its token server.
                if matches!(request.target, Target::Path(_)) {
                    let own = request.authorization.is_some();
                    let added = connection.headers.iter();
                    for (name, value) in
                        added.filter(|(name, _)| !own || name != header::AUTHORIZATION)
                    {
                        builder = builder.header(name.clone(), value.clone());
                    }
                }
                if let Some(authorization) = &request.authorization {
                    builder = builder.header(header::AUTHORIZATION, authorization.clone());
                }
            }
            let asked = Instant::now();
            let response = builder
                .send()
                .await
                .map_err(|error| unreachable(url.authority(), &error))?;
            let status = response.status();
            if matches!(request.target, Target::Path(_))
                && url == start
                && status != StatusCode::BAD_REQUEST
            {
                host.learn_scheme(&url);
            }
            let shown = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
            let method = request.method.as_str();
            tracing::debug!(%status, ms = asked.elapsed().as_millis(), "{method} {shown}");
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|l| l.to_str().ok());
            let target = match (status.is_redirection(), location) {
                (true, Some(location)) => url.join(location).ok(),
                _ => None,
            };
            let Some(target) = target else {
                return whole(host, response, request, (&start, url)).await;
            };
            if matches!(request.method, Method::Post(_)) {
                return Err(ImageError::NotARegistry {
                    host: host.name.clone(),
                    detail: "its token server redirects, and a refresh token is not sent on"
                        .to_owned(),
                });
            }
            let downgrade = target.scheme() != "https" && start.scheme() == "https";
            if downgrade || !matches!(target.scheme(), "https" | "http") {
                return Err(ImageError::NotARegistry {
                    host: host.name.clone(),
                    detail: "it redirects from https to something else".to_owned(),
                });
            }
            url = target;
        }
        Err(ImageError::NotARegistry {
            host: host.name.clone(),
            detail: format!("more than {MOST_REDIRECTS} redirects"),
        })
    }
}

/// Reads a body up to its limit. `from`: where the request went first, and where the answer comes from.
async fn whole(
    host: &Host,
    mut response: reqwest::Response,
    request: &Request<'_>,
    (start, end): (&Url, Url),
) -> Result<Answer, ImageError> {
    let too_large = || ImageError::TooLarge {
        host: host.name.clone(),
        what: request.what,
        limit: request.limit,
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(end.authority(), &error))?
    {
        if body.len() + chunk.len() > request.limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let elsewhere = (end.origin() != start.origin()).then_some(end);
    Ok(Answer {
        status,
        headers,
        body,
        authorized: request.authorization.is_some() && elsewhere.is_none(),
        elsewhere,
    })
}

/// `host`: who did not answer, which may be a token server, or where a redirect led to.
fn unreachable(host: &str, error: &reqwest::Error) -> ImageError {
    ImageError::Unreachable {
        host: host.to_owned(),
        detail: innermost(error),
    }
}

/// The cause at the bottom: "Connection refused" says more than "error sending request". Two levels, as TLS errors need.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        last = cause.to_string();
        source = cause.source();
    }
    short(&crate::tls_words::plain(&last))
}

/// A registry's own words: one line, without control characters, of bounded length.
pub(super) fn short(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(LONGEST_DETAIL) {
        Some((at, _)) => format!("{}…", &flat[..at]),
        None => flat,
    }
}

/// `Authorization: Basic …`, marked as sensitive so that no log shows it.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Hosts are shared between requests.
pub(super) type SharedHost = Arc<Host>;
