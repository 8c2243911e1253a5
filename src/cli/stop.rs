//! What ends a run early: the time that `--timeout` allows, Ctrl-C, or a request to terminate.

use std::time::Duration;

use tokio::time::Instant;

/// Why a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// `--timeout`.
    TimeUp,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Stop {
    /// Why an image was not asked for.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::TimeUp => "the time that --timeout allows was up",
            Self::Interrupted | Self::Terminated => "the run was interrupted",
        }
    }

    /// The exit code, which no flag changes; none where what is known decides.
    pub(super) fn exit_code(self) -> Option<u8> {
        match self {
            Self::TimeUp => None,
            Self::Interrupted => Some(130),
            Self::Terminated => Some(143),
        }
    }
}

/// When the time is up; 0 sets no limit, as in kubectl's `--request-timeout`.
pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Waits for what ends the run. From the first call on, signals no longer kill the process.
pub(super) async fn wait(deadline: Option<Instant>) -> Stop {
    let time_up = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time_up => Stop::TimeUp,
        () = interrupted() => Stop::Interrupted,
        () = terminated() => Stop::Terminated,
    }
}

/// Ctrl-C; never, where it can't be listened for.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
