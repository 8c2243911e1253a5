//! Makes a client by kubectl's rules, which differ from kube-rs' own in several places (crates.md A.1): missing files in
//! KUBECONFIG are skipped, nothing is inferred silently, every kubectl flag works, NO_PROXY is about the server.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};
use kube::{Client, Config};

use super::exec_plugin::{self, PluginError};
use super::proxy::{ProxyVariables, proxy_for};

/// The name under which the effective cluster, user and context are kept.
const EFFECTIVE: &str = "archcheck";

/// kubectl's flags about clusters.
#[derive(Debug, Clone, Default)]
pub struct ClusterFlags {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--token`.
    pub token: Option<String>,
    /// `--as`.
    pub as_user: Option<String>,
    /// `--as-group`.
    pub as_group: Vec<String>,
    /// `--as-uid`.
    pub as_uid: Option<String>,
    /// `--as-user-extra`, KEY=VALUE.
    pub as_user_extra: Vec<String>,
    /// `--certificate-authority`.
    pub certificate_authority: Option<PathBuf>,
    /// `--client-certificate`.
    pub client_certificate: Option<PathBuf>,
    /// `--client-key`.
    pub client_key: Option<PathBuf>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--tls-server-name`.
    pub tls_server_name: Option<String>,
    /// `--request-timeout`; zero is none.
    pub request_timeout: Duration,
    /// `--disable-compression`.
    pub disable_compression: bool,
}

/// What of the environment matters.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `KUBECONFIG`, split.
    pub kubeconfig: Vec<PathBuf>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Proxies.
    pub proxies: ProxyVariables,
    /// Whether this runs in a pod (`KUBERNETES_SERVICE_HOST` is set) and may use that.
    pub in_cluster: bool,
}

/// A client, and what reports say about it.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The API server's URL.
    pub server: String,
    /// The kubeconfig context, if one was used.
    pub context: Option<String>,
    /// The context's namespace.
    pub namespace: String,
    /// A credential plugin logged in; asked again, it may give a better credential.
    pub by_plugin: bool,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing says where the cluster is.
    #[error("no cluster is configured: there is no kubeconfig at {0}")]
    NoConfig(String),
    /// A kubeconfig that can't be read.
    #[error("the kubeconfig {path} can't be read: {detail}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A name that the kubeconfig doesn't have.
    #[error("{what} {name:?} is not in the kubeconfig; it has {there}")]
    NoSuch {
        /// `the context`, `the cluster`, `the user`.
        what: &'static str,
        /// The name.
        name: String,
        /// What there is.
        there: String,
    },
    /// No context is chosen.
    #[error("the kubeconfig names no current context; it has {0}")]
    NoContext(String),
    /// Settings that can't be used.
    #[error("the connection to {server} can't be set up: {detail}")]
    Setup {
        /// The server.
        server: String,
        /// Why.
        detail: String,
    },
    /// The kubeconfig's credential plugin.
    #[error("{source}")]
    Plugin {
        /// What went wrong.
        source: PluginError,
        /// What the kubeconfig says to install.
        install_hint: Option<String>,
    },
}

/// Makes a client.
///
/// # Errors
/// When no cluster is configured, or what is configured can't be used.
pub async fn connect(
    flags: &ClusterFlags,
    surroundings: &Surroundings,
) -> Result<Connection, ConnectError> {
    // Fails only where a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let files = kubeconfig_files(flags, surroundings);
    let kubeconfig = load(flags, &files)?;
    let mut by_plugin = false;
    let (mut config, context, explicit_proxy) = match kubeconfig {
        Some(kubeconfig) => {
            let (effective, plugin) = Effective::of(kubeconfig, flags)?.logged_in().await?;
            by_plugin = plugin;
            let proxy = effective.cluster.proxy_url.clone();
            let context = effective.context.clone();
            (effective.config().await?, context, proxy)
        }
        None if surroundings.in_cluster && flags.server.is_none() => {
            let config = Config::incluster().map_err(|error| setup("in-cluster", &error))?;
            (config, None, None)
        }
        None if flags.server.is_some() => {
            let effective = Effective::of(Kubeconfig::default(), flags)?;
            (effective.config().await?, None, None)
        }
        None => {
            let looked: Vec<_> = files
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(ConnectError::NoConfig(looked.join(", ")));
        }
    };
    let server = config
        .cluster_url
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let proxy = proxy_for(
        &config.cluster_url,
        explicit_proxy.as_deref(),
        &surroundings.proxies,
    );
    let proxy = proxy.map(|proxy| proxy.parse()).transpose();
    let proxy_url = proxy.map_err(|error: http::uri::InvalidUri| setup(&server, &error))?;
    let timeout = (!flags.request_timeout.is_zero()).then_some(flags.request_timeout);
    config.proxy_url = proxy_url;
    config.read_timeout = timeout.or(config.read_timeout);
    config.disable_compression |= flags.disable_compression;
    // `list` asks again where the server says when, as kubectl does.
    config.default_retry = false;
    let namespace = config.default_namespace.clone();
    // Older ways to log in (auth-provider) run a program inside, and block.
    let client = tokio::task::spawn_blocking(move || Client::try_from(config))
        .await
        .map_err(|error| setup(&server, &error))?
        .map_err(|error| ConnectError::Setup {
            server: server.clone(),
            detail: kube_words(&error),
        })?;
    Ok(Connection {
        client,
        server,
        context,
        namespace,
        by_plugin,
    })
}

