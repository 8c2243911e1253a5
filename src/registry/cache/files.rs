//! Files that appear whole or not at all, and that nobody else may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How files begin that are being written.
pub(super) const PARTIAL: &str = ".partial-";
/// A file's time is its last use, to within this.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Tells apart the files that one process writes.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A file of at most so many bytes; anything else is none.
pub(super) fn read(path: &Path, limit: usize) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let meta = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).ok()?;
    (&file).take(most + 1).read_to_end(&mut bytes).ok()?;
    let age = meta.modified().ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| age > FRESH) {
        // It was of use: others go first. What can't be marked is merely older.
        let _ = file.set_modified(SystemTime::now());
    }
    (bytes.len() <= limit).then_some(bytes)
}

/// Writes beside the place and renames: another process sees the old file, the new one, or none.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    if !dir.is_dir() {
        make_dir(dir)?;
    }
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let partial = dir.join(format!("{PARTIAL}{}-{number}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options
        .open(&partial)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    written
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}
