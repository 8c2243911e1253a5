//! Completes `kubectl archcheck …<TAB>` by cobra's protocol (cobra `site/content/completions`, kubectl
//! `pkg/cmd/plugin/plugin_completion.go`): kubectl runs `kubectl_complete-archcheck` with the words after the plugin's
//! name, the last of which may be empty, and reads one choice a line, `choice<TAB>description`, and `:directive` last.
//!
//! `line` finds out what the last word is to be, `choices` what there is to choose from, `live` asks the cluster.
//! Nobody reads an error while typing: whatever goes wrong, there are fewer choices.

mod choices;
mod line;
mod live;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;

use super::args::Args;
use super::output;
use crate::report::clean;

/// The first argument that asks for choices, as with every program made with cobra.
const REQUEST: &str = "__complete";
/// The name under which kubectl looks for a program that completes the plugin.
const HELPER: &str = "kubectl_complete-archcheck";

/// One thing that the last word may become.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    word: String,
    description: String,
}

impl Choice {
    fn new(word: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            description: description.into(),
        }
    }

    fn bare(word: impl Into<String>) -> Self {
        Self::new(word, "")
    }
}

/// What the shell does beside offering the choices; cobra's `ShellCompDirective`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    /// Offer files where there is no choice.
    Files,
    /// Offer directories.
    Directories,
    /// Offer nothing else.
    NoFiles,
    /// Nor write a blank after the word: it goes on.
    NoFilesNoBlank,
}

impl Directive {
    fn number(self) -> u8 {
        match self {
            Self::Files => 0,
            Self::NoFiles => 4,
            Self::NoFilesNoBlank => 4 | 2,
            Self::Directories => 16,
        }
    }
}

/// The words to complete, if that is what the program was called for: by the name of the helper, or with `__complete`.
pub(super) fn words(args: &[OsString]) -> Option<Vec<String>> {
    let (program, rest) = args.split_first()?;
    let called = Path::new(program).file_stem();
    let words = if called.is_some_and(|name| name == HELPER) {
        rest
    } else {
        match rest.split_first() {
            Some((first, words)) if first == REQUEST => words,
            _ => return None,
        }
    };
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    Some(words.iter().map(text).collect())
}

/// Prints what the last word may become.
pub(super) fn run(words: &[String]) -> ExitCode {
    // Fails only where nobody reads any more.
    let _ = output::print(&answer(words));
    ExitCode::SUCCESS
}

fn answer(words: &[String]) -> String {
    let mut command = Args::command();
    command.build();
    let line = line::read(&command, words);
    let (choices, directive) = choices::of(&line);
    let mut out = String::new();
    for choice in choices {
        // A name that can't be printed as it is can't be typed either.
        if choice.word.starts_with(line.typed) && clean(&choice.word) == choice.word {
            let description = clean(&choice.description);
            let _ = match description.is_empty() {
                true => writeln!(out, "{}", choice.word),
                false => writeln!(out, "{}\t{description}", choice.word),
            };
        }
    }
    let _ = writeln!(out, ":{}", directive.number());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(args: &[&str]) -> Option<Vec<String>> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        words(&args)
    }

    #[test]
    fn it_is_asked_by_name_or_by_request() {
        let words = Some(vec!["-n".to_owned(), String::new()]);
        for args in [
            &["kubectl-archcheck", "__complete", "-n", ""][..],
            &["/usr/local/bin/kubectl_complete-archcheck", "-n", ""],
            &["kubectl_complete-archcheck.exe", "-n", ""],
        ] {
            assert_eq!(asked(args), words, "{args:?}");
        }
        assert_eq!(asked(&["kubectl-archcheck", "-n", "__complete"]), None);
        assert_eq!(asked(&["kubectl-archcheck"]), None);
        assert_eq!(asked(&[]), None);
    }

    /// The choices without their descriptions, then the directive.
    fn complete(words: &str) -> String {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let answer = answer(&words);
        let word = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        answer.lines().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_last_word_is_completed() {
        for (words, choices) in [
            // A command, or the kind of a workload.
            ("r", "rules replicasets replicationcontrollers :4"),
            ("completion ", "bash zsh fish powershell :4"),
            ("completion bash ", ":4"),
            ("rules os", "os-not-pinned :4"),
            ("rules os-not-pinned -o ", "text json :4"),
            ("rules --c", "--color :4"),
            // Commands come first.
            ("-A r", ":4"),
            ("--show all r", "replicasets replicationcontrollers :4"),
            // Flags, and what is known of their values.
            ("--plat", "--platform :4"),
            (
                "--platform linux/ar",
                "linux/arm64 linux/arm/v7 linux/arm/v6 :4",
            ),
            ("--platform=linux/arm6", "linux/arm64 :4"),
            ("--runtime c", "containerd cri-o :4"),
            ("-o w", "wide :4"),
            ("-Ao=w", ":4"),
            ("-o=w", "wide :4"),
            ("--fail-on ", "at-risk fails never :4"),
            ("--fail-on=n", "never :4"),
            ("--platform linux/amd64 --add-p", "--add-platform :4"),
            ("--fail-on fails --fail", ":4"),
            ("--token ", ":4"),
            ("--nonsense=", ":4"),
            // Files are the shell's to complete.
            ("-f ", ":0"),
            ("-Rf ", ":0"),
            ("--kubeconfig ", ":0"),
            ("--cache-dir=x", ":0"),
            ("--images ", ":0"),
            // Names don't go with these.
            ("-f x.yaml ", ":4"),
            ("-l a=b ", ":4"),
            // -v takes its number only behind an equals sign.
            ("-v comp", ":4"),
            ("-v deploym", "deployments :4"),
            ("-- --plat", ":4"),
            // More of the form TYPE/NAME.
            ("deploy/web st", "statefulsets/ :6"),
        ] {
            assert_eq!(complete(words), choices, "{words:?}");
        }
        assert!(
            complete("-").contains("-n --namespace"),
            "{}",
            complete("-")
        );
        assert!(!complete("--").contains(" -n "));
    }

    #[test]
    fn choices_say_what_they_are() {
        let words = ["--fail-on".to_owned(), "at".to_owned()];
        assert_eq!(
            answer(&words),
            "at-risk\tA failure on some node is enough\n:4\n"
        );
    }
}
