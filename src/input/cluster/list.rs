//! Lists a kind page by page. Each page is reduced to what a scan needs before the next is asked for.

use std::time::Duration;

use http::{Request, StatusCode, header};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::input::kinds::{Kind, Shape};
use crate::input::objects::{Object, Reader};

/// How often a server that asks us to wait is asked again.
const RETRIES: u32 = 5;
/// Longer waits are not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a list holds.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) objects: Vec<Object>,
    /// Items that could not be read: name and reason.
    pub(super) broken: Vec<(String, String)>,
}

impl Listed {
    fn add(&mut self, item: &RawValue, kind: &Kind, reader: &Reader) {
        match reader.read_item(item, kind) {
            Ok(Some(object)) => self.objects.push(object),
            Ok(None) => {}
            Err(error) => self.broken.push((name_of(item), error.to_string())),
        }
    }
}

/// Why a kind could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListFailure {
    /// 403, in the server's words.
    #[error("{0}")]
    Forbidden(String),
    /// 401.
    #[error("{0}")]
    Unauthorized(String),
    /// 404: the cluster has no such API.
    #[error("there is no such API at this server")]
    Absent,
    /// No connection, or no answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// Any other refusal, or an answer that can't be read.
    #[error("{0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    metadata: NamedMetadata,
}

#[derive(Deserialize)]
struct NamedMetadata {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

/// Lists kinds of one cluster.
pub(super) struct Lister {
    client: Client,
    chunk_size: u32,
}

/// A page that came, or the sign that the snapshot behind the pages has expired.
enum Next {
    Page(Vec<u8>),
    Expired,
}

impl Lister {
    pub(super) fn new(client: Client, chunk_size: u32) -> Self {
        Self { client, chunk_size }
    }

    /// All objects of a kind.
    pub(super) async fn list(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        reader: &Reader,
    ) -> Result<Listed, ListFailure> {
        let path = kind.path(namespace);
        if kind.shape == Shape::Namespace && namespace.is_some() {
            return self.one(kind, &path, reader).await;
        }
        let add = |listed: &mut Listed, item: &RawValue| listed.add(item, kind, reader);
        self.all(&path, self.chunk_size, add).await
    }

    /// Everything that `add` makes of a list's items. When the snapshot behind the pages expires midway (410), everything
    /// is asked for again in one piece, as client-go's pager does.
    pub(super) async fn all<T: Default>(
        &self,
        path: &str,
        chunk_size: u32,
        add: impl Fn(&mut T, &RawValue),
    ) -> Result<T, ListFailure> {
        let mut all = T::default();
        let mut limit = chunk_size;
        let mut token = String::new();
        loop {
            let body = match self.page(path, limit, &token).await? {
                Next::Page(body) => body,
                Next::Expired if limit > 0 => {
                    all = T::default();
                    limit = 0;
                    token.clear();
                    continue;
                }
                Next::Expired => {
                    return Err(ListFailure::Refused("the list expired twice".to_owned()));
                }
            };
            let page: Page<'_> = serde_json::from_slice(&body).map_err(unreadable)?;
            for item in page.items.unwrap_or_default() {
                add(&mut all, item);
            }
            match page.metadata.next.filter(|next| !next.is_empty()) {
                Some(next) => token = next,
                None => return Ok(all),
            }
        }
    }

    /// A single object, which those may read who may not list its kind.
    async fn one(&self, kind: &Kind, path: &str, reader: &Reader) -> Result<Listed, ListFailure> {
        let body = self.get(path).await?;
        let item = serde_json::from_slice(&body).map_err(unreadable)?;
        let mut listed = Listed::default();
        listed.add(item, kind, reader);
        Ok(listed)
    }

    async fn page(&self, path: &str, limit: u32, token: &str) -> Result<Next, ListFailure> {
        let mut query = Vec::new();
        if limit > 0 {
            query.push(format!("limit={limit}"));
        }
        if !token.is_empty() {
            let escaped: String = token.bytes().map(escape).collect();
            query.push(format!("continue={escaped}"));
        }
        let separator = if query.is_empty() { "" } else { "?" };
        match self
            .get(&format!("{path}{separator}{}", query.join("&")))
            .await
        {
            Err(ListFailure::Refused(why)) if why.starts_with(EXPIRED) => Ok(Next::Expired),
            result => result.map(Next::Page),
        }
    }

    /// One GET of JSON.
    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>, ListFailure> {
        self.get_as(path, "application/json").await
    }

    /// One GET, again where the server asks to wait.
    pub(super) async fn get_as(&self, path: &str, accept: &str) -> Result<Vec<u8>, ListFailure> {
        let mut attempt = 0;
        loop {
            let request = Request::get(path)
                .header(header::ACCEPT, accept)
                .body(Body::empty())
                .map_err(|error| ListFailure::Refused(error.to_string()))?;
            let response = self
                .client
                .send(request)
                .await
                .map_err(|error| failure(&error))?;
            let status = response.status();
            let wait = response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .map(Duration::from_secs);
            let body = response
                .into_body()
                .collect_bytes()
                .await
                .map_err(|error| failure(&error))?;
            // As client-go: only where the server says when (kubectl waits for priority and fairness the same way).
            if let Some(wait) = wait
                && (status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error())
                && attempt < RETRIES
                && wait <= LONGEST_WAIT
            {
                tracing::info!("the API server asks to wait {} s", wait.as_secs());
                tokio::time::sleep(wait).await;
                attempt += 1;
                continue;
            }
            if status.is_success() {
                return Ok(body.to_vec());
            }
            let message = serde_json::from_slice::<Status>(&body)
                .map(|status| status.message)
                .ok()
                .filter(|message| !message.is_empty())
                .unwrap_or_else(|| format!("status {}", status.as_u16()));
            return Err(match status {
                StatusCode::FORBIDDEN => ListFailure::Forbidden(message),
                StatusCode::UNAUTHORIZED => ListFailure::Unauthorized(message),
                StatusCode::NOT_FOUND => ListFailure::Absent,
                StatusCode::GONE => ListFailure::Refused(format!("{EXPIRED}: {message}")),
                status => ListFailure::Refused(format!("{message} ({})", status.as_u16())),
            });
        }
    }
}

/// How a 410 begins, so that `page` can tell it from other refusals.
const EXPIRED: &str = "the list expired";

fn escape(b: u8) -> String {
    if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
        char::from(b).to_string()
    } else {
        format!("%{b:02X}")
    }
}

fn unreadable(error: serde_json::Error) -> ListFailure {
    ListFailure::Refused(format!("the API server's answer can't be read: {error}"))
}

/// `namespace/name` of an item that can't be read otherwise.
fn name_of(item: &RawValue) -> String {
    match serde_json::from_str::<Named>(item.get()) {
        Ok(Named { metadata }) if metadata.namespace.is_empty() => metadata.name,
        Ok(Named { metadata }) => format!("{}/{}", metadata.namespace, metadata.name),
        Err(_) => "without a name".to_owned(),
    }
}

/// The innermost cause says most: "connection refused", "certificate has expired".
fn failure(error: &kube::Error) -> ListFailure {
    if matches!(error, kube::Error::Auth(_)) {
        return ListFailure::Unauthorized(super::connect::kube_words(error));
    }
    ListFailure::Unreachable(super::connect::kube_words(error))
}
