//! `-o markdown`: a comment for a pull request, or a job summary. Findings are grouped as in the table; each group is
//! folded under one line. Bounded, because GitHub refuses longer comments.

mod escape;

use std::fmt::Write as _;

use self::escape::{code, html, prose};
use super::groups::{Group, groups};
use super::scope::Scope;
use super::text::{count, shorten_digests};
use super::words::{expectation, known, object};
use super::{Paint, rules, summary};
use crate::model::Incomplete;
use crate::verdict::{Finding, Report, Rule, Verdict, WorkloadResult};

/// GitHub takes 65,536 characters a comment. Bytes are counted, which are never fewer, and some are left for the end.
const LONGEST: usize = 65_536 - 512;
/// How many places or images a list names.
const NAMED: usize = 20;

pub(super) fn render(report: &Report, scope: &Scope, show_all: bool) -> String {
    let mut out = format!(
        "### kubectl archcheck\n\n**{}**\n\n{}\n",
        summary::verdicts(report, Paint::Off, show_all),
        prose(&summary::scope(report, scope))
    );
    let (known, news): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| finding.suppressed.is_some());
    let mut blocks: Vec<String> = groups(news).iter().filter_map(finding_block).collect();
    blocks.extend(report.incomplete.iter().map(incomplete_block));
    blocks.extend(unplaced_block(&report.workloads));
    if show_all {
        blocks.extend(groups(known).iter().filter_map(finding_block));
        blocks.extend(listing(&report.workloads));
    }
    // A reader of one finding need not unfold it.
    if let [only] = blocks.as_mut_slice() {
        *only = only.replacen("<details>", "<details open>", 1);
    }
    let all = blocks.len();
    for (at, block) in blocks.into_iter().enumerate() {
        if out.len() + block.len() > LONGEST {
            let _ = writeln!(
                out,
                "\n{} more would not fit into a comment; `-o json` has everything.",
                count(all - at, "block")
            );
            break;
        }
        out.push('\n');
        out.push_str(&block);
    }
    out
}

/// One folded block: a line that is always seen, and a list.
fn block(head: &str, lines: &[String]) -> String {
    let mut out = format!("<details><summary>{head}</summary>\n\n");
    for line in lines {
        let _ = writeln!(out, "- {line}");
    }
    out.push_str("\n</details>\n");
    out
}

fn finding_block(group: &Group<'_>) -> Option<String> {
    let first = group.findings.first()?;
    let places: Vec<String> = unique(group.findings.iter().map(|finding| place(finding)));
    let more = match places.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let head = format!(
        "<b>{}</b> {} {}{more}",
        match first.suppressed {
            None => label(first.verdict),
            Some(_) => "ignored",
        },
        first.rule,
        html(&object(&first.workload))
    );
    let mut lines = vec![format!("**where** {}", listed(&places))];
    let images = unique(
        group
            .findings
            .iter()
            .filter(|finding| !finding.image.is_empty())
            .map(|finding| code(&shorten_digests(&finding.image))),
    );
    if !images.is_empty() {
        lines.push(format!("**image** {}", listed(&images)));
    }
    lines.push(format!("**why** {}", prose(&shorten_digests(&group.why()))));
    if first.rule != Rule::NodeLabelMismatch {
        for text in group.nodes() {
            lines.push(format!("**nodes** {}", prose(&text)));
        }
    }
    let seen: Vec<String> = group
        .expected()
        .iter()
        .map(|expected| code(&shorten_digests(&expectation(expected))))
        .collect();
    if !seen.is_empty() {
        lines.push(format!("**you will see** {}", listed(&seen)));
    }
    if let Some(mark) = &first.suppressed {
        lines.push(format!("**known** {}", prose(&known(mark))));
        return Some(block(&head, &lines));
    }
    lines.push(format!(
        "**do** {} ([more about {}]({}))",
        prose(first.advice),
        first.rule,
        rules::url(first.rule)
    ));
    Some(block(&head, &lines))
}

fn label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fails => "fails",
        Verdict::AtRisk => "at risk",
        Verdict::Unknown => "unknown",
        Verdict::Ok => "warning",
        Verdict::Unplaced => "note",
    }
}

/// `` `shop/Deployment/web [app]` in `web.yaml:12` ``.
fn place(finding: &Finding) -> String {
    let mut name = object(&finding.workload);
    if !finding.container.is_empty() && finding.container != finding.workload.name {
        let _ = write!(name, " [{}]", finding.container);
    }
    if finding.dormant {
        name.push_str(" (dormant)");
    }
    let mut text = code(&name);
    if let Some(at) = &finding.location {
        let _ = write!(text, " in {}", code(&format!("{}:{}", at.file, at.line)));
    }
    text
}

fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

fn listed(texts: &[String]) -> String {
    let named: Vec<&str> = texts.iter().take(NAMED).map(String::as_str).collect();
    let more = match texts.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

fn incomplete_block(entry: &Incomplete) -> String {
    let label = if entry.matters { "not seen" } else { "note" };
    let mut lines = vec![format!("**why** {}", prose(&entry.why))];
    if !entry.hint.is_empty() {
        lines.push(format!("**do** {}", prose(&entry.hint)));
    }
    block(&format!("<b>{label}</b> {}", html(&entry.what)), &lines)
}

fn unplaced_block(workloads: &[WorkloadResult]) -> Option<String> {
    let unplaced: Vec<&WorkloadResult> = workloads
        .iter()
        .filter(|workload| workload.verdict == Verdict::Unplaced)
        .collect();
    let lines: Vec<String> = unplaced
        .iter()
        .take(NAMED)
        .map(|workload| {
            let reason = workload.reason.as_deref().unwrap_or_default();
            format!("{}: {}", code(&object(&workload.id)), prose(reason))
        })
        .collect();
    let head = format!(
        "<b>note</b> {} that no node admits",
        count(unplaced.len(), "workload")
    );
    (!lines.is_empty()).then(|| block(&head, &lines))
}

/// `--show all`: every workload with its verdict, in blocks that fit on their own.
fn listing(workloads: &[WorkloadResult]) -> Vec<String> {
    const A_BLOCK: usize = 200;
    workloads
        .chunks(A_BLOCK)
        .map(|chunk| {
            let lines: Vec<String> = chunk
                .iter()
                .map(|workload| {
                    let on = match workload.platforms.as_slice() {
                        [] => String::new(),
                        platforms => format!(" on {}", platforms.join(", ")),
                    };
                    format!(
                        "{} {}{}",
                        workload.verdict.as_str(),
                        code(&object(&workload.id)),
                        prose(&on)
                    )
                })
                .collect();
            block(
                &format!("<b>all</b> {}", count(chunk.len(), "workload")),
                &lines,
            )
        })
        .collect()
}
