//! One scan, from input to exit code. Read it top down: inventory → nodes → placements → images → verdicts → what is
//! known → report.

use std::process::ExitCode;
use std::rc::Rc;

use tokio::time::Instant;

use super::args::{Args, FailOnFlag};
use super::error::Failure;
use super::nodes::hypothetical;
use super::policy::Known;
use super::stop::{self, Stop};
use super::{ask, output};
use crate::input::Reader;
use crate::model::{Inventory, Node, Workload};
use crate::placement::{Placement, Scheduler};
use crate::registry::Registry;
use crate::report::{Ending, NodesFrom, Scope};
use crate::runtime::picks;
use crate::verdict::{
    Answers, Evidence, FailOn, Gate, GateOutcome, NodeClasses, Report, judge, tags_beside_digests,
};

/// Runs a scan and prints its reports.
///
/// # Errors
/// When nothing could be checked at all.
pub(super) fn run(args: Args) -> Result<ExitCode, Failure> {
    let outputs = output::plan(&args.output)?;
    let known = super::policy::read(&args)?;
    let terminal = output::Terminal::here();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no thread could be started: {error}")))?;
    if args.images.plan {
        let planned = runtime.block_on(super::plan::plan(&args, known, &outputs))?;
        runtime.shutdown_background();
        return planned.write(&outputs, &args.output, terminal);
    }
    let (report, scope, ended) = runtime.block_on(scan(&args, known))?;
    // A blocked credential plugin must not hold up the exit.
    runtime.shutdown_background();
    let accepted = match &args.known.write_baseline {
        Some(file) if ended.is_none() => Some(super::policy::write_baseline(file, &report)?),
        // What was not looked at would be new again the next time.
        Some(file) => {
            tracing::warn!(
                "the baseline {} was not written: the run ended early",
                file.display()
            );
            None
        }
        None => None,
    };
    let counted = accepted.as_ref().unwrap_or(&report);
    let code = ended.and_then(Stop::exit_code);
    let ending = Ending(code.unwrap_or_else(|| exit_code(&args, counted)));
    output::write(&report, &scope, ending, &outputs, &args.output, terminal)?;
    Ok(ExitCode::from(ending.0))
}

/// All that comes before asking for images.
pub(super) struct Prepared {
    pub(super) inventory: Inventory,
    scope: Scope,
    nodes_known: bool,
    placements: Vec<Vec<Rc<Placement>>>,
    pub(super) registry: Registry,
    pub(super) wanted: ask::Wanted,
    deadline: Option<Instant>,
}

pub(super) async fn prepare(args: &Args, known: &Known) -> Result<Prepared, Failure> {
    let deadline = stop::deadline(args.images.timeout);
    let registry = super::images::registry(&args.images, args.kubernetes.cache_dir.as_deref())?;
    let reader = Reader::new(known.kinds.clone(), args.select.hidden_images);
    let reading = super::inventory::read(args, &reader);
    let (mut inventory, mut scope, secrets) = match deadline {
        None => reading.await?,
        Some(deadline) => tokio::time::timeout_at(deadline, reading)
            .await
            .map_err(|_| {
                Failure::new("the time that --timeout allows was up before everything was listed")
                    .hint("allow more, or scan one namespace with -n")
            })??,
    };
    let registry = registry.with_mirror_sets(&inventory.mirror_sets);
    let nodes_known = add_hypothetical_nodes(args, &mut inventory, &mut scope);
    let placements = place(&inventory.workloads, &inventory.nodes);
    let registry = secrets.give_to(registry, args.images.pull_secrets);
    let wanted = ask::wanted(&inventory.workloads, &placements);
    Ok(Prepared {
        inventory,
        scope,
        nodes_known,
        placements,
        registry,
        wanted,
        deadline,
    })
}

async fn scan(args: &Args, known: Known) -> Result<(Report, Scope, Option<Stop>), Failure> {
    let Prepared {
        mut inventory,
        mut scope,
        nodes_known,
        placements,
        mut registry,
        wanted,
        deadline,
    } = prepare(args, &known).await?;
    let binfmt = crate::verdict::emulator_installer(&inventory.workloads);
    let classes = NodeClasses::of(&inventory.nodes, binfmt.as_deref());
    if args.images.verify {
        let classes = classes.classes.clone();
        registry = registry.verifying(move |index| {
            let picks = classes.iter().flat_map(|class| picks(index, class));
            picks.collect()
        });
    }
    let (answers, mut ended) = ask::ask(&registry, wanted, deadline).await;
    let mut tags = Answers::default();
    if ended.is_none() {
        let more = tags_beside_digests(&inventory.workloads, &placements, &classes, &answers);
        (tags, ended) = ask::ask(&registry, more, deadline).await;
    }
    registry.trim_cache();
    inventory.incomplete.extend(registry.incomplete());
    let mut report = judge(Evidence {
        workloads: &inventory.workloads,
        placements: &placements,
        nodes: &inventory.nodes,
        classes: &classes,
        nodes_known,
        answers: &answers,
        tags: &tags,
        incomplete: inventory.incomplete,
    });
    crate::policy::apply(&mut report, &inventory.workloads, &known.policy);
    scope.config = known.config;
    scope.baseline = known.policy.baseline.map(|(name, _)| name);
    Ok((report, scope, ended))
}

/// Puts the user's platforms in the place of the nodes (`--platform`), or beside them (`--add-platform`), and says
/// whether any node is known now: a cluster without nodes is known, one that hides them is not.
fn add_hypothetical_nodes(args: &Args, inventory: &mut Inventory, scope: &mut Scope) -> bool {
    let named: Vec<Node> = args
        .nodes
        .platform
        .iter()
        .chain(&args.nodes.add_platform)
        .map(|platform| hypothetical(platform, &args.nodes.runtime))
        .collect();
    if !args.nodes.platform.is_empty() {
        inventory.nodes.clear();
        scope.nodes_from.clear();
    }
    if !named.is_empty() {
        scope.nodes_from.push(if args.nodes.platform.is_empty() {
            NodesFrom::AddPlatform
        } else {
            NodesFrom::Platform
        });
        inventory.nodes.extend(named);
    }
    for node in &mut inventory.nodes {
        if node.runtime.name == crate::model::RuntimeName::Other(String::new()) {
            node.runtime = args.nodes.runtime.clone();
        }
    }
    !inventory.nodes.is_empty() || inventory.nodes_listed
}

/// Where each template of each workload may land.
fn place(workloads: &[Workload], nodes: &[Node]) -> Vec<Vec<Rc<Placement>>> {
    let mut scheduler = Scheduler::new(nodes);
    workloads
        .iter()
        .map(|workload| {
            let templates = workload.templates.iter();
            templates
                .map(|template| scheduler.place(template, template.placer))
                .collect()
        })
        .collect()
}

fn exit_code(args: &Args, report: &Report) -> u8 {
    let gate = Gate {
        fail_on: match args.output.fail_on {
            FailOnFlag::AtRisk => FailOn::AtRisk,
            FailOnFlag::Fails => FailOn::Fails,
            FailOnFlag::Never => FailOn::Never,
        },
        allow_unknown: args.output.allow_unknown,
        count_dormant: args.files.any(),
    };
    match gate.outcome(report) {
        GateOutcome::Pass => 0,
        GateOutcome::Findings => 1,
        GateOutcome::Unchecked => 2,
    }
}
