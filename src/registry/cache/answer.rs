//! An answer out of the cache alone: nobody is asked.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;

use super::Cache;
use crate::image::{Digest, ImageAnswer, ImageError, ImageRef};
use crate::registry::walk::{Declared, Source, facts};

impl Cache {
    /// What a reference led to last time (for whom: see [`Cache::memory`]), if all that belongs to it is still there.
    pub(in crate::registry) async fn answer(
        &self,
        image: &ImageRef,
        holder: Option<&str>,
    ) -> Option<ImageAnswer> {
        let memory = self.memory(image, holder).await?;
        let (body, declared) = self.blob(&memory.digest).await?;
        let stored = Stored {
            cache: self,
            incomplete: AtomicBool::new(false),
        };
        let mut facts = facts(&stored, &body, declared.as_deref()).await.ok()?;
        // An entry that could not be read is no answer: asking may read it.
        if stored.incomplete.load(Ordering::Relaxed) {
            return None;
        }
        facts.digest = memory.digest;
        Some(ImageAnswer {
            result: Ok(facts),
            asked_at: memory.asked_at,
            mirror: memory.mirror,
            credential: memory.credential,
            tried: Vec::new(),
        })
    }
}

/// The cache as a source of documents.
struct Stored<'a> {
    cache: &'a Cache,
    /// Something was wanted and not there.
    incomplete: AtomicBool,
}

impl Stored<'_> {
    async fn find(&self, digest: &Digest) -> Result<Declared, ImageError> {
        self.cache.blob(digest).await.ok_or_else(|| {
            self.incomplete.store(true, Ordering::Relaxed);
            self.not_a_document(format!("{digest} is not there"))
        })
    }
}

impl Source for Stored<'_> {
    fn document<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Declared, ImageError>> {
        Box::pin(self.find(digest))
    }

    fn config<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<Vec<u8>, ImageError>> {
        Box::pin(async move { Ok(self.find(digest).await?.0) })
    }

    fn not_a_document(&self, detail: String) -> ImageError {
        ImageError::Layout {
            path: "the cache".to_owned(),
            detail,
        }
    }
}
