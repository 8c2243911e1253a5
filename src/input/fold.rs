//! Folds objects under their topmost owners: each workload is reported once, with its live pods.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::kinds::Kind;
use super::objects::{Controller, Object, Owner, Role};
use crate::image::ImageRef;
use crate::model::{Inventory, LivePod, ObjectId, Placer, PodTemplate, Rendered, Workload};
use crate::placement::namespace_selectors;

/// How many owners up are followed: real chains have three.
const LONGEST_CHAIN: usize = 16;

/// Makes an inventory out of objects. Nothing is left out but what has ended, and what an owner speaks for.
#[must_use]
pub fn fold(objects: Vec<Object>) -> Inventory {
    let owners = Owners::of(&objects);
    let namespaces = namespace_selectors(
        objects.iter().filter_map(|object| match &object.role {
            Role::Node(node) => Some(node.as_ref()),
            _ => None,
        }),
        objects.iter().filter_map(|object| {
            let annotations = &object.annotations;
            matches!(object.role, Role::Namespace).then_some((object.id.name.as_str(), annotations))
        }),
    );
    let mut inventory = Inventory::default();
    let mut folded = Folded::default();
    let mut made = Made::default();
    let mut pods = Vec::new();
    for mut object in objects {
        if let Some(selector) = namespaces.get(&object.id.namespace) {
            object.admit(selector);
        }
        let top = owners.top(&object);
        let given = owners.given(&object);
        match object.role {
            Role::Node(node) => inventory.nodes.push(*node),
            Role::Namespace | Role::PullSecret(_) | Role::ServiceAccount(_) => {}
            Role::Mirrors(sets) => inventory.mirror_sets.extend(sets),
            Role::Pod(pod) if !pod.over => {
                let of_daemon_set = object.owner.as_ref().is_some_and(|o| o.kind == "DaemonSet");
                let alone = unread_workload(object.id);
                let workload = Workload {
                    rendered: Rendered::of(object.template_comment, &object.annotations),
                    labels: object.labels,
                    annotations: object.annotations,
                    location: object.location,
                    ..alone
                };
                pods.push((workload, top, given, of_daemon_set, *pod));
            }
            Role::Pod(_) => {}
            Role::Controller(controller) => {
                let Controller {
                    templates,
                    dormant,
                    over,
                    custom,
                } = *controller;
                let templates = templates.into_iter().map(|template| template.pod);
                let works = !dormant && !over;
                match top {
                    // What its controller made of it says more.
                    Some(Top {
                        id, custom: true, ..
                    }) => {
                        // A custom resource in between says what it wants, too; only what came of it is the truth.
                        let said = if custom {
                            &mut made.wishes
                        } else {
                            &mut made.truth
                        };
                        if works {
                            add(said.entry(id).or_default(), templates);
                        }
                    }
                    // What has an owner is that owner's: an old ReplicaSet, a CronJob's Job.
                    Some(Top { known: true, .. }) => {}
                    // An owner that was not read can't speak for itself; what it made does.
                    Some(Top { id, .. }) if works => {
                        folded.of_owner(id).templates.extend(templates);
                    }
                    Some(_) => {}
                    None if over && !dormant => {}
                    None => folded.push(Workload {
                        id: object.id,
                        rendered: Rendered::of(object.template_comment, &object.annotations),
                        labels: object.labels,
                        annotations: object.annotations,
                        location: object.location,
                        dormant,
                        templates: templates.collect(),
                        pods: Vec::new(),
                    }),
                }
            }
        }
    }
    // Workloads whose templates come from controllers that were read.
    let spoken_for: HashSet<ObjectId> = folded.by_id.keys().cloned().collect();
    for (alone, top, given, of_daemon_set, pod) in pods {
        let live = LivePod {
            name: alone.id.name.clone(),
            node: crate::placement::target_node(&pod.template.spec).map(str::to_owned),
            ready: pod.ready,
        };
        match top {
            None => {
                let (templates, pods) = (vec![pod.template], vec![live]);
                folded.push(Workload {
                    templates,
                    pods,
                    ..alone
                });
            }
            // A custom resource that is finished or being deleted is not kept, and neither are its pods.
            Some(Top {
                id, custom: true, ..
            }) => {
                if spoken_for.contains(&id) {
                    made.pod(&id, pod.template, given.as_deref(), of_daemon_set);
                    folded.of_owner(id).pods.push(live);
                }
            }
            Some(Top { id, .. }) if spoken_for.contains(&id) => {
                let workload = folded.of_owner(id);
                if let Some(template) = workload.templates.first_mut() {
                    add_injected(template, &pod.template, given.as_deref());
                }
                add_other_images(workload, pod.template, live.node.as_deref(), of_daemon_set);
                workload.pods.push(live);
            }
            // Its owner was read and is being deleted: so will the pod be.
            Some(Top { known: true, .. }) => {}
            Some(Top { id, .. }) => {
                let workload = folded.of_owner(id);
                let template = as_template(pod.template, of_daemon_set);
                if !workload.templates.contains(&template) {
                    workload.templates.push(template);
                }
                workload.pods.push(live);
            }
        }
    }
    inventory.workloads = made.merge(folded.workloads);
    inventory
        .workloads
        .sort_by(|a, b| (&a.id, &a.location).cmp(&(&b.id, &b.location)));
    inventory
        .mirror_sets
        .sort_by(|a, b| a.object.cmp(&b.object));
    inventory.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    inventory.nodes.dedup_by(|a, b| a.name == b.name);
    inventory
}

