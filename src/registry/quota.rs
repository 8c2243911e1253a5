//! What a registry allows in all: Docker Hub's count of pulls, which it tells with every answer (docker/docs
//! `content/manuals/docker-hub/usage/pulls.md`), and what a 429 means.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::credentials::Credential;
use super::refusal::Errors;
use super::retry::retry_after;
use crate::image::Limit;

/// How many pulls are left untouched: the last one would make the next pull of a node fail.
const LEFT_ALONE: u64 = 1;

/// Pulls that are allowed, and how many of them are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub(super) limit: Option<u64>,
    pub(super) remaining: u64,
    /// In how many seconds.
    pub(super) window: Option<u64>,
}

impl Quota {
    /// Reads `ratelimit-limit: 100;w=21600` and `ratelimit-remaining`. Without them nothing is counted: the account has no
    /// limit, or the image is exempt.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let remaining = text("ratelimit-remaining")?;
        let limit = text("ratelimit-limit").unwrap_or_default();
        Some(Self {
            limit: first_number(limit),
            remaining: first_number(remaining)?,
            window: window(limit).or_else(|| window(remaining)),
        })
    }
}

/// The number that a list of items with parameters begins with.
fn first_number(text: &str) -> Option<u64> {
    let item = text.split([',', ';']).next()?;
    item.trim().parse().ok()
}

/// The `w` parameter, in seconds, of the first item that has one.
fn window(text: &str) -> Option<u64> {
    let parameters = text.split([',', ';']).map(str::trim);
    parameters
        .filter_map(|parameter| parameter.strip_prefix("w="))
        .find_map(|seconds| seconds.trim().parse().ok())
}

/// What a 429 is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TooMany {
    /// The pulls are used up: asking again within the run is of no use.
    Pulls,
    /// Too many requests at a time; it may say when to ask again.
    Rate(Option<Duration>),
}

/// Reads a 429.
pub(super) fn too_many(headers: &HeaderMap, body: &[u8], now: SystemTime) -> TooMany {
    let used_up = Quota::read(headers).is_some_and(|quota| quota.remaining == 0);
    if used_up || Errors::read(body).mentions("pull rate limit") {
        TooMany::Pulls
    } else {
        TooMany::Rate(retry_after(headers, now))
    }
}

/// The pulls of one host, by who pulls: an account has its own, and all who are nobody share those of the address.
#[derive(Debug, Default)]
pub(super) struct Quotas(Mutex<HashMap<Option<Credential>, Count>>);

#[derive(Debug, Default)]
struct Count {
    told: Option<Quota>,
    /// Pulls that have been begun, and that no answer has counted yet.
    begun: u64,
}

/// A pull that has begun. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Pull<'a> {
    quotas: &'a Quotas,
    who: Option<&'a Credential>,
}

impl Quotas {
    /// Begins a pull, unless too few are left.
    pub(super) fn begin<'a>(&'a self, who: Option<&'a Credential>) -> Result<Pull<'a>, Limit> {
        self.change(who, |count| {
            if let Some(quota) = count.told
                && quota.remaining.saturating_sub(count.begun) <= LEFT_ALONE
            {
                return Err(Limit::Pulls {
                    limit: quota.limit,
                    window: quota.window,
                });
            }
            count.begun += 1;
            Ok(Pull { quotas: self, who })
        })
    }

    /// Takes what an answer says. Answers overtake each other, so that the lowest number counts.
    pub(super) fn note(&self, who: Option<&Credential>, quota: Quota) {
        self.change(who, |count| {
            let known = count.told.map_or(u64::MAX, |told| told.remaining);
            count.told = Some(Quota {
                remaining: quota.remaining.min(known),
                ..quota
            });
        });
    }

    /// Takes that none is left.
    pub(super) fn used_up(&self, who: Option<&Credential>) {
        self.change(who, |count| {
            let told = count.told.get_or_insert(Quota {
                limit: None,
                remaining: 0,
                window: None,
            });
            told.remaining = 0;
        });
    }

