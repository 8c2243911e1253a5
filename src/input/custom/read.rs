//! Reads an object by its entry in the table, and by the walk.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::path::Place;
use super::walk::{Found, walk};
use super::{CustomKinds, FirstOf, KindEntry, PodEntry, hidden};
use crate::image::ImageRef;
use crate::input::kinds::Kind;
use crate::input::objects::{ObjectError, Routes, Template, field_error};
use crate::model::{
    Affinity, Container, NodeAffinity, Placer, PodMetadata, PodSpec, PodTemplate, SecretRef,
    Toleration, null_as_default,
};

/// Objects inside of objects are followed so far.
const DEEPEST: usize = 4;

/// What an object of a custom kind runs.
#[derive(Debug, Default)]
pub(in crate::input) struct CustomRead {
    pub(in crate::input) templates: Vec<Template>,
    /// It starts no pods now.
    pub(in crate::input) dormant: bool,
    /// It never starts pods again.
    pub(in crate::input) finished: bool,
}

impl CustomKinds {
    /// Reads an object. `None` where nothing in it is run; a kind that the table knows always is something, since pods may
    /// have it for their owner.
    pub(in crate::input) fn read(
        &self,
        group: &str,
        kind: &str,
        value: &Value,
        hidden_images: bool,
    ) -> Result<Option<CustomRead>, ObjectError> {
        let entry = self.find(group, kind);
        if entry.is_some_and(|entry| entry.skip.is_some()) {
            return Ok(None);
        }
        let object = Place::root(value);
        let mut reading = Reading {
            table: self,
            hidden_images,
            templates: Vec::new(),
            taken: HashSet::new(),
        };
        reading.object(&object, entry, kind, 0)?;
        if reading.templates.is_empty() && entry.is_none() {
            return Ok(None);
        }
        let (dormant, finished) = match entry {
            Some(entry) => (
                entry.dormant.iter().any(|c| c.holds(&object)),
                entry.finished.iter().any(|c| c.holds(&object)),
            ),
            // What most kinds mean by these.
            None => (
                value.pointer("/spec/replicas") == Some(&Value::from(0))
                    || value.pointer("/spec/suspend") == Some(&Value::from(true)),
                false,
            ),
        };
        Ok(Some(CustomRead {
            templates: reading.templates,
            dormant,
            finished,
        }))
    }
}

struct Reading<'t> {
    table: &'t CustomKinds,
    hidden_images: bool,
    templates: Vec<Template>,
    /// The routes of what has been read: the walk comes upon what an entry named again.
    taken: HashSet<String>,
}

