//! The gate: whether a report lets a pipeline pass (DESIGN §2, exit codes).

use super::{Report, Verdict};

/// From which verdict on the gate closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// `at-risk` or worse.
    AtRisk,
    /// `fails` only.
    Fails,
    /// Never.
    Never,
}

/// What the gate goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// From which verdict on it closes.
    pub fail_on: FailOn,
    /// What could not be checked is let pass.
    pub allow_unknown: bool,
    /// Dormant workloads count too (with `-f`: a manifest is about to be applied).
    pub count_dormant: bool,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateOutcome {
    /// Checked, nothing at or above the threshold.
    Pass,
    /// Findings at or above the threshold.
    Findings,
    /// No such finding, but something could not be checked that could have changed a verdict.
    Unchecked,
}

impl Gate {
    /// Judges a report.
    #[must_use]
    pub fn outcome(&self, report: &Report) -> GateOutcome {
        let threshold = match self.fail_on {
            FailOn::AtRisk => Some(Verdict::AtRisk),
            FailOn::Fails => Some(Verdict::Fails),
            FailOn::Never => None,
        };
        let mut counted = report
            .findings
            .iter()
            .filter(|finding| self.count_dormant || !finding.dormant);
        if threshold.is_some_and(|threshold| counted.any(|finding| finding.verdict <= threshold)) {
            return GateOutcome::Findings;
        }
        let unchecked = report.incomplete.iter().any(|entry| entry.matters)
            || report.workloads.iter().any(|workload| {
                (self.count_dormant || !workload.dormant) && could_get_worse(workload)
            });
        if unchecked && !self.allow_unknown {
            GateOutcome::Unchecked
        } else {
            GateOutcome::Pass
        }
    }
}

/// Whether something unknown about a workload could have made its verdict worse: `fails` can't get worse.
fn could_get_worse(workload: &super::WorkloadResult) -> bool {
    use crate::runtime::OutcomeKind;
    match workload.verdict {
        Verdict::Fails | Verdict::Ok | Verdict::Unplaced => false,
        Verdict::Unknown => true,
        Verdict::AtRisk => workload.containers.iter().any(|container| {
            container.role.counts()
                && container
                    .outcomes
                    .iter()
                    .any(|(_, outcome)| outcome.kind == OutcomeKind::Unknown)
        }),
    }
}
