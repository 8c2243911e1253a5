//! How fast a host is asked: so many requests at a time, fewer when it says that they are too many, none while it wants to
//! be left alone, and none any more once it is dead.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::quota::{TooMany, too_many};
use super::retry::{LONGEST_WAIT, RETRIES, backoff, may_pass, retry_after};
use crate::image::{ImageError, Limit};

/// Requests that fail to connect before a host counts as dead.
const FAILURES: u32 = 3;
/// Requests that end in a 429 each time they are sent, one after the other, before the host is left alone.
const REFUSALS: u32 = 3;
/// The same for the server's own trouble, which may be one repository's alone.
const TROUBLES: u32 = 10;

/// The pace of one host.
#[derive(Debug)]
pub(super) struct Pace {
    name: String,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    /// How many may be, at best.
    usual: usize,
    /// How many may be now: halved when it was too much, and grown again by what goes well.
    allowed: f64,
    slowed_at: Option<Instant>,
    paused_until: Option<Instant>,
    /// It has answered at least once.
    alive: bool,
    failures: u32,
    failed_at: Option<Instant>,
    refusals: u32,
    troubles: u32,
    given_up: Option<ImageError>,
}

/// A request that may be sent. The next one may be when this is dropped.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pace: &'a Pace,
    begun: Instant,
}