/// Where kubectl looks, in its order.
pub(super) fn kubeconfig_files(flags: &ClusterFlags, surroundings: &Surroundings) -> Vec<PathBuf> {
    if let Some(path) = &flags.kubeconfig {
        return vec![path.clone()];
    }
    let listed: Vec<PathBuf> = surroundings
        .kubeconfig
        .iter()
        .filter(|path| !path.as_os_str().is_empty())
        .cloned()
        .collect();
    if !listed.is_empty() {
        return listed;
    }
    surroundings
        .home
        .iter()
        .map(|home| home.join(".kube").join("config"))
        .collect()
}

/// Reads and merges them. Only a file named by `--kubeconfig` must be there.
pub(super) fn load(
    flags: &ClusterFlags,
    files: &[PathBuf],
) -> Result<Option<Kubeconfig>, ConnectError> {
    let unreadable = |path: &Path, detail: String| ConnectError::Unreadable {
        path: path.to_owned(),
        detail,
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in files {
        if !path.exists() && flags.kubeconfig.is_none() {
            continue;
        }
        let next =
            Kubeconfig::read_from(path).map_err(|error| unreadable(path, deepest(&error)))?;
        merged = Some(match merged {
            None => next,
            Some(first) => first
                .merge(next)
                .map_err(|error| unreadable(path, deepest(&error)))?,
        });
    }
    let empty = |config: &Kubeconfig| config.clusters.is_empty() && config.contexts.is_empty();
    Ok(merged.filter(|config| !empty(config)))
}

/// The one cluster, user and context that the flags leave.
struct Effective {
    cluster: Cluster,
    user: AuthInfo,
    namespace: Option<String>,
    context: Option<String>,
}

impl Effective {
    fn of(kubeconfig: Kubeconfig, flags: &ClusterFlags) -> Result<Self, ConnectError> {
        let contexts: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
        let wanted = flags
            .context
            .clone()
            .or(kubeconfig.current_context.clone())
            .filter(|c| !c.is_empty());
        let named = wanted.as_ref().and_then(|name| {
            kubeconfig
                .contexts
                .iter()
                .find(|context| context.name == *name)?
                .context
                .clone()
        });
        let context = match (&wanted, named) {
            (Some(_), Some(context)) => context,
            (Some(name), None) => return Err(no_such("the context", name, &contexts)),
            (None, _) if flags.server.is_some() || flags.cluster.is_some() => Context::default(),
            (None, _) => return Err(ConnectError::NoContext(list(&contexts))),
        };
        let cluster_name = flags.cluster.clone().unwrap_or(context.cluster);
        let found = kubeconfig
            .clusters
            .iter()
            .find(|cluster| cluster.name == cluster_name);
        let mut cluster = match found.and_then(|cluster| cluster.cluster.clone()) {
            Some(cluster) => cluster,
            None if flags.server.is_some() && flags.cluster.is_none() => Cluster::default(),
            None => {
                let there: Vec<String> =
                    kubeconfig.clusters.iter().map(|c| c.name.clone()).collect();
                return Err(no_such("the cluster", &cluster_name, &there));
            }
        };
        let user_name = flags.user.clone().or(context.user).unwrap_or_default();
        let found = kubeconfig
            .auth_infos
            .iter()
            .find(|user| user.name == user_name);
        let mut user = match found.and_then(|user| user.auth_info.clone()) {
            Some(user) => user,
            None if flags.user.is_none() => AuthInfo::default(),
            None => {
                let there: Vec<String> = kubeconfig
                    .auth_infos
                    .iter()
                    .map(|u| u.name.clone())
                    .collect();
                return Err(no_such("the user", &user_name, &there));
            }
        };
        override_cluster(&mut cluster, flags);
        override_user(&mut user, flags);
        let context_name = wanted.filter(|_| !contexts.is_empty());
        Ok(Self {
            cluster,
            user,
            namespace: context.namespace,
            context: context_name,
        })
    }

    /// Reads the token's file and runs the credential plugin, if the user has them, and says whether a plugin ran.
    async fn logged_in(mut self) -> Result<(Self, bool), ConnectError> {
        let server = self.cluster.server.clone().unwrap_or_default();
        // kube-rs would send the line end, too.
        if let Some(path) = self.user.token_file.take() {
            let path = PathBuf::from(path);
            let token =
                std::fs::read_to_string(&path).map_err(|error| ConnectError::Unreadable {
                    path,
                    detail: error.to_string(),
                })?;
            set_token(&mut self.user, token.trim());
        }
        let plugin = self.user.exec.as_ref();
        let install_hint = plugin.and_then(|plugin| plugin.install_hint.clone());
        let mut effective = self;
        let logging_in = tokio::task::spawn_blocking(move || {
            let plugin = exec_plugin::log_in(&mut effective.user, &effective.cluster)?;
            Ok((effective, plugin))
        });
        let done = logging_in.await.map_err(|error| setup(&server, &error))?;
        done.map_err(|source| ConnectError::Plugin {
            source,
            install_hint,
        })
    }

    async fn config(self) -> Result<Config, ConnectError> {
        let server = self.cluster.server.clone().unwrap_or_default();
        // kube-rs would let NO_PROXY override it; `connect` sets the proxy itself.
        let cluster = Cluster {
            proxy_url: None,
            ..self.cluster
        };
        let kubeconfig = Kubeconfig {
            clusters: vec![NamedCluster {
                name: EFFECTIVE.to_owned(),
                cluster: Some(cluster),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: EFFECTIVE.to_owned(),
                auth_info: Some(self.user),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: EFFECTIVE.to_owned(),
                context: Some(Context {
                    cluster: EFFECTIVE.to_owned(),
                    user: Some(EFFECTIVE.to_owned()),
                    namespace: self.namespace,
                    ..Context::default()
                }),
                ..NamedContext::default()
            }],
            current_context: Some(EFFECTIVE.to_owned()),
            ..Kubeconfig::default()
        };
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|error| setup(&server, &error))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn override_cluster(cluster: &mut Cluster, flags: &ClusterFlags) {
    if let Some(server) = &flags.server {
        // kubectl takes a host without a scheme for http.
        let full = if server.contains("://") {
            server.clone()
        } else {
            format!("http://{server}")
        };
        cluster.server = Some(full);
    }
    if let Some(path) = &flags.certificate_authority {
        cluster.certificate_authority = Some(text(path));
        cluster.certificate_authority_data = None;
    }
    if flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if let Some(name) = &flags.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
}

fn override_user(user: &mut AuthInfo, flags: &ClusterFlags) {
    if let Some(token) = &flags.token {
        // A token on the command line replaces every other way to log in.
        set_token(user, token);
        user.token_file = None;
        user.exec = None;
        user.auth_provider = None;
        user.username = None;
        user.password = None;
    }
    if let Some(path) = &flags.client_certificate {
        user.client_certificate = Some(text(path));
        user.client_certificate_data = None;
    }
    if let Some(path) = &flags.client_key {
        user.client_key = Some(text(path));
        user.client_key_data = None;
    }
    if let Some(name) = &flags.as_user {
        user.impersonate = Some(name.clone());
    }
    if let Some(uid) = &flags.as_uid {
        user.impersonate_uid = Some(uid.clone());
    }
    if !flags.as_group.is_empty() {
        user.impersonate_groups = Some(flags.as_group.clone());
    }
    if !flags.as_user_extra.is_empty() {
        let mut extra: HashMap<String, Vec<String>> = HashMap::new();
        for pair in &flags.as_user_extra {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            extra
                .entry(key.to_owned())
                .or_default()
                .push(value.to_owned());
        }
        user.impersonate_user_extra = Some(extra);
    }
}

/// The type that kube-rs keeps a token in is another crate's; JSON is the way in.
fn set_token(user: &mut AuthInfo, token: &str) {
    let only: AuthInfo =
        serde_json::from_value(serde_json::json!({ "token": token })).unwrap_or_default();
    user.token = only.token;
}

fn no_such(what: &'static str, name: &str, there: &[String]) -> ConnectError {
    ConnectError::NoSuch {
        what,
        name: name.to_owned(),
        there: list(there),
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn setup(server: &str, error: &dyn std::error::Error) -> ConnectError {
    ConnectError::Setup {
        server: server.to_owned(),
        detail: deepest(error),
    }
}

/// What went wrong with a kube error, in words that are safe to print.
pub(super) fn kube_words(error: &kube::Error) -> String {
    match error {
        // Its own words hold what the plugin printed, which may be a token.
        kube::Error::Auth(kube::client::AuthError::AuthExecRun { cmd, out }) => {
            format!("the credential plugin {cmd} failed with {}", out.status)
        }
        error => deepest(error),
    }
}

/// The cause at the bottom of an error, which says most; kube-rs repeats it at every level above.
pub(super) fn deepest(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    crate::tls_words::plain(&last.to_string())
}
