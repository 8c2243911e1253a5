//! Judges every workload: container by container, class of nodes by class of nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::answers::Answers;
use super::findings::{About, FindingBuilder, Observation};
use super::held::HeldImages;
use super::labels::label_mismatches;
use super::nodes::NodeClasses;
use super::pinned::{Pin, Pins};
use super::rules::{Rule, Severity};
use super::unverified::unverified;
use super::visible::Visible;
use super::{ContainerResult, Finding, ImageRow, Report, Verdict, WorkloadResult};
use crate::image::{ImageAnswer, ImageError, ImageFacts, ImageRef, ReferenceError, Shape};
use crate::model::{
    ContainerRole, Incomplete, Location, Node, NodeOrigin, Placer, PodSpec, PodTemplate,
    PullAccess, Workload,
};
use crate::placement::Placement;
use crate::runtime::{
    Cause, Certainty, Expectation, NodeClass, Outcome, OutcomeKind, PodContext, Seen, decide,
};

/// Everything that a judgement rests on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The workloads, sorted by id.
    pub workloads: &'a [Workload],
    /// For each workload, for each of its templates, where it may land.
    pub placements: &'a [Vec<Rc<Placement>>],
    /// The nodes that placements index.
    pub nodes: &'a [Node],
    /// Their classes.
    pub classes: &'a NodeClasses,
    /// Whether the nodes are known at all: `false` where they could not be listed and none was named.
    pub nodes_known: bool,
    /// What registries and layouts said.
    pub answers: &'a Answers,
    /// What was said about the tags beside digests ([`super::tags_beside_digests`]).
    pub tags: &'a Answers,
    /// What could not be seen.
    pub incomplete: Vec<Incomplete>,
}

/// Judges all workloads.
#[must_use]
pub fn judge(evidence: Evidence<'_>) -> Report {
    let held = HeldImages::collect(&evidence);
    let visible = Visible::collect(evidence.answers);
    let pins = Pins::collect([evidence.answers, evidence.tags]);
    let mut findings = label_mismatches(evidence.nodes);
    let mut workloads = Vec::with_capacity(evidence.workloads.len());
    // Many workloads share a placement; its nodes are grouped once.
    let mut known: HashMap<*const Placement, Rc<Groups>> = HashMap::new();
    for (workload, placements) in evidence.workloads.iter().zip(evidence.placements) {
        let groups = placements
            .iter()
            .map(|placement| {
                let group = || Rc::new(evidence.classes.group(&placement.nodes));
                Rc::clone(known.entry(Rc::as_ptr(placement)).or_insert_with(group))
            })
            .collect();
        let judged = WorkloadJudge {
            evidence: &evidence,
            held: &held,
            visible: &visible,
            pins: &pins,
            workload,
            placements,
            groups,
        }
        .judge();
        workloads.push(judged.0);
        findings.extend(judged.1);
    }
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut incomplete = evidence.incomplete;
    incomplete.extend(unverified(evidence.answers));
    Report {
        platforms: evidence.classes.rows(),
        images: image_rows(evidence.answers),
        workloads,
        findings,
        incomplete,
    }
}

/// Worst verdict first, then rules as listed, then by name.
fn order(finding: &Finding) -> impl Ord + '_ {
    (
        finding.verdict,
        finding.severity,
        finding.rule,
        &finding.image,
        &finding.workload,
        &finding.container,
        finding.source,
    )
}

fn image_rows(answers: &Answers) -> Vec<ImageRow> {
    let row = |(image, answer, namespaces): (&ImageRef, &ImageAnswer, Vec<String>)| {
        let facts = answer.result.as_ref().ok();
        ImageRow {
            image: image.to_string(),
            namespaces,
            digest: facts.map(|facts| facts.digest.to_string()),
            media_type: facts.map(|facts| facts.media_type.clone()),
            asked_at: answer.asked_at.clone(),
            credential: answer.credential,
            error: answer.result.as_ref().err().map(ToString::to_string),
            tried: answer.tried.clone(),
        }
    };
    answers.distinct().into_iter().map(row).collect()
}

