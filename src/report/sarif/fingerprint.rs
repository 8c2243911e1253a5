//! What makes a finding the same one in the next run: the rule, the workload, the container, the image without its tag.
//! Lines, nodes and wording may change.

use std::collections::HashMap;

use crate::image::{Digest, ImageRef};
use crate::verdict::Finding;

/// The fingerprint of each finding, in their order: a digest in hex, and a number behind it where several findings of
/// one file are the same (two objects of one name).
pub(super) fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    findings
        .iter()
        .map(|finding| {
            let hex = fingerprint(finding);
            let count = seen.entry(hex.clone()).or_default();
            *count += 1;
            if *count == 1 {
                hex
            } else {
                format!("{hex}:{count}")
            }
        })
        .collect()
}

fn fingerprint(finding: &Finding) -> String {
    let id = &finding.workload;
    let file = finding.location.as_ref().map_or("", |at| at.file.as_str());
    let image = image(&finding.image);
    // What can't stand in a name parts the fields, so that no two lists of fields give one text.
    let text = [
        finding.rule.name(),
        finding.source,
        file,
        &id.kind,
        &id.namespace,
        &id.name,
        &finding.container,
        &image,
    ]
    .join("\0");
    let digest = Digest::sha256_of(text.as_bytes()).to_string();
    digest.trim_start_matches("sha256:").to_owned()
}

/// A new tag or digest with the same fault is the same finding.
fn image(text: &str) -> String {
    match ImageRef::parse(text) {
        Ok(image) => format!(
            "{}/{}",
            image.registry.as_deref().unwrap_or_default(),
            image.repository
        ),
        Err(_) => text.to_owned(),
    }
}
