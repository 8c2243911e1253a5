//! `-o table`: the face of the product. Findings are grouped by cause, worst first, each as a small block that says
//! what fails, where, why, what will be seen and what to do; then what could not be seen; then one summary line.

use std::fmt::Write as _;

use super::groups::{Group, groups};
use super::scope::Scope;
use super::style::Style;
use super::text::{count, shorten_digests, wrap};
use super::words::{expectation, hooks, known, object};
use super::{Layout, clean, summary, worst_first};
use crate::model::Incomplete;
use crate::verdict::{Finding, Report, Rule, Verdict, WorkloadResult};

/// How many workloads a block names.
const NAMED: usize = 5;
/// Columns before the text of a block's lines.
const INDENT: usize = 9;

pub(super) fn render(report: &Report, scope: &Scope, layout: &Layout) -> String {
    let mut out = String::new();
    if layout.headers {
        push(&mut out, "", &summary::scope(report, scope), layout);
        out.push('\n');
    }
    let (known, news): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| finding.suppressed.is_some());
    for group in groups(news) {
        block(&mut out, &group, layout);
    }
    if layout.show_all {
        for group in groups(known) {
            block(&mut out, &group, layout);
        }
    }
    unplaced(&mut out, &report.workloads, layout);
    if layout.show_all {
        listing(&mut out, &report.workloads, layout);
    }
    incomplete(&mut out, report, layout);
    if layout.headers {
        push(
            &mut out,
            "",
            &summary::verdicts(report, layout.paint, layout.show_all),
            layout,
        );
    }
    out
}

fn block(out: &mut String, group: &Group<'_>, layout: &Layout) {
    let Some(first) = group.findings.first() else {
        return;
    };
    let (label, style) = match first.suppressed {
        None => label(first.verdict),
        Some(_) => ("IGNORED", Style::Faint),
    };
    let certainty = match first.verdict {
        Verdict::Fails | Verdict::AtRisk if first.suppressed.is_some() => {
            format!(
                " ({}, {})",
                first.verdict.as_str(),
                group.certainty().as_str()
            )
        }
        Verdict::Fails | Verdict::AtRisk => format!(" ({})", group.certainty().as_str()),
        _ => String::new(),
    };
    let _ = writeln!(
        out,
        "{}{}{}",
        layout.paint.apply(style, &format!("{label:INDENT$}")),
        layout.paint.apply(Style::Strong, first.rule.name()),
        certainty
    );
    places(out, group, layout);
    // Of a pinned child the digest is what the reader is to copy.
    let why = match first.rule {
        Rule::PinnedChild => group.why(),
        _ => shorten_digests(&group.why()),
    };
    line(out, "why", &why, layout);
    if first.rule != Rule::NodeLabelMismatch {
        for text in group.nodes() {
            line(out, "nodes", &text, layout);
        }
    }
    let expect: Vec<String> = group.expected().iter().map(expectation).collect();
    if !expect.is_empty() {
        line(out, "see", &shorten_digests(&expect.join("; ")), layout);
    }
    match &first.suppressed {
        None => line(out, "do", first.advice, layout),
        Some(mark) => line(out, "known", &known(mark), layout),
    }
    out.push('\n');
}

fn label(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Fails => ("FAILS", Style::Bad),
        Verdict::AtRisk => ("AT RISK", Style::Risky),
        Verdict::Unknown => ("UNKNOWN", Style::Unclear),
        Verdict::Ok => ("WARNING", Style::Risky),
        Verdict::Unplaced => ("NOTE", Style::Faint),
    }
}