struct WorkloadJudge<'a> {
    evidence: &'a Evidence<'a>,
    held: &'a HeldImages,
    visible: &'a Visible<'a>,
    pins: &'a Pins<'a>,
    workload: &'a Workload,
    placements: &'a [Rc<Placement>],
    /// The nodes of each placement, by class.
    groups: Vec<Rc<Groups>>,
}

/// Nodes by class.
type Groups = BTreeMap<u32, Vec<u32>>;

/// An image of a container, as far as it is known.
enum Known<'a> {
    Facts {
        image: &'a ImageRef,
        facts: &'a ImageFacts,
        /// The mirror that says so, if it is one.
        mirror: Option<&'a str>,
    },
    Failed {
        image: &'a ImageRef,
        error: &'a ImageError,
        /// The registry certainly does not have it.
        missing: bool,
    },
    Broken(ReferenceError),
    /// The object does not say which image it is; why not.
    Unresolved(&'a str),
    /// Never asked for: the workload lands nowhere.
    NotAsked,
}

impl<'a> WorkloadJudge<'a> {
    fn judge(&self) -> (WorkloadResult, Vec<Finding>) {
        let mut containers = Vec::new();
        let mut findings = Vec::new();
        // A workload is as badly off as the worst of its pods.
        let mut verdict = Verdict::Unplaced;
        let mut unknown_reason = None;
        let templates = self.workload.templates.iter().zip(self.placements);
        for ((template, placement), groups) in templates.zip(&self.groups) {
            let judged = self.template(template, &placement.nodes, groups);
            verdict = verdict.min(judged.verdict);
            unknown_reason = unknown_reason.or(judged.unknown);
            findings.extend(judged.findings);
            for container in judged.containers {
                merge(&mut containers, container);
            }
        }
        let (verdict, reason) = match verdict {
            _ if !self.evidence.nodes_known => (
                Verdict::Unknown,
                Some("no node is known; name platforms with --platform".to_owned()),
            ),
            Verdict::Unplaced => (verdict, Some(self.refusals())),
            Verdict::Unknown => (verdict, unknown_reason),
            Verdict::Fails | Verdict::AtRisk | Verdict::Ok => (verdict, None),
        };
        let platforms: BTreeSet<String> = self
            .groups
            .iter()
            .flat_map(|groups| groups.keys())
            .filter_map(|&class| self.evidence.classes.classes.get(class as usize))
            .map(|class| class.platform.to_string())
            .collect();
        let live_nodes: BTreeSet<String> = self
            .workload
            .pods
            .iter()
            .filter_map(|pod| pod.node.clone())
            .collect();
        let result = WorkloadResult {
            id: self.workload.id.clone(),
            location: self.workload.location.clone(),
            rendered: self.workload.rendered.clone(),
            dormant: self.workload.dormant,
            verdict,
            reason,
            platforms: platforms.into_iter().collect(),
            live_nodes: live_nodes.into_iter().collect(),
            containers,
        };
        (result, findings)
    }