/// What came of a request, as far as the pace goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome<'a> {
    /// Some answer.
    Answered {
        status: StatusCode,
        headers: &'a HeaderMap,
        body: &'a [u8],
    },
    /// No connection, or one that broke.
    Failed(&'a ImageError),
    /// No answer in time.
    TimedOut(&'a ImageError),
}

impl Pace {
    /// The pace of a host that may be asked so many things at a time.
    pub(super) fn new(name: &str, usual: usize) -> Self {
        let state = State {
            in_flight: 0,
            usual,
            allowed: usual as f64,
            slowed_at: None,
            paused_until: None,
            alive: false,
            failures: 0,
            failed_at: None,
            refusals: 0,
            troubles: 0,
            given_up: None,
        };
        Self {
            name: name.to_owned(),
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// What made us give up on this host, if we have.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, ImageError> {
        loop {
            let changed = self.changed.notified();
            let wake_at = {
                let mut state = self.state();
                if let Some(error) = &state.given_up {
                    return Err(error.clone());
                }
                let now = Instant::now();
                match state.paused_until.filter(|until| *until > now) {
                    Some(until) => Some(until),
                    None if (state.in_flight as f64) < state.allowed.max(1.0).floor() => {
                        state.in_flight += 1;
                        return Ok(Slot {
                            pace: self,
                            begun: now,
                        });
                    }
                    None => None,
                }
            };
            match wake_at {
                None => changed.await,
                Some(at) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait.
    fn changed(&self) {
        self.changed.notify_waiters();
    }
}

impl Slot<'_> {
    /// Frees the slot, takes note of what came of the request, and says whether to send it again, and after which time.
    /// `attempt`: how often it has been sent before.
    pub(super) fn done(self, outcome: Outcome<'_>, attempt: u32) -> Option<Duration> {
        let again = self.note(outcome, attempt);
        self.pace.changed();
        again.filter(|_| attempt < RETRIES && self.pace.state().given_up.is_none())
    }

    fn note(&self, outcome: Outcome<'_>, attempt: u32) -> Option<Duration> {
        let mut state = self.pace.state();
        let last = attempt >= RETRIES;
        match outcome {
            Outcome::Failed(error) => {
                state.failed(error, self.begun);
                Some(backoff(attempt))
            }
            // Waiting for it again would take as long again.
            Outcome::TimedOut(error) => {
                state.failed(error, self.begun);
                None
            }
            Outcome::Answered {
                status,
                headers,
                body,
            } => {
                state.alive = true;
                state.failures = 0;
                if !may_pass(status) {
                    state.went_well();
                    return None;
                }
                let wait = match status {
                    StatusCode::TOO_MANY_REQUESTS => {
                        match too_many(headers, body, SystemTime::now()) {
                            // That is no matter of pace.
                            TooMany::Pulls => return None,
                            TooMany::Rate(wait) => wait,
                        }
                    }
                    StatusCode::SERVICE_UNAVAILABLE => retry_after(headers, SystemTime::now()),
                    _ => {
                        state.troubles += u32::from(last);
                        if state.troubles >= TROUBLES {
                            state.given_up.get_or_insert(ImageError::Status {
                                host: self.pace.name.clone(),
                                status: status.as_u16(),
                                detail: String::new(),
                            });
                        }
                        return Some(backoff(attempt));
                    }
                };
                state.slow_down(self.begun);
                state.refusals += u32::from(last);
                if wait.is_some_and(|wait| wait > LONGEST_WAIT) || state.refusals >= REFUSALS {
                    state.given_up.get_or_insert(ImageError::OverLimit {
                        host: self.pace.name.clone(),
                        limit: Limit::Rate {
                            retry_after: wait.map(|wait| wait.as_secs()),
                        },
                    });
                    return None;
                }
                if let Some(wait) = wait {
                    let until = Instant::now() + wait;
                    state.paused_until = state.paused_until.max(Some(until));
                }
                // All who wait for a host come back a little apart.
                Some(wait.unwrap_or_default() + backoff(attempt))
            }
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.pace.state().in_flight -= 1;
        self.pace.changed();
    }
}

impl State {
    /// Requests that are sent together fail together: that is one failure, once the host has been seen to live.
    fn failed(&mut self, error: &ImageError, begun: Instant) {
        let news = self.failed_at.is_none_or(|at| begun >= at);
        if !self.alive || news {
            self.failures += 1;
            self.failed_at = Some(Instant::now());
        }
        if self.failures >= FAILURES {
            self.given_up.get_or_insert_with(|| error.clone());
        }
    }

    /// Requests that are sent together are refused together, which halves once.
    fn slow_down(&mut self, begun: Instant) {
        if self.slowed_at.is_none_or(|at| begun >= at) {
            self.allowed = (self.allowed / 2.0).max(1.0);
            self.slowed_at = Some(Instant::now());
        }
    }

    /// One more at a time for each round that went well.
    fn went_well(&mut self) {
        self.refusals = 0;
        self.troubles = 0;
        self.allowed = (self.allowed + 1.0 / self.allowed).min(self.usual as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &HeaderMap) -> Outcome<'_> {
        Outcome::Answered {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: b"",
        }
    }

    fn wait(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", text.parse().unwrap());
        headers
    }

    fn unreachable() -> ImageError {
        ImageError::Unreachable {
            host: "dead".to_owned(),
            detail: "refused".to_owned(),
        }
    }

    /// Takes all slots that are free.
    async fn all(pace: &Pace) -> Vec<Slot<'_>> {
        let mut slots = Vec::new();
        while let Ok(slot) = tokio::time::timeout(Duration::from_millis(1), pace.slot()).await {
            slots.push(slot.unwrap());
        }
        slots
    }

    #[tokio::test]
    async fn a_host_that_says_too_many_is_asked_half_as_much_and_then_more_again() {
        let (pace, none) = (Pace::new("h", 8), HeaderMap::new());
        let slots = all(&pace).await;
        assert_eq!(slots.len(), 8);
        for slot in slots {
            assert!(slot.done(answered(429, &none), 0).is_some());
        }
        // Eight refusals at once halve once.
        let slots = all(&pace).await;
        assert_eq!(slots.len(), 4);
        for slot in slots {
            slot.done(answered(503, &none), 0);
        }
        assert_eq!(all(&pace).await.len(), 2);
        for _ in 0..60 {
            let slot = pace.slot().await.unwrap();
            assert_eq!(slot.done(answered(200, &none), 0), None);
        }
        assert_eq!(all(&pace).await.len(), 8);
    }

    #[tokio::test]
    async fn the_whole_host_is_left_alone_for_as_long_as_it_asks() {
        let pace = Pace::new("h", 8);
        let headers = wait("1");
        let slot = pace.slot().await.unwrap();
        let again = slot.done(answered(429, &headers), 0).unwrap();
        assert!(again >= Duration::from_secs(1) && again < Duration::from_secs(2));
        let asked = Instant::now();
        let slot = pace.slot().await.unwrap();
        assert!(asked.elapsed() >= Duration::from_millis(990));
        // What is longer than a minute is not waited for, and nothing else is asked.
        let headers = wait("61");
        assert_eq!(slot.done(answered(429, &headers), 0), None);
        let error = pace.slot().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "h limits the rate of requests, and wants to be asked again in 61 s"
        );
    }

    #[tokio::test]
    async fn who_waits_is_told_when_the_host_is_given_up() {
        let pace = Pace::new("h", 1);
        let slot = pace.slot().await.unwrap();
        let waiting = pace.slot();
        let headers = wait("3600");
        let giving_up = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            slot.done(answered(429, &headers), 0);
        };
        let (told, ()) = tokio::join!(waiting, giving_up);
        assert!(matches!(told, Err(ImageError::OverLimit { .. })));
    }

    #[tokio::test]
    async fn three_failures_are_a_dead_host_but_a_broken_connection_is_one() {
        let error = unreachable();
        let dead = Pace::new("h", 8);
        for slot in all(&dead).await {
            slot.done(Outcome::Failed(&error), 0);
        }
        assert_eq!(dead.slot().await.unwrap_err(), error);

        let (alive, none) = (Pace::new("h", 8), HeaderMap::new());
        alive.slot().await.unwrap().done(answered(200, &none), 0);
        for round in 1..=3 {
            let slots = all(&alive).await;
            assert!(slots.len() == 8, "round {round}");
            for slot in slots {
                slot.done(Outcome::Failed(&error), 0);
            }
        }
        assert_eq!(alive.slot().await.unwrap_err(), error);
    }

    #[tokio::test]
    async fn requests_are_sent_again_three_times() {
        let (pace, none) = (Pace::new("h", 8), HeaderMap::new());
        for (status, attempt, again) in [
            (500, 0, true),
            (500, 2, true),
            (500, 3, false),
            (404, 0, false),
        ] {
            let slot = pace.slot().await.unwrap();
            let done = slot.done(answered(status, &none), attempt);
            assert_eq!(done.is_some(), again, "{status} {attempt}");
        }
        // A host that refuses everything, each time, is left alone.
        for _ in 0..3 {
            let slot = pace.slot().await.unwrap();
            slot.done(answered(429, &none), 3);
        }
        assert!(pace.slot().await.is_err());
    }

    #[tokio::test]
    async fn used_up_pulls_are_no_matter_of_pace() {
        let pace = Pace::new("h", 8);
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-remaining", "0;w=21600".parse().unwrap());
        for _ in 0..20 {
            let slot = pace.slot().await.unwrap();
            assert_eq!(slot.done(answered(429, &headers), 0), None);
        }
        assert_eq!(all(&pace).await.len(), 8);
    }
}
