//! Which kinds of custom resources a cluster has that may run images: those of the table, and those whose schema holds a
//! pod spec.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::list::{ListFailure, Lister};
use crate::input::custom::CustomKinds;
use crate::input::kinds::{Kind, Shape};

/// Aggregated discovery: all groups in one answer (stable since Kubernetes 1.30), or else the list of groups.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// Definitions carry whole schemas: few at a time.
const DEFINITIONS_AT_A_TIME: u32 = 25;
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// How deep schemas are searched.
const DEEPEST: usize = 48;

/// What was found out about a cluster's kinds.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    /// The kinds, sorted by group and kind.
    pub(super) kinds: Vec<Kind>,
    /// Groups of the table that did not answer, and why.
    pub(super) silent: Vec<(String, ListFailure)>,
}

/// Asks a cluster for its kinds.
///
/// # Errors
/// When the server does not even list its groups.
pub(super) async fn discover(
    lister: &Lister,
    custom: &CustomKinds,
) -> Result<Discovered, ListFailure> {
    let mut found = Found {
        custom,
        kinds: BTreeMap::new(),
        silent: Vec::new(),
    };
    let body = lister.get_as("/apis", ACCEPT).await?;
    match serde_json::from_slice(&body) {
        Ok(Groups::Aggregated { items }) => found.aggregated(items),
        Ok(Groups::Plain { groups }) => found.one_by_one(lister, groups).await,
        Err(error) => {
            return Err(ListFailure::Refused(format!(
                "the API server's list of groups can't be read: {error}"
            )));
        }
    }
    // Who may not read definitions gets the kinds of the table.
    let add = |defined: &mut Vec<Kind>, item: &RawValue| defined.extend(defined_kind(item, custom));
    let defined = lister.all(DEFINITIONS, DEFINITIONS_AT_A_TIME, add).await;
    for kind in defined.unwrap_or_default() {
        found.add(kind);
    }
    Ok(Discovered {
        kinds: found.kinds.into_values().collect(),
        silent: found.silent,
    })
}

/// `apidiscovery.k8s.io APIGroupDiscoveryList`, or `APIGroupList`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Groups {
    Aggregated { items: Vec<Group> },
    Plain { groups: Vec<PlainGroup> },
}

#[derive(Deserialize)]
struct Group {
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupName {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    #[serde(default)]
    response_kind: ResponseKind,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

#[derive(Default, Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainGroup {
    name: String,
    #[serde(default)]
    versions: Vec<PlainVersion>,
    preferred_version: Option<PlainVersion>,
}

#[derive(Deserialize)]
struct PlainVersion {
    version: String,
}

/// `APIResourceList`.
#[derive(Deserialize)]
struct PlainResources {
    #[serde(default)]
    resources: Vec<PlainResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainResource {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

struct Found<'c> {
    custom: &'c CustomKinds,
    /// By group and kind: of each the first version, which is the preferred one.
    kinds: BTreeMap<(String, String), Kind>,
    silent: Vec<(String, ListFailure)>,
}

impl Found<'_> {
    fn add(&mut self, kind: Kind) {
        let key = (kind.group.clone(), kind.kind.clone());
        self.kinds.entry(key).or_insert(kind);
    }

    fn aggregated(&mut self, groups: Vec<Group>) {
        for group in groups {
            let name = group.metadata.name;
            for GroupVersion { version, resources } in group.versions {
                for resource in resources {
                    let kind = resource.response_kind.kind;
                    let listed = resource.verbs.iter().any(|verb| verb == "list");
                    if listed && self.custom.runs_images(&name, &kind) {
                        self.add(Kind {
                            group: name.clone(),
                            version: version.clone(),
                            kind,
                            plural: resource.resource,
                            short_names: resource.short_names,
                            namespaced: resource.scope == "Namespaced",
                            shape: Shape::Custom,
                        });
                    }
                }
            }
        }
    }

