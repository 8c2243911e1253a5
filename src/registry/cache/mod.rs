//! What registries have answered before, on disk: documents and configs by digest, and which digest each reference led
//! to. Errors and credentials are never kept.
//!
//! [`files`] writes so that several processes may share the directory; [`trim`] keeps it small. What can't be read or
//! does not have its digest counts as not there, and is written anew.

mod answer;
mod files;
mod trim;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::walk::{Declared, LARGEST_CONFIG};
use crate::image::{CredentialKind, Digest, ImageAnswer, ImageRef};

/// A new format gets a new directory: old versions of the program leave it alone.
const FORMAT: &str = "v1";
/// The most bytes that are kept, for some ten thousand images. What was not used for longest goes first.
const LARGEST_CACHE: u64 = 128 * 1024 * 1024;
/// A content type longer than this is none.
const LONGEST_TYPE: usize = 256;
/// A remembered reference takes less.
const LARGEST_MEMORY: usize = 4096;

/// The cache of a run. One without a directory holds nothing and keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    root: Option<PathBuf>,
    /// Something was written: the directory may have grown too large.
    grown: Arc<AtomicBool>,
}

/// What a reference led to when it was last asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) digest: Digest,
    /// Who answered.
    pub(super) asked_at: String,
    /// Whether that is a mirror.
    pub(super) mirror: bool,
    /// With which kind of credential.
    pub(super) credential: CredentialKind,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemoryFile {
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    digest: String,
    asked_at: String,
    mirror: bool,
    credential: String,
}

impl Cache {
    /// The cache below a directory, which is made when there is something to keep.
    #[must_use]
    pub fn below(dir: &Path) -> Self {
        Self {
            root: Some(dir.join(FORMAT)),
            grown: Arc::default(),
        }
    }

    /// A manifest, index or config, with the type that was declared for it.
    pub(super) async fn blob(&self, digest: &Digest) -> Option<Declared> {
        let path = self.blob_path(digest)?;
        let digest = digest.clone();
        blocking(move || {
            let file = files::read(&path, LARGEST_CONFIG + LONGEST_TYPE + 1)?;
            let end = file.iter().position(|b| *b == b'\n')?;
            let declared = std::str::from_utf8(file.get(..end)?).ok()?.to_owned();
            let bytes = file.get(end + 1..)?;
            let declared = Some(declared).filter(|declared| !declared.is_empty());
            digest.matches(bytes).then(|| (bytes.to_vec(), declared))
        })
        .await
    }

    /// Keeps what has this digest, which the caller has checked.
    pub(super) async fn keep_blob(&self, digest: &Digest, bytes: &[u8], declared: Option<&str>) {
        let Some(path) = self.blob_path(digest) else {
            return;
        };
        let declared = declared
            .filter(|declared| declared.len() <= LONGEST_TYPE && !declared.contains('\n'))
            .unwrap_or_default();
        let file = [declared.as_bytes(), b"\n", bytes].concat();
        self.write(path, file).await;
    }

    /// What a reference led to last time: for those who hold these pull secrets, else for anybody.
    pub(super) async fn memory(&self, image: &ImageRef, holder: Option<&str>) -> Option<Memory> {
        if holder.is_some()
            && let Some(memory) = self.memory_of(image, holder).await
        {
            return Some(memory);
        }
        self.memory_of(image, None).await
    }

    async fn memory_of(&self, image: &ImageRef, holder: Option<&str>) -> Option<Memory> {
        let reference = image.to_string();
        let path = self.memory_path(&reference, holder)?;
        let file = blocking(move || files::read(&path, LARGEST_MEMORY)).await?;
        let file: MemoryFile = serde_json::from_slice(&file).ok()?;
        (file.reference == reference && file.holder.as_deref() == holder).then_some(())?;
        Some(Memory {
            digest: file.digest.parse().ok()?,
            asked_at: file.asked_at,
            mirror: file.mirror,
            credential: CredentialKind::named(&file.credential)?,
        })
    }

