//! Pull secrets: each is read by name, once, when the first image has to be asked for, and serves only images of pods in
//! its namespace that name it. What can't be read is told, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;

use super::Login;
use super::keyring::{self, Entries};
use crate::model::{Incomplete, PullAccess, PullSecret};
use crate::registry::once::OnceMap;

/// How many are read at a time: the API server has others to serve.
const AT_A_TIME: usize = 8;
/// How long reading one may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many names a note lists.
const NAMED: usize = 5;

/// Where pull secrets are read from.
pub trait PullSecretSource: fmt::Debug + Send + Sync {
    /// A secret of a namespace; `None` when there is no such secret.
    fn secret<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<PullSecret>, NotRead>>;

    /// The names of the secrets that a service account adds to pods; `None` when there is no such account.
    fn service_account<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<String>>, NotRead>>;

    /// What it is.
    fn kind(&self) -> SourceKind;

    /// What tells it from others of its kind: the API server's address.
    fn name(&self) -> String;
}

/// What a source of pull secrets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A cluster's API.
    Cluster,
    /// Manifests.
    Files,
}

/// Why a secret or service account could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// The API server does not allow it; in its words.
    Forbidden(String),
    /// Anything else.
    Failed(String),
}

/// Namespace and name.
type Name = (String, String);

/// The pull secrets of a run.
#[derive(Debug)]
pub(in crate::registry) struct PullSecrets {
    source: Option<Arc<dyn PullSecretSource>>,
    limit: Semaphore,
    accounts: OnceMap<Name, Arc<[String]>>,
    secrets: OnceMap<Name, Kept>,
    notes: Mutex<Notes>,
}

/// What is kept of a secret: never its text.
#[derive(Debug, Clone)]
enum Kept {
    Entries(Arc<Entries>),
    /// The kubelet can't decode it, and then pulls nothing for the pod.
    Undecodable,
    /// It isn't there.
    Absent(&'static Absence),
    /// It could not be read.
    Unread,
}

/// Why a secret isn't there, and what to do.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Absence {
    why: &'static str,
    hint: &'static str,
}

static NOT_IN_CLUSTER: Absence = Absence {
    why: "pods name it, and there is no such secret",
    hint: "make it, correct imagePullSecrets, or log in to the registry yourself",
};
static NOT_IN_FILES: Absence = Absence {
    why: "pods name it, and it is not among the files; the cluster's are never read with -f",
    hint: "add it to the files, or log in to the registry yourself",
};
static NOT_FOR_PULLING: Absence = Absence {
    why: "it has not the type, or lacks the key, of a pull secret",
    hint: "make it with kubectl create secret docker-registry, or log in to the registry yourself",
};

#[derive(Debug, Default)]
struct Notes {
    forbidden: BTreeMap<Name, &'static str>,
    forbidden_words: Option<String>,
    failed: BTreeMap<String, BTreeSet<Name>>,
    undecodable: BTreeMap<Name, String>,
    /// Only where an image was refused: otherwise nobody misses them.
    absent: BTreeMap<&'static Absence, BTreeSet<Name>>,
}

impl Default for PullSecrets {
    fn default() -> Self {
        Self {
            source: None,
            limit: Semaphore::new(AT_A_TIME),
            accounts: OnceMap::default(),
            secrets: OnceMap::default(),
            notes: Mutex::default(),
        }
    }
}

impl PullSecrets {
    pub(in crate::registry) fn new(source: Arc<dyn PullSecretSource>) -> Self {
        Self {
            source: Some(source),
            ..Self::default()
        }
    }

    /// What tells those apart whose secrets may open different things. Nobody, where no secret is used.
    pub(in crate::registry) fn holder(&self, access: &PullAccess) -> Option<String> {
        let place = self.source.as_ref()?.name();
        let holder = match access {
            PullAccess::Nobody => return None,
            PullAccess::Secrets { namespace, names } => {
                format!("secrets {namespace}/{}", names.join(","))
            }
            PullAccess::ServiceAccount { namespace, name } => {
                format!("serviceaccount {namespace}/{name}")
            }
        };
        Some(format!("{holder} of {place}"))
    }

    /// The logins that the kubelet would try for a repository of a registry (named as in references), in order.
    pub(in crate::registry) async fn logins(
        &self,
        access: &PullAccess,
        registry: &str,
        repository: &str,
    ) -> Vec<Login> {
        let mut entries = Vec::new();
        for kept in self.kept(access).await {
            match kept {
                Kept::Entries(read) => entries.push(read),
                // One bad secret fails the whole keyring.
                Kept::Undecodable => return Vec::new(),
                Kept::Absent(_) | Kept::Unread => {}
            }
        }
        let wanted = format!("{registry}/{repository}");
        let offer = keyring::offer(entries.iter().map(Arc::as_ref), &wanted);
        // The kubelet sends Docker Hub's credential to any host without a dot, as by `localhost/app`. We don't.
        if offer.by_default && registry != "docker.io" {
            return Vec::new();
        }
        offer.logins.into_iter().cloned().collect()
    }

    /// Notes that an image was refused to this access, so that secrets that aren't there matter.
    pub(in crate::registry) async fn refused(&self, access: &PullAccess) {
        let names = self.names(access).await;
        for (name, kept) in names.into_iter().zip(self.kept(access).await) {
            if let Kept::Absent(absence) = kept {
                self.note(|notes| notes.absent.entry(absence).or_default().insert(name));
            }
        }
    }

