//! What somebody has said "I know" about (DESIGN §2, suppressing). A finding that is known stays in the report, marked;
//! it changes no verdict and does not count for the gate. Pure: entries, a report and today's date in, marks out.

mod annotation;
mod apply;
mod baseline;
mod ignore;
mod rules;
#[cfg(test)]
mod tests;

pub use annotation::ANNOTATION;
pub use apply::apply;
pub use baseline::{Baseline, BaselineError};
pub use ignore::{Glob, Ignore};
pub use jiff::civil::Date;
pub use rules::{RuleSet, RuleSetError};

/// What is known, and how to go by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The `ignore:` entries of the configuration file.
    pub ignores: Vec<Ignore>,
    /// What an earlier scan found, with the name of its file.
    pub baseline: Option<(String, Baseline)>,
    /// Whether annotations of objects count. A gate for changes by strangers must not let them.
    pub annotations: bool,
    /// Today, by which entries expire.
    pub today: Date,
    /// Whether all was scanned that the entries are about. In a part of it, an entry without use says nothing.
    pub whole: bool,
}
