//! Answers challenges: Bearer tokens and Basic (distribution `docs/content/spec/auth/token.md`, registry.md §2.4).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Url;
use serde::Deserialize;

use super::credentials::{Credential, Login, Secret};
use super::host::Host;
use super::http::{Http, Method, Request, Target, sensitive, short};
use crate::image::ImageError;

/// A token answer larger than this is none.
const LARGEST_TOKEN: usize = 64 * 1024;
/// Tokens live at least this long, whatever they say.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// A token is not used in its last seconds.
const RESERVE: Duration = Duration::from_secs(5);

/// How a registry wants to be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// Reads the `WWW-Authenticate` headers; Bearer is preferred when both are offered, in one line or in two.
pub(super) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let mut basic = None;
    for line in headers.get_all(header::WWW_AUTHENTICATE) {
        let Ok(line) = line.to_str() else { continue };
        for offered in http_auth::parse_challenges(line.trim()).unwrap_or_default() {
            let parameter = |name: &str| {
                let found = offered
                    .params
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name));
                found
                    .map(|(_, value)| value.to_unescaped())
                    .filter(|value| !value.is_empty())
            };
            if offered.scheme.eq_ignore_ascii_case("bearer") {
                if let Some(realm) = parameter("realm") {
                    let (service, scope) = (parameter("service"), parameter("scope"));
                    return Some(Challenge::Bearer {
                        realm,
                        service,
                        scope,
                    });
                }
            } else if offered.scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            }
        }
    }
    basic
}

/// A token and when it ends.
#[derive(Debug, Clone)]
struct Token {
    text: Secret,
    ends: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
}

/// One token for each registry, repository and credential.
type TokenKey = (String, String, Option<Credential>);
type TokenSlot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// What a token is to allow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Pulling from this repository.
    Pull(&'a str),
    /// What the challenge for this path asks for.
    AsChallenged(&'a str),
}

/// Tokens of a run; each is asked for once, however many requests wait for it.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<TokenKey, TokenSlot>>);

impl Tokens {
    /// The `Authorization` header that answers a challenge; `None` where there is nothing to answer with.
    /// `refused`: the header that has just been refused, which is then not used again.
    pub(super) async fn authorization(
        &self,
        http: &Http,
        host: &Host,
        wanted: Scope<'_>,
        challenge: &Challenge,
        credential: Option<&Credential>,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, ImageError> {
        let Challenge::Bearer {
            realm,
            service,
            scope,
        } = challenge
        else {
            return Ok(credential.and_then(basic));
        };
        let (Scope::Pull(place) | Scope::AsChallenged(place)) = wanted;
        let key = (host.name.clone(), place.to_owned(), credential.cloned());
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(key).or_default())
        };
        let mut token = slot.lock().await;
        let header = |token: &Token| sensitive(&format!("Bearer {}", token.text.expose()));
        if let Some(token) = token.as_ref()
            && token.ends > Instant::now()
            && header(token).as_ref() != refused
        {
            return Ok(header(token));
        }
        let url = token_url(
            http,
            host,
            realm,
            service.as_deref(),
            scope.as_deref(),
            wanted,
        )?;
        let fresh = fetch(http, host, url, credential).await?;
        let value = header(&fresh);
        *token = Some(fresh);
        Ok(value)
    }
}

/// `Authorization: Basic` of a user name and password; a refresh token has neither.
fn basic(credential: &Credential) -> Option<HeaderValue> {
    let Login::Password { username, password } = &credential.login else {
        return None;
    };
    let pair = format!("{username}:{}", password.expose());
    sensitive(&format!("Basic {}", STANDARD.encode(pair)))
}

/// The URL to ask for a token, after checking that a password may be sent there.
fn token_url(
    http: &Http,
    host: &Host,
    realm: &str,
    service: Option<&str>,
    scope: Option<&str>,
    wanted: Scope<'_>,
) -> Result<Url, ImageError> {
    let plain = http.speaks_plain_http(host);
    let scheme = if plain { "http" } else { "https" };
    let refuse = |detail: &str| ImageError::NotARegistry {
        host: host.name.clone(),
        detail: format!("its token server {} {detail}", short(realm)),
    };
    // Some registries give a path on themselves.
    let mut url = Url::parse(&format!("{scheme}://{}/", host.name))
        .and_then(|base| base.join(realm))
        .map_err(|_| refuse("is no URL"))?;
    if url.scheme() != "https" && !(plain && url.scheme() == "http") {
        return Err(refuse("is not https"));
    }
    let same_host = url.host_str() == super::host::without_port(&host.name).into();
    if !same_host && !plain && is_internal(&url) {
        return Err(refuse("is an internal address"));
    }
    // The scope of a challenge is for the repository it was given for; only one of another shape (ECR Public's `aws`)
    // is for all.
    let scope = match wanted {
        Scope::Pull(repository) => {
            let shared = scope.filter(|scope| !scope.starts_with("repository:"));
            Some(shared.map_or_else(|| format!("repository:{repository}:pull"), str::to_owned))
        }
        Scope::AsChallenged(_) => scope.map(str::to_owned),
    };
    let mut query = url.query_pairs_mut();
    if let Some(service) = service {
        query.append_pair("service", service);
    }
    if let Some(scope) = scope {
        query.append_pair("scope", &scope);
    }
    drop(query);
    Ok(url)
}

/// An address literal that a public registry has no business to send a password to.
fn is_internal(url: &Url) -> bool {
    let ip = url
        .host_str()
        .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    ip.is_some_and(|ip| match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    })
}

