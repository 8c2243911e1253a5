//! What there is to choose from.

use clap::builder::ValueHint;
use clap::{Arg, Command};

use super::line::{Line, Wanted, repeats};
use super::{Choice, Directive, live};
use crate::cli::flags::FORMATS;
use crate::input::kinds::{KINDS, Kind};
use crate::verdict::Rule;

/// Platforms that Kubernetes nodes have; others can be typed.
const PLATFORMS: [&str; 12] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/loong64",
    "linux/mips64le",
    "windows/amd64",
    "windows/arm64",
];
const RUNTIMES: [&str; 3] = ["containerd", "cri-o", "docker"];

/// All that the last word may become, whatever is there of it; who prints them picks those that fit.
pub(super) fn of(line: &Line<'_>) -> (Vec<Choice>, Directive) {
    match line.wanted {
        Wanted::Flag => (flags(line), Directive::NoFiles),
        Wanted::Value(flag) => value(line, flag),
        Wanted::Name => name(line),
        Wanted::Unknown => (Vec::new(), Directive::NoFiles),
    }
}

fn flags(line: &Line<'_>) -> Vec<Choice> {
    let open = |flag: &&Arg| {
        let given = line.has(flag.get_id().as_str());
        !flag.is_positional() && !flag.is_hide_set() && (repeats(flag) || !given)
    };
    let mut choices = Vec::new();
    for flag in line.command.get_arguments().filter(open) {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        if let Some(letter) = flag.get_short().filter(|_| line.typed == "-") {
            choices.push(Choice::new(format!("-{letter}"), &help));
        }
        if let Some(name) = flag.get_long() {
            choices.push(Choice::new(format!("--{name}"), help));
        }
    }
    choices
}

fn value(line: &Line<'_>, flag: &Arg) -> (Vec<Choice>, Directive) {
    let bare = |words: &[&str]| words.iter().copied().map(Choice::bare).collect();
    let choices = match flag.get_id().as_str() {
        "namespace" | "exclude_namespace" => live::namespaces(line),
        "context" => live::kubeconfig(line, |names| names.contexts),
        "cluster" => live::kubeconfig(line, |names| names.clusters),
        "user" => live::kubeconfig(line, |names| names.users),
        "platform" | "add_platform" => bare(&PLATFORMS),
        "runtime" => bare(&RUNTIMES),
        // Of the scan; commands have formats of their own, which the flag itself knows.
        "output" if flag.get_possible_values().is_empty() => {
            bare(&FORMATS.map(|(format, _)| format))
        }
        _ => possible_values(flag),
    };
    let directive = match flag.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath => Directive::Files,
        ValueHint::DirPath => Directive::Directories,
        _ => Directive::NoFiles,
    };
    (choices, directive)
}

fn possible_values(flag: &Arg) -> Vec<Choice> {
    let values = flag.get_possible_values().into_iter();
    values
        .filter(|value| !value.is_hide_set())
        .map(|value| {
            let help = value.get_help().map(ToString::to_string);
            Choice::new(value.get_name(), help.unwrap_or_default())
        })
        .collect()
}

/// A word that is no flag: the name of a workload, or what a command takes.
fn name(line: &Line<'_>) -> (Vec<Choice>, Directive) {
    let is_scan = line.command.has_subcommands();
    if is_scan {
        return workload(line);
    }
    let mut places = line.command.get_positionals();
    let choices = match places.nth(line.names.len()) {
        Some(place) if place.get_id() == "rule" => rules(),
        Some(place) => possible_values(place),
        None => Vec::new(),
    };
    (choices, Directive::NoFiles)
}

fn rules() -> Vec<Choice> {
    let all = Rule::ALL.iter();
    all.map(|rule| Choice::new(rule.name(), rule.page().summary))
        .collect()
}

/// `TYPE/NAME`, or `TYPE NAME`, as kubectl takes them; where nothing is typed yet, the commands as well.
fn workload(line: &Line<'_>) -> (Vec<Choice>, Directive) {
    let nothing = (Vec::new(), Directive::NoFiles);
    if ["filename", "selector", "all_namespaces"]
        .iter()
        .any(|flag| line.has(flag))
    {
        return nothing;
    }
    if let Some((kind, _)) = line.typed.split_once('/') {
        return match Kind::named(KINDS.iter(), kind) {
            Some(known) => (live::workloads(line, known, kind), Directive::NoFiles),
            None => nothing,
        };
    }
    match line.names.first() {
        None => {
            let mut choices = kinds("");
            if line.flags.is_empty() {
                choices.splice(0..0, commands(line.command));
            }
            (choices, Directive::NoFiles)
        }
        Some(first) if first.contains('/') => (kinds("/"), Directive::NoFilesNoBlank),
        Some(first) => match Kind::named(KINDS.iter(), first) {
            Some(kind) => (live::workloads(line, kind, ""), Directive::NoFiles),
            None => nothing,
        },
    }
}

fn commands(scan: &Command) -> Vec<Choice> {
    let shown = scan
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    shown
        .map(|command| {
            let about = command.get_about().map(ToString::to_string);
            Choice::new(command.get_name(), about.unwrap_or_default())
        })
        .collect()
}

fn kinds(behind: &str) -> Vec<Choice> {
    let runs_pods = KINDS.iter().filter(|kind| kind.shape.runs_pods());
    runs_pods
        .map(|kind| Choice::bare(format!("{}{behind}", kind.plural)))
        .collect()
}