impl Reading<'_> {
    fn object(
        &mut self,
        object: &Place<'_>,
        entry: Option<&KindEntry>,
        kind: &str,
        depth: usize,
    ) -> Result<(), ObjectError> {
        let first = self.templates.len();
        if let Some(entry) = entry {
            self.by_entry(object, entry, kind)?;
        }
        for found in walk(object) {
            match found {
                Found::PodSpec(place) => self.pod_spec(&place)?,
                Found::Object(place) if depth < DEEPEST => self.inner(&place, depth)?,
                Found::Object(_) => {}
            }
        }
        for template in self.templates.iter_mut().skip(first) {
            finish(template, object, entry);
        }
        Ok(())
    }

    /// An object inside of another: a manifest to be applied elsewhere, a list of templates.
    fn inner(&mut self, place: &Place<'_>, depth: usize) -> Result<(), ObjectError> {
        let text = |key: &str| place.value.get(key).and_then(Value::as_str);
        let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
            return Ok(());
        };
        if let Some(known) = Kind::of(api_version, kind) {
            let mut spec = known.shape.runs_pods().then(|| place.clone());
            for key in known.shape.pod_spec_route().split('/').skip(1) {
                spec = spec.and_then(|place| place.key(key));
            }
            return spec.map_or(Ok(()), |spec| self.pod_spec(&spec));
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let entry = self.table.find(group, kind);
        if entry.is_some_and(|entry| entry.skip.is_some()) {
            return Ok(());
        }
        // Paths with a leading dot begin at this object, so it is read on its own, and its routes are put behind its own.
        let root = Place::root(place.value);
        let first = self.templates.len();
        let mut inner = Reading {
            table: self.table,
            hidden_images: self.hidden_images,
            templates: Vec::new(),
            taken: HashSet::new(),
        };
        inner.object(&root, entry, kind, depth + 1)?;
        self.templates.extend(inner.templates);
        for template in self.templates.iter_mut().skip(first) {
            template.routes.put_behind(&place.route);
        }
        Ok(())
    }

    fn by_entry(
        &mut self,
        object: &Place<'_>,
        entry: &KindEntry,
        kind: &str,
    ) -> Result<(), ObjectError> {
        for path in &entry.pod_spec_paths {
            for place in path.places(object, object) {
                self.pod_spec(&place)?;
            }
        }
        for pod in &entry.pods {
            let places = match &pod.each {
                Some(each) => each.places(object, object),
                None => vec![object.clone()],
            };
            for here in places {
                if let Some(template) = made_up(pod, object, &here, kind)? {
                    self.taken
                        .extend(template.routes.images().map(str::to_owned));
                    self.templates.push(template);
                }
            }
        }
        if self.hidden_images {
            self.mentioned(object, entry);
        }
        Ok(())
    }

    fn mentioned(&mut self, object: &Place<'_>, entry: &KindEntry) {
        let places = entry
            .mentioned_paths
            .iter()
            .flat_map(|path| path.places(object, object));
        let mut template = Template::default();
        for place in places {
            if let Some(image) = place.text() {
                let mut container = container_at(&place, None, object, "");
                image.clone_into(&mut container.image);
                template.pod.spec.mentioned.push(container);
            }
        }
        if !template.pod.spec.mentioned.is_empty() {
            self.templates.push(template);
        }
    }

    /// A pod spec as Kubernetes has it. Containers without an image are patches for somebody else's, and left out.
    fn pod_spec(&mut self, place: &Place<'_>) -> Result<(), ObjectError> {
        if !self.taken.insert(place.route.clone()) {
            return Ok(());
        }
        let mut spec: PodSpec = read_at(place)?;
        let mut routes = Vec::new();
        let lists = [
            ("initContainers", &mut spec.init_containers),
            ("containers", &mut spec.containers),
            ("ephemeralContainers", &mut spec.ephemeral_containers),
        ];
        for (field, containers) in lists {
            let mut at = 0;
            containers.retain(|container| {
                let route = format!("{}/{field}/{at}/image", place.route);
                at += 1;
                let keep = !container.image.is_empty() && self.taken.insert(route.clone());
                if keep {
                    routes.push(route);
                }
                keep
            });
        }
        if self.hidden_images {
            spec.mentioned = hidden::mentioned(place.value);
        }
        if routes.is_empty() && spec.mentioned.is_empty() {
            return Ok(());
        }
        // A pod template's metadata stand beside its spec; those of the object itself are not its pods'.
        let beside = place
            .parent
            .filter(|_| place.route.ends_with("/spec") && place.route.len() > "/spec".len())
            .and_then(|parent| parent.get("metadata"));
        let metadata = beside.and_then(|value| PodMetadata::deserialize(value).ok());
        self.templates.push(Template {
            pod: PodTemplate {
                metadata: metadata.unwrap_or_default(),
                spec,
                ..PodTemplate::default()
            },
            routes: Routes::Images(routes),
        });
        Ok(())
    }
}

