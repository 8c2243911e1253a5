//! The annotation `archcheck/ignore: "RULE[,RULE…]: reason"` on an object or its pod template.

use std::collections::BTreeMap;

use super::RuleSet;
use crate::model::Workload;

/// Its key.
pub const ANNOTATION: &str = "archcheck/ignore";

/// What an annotation says: one entry a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) rules: RuleSet,
    pub(super) reason: String,
}

/// The entries that a workload and its templates carry, and why others of them count for nothing.
pub(super) fn entries(workload: &Workload) -> (Vec<Entry>, Vec<String>) {
    let own = std::iter::once(&workload.annotations);
    let templates = workload.templates.iter().map(|t| &t.metadata.annotations);
    let mut texts: Vec<&str> = own
        .chain(templates)
        .filter_map(|annotations: &BTreeMap<String, String>| annotations.get(ANNOTATION))
        .map(String::as_str)
        .collect();
    // A bare pod is its own template.
    texts.dedup();
    let (mut entries, mut broken) = (Vec::new(), Vec::new());
    for text in texts {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        if lines.clone().next().is_none() {
            broken.push("it is empty".to_owned());
        }
        for line in lines {
            match entry(line) {
                Ok(entry) if entries.contains(&entry) => {}
                Ok(entry) => entries.push(entry),
                Err(why) => broken.push(why),
            }
        }
    }
    (entries, broken)
}

fn entry(line: &str) -> Result<Entry, String> {
    let (rules, reason) = line.split_once(':').unwrap_or((line, ""));
    let names = rules.split(',').map(str::trim);
    let rules = RuleSet::parse(names).map_err(|error| error.to_string())?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(format!("it gives no reason for ignoring {rules}"));
    }
    Ok(Entry {
        rules,
        reason: reason.to_owned(),
    })
}
