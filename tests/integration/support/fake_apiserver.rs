//! A Kubernetes API server in this process: the real paths, lists with limit and continue, and failures on demand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

/// Kind, group and version, and resource of what it serves from the start.
const RESOURCES: [(&str, &str, &str); 17] = [
    ("Node", "v1", "nodes"),
    ("Namespace", "v1", "namespaces"),
    ("Secret", "v1", "secrets"),
    ("ServiceAccount", "v1", "serviceaccounts"),
    ("Pod", "v1", "pods"),
    ("ReplicationController", "v1", "replicationcontrollers"),
    ("PodTemplate", "v1", "podtemplates"),
    ("Deployment", "apps/v1", "deployments"),
    ("StatefulSet", "apps/v1", "statefulsets"),
    ("DaemonSet", "apps/v1", "daemonsets"),
    ("ReplicaSet", "apps/v1", "replicasets"),
    ("Job", "batch/v1", "jobs"),
    ("CronJob", "batch/v1", "cronjobs"),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        "customresourcedefinitions",
    ),
    (
        "ImageDigestMirrorSet",
        "config.openshift.io/v1",
        "imagedigestmirrorsets",
    ),
    (
        "ImageTagMirrorSet",
        "config.openshift.io/v1",
        "imagetagmirrorsets",
    ),
    (
        "ImageContentSourcePolicy",
        "operator.openshift.io/v1alpha1",
        "imagecontentsourcepolicies",
    ),
];

/// A kind that it serves.
#[derive(Clone)]
struct Served {
    kind: String,
    group_version: String,
    plural: String,
    namespaced: bool,
}

impl Served {
    fn group(&self) -> &str {
        self.group_version.split_once('/').map_or("", |(g, _)| g)
    }

    fn version(&self) -> &str {
        self.group_version.split_once('/').map_or("v1", |(_, v)| v)
    }
}

/// What goes wrong with a path.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status, always.
    Status(u16),
    /// 429 with `Retry-After: 0`, so many times.
    Busy(usize),
    /// 410 on the second page, once.
    Expired,
    /// A body that breaks off.
    Garbage,
}

#[derive(Default)]
struct Cluster {
    served: Vec<Served>,
    /// Only older servers list groups and their resources one by one.
    old: bool,
    /// By group, version and resource.
    objects: BTreeMap<(String, String), Vec<Value>>,
    faults: BTreeMap<String, Fault>,
    log: Vec<String>,
}