/// Where, and which image: together where all places have one image, else a line for each place.
fn places(out: &mut String, group: &Group<'_>, layout: &Layout) {
    let mut pairs: Vec<(String, &str)> = Vec::new();
    for finding in &group.findings {
        let pair = (place(finding), finding.image.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let image = pairs.first().map_or("", |(_, image)| image);
    let one_image = pairs.iter().all(|(_, other)| *other == image);
    let all = pairs.len();
    if !layout.show_all {
        pairs.truncate(NAMED);
    }
    let more = all - pairs.len();
    let tail = match more {
        0 => String::new(),
        more => format!("and {more} more (--show all)"),
    };
    if one_image {
        let names: Vec<&str> = pairs.iter().map(|(place, _)| place.as_str()).collect();
        let text = match (all, more) {
            (1, _) => names.concat(),
            (_, 0) => format!("{all} places: {}", names.join(", ")),
            _ => format!("{all} places: {} {tail}", names.join(", ")),
        };
        line(out, "where", &text, layout);
        if !image.is_empty() {
            line(out, "image", &shorten_digests(image), layout);
        }
        return;
    }
    line(out, "where", &format!("{all} places"), layout);
    for (place, image) in &pairs {
        line(
            out,
            "",
            &format!("{place}  {}", shorten_digests(image)),
            layout,
        );
    }
    if more > 0 {
        line(out, "", &tail, layout);
    }
}

/// `ns/Kind/name [container] file:line` of a finding.
fn place(finding: &Finding) -> String {
    let mut name = object(&finding.workload);
    if !finding.container.is_empty() && finding.container != finding.workload.name {
        let _ = write!(name, " [{}]", finding.container);
    }
    if finding.dormant {
        name.push_str(" (dormant)");
    }
    name.push_str(&hooks(&finding.rendered));
    if let Some(location) = &finding.location {
        let _ = write!(name, " {}:{}", location.file, location.line);
    }
    if let Some(template) = &finding.rendered.template {
        let _ = write!(name, " ({template})");
    }
    name
}

fn unplaced(out: &mut String, workloads: &[WorkloadResult], layout: &Layout) {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for workload in workloads
        .iter()
        .filter(|workload| workload.verdict == Verdict::Unplaced)
    {
        let reason = workload.reason.as_deref().unwrap_or_default();
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(object(&workload.id)),
            None => by_reason.push((reason, vec![object(&workload.id)])),
        }
    }
    for (reason, names) in by_reason {
        let (label, style) = label(Verdict::Unplaced);
        let _ = writeln!(
            out,
            "{}{}",
            layout.paint.apply(style, &format!("{label:INDENT$}")),
            layout.paint.apply(Style::Strong, "no node admits it")
        );
        let shown: Vec<String> = names.iter().take(NAMED).cloned().collect();
        let more = names.len() - shown.len();
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        line(out, "where", &format!("{}{tail}", shown.join(", ")), layout);
        line(out, "why", reason, layout);
        out.push('\n');
    }
}

/// `--show all`: every workload with its verdict.
fn listing(out: &mut String, workloads: &[WorkloadResult], layout: &Layout) {
    for workload in worst_first(workloads) {
        let (_, style) = label(workload.verdict);
        let style = if workload.verdict == Verdict::Ok {
            Style::Good
        } else {
            style
        };
        let verdict = layout
            .paint
            .apply(style, &format!("{:INDENT$}", workload.verdict.as_str()));
        let hooks = hooks(&workload.rendered);
        let dormant = if workload.dormant { " (dormant)" } else { "" };
        let on = if workload.platforms.is_empty() {
            String::new()
        } else {
            format!("  on {}", workload.platforms.join(", "))
        };
        let _ = writeln!(
            out,
            "{verdict}{}{}{dormant}{}",
            clean(&object(&workload.id)),
            clean(&hooks),
            clean(&on)
        );
    }
    if !workloads.is_empty() {
        out.push('\n');
    }
}

/// What was not seen. Entries with the same advice stand together: one missing permission hides ten kinds.
fn incomplete(out: &mut String, report: &Report, layout: &Layout) {
    let mut groups: Vec<Vec<&Incomplete>> = Vec::new();
    for entry in &report.incomplete {
        let same = |first: &&Incomplete| {
            first.matters == entry.matters && !entry.hint.is_empty() && first.hint == entry.hint
        };
        match groups
            .iter_mut()
            .find(|group| group.first().is_some_and(same))
        {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let (label, style) = if first.matters {
            ("NOT SEEN", Style::Unclear)
        } else {
            ("NOTE", Style::Faint)
        };
        let head = layout.paint.apply(style, &format!("{label:INDENT$}"));
        let title = match group.len() {
            1 => clean(&first.what).into_owned(),
            many => count(many, "thing"),
        };
        let width = layout.width.map(|width| width.saturating_sub(INDENT));
        for (at, piece) in wrap(&title, width).iter().enumerate() {
            let before = if at == 0 { head.as_str() } else { "         " };
            let _ = writeln!(out, "{before}{}", layout.paint.apply(Style::Strong, piece));
        }
        if group.len() > 1 {
            let all: Vec<&str> = group.iter().map(|entry| entry.what.as_str()).collect();
            line(out, "what", &all.join(", "), layout);
        }
        let same_why = group.iter().all(|entry| entry.why == first.why);
        let why = if same_why {
            first.why.clone()
        } else {
            format!("{} (and so on)", first.why)
        };
        line(out, "why", &why, layout);
        if !first.hint.is_empty() {
            line(out, "do", &first.hint, layout);
        }
        out.push('\n');
    }
}

/// One labelled line of a block, wrapped under itself.
fn line(out: &mut String, name: &str, text: &str, layout: &Layout) {
    let text = clean(text);
    let width = layout.width.map(|width| width.saturating_sub(INDENT));
    for (at, piece) in wrap(&text, width).iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        let _ = writeln!(
            out,
            "{}{piece}",
            layout.paint.apply(
                Style::Faint,
                &format!("  {name:width$}", width = INDENT - 2)
            )
        );
    }
}

/// Running text without a label.
fn push(out: &mut String, indent: &str, text: &str, layout: &Layout) {
    for piece in wrap(text, layout.width) {
        let _ = writeln!(out, "{indent}{piece}");
    }
}