    /// Remembers what a reference led to. What a pull secret opened is remembered for its holders alone.
    pub(super) async fn remember(
        &self,
        image: &ImageRef,
        holder: Option<&str>,
        answer: &ImageAnswer,
    ) {
        let Ok(facts) = &answer.result else { return };
        let holder = holder.filter(|_| answer.credential == CredentialKind::PullSecret);
        let reference = image.to_string();
        let Some(path) = self.memory_path(&reference, holder) else {
            return;
        };
        let file = MemoryFile {
            reference,
            holder: holder.map(str::to_owned),
            digest: facts.digest.to_string(),
            asked_at: answer.asked_at.clone(),
            mirror: answer.mirror,
            credential: answer.credential.as_str().to_owned(),
        };
        if let Ok(file) = serde_json::to_vec(&file) {
            self.write(path, file).await;
        }
    }

    /// Removes what was not used for longest, if this run has made the cache larger than it may be.
    pub fn trim(&self) {
        if let (true, Some(root)) = (self.grown.load(Ordering::Relaxed), &self.root) {
            trim::trim(root, LARGEST_CACHE);
        }
    }

    async fn write(&self, path: PathBuf, file: Vec<u8>) {
        let shown = path.clone();
        let written = blocking(move || Some(files::write(&path, &file))).await;
        match written {
            Some(Ok(())) => self.grown.store(true, Ordering::Relaxed),
            // A directory that can't be written to makes the next scan slower, and this one no worse.
            Some(Err(error)) => tracing::debug!("{}: {error}", shown.display()),
            None => {}
        }
    }

    fn blob_path(&self, digest: &Digest) -> Option<PathBuf> {
        let kind = self.root.as_ref()?.join("blobs").join(digest.algorithm());
        Some(kind.join(digest.hex().get(..2)?).join(digest.hex()))
    }

    /// References have letters that file names may not have.
    fn memory_path(&self, reference: &str, holder: Option<&str>) -> Option<PathBuf> {
        let key = format!("{reference} {}", holder.unwrap_or_default());
        let name = Digest::sha256_of(key.as_bytes());
        let kind = self.root.as_ref()?.join("references");
        Some(kind.join(name.hex().get(..2)?).join(name.hex()))
    }
}

