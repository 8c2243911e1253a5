//! A finding in words, for formats that have one place for all of it.

use super::text::shorten_digests;
use crate::model::{ObjectId, Rendered};
use crate::runtime::{Certainty, Expectation, Seen};
use crate::verdict::{Finding, SuppressedBy, Suppression, Verdict};

/// `shop/Deployment/web`, or `Node/a` for what has no namespace.
pub(super) fn object(id: &ObjectId) -> String {
    if id.namespace.is_empty() {
        format!("{}/{}", id.kind, id.name)
    } else {
        format!("{}/{}/{}", id.namespace, id.kind, id.name)
    }
}

/// ` (helm hook pre-install)`: the pod runs only then.
pub(super) fn hooks(rendered: &Rendered) -> String {
    if rendered.hooks.is_empty() {
        String::new()
    } else {
        format!(" (helm hook {})", rendered.hooks.join(", "))
    }
}

/// What is wrong, in one sentence without a full stop:
/// `shop/Deployment/web [app] fails on linux/arm64 (2 of 4 nodes): the index has images for linux/amd64 only`.
pub(super) fn headline(finding: &Finding) -> String {
    let mut place = object(&finding.workload);
    if !finding.container.is_empty() {
        place = format!("{place} [{}]", finding.container);
    }
    place.push_str(&hooks(&finding.rendered));
    let happens = match finding.verdict {
        Verdict::Fails | Verdict::AtRisk if finding.certainty == Certainty::Depends => "may fail",
        Verdict::Fails | Verdict::AtRisk => "fails",
        Verdict::Unknown => "could not be checked",
        Verdict::Ok | Verdict::Unplaced => return format!("{place}: {}", finding.message),
    };
    format!(
        "{place} {happens} on {}: {}",
        nodes(finding),
        finding.message
    )
}

/// `linux/arm64 (2 of 4 nodes)`, `linux/arm64`, `linux/arm64 (NodePool/spot may start it)`.
fn nodes(finding: &Finding) -> String {
    let platforms = finding.platforms.join(", ");
    match finding.source {
        "hypothetical" => platforms,
        "potential" => format!("{platforms} ({} may start it)", finding.from.join(", ")),
        _ => format!(
            "{platforms} ({} of {} nodes)",
            finding.nodes, finding.of_nodes
        ),
    }
}

/// All else that there is to say about a finding, as label and text.
pub(super) fn details(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    if !finding.image.is_empty() {
        details.push(("image", finding.image.clone()));
    }
    if let Some(template) = &finding.rendered.template {
        details.push(("from", template.clone()));
    }
    if !finding.expect.is_empty() {
        let seen: Vec<String> = finding.expect.iter().map(expectation).collect();
        details.push(("see", shorten_digests(&seen.join("; "))));
    }
    match &finding.suppressed {
        None => details.push(("do", finding.advice.to_owned())),
        Some(mark) => details.push(("known", known(mark))),
    }
    details
}

/// `event "no match for platform in manifest: not found"`.
pub(super) fn expectation(expectation: &Expectation) -> String {
    let exit = expectation
        .exit_code
        .map(|code| format!(" (exit code {code})"))
        .unwrap_or_default();
    match expectation.seen {
        Seen::Status => format!("status {}{exit}", expectation.text),
        Seen::Event => format!("event \"{}\"{exit}", expectation.text),
        Seen::Log => format!("log \"{}\"{exit}", expectation.text),
    }
}

/// Who says that a finding is fine, and why.
pub(super) fn known(mark: &Suppression) -> String {
    let until = mark.expires.as_ref();
    let until = until.map_or_else(String::new, |date| format!(", until {date}"));
    match mark.by {
        SuppressedBy::Annotation => format!("{} (annotation)", mark.reason),
        SuppressedBy::Config => format!("{} ({}{until})", mark.reason, mark.place),
        SuppressedBy::Baseline => mark.reason.clone(),
    }
}