    /// Judges one of the workload's pod templates, which may land on `nodes`.
    fn template(&self, template: &PodTemplate, nodes: &[u32], groups: &Groups) -> Judged {
        let mut containers = Vec::new();
        let mut findings = Vec::new();
        // The worst outcome of each node, over all containers that count.
        let mut worst: HashMap<u32, OutcomeKind> = nodes
            .iter()
            .map(|&node| (node, OutcomeKind::Runs))
            .collect();
        let mut unknown = None;
        let access = template.spec.pull_access(&self.workload.id.namespace);
        for subject in subjects(&template.spec) {
            let known = self.look_up(&subject, &access);
            let context = PodContext {
                has_command: !subject.command.is_empty(),
                runtime_class: template.spec.runtime_class_name.as_deref(),
            };
            let mut seen: Vec<(&NodeClass, Seeing)> = groups
                .iter()
                .filter_map(|(&class, members)| {
                    let class = self.evidence.classes.classes.get(class as usize)?;
                    Some((
                        class,
                        self.outcome(&known, &subject, context, class, members),
                    ))
                })
                .collect();
            let pin = self.pin(&known);
            for (class, seen) in &mut seen {
                if let Some(pin) = &pin
                    && pin.explains(&seen.outcome, context, class)
                {
                    seen.rule = Some(Rule::PinnedChild);
                    seen.message = Some(pin.what());
                }
            }
            if let Some(by) = &template.placed_by {
                leave_to(by, &mut seen);
            }
            let mut outcomes = Vec::new();
            let mut builder = FindingBuilder::default();
            for ((class, seen), members) in seen.into_iter().zip(groups.values()) {
                if subject.role.counts() {
                    for node in members {
                        if let Some(kind) = worst.get_mut(node) {
                            *kind = (*kind).max(seen.outcome.kind);
                        }
                    }
                    if seen.outcome.kind == OutcomeKind::Unknown && unknown.is_none() {
                        unknown = Some(seen.outcome.reason.clone());
                    }
                    if let Some(rule) = self.rule(&seen, &known, class, groups) {
                        let mut observed = self.observe(rule, &seen, &known, class);
                        if template.live_on.is_some() {
                            observed.message.push_str(
                                "; this is what live pods run, and not what their owner's template says",
                            );
                        }
                        builder.add(observed);
                    }
                }
                outcomes.push((class.clone(), seen.outcome));
            }
            if let Some(pin) = pin.filter(|_| subject.role.counts() && builder.is_empty()) {
                for (&class, members) in groups {
                    if let Some(class) = self.evidence.classes.classes.get(class as usize) {
                        builder.add(pin.warning(class, members));
                    }
                }
            }
            let about = About {
                workload: &self.workload.id,
                dormant: self.workload.dormant,
                container: subject.name,
                image: subject.image,
                of_nodes: nodes.len(),
                location: subject.location.or(self.workload.location.as_ref()),
                object: self.workload.location.as_ref(),
                rendered: &self.workload.rendered,
            };
            let name = |node: u32| {
                self.evidence
                    .nodes
                    .get(node as usize)
                    .map(|node| node.name.clone())
            };
            let covers = |failing: &[u32]| self.verdict_of(failing, nodes, template);
            findings.extend(builder.build(&about, name, covers));
            containers.push(self.container(&subject, &known, outcomes));
        }
        let failing: Vec<u32> = nodes
            .iter()
            .copied()
            .filter(|node| worst.get(node).is_some_and(|kind| kind.is_failure()))
            .collect();
        let any = |wanted: OutcomeKind| worst.values().any(|kind| *kind == wanted);
        let verdict = if nodes.is_empty() {
            Verdict::Unplaced
        } else if !failing.is_empty() {
            self.verdict_of(&failing, nodes, template)
        } else if any(OutcomeKind::Depends) {
            Verdict::AtRisk
        } else if any(OutcomeKind::Unknown) {
            Verdict::Unknown
        } else {
            Verdict::Ok
        };
        Judged {
            verdict,
            unknown,
            containers,
            findings,
        }
    }

    /// What failing on `failing` means for pods that may land on `nodes` (DESIGN §1).
    fn verdict_of(&self, failing: &[u32], nodes: &[u32], template: &PodTemplate) -> Verdict {
        let potential = |node: &u32| {
            let node = self.evidence.nodes.get(*node as usize);
            matches!(
                node.map(|node| &node.origin),
                Some(NodeOrigin::Potential(_))
            )
        };
        let certain_place = failing.iter().any(|node| !potential(node));
        let everywhere = failing.len() == nodes.len();
        // A DaemonSet must run on each of its nodes: failing on one is failing. Pods that differ from what their owner
        // wants now are some of its pods.
        let on_each = template.placer == Placer::DaemonSetController;
        if certain_place && (everywhere || on_each) && template.live_on.is_none() {
            Verdict::Fails
        } else {
            Verdict::AtRisk
        }
    }

