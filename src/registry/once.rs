//! Things that are asked for once, however many want them at the same time.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Answers by question.
pub(super) struct OnceMap<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K: Hash + Eq, V: Clone> OnceMap<K, V> {
    /// The answer; the first who asks finds it out, the others wait. Whoever is dropped while finding it out leaves that
    /// to the next.
    pub(super) async fn get_or_init<F: Future<Output = V>>(
        &self,
        question: K,
        find_out: impl FnOnce() -> F,
    ) -> V {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(question).or_default())
        };
        cell.get_or_init(find_out).await.clone()
    }
}

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Without what is in it: some questions hold credentials.
impl<K, V> fmt::Debug for OnceMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "OnceMap of {}", cells.len())
    }
}
