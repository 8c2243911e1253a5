//! `-k DIR`: what `kubectl kustomize DIR` prints. kubectl has kustomize built in; its version decides, as for `apply -k`.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// The most bytes that are read of what it prints.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The most bytes that are read of what it complains.
const LARGEST_COMPLAINT: u64 = 64 * 1024;

/// Why a directory could not be built.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
    /// There is no kubectl.
    #[error("-k needs kubectl, and {kubectl:?} can't be run: {source}")]
    NoKubectl {
        /// What was run.
        kubectl: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It printed more than is read.
    #[error("what kubectl kustomize prints is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// It failed.
    #[error("kubectl kustomize {dir:?} failed: {complaint}")]
    Failed {
        /// The directory.
        dir: String,
        /// What it says.
        complaint: String,
    },
    /// What it prints could not be read.
    #[error("what kubectl kustomize prints can't be read: {0}")]
    Read(#[from] std::io::Error),
}

/// Builds a directory with this kubectl.
///
/// # Errors
/// When there is no kubectl, or it fails.
pub async fn build(kubectl: &OsStr, dir: &str) -> Result<Vec<u8>, KustomizeError> {
    let mut child = Command::new(kubectl)
        .args(["kustomize", "--", dir])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| KustomizeError::NoKubectl {
            kubectl: kubectl.to_string_lossy().into_owned(),
            source,
        })?;
    let (mut printed, mut complaint) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read_printed = async {
        match stdout {
            Some(stdout) => stdout.take(LARGEST + 1).read_to_end(&mut printed).await,
            None => Ok(0),
        }
    };
    let read_complaint = async {
        match stderr {
            Some(mut stderr) => {
                let mut bounded = (&mut stderr).take(LARGEST_COMPLAINT);
                bounded.read_to_end(&mut complaint).await?;
                // Whoever still has something to say must not be blocked.
                tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await
            }
            None => Ok(0),
        }
    };
    let (size, complained) = tokio::join!(read_printed, read_complaint);
    complained?;
    if u64::try_from(size?).is_ok_and(|size| size > LARGEST) {
        return Err(KustomizeError::TooLarge);
    }
    if child.wait().await?.success() {
        return Ok(printed);
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let complaint = complaint.trim().trim_start_matches("error: ");
    Err(KustomizeError::Failed {
        dir: dir.to_owned(),
        complaint: complaint.to_owned(),
    })
}