    fn refusals(&self) -> String {
        let mut tally: BTreeMap<String, usize> = BTreeMap::new();
        for placement in self.placements {
            for (refusal, count) in &placement.refusals {
                *tally.entry(refusal.to_string()).or_default() += count;
            }
        }
        let mut most: Vec<_> = tally.into_iter().collect();
        most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let parts: Vec<_> = most
            .iter()
            .take(3)
            .map(|(refusal, count)| {
                format!("{refusal} ({count} of {} nodes)", self.evidence.nodes.len())
            })
            .collect();
        if parts.is_empty() {
            "there is no node".to_owned()
        } else {
            parts.join("; ")
        }
    }

    fn look_up<'s>(&self, subject: &Subject<'s>, access: &PullAccess) -> Known<'s>
    where
        'a: 's,
    {
        if let Some(why) = subject.unresolved {
            return Known::Unresolved(why);
        }
        let parsed = match ImageRef::parse(subject.image) {
            Ok(parsed) => parsed,
            Err(error) => return Known::Broken(error),
        };
        match self.evidence.answers.get(&parsed, access) {
            Some((image, answer)) => match &answer.result {
                Ok(facts) => Known::Facts {
                    image,
                    facts,
                    mirror: answer.mirror.then_some(answer.asked_at.as_str()),
                },
                Err(error) => Known::Failed {
                    image,
                    error,
                    missing: self.visible.is_missing(image, access, answer),
                },
            },
            None => Known::NotAsked,
        }
    }

    /// The index that was meant, where an image is pinned to a manifest out of it.
    fn pin(&self, known: &Known<'a>) -> Option<Pin<'a>> {
        let Known::Facts { image, facts, .. } = known else {
            return None;
        };
        match facts.shape {
            Shape::Manifest(_) => self.pins.pin(image, facts),
            Shape::Index(_) | Shape::Schema1 { .. } => None,
        }
    }

    fn outcome(
        &self,
        known: &Known<'_>,
        subject: &Subject<'_>,
        context: PodContext<'_>,
        class: &NodeClass,
        members: &[u32],
    ) -> Seeing {
        let all = |outcome| Seeing {
            outcome,
            rule: None,
            message: None,
            nodes: members.to_vec(),
            advice: None,
        };
        match known {
            Known::Facts { facts, mirror, .. } => {
                let mut outcome = decide(facts, context, class);
                // Who knows the image well would look for the mistake in the wrong place.
                if let (Some(mirror), false) = (mirror, outcome.kind == OutcomeKind::Runs) {
                    let at = format!("; so it is in the mirror {mirror}, which is asked first");
                    outcome.reason.push_str(&at);
                }
                all(if subject.data {
                    not_started(outcome)
                } else {
                    outcome
                })
            }
            Known::Unresolved(why) => Seeing {
                rule: Some(Rule::ImageUnreadable),
                advice: Some(
                    "scan again when the image is filled in: in the cluster it is seen as soon as a pod runs it",
                ),
                ..all(unread((*why).to_owned()))
            },
            Known::Broken(error) => Seeing {
                rule: Some(Rule::InvalidReference),
                advice: ImageRef::looks_unrendered(subject.image).then_some(
                    "render the template first, as with helm template or kustomize build",
                ),
                ..all(invalid_reference(
                    subject.image,
                    error,
                    self.workload.location.is_some(),
                ))
            },
            Known::NotAsked => all(unread("the image was not asked for".to_owned())),
            Known::Failed {
                error: error @ ImageError::NotFound { .. },
                missing: false,
                ..
            } => Seeing {
                rule: Some(Rule::ImageUnreadable),
                advice: Some(error.advice()),
                ..all(unread(format!(
                    "{error}, or hides it: nothing else of the repository could be read"
                )))
            },
            Known::Failed { image, error, .. } => {
                self.failed(image, error, subject, class, members)
            }
        }
    }

    fn failed(
        &self,
        image: &ImageRef,
        error: &ImageError,
        subject: &Subject<'_>,
        class: &NodeClass,
        members: &[u32],
    ) -> Seeing {
        let seeing = |rule, outcome, nodes| Seeing {
            outcome,
            rule: Some(rule),
            message: None,
            nodes,
            advice: Some(error.advice()),
        };
        if !matches!(error, ImageError::NotFound { .. }) {
            let outcome = unread(error.to_string());
            return seeing(Rule::ImageUnreadable, outcome, members.to_vec());
        }
        let preloaded = "preloaded on the node; give it with --images";
        let without: Vec<u32> = members
            .iter()
            .copied()
            .filter(|&node| {
                let name = self
                    .evidence
                    .nodes
                    .get(node as usize)
                    .map_or("", |node| &node.name);
                !self.held.holds(name, image)
            })
            .collect();
        if subject.never_pulled || without.is_empty() {
            let outcome = unread(format!("{error}, but it may be {preloaded}"));
            return seeing(Rule::ImageUnreadable, outcome, members.to_vec());
        }
        let outcome = Outcome {
            kind: OutcomeKind::PullFails,
            certainty: Certainty::Certain,
            cause: Cause::Unread,
            reason: error.to_string(),
            expect: vec![
                status("ImagePullBackOff"),
                Expectation {
                    seen: Seen::Event,
                    text: match class.runtime.name {
                        crate::model::RuntimeName::Containerd => format!("{image}: not found"),
                        _ => "manifest unknown".to_owned(),
                    },
                    exit_code: None,
                },
            ],
        };
        seeing(Rule::ImageNotFound, outcome, without)
    }

    /// The rule that speaks for an outcome, if any does.
    fn rule(
        &self,
        seen: &Seeing,
        known: &Known<'_>,
        class: &NodeClass,
        groups: &BTreeMap<u32, Vec<u32>>,
    ) -> Option<Rule> {
        if let Some(rule) = seen.rule {
            return Some(rule);
        }
        let rule = match (seen.outcome.kind, seen.outcome.cause) {
            (OutcomeKind::Runs, _) => return None,
            (OutcomeKind::Fallback, _) => Rule::FallbackPlatform,
            (OutcomeKind::Depends, Cause::Mislabelled) => Rule::MislabelledImage,
            (OutcomeKind::Depends, _) | (OutcomeKind::Unknown, Cause::NodeUnsaid) => {
                Rule::RuntimeDependent
            }
            (OutcomeKind::Unknown, _) => Rule::ImageUnreadable,
            (_, Cause::NoMatch) | (OutcomeKind::PullFails, Cause::ForeignManifest) => {
                Rule::NoMatchingPlatform
            }
            (_, Cause::Unsupported) => Rule::UnsupportedImage,
            (_, Cause::MissingChild) => Rule::MissingChild,
            (_, Cause::Mislabelled) => Rule::MislabelledImage,
            (_, _) => Rule::ExecFormatError,
        };
        if let Known::Facts { facts, .. } = known
            && self.lands_on_image_os_too(facts, class, groups)
        {
            return Some(Rule::OsNotPinned);
        }
        Some(rule)
    }

    /// Whether the image is for another OS than this class, and the pod may also land on nodes of the image's OS:
    /// then what is wrong is that the pod does not say which OS it needs.
    fn lands_on_image_os_too(
        &self,
        facts: &ImageFacts,
        class: &NodeClass,
        groups: &BTreeMap<u32, Vec<u32>>,
    ) -> bool {
        let offered = offered_os(facts);
        is_foreign_os(&offered, class)
            && groups
                .keys()
                .filter_map(|&class| self.evidence.classes.classes.get(class as usize))
                .any(|other| offered.contains(&other.platform.os))
    }

    fn observe(
        &self,
        rule: Rule,
        seen: &Seeing,
        known: &Known<'_>,
        class: &'a NodeClass,
    ) -> Observation<'a> {
        let verdict = match seen.outcome.kind {
            kind if kind.is_failure() => Verdict::Fails,
            OutcomeKind::Depends => Verdict::AtRisk,
            OutcomeKind::Unknown => Verdict::Unknown,
            _ => Verdict::Ok,
        };
        // Where a rule has two severities, the worse is for what fails.
        let milder = rule.page().milder.filter(|_| verdict != Verdict::Fails);
        let severity = match verdict {
            Verdict::Unknown => Severity::Unknown,
            _ => milder.unwrap_or(rule.severity()),
        };
        let potential = matches!(class.origin, NodeOrigin::Potential(_));
        let certainty = if potential {
            seen.outcome.certainty.max(Certainty::Likely)
        } else {
            seen.outcome.certainty
        };
        // Nodes of another OS have the same architecture labels: a selector on these would change nothing.
        let other_os =
            matches!(known, Known::Facts { facts, .. } if is_foreign_os(&offered_os(facts), class));
        let speaks_of_arch = matches!(rule, Rule::ExecFormatError | Rule::NoMatchingPlatform);
        let pin_os = (other_os && speaks_of_arch).then_some(
            "use an image built for these nodes' OS, or keep the pods off them: nodeSelector kubernetes.io/os",
        );
        Observation {
            rule,
            severity,
            origin: &class.origin,
            platform: class.platform.to_string(),
            nodes: seen.nodes.clone(),
            message: seen
                .message
                .as_ref()
                .unwrap_or(&seen.outcome.reason)
                .clone(),
            expect: seen.outcome.expect.clone(),
            certainty,
            verdict,
            advice: seen.advice.or(pin_os).or_else(|| {
                (seen.outcome.cause == Cause::NodeUnsaid).then_some(
                    "wait until the node's kubelet has reported, or label the node with kubernetes.io/arch and kubernetes.io/os",
                )
            }),
        }
    }

    fn container(
        &self,
        subject: &Subject<'_>,
        known: &Known<'_>,
        outcomes: Vec<(NodeClass, Outcome)>,
    ) -> ContainerResult {
        let facts = match known {
            Known::Facts { facts, .. } => Some(*facts),
            _ => None,
        };
        ContainerResult {
            name: subject.name.to_owned(),
            role: subject.role,
            image: subject.image.to_owned(),
            digest: facts.map(|facts| facts.digest.to_string()),
            image_platforms: facts
                .map(|facts| facts.platforms().iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            outcomes,
        }
    }
}