/// What the controllers of custom resources have made so far, which is the truth about them: controllers add containers,
/// fill in images, and choose nodes.
#[derive(Default)]
struct Made {
    /// What Kubernetes' own controllers and pods say.
    truth: HashMap<ObjectId, Vec<PodTemplate>>,
    /// What custom resources in between say.
    wishes: HashMap<ObjectId, Vec<PodTemplate>>,
}

/// Adds templates, each once.
fn add(known: &mut Vec<PodTemplate>, templates: impl IntoIterator<Item = PodTemplate>) {
    for template in templates {
        if !known.contains(&template) {
            known.push(template);
        }
    }
}

impl Made {
    /// A live pod: it adds to the template of its own controller, if there is one in between, or speaks for itself.
    fn pod(
        &mut self,
        owner: &ObjectId,
        pod: PodTemplate,
        given: Option<&[String]>,
        of_daemon_set: bool,
    ) {
        let known = self.truth.entry(owner.clone()).or_default();
        let of_its_controller = |template: &&mut PodTemplate| {
            let names = template.spec.all_containers().map(|(_, c)| &c.name);
            given.is_some_and(|given| names.eq(given))
        };
        if let Some(template) = known.iter_mut().find(of_its_controller) {
            add_injected(template, &pod, given);
            return;
        }
        add(known, [as_template(pod, of_daemon_set)]);
    }

    /// Adds all that was made to its owners, in the place of what these say themselves about the same images. Owners that
    /// run nothing are left out.
    fn merge(mut self, workloads: Vec<Workload>) -> Vec<Workload> {
        let mut merged = Vec::with_capacity(workloads.len());
        for mut workload in workloads {
            let truth = self.truth.remove(&workload.id).unwrap_or_default();
            let wishes = self.wishes.remove(&workload.id).unwrap_or_default();
            if !truth.is_empty() || !wishes.is_empty() {
                workload.dormant = false;
                let images: HashSet<String> = images(&truth).map(str::to_owned).collect();
                add(&mut workload.templates, wishes);
                let wishes = std::mem::replace(&mut workload.templates, truth);
                for mut template in wishes {
                    template.spec.retain(|c| !images.contains(&c.image));
                    if template.spec.all_containers().next().is_some() {
                        workload.templates.push(template);
                    }
                }
            }
            if !workload.templates.is_empty() {
                merged.push(workload);
            }
        }
        merged
    }
}

