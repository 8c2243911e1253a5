//! docs/man/ is what the flags make.

use std::collections::BTreeMap;

use archcheck::cli::Args;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::support::archcheck::repository;

/// A man page: clap_mangen's, but for a synopsis that doesn't repeat every flag, and examples that keep their lines.
fn page(command: &Command) -> String {
    let mut command = command.clone();
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let usage = command.render_usage().to_string();
    let after = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let man = Man::new(command.clone()).title(name.as_str());
    let mut out = Vec::new();
    man.render_title(&mut out).unwrap();
    man.render_name_section(&mut out).unwrap();
    out.extend(as_it_is(
        "SYNOPSIS",
        &usage.replace("Usage: ", "").replace("       ", ""),
    ));
    man.render_description_section(&mut out).unwrap();
    man.render_options_section(&mut out).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out).unwrap();
    }
    for part in after.split("\n\n").filter(|part| !part.is_empty()) {
        let (heading, text) = part
            .split_once(":\n")
            .expect("what follows the help begins with a heading");
        out.extend(as_it_is(&heading.to_uppercase(), text));
    }
    String::from_utf8(out).unwrap()
}

/// A section whose lines stay as they are.
fn as_it_is(heading: &str, text: &str) -> Vec<u8> {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines: Vec<_> = text.lines().map(|line| format!("\\&{line}\n")).collect();
    format!(".SH \"{heading}\"\n.nf\n{}.fi\n", lines.concat()).into_bytes()
}

#[test]
fn the_man_pages_are_up_to_date() {
    let mut command = Args::command().bin_name("kubectl archcheck");
    command.build();
    let commands = command.get_subcommands().filter(|c| !c.is_hide_set());
    let made: BTreeMap<String, String> = commands
        .map(|sub| (format!("kubectl-archcheck-{}.1", sub.get_name()), page(sub)))
        .chain([("kubectl-archcheck.1".to_owned(), page(&command))])
        .collect();
    let dir = repository("docs/man");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        for (name, text) in &made {
            std::fs::write(dir.join(name), text).unwrap();
        }
    }
    let written: BTreeMap<String, String> = std::fs::read_dir(&dir)
        .into_iter()
        .flatten()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(
        written == made,
        "docs/man/ is out of date; run: UPDATE_DOCS=1 cargo test man_pages"
    );
}