/// The operating systems that an image is built for, in lower case.
fn offered_os(facts: &ImageFacts) -> HashSet<String> {
    let platforms = facts.platforms().into_iter();
    platforms
        .map(|platform| platform.os.to_lowercase())
        .collect()
}

/// Whether an image, of which something is known, is for no such OS.
fn is_foreign_os(offered: &HashSet<String>, class: &NodeClass) -> bool {
    !offered.is_empty() && !offered.contains(&class.platform.os)
}

/// What became of one pod template.
struct Judged {
    verdict: Verdict,
    /// Why something is unknown, if it is.
    unknown: Option<String>,
    containers: Vec<ContainerResult>,
    findings: Vec<Finding>,
}

/// An outcome with the nodes that it is true of.
struct Seeing {
    outcome: Outcome,
    /// The rule, where the outcome's cause alone doesn't tell.
    rule: Option<Rule>,
    /// What a finding says, where that is more than the outcome's reason.
    message: Option<String>,
    nodes: Vec<u32>,
    /// Better advice than the rule's own.
    advice: Option<&'static str>,
}

/// A container or image volume to judge.
struct Subject<'a> {
    name: &'a str,
    role: ContainerRole,
    image: &'a str,
    command: &'a [String],
    never_pulled: bool,
    /// Why the object does not say which image it is.
    unresolved: Option<&'a str>,
    /// No program of the image is started.
    data: bool,
    location: Option<&'a Location>,
}

