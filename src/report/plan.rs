//! `--plan`: what a scan would ask of whom.

use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use super::text::{count, wrap};
use super::{Format, Layout, RenderError, clean};
use crate::model::{Incomplete, Plan, PlannedImage, Unasked};

/// A plan of kubectl archcheck.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanV1 {
    schema_version: u32,
    tool: Tool,
    plan: Body,
    incomplete: Vec<NotSeen>,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    requests: usize,
    docker_hub_pulls: usize,
    hosts: Vec<Host>,
    images: Vec<Image>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    host: String,
    images: usize,
    requests: usize,
    docker_hub_pulls: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image: String,
    /// In the order in which they would be asked.
    hosts: Vec<String>,
    requests: usize,
    docker_hub_pulls: usize,
    /// `cache` or `layout`, where one of these answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<&'static str>,
    /// Why it will be unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

#[derive(Debug, Serialize)]
struct NotSeen {
    what: String,
    why: String,
    hint: String,
}

/// Whether a plan can be written in a format.
///
/// # Errors
/// In formats that are about findings.
pub fn check(format: Format) -> Result<(), RenderError> {
    match format {
        Format::Table | Format::Wide | Format::Name | Format::Json | Format::Yaml => Ok(()),
        Format::Sarif | Format::Junit | Format::Github | Format::Markdown => {
            Err(RenderError::NoPlan)
        }
    }
}

/// Writes a plan in a format.
///
/// # Errors
/// In formats that are about findings.
pub fn render(
    plan: &Plan,
    incomplete: &[Incomplete],
    format: Format,
    layout: &Layout,
) -> Result<String, RenderError> {
    match format {
        Format::Json => Ok(serde_json::to_string_pretty(&v1(plan, incomplete))? + "\n"),
        Format::Yaml => serde_saphyr::to_string(&v1(plan, incomplete))
            .map_err(|error| RenderError::Yaml(error.to_string())),
        Format::Name => Ok(plan
            .images
            .iter()
            .map(|image| format!("{}\n", clean(&image.image)))
            .collect()),
        Format::Table | Format::Wide => Ok(text(plan, incomplete, layout)),
        Format::Sarif | Format::Junit | Format::Github | Format::Markdown => {
            Err(RenderError::NoPlan)
        }
    }
}

fn v1(plan: &Plan, incomplete: &[Incomplete]) -> PlanV1 {
    let text = |text: &str| clean(text).into_owned();
    PlanV1 {
        schema_version: 1,
        tool: Tool {
            name: "kubectl-archcheck",
            version: env!("CARGO_PKG_VERSION"),
        },
        plan: Body {
            requests: plan.requests(),
            docker_hub_pulls: plan.pulls(),
            hosts: plan
                .hosts
                .iter()
                .map(|host| Host {
                    host: text(&host.host),
                    images: host.images,
                    requests: host.requests,
                    docker_hub_pulls: host.pulls,
                })
                .collect(),
            images: plan
                .images
                .iter()
                .map(|image| Image {
                    image: text(&image.image),
                    hosts: image.asks.iter().map(|ask| text(&ask.host)).collect(),
                    requests: image.requests(),
                    docker_hub_pulls: image.pulls(),
                    answered_by: match image.unasked {
                        Some(Unasked::Layout) => Some("layout"),
                        Some(Unasked::Cache) => Some("cache"),
                        _ => None,
                    },
                    unknown: match &image.unasked {
                        Some(Unasked::Unknown(why)) => Some(text(why)),
                        _ => None,
                    },
                })
                .collect(),
        },
        incomplete: incomplete
            .iter()
            .map(|entry| NotSeen {
                what: text(&entry.what),
                why: text(&entry.why),
                hint: text(&entry.hint),
            })
            .collect(),
    }
}

fn text(plan: &Plan, incomplete: &[Incomplete], layout: &Layout) -> String {
    let mut lines = Vec::new();
    let mut paragraph = |text: &str| lines.extend(wrap(&clean(text), layout.width));
    let asked = plan.images.iter().filter(|image| image.unasked.is_none());
    if plan.hosts.is_empty() {
        paragraph(&format!(
            "A scan would ask no registry: {}.",
            count(plan.images.len(), "image")
        ));
    } else {
        let pulls = match plan.pulls() {
            0 => String::new(),
            pulls => format!(", {} on Docker Hub", count(pulls, "pull")),
        };
        paragraph(&format!(
            "A scan would ask {} for {}: at most {}{pulls}. What has to be asked for twice comes on top: after a failure, \
             with another login, or because an index does not say its platforms.",
            count(plan.hosts.len(), "host"),
            count(asked.count(), "image"),
            count(plan.requests(), "request"),
        ));
        let rows = plan.hosts.iter().map(|host| {
            let pulls = (host.pulls > 0).then(|| host.pulls.to_string());
            let pulls = pulls.unwrap_or_else(|| "-".to_owned());
            let host_name = clean(&host.host).into_owned();
            [
                host_name,
                host.images.to_string(),
                host.requests.to_string(),
                pulls,
            ]
        });
        lines.push(String::new());
        lines.extend(table(["HOST", "IMAGES", "REQUESTS", "PULLS"], rows, layout));
    }
    if !plan.images.is_empty() {
        lines.push(String::new());
        lines.extend(table(
            ["IMAGE", "REQUESTS", "PULLS", "ASKED AT"],
            plan.images.iter().map(row),
            layout,
        ));
    }
    for entry in incomplete {
        lines.push(String::new());
        let entry = format!("Not seen: {}: {}; {}.", entry.what, entry.why, entry.hint);
        lines.extend(wrap(&clean(&entry), layout.width));
    }
    lines.join("\n") + "\n"
}

fn row(image: &PlannedImage) -> [String; 4] {
    let hosts: Vec<&str> = image.asks.iter().map(|ask| ask.host.as_str()).collect();
    let place = match &image.unasked {
        None => hosts.join(", then "),
        Some(Unasked::Layout) => "--images".to_owned(),
        Some(Unasked::Cache) => "the cache".to_owned(),
        Some(Unasked::Unknown(why)) => format!("nobody: {why}"),
    };
    let pulls = match image.pulls() {
        0 => "-".to_owned(),
        pulls => pulls.to_string(),
    };
    [
        clean(&image.image).into_owned(),
        image.requests().to_string(),
        pulls,
        clean(&place).into_owned(),
    ]
}

/// Columns as kubectl prints them: as wide as their content, never broken.
fn table<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    layout: &Layout,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if layout.headers {
        table.set_header(header);
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}
