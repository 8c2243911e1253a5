//! Reports: a [`Report`] and its [`Scope`] in, text out. Nothing but this folder knows a
//! terminal, and nothing here reads one: width and colour are given.

mod clean;
mod ending;
mod github;
mod groups;
pub mod json;
mod junit;
mod markdown;
mod name;
pub mod plan;
pub mod rules;
mod sarif;
mod scope;
mod style;
mod summary;
mod table;
mod text;
mod wide;
mod words;

pub use clean::clean;
pub use ending::Ending;
pub use scope::{NodesFrom, Scope, Source};
pub use style::{Paint, Style};
pub use text::count;

use crate::verdict::{Report, WorkloadResult};

/// The formats of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people: findings grouped by cause.
    Table,
    /// For people and `awk`: one row a workload, container and class of nodes.
    Wide,
    /// `kind.group/name` of each workload that fails or is at risk.
    Name,
    /// The contract's JSON, version 1.
    Json,
    /// The same as YAML.
    Yaml,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for the test reports of CI systems.
    Junit,
    /// Workflow commands of GitHub Actions: annotations.
    Github,
    /// A comment for a pull request.
    Markdown,
}

/// How to lay a report out; shapes `table` and `wide` alone.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Width in columns; `None` never wraps (a pipe or a file).
    pub width: Option<usize>,
    /// Whether to colour.
    pub paint: Paint,
    /// Whether to list what is fine too.
    pub show_all: bool,
    /// Whether to print header lines.
    pub headers: bool,
}

/// Why a report could not be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// JSON.
    #[error("the report could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// YAML.
    #[error("the report could not be written as YAML: {0}")]
    Yaml(String),
    /// A format of findings, for a plan.
    #[error("a plan has no findings; its formats are table, name, json and yaml")]
    NoPlan,
}

/// Writes a report in a format.
///
/// # Errors
/// When a serialiser fails, which no report makes it do.
pub fn render(
    report: &Report,
    scope: &Scope,
    ending: Ending,
    format: Format,
    layout: &Layout,
) -> Result<String, RenderError> {
    match format {
        Format::Table => Ok(table::render(report, scope, layout)),
        Format::Wide => Ok(wide::render(report, scope, layout)),
        Format::Name => Ok(name::render(report)),
        Format::Json => Ok(serde_json::to_string_pretty(&json::v1(report, scope))? + "\n"),
        Format::Sarif => Ok(sarif::render(report, ending)?),
        Format::Junit => Ok(junit::render(report)),
        Format::Github => Ok(github::render(report)),
        Format::Markdown => Ok(markdown::render(report, scope, layout.show_all)),
        Format::Yaml => serde_saphyr::to_string(&json::v1(report, scope))
            .map_err(|error| RenderError::Yaml(error.to_string())),
    }
}

/// Workloads for people: the worst first, then in the report's order.
fn worst_first(workloads: &[WorkloadResult]) -> Vec<&WorkloadResult> {
    let mut sorted: Vec<&WorkloadResult> = workloads.iter().collect();
    sorted.sort_by_key(|workload| workload.verdict);
    sorted
}
