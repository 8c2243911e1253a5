//! Credential helpers: programs that keep credentials (docker-credential-helpers `credentials/credentials.go`).

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::{Login, Secret};

/// How long a helper may take; gcloud's takes seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// An answer larger than this is none.
const LARGEST_ANSWER: u64 = 64 * 1024;
/// What a helper prints when it has nothing, with an exit code other than 0.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// Why a helper gave no credential although it might have one. Its words are never shown: they could hold a secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelperError {
    #[error(
        "the credential helper docker-credential-{program} could not be run for {server}: {source}; is it on the PATH?"
    )]
    NotRun {
        program: String,
        server: String,
        source: std::io::Error,
    },
    #[error("the credential helper docker-credential-{program} gave no answer for {server} within {} s", PATIENCE.as_secs())]
    TimedOut { program: String, server: String },
    #[error(
        "the credential helper docker-credential-{program} failed for {server}; run it by hand: echo {server} | docker-credential-{program} get"
    )]
    Failed { program: String, server: String },
    #[error("the name {0:?} in credHelpers or credsStore is no program's name")]
    BadName(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// Asks a helper for a server's credential; `None` when it has none.
pub(super) async fn get(program: &str, server: &str) -> Result<Option<Login>, HelperError> {
    // A config file may name a program, not a path.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if program.is_empty() || !program.bytes().all(plain) {
        return Err(HelperError::BadName(program.to_owned()));
    }
    let (name, of) = (program.to_owned(), server.to_owned());
    match tokio::time::timeout(PATIENCE, run(program, server)).await {
        Err(_) => Err(HelperError::TimedOut {
            program: name,
            server: of,
        }),
        Ok(Err(source)) => Err(HelperError::NotRun {
            program: name,
            server: of,
            source,
        }),
        Ok(Ok((true, output))) => match serde_json::from_slice::<Answer>(&output) {
            Ok(answer) => Ok(login(answer)),
            Err(_) => Err(HelperError::Failed {
                program: name,
                server: of,
            }),
        },
        Ok(Ok((false, output))) if String::from_utf8_lossy(&output).trim() == NOT_FOUND => Ok(None),
        Ok(Ok((false, _))) => Err(HelperError::Failed {
            program: name,
            server: of,
        }),
    }
}

async fn run(program: &str, server: &str) -> std::io::Result<(bool, Vec<u8>)> {
    let mut child = Command::new(format!("docker-credential-{program}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that doesn't read is told by its exit code.
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LARGEST_ANSWER).read_to_end(&mut output).await?;
    }
    Ok((child.wait().await?.success(), output))
}

/// The user `<token>` says that the secret is a refresh token.
fn login(answer: Answer) -> Option<Login> {
    match answer.username.as_str() {
        "" => None,
        "<token>" => Some(Login::Identity(Secret::new(answer.secret))),
        _ => Some(Login::Password {
            username: answer.username,
            password: Secret::new(answer.secret),
        }),
    }
}
