//! What is known of each registry host during a run: scheme, challenge, how many requests at a time, whether it is dead.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};

use super::auth::Challenge;
use super::mirrors::Connection;
use crate::image::ImageError;

/// Requests at a time: Docker Hub counts strictly (registry.md §2.6).
const DOCKER_HUB_LIMIT: usize = 4;
/// Requests at a time to any other host.
const HOST_LIMIT: usize = 8;
/// After so many failures to connect in a row, the rest of a host's images are reported at once.
const FAILURES_TO_GIVE_UP: u32 = 3;

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
    pub(super) limit: Arc<Semaphore>,
    /// The scheme that worked.
    pub(super) scheme: OnceCell<Scheme>,
    /// The challenge that it answers with; learnt by the first request, which the others wait for.
    pub(super) challenge: Mutex<Option<Challenge>>,
    pub(super) first_contact: OnceCell<()>,
    failures: AtomicU32,
    last_failure: Mutex<Option<ImageError>>,
}

impl Host {
    fn new(name: &str, connection: &Connection, limit: Arc<Semaphore>) -> Self {
        Self {
            name: name.to_owned(),
            connection: connection.clone(),
            limit,
            scheme: OnceCell::new(),
            challenge: Mutex::new(None),
            first_contact: OnceCell::new(),
            failures: AtomicU32::new(0),
            last_failure: Mutex::new(None),
        }
    }

    /// The failure that made us give up on this host, if we did.
    pub(super) fn given_up(&self) -> Option<ImageError> {
        if self.failures.load(Ordering::Relaxed) < FAILURES_TO_GIVE_UP {
            return None;
        }
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts a failure to connect or to answer in time.
    pub(super) fn failed(&self, error: &ImageError) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut last = self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(error.clone());
    }

    /// Forgets failures: the host answered.
    pub(super) fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
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

/// The ways in which a host is spoken to (one, unless mirrors are configured so), and the limit that they share.
#[derive(Debug)]
struct Ways {
    limit: Arc<Semaphore>,
    hosts: HashMap<Connection, Arc<Host>>,
}

impl Hosts {
    pub(super) fn get(&self, name: &str, connection: &Connection) -> Arc<Host> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = hosts.entry(name.to_owned()).or_insert_with(|| {
            let limit = match name {
                "registry-1.docker.io" => DOCKER_HUB_LIMIT,
                _ => HOST_LIMIT,
            };
            Ways {
                limit: Arc::new(Semaphore::new(limit)),
                hosts: HashMap::new(),
            }
        });
        let Ways { limit, hosts } = ways;
        let host = hosts
            .entry(connection.clone())
            .or_insert_with(|| Arc::new(Host::new(name, connection, Arc::clone(limit))));
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