    async fn kept(&self, access: &PullAccess) -> Vec<Kept> {
        let names = self.names(access).await;
        join_all(names.into_iter().map(|name| self.read(name))).await
    }

    /// The secrets of an access, in their order; service accounts are read to know them.
    async fn names(&self, access: &PullAccess) -> Vec<Name> {
        let (namespace, names): (_, Arc<[String]>) = match access {
            PullAccess::Nobody => return Vec::new(),
            _ if self.source.is_none() => return Vec::new(),
            PullAccess::Secrets { namespace, names } => (namespace, names.as_slice().into()),
            PullAccess::ServiceAccount { namespace, name } => {
                let account = (namespace.clone(), name.clone());
                let find_out = || self.read_account(account.clone());
                let names = self.accounts.get_or_init(account.clone(), find_out);
                (namespace, names.await)
            }
        };
        names
            .iter()
            .map(|name| (namespace.clone(), name.clone()))
            .collect()
    }

    async fn read_account(&self, account: Name) -> Arc<[String]> {
        let Some(source) = &self.source else {
            return Arc::default();
        };
        let reading = source.service_account(&account.0, &account.1);
        match self.patiently(reading).await {
            Ok(names) => names.unwrap_or_default().into(),
            Err(why) => {
                self.note(|notes| notes.not_read(account, "serviceaccounts", why));
                Arc::default()
            }
        }
    }

    async fn read(&self, name: Name) -> Kept {
        let find_out = || async {
            let Some(source) = &self.source else {
                return Kept::Unread;
            };
            match self.patiently(source.secret(&name.0, &name.1)).await {
                Ok(None) => Kept::Absent(match source.kind() {
                    SourceKind::Cluster => &NOT_IN_CLUSTER,
                    SourceKind::Files => &NOT_IN_FILES,
                }),
                Ok(Some(PullSecret::NotForPulling)) => Kept::Absent(&NOT_FOR_PULLING),
                Ok(Some(secret)) => match Entries::read(&secret) {
                    Ok(entries) => Kept::Entries(Arc::new(entries)),
                    Err(why) => {
                        self.note(|notes| notes.undecodable.insert(name.clone(), why));
                        Kept::Undecodable
                    }
                },
                Err(why) => {
                    self.note(|notes| notes.not_read(name.clone(), "secrets", why));
                    Kept::Unread
                }
            }
        };
        self.secrets.get_or_init(name.clone(), find_out).await
    }

    async fn patiently<T>(
        &self,
        reading: impl Future<Output = Result<T, NotRead>>,
    ) -> Result<T, NotRead> {
        let _permit = self.limit.acquire().await;
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| {
                let seconds = PATIENCE.as_secs();
                Err(NotRead::Failed(format!("no answer within {seconds} s")))
            })
    }

    fn note<T>(&self, add: impl FnOnce(&mut Notes) -> T) {
        add(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What could not be read. None of it matters by itself: the images that needed it say so.
    pub(in crate::registry) fn incomplete(&self) -> Vec<Incomplete> {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .incomplete()
    }
}

impl Notes {
    fn not_read(&mut self, name: Name, resource: &'static str, why: NotRead) {
        match why {
            NotRead::Forbidden(words) => {
                self.forbidden.insert(name, resource);
                self.forbidden_words.get_or_insert(words);
            }
            NotRead::Failed(words) => {
                self.failed.entry(words).or_default().insert(name);
            }
        }
    }

    fn incomplete(&self) -> Vec<Incomplete> {
        let entry = |names: &BTreeSet<Name>, why: &str, hint: &str| Incomplete {
            what: format!("pull secrets: {}", list(names.iter().map(shown))),
            why: why.to_owned(),
            hint: hint.to_owned(),
            matters: false,
        };
        let mut all = Vec::new();
        if let Some(words) = &self.forbidden_words {
            let hint = format!(
                "images are asked for with your own logins instead; allow it there with the rule {}, or leave pull secrets out with --pull-secrets never",
                self.rule()
            );
            all.push(Incomplete {
                what: format!(
                    "pull secrets: {}",
                    list(self.forbidden.iter().map(forbidden))
                ),
                why: words.clone(),
                hint,
                matters: false,
            });
        }
        for (why, names) in &self.failed {
            let hint = "scan again; images were asked for with your own logins instead";
            all.push(entry(names, why, hint));
        }
        for (name, why) in &self.undecodable {
            let hint = "make the secret again: until then the kubelet pulls no image for pods that name it";
            all.push(entry(&BTreeSet::from([name.clone()]), why, hint));
        }
        for (absence, names) in &self.absent {
            all.push(entry(names, absence.why, absence.hint));
        }
        all
    }

    /// The RBAC rule that would do.
    fn rule(&self) -> String {
        let resources: BTreeSet<&str> = self.forbidden.values().copied().collect();
        let resources: Vec<&str> = resources.into_iter().collect();
        format!(
            "{{apiGroups: [\"\"], resources: [{}], verbs: [get]}}",
            resources.join(", ")
        )
    }
}

/// `shop/regcred, ops/ghcr and 3 more`.
fn list(names: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = names.collect();
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let named = all.join(", ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn shown((namespace, name): &Name) -> String {
    match namespace.as_str() {
        "" => name.clone(),
        namespace => format!("{namespace}/{name}"),
    }
}

fn forbidden((name, resource): (&Name, &&'static str)) -> String {
    match *resource {
        "serviceaccounts" => format!("those of service account {}", shown(name)),
        _ => shown(name),
    }
}
