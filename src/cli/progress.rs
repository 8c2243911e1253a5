//! The progress bar: on stderr, and only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts images that have been asked for.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many images; invisible unless stderr is a terminal.
    pub(super) fn new(images: usize, visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(images).ok(), target);
        // The template is a constant; a mistake in it would show the default bar.
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} images {bar:30} {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// One image more is done; `host` answered.
    pub(super) fn done(&self, host: &str) {
        self.0.set_message(crate::report::clean(host).into_owned());
        self.0.inc(1);
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
