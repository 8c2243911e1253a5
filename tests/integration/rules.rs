//! `kubectl archcheck rules`, and docs/rules/: one source, printed three ways.

use std::collections::BTreeMap;

use archcheck::report::rules;
use archcheck::verdict::Rule;

use crate::support::archcheck::{Archcheck, repository};

fn printed(line: &str) -> String {
    let outcome = Archcheck::new().line(line).env("COLUMNS", "80").run();
    assert_eq!(outcome.code, 0, "{line}: {outcome:?}");
    assert!(outcome.stderr.is_empty(), "{line}: {}", outcome.stderr);
    outcome.stdout
}

#[test]
fn the_list_has_a_line_or_two_for_each() {
    insta::assert_snapshot!(printed("rules"));
}

#[test]
fn one_rule_is_told_in_full() {
    insta::assert_snapshot!(printed("rules exec-format-error"));
}

#[test]
fn programs_get_json() {
    let all: serde_json::Value = serde_json::from_str(&printed("rules -o json")).unwrap();
    let names: Vec<_> = all["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    let expected: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names, expected);
    let one: serde_json::Value =
        serde_json::from_str(&printed("rules os-not-pinned -o json")).unwrap();
    assert_eq!(one["rules"].as_array().unwrap().len(), 1);
    insta::assert_json_snapshot!(one);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for rule in Rule::ALL {
        let text = printed(&format!("rules {rule}"));
        // An address is not broken where a blank could be, but a line of text is.
        let wide: Vec<_> = text
            .lines()
            .filter(|line| line.chars().count() > 80 && !line.contains("https://"))
            .collect();
        assert!(wide.is_empty(), "{rule}: {wide:#?}");
    }
}

/// docs/rules/ is what the texts in src/verdict/rules/ make, and has nothing else.
#[test]
fn the_pages_in_docs_are_up_to_date() {
    let mut pages: BTreeMap<String, String> = Rule::ALL
        .iter()
        .map(|&rule| (format!("{rule}.md"), rules::markdown(rule)))
        .collect();
    pages.insert("README.md".to_owned(), rules::index());
    let dir = repository("docs/rules");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        for (name, text) in &pages {
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
        written == pages,
        "docs/rules/ is out of date; run: UPDATE_DOCS=1 cargo test pages_in_docs"
    );
}
