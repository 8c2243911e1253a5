//! Marks what is known, and says which entries are of no use.

use std::collections::{HashMap, HashSet};

use super::annotation::{self, ANNOTATION, Entry};
use super::{Ignore, Policy};
use crate::model::{Incomplete, Location, ObjectId, Workload};
use crate::verdict::{Finding, Report, SuppressedBy, Suppression, Verdict};

/// Marks the findings that somebody knows about. Entries that are malformed, expired or of no use become notes.
pub fn apply(report: &mut Report, workloads: &[Workload], policy: &Policy) {
    let mut notes = Vec::new();
    if policy.annotations {
        annotations(report, workloads, &mut notes);
    }
    ignores(report, policy, &mut notes);
    report.incomplete.extend(notes);
    if let Some((name, baseline)) = &policy.baseline {
        baseline.apply(report, name, policy.whole);
    }
}

/// An object of a file; files may hold two of one name.
type Key<'a> = (&'a ObjectId, Option<&'a Location>);

fn annotations(report: &mut Report, workloads: &[Workload], notes: &mut Vec<Incomplete>) {
    // Few objects carry one.
    let mut carried: HashMap<Key<'_>, Vec<(Entry, bool)>> = HashMap::new();
    for workload in workloads {
        let (entries, broken) = annotation::entries(workload);
        for why in broken {
            notes.push(note(
                place(workload),
                format!("the annotation {ANNOTATION} is not understood: {why}"),
                "write it as \"RULE[,RULE…]: reason\"; until then it ignores nothing",
            ));
        }
        if !entries.is_empty() {
            let entries = entries.into_iter().map(|entry| (entry, false));
            carried.insert(
                (&workload.id, workload.location.as_ref()),
                entries.collect(),
            );
        }
    }
    let mut marks = Vec::new();
    for (at, finding) in report.findings.iter().enumerate() {
        let key = (&finding.workload, finding.object.as_ref());
        for (entry, used) in carried.get_mut(&key).into_iter().flatten() {
            if entry.rules.contains(finding.rule) {
                *used = true;
                let mark = Suppression {
                    by: SuppressedBy::Annotation,
                    reason: entry.reason.clone(),
                    place: object_place(&finding.workload, finding.object.as_ref()),
                    expires: None,
                };
                marks.push((at, mark));
            }
        }
    }
    let unread: HashSet<Key<'_>> = report
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Unknown)
        .map(|finding| (&finding.workload, finding.object.as_ref()))
        .collect();
    for (workload, result) in workloads.iter().zip(&report.workloads) {
        let key = (&workload.id, workload.location.as_ref());
        if !is_judged(result.verdict) || unread.contains(&key) {
            continue;
        }
        for (entry, _) in carried
            .get(&key)
            .into_iter()
            .flatten()
            .filter(|(_, used)| !used)
        {
            notes.push(note(
                place(workload),
                format!(
                    "its annotation {ANNOTATION} suppresses nothing: no {} was found",
                    entry.rules
                ),
                "remove the annotation",
            ));
        }
    }
    for (at, mark) in marks {
        if let Some(finding) = report.findings.get_mut(at) {
            finding.suppressed.get_or_insert(mark);
        }
    }
}

fn ignores(report: &mut Report, policy: &Policy, notes: &mut Vec<Incomplete>) {
    let mut fits = vec![0_usize; policy.ignores.len()];
    for finding in &mut report.findings {
        for (ignore, fits) in policy.ignores.iter().zip(&mut fits) {
            if !ignore.fits(finding) {
                continue;
            }
            *fits += 1;
            if !ignore.is_over(policy.today) {
                finding.suppressed.get_or_insert(Suppression {
                    by: SuppressedBy::Config,
                    reason: ignore.reason.clone(),
                    place: ignore.place.clone(),
                    expires: ignore.expires.map(|date| date.to_string()),
                });
            }
        }
    }
    for (ignore, fits) in policy.ignores.iter().zip(fits) {
        let what = || format!("{} (ignore {})", ignore.place, ignore.rules);
        if let Some(expires) = ignore.expires.filter(|_| ignore.is_over(policy.today)) {
            let count = match fits {
                0 => "no finding is left that it would fit".to_owned(),
                1 => "1 finding counts again".to_owned(),
                many => format!("{many} findings count again"),
            };
            let hint = if fits == 0 {
                "remove the entry"
            } else {
                "correct what is found, or give the entry another date"
            };
            notes.push(note(what(), format!("expired on {expires}; {count}"), hint));
        } else if fits == 0 && policy.whole && !may_still_fit(ignore, report) {
            notes.push(note(
                what(),
                "it suppresses nothing".to_owned(),
                "remove the entry, or correct what it is about",
            ));
        }
    }
}

/// Whether something could not be judged that the entry is about: then it may be of use after all.
fn may_still_fit(ignore: &Ignore, report: &Report) -> bool {
    let unread =
        |finding: &Finding| finding.verdict == Verdict::Unknown && ignore.fits_place(finding);
    report.findings.iter().any(unread)
        || report.workloads.iter().any(|workload| {
            let id = &workload.id;
            !is_judged(workload.verdict) && ignore.fits_object(&id.kind, &id.namespace, &id.name)
        })
}

fn is_judged(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Unknown | Verdict::Unplaced)
}

fn place(workload: &Workload) -> String {
    object_place(&workload.id, workload.location.as_ref())
}

/// `shop/Deployment/web (deploy.yaml:3)`.
fn object_place(id: &ObjectId, location: Option<&Location>) -> String {
    let name = if id.namespace.is_empty() {
        format!("{}/{}", id.kind, id.name)
    } else {
        format!("{}/{}/{}", id.namespace, id.kind, id.name)
    };
    match location {
        Some(location) => format!("{name} ({}:{})", location.file, location.line),
        None => name,
    }
}

fn note(what: String, why: String, hint: &str) -> Incomplete {
    Incomplete {
        what,
        why,
        hint: hint.to_owned(),
        matters: false,
    }
}