fn images(templates: &[PodTemplate]) -> impl Iterator<Item = &str> {
    let containers = templates.iter().flat_map(|t| t.spec.all_containers());
    containers.map(|(_, container)| container.image.as_str())
}

impl Object {
    /// Notes what the API server will add to the pods made from here. A pod that has a uid has been through that.
    fn admit(&mut self, namespace_selector: &BTreeMap<String, String>) {
        let templates: Vec<&mut PodTemplate> = match &mut self.role {
            Role::Controller(controller) => controller
                .templates
                .iter_mut()
                .map(|t| &mut t.pod)
                .collect(),
            Role::Pod(pod) if self.uid.is_empty() => vec![&mut pod.template],
            Role::Pod(_)
            | Role::Node(_)
            | Role::Namespace
            | Role::Mirrors(_)
            | Role::PullSecret(_)
            | Role::ServiceAccount(_) => return,
        };
        for template in templates {
            template
                .spec
                .namespace_selector
                .clone_from(namespace_selector);
        }
    }
}

/// The workloads so far. Manifests may hold two objects of one name (a base and its overlay): both are kept, and what
/// belongs to that name goes to the first.
#[derive(Default)]
struct Folded {
    workloads: Vec<Workload>,
    by_id: HashMap<ObjectId, usize>,
}

impl Folded {
    fn push(&mut self, workload: Workload) {
        self.by_id
            .entry(workload.id.clone())
            .or_insert(self.workloads.len());
        self.workloads.push(workload);
    }

    /// The workload of this name; a new one, known by its name alone, if there is none.
    fn of_owner(&mut self, id: ObjectId) -> &mut Workload {
        let end = self.workloads.len();
        let at = *self.by_id.entry(id.clone()).or_insert(end);
        if at == end {
            self.workloads.push(unread_workload(id));
        }
        &mut self.workloads[at]
    }
}

/// The workload that an object belongs to: its topmost owner, or itself. `None` when there is no such object.
#[must_use]
pub fn topmost(objects: &[Object], kind: &Kind, name: &str) -> Option<ObjectId> {
    let api_version = kind.api_version();
    let object = objects.iter().find(|object| {
        let ObjectId {
            kind: its_kind,
            name: its_name,
            api_version: its_version,
            ..
        } = &object.id;
        *its_kind == kind.kind && its_name == name && *its_version == api_version
    })?;
    let top = Owners::of(objects).top(object);
    Some(top.map_or_else(|| object.id.clone(), |top| top.id))
}

/// A workload of which nothing but the name is known.
fn unread_workload(id: ObjectId) -> Workload {
    Workload {
        id,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        location: None,
        rendered: Rendered::default(),
        dormant: false,
        templates: Vec::new(),
        pods: Vec::new(),
    }
}

/// The topmost owner of an object.
struct Top {
    id: ObjectId,
    /// It was read itself, so its own template speaks.
    known: bool,
    /// It is a custom resource that was read: what its controller made of it speaks as well.
    custom: bool,
}

/// Who owns whom, by uid; in manifests, which have none, by kind and name.
struct Owners {
    by_uid: HashMap<String, Rc<Read>>,
    by_name: HashMap<(String, String, String), Rc<Read>>,
}

/// A controller that was read.
struct Read {
    id: ObjectId,
    owner: Option<Owner>,
    custom: bool,
    /// The names of the containers in its templates.
    containers: Rc<[String]>,
}

impl Owners {
    fn of(objects: &[Object]) -> Self {
        let mut owners = Self {
            by_uid: HashMap::new(),
            by_name: HashMap::new(),
        };
        for object in objects {
            let Role::Controller(controller) = &object.role else {
                continue;
            };
            let templates = controller.templates.iter();
            let containers = templates.flat_map(|template| template.pod.spec.all_containers());
            let read = Rc::new(Read {
                id: object.id.clone(),
                owner: object.owner.clone(),
                custom: controller.custom,
                containers: containers
                    .map(|(_, container)| container.name.clone())
                    .collect(),
            });
            if !object.uid.is_empty() {
                owners.by_uid.insert(object.uid.clone(), Rc::clone(&read));
            }
            let ObjectId {
                namespace,
                kind,
                name,
                ..
            } = object.id.clone();
            owners.by_name.insert((namespace, kind, name), read);
        }
        owners
    }

