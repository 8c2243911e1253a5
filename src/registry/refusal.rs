//! What a registry means by an answer other than "here it is".

use std::time::SystemTime;

use serde::Deserialize;

use super::http::{Answer, retry_after, short};
use crate::image::ImageError;

/// What a status other than 200 means. A 404 is "not found" only where the registry says that the repository is
/// there and the tag is not: private repositories hide (DESIGN §3 `image-not-found`).
pub(super) fn refusal(host: &str, repository: &str, answer: &Answer, what: &str) -> ImageError {
    let host = host.to_owned();
    let errors = Errors::read(&answer.body);
    let status = answer.status.as_u16();
    match status {
        404 if errors.has("MANIFEST_UNKNOWN") => ImageError::NotFound {
            host,
            repository: repository.to_owned(),
            reference: what.to_owned(),
        },
        401 | 403 | 404 => ImageError::Denied {
            host,
            status,
            detail: errors.detail(),
        },
        429 => ImageError::RateLimited {
            host,
            retry_after: retry_after(&answer.headers, SystemTime::now()).map(|d| d.as_secs()),
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
struct Errors {
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
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
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
