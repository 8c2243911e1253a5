//! From `-f` and `-k` to what is to be read: what comes from the web or out of kustomize is loaded here.

use std::ffi::OsString;

use super::args::FileArgs;
use super::error::Failure;
use crate::input::files::{self, FetchError, KustomizeError, ManifestUrl, Sources};

/// Loads what isn't a file.
pub(super) async fn load(args: &FileArgs) -> Result<Sources, Failure> {
    let stdins = args.filename.iter().filter(|source| *source == "-").count();
    if stdins > 1 {
        return Err(Failure::new("standard input (-f -) can be read only once"));
    }
    let mut sources = Sources {
        recursive: args.recursive,
        ..Sources::default()
    };
    if let Some(dir) = &args.kustomize {
        let kubectl = kubectl();
        let built = files::kustomize(&kubectl, dir).await;
        let built = built.map_err(kustomize_failure)?;
        sources.names.push(dir.clone());
        sources.loaded.insert(dir.clone(), built);
    }
    for source in &args.filename {
        if !ManifestUrl::is_one(source) {
            sources.names.push(source.clone());
            continue;
        }
        let url = ManifestUrl::parse(source).map_err(fetch_failure)?;
        let text = url.fetch().await.map_err(fetch_failure)?;
        // Two URLs may differ in their query alone, which is not shown.
        let mut name = url.name;
        while sources.loaded.contains_key(&name) {
            name.push('\'');
        }
        sources.names.push(name.clone());
        sources.loaded.insert(name, text);
    }
    Ok(sources)
}

/// The kubectl that runs this plugin may be named; else the one of the `PATH`.
fn kubectl() -> OsString {
    std::env::var_os("KUBECTL_PATH")
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| "kubectl".into())
}

fn fetch_failure(error: FetchError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        FetchError::Redirect { .. } => failure.hint(
            "only the host that is named is asked; give the URL that it redirects to, or: curl -fL URL | kubectl archcheck -f -",
        ),
        _ => failure,
    }
}

fn kustomize_failure(error: KustomizeError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        KustomizeError::NoKubectl { .. } => failure.hint(
            "put kubectl on the PATH or into KUBECTL_PATH, or: kustomize build DIR | kubectl archcheck -f -",
        ),
        _ => failure,
    }
}
