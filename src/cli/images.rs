//! From flags to a registry client.

use std::path::PathBuf;

use super::args::ImageArgs;
use super::error::Failure;
use crate::image::ImageRef;
use crate::registry::{Credentials, LayoutSpec, Registry, RegistryOptions};

/// Makes the registry client; warnings go to stderr.
pub(super) fn registry(args: &ImageArgs) -> Result<Registry, Failure> {
    let (credentials, mut warnings) = match docker_config() {
        Some(path) => Credentials::from_docker_config(&path),
        None => (Credentials::default(), Vec::new()),
    };
    let options = RegistryOptions {
        plain_http: args.plain_http.clone(),
        insecure: args.insecure_registry.clone(),
        ca_files: args.registry_ca.clone(),
        request_timeout: args.registry_timeout,
        concurrency: usize::from(args.concurrency),
        credentials,
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

/// `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
fn docker_config() -> Option<PathBuf> {
    let dir = std::env::var_os("DOCKER_CONFIG")
        .filter(|dir| !dir.is_empty())
        .map(PathBuf::from);
    Some(
        dir.or_else(|| Some(std::env::home_dir()?.join(".docker")))?
            .join("config.json"),
    )
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
