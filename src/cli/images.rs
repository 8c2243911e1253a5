//! From flags to a registry client.

use std::path::{Path, PathBuf};

use super::args::ImageArgs;
use super::error::Failure;
use crate::image::{CredentialKind, ImageRef};
use crate::registry::{
    Cache, CredentialFile, Credentials, LayoutSpec, Mirrors, Registry, RegistryOptions, Style,
};

/// Makes the registry client; warnings go to stderr. `cache_dir` is kubectl's own flag.
pub(super) fn registry(args: &ImageArgs, cache_dir: Option<&Path>) -> Result<Registry, Failure> {
    let in_environment = std::env::var("DOCKER_AUTH_CONFIG")
        .ok()
        .filter(|text| !text.is_empty());
    let (credentials, mut warnings) =
        Credentials::read(&credential_files(args), in_environment.as_deref())
            .map_err(|error| Failure::new(format!("--registry-config: {error}")))?;
    let (mirrors, more) = Mirrors::read(&args.mirror, args.mirror_config.as_deref())
        .map_err(|error| Failure::new(error.to_string()))?;
    warnings.extend(more);
    let options = RegistryOptions {
        plain_http: args.plain_http.clone(),
        insecure: args.insecure_registry.clone(),
        ca_files: args.registry_ca.clone(),
        allow: args.allow_registry.clone(),
        request_timeout: args.registry_timeout,
        concurrency: usize::from(args.concurrency),
        credentials,
        cache: match cache_below(cache_dir) {
            Some(dir) if !args.no_cache => Cache::below(&dir),
            _ => Cache::default(),
        },
        offline: args.offline,
        mirrors,
        layouts: args.images.iter().map(|text| layout(text)).collect(),
    };
    let (registry, more) =
        Registry::new(&options).map_err(|error| Failure::new(error.to_string()))?;
    warnings.extend(more);
    for warning in warnings {
        tracing::warn!("{}", crate::report::clean(&warning));
    }
    Ok(registry)
}

/// Where kubectl keeps its caches, below it ours (cli-runtime `genericclioptions/config_flags.go` `getDefaultCacheDir`).
/// Nowhere, for a user without a home.
fn cache_below(flag: Option<&Path>) -> Option<PathBuf> {
    let named = || std::env::var_os("KUBECACHEDIR").filter(|dir| !dir.is_empty());
    let kubectls = flag
        .map(Path::to_owned)
        .or_else(|| named().map(PathBuf::from))
        .or_else(|| Some(std::env::home_dir()?.join(".kube/cache")));
    Some(kubectls?.join("archcheck"))
}

/// The files that hold the user's credentials, in the order in which they are asked: the one that the user names, docker's,
/// then those of podman and its kin (containers-auth.json(5)).
fn credential_files(args: &ImageArgs) -> Vec<CredentialFile> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = std::env::home_dir();
    let file = |path: PathBuf, style, kind| CredentialFile { path, style, kind };
    let mut files = Vec::new();
    if let Some(path) = &args.registry_config {
        files.push(file(
            path.clone(),
            Style::Containers,
            CredentialKind::RegistryConfig,
        ));
    }
    let docker = set("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker")));
    files.extend(docker.map(|dir| {
        file(
            dir.join("config.json"),
            Style::Docker,
            CredentialKind::DockerConfig,
        )
    }));
    let auth_files = match set("REGISTRY_AUTH_FILE") {
        Some(path) => vec![path],
        None => {
            let runtime = set("XDG_RUNTIME_DIR")
                .map(|dir| dir.join("containers"))
                .or_else(runtime_dir);
            let config = set("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
            let config = config.map(|dir| dir.join("containers"));
            runtime
                .into_iter()
                .chain(config)
                .map(|dir| dir.join("auth.json"))
                .collect()
        }
    };
    let auth_file = |path| file(path, Style::Containers, CredentialKind::AuthFile);
    files.extend(auth_files.into_iter().map(auth_file));
    files
}

/// `/run/containers/UID`, where podman on Linux keeps its file without `XDG_RUNTIME_DIR`.
#[cfg(target_os = "linux")]
fn runtime_dir() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    Some(PathBuf::from(format!("/run/containers/{uid}")))
}

/// Elsewhere it is in the configuration directory alone.
#[cfg(not(target_os = "linux"))]
fn runtime_dir() -> Option<PathBuf> {
    None
}

/// `[REF=]PATH`. A path that is there is never split, and what stands before an equals sign must be a reference.
fn layout(text: &str) -> LayoutSpec {
    let whole = LayoutSpec {
        reference: None,
        path: PathBuf::from(text),
    };
    match text.split_once('=') {
        Some((reference, path)) if !whole.path.exists() && ImageRef::parse(reference).is_ok() => {
            LayoutSpec {
                reference: Some(reference.to_owned()),
                path: PathBuf::from(path),
            }
        }
        _ => whole,
    }
}