/// What holds for all templates of an object.
fn finish(template: &mut Template, object: &Place<'_>, entry: Option<&KindEntry>) {
    if let Some(entry) = entry {
        template.pod.placed_by.clone_from(&entry.placed_by);
        if entry.per_node {
            template.pod.placer = Placer::DaemonSetController;
        }
        if let Some(path) = &entry.image_triggers_path {
            for trigger in path.places(object, object) {
                for trigger in trigger.items() {
                    fill_in(template, trigger.value);
                }
            }
        }
    }
    let spec = &mut template.pod.spec;
    loosen(spec);
    let lists = [
        &mut spec.init_containers,
        &mut spec.containers,
        &mut spec.ephemeral_containers,
        &mut spec.mentioned,
    ];
    for container in lists.into_iter().flatten() {
        let unrendered = || {
            ImageRef::parse(&container.image).is_err()
                && ImageRef::looks_unrendered(&container.image)
        };
        if container.unresolved.is_none() && unrendered() {
            container.unresolved =
                Some("the image is a template, which is filled in when it runs".to_owned());
        }
    }
}

/// An image trigger of a DeploymentConfig: OpenShift writes the image of a tag into these containers.
fn fill_in(template: &mut Template, trigger: &Value) {
    let Some(params) = trigger.get("imageChangeParams") else {
        return;
    };
    let names = params.get("containerNames").and_then(Value::as_array);
    let from = params.get("from");
    let text = |key: &str| {
        from.and_then(|from| from.get(key)?.as_str())
            .unwrap_or_default()
    };
    for name in names.into_iter().flatten().filter_map(Value::as_str) {
        let spec = &mut template.pod.spec;
        for container in spec.containers.iter_mut().chain(&mut spec.init_containers) {
            // In a live object it has been filled in already.
            let filled = container.image.contains("@sha256:");
            if container.name == name && !filled {
                container.unresolved = Some(looked_up(text("kind"), text("name")));
            }
        }
    }
}

fn looked_up(kind: &str, name: &str) -> String {
    format!("the image is that of {kind} {name}, which OpenShift looks up")
}

/// A pod that a controller puts together.
fn made_up(
    pod: &PodEntry,
    object: &Place<'_>,
    here: &Place<'_>,
    kind: &str,
) -> Result<Option<Template>, ObjectError> {
    let mut spec = PodSpec::default();
    let mut routes = Vec::new();
    let lists = [
        (&pod.init_image_paths, true, false),
        (&pod.image_paths, false, false),
        (&pod.disk_paths, false, true),
    ];
    for (paths, init, data) in lists {
        for place in paths.iter().flat_map(|first| first.places(object, here)) {
            let Some(image) = place.text() else { continue };
            let mut container = container_at(&place, pod.name.as_deref(), here, kind);
            image.clone_into(&mut container.image);
            container.data = data;
            routes.push(place.route);
            if init {
                spec.init_containers.push(container);
            } else {
                spec.containers.push(container);
            }
        }
    }
    for place in pod
        .from_paths
        .iter()
        .flat_map(|path| path.places(object, here))
    {
        let text = |key: &str| place.value.get(key).and_then(Value::as_str);
        let Some(name) = text("name") else { continue };
        let kind = text("kind").unwrap_or_default();
        routes.push(format!("{}/name", place.route));
        spec.containers.push(Container {
            name: place.holder().to_owned(),
            image: name.to_owned(),
            unresolved: (kind != "DockerImage").then(|| looked_up(kind, name)),
            ..Container::default()
        });
    }
    if routes.is_empty() {
        return Ok(None);
    }
    for path in &pod.placement_paths {
        for place in path.places(object, here) {
            read_at::<Placing>(&place)?.put_into(&mut spec);
        }
    }
    let architecture = pod
        .architecture_path
        .as_ref()
        .and_then(|path| path.first(object, here)?.as_str());
    if let Some(architecture) = architecture {
        spec.node_selector
            .insert("kubernetes.io/arch".to_owned(), architecture.to_owned());
    }
    let placer = if pod.per_node {
        Placer::DaemonSetController
    } else {
        Placer::Scheduler
    };
    Ok(Some(Template {
        pod: PodTemplate {
            spec,
            placer,
            ..PodTemplate::default()
        },
        routes: Routes::Images(routes),
    }))
}