fn subjects(spec: &PodSpec) -> Vec<Subject<'_>> {
    let containers = spec.all_containers().map(|(role, container)| Subject {
        name: &container.name,
        role,
        image: &container.image,
        command: &container.command,
        never_pulled: container.image_pull_policy.as_deref() == Some("Never"),
        unresolved: container.unresolved.as_deref(),
        data: container.data,
        location: container.location.as_ref(),
    });
    let volumes = spec.volumes.iter().filter_map(|volume| {
        let image = volume
            .image
            .as_ref()
            .filter(|image| !image.reference.is_empty())?;
        Some(Subject {
            name: &volume.name,
            role: ContainerRole::ImageVolume,
            image: &image.reference,
            command: &[],
            never_pulled: false,
            unresolved: None,
            data: true,
            location: volume.location.as_ref(),
        })
    });
    containers.chain(volumes).collect()
}

/// Adds a container's outcomes to those of another template of the same workload.
fn merge(containers: &mut Vec<ContainerResult>, new: ContainerResult) {
    let same = containers
        .iter_mut()
        .find(|old| old.name == new.name && old.role == new.role && old.image == new.image);
    let Some(old) = same else {
        containers.push(new);
        return;
    };
    for (class, outcome) in new.outcomes {
        if !old.outcomes.iter().any(|(known, _)| *known == class) {
            old.outcomes.push((class, outcome));
        }
    }
    old.outcomes.sort_by(|a, b| a.0.cmp(&b.0));
}