    /// Older servers: a request for each group that the table knows.
    async fn one_by_one(&mut self, lister: &Lister, groups: Vec<PlainGroup>) {
        let wanted = self.custom.groups();
        for group in groups {
            if !wanted.contains(group.name.as_str()) {
                continue;
            }
            let preferred = group
                .preferred_version
                .or(group.versions.into_iter().next());
            let Some(PlainVersion { version }) = preferred else {
                continue;
            };
            let path = format!("/apis/{}/{version}", group.name);
            let answer = lister.get(&path).await;
            let parsed = answer.and_then(|body| {
                serde_json::from_slice(&body).map_err(|e| ListFailure::Refused(e.to_string()))
            });
            let PlainResources { resources } = match parsed {
                Ok(resources) => resources,
                Err(failure) => {
                    self.silent.push((group.name, failure));
                    continue;
                }
            };
            for resource in resources {
                let listed = resource.verbs.iter().any(|verb| verb == "list");
                // `workflows/status` is no kind of its own.
                let whole = !resource.name.contains('/');
                if listed && whole && self.custom.runs_images(&group.name, &resource.kind) {
                    self.add(Kind {
                        group: group.name.clone(),
                        version: version.clone(),
                        kind: resource.kind,
                        plural: resource.name,
                        short_names: resource.short_names,
                        namespaced: resource.namespaced,
                        shape: Shape::Custom,
                    });
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Definition<'a> {
    #[serde(borrow)]
    spec: DefinitionSpec<'a>,
}

#[derive(Deserialize)]
struct DefinitionSpec<'a> {
    group: String,
    scope: String,
    names: Names,
    #[serde(borrow)]
    versions: Vec<DefinedVersion<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    kind: String,
    plural: String,
    #[serde(default)]
    short_names: Vec<String>,
}

#[derive(Deserialize)]
struct DefinedVersion<'a> {
    name: String,
    #[serde(default)]
    served: bool,
    #[serde(default)]
    storage: bool,
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
}

/// The kind that a definition defines, if its schema holds a pod spec.
fn defined_kind(item: &RawValue, custom: &CustomKinds) -> Option<Kind> {
    let Definition { spec } = serde_json::from_str(item.get()).ok()?;
    if custom.find(&spec.group, &spec.names.kind).is_some() {
        // The table says already, and discovery knows it.
        return None;
    }
    let served = || spec.versions.iter().filter(|version| version.served);
    let version = served().find(|v| v.storage).or_else(|| served().next())?;
    let schema = version.schema?.get();
    // Most schemas don't even have the word, and are not parsed.
    if !schema.contains("\"containers\"") {
        return None;
    }
    let schema: Value = serde_json::from_str(schema).ok()?;
    holds_pod_spec(&schema, 0).then(|| Kind {
        group: spec.group,
        version: version.name.clone(),
        kind: spec.names.kind,
        plural: spec.names.plural,
        short_names: spec.names.short_names,
        namespaced: spec.scope == "Namespaced",
        shape: Shape::Custom,
    })
}

/// Whether a schema has a list `containers` whose items have an `image`.
fn holds_pod_spec(schema: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    if schema
        .pointer("/properties/containers/items/properties/image")
        .is_some()
    {
        return true;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut below = properties
        .into_iter()
        .flatten()
        // What has been is not what will be.
        .filter(|(name, _)| *name != "status")
        .map(|(_, schema)| schema);
    let others = ["items", "additionalProperties", "openAPIV3Schema"];
    below.any(|schema| holds_pod_spec(schema, depth + 1))
        || others
            .iter()
            .filter_map(|key| schema.get(key))
            .any(|schema| holds_pod_spec(schema, depth + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_with_pod_specs_are_told_from_others() {
        let containers = json!({"type": "array", "items": {"properties": {"image": {"type": "string"}, "name": {}}}});
        let pod = json!({"properties": {"containers": containers}});
        for (schema, expected) in [
            (
                json!({"openAPIV3Schema": {"properties": {"spec": {"properties": {"template": {"properties": {"spec": pod}}}}}}}),
                true,
            ),
            (
                json!({"openAPIV3Schema": {"properties": {"spec": {"properties": {"roles": {"additionalProperties": pod}}}}}}),
                true,
            ),
            (
                json!({"openAPIV3Schema": {"properties": {"spec": {"properties": {"tasks": {"items": pod}}}}}}),
                true,
            ),
            (
                json!({"openAPIV3Schema": {"properties": {"status": pod}}}),
                false,
            ),
            (
                json!({"openAPIV3Schema": {"properties": {"spec": {"properties": {"containers": {"items": {"type": "string"}}}}}}}),
                false,
            ),
            (
                json!({"openAPIV3Schema": {"properties": {"spec": {"x-kubernetes-preserve-unknown-fields": true}}}}),
                false,
            ),
        ] {
            let definition = json!({"spec": {"group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1alpha1", "served": false, "storage": false, "schema": {}},
                    {"name": "v1", "served": true, "storage": true, "schema": schema}]}});
            let raw = RawValue::from_string(definition.to_string()).unwrap();
            let kind = defined_kind(&raw, &CustomKinds::built_in());
            let found = kind.map(|kind| (kind.resource(), kind.version));
            let widgets = ("widgets.example.com".to_owned(), "v1".to_owned());
            assert_eq!(found, expected.then_some(widgets), "{schema}");
        }
    }
}