    /// The names of the containers that an object's own controller gave it, if that was read.
    fn given(&self, object: &Object) -> Option<Rc<[String]>> {
        let read = self.find(object.owner.as_ref()?, &object.id.namespace)?;
        // A custom resource's controller gives its pods what it likes.
        (!read.custom).then(|| Rc::clone(&read.containers))
    }

    fn find(&self, owner: &Owner, namespace: &str) -> Option<&Rc<Read>> {
        if let Some(found) = self.by_uid.get(&owner.uid) {
            return Some(found);
        }
        // An uid that nobody has means that the owner was not read (another of its name may have come since).
        if !owner.uid.is_empty() && !self.by_uid.is_empty() {
            return None;
        }
        let key = (namespace.to_owned(), owner.kind.clone(), owner.name.clone());
        self.by_name.get(&key)
    }

    fn top(&self, object: &Object) -> Option<Top> {
        let namespace = &object.id.namespace;
        let mut owner = object.owner.as_ref()?;
        // A mirror pod is "owned" by the node that runs it from a file: nothing makes it again.
        if owner.kind == "Node" && owner.api_version == "v1" {
            return None;
        }
        // A controller with rules of its own speaks for itself where what owns it was not read (an operator's resource).
        let mut speaks = None;
        for _ in 0..LONGEST_CHAIN {
            let Some(read) = self.find(owner, namespace) else {
                break;
            };
            if speaks_for_itself(&read.id.kind) {
                speaks = Some(&read.id);
            }
            match &read.owner {
                Some(next) => owner = next,
                None => {
                    return Some(Top {
                        id: read.id.clone(),
                        known: true,
                        custom: read.custom,
                    });
                }
            }
        }
        if let Some(id) = speaks {
            return Some(Top {
                id: id.clone(),
                known: true,
                custom: false,
            });
        }
        if matches!(object.role, Role::Controller(_)) && speaks_for_itself(&object.id.kind) {
            return None;
        }
        if let Some(id) = self.grandparent(owner, object) {
            return Some(Top {
                id,
                known: true,
                custom: false,
            });
        }
        Some(Top {
            id: ObjectId {
                namespace: namespace.clone(),
                kind: owner.kind.clone(),
                name: owner.name.clone(),
                api_version: owner.api_version.clone(),
            },
            known: false,
            custom: false,
        })
    }

    /// The Deployment of a ReplicaSet, or the CronJob of a Job, that was not read itself: dumps often leave these out.
    /// Their controllers make the names (`NAME-HASH`, `NAME-MINUTES`), and the hash is a label of the pods.
    fn grandparent(&self, owner: &Owner, object: &Object) -> Option<ObjectId> {
        let (name, suffix) = owner.name.rsplit_once('-')?;
        let kind = match owner.kind.as_str() {
            "ReplicaSet"
                if object
                    .labels
                    .get("pod-template-hash")
                    .is_some_and(|hash| hash == suffix) =>
            {
                "Deployment"
            }
            "Job" if !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit()) => "CronJob",
            _ => return None,
        };
        let key = (
            object.id.namespace.clone(),
            kind.to_owned(),
            name.to_owned(),
        );
        self.by_name.get(&key).map(|read| read.id.clone())
    }
}

/// Whether a kind decides more than its pods' template: where they land, when they run. The others are links of a chain.
fn speaks_for_itself(kind: &str) -> bool {
    matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet" | "CronJob")
}