/// Disks can be slow, and other requests must not wait for them.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageFacts, Shape};

    fn image(text: &str) -> ImageRef {
        ImageRef::parse(text).unwrap()
    }

    fn memory(of: &[u8]) -> Memory {
        Memory {
            digest: Digest::sha256_of(of),
            asked_at: "mirror.example.com".to_owned(),
            mirror: true,
            credential: CredentialKind::DockerConfig,
        }
    }

    fn answer(of: &[u8], credential: CredentialKind) -> ImageAnswer {
        let facts = ImageFacts {
            digest: Digest::sha256_of(of),
            media_type: String::new(),
            served_as: None,
            shape: Shape::Schema1 { architecture: None },
        };
        ImageAnswer {
            result: Ok(facts),
            asked_at: "mirror.example.com".to_owned(),
            mirror: true,
            credential,
            tried: Vec::new(),
        }
    }

    async fn remember(cache: &Cache, name: &str, of: &[u8]) {
        let answer = answer(of, CredentialKind::DockerConfig);
        cache.remember(&image(name), None, &answer).await;
    }

    /// All files below a directory.
    fn all(dir: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                found.extend(all(&entry.path()));
            } else {
                found.push(entry.path());
            }
        }
        found
    }

    #[tokio::test]
    async fn what_is_kept_is_found_by_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let (digest, body) = (Digest::sha256_of(b"{}"), b"{}".as_slice());
        let declared = Some("application/vnd.oci.image.index.v1+json");
        let first = Cache::below(dir.path());
        assert_eq!(first.blob(&digest).await, None);
        assert_eq!(first.memory(&image("nginx"), None).await, None);
        first.keep_blob(&digest, body, declared).await;
        remember(&first, "nginx", b"{}").await;
        let second = Cache::below(dir.path());
        let kept = (body.to_vec(), declared.map(str::to_owned));
        assert_eq!(second.blob(&digest).await, Some(kept));
        assert_eq!(
            second.memory(&image("nginx"), None).await,
            Some(memory(b"{}"))
        );
        assert_eq!(second.memory(&image("nginx:1"), None).await, None);
        let without = Cache::default();
        without.keep_blob(&digest, body, None).await;
        assert_eq!(without.blob(&digest).await, None);
    }

    #[tokio::test]
    async fn what_is_damaged_is_not_there_and_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::below(dir.path());
        let digest = Digest::sha256_of(b"{}");
        for damaged in [&b""[..], b"\n{", b"no line", b"\xff\n{}", b"\n{}{}"] {
            cache.keep_blob(&digest, b"{}", None).await;
            remember(&cache, "nginx", b"{}").await;
            for file in all(dir.path()) {
                std::fs::write(file, damaged).unwrap();
            }
            assert_eq!(cache.blob(&digest).await, None, "{damaged:?}");
            assert_eq!(
                cache.memory(&image("nginx"), None).await,
                None,
                "{damaged:?}"
            );
            cache.keep_blob(&digest, b"{}", None).await;
            assert_eq!(cache.blob(&digest).await, Some((b"{}".to_vec(), None)));
        }
        // Another reference's file in its place is no answer.
        remember(&cache, "nginx", b"{}").await;
        let from = cache
            .memory_path(&image("nginx").to_string(), None)
            .unwrap();
        let to = cache
            .memory_path(&image("redis").to_string(), None)
            .unwrap();
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
        assert_eq!(cache.memory(&image("redis"), None).await, None);
    }

    #[tokio::test]
    async fn what_a_pull_secret_opened_is_for_its_holders_alone() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::below(dir.path());
        let nginx = image("nginx");
        let opened = answer(b"{}", CredentialKind::PullSecret);
        cache.remember(&nginx, Some("a"), &opened).await;
        assert!(cache.memory(&nginx, Some("a")).await.is_some());
        for holder in [None, Some("b")] {
            assert_eq!(cache.memory(&nginx, holder).await, None, "{holder:?}");
        }
        // What needed no pull secret is for all.
        let open = answer(b"[]", CredentialKind::Anonymous);
        cache.remember(&nginx, Some("a"), &open).await;
        for (holder, of) in [(None, b"[]"), (Some("b"), b"[]"), (Some("a"), b"{}")] {
            let memory = cache.memory(&nginx, holder).await.unwrap();
            assert_eq!(memory.digest, Digest::sha256_of(of), "{holder:?}");
        }
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_to_is_no_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = Cache::below(file.path());
        let digest = Digest::sha256_of(b"{}");
        cache.keep_blob(&digest, b"{}", None).await;
        assert_eq!(cache.blob(&digest).await, None);
        cache.trim();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("archcheck");
        let cache = Cache::below(&root);
        cache
            .keep_blob(&Digest::sha256_of(b"{}"), b"{}", None)
            .await;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let files = all(&root);
        assert_eq!(files.len(), 1);
        assert_eq!(mode(&files[0]), 0o600);
        let above = files[0].ancestors().skip(1);
        for dir in above.take_while(|dir| *dir != root.parent().unwrap()) {
            assert_eq!(mode(dir), 0o700, "{dir:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn several_may_write_the_same_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let body = vec![b'x'; 200_000];
        let digest = Digest::sha256_of(&body);
        let writers = (0..16).map(|n| {
            let (body, digest, dir) = (body.clone(), digest.clone(), dir.path().to_owned());
            tokio::spawn(async move {
                let cache = Cache::below(&dir);
                cache.keep_blob(&digest, &body, None).await;
                remember(&cache, "nginx", &[n]).await;
                assert!(cache.memory(&image("nginx"), None).await.is_some());
                cache.blob(&digest).await
            })
        });
        for read in futures::future::join_all(writers).await {
            assert_eq!(read.unwrap().unwrap().0, body);
        }
        assert_eq!(all(dir.path()).len(), 2, "no half-written file is left");
    }
}
