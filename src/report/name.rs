//! `-o name`: what kubectl can take again, e.g. `deployment.apps/web`.

use std::fmt::Write as _;

use super::clean;
use crate::model::ObjectId;
use crate::verdict::{Report, Verdict};

pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    for workload in &report.workloads {
        if matches!(workload.verdict, Verdict::Fails | Verdict::AtRisk) {
            let _ = writeln!(out, "{}", clean(&resource_name(&workload.id)));
        }
    }
    out
}

/// `kind[.group]/name`, as `kubectl get -o name` writes it.
fn resource_name(id: &ObjectId) -> String {
    let kind = id.kind.to_lowercase();
    match id.api_version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", id.name),
        None => format!("{kind}/{}", id.name),
    }
}
