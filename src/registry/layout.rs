//! `--images`: OCI image layouts (a directory, or a tar of one) and `docker save` archives, asked before any registry.
//! Of an archive only what looks like JSON is kept, in memory; nothing is ever unpacked.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use super::walk::{Declared, LARGEST_CONFIG, Source, facts};
use super::{LayoutSpec, RegistrySetupError};
use crate::image::{
    ConfigFacts, CredentialKind, Digest, ImageAnswer, ImageError, ImageFacts, ImageRef,
    ManifestFacts, RawDescriptor, Shape, media_type,
};

/// The most bytes of JSON that are kept of one archive.
const LARGEST_ARCHIVE: usize = 256 * 1024 * 1024;
/// The most files that are looked at in one archive.
const MOST_FILES: usize = 1_000_000;

/// All layouts and archives.
#[derive(Debug, Default)]
pub(super) struct Layouts(Vec<Layout>);

/// One layout or archive.
#[derive(Debug)]
struct Layout {
    /// The path as the user gave it.
    path: PathBuf,
    files: Files,
    by_name: BTreeMap<ImageRef, Root>,
}

/// What a name leads to.
#[derive(Debug, Clone)]
enum Root {
    /// A document in `blobs/`.
    Blob(Digest),
    /// The layout's own `index.json`.
    IndexJson,
    /// A config of an old `docker save` archive, which has no manifest.
    DockerConfig { file: String, layers: usize },
}

/// The files of a layout.
#[derive(Debug)]
enum Files {
    Directory(PathBuf),
    Archive(HashMap<String, Vec<u8>>),
}

#[derive(Deserialize)]
struct IndexJson {
    #[serde(default)]
    manifests: Vec<RawDescriptor>,
}

#[derive(Deserialize)]
struct DockerEntry {
    #[serde(rename = "Config", default)]
    config: String,
    #[serde(
        rename = "RepoTags",
        default,
        deserialize_with = "crate::model::null_as_default"
    )]
    repo_tags: Vec<String>,
    #[serde(
        rename = "Layers",
        default,
        deserialize_with = "crate::model::null_as_default"
    )]
    layers: Vec<String>,
}

impl Layouts {
    /// Opens all of them. Also returns warnings, for entries that answer for nothing.
    pub(super) fn open(specs: &[LayoutSpec]) -> Result<(Self, Vec<String>), RegistrySetupError> {
        let mut warnings = Vec::new();
        let mut layouts = Vec::new();
        for spec in specs {
            let layout =
                Layout::open(spec, &mut warnings).map_err(|detail| RegistrySetupError::Layout {
                    path: spec.path.clone(),
                    detail,
                })?;
            layouts.push(layout);
        }
        Ok((Self(layouts), warnings))
    }

    /// Whether one of them answers for an image.
    pub(super) fn has(&self, image: &ImageRef) -> bool {
        self.0.iter().any(|layout| layout.root(image).is_some())
    }

    /// The answer of the first layout that has one.
    pub(super) async fn resolve(&self, image: &ImageRef) -> Option<ImageAnswer> {
        for layout in &self.0 {
            if let Some(root) = layout.root(image) {
                return Some(ImageAnswer {
                    result: layout.read(&root).await,
                    asked_at: layout.path.display().to_string(),
                    mirror: false,
                    credential: CredentialKind::NotNeeded,
                    tried: Vec::new(),
                });
            }
        }
        None
    }
}

impl Layout {
    fn open(spec: &LayoutSpec, warnings: &mut Vec<String>) -> Result<Self, String> {
        let files = Files::open(&spec.path)?;
        let mut layout = Self {
            path: spec.path.clone(),
            files,
            by_name: BTreeMap::new(),
        };
        let reference = spec
            .reference
            .as_ref()
            .map(|text| ImageRef::parse(text).map_err(|error| format!("{text}: {error}")))
            .transpose()?;
        // An archive of a new Docker is both; its index says more.
        let index = layout.files.read("index.json", LARGEST_CONFIG);
        let docker = layout.files.read("manifest.json", LARGEST_CONFIG);
        match (index, docker) {
            (Ok(index), docker) => {
                layout.name_oci(&index, docker.ok().as_deref(), reference, warnings)?;
            }
            (Err(_), Ok(docker)) => layout.name_docker(&docker, reference, warnings)?,
            (Err(error), Err(_)) => {
                return Err(format!(
                    "neither an OCI image layout nor a docker save archive ({error})"
                ));
            }
        }
        Ok(layout)
    }