/// A live pod seen as what its unseen owner would make again: on no node in particular.
fn as_template(mut template: PodTemplate, of_daemon_set: bool) -> PodTemplate {
    template.spec.node_name = None;
    template.spec.ephemeral_containers.clear();
    if of_daemon_set {
        template.placer = Placer::DaemonSetController;
        // The controller pins each pod to its node by this one term.
        if let Some(node) = template
            .spec
            .affinity
            .as_mut()
            .and_then(|a| a.node_affinity.as_mut())
        {
            node.required = None;
        }
    }
    // Labels and annotations differ from pod to pod, and decide nothing here but these.
    template
        .metadata
        .labels
        .retain(|key, _| key == "kubernetes.io/os");
    template
        .metadata
        .annotations
        .retain(|key, _| key == "archcheck/ignore");
    // The service account's token volume has a name of its own in each pod.
    template
        .spec
        .volumes
        .retain(|volume| volume.image.is_some());
    template
}

/// Adds containers that a webhook injected into a live pod: those that its own controller did not give it. (A pod of an
/// older revision has containers that the newer template has dropped; these were given.)
fn add_injected(template: &mut PodTemplate, pod: &PodTemplate, given: Option<&[String]>) {
    let spec = &mut template.spec;
    let lists = [
        (&mut spec.containers, &pod.spec.containers),
        (&mut spec.init_containers, &pod.spec.init_containers),
        (
            &mut spec.ephemeral_containers,
            &pod.spec.ephemeral_containers,
        ),
    ];
    let mut injected = false;
    for (known, live) in lists {
        for container in live {
            let was_given = given.is_some_and(|given| given.contains(&container.name));
            if !was_given && !known.iter().any(|k| k.name == container.name) {
                known.push(container.clone());
                injected = true;
            }
        }
    }
    // A webhook that adds a container may add the secret to pull it with.
    if injected {
        for secret in &pod.spec.image_pull_secrets {
            if !spec.image_pull_secrets.contains(secret) {
                spec.image_pull_secrets.push(secret.clone());
            }
        }
    }
}

/// Adds a live pod whose containers run other images than the template gives them: that of an older revision, or what a
/// webhook made of them. Pods with the same images are one template.
fn add_other_images(
    workload: &mut Workload,
    pod: PodTemplate,
    node: Option<&str>,
    of_daemon_set: bool,
) {
    let Some(node) = node else { return };
    let wanted = workload.templates.first();
    let wanted = wanted.map(named_images).unwrap_or_default();
    let runs = named_images(&pod);
    let same = |(name, image): (&&str, &&str)| {
        let known = wanted.get(name);
        known.is_none_or(|known| known == image || is_same_image(known, image))
    };
    if runs.iter().all(same) {
        return;
    }
    let mut others = workload.templates.iter_mut().skip(1);
    let known = others.find(|other| other.live_on.is_some() && named_images(other) == runs);
    match known.and_then(|known| known.live_on.as_mut()) {
        Some(nodes) => {
            nodes.insert(node.to_owned());
        }
        None => {
            let live_on = Some(BTreeSet::from([node.to_owned()]));
            workload.templates.push(PodTemplate {
                live_on,
                ..as_template(pod, of_daemon_set)
            });
        }
    }
}

/// The image of each container, by the container's name; ephemeral ones are in no template.
fn named_images(template: &PodTemplate) -> BTreeMap<&str, &str> {
    let spec = &template.spec;
    let containers = spec.init_containers.iter().chain(&spec.containers);
    containers
        .map(|container| (container.name.as_str(), container.image.as_str()))
        .collect()
}

