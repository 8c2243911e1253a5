//! The walk from a top-level document to what the image holds: a single manifest's config, and those children of an index
//! whose platform only they themselves can tell. It reads through a [`Source`], and knows neither HTTP nor files.

use futures::future::BoxFuture;

use crate::image::{
    ConfigFacts, Content, Digest, Document, DocumentKind, ImageError, ImageFacts, Index,
    ManifestFacts, RawManifest, Shape, media_type,
};

/// Configs hold an image's history; real ones stay under 1 MiB.
pub(super) const LARGEST_CONFIG: usize = 8 * 1024 * 1024;
/// How many children without a platform are read; runtimes look at the first alone.
const MOST_CHILDREN: usize = 16;
/// How deep indexes may nest.
const DEEPEST: usize = 4;

/// A document's bytes, and the type that was declared for it.
pub(super) type Declared = (Vec<u8>, Option<String>);

/// Where documents and configs come from.
pub(super) trait Source: Sync {
    /// A manifest by its digest, with its declared type.
    fn document<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Declared, ImageError>>;
    /// A config by its digest.
    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>>;
    /// The entries of an index that are to be looked at although they declare a platform (`--verify`).
    fn picks(&self, _index: &Index) -> Vec<usize> {
        Vec::new()
    }
    /// An error about a document that isn't one.
    fn not_a_document(&self, detail: String) -> ImageError;
}

/// Reads what a top-level document says, and as much of its children as a verdict needs.
pub(super) async fn facts(
    source: &dyn Source,
    body: &[u8],
    declared: Option<&str>,
) -> Result<ImageFacts, ImageError> {
    let document =
        Document::read(body, declared).map_err(|e| source.not_a_document(e.to_string()))?;
    let digest = Digest::sha256_of(body);
    let shape = match document.kind {
        DocumentKind::Schema1(architecture) => Shape::Schema1 { architecture },
        DocumentKind::Manifest(raw) => {
            let facts = manifest_facts(source, digest.clone(), &document.media_type, &raw).await;
            // An unreadable config of the image itself is the image's error, not an entry's.
            Shape::Manifest(facts?)
        }
        DocumentKind::Index(mut index) => {
            read_children(source, &mut index, 1).await;
            Shape::Index(index)
        }
    };
    Ok(ImageFacts {
        digest,
        media_type: document.media_type,
        served_as: document.served_as,
        shape,
    })
}

async fn manifest_facts(
    source: &dyn Source,
    digest: Digest,
    media_type: &str,
    raw: &RawManifest,
) -> Result<ManifestFacts, ImageError> {
    let config = match raw.config_digest() {
        Ok(config) => ConfigFacts::read(&source.config(&config).await?),
        Err(no_image) => no_image,
    };
    Ok(ManifestFacts {
        digest,
        media_type: media_type.to_owned(),
        layers: raw.layers.len(),
        config,
    })
}

/// Reads nested indexes, and entries that declare no platform: a runtime looks into those as well. And those that are to
/// be verified.
fn read_children<'a>(
    source: &'a dyn Source,
    index: &'a mut Index,
    depth: usize,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let picks = source.picks(index);
        let nested = [media_type::OCI_INDEX, media_type::DOCKER_LIST];
        let wanted = index.entries.iter_mut().enumerate().filter(|(at, entry)| {
            let looked_into =
                entry.platform.is_none() || nested.contains(&entry.media_type.as_str());
            !entry.attestation && (looked_into || picks.contains(at))
        });
        for (_, entry) in wanted.take(MOST_CHILDREN) {
            entry.content = if depth >= DEEPEST {
                Content::Unreadable(format!("indexes are nested more than {DEEPEST} deep"))
            } else {
                child(source, &entry.digest, depth)
                    .await
                    .unwrap_or_else(not_read)
            };
        }
    })
}

/// The index was read from the same repository with the same credential: a child that isn't found isn't hidden.
fn not_read(error: ImageError) -> Content {
    match error {
        ImageError::NotFound { .. } | ImageError::Denied { status: 404, .. } => Content::Missing,
        error => Content::Unreadable(error.to_string()),
    }
}

async fn child(source: &dyn Source, digest: &Digest, depth: usize) -> Result<Content, ImageError> {
    let (body, declared) = source.document(digest).await?;
    let document = Document::read(&body, declared.as_deref())
        .map_err(|e| source.not_a_document(e.to_string()))?;
    match document.kind {
        DocumentKind::Index(mut index) => {
            read_children(source, &mut index, depth + 1).await;
            Ok(Content::Index(index))
        }
        DocumentKind::Manifest(raw) => {
            let facts = manifest_facts(source, digest.clone(), &document.media_type, &raw).await?;
            Ok(Content::Manifest(facts))
        }
        DocumentKind::Schema1(_) => Ok(Content::Unreadable(
            "it is a Docker schema 1 manifest".to_owned(),
        )),
    }
}
