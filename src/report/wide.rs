//! `-o wide`: one row a workload, container and class of nodes, for wide terminals and for `awk`.

use std::collections::HashSet;

use comfy_table::{ContentArrangement, Table};

use super::scope::Scope;
use super::text::shorten_digests;
use super::{Layout, clean, json, worst_first};
use crate::runtime::{NodeClass, Outcome, OutcomeKind};
use crate::verdict::{ContainerResult, Finding, Report, WorkloadResult};

const HEADER: [&str; 10] = [
    "VERDICT",
    "NAMESPACE",
    "KIND",
    "NAME",
    "CONTAINER",
    "TYPE",
    "IMAGE",
    "NODES",
    "OUTCOME",
    "REASON",
];

pub(super) fn render(report: &Report, _scope: &Scope, layout: &Layout) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if layout.headers {
        table.set_header(HEADER);
    }
    let known = Known::of(&report.findings);
    let mut rows = 0;
    for workload in worst_first(&report.workloads) {
        for container in &workload.containers {
            for (class, outcome) in &container.outcomes {
                let shown =
                    worth_showing(container, outcome) && !known.covers(workload, container, class);
                if layout.show_all || shown {
                    table.add_row(row(workload, container, class, outcome));
                    rows += 1;
                }
            }
        }
        if workload.containers.iter().all(|c| c.outcomes.is_empty()) {
            table.add_row(unplaced(workload));
            rows += 1;
        }
    }
    let mut out = String::new();
    if rows > 0 || layout.headers {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    for entry in &report.incomplete {
        out.push_str(&format!(
            "not seen: {}: {}\n",
            clean(&entry.what),
            clean(&entry.why)
        ));
    }
    out
}

/// What somebody knows about: kind, namespace, name, container, image, platform and source of findings that don't count.
struct Known<'a>(HashSet<[&'a str; 7]>);

impl<'a> Known<'a> {
    fn of(findings: &'a [Finding]) -> Self {
        let (known, news): (Vec<&Finding>, Vec<&Finding>) = findings
            .iter()
            .partition(|finding| finding.suppressed.is_some());
        let mut known: HashSet<_> = known.into_iter().flat_map(keys).collect();
        // Where one of two findings counts, the row stays.
        for key in news.into_iter().flat_map(keys) {
            known.remove(&key);
        }
        Self(known)
    }

    fn covers(
        &self,
        workload: &WorkloadResult,
        container: &ContainerResult,
        class: &NodeClass,
    ) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let id = &workload.id;
        self.0.contains(&[
            id.kind.as_str(),
            &id.namespace,
            &id.name,
            &container.name,
            &container.image,
            &class.platform.to_string(),
            class.origin.as_str(),
        ])
    }
}

fn keys(finding: &Finding) -> impl Iterator<Item = [&str; 7]> {
    let id = &finding.workload;
    finding.platforms.iter().map(move |platform| {
        [
            &id.kind,
            &id.namespace,
            &id.name,
            &finding.container,
            &finding.image,
            platform,
            finding.source,
        ]
    })
}

fn worth_showing(container: &ContainerResult, outcome: &Outcome) -> bool {
    container.role.counts() && outcome.kind != OutcomeKind::Runs
}

fn row(
    workload: &WorkloadResult,
    container: &ContainerResult,
    class: &NodeClass,
    outcome: &Outcome,
) -> Vec<String> {
    let nodes = format!("{},{}", class.platform, class.runtime);
    cells(
        workload,
        [
            &container.name,
            json::role(container.role),
            &shorten_digests(&container.image),
            &nodes,
            outcome.kind.as_str(),
            &shorten_digests(&outcome.reason),
        ],
    )
}

fn unplaced(workload: &WorkloadResult) -> Vec<String> {
    let reason = workload.reason.as_deref().unwrap_or_default();
    cells(workload, ["", "", "", "", "", reason])
}

/// The cells of a row; an empty one is a dash, so that `awk` counts alike in every row.
fn cells(workload: &WorkloadResult, rest: [&str; 6]) -> Vec<String> {
    let id = &workload.id;
    let first = [workload.verdict.as_str(), &id.namespace, &id.kind, &id.name];
    first
        .into_iter()
        .chain(rest)
        .map(|cell| {
            if cell.is_empty() {
                "-".to_owned()
            } else {
                clean(cell).into_owned()
            }
        })
        .collect()
}
