//! What a registry means by an answer other than "here it is".

use std::time::SystemTime;

use serde::Deserialize;

use super::http::{Answer, short};
use super::quota::{Quota, TooMany, too_many};
use crate::image::{ImageError, Limit};

/// What a status other than 200 means. A 404 is "not found" only where the registry says that the manifest is not there,
/// and not the repository: private repositories hide (DESIGN §3 `image-not-found`).
pub(super) fn refusal(host: &str, repository: &str, answer: &Answer, what: &str) -> ImageError {
    let host = host.to_owned();
    let errors = Errors::read(&answer.body);
    let status = answer.status.as_u16();
    match status {
        404 if errors.has("MANIFEST_UNKNOWN") => ImageError::NotFound {
            host,
            repository: repository.to_owned(),
            reference: what.to_owned(),
            authorized: answer.authorized,
        },
        401 | 403 | 404 => ImageError::Denied {
            host,
            status,
            detail: errors.detail(),
        },
        429 => match too_many(&answer.headers, &answer.body, SystemTime::now()) {
            TooMany::Rate(wait) => ImageError::RateLimited {
                host,
                retry_after: wait.map(|wait| wait.as_secs()),
            },
            TooMany::Pulls => {
                let quota = Quota::read(&answer.headers);
                ImageError::OverLimit {
                    host,
                    limit: Limit::Pulls {
                        limit: quota.and_then(|quota| quota.limit),
                        window: quota.and_then(|quota| quota.window),
                    },
                }
            }
        },
        200..=299 => ImageError::NotARegistry {
            host,
            detail: format!("status {status}"),
        },
        _ => ImageError::Status {
            host,
            status,
            detail: errors.detail(),
        },
    }
}

/// distribution-spec's error document.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Errors {
    #[serde(default)]
    errors: Vec<RegistryError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RegistryError {
    #[serde(deserialize_with = "crate::model::null_as_default")]
    code: String,
    #[serde(deserialize_with = "crate::model::null_as_default")]
    message: String,
}

impl Errors {
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }

    /// Whether a message has these words.
    pub(super) fn mentions(&self, words: &str) -> bool {
        self.errors
            .iter()
            .any(|error| error.message.contains(words))
    }

    fn detail(&self) -> String {
        self.errors.first().map_or_else(String::new, |error| {
            let text = if error.message.is_empty() {
                &error.code
            } else {
                &error.message
            };
            short(text)
        })
    }
}
