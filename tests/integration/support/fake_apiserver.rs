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

/// Group, version and resource of the kinds that it serves.
const RESOURCES: [(&str, &str, &str); 13] = [
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
];

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
    /// By resource.
    objects: BTreeMap<&'static str, Vec<Value>>,
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
        let cluster = Arc::new(Mutex::new(Cluster::default()));
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

    /// Adds an object, with a uid of its own, and its namespace.
    pub(crate) fn add(&self, mut object: Value) {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let (_, _, resource) = RESOURCES.iter().find(|(k, _, _)| *k == kind).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = format!("uid-{kind}-{name}").into();
        }
        let mut cluster = self.cluster.lock().unwrap();
        if let Some(namespace) = object["metadata"]["namespace"].as_str() {
            let namespaces = cluster.objects.entry("namespaces").or_default();
            if !namespaces
                .iter()
                .any(|n| n["metadata"]["name"] == namespace)
            {
                namespaces.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
            }
        }
        cluster.objects.entry(resource).or_default().push(object);
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
    let (group_version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ((*version).to_owned(), rest),
        ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
        _ => return status(404, "the server could not find the requested resource"),
    };
    let (namespace, resource) = match rest {
        ["namespaces", name] => {
            let namespaces = cluster.objects.get("namespaces");
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
            let objects = cluster.objects.get(resource).into_iter().flatten();
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
    let known = RESOURCES
        .iter()
        .find(|(_, gv, plural)| *gv == group_version && *plural == resource);
    let Some((kind, _, plural)) = known else {
        return status(404, "the server could not find the requested resource");
    };
    let all: Vec<Value> = cluster
        .objects
        .get(plural)
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