    /// Names the entries of `index.json` (image-spec `image-layout.md`).
    fn name_oci(
        &mut self,
        index: &[u8],
        docker: Option<&[u8]>,
        reference: Option<ImageRef>,
        warnings: &mut Vec<String>,
    ) -> Result<(), String> {
        let index: IndexJson =
            serde_json::from_slice(index).map_err(|error| format!("index.json: {error}"))?;
        if let Some(reference) = reference {
            let root = match index.manifests.as_slice() {
                [] => return Err("index.json lists no image".to_owned()),
                [one] => Root::Blob(digest(one)?),
                // Several: the one of that name, else all of them together are the image, unless they name other ones.
                several => {
                    let named = several.iter().find(|one| names(one).contains(&reference));
                    match named {
                        Some(one) => Root::Blob(digest(one)?),
                        None if several.iter().any(|one| !names(one).is_empty()) => {
                            return Err(format!(
                                "it holds {} images under other names, and none is {reference}",
                                several.len()
                            ));
                        }
                        None => Root::IndexJson,
                    }
                }
            };
            self.by_name.insert(reference, root);
            return Ok(());
        }
        let mut unnamed = 0;
        for descriptor in &index.manifests {
            let found = names(descriptor);
            unnamed += usize::from(found.is_empty());
            for name in found {
                self.by_name
                    .entry(name)
                    .or_insert(Root::Blob(digest(descriptor)?));
            }
        }
        if unnamed > 0 {
            // RepoTags name a config; an index entry of the same archive leads to it.
            let tags = docker
                .map(|docker| self.repo_tags(docker))
                .transpose()?
                .unwrap_or_default();
            if let ([one], false) = (index.manifests.as_slice(), tags.is_empty()) {
                for name in tags {
                    self.by_name.insert(name, Root::Blob(digest(one)?));
                }
                unnamed = 0;
            }
        }
        if unnamed > 0 {
            warnings.push(format!(
                "--images {}: {unnamed} of {} entries name no image, and answer for their digests alone; give them as REF=PATH",
                self.path.display(),
                index.manifests.len()
            ));
        }
        Ok(())
    }

    fn repo_tags(&self, docker: &[u8]) -> Result<Vec<ImageRef>, String> {
        let entries: Vec<DockerEntry> =
            serde_json::from_slice(docker).map_err(|error| format!("manifest.json: {error}"))?;
        Ok(entries
            .iter()
            .flat_map(|e| &e.repo_tags)
            .filter_map(|t| ImageRef::parse(t).ok())
            .collect())
    }

    /// Names the images of an old `docker save` archive, which holds configs and no manifests.
    fn name_docker(
        &mut self,
        docker: &[u8],
        reference: Option<ImageRef>,
        warnings: &mut Vec<String>,
    ) -> Result<(), String> {
        let entries: Vec<DockerEntry> =
            serde_json::from_slice(docker).map_err(|error| format!("manifest.json: {error}"))?;
        for entry in &entries {
            let root = Root::DockerConfig {
                file: entry.config.clone(),
                layers: entry.layers.len(),
            };
            let tags = entry
                .repo_tags
                .iter()
                .filter_map(|tag| ImageRef::parse(tag).ok());
            let mut found: Vec<ImageRef> = tags.collect();
            if let (Some(reference), 1) = (&reference, entries.len()) {
                found = vec![reference.clone()];
            }
            if found.is_empty() {
                warnings.push(format!(
                    "--images {}: an image without RepoTags answers for nothing; give it as REF=PATH",
                    self.path.display()
                ));
            }
            for name in found {
                self.by_name.insert(name, root.clone());
            }
        }
        match reference {
            Some(reference) if !self.by_name.contains_key(&reference) => Err(format!(
                "the archive holds several images, and none is {reference}"
            )),
            _ => Ok(()),
        }
    }

    /// What an image leads to here. A digest decides alone, whatever the repository is called.
    fn root(&self, image: &ImageRef) -> Option<Root> {
        if let Some(digest) = &image.digest {
            let there = self.files.has(&blob_path(digest));
            return there.then(|| Root::Blob(digest.clone()));
        }
        self.by_name.get(image).cloned()
    }

    async fn read(&self, root: &Root) -> Result<ImageFacts, ImageError> {
        match root {
            Root::Blob(digest) => {
                let (body, declared) = self.document(digest).await?;
                let mut facts = facts(self, &body, declared.as_deref()).await?;
                facts.digest = digest.clone();
                Ok(facts)
            }
            Root::IndexJson => {
                let body = self.files.read("index.json", LARGEST_CONFIG);
                let body = body.map_err(|detail| self.error(detail))?;
                facts(self, &body, None).await
            }
            Root::DockerConfig { file, layers } => {
                let body = self
                    .files
                    .read(file, LARGEST_CONFIG)
                    .map_err(|detail| self.error(detail))?;
                // Such an archive has no manifest: the config's digest is what Docker calls the image id.
                let digest = Digest::sha256_of(&body);
                let manifest = ManifestFacts {
                    digest: digest.clone(),
                    media_type: media_type::DOCKER_MANIFEST.to_owned(),
                    layers: *layers,
                    config: ConfigFacts::read(&body),
                };
                Ok(ImageFacts {
                    digest,
                    media_type: media_type::DOCKER_MANIFEST.to_owned(),
                    served_as: None,
                    shape: Shape::Manifest(manifest),
                })
            }
        }
    }

    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, ImageError> {
        let body = self.files.read(&blob_path(digest), LARGEST_CONFIG);
        let body = body.map_err(|detail| self.error(format!("{digest}: {detail}")))?;
        if !digest.matches(&body) {
            return Err(self.error(format!("{digest}: the bytes have another digest")));
        }
        Ok(body)
    }

