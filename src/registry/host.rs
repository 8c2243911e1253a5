//! What is known of each registry host during a run: scheme, challenge, pace, and the pulls that it allows.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::auth::Challenge;
use super::mirrors::Connection;
use super::pace::Pace;
use super::quota::Quotas;

/// Docker Hub, as it is asked.
const DOCKER_HUB: &str = "registry-1.docker.io";
/// Requests at a time: Docker Hub counts strictly (registry.md §2.6).
const DOCKER_HUB_LIMIT: usize = 4;
/// Requests at a time to any other host.
const HOST_LIMIT: usize = 8;

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
}

impl Scheme {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// One registry host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    /// How its configuration wants it to be spoken to.
    pub(super) connection: Connection,
    /// Shared by all ways of speaking to it.
    pub(super) pace: Arc<Pace>,
    /// The scheme that worked.
    pub(super) scheme: OnceCell<Scheme>,
    /// The challenge that it answers with; learnt by the first request, which the others wait for.
    pub(super) challenge: Mutex<Option<Challenge>>,
    pub(super) first_contact: OnceCell<()>,
    /// The pulls that it allows; shared like the pace.
    pub(super) quotas: Arc<Quotas>,
}

impl Host {
    fn new(name: &str, connection: &Connection, pace: &Arc<Pace>, quotas: &Arc<Quotas>) -> Self {
        Self {
            name: name.to_owned(),
            connection: connection.clone(),
            pace: Arc::clone(pace),
            scheme: OnceCell::new(),
            challenge: Mutex::new(None),
            first_contact: OnceCell::new(),
            quotas: Arc::clone(quotas),
        }
    }

    /// Whether it counts pulls (GETs of manifests), so that a HEAD, which it does not count, goes first.
    pub(super) fn counts_pulls(&self) -> bool {
        self.name == DOCKER_HUB || self.quotas.any()
    }

    /// Takes the scheme of a URL that a redirect led to.
    pub(super) fn learn_scheme(&self, url: &reqwest::Url) {
        let scheme = if url.scheme() == "http" {
            Scheme::Http
        } else {
            Scheme::Https
        };
        // One that has worked before stays.
        let _ = self.scheme.set(scheme);
    }

    pub(super) fn known_challenge(&self) -> Option<Challenge> {
        self.challenge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn learn_challenge(&self, challenge: Challenge) {
        *self
            .challenge
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }
}

/// All hosts of a run.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Ways>>);

/// The ways in which a host is spoken to (one, unless mirrors are configured so), and the limits that they share.
#[derive(Debug)]
struct Ways {
    pace: Arc<Pace>,
    quotas: Arc<Quotas>,
    hosts: HashMap<Connection, Arc<Host>>,
}

impl Hosts {
    pub(super) fn get(&self, name: &str, connection: &Connection) -> Arc<Host> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = hosts.entry(name.to_owned()).or_insert_with(|| {
            let limit = match name {
                DOCKER_HUB => DOCKER_HUB_LIMIT,
                _ => HOST_LIMIT,
            };
            Ways {
                pace: Arc::new(Pace::new(name, limit)),
                quotas: Arc::default(),
                hosts: HashMap::new(),
            }
        });
        let Ways {
            pace,
            quotas,
            hosts,
        } = ways;
        let host = hosts
            .entry(connection.clone())
            .or_insert_with(|| Arc::new(Host::new(name, connection, pace, quotas)));
        Arc::clone(host)
    }
}

/// A loopback host: Docker and containerd speak plain http to it where https fails.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = without_port(host);
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// `host` of `host:port` and `[::1]:port`.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_are_known() {
        for (host, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("registry.localhost", true),
            ("10.0.0.1:5000", false),
            ("localhost.example.com", false),
            ("registry-1.docker.io", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
