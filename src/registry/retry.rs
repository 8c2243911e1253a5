//! When a request that failed is sent again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};

/// How often a request is sent again after a failure that may pass (registry.md §2.6).
pub(super) const RETRIES: u32 = 3;
/// The longest wait that a host may ask for; what it asks beyond that is given up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Waits of our own begin here, and double.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// And end here.
const LONGEST_OWN_WAIT: Duration = Duration::from_secs(20);

/// Whether a status may pass: a timeout, too many requests, or the server's own trouble. What it does not implement it
/// will not learn.
pub(super) fn may_pass(status: StatusCode) -> bool {
    status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// Full jitter: anything up to a longest wait that doubles. Clients that failed together must not come back together.
pub(super) fn backoff(attempt: u32) -> Duration {
    longest_wait(attempt).mul_f64(random())
}

fn longest_wait(attempt: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempt.min(16));
    doubled.min(LONGEST_OWN_WAIT)
}

/// From 0 to 1. The standard library's hasher has random keys, and this needs no better.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

/// `Retry-After` in seconds or as a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_twenty_seconds_with_full_jitter() {
        let longest: Vec<u128> = (0..8).map(|n| longest_wait(n).as_millis()).collect();
        assert_eq!(
            longest,
            [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]
        );
        assert_eq!(longest_wait(u32::MAX), LONGEST_OWN_WAIT);
        let waits: Vec<Duration> = (0..100).map(|_| backoff(1)).collect();
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(500)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(500)));
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2026 07:29:00 GMT", Some(60)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", Some(0)),
            ("Wednesday, 21-Oct-26 07:28:10 GMT", Some(10)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            let read = retry_after(&headers, now);
            assert_eq!(read.map(|wait| wait.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn only_what_may_pass_is_sent_again() {
        for (status, again) in [
            (408, true),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
            (504, true),
            (501, false),
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (200, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(may_pass(status), again, "{status}");
        }
    }
}
