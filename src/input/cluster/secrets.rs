//! Reads pull secrets, and the service accounts that name them: one at a time, by name. They are never listed.

use serde_json::Value;

use super::connect::Connection;
use super::list::{ListFailure, Lister};
use crate::input::pull_secrets::{account_secrets, pull_secret};
use crate::model::PullSecret;

/// Reads them.
pub struct SecretReader {
    lister: Lister,
    server: String,
}

/// Why one could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsFailure {
    /// 403, in the server's words.
    Forbidden(String),
    /// Anything else.
    Failed(String),
}

impl std::fmt::Debug for SecretReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretReader")
    }
}

impl SecretReader {
    /// A reader for a cluster.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self {
            lister: Lister::new(connection.client.clone(), 0),
            server: connection.server.clone(),
        }
    }

    /// The API server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A secret; `None` when there is no such secret.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<PullSecret>, SecretsFailure> {
        let Some(secret) = self.get(namespace, "secrets", name).await? else {
            return Ok(None);
        };
        let unreadable = |key| SecretsFailure::Failed(format!("its {key} is not base64"));
        pull_secret(&secret).map(Some).map_err(unreadable)
    }

    /// The names of the secrets that a service account gives to pods; `None` when there is no such account.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Vec<String>>, SecretsFailure> {
        let account = self.get(namespace, "serviceaccounts", name).await?;
        Ok(account.as_ref().map(account_secrets))
    }

    async fn get(
        &self,
        namespace: &str,
        resource: &str,
        name: &str,
    ) -> Result<Option<Value>, SecretsFailure> {
        // The API server does not check the names in a pod's list: one with slashes would lead to another namespace.
        if ![namespace, name].iter().all(|name| is_name(name)) {
            return Ok(None);
        }
        let path = format!("/api/v1/namespaces/{namespace}/{resource}/{name}");
        match self.lister.get(&path).await {
            // serde's words could quote a value.
            Ok(body) => serde_json::from_slice(&body).map(Some).map_err(|_| {
                SecretsFailure::Failed("the API server's answer can't be read".to_owned())
            }),
            Err(ListFailure::Absent) => Ok(None),
            Err(ListFailure::Forbidden(why)) => Err(SecretsFailure::Forbidden(why)),
            Err(
                ListFailure::Unauthorized(why)
                | ListFailure::Unreachable(why)
                | ListFailure::Refused(why),
            ) => Err(SecretsFailure::Failed(why)),
        }
    }
}

/// A DNS subdomain (RFC 1123), as all names of secrets are.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for (text, fine) in [
            ("regcred", true),
            ("my.secret-1", true),
            ("", false),
            ("..", false),
            ("../../other/secrets/regcred", false),
            ("a/b", false),
            ("a%2fb", false),
            ("a?b", false),
            ("A", false),
        ] {
            assert_eq!(is_name(text), fine, "{text}");
        }
    }
}
