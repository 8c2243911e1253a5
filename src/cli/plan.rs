//! `--plan`: everything but the asking.

use std::process::ExitCode;

use futures::StreamExt as _;

use super::args::{Args, OutputArgs};
use super::error::Failure;
use super::flags::OutputFlag;
use super::output::{self, Terminal};
use super::policy::Known;
use super::run::prepare;
use crate::model::{Incomplete, Plan, PlannedImage};
use crate::report;

/// A plan, and what it can't include.
pub(super) struct Planned {
    plan: Plan,
    incomplete: Vec<Incomplete>,
}

/// What asking for all images would cost. Pods with different pull secrets may each cost requests of their own; an image
/// is planned once for all.
///
/// # Errors
/// When nothing can be read that would have images.
pub(super) async fn plan(
    args: &Args,
    known: Known,
    outputs: &[OutputFlag],
) -> Result<Planned, Failure> {
    for output in outputs {
        report::plan::check(output.format).map_err(|error| Failure::new(error.to_string()))?;
    }
    let prepared = prepare(args, &known).await?;
    let registry = &prepared.registry;
    let images = futures::stream::iter(&prepared.wanted)
        .then(|(image, accesses)| async move {
            let mut dearest: Option<PlannedImage> = None;
            for access in accesses {
                let planned = registry.plan(image, access).await;
                let dearer = |known: &PlannedImage| planned.requests() > known.requests();
                if dearest.as_ref().is_none_or(dearer) {
                    dearest = Some(planned);
                }
            }
            dearest
        })
        .filter_map(std::future::ready);
    Ok(Planned {
        plan: Plan::of(images.collect().await),
        incomplete: prepared.inventory.incomplete,
    })
}

impl Planned {
    /// Writes the plan. What was not seen would cost more, and is no success.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(
        &self,
        outputs: &[OutputFlag],
        args: &OutputArgs,
        terminal: Terminal,
    ) -> Result<ExitCode, Failure> {
        for output in outputs {
            let layout = terminal.layout(args, output.file.is_none());
            let text = report::plan::render(&self.plan, &self.incomplete, output.format, &layout)
                .map_err(|error| Failure::new(error.to_string()))?;
            output::put(output, &text)?;
        }
        let matters = self.incomplete.iter().any(|entry| entry.matters);
        Ok(ExitCode::from(if matters && !args.allow_unknown {
            2
        } else {
            0
        }))
    }
}
