//! `-o github`: workflow commands, which GitHub Actions turns into annotations on lines of a pull request (GitHub docs,
//! "Workflow commands"; the escapes are those of actions/toolkit, `command.ts`).

use std::fmt::Write as _;

use super::clean;
use super::words::{details, headline};
use crate::verdict::{Finding, Report, Severity};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let news = |finding: &&Finding| finding.suppressed.is_none();
    for finding in report.findings.iter().filter(news) {
        annotation(&mut out, finding);
    }
    for entry in report.incomplete.iter().filter(|entry| entry.matters) {
        let mut message = format!("{}: {}", clean(&entry.what), clean(&entry.why));
        if !entry.hint.is_empty() {
            let _ = write!(message, "\ndo: {}", clean(&entry.hint));
        }
        let _ = writeln!(out, "::warning title=not seen::{}", data(&message));
    }
    out
}

fn annotation(out: &mut String, finding: &Finding) {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning | Severity::Unknown => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    // Annotations stick to paths as the repository has them: standard input and addresses have none.
    let in_repository = |file: &str| file != "-" && !file.contains("://");
    if let Some(at) = finding
        .location
        .as_ref()
        .filter(|at| in_repository(&at.file))
    {
        let file = clean(&at.file).replace('\\', "/");
        let file = file.trim_start_matches("./").to_owned();
        properties.push(("file", file));
        properties.push(("line", at.line.to_string()));
        properties.push(("col", at.column.to_string()));
    }
    properties.push(("title", finding.rule.name().to_owned()));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(name, value)| format!("{name}={}", property(&value)))
        .collect();
    let mut message = clean(&headline(finding)).into_owned();
    for (label, detail) in details(finding) {
        let _ = write!(message, "\n{label}: {}", clean(&detail));
    }
    let _ = writeln!(
        out,
        "::{command} {}::{}",
        properties.join(","),
        data(&message)
    );
}

/// What stands behind the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of the command, which a colon or comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_from_outside_ends_a_command() {
        for (text, as_data, as_property) in [
            ("plain", "plain", "plain"),
            ("100%", "100%25", "100%25"),
            (
                "%0A::error::x",
                "%250A::error::x",
                "%250A%3A%3Aerror%3A%3Ax",
            ),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("a,b:c", "a,b:c", "a%2Cb%3Ac"),
        ] {
            assert_eq!(
                (data(text).as_str(), property(text).as_str()),
                (as_data, as_property)
            );
        }
    }
}