/// `nginx` and `docker.io/library/nginx:latest` are one image.
fn is_same_image(one: &str, other: &str) -> bool {
    match (ImageRef::parse(one), ImageRef::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::input::Reader;

    fn object(kind: &str, name: &str, owner: Option<(&str, &str)>, rest: &Value) -> Object {
        let api = |kind: &str| match kind {
            "Pod" | "Node" => "v1",
            "CronJob" | "Job" => "batch/v1",
            "Rollout" => "argoproj.io/v1alpha1",
            _ => "apps/v1",
        };
        let owners: Vec<Value> = owner
            .into_iter()
            .map(|(kind, name)| json!({"apiVersion": api(kind), "kind": kind, "name": name, "uid": format!("uid-{kind}-{name}"), "controller": true}))
            .collect();
        let mut value = json!({"apiVersion": api(kind), "kind": kind, "metadata": {
            "name": name, "namespace": "ns", "uid": format!("uid-{kind}-{name}"), "ownerReferences": owners}});
        if let (Some(value), Some(rest)) = (value.as_object_mut(), rest.as_object()) {
            value.extend(rest.clone());
        }
        Reader::default().read(&value).unwrap().unwrap()
    }

    fn template(image: &str) -> Value {
        json!({"spec": {"containers": [{"name": "c", "image": image}]}})
    }

    fn pod(name: &str, owner: Option<(&str, &str)>, node: &str, images: &[&str]) -> Object {
        let containers: Vec<Value> =
            images.iter().enumerate().map(|(at, image)| json!({"name": if at == 0 { "c".to_owned() } else { format!("c{at}") }, "image": image})).collect();
        object(
            "Pod",
            name,
            owner,
            &json!({"spec": {"nodeName": node, "containers": containers}, "status": {"phase": "Running"}}),
        )
    }

    fn names(inventory: &Inventory) -> Vec<String> {
        inventory
            .workloads
            .iter()
            .map(|w| format!("{}/{}", w.id.kind, w.id.name))
            .collect()
    }

    #[test]
    fn a_workload_is_reported_once_under_its_topmost_owner() {
        let spec = json!({"spec": {"template": template("web:1")}});
        let old = json!({"spec": {"replicas": 0, "template": template("web:0")}});
        let cron = json!({"spec": {"jobTemplate": {"spec": {"template": template("job:1")}}}});
        let inventory = fold(vec![
            pod(
                "web-1",
                Some(("ReplicaSet", "web-a")),
                "n1",
                &["web:1", "proxy:1"],
            ),
            pod("web-2", Some(("ReplicaSet", "web-a")), "n2", &["web:1"]),
            object("ReplicaSet", "web-a", Some(("Deployment", "web")), &spec),
            object("ReplicaSet", "web-old", Some(("Deployment", "web")), &old),
            object("Deployment", "web", None, &spec),
            object("CronJob", "nightly", None, &cron),
            object(
                "Job",
                "nightly-1",
                Some(("CronJob", "nightly")),
                &json!({"spec": {"template": template("job:1")}}),
            ),
            pod("bare", None, "n1", &["x:1"]),
        ]);
        assert_eq!(
            names(&inventory),
            ["CronJob/nightly", "Deployment/web", "Pod/bare"]
        );
        let web = &inventory.workloads[1];
        let nodes: Vec<_> = web.pods.iter().map(|p| p.node.clone().unwrap()).collect();
        assert_eq!(nodes, ["n1", "n2"]);
        let containers: Vec<_> = web.templates[0]
            .spec
            .containers
            .iter()
            .map(|c| c.image.as_str())
            .collect();
        assert_eq!(
            containers,
            ["web:1", "proxy:1"],
            "an injected sidecar is judged too"
        );
        assert_eq!(
            inventory.workloads[2].templates[0]
                .spec
                .node_name
                .as_deref(),
            Some("n1")
        );
    }

    #[test]
    fn an_owner_that_was_not_read_is_named_and_its_pods_speak_for_it() {
        let inventory = fold(vec![
            object(
                "ReplicaSet",
                "ro-a",
                Some(("Rollout", "ro")),
                &json!({"spec": {"template": template("a:1")}}),
            ),
            pod("ro-1", Some(("ReplicaSet", "ro-a")), "n1", &["a:1"]),
            pod("ro-2", Some(("ReplicaSet", "ro-a")), "n2", &["a:1"]),
            pod("lost-1", Some(("ReplicaSet", "lost")), "n2", &["b:1"]),
        ]);
        assert_eq!(names(&inventory), ["ReplicaSet/lost", "Rollout/ro"]);
        let rollout = &inventory.workloads[1];
        assert_eq!(rollout.templates.len(), 1, "the same spec once");
        assert_eq!(rollout.templates[0].spec.node_name, None);
        assert_eq!(rollout.pods.len(), 2);
        let scaled = fold(vec![object(
            "ReplicaSet",
            "ro-a",
            Some(("Rollout", "ro")),
            &json!({"spec": {"template": template("a:1")}}),
        )]);
        assert_eq!(
            names(&scaled),
            ["Rollout/ro"],
            "its ReplicaSet speaks for it, pods or none"
        );
    }

    #[test]
    fn what_a_dump_leaves_out_in_between_does_not_part_a_pod_from_its_owner() {
        let mut orphan = pod(
            "web-5d9c-x",
            Some(("ReplicaSet", "web-5d9c")),
            "n1",
            &["web:1"],
        );
        orphan
            .labels
            .insert("pod-template-hash".to_owned(), "5d9c".to_owned());
        let stranger = pod(
            "api-1234-x",
            Some(("ReplicaSet", "api-1234")),
            "n1",
            &["api:1"],
        );
        let run = pod(
            "nightly-29-x",
            Some(("Job", "nightly-29")),
            "n1",
            &["job:1"],
        );
        let spec = json!({"spec": {"template": template("web:1")}});
        let cron = json!({"spec": {"jobTemplate": {"spec": {"template": template("job:1")}}}});
        let inventory = fold(vec![
            orphan,
            stranger,
            run,
            object("Deployment", "web", None, &spec),
            object("Deployment", "api", None, &spec),
            object("CronJob", "nightly", None, &cron),
        ]);
        assert_eq!(
            names(&inventory),
            [
                "CronJob/nightly",
                "Deployment/api",
                "Deployment/web",
                "ReplicaSet/api-1234"
            ]
        );
        assert_eq!(inventory.workloads[2].pods.len(), 1);
    }

    /// A rollout that is stuck, or a webhook that rewrites images: what runs is not what the template says.
    #[test]
    fn live_pods_with_other_images_are_kept_where_they_are() {
        let spec = json!({"spec": {"template": template("web:2")}});
        let old = json!({"spec": {"template": template("web:1")}});
        let owner = Some(("ReplicaSet", "web-old"));
        let inventory = fold(vec![
            object("Deployment", "web", None, &spec),
            object("ReplicaSet", "web-old", Some(("Deployment", "web")), &old),
            pod("web-1", owner, "n1", &["web:1"]),
            pod("web-2", owner, "n2", &["web:1"]),
            pod("web-3", owner, "n3", &["docker.io/library/web:2"]),
        ]);
        let [workload] = inventory.workloads.as_slice() else {
            panic!("{inventory:?}")
        };
        let shown: Vec<_> = workload
            .templates
            .iter()
            .map(|t| (t.spec.containers[0].image.as_str(), t.live_on.clone()))
            .collect();
        let nodes = BTreeSet::from(["n1".to_owned(), "n2".to_owned()]);
        assert_eq!(shown, [("web:2", None), ("web:1", Some(nodes))]);
    }

    #[test]
    fn what_an_operator_owns_keeps_its_own_rules() {
        let daemon = object(
            "DaemonSet",
            "agent",
            Some(("Rollout", "op")),
            &json!({"spec": {"template": template("a:1")}}),
        );
        let inventory = fold(vec![
            daemon,
            pod("agent-1", Some(("DaemonSet", "agent")), "n1", &["a:1"]),
        ]);
        assert_eq!(names(&inventory), ["DaemonSet/agent"]);
        assert!(inventory.workloads[0].is_on_each_node());
        assert_eq!(inventory.workloads[0].pods.len(), 1);
    }

    #[test]
    fn a_container_that_a_newer_template_dropped_was_not_injected() {
        let old = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:0"}, {"name": "c1", "image": "gone:1"}]}}}});
        let inventory = fold(vec![
            object(
                "Deployment",
                "web",
                None,
                &json!({"spec": {"template": template("web:1")}}),
            ),
            object("ReplicaSet", "web-old", Some(("Deployment", "web")), &old),
            pod(
                "web-1",
                Some(("ReplicaSet", "web-old")),
                "n1",
                &["web:0", "gone:1", "injected:1"],
            ),
        ]);
        let images: Vec<_> = inventory.workloads[0].templates[0]
            .spec
            .containers
            .iter()
            .map(|c| c.image.as_str())
            .collect();
        assert_eq!(images, ["web:1", "injected:1"]);
    }

    /// `kind/name` of each template's images, and who chooses its nodes.
    fn templates(workload: &Workload) -> Vec<String> {
        let templates = workload.templates.iter();
        templates
            .map(|template| {
                let containers = template.spec.all_containers();
                let images: Vec<_> = containers.map(|(_, c)| c.image.clone()).collect();
                format!("{:?} {}", template.placer, images.join(" "))
            })
            .collect()
    }

    #[test]
    fn what_a_custom_resource_became_goes_before_what_it_says() {
        let rollout = |replicas: i64| {
            object(
                "Rollout",
                "ro",
                None,
                &json!({"spec": {"replicas": replicas, "template": template("ro:1"), "analysis": template("check:1")}}),
            )
        };
        let set = |replicas: i64| {
            object(
                "ReplicaSet",
                "ro-a",
                Some(("Rollout", "ro")),
                &json!({"spec": {"replicas": replicas, "template": template("ro:1")}}),
            )
        };
        let daemon = object(
            "DaemonSet",
            "agent",
            Some(("Rollout", "ro")),
            &json!({"spec": {"template": template("agent:1")}}),
        );
        let live = || {
            pod(
                "ro-1",
                Some(("ReplicaSet", "ro-a")),
                "n1",
                &["ro:1", "mesh:1"],
            )
        };
        let direct = || pod("ro-2", Some(("Rollout", "ro")), "n2", &["other:1"]);
        for (what, objects, expected, pods, dormant) in [
            (
                "alone",
                vec![rollout(1)],
                vec!["Scheduler check:1", "Scheduler ro:1"],
                0,
                false,
            ),
            (
                "asleep",
                vec![rollout(0), set(0)],
                vec!["Scheduler check:1", "Scheduler ro:1"],
                0,
                true,
            ),
            (
                "what runs is not asleep",
                vec![live(), set(1), rollout(0)],
                vec!["Scheduler ro:1 mesh:1", "Scheduler check:1"],
                1,
                false,
            ),
            (
                "all that was made",
                vec![rollout(1), set(1), daemon, live(), direct()],
                vec![
                    "Scheduler ro:1 mesh:1",
                    "DaemonSetController agent:1",
                    "Scheduler other:1",
                    "Scheduler check:1",
                ],
                2,
                false,
            ),
        ] {
            let inventory = fold(objects);
            assert_eq!(names(&inventory), ["Rollout/ro"], "{what}");
            let workload = &inventory.workloads[0];
            assert_eq!(templates(workload), expected, "{what}");
            assert_eq!(
                (workload.pods.len(), workload.dormant),
                (pods, dormant),
                "{what}"
            );
        }
    }

    #[test]
    fn two_objects_of_one_name_are_both_kept() {
        let spec = |image: &str| json!({"spec": {"template": template(image)}});
        let inventory = fold(vec![
            object("Deployment", "web", None, &spec("a:1")),
            object("Deployment", "web", None, &spec("b:1")),
        ]);
        assert_eq!(names(&inventory), ["Deployment/web", "Deployment/web"]);
    }

    #[test]
    fn what_has_ended_is_left_out() {
        let done = json!({"spec": {"template": template("x")}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
        let inventory = fold(vec![
            object(
                "Pod",
                "over",
                None,
                &json!({"spec": template("x")["spec"], "status": {"phase": "Succeeded"}}),
            ),
            object(
                "Pod",
                "going",
                None,
                &json!({"metadata": {"name": "going", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": template("x")["spec"]}),
            ),
            object("Job", "once", None, &done),
        ]);
        assert_eq!(names(&inventory), ["Job/once"]);
        assert!(inventory.workloads[0].dormant);
    }
}