/// A refresh token is exchanged by POST (distribution `docs/content/spec/auth/oauth.md`; what ACR's login leaves): what
/// a GET asks for in its query goes into the form.
fn refresh_form(url: &mut Url, token: &Secret) -> Secret {
    let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    let mut form = Url::clone(url);
    form.query_pairs_mut()
        .extend_pairs(asked)
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", "kubectl-archcheck")
        .append_pair("refresh_token", token.expose());
    Secret::new(form.query().unwrap_or_default())
}

async fn fetch(
    http: &Http,
    host: &Host,
    url: Url,
    credential: Option<&Credential>,
) -> Result<Token, ImageError> {
    let asked = Instant::now();
    let server = url.authority().to_owned();
    let refresh = credential.and_then(|credential| match &credential.login {
        Login::Identity(token) => Some(token),
        Login::Password { .. } => None,
    });
    let mut url = url;
    let method = match refresh {
        Some(token) => Method::Post(refresh_form(&mut url, token)),
        None => Method::Get,
    };
    let request = Request {
        target: Target::Url(url),
        accept: "application/json",
        authorization: credential.and_then(basic),
        method,
        what: "a token",
        limit: LARGEST_TOKEN,
    };
    let answer = http.send(host, &request).await?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => {
            return Err(ImageError::RateLimited {
                host: server,
                retry_after: None,
            });
        }
        status if status.is_client_error() => {
            return Err(ImageError::Denied {
                host: server,
                status: status.as_u16(),
                detail: "no token was given".to_owned(),
            });
        }
        status => {
            return Err(ImageError::Status {
                host: server,
                status: status.as_u16(),
                detail: "no token was given".to_owned(),
            });
        }
    }
    let not_a_token = |detail: &str| ImageError::NotARegistry {
        host: server.clone(),
        detail: detail.to_owned(),
    };
    let read: TokenAnswer = serde_json::from_slice(&answer.body)
        .map_err(|_| not_a_token("the token server's answer is no token"))?;
    // Where both are given and differ, containerd and most clients take access_token.
    let text = read
        .access_token
        .filter(|text| !text.is_empty())
        .or(read.token);
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| not_a_token("the token server's answer holds no token"))?;
    let seconds = read
        .expires_in
        .filter(|s| s.is_finite() && *s > 0.0)
        .unwrap_or(60.0)
        .min(86_400.0);
    let life = Duration::from_secs_f64(seconds).max(SHORTEST_LIFE);
    Ok(Token {
        text: Secret::new(text),
        ends: asked + life - RESERVE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_str(line).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn challenges_are_read_whatever_their_form() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
                scope: scope.map(str::to_owned),
            })
        };
        for (lines, read) in [
            (vec![r#"Basic realm="x""#], Some(Challenge::Basic)),
            (vec!["Basic"], Some(Challenge::Basic)),
            (
                vec![r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull""#],
                bearer("https://a/t", Some("s"), Some("repository:x:pull")),
            ),
            (
                vec![r#"bearer REALM="https://a/t""#],
                bearer("https://a/t", None, None),
            ),
            // Forgejo sends both in one line; others in two.
            (
                vec![r#"Bearer realm="https://a/t",service="s",scope="*",Basic realm="x""#],
                bearer("https://a/t", Some("s"), Some("*")),
            ),
            (
                vec![r#"Basic realm="x""#, r#"Bearer realm="https://a/t""#],
                bearer("https://a/t", None, None),
            ),
            (
                vec!["Negotiate", r#"Basic realm="x""#],
                Some(Challenge::Basic),
            ),
            (vec!["Bearer"], None),
            (vec!["\"nonsense"], None),
            (vec![], None),
        ] {
            assert_eq!(challenge(&headers(&lines)), read, "{lines:?}");
        }
    }

    #[test]
    fn challenges_are_read_as_other_clients_read_them() {
        let text = include_str!("../../tests/conformance/data/www_authenticate.json");
        let cases: serde_json::Value = serde_json::from_str(text).unwrap();
        let cases = cases["vectors"].as_array().unwrap();
        let mut malformed = 0;
        for case in cases {
            let lines: Vec<&str> = case["header"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line.as_str().unwrap())
                .collect();
            // What we answer to: Bearer before Basic, and nothing else.
            let offered = case["expect"].as_array().into_iter().flatten();
            let mut expected = None;
            for offer in offered {
                let parameter = |name: &str| {
                    let value = offer["params"][name].as_str();
                    value.filter(|value| !value.is_empty()).map(str::to_owned)
                };
                match (offer["scheme"].as_str().unwrap(), parameter("realm")) {
                    ("bearer", Some(realm)) => {
                        let (service, scope) = (parameter("service"), parameter("scope"));
                        expected = Some(Challenge::Bearer {
                            realm,
                            service,
                            scope,
                        });
                        break;
                    }
                    ("basic", _) => expected = Some(Challenge::Basic),
                    _ => {}
                }
            }
            let read = challenge(&headers(&lines));
            if case["malformed"] == true {
                // Readers differ: it may be refused, but never read as something else.
                malformed += 1;
                assert!(read.is_none() || read == expected, "{case}: {read:?}");
            } else {
                assert_eq!(read, expected, "{case}");
            }
        }
        assert_eq!((cases.len(), malformed), (33, 6));
    }

    #[test]
    fn passwords_are_not_sent_to_internal_addresses() {
        for (url, internal) in [
            ("https://10.0.0.1/token", true),
            ("https://169.254.169.254/token", true),
            ("https://[::1]/token", true),
            ("https://auth.docker.io/token", false),
            ("https://93.184.216.34/token", false),
        ] {
            assert_eq!(is_internal(&Url::parse(url).unwrap()), internal, "{url}");
        }
    }
}
