//! Sentences about a whole report: what was scanned, and how it came out.

use super::clean;
use super::scope::{NodesFrom, Scope, Source};
use super::style::{Paint, Style};
use super::text::count;
use crate::verdict::{PlatformRow, Report};

/// What was scanned, in one sentence.
pub(super) fn scope(report: &Report, scope: &Scope) -> String {
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
    let offline = if scope.offline {
        "; no registry was asked (--offline)"
    } else {
        ""
    };
    clean(&format!(
        "Scanned {place}: {}, {}; {}{offline}.",
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

/// How many workloads have which verdict, in one sentence: the last line of a report.
/// `all` says that what is ignored is listed above.
pub(super) fn verdicts(report: &Report, paint: Paint, all: bool) -> String {
    let summary = report.summary();
    let mut parts = Vec::new();
    let mut part = |number: usize, words: &str, style: Style| {
        if number > 0 {
            parts.push(paint.apply(style, &format!("{number} {words}")));
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
        number if all => format!(" {} ignored.", count(number, "finding")),
        number => format!(" {} ignored (--show all).", count(number, "finding")),
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