/// A running server.
pub(crate) struct FakeApiServer {
    cluster: Arc<Mutex<Cluster>>,
    url: String,
    dir: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl FakeApiServer {
    pub(crate) fn start() -> Self {
        let served = RESOURCES.map(|(kind, group_version, plural)| Served {
            kind: kind.to_owned(),
            group_version: group_version.to_owned(),
            plural: plural.to_owned(),
            namespaced: !matches!(kind, "Node" | "Namespace" | "CustomResourceDefinition"),
        });
        let cluster = Arc::new(Mutex::new(Cluster {
            served: served.to_vec(),
            ..Cluster::default()
        }));
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&cluster));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            cluster,
            url,
            dir: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    /// A kubeconfig that leads here, with a context of this name and namespace.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let path = self.dir.path().join("config");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": "let-me-in"}}],
            "contexts": [{"name": "fake", "context": {"cluster": "here", "user": "me", "namespace": "shop"}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Serves another kind.
    pub(crate) fn serve(&self, group_version: &str, kind: &str, plural: &str, namespaced: bool) {
        self.cluster.lock().unwrap().served.push(Served {
            kind: kind.to_owned(),
            group_version: group_version.to_owned(),
            plural: plural.to_owned(),
            namespaced,
        });
    }

    /// From now on this is a server from before aggregated discovery.
    pub(crate) fn grow_old(&self) {
        self.cluster.lock().unwrap().old = true;
    }

    /// Adds an object, with a uid of its own, and its namespace.
    pub(crate) fn add(&self, mut object: Value) {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let group_version = object["apiVersion"].as_str().unwrap().to_owned();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = format!("uid-{kind}-{name}").into();
        }
        let mut cluster = self.cluster.lock().unwrap();
        let served = cluster.served.iter();
        let plural = served
            .clone()
            .find(|served| served.kind == kind && served.group_version == group_version)
            .unwrap_or_else(|| panic!("{group_version} {kind} is not served"))
            .plural
            .clone();
        if let Some(namespace) = object["metadata"]["namespace"].as_str() {
            let key = ("v1".to_owned(), "namespaces".to_owned());
            let namespaces = cluster.objects.entry(key).or_default();
            if !namespaces
                .iter()
                .any(|n| n["metadata"]["name"] == namespace)
            {
                namespaces.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
            }
        }
        let key = (group_version, plural);
        cluster.objects.entry(key).or_default().push(object);
    }

    /// Makes something go wrong with every request whose path ends so.
    pub(crate) fn fault(&self, path_end: &str, fault: Fault) {
        self.cluster
            .lock()
            .unwrap()
            .faults
            .insert(path_end.to_owned(), fault);
    }

    /// `PATH?QUERY` of every request.
    pub(crate) fn log(&self) -> Vec<String> {
        self.cluster.lock().unwrap().log.clone()
    }
}

fn status(code: u16, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code});
    Response::builder()
        .status(code)
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn answer(State(cluster): State<Arc<Mutex<Cluster>>>, request: Request) -> Response {
    let mut cluster = cluster.lock().unwrap();
    let uri = request.uri();
    cluster.log.push(uri.path_and_query().unwrap().to_string());
    if request
        .headers()
        .get("authorization")
        .is_none_or(|value| value != "Bearer let-me-in")
    {
        return status(401, "Unauthorized");
    }
    let path = uri.path().to_owned();
    let query: BTreeMap<String, String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let from: usize = query
        .get("continue")
        .map_or(0, |token| token.parse().unwrap());
    let fault = cluster
        .faults
        .iter_mut()
        .find(|(end, _)| path.ends_with(end.as_str()));
    if let Some((end, fault)) = fault {
        match fault {
            Fault::Status(403) => {
                return status(
                    403,
                    &format!(
                        "{end} is forbidden: User \"me\" cannot list resource at the cluster scope"
                    ),
                );
            }
            Fault::Status(code) => return status(*code, "as told"),
            Fault::Busy(0) => {}
            Fault::Busy(times) => {
                *times -= 1;
                let mut busy = status(429, "too many requests, please try again later");
                busy.headers_mut()
                    .insert("retry-after", "0".parse().unwrap());
                return busy;
            }
            Fault::Expired if from > 0 => {
                *fault = Fault::Busy(0);
                return status(410, "The provided continue parameter is too old");
            }
            Fault::Expired => {}
            Fault::Garbage => return Response::new(Body::from("{\"items\": [{")),
        }
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let accepts = |what: &str| {
        let accept = request.headers().get("accept");
        accept.is_some_and(|accept| accept.to_str().unwrap().contains(what))
    };
    match parts.as_slice() {
        ["apis"] if cluster.old || !accepts("as=APIGroupDiscoveryList") => {
            return Response::new(Body::from(groups(&cluster.served).to_string()));
        }
        ["apis"] => return Response::new(Body::from(discovery(&cluster.served).to_string())),
        ["apis", group, version] => {
            let group_version = format!("{group}/{version}");
            return Response::new(Body::from(
                resources(&cluster.served, &group_version).to_string(),
            ));
        }
        _ => {}
    }
    let (group_version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ((*version).to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return status(404, "the server could not find the requested resource"),
    };
    let (namespace, resource) = match rest {
        ["namespaces", name] => {
            let namespaces = cluster
                .objects
                .get(&("v1".to_owned(), "namespaces".to_owned()));
            let found = namespaces
                .into_iter()
                .flatten()
                .find(|namespace| namespace["metadata"]["name"] == *name);
            return match found {
                Some(namespace) => Response::new(Body::from(namespace.to_string())),
                None => status(404, &format!("namespaces {name:?} not found")),
            };
        }
        ["namespaces", namespace, resource, name] => {
            let key = (group_version, (*resource).to_owned());
            let objects = cluster.objects.get(&key).into_iter().flatten();
            let found = objects.into_iter().find(|object| {
                object["metadata"]["namespace"] == *namespace && object["metadata"]["name"] == *name
            });
            return match found {
                Some(object) => Response::new(Body::from(object.to_string())),
                None => status(404, &format!("{resource} {name:?} not found")),
            };
        }
        ["namespaces", namespace, resource] => (Some(*namespace), *resource),
        [resource] => (None, *resource),
        _ => return status(404, "the server could not find the requested resource"),
    };
    let known = cluster.served.iter().find(|served| {
        served.group_version == group_version
            && served.plural == resource
            && (served.namespaced || namespace.is_none())
    });
    let Some(Served { kind, .. }) = known else {
        return status(404, "the server could not find the requested resource");
    };
    let all: Vec<Value> = cluster
        .objects
        .get(&(group_version.clone(), resource.to_owned()))
        .into_iter()
        .flatten()
        .filter(|object| {
            namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
        })
        .cloned()
        .map(|mut object| {
            // Items of a list carry no type, as in the real one.
            let map = object.as_object_mut().unwrap();
            map.remove("kind");
            map.remove("apiVersion");
            object
        })
        .collect();
    let limit: usize = query
        .get("limit")
        .map_or(usize::MAX, |limit| limit.parse().unwrap());
    let to = from.saturating_add(limit).min(all.len());
    let next = if to < all.len() {
        to.to_string()
    } else {
        String::new()
    };
    let list = json!({"kind": format!("{kind}List"), "apiVersion": group_version,
        "metadata": {"resourceVersion": "1", "continue": next}, "items": all[from..to]});
    Response::builder()
        .status(StatusCode::OK)
        .body(Body::from(list.to_string()))
        .unwrap()
}

/// `APIGroupDiscoveryList`.
fn discovery(served: &[Served]) -> Value {
    let mut items: Vec<Value> = Vec::new();
    for one in served.iter().filter(|served| !served.group().is_empty()) {
        let resource = json!({"resource": one.plural, "responseKind": {"group": one.group(), "version": one.version(), "kind": one.kind},
            "scope": if one.namespaced { "Namespaced" } else { "Cluster" }, "verbs": ["get", "list"], "shortNames": []});
        items.push(json!({"metadata": {"name": one.group()}, "versions": [{"version": one.version(), "resources": [resource], "freshness": "Current"}]}));
    }
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

/// `APIGroupList`.
fn groups(served: &[Served]) -> Value {
    let groups: Vec<Value> = served
        .iter()
        .filter(|served| !served.group().is_empty())
        .map(|one| {
            let version = json!({"groupVersion": one.group_version, "version": one.version()});
            json!({"name": one.group(), "versions": [version], "preferredVersion": version})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `APIResourceList`.
fn resources(served: &[Served], group_version: &str) -> Value {
    let resources: Vec<Value> = served
        .iter()
        .filter(|served| served.group_version == group_version)
        .flat_map(|one| {
            let whole = json!({"name": one.plural, "kind": one.kind, "namespaced": one.namespaced, "verbs": ["get", "list"]});
            let part = json!({"name": format!("{}/status", one.plural), "kind": one.kind, "namespaced": one.namespaced, "verbs": ["get"]});
            [whole, part]
        })
        .collect();
    json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources})
}