/// Where something else decides where pods land, failing on some nodes may never happen: only failing everywhere does.
fn leave_to(by: &str, seen: &mut [(&NodeClass, Seeing)]) {
    if seen.iter().all(|(_, seen)| seen.outcome.kind.is_failure()) {
        return;
    }
    for (_, seen) in seen {
        if seen.outcome.kind.is_failure() {
            seen.outcome.reason = format!(
                "{}; whether it lands there is up to {by}",
                seen.outcome.reason
            );
            seen.outcome.kind = OutcomeKind::Depends;
            seen.outcome.certainty = Certainty::Depends;
            seen.advice = Some(
                "use an image built for these nodes too, or keep the pods off them: nodeSelector kubernetes.io/arch",
            );
        }
    }
}

/// An image that is pulled, and of which no program is started: the disk of a virtual machine.
fn not_started(outcome: Outcome) -> Outcome {
    if outcome.kind != OutcomeKind::ExecFails {
        return outcome;
    }
    Outcome {
        kind: OutcomeKind::Depends,
        certainty: Certainty::Depends,
        reason: format!(
            "{}; no program of it is started, its files are used",
            outcome.reason
        ),
        expect: Vec::new(),
        ..outcome
    }
}

fn unread(reason: String) -> Outcome {
    Outcome {
        kind: OutcomeKind::Unknown,
        certainty: Certainty::Depends,
        cause: Cause::Unread,
        reason,
        expect: Vec::new(),
    }
}

fn status(text: &str) -> Expectation {
    Expectation {
        seen: Seen::Status,
        text: text.to_owned(),
        exit_code: None,
    }
}

/// In a file an unrendered template is work in progress; in a cluster the kubelet refuses it like any other text.
fn invalid_reference(image: &str, error: &ReferenceError, from_file: bool) -> Outcome {
    if from_file && ImageRef::looks_unrendered(image) {
        return unread("the image is an unrendered template; render it first".to_owned());
    }
    let reason = if image.is_empty() {
        "the container names no image".to_owned()
    } else {
        format!("the kubelet can't parse this image: {error}")
    };
    Outcome {
        kind: OutcomeKind::PullFails,
        certainty: Certainty::Certain,
        cause: Cause::Unread,
        reason,
        expect: vec![status("InvalidImageName")],
    }
}
