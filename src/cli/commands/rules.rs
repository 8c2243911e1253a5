//! `kubectl archcheck rules [RULE]`: what each rule means, and what to do.

use std::process::ExitCode;

use crate::cli::args::{DocumentFormat, RulesArgs};
use crate::cli::error::Failure;
use crate::cli::output::{self, Terminal};
use crate::report::rules;
use crate::verdict::Rule;

/// Prints one rule in full, or a list of all.
///
/// # Errors
/// When there is no such rule.
pub(super) fn run(args: &RulesArgs) -> Result<ExitCode, Failure> {
    let wanted = match args.rule.as_deref() {
        None => None,
        Some(name) => Some(Rule::named(name).ok_or_else(|| {
            Failure::new(format!("{name:?} is no rule")).hint("kubectl archcheck rules lists them")
        })?),
    };
    let terminal = Terminal::here();
    let (width, paint) = (terminal.text_width(), terminal.paint(args.color, true));
    let out = match (args.output, wanted) {
        (DocumentFormat::Json, None) => json(Rule::ALL)?,
        (DocumentFormat::Json, Some(rule)) => json(&[rule])?,
        (DocumentFormat::Text, None) => rules::list(width, paint),
        (DocumentFormat::Text, Some(rule)) => rules::text(rule, width, paint),
    };
    output::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn json(rules: &[Rule]) -> Result<String, Failure> {
    rules::json(rules).map_err(|error| Failure::new(error.to_string()))
}