    /// Whether this host counts pulls at all, as far as is known.
    pub(super) fn any(&self) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().any(|count| count.told.is_some())
    }

    fn change<T>(&self, who: Option<&Credential>, change: impl FnOnce(&mut Count) -> T) -> T {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(counts.entry(who.cloned()).or_default())
    }
}

impl Drop for Pull<'_> {
    fn drop(&mut self) {
        self.quotas.change(self.who, |count| {
            count.begun = count.begun.saturating_sub(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn headers(given: &Value) -> HeaderMap {
        let given = given.as_object().unwrap();
        given
            .iter()
            .map(|(name, value)| {
                let name: http::HeaderName = name.parse().unwrap();
                (name, value.as_str().unwrap().parse().unwrap())
            })
            .collect()
    }

    /// The cases of this kind, which are so many.
    fn cases(kind: &str, count: usize) -> Vec<Value> {
        let text = include_str!("../../tests/conformance/data/http_headers.json");
        let all: Value = serde_json::from_str(text).unwrap();
        let all = all["vectors"].as_array().unwrap().iter();
        let cases: Vec<Value> = all.filter(|case| case["kind"] == kind).cloned().collect();
        assert_eq!(cases.len(), count, "{kind}");
        cases
    }

    #[test]
    fn limits_are_read_as_docker_hub_writes_them() {
        for case in cases("ratelimit", 5) {
            let (expect, read) = (&case["expect"], Quota::read(&headers(&case["input"])));
            let Some(read) = read else {
                assert!(expect["limit"].is_null(), "{case}");
                continue;
            };
            assert_eq!(read.limit, expect["limit"].as_u64(), "{case}");
            assert_eq!(Some(read.remaining), expect["remaining"].as_u64(), "{case}");
            assert_eq!(read.window, expect["window_s"].as_u64(), "{case}");
        }
    }

    #[test]
    fn a_used_up_quota_is_told_from_a_rate() {
        for case in cases("429 and friends", 3) {
            let (input, expect) = (&case["input"], &case["expect"]);
            let body = input["body"].as_str().unwrap().as_bytes();
            let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:27:30 GMT").unwrap();
            let expected = match expect["reason"].as_str() {
                Some(reason) if reason.contains("quota") => TooMany::Pulls,
                Some(_) => TooMany::Rate(None),
                // The date is half a minute away.
                None => TooMany::Rate(Some(Duration::from_secs(30))),
            };
            assert_eq!(
                too_many(&headers(&input["headers"]), body, now),
                expected,
                "{case}"
            );
        }
        let empty: HeaderMap = headers(&serde_json::json!({"ratelimit-remaining": "0;w=21600"}));
        assert_eq!(too_many(&empty, b"", SystemTime::now()), TooMany::Pulls);
    }

    #[test]
    fn pulls_stop_before_the_last_one() {
        let quotas = Quotas::default();
        let quota = |remaining| Quota {
            limit: Some(100),
            remaining,
            window: Some(21_600),
        };
        // Until a number is known, nothing is held back.
        drop(quotas.begin(None).unwrap());
        quotas.note(None, quota(3));
        let first = quotas.begin(None).unwrap();
        let second = quotas.begin(None).unwrap();
        assert!(quotas.begin(None).is_err(), "two of three are on their way");
        // The answer to the first has counted it.
        quotas.note(None, quota(2));
        drop(first);
        assert!(quotas.begin(None).is_err());
        // An older answer that comes late changes nothing.
        quotas.note(None, quota(9));
        drop(second);
        drop(quotas.begin(None).unwrap());
        quotas.used_up(None);
        let limit = quotas.begin(None).unwrap_err();
        let window = Some(21_600);
        assert_eq!(
            limit,
            Limit::Pulls {
                limit: Some(100),
                window
            }
        );
    }
}
