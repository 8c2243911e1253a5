//! The gate: whether a report lets a pipeline pass (DESIGN §2, exit codes).

use std::collections::HashMap;

use super::{Finding, Report, Verdict, WorkloadResult};
use crate::model::{Location, ObjectId};

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
        let counted = |finding: &&Finding| {
            finding.suppressed.is_none() && (self.count_dormant || !finding.dormant)
        };
        let mut counting = report.findings.iter().filter(counted);
        if threshold.is_some_and(|threshold| counting.any(|finding| finding.verdict <= threshold)) {
            return GateOutcome::Findings;
        }
        let unchecked = report.incomplete.iter().any(|entry| entry.matters)
            || Unknowns::of(report).any(|workload| self.count_dormant || !workload.dormant);
        if unchecked && !self.allow_unknown {
            GateOutcome::Unchecked
        } else {
            GateOutcome::Pass
        }
    }
}

/// What counts of the findings about each workload: what could not be checked matters where it could have made the
/// verdict worse, and nobody has said that it is known. `fails` can't get worse, unless that failure is suppressed.
#[derive(Default)]
struct Unknowns<'a> {
    by_workload: HashMap<(&'a ObjectId, Option<&'a Location>), Tally>,
}

#[derive(Default)]
struct Tally {
    unknown: bool,
    suppressed_unknown: bool,
    fails: bool,
    suppressed_fails: bool,
}

impl<'a> Unknowns<'a> {
    fn of(report: &'a Report) -> impl Iterator<Item = &'a WorkloadResult> {
        let mut all = Self::default();
        for finding in &report.findings {
            let key = (&finding.workload, finding.object.as_ref());
            let tally = all.by_workload.entry(key).or_default();
            let counts = finding.suppressed.is_none();
            match finding.verdict {
                Verdict::Unknown if counts => tally.unknown = true,
                Verdict::Unknown => tally.suppressed_unknown = true,
                Verdict::Fails if counts => tally.fails = true,
                Verdict::Fails => tally.suppressed_fails = true,
                Verdict::AtRisk | Verdict::Ok | Verdict::Unplaced => {}
            }
        }
        report
            .workloads
            .iter()
            .filter(move |workload| all.matter(workload))
    }

    fn matter(&self, workload: &WorkloadResult) -> bool {
        let key = (&workload.id, workload.location.as_ref());
        let Some(tally) = self.by_workload.get(&key) else {
            // Unknown without a finding: no node is known.
            return workload.verdict == Verdict::Unknown;
        };
        match workload.verdict {
            Verdict::Ok | Verdict::Unplaced => false,
            Verdict::Unknown => tally.unknown || !tally.suppressed_unknown,
            Verdict::AtRisk => tally.unknown,
            // It fails by its containers together, or by what counts; only a failure that is known hides nothing.
            Verdict::Fails => tally.unknown && !tally.fails && tally.suppressed_fails,
        }
    }
}