    fn error(&self, detail: String) -> ImageError {
        ImageError::Layout {
            path: self.path.display().to_string(),
            detail,
        }
    }
}

impl Source for Layout {
    fn document<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Declared, ImageError>> {
        Box::pin(async move { Ok((self.blob(digest)?, None)) })
    }

    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>> {
        Box::pin(async move { self.blob(digest) })
    }

    fn not_a_document(&self, detail: String) -> ImageError {
        self.error(detail)
    }
}

/// The references that a descriptor answers for: `io.containerd.image.name`, else `org.opencontainers.image.ref.name` if
/// that is more than a tag.
fn names(descriptor: &RawDescriptor) -> Vec<ImageRef> {
    let annotation = |key: &str| descriptor.annotations.get(key).and_then(Value::as_str);
    let full = annotation("io.containerd.image.name").or_else(|| {
        annotation("org.opencontainers.image.ref.name").filter(|name| name.contains('/'))
    });
    full.and_then(|name| ImageRef::parse(name).ok())
        .into_iter()
        .collect()
}

fn digest(descriptor: &RawDescriptor) -> Result<Digest, String> {
    descriptor
        .digest
        .parse()
        .map_err(|error| format!("index.json: digest {:?}: {error}", descriptor.digest))
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

impl Files {
    fn open(path: &Path) -> Result<Self, String> {
        let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if meta.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let mut file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let mut magic = [0; 2];
        let gzip = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let reader = BufReader::new(file);
        if gzip {
            Self::archive(MultiGzDecoder::new(reader))
        } else {
            Self::archive(reader)
        }
    }

    /// Keeps the files of a tar that look like JSON.
    fn archive(reader: impl Read) -> Result<Self, String> {
        let mut kept = HashMap::new();
        let mut total = 0;
        let mut archive = tar::Archive::new(reader);
        let entries = archive
            .entries()
            .map_err(|_| "neither a directory nor a tar archive".to_owned())?;
        for (at, entry) in entries.enumerate() {
            // The reader's own words quote the bytes that it found.
            let entry = entry.map_err(|_| match at {
                0 => "neither a directory nor a tar archive".to_owned(),
                _ => format!("the tar archive is damaged after {at} files"),
            })?;
            if at >= MOST_FILES {
                return Err(format!("an archive with more than {MOST_FILES} files"));
            }
            let small = entry.size() <= LARGEST_CONFIG as u64;
            let Ok(path) = entry.path() else { continue };
            let name = path.to_string_lossy().trim_start_matches("./").to_owned();
            if !small || !entry.header().entry_type().is_file() {
                continue;
            }
            let mut body = Vec::new();
            entry
                .take(LARGEST_CONFIG as u64)
                .read_to_end(&mut body)
                .map_err(|error| format!("an archive that breaks off: {error}"))?;
            if matches!(body.first(), Some(b'{' | b'[')) {
                total += body.len();
                if total > LARGEST_ARCHIVE {
                    return Err("an archive with too many manifests".to_owned());
                }
                kept.insert(name, body);
            }
        }
        Ok(Self::Archive(kept))
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Directory(root) => root.join(name).is_file(),
            Self::Archive(files) => files.contains_key(name),
        }
    }

    fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, String> {
        match self {
            Self::Directory(root) => {
                // Names come from documents: they must stay inside.
                let inside = Path::new(name)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                if !inside {
                    return Err(format!("{name} lies outside"));
                }
                let file =
                    std::fs::File::open(root.join(name)).map_err(|e| format!("{name}: {e}"))?;
                let mut body = Vec::new();
                let most = limit as u64 + 1;
                file.take(most)
                    .read_to_end(&mut body)
                    .map_err(|e| format!("{name}: {e}"))?;
                if body.len() > limit {
                    return Err(format!("{name} has more than {limit} bytes"));
                }
                Ok(body)
            }
            Self::Archive(files) => files
                .get(name)
                .cloned()
                .ok_or_else(|| format!("{name} is not in the archive")),
        }
    }
}
