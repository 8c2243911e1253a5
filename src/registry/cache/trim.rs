//! Keeps the cache's directory below its limit.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::files::PARTIAL;

/// What is being written for longer than this never will be.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// An empty file takes room as well.
const BLOCK: u64 = 4096;

struct Entry {
    path: PathBuf,
    used: SystemTime,
    size: u64,
}

/// Removes files, those first that were not used for longest, until three quarters of the limit are left. Another process
/// may be doing the same: what is gone already is no error.
pub(super) fn trim(root: &Path, limit: u64) {
    let mut entries = Vec::new();
    collect(root, &mut entries);
    let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
    if total <= limit {
        return;
    }
    entries.sort_by_key(|entry| entry.used);
    for entry in entries {
        if total <= limit / 4 * 3 {
            break;
        }
        let _ = std::fs::remove_file(&entry.path);
        total = total.saturating_sub(entry.size);
    }
}

fn collect(dir: &Path, entries: &mut Vec<Entry>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        // Links are not followed: what they lead to is not ours.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            collect(&entry.path(), entries);
        } else if meta.is_file() {
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
            if partial {
                let age = used.elapsed().unwrap_or_default();
                if age > ABANDONED {
                    let _ = std::fs::remove_file(entry.path());
                }
                continue;
            }
            entries.push(Entry {
                path: entry.path(),
                used,
                size: meta.len().div_ceil(BLOCK).max(1) * BLOCK,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn file(dir: &Path, name: &str, hours_ago: u64) {
        std::fs::write(dir.join(name), "x").unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(dir.join(name))
            .unwrap();
        let then = SystemTime::now() - Duration::from_secs(hours_ago * 3600);
        file.set_modified(then).unwrap();
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("blobs");
        std::fs::create_dir(&dir).unwrap();
        for (name, hours_ago) in [
            ("old", 9),
            ("older", 10),
            ("new", 1),
            ("newer", 0),
            ("middle", 5),
        ] {
            file(&dir, name, hours_ago);
        }
        file(&dir, ".partial-1-1", 2);
        file(&dir, ".partial-1-2", 0);
        trim(root.path(), 5 * BLOCK);
        assert_eq!(
            names(&dir).len(),
            6,
            "within the limit, only what was abandoned goes"
        );
        trim(root.path(), 4 * BLOCK);
        assert_eq!(names(&dir), [".partial-1-2", "middle", "new", "newer"]);
    }
}
