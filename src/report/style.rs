//! Colour, where it is wanted.

use anstyle::{AnsiColor, Color};

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Plain text.
    Off,
    /// ANSI escapes.
    On,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A failure.
    Bad,
    /// A risk or a warning.
    Risky,
    /// Something unknown.
    Unclear,
    /// All is well.
    Good,
    /// A label.
    Faint,
    /// A name that matters.
    Strong,
}

impl Paint {
    /// The text in its style.
    #[must_use]
    pub fn apply(self, style: Style, text: &str) -> String {
        if self == Self::Off {
            return text.to_owned();
        }
        let colour = |colour: AnsiColor| anstyle::Style::new().fg_color(Some(Color::Ansi(colour)));
        let style = match style {
            Style::Bad => colour(AnsiColor::Red).bold(),
            Style::Risky => colour(AnsiColor::Yellow).bold(),
            Style::Unclear => colour(AnsiColor::Magenta).bold(),
            Style::Good => colour(AnsiColor::Green).bold(),
            Style::Faint => anstyle::Style::new().dimmed(),
            Style::Strong => anstyle::Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}
