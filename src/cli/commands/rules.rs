//! `kubectl archcheck rules [RULE]`: what each rule means, and what to do.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::cli::args::RulesArgs;
use crate::cli::error::Failure;
use crate::cli::output;
use crate::verdict::Rule;

/// Prints one rule, or all of them.
///
/// # Errors
/// When there is no such rule.
pub(super) fn run(args: &RulesArgs) -> Result<ExitCode, Failure> {
    let mut out = String::new();
    let mut known = Rule::ALL.into_iter();
    let wanted = |rule: &Rule| args.rule.as_deref().is_none_or(|name| name == rule.name());
    for rule in known.by_ref().filter(wanted) {
        let _ = writeln!(
            out,
            "{:22} {:9} {}",
            rule.name(),
            rule.severity().as_str(),
            rule.advice()
        );
    }
    if out.is_empty() {
        let name = args.rule.as_deref().unwrap_or_default();
        return Err(
            Failure::new(format!("{name:?} is no rule")).hint("kubectl archcheck rules lists them")
        );
    }
    output::print(&out)?;
    Ok(ExitCode::SUCCESS)
}
