//! `-o table`: the face of the product. Findings are grouped by cause, worst first, each as a small block that says
//! what fails, where, why, what will be seen and what to do; then what could not be seen; then one summary line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::scope::{NodesFrom, Scope, Source};
use super::style::Style;
use super::text::{count, mask_digests, shorten_digests, some_of, wrap};
use super::{Layout, clean, worst_first};
use crate::model::{Incomplete, ObjectId};
use crate::runtime::{Certainty, Expectation, Seen};
use crate::verdict::{
    Finding, PlatformRow, Report, Rule, Summary, SuppressedBy, Suppression, Verdict, WorkloadResult,
};

/// How many workloads a block names.
const NAMED: usize = 5;
/// Columns before the text of a block's lines.
const INDENT: usize = 9;

pub(super) fn render(report: &Report, scope: &Scope, layout: &Layout) -> String {
    let mut out = String::new();
    if layout.headers {
        push(&mut out, "", &scope_line(report, scope), layout);
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
            &summary_line(&report.summary(), report, layout),
            layout,
        );
    }
    out
}

/// Findings with one cause.
struct Group<'a> {
    findings: Vec<&'a Finding>,
}

/// Puts findings with the same cause together and keeps their order.
fn groups(findings: Vec<&Finding>) -> Vec<Group<'_>> {
    let mut groups: Vec<(Key<'_>, Group<'_>)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for finding in findings {
        let key = Key::of(finding);
        let index = *at.entry(key.clone()).or_insert_with(|| {
            groups.push((
                key,
                Group {
                    findings: Vec::new(),
                },
            ));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(index) {
            group.findings.push(finding);
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What makes two findings one block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key<'a> {
    verdict: Verdict,
    rule: Rule,
    /// Empty where the image doesn't matter: one line a cluster, one line a dead registry.
    image: &'a str,
    message: &'a str,
    certainty: Certainty,
    platforms: &'a [String],
    source: &'a str,
    /// Why it does not count; the object that says so does not matter.
    known: Option<(SuppressedBy, &'a str, &'a str)>,
}

impl<'a> Key<'a> {
    fn of(finding: &'a Finding) -> Self {
        let mut key = Key {
            verdict: finding.verdict,
            rule: finding.rule,
            image: &finding.image,
            message: &finding.message,
            certainty: finding.certainty,
            platforms: &finding.platforms,
            source: finding.source,
            known: finding.suppressed.as_ref().map(|mark| {
                let by_file = mark.by == SuppressedBy::Config;
                let place = if by_file { mark.place.as_str() } else { "" };
                (mark.by, mark.reason.as_str(), place)
            }),
        };
        match finding.rule {
            // One block a cluster, under the worst verdict.
            Rule::OsNotPinned => {
                key.verdict = Verdict::Fails;
                key.image = "";
                key.message = "";
                key.certainty = Certainty::Certain;
                key.platforms = &[];
            }
            Rule::ImageUnreadable => {
                key.image = "";
                key.platforms = &[];
            }
            // Hundreds of images with one cause are one block, which names the image beside each place.
            Rule::ExecFormatError | Rule::NoMatchingPlatform | Rule::ImageNotFound => {
                key.image = "";
            }
            _ => {}
        }
        key
    }
}

fn block(out: &mut String, group: &Group<'_>, layout: &Layout) {
    let Some(first) = group.findings.first() else {
        return;
    };
    let (label, style) = match first.suppressed {
        None => label(first.verdict),
        Some(_) => ("IGNORED", Style::Faint),
    };
    // A block claims no more than the least certain of its findings.
    let certainty = group.findings.iter().map(|f| f.certainty).max();
    let certainty = certainty.unwrap_or(first.certainty);
    let certainty = match first.verdict {
        Verdict::Fails | Verdict::AtRisk if first.suppressed.is_some() => {
            format!(" ({}, {})", first.verdict.as_str(), certainty.as_str())
        }
        Verdict::Fails | Verdict::AtRisk => format!(" ({})", certainty.as_str()),
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
    if first.rule == Rule::OsNotPinned {
        line(out, "why", &os_not_pinned(group), layout);
    } else {
        line(out, "why", &shorten_digests(&first.message), layout);
    }
    if first.rule != Rule::NodeLabelMismatch {
        for text in nodes_of_places(group) {
            line(out, "nodes", &text, layout);
        }
    }
    let expect = expected(group);
    if !expect.is_empty() {
        line(out, "see", &shorten_digests(&expectations(&expect)), layout);
    }
    match &first.suppressed {
        None => line(out, "do", first.advice, layout),
        Some(mark) => line(out, "known", &known(mark), layout),
    }
    out.push('\n');
}

/// Who says that it is fine, and why.
fn known(mark: &Suppression) -> String {
    let until = mark.expires.as_ref();
    let until = until.map_or_else(String::new, |date| format!(", until {date}"));
    match mark.by {
        SuppressedBy::Annotation => format!("{} (annotation)", mark.reason),
        SuppressedBy::Config => format!("{} ({}{until})", mark.reason, mark.place),
        SuppressedBy::Baseline => mark.reason.clone(),
    }
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

fn os_not_pinned(group: &Group<'_>) -> String {
    let all = group.findings.iter().flat_map(|f| &f.platforms);
    let platforms: BTreeSet<&str> = all.map(String::as_str).collect();
    let platforms: Vec<&str> = platforms.into_iter().collect();
    format!(
        "the images are built for another OS than {}, and nothing keeps the pods off those nodes",
        platforms.join(", ")
    )
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
    let mut name = id(&finding.workload);
    if !finding.container.is_empty() && finding.container != finding.workload.name {
        let _ = write!(name, " [{}]", finding.container);
    }
    if finding.dormant {
        name.push_str(" (dormant)");
    }
    if let Some(location) = &finding.location {
        let _ = write!(name, " {}:{}", location.file, location.line);
    }
    name
}

fn id(id: &ObjectId) -> String {
    if id.namespace.is_empty() {
        format!("{}/{}", id.kind, id.name)
    } else {
        format!("{}/{}/{}", id.namespace, id.kind, id.name)
    }
}

/// How many different answers to "on which nodes" a block spells out.
const MOST_NODE_LINES: usize = 4;

/// The nodes of a block: one line where all its findings say the same, else a line for each answer, with its places.
fn nodes_of_places(group: &Group<'_>) -> Vec<String> {
    let mut answers: Vec<(String, Vec<String>)> = Vec::new();
    for finding in group.findings.iter().filter(|finding| finding.nodes > 0) {
        let (text, place) = (nodes(finding), id(&finding.workload));
        match answers.iter_mut().find(|(known, _)| *known == text) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => answers.push((text, vec![place])),
        }
    }
    if answers.len() < 2 {
        return answers.into_iter().map(|(text, _)| text).collect();
    }
    let more = answers.len().saturating_sub(MOST_NODE_LINES);
    let mut lines: Vec<String> = answers
        .iter()
        .take(MOST_NODE_LINES)
        .map(|(text, places)| {
            let named: Vec<String> = places.iter().take(2).cloned().collect();
            format!("{}: {text}", some_of(&named, places.len()))
        })
        .collect();
    if more > 0 {
        lines.push(format!(
            "and {more} more; -o wide and -o json have them all"
        ));
    }
    lines
}

/// What will be seen, over all findings of a block: their nodes may have other runtimes, their images other digests.
fn expected(group: &Group<'_>) -> Vec<Expectation> {
    let image = group.findings.first().map(|finding| &finding.image);
    let several = group
        .findings
        .iter()
        .any(|finding| Some(&finding.image) != image);
    let mut all: Vec<Expectation> = Vec::new();
    for expectation in group.findings.iter().flat_map(|finding| &finding.expect) {
        let mut expectation = expectation.clone();
        if several {
            expectation.text = mask_digests(&expectation.text);
        }
        if !all.contains(&expectation) {
            all.push(expectation);
        }
    }
    all
}

fn nodes(finding: &Finding) -> String {
    let platforms = finding.platforms.join(", ");
    match finding.source {
        "hypothetical" => format!("{platforms} (as named on the command line)"),
        "potential" => format!("{platforms}, which {} may start", finding.from.join(", ")),
        _ => format!(
            "{platforms}: {} of {} it may land on ({})",
            finding.nodes,
            finding.of_nodes,
            some_of(&finding.node_examples, finding.nodes)
        ),
    }
}

fn expectations(expect: &[Expectation]) -> String {
    let parts: Vec<String> = expect
        .iter()
        .map(|expectation| {
            let exit = expectation
                .exit_code
                .map(|code| format!(" (exit code {code})"))
                .unwrap_or_default();
            match expectation.seen {
                Seen::Status => format!("status {}{exit}", expectation.text),
                Seen::Event => format!("event \"{}\"{exit}", expectation.text),
                Seen::Log => format!("log \"{}\"{exit}", expectation.text),
            }
        })
        .collect();
    parts.join("; ")
}

fn unplaced(out: &mut String, workloads: &[WorkloadResult], layout: &Layout) {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    for workload in workloads
        .iter()
        .filter(|workload| workload.verdict == Verdict::Unplaced)
    {
        let reason = workload.reason.as_deref().unwrap_or_default();
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(id(&workload.id)),
            None => by_reason.push((reason, vec![id(&workload.id)])),
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
        let dormant = if workload.dormant { " (dormant)" } else { "" };
        let on = if workload.platforms.is_empty() {
            String::new()
        } else {
            format!("  on {}", workload.platforms.join(", "))
        };
        let _ = writeln!(
            out,
            "{verdict}{}{dormant}{}",
            clean(&id(&workload.id)),
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

/// What was scanned, in one sentence.
fn scope_line(report: &Report, scope: &Scope) -> String {
    let place = match &scope.source {
        Source::Cluster {
            context,
            namespace,
            targets,
        } => {
            let cluster = context.as_ref().map_or_else(
                || "the cluster".to_owned(),
                |name| format!("context {name}"),
            );
            let namespace = namespace.as_ref().map_or_else(
                || "all namespaces".to_owned(),
                |name| format!("namespace {name}"),
            );
            let targets = if targets.is_empty() {
                String::new()
            } else {
                format!("{} in ", targets.join(" "))
            };
            format!("{targets}{cluster}, {namespace}")
        }
        Source::Files(files) => some_of_files(files),
    };
    let summary = report.summary();
    clean(&format!(
        "Scanned {place}: {}, {}; {}.",
        count(summary.workloads, "workload"),
        count(summary.images, "image"),
        nodes_line(&report.platforms, &scope.nodes_from)
    ))
    .into_owned()
}

fn some_of_files(files: &[String]) -> String {
    match files {
        [] => "nothing".to_owned(),
        [one] if one == "-" => "standard input".to_owned(),
        [one] => one.clone(),
        many if many.len() <= 3 => many.join(", "),
        many => format!("{} files", many.len()),
    }
}

/// Which nodes, and where they come from.
fn nodes_line(platforms: &[PlatformRow], from: &[NodesFrom]) -> String {
    let mut parts = Vec::new();
    let existing: Vec<&PlatformRow> = platforms.iter().filter(|row| row.nodes > 0).collect();
    if !existing.is_empty() {
        let nodes: usize = existing.iter().map(|row| row.nodes).sum();
        let whose = if from.contains(&NodesFrom::Files) {
            "the files"
        } else {
            "the cluster"
        };
        let rows: Vec<String> = existing
            .iter()
            .map(|row| format!("{} {}", row.nodes, row.platform))
            .collect();
        parts.push(format!(
            "{} of {whose} ({})",
            count(nodes, "node"),
            rows.join(", ")
        ));
    }
    let named: Vec<String> = platforms
        .iter()
        .filter(|row| row.nodes == 0)
        .map(|row| format!("{} on {}", row.platform, row.runtimes.join(", ")))
        .collect();
    if !named.is_empty() {
        let flag = if from.contains(&NodesFrom::AddPlatform) {
            "--add-platform"
        } else {
            "--platform"
        };
        parts.push(format!("{flag} {}", named.join(", ")));
    }
    if parts.is_empty() {
        "no nodes".to_owned()
    } else {
        parts.join(" and ")
    }
}

fn summary_line(summary: &Summary, report: &Report, layout: &Layout) -> String {
    let mut parts = Vec::new();
    let mut part = |number: usize, words: &str, style: Style| {
        if number > 0 {
            parts.push(layout.paint.apply(style, &format!("{number} {words}")));
        }
    };
    part(
        summary.fails,
        if summary.fails == 1 { "fails" } else { "fail" },
        Style::Bad,
    );
    part(summary.at_risk, "at risk", Style::Risky);
    part(summary.unknown, "unknown", Style::Unclear);
    part(summary.unplaced, "on no node", Style::Faint);
    part(summary.ok, "ok", Style::Good);
    let not_seen = report
        .incomplete
        .iter()
        .filter(|entry| entry.matters)
        .count();
    let not_seen = if not_seen > 0 {
        format!(" {} could not be looked at.", count(not_seen, "thing"))
    } else {
        String::new()
    };
    let suppressed = match summary.suppressed {
        0 => String::new(),
        _ if layout.show_all => format!(" {} ignored.", count(summary.suppressed, "finding")),
        _ => format!(
            " {} ignored (--show all).",
            count(summary.suppressed, "finding")
        ),
    };
    if parts.is_empty() {
        return format!("No workloads found.{suppressed}{not_seen}");
    }
    format!(
        "{}: {}.{suppressed}{not_seen}",
        count(summary.workloads, "workload"),
        parts.join(", ")
    )
}