impl FirstOf {
    fn places<'v>(&self, object: &Place<'v>, here: &Place<'v>) -> Vec<Place<'v>> {
        let led = self.0.iter().map(|path| path.places(object, here));
        led.into_iter()
            .find(|places| places.iter().any(|place| place.text().is_some()))
            .unwrap_or_default()
    }
}

/// The container that an image belongs to, with what stands beside the image.
fn container_at(place: &Place<'_>, name: Option<&str>, here: &Place<'_>, kind: &str) -> Container {
    let beside = place.parent.filter(|parent| parent.is_object());
    let mut container = beside
        .and_then(|parent| Container::deserialize(parent).ok())
        .unwrap_or_default();
    let here_name = || here.value.get("name").and_then(Value::as_str);
    if container.name.is_empty() {
        let holder = place.holder();
        let fallback = match holder {
            "" | "spec" => kind.to_lowercase(),
            holder => holder.to_owned(),
        };
        container.name = name.or_else(here_name).map_or(fallback, str::to_owned);
    }
    // Tekton's steps and Argo's scripts.
    let script = beside.is_some_and(|parent| {
        ["script", "source"]
            .iter()
            .any(|key| parent.get(key).is_some_and(Value::is_string))
    });
    if script && container.command.is_empty() {
        container.command.push("sh".to_owned());
    }
    container
}

/// The fields that say where a pod may land.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Placing {
    #[serde(deserialize_with = "null_as_default")]
    node_selector: std::collections::BTreeMap<String, String>,
    affinity: Option<Affinity>,
    node_affinity: Option<NodeAffinity>,
    #[serde(deserialize_with = "null_as_default")]
    tolerations: Vec<Toleration>,
    #[serde(deserialize_with = "null_as_default")]
    host_network: bool,
    runtime_class_name: Option<String>,
    service_account_name: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    image_pull_secrets: Vec<SecretRef>,
}

impl Placing {
    /// Fills in what is not set yet.
    fn put_into(self, spec: &mut PodSpec) {
        if spec.node_selector.is_empty() {
            spec.node_selector = self.node_selector;
        }
        let affinity = self
            .node_affinity
            .map(|node_affinity| Affinity {
                node_affinity: Some(node_affinity),
            })
            .or(self.affinity);
        spec.affinity = spec.affinity.take().or(affinity);
        if spec.tolerations.is_empty() {
            spec.tolerations = self.tolerations;
        }
        spec.host_network |= self.host_network;
        spec.runtime_class_name = spec.runtime_class_name.take().or(self.runtime_class_name);
        spec.service_account_name = spec
            .service_account_name
            .take()
            .or(self.service_account_name);
        if spec.image_pull_secrets.is_empty() {
            spec.image_pull_secrets = self.image_pull_secrets;
        }
    }
}

/// Takes away what asks for labels that are filled in later: they may turn out to be any.
fn loosen(spec: &mut PodSpec) {
    let template = |text: &String| text.contains("{{") || text.contains('$');
    spec.node_selector
        .retain(|key, value| !template(key) && !template(value));
    for toleration in &mut spec.tolerations {
        if template(&toleration.value) {
            toleration.value.clear();
            "Exists".clone_into(&mut toleration.operator);
        }
    }
    let Some(node_affinity) = spec
        .affinity
        .as_mut()
        .and_then(|a| a.node_affinity.as_mut())
    else {
        return;
    };
    let Some(required) = &mut node_affinity.required else {
        return;
    };
    let mut open = false;
    for term in &mut required.node_selector_terms {
        let before = term.match_expressions.len();
        term.match_expressions.retain(|requirement| {
            !template(&requirement.key) && !requirement.values.iter().any(template)
        });
        // An empty term would match nothing, where this one asked for anything.
        open |= before > 0 && term.match_expressions.is_empty() && term.match_fields.is_empty();
    }
    if open {
        node_affinity.required = None;
    }
}

fn read_at<T: DeserializeOwned>(place: &Place<'_>) -> Result<T, ObjectError> {
    serde_path_to_error::deserialize(place.value)
        .map_err(|error| field_error(error).inside(&place.dotted(), &place.route))
}
