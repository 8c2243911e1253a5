//! Layers for tests, a line an entry: `usr/bin/` is a directory, `sh -> busybox` a link, `a = b` a hard link to `b`,
//! `app` an executable file, `-app` one of mode 0644, `!null` a device. Whiteouts are named as they are: `.wh.app`.

use std::sync::Arc;

use super::{Bytes, Entry, EntryKind, File, Head, LayerIndex, LayerTree};

/// A file whose only line is its layer's name, so that tests see whose it is.
fn file(mode: u32, layer: &str) -> EntryKind {
    EntryKind::File(File {
        mode,
        size: layer.len() as u64,
        head: Head::read(&Bytes::whole(layer.as_bytes())).0,
    })
}

fn entry(line: &str, layer: &str) -> Entry {
    let (path, kind) = if let Some((path, target)) = line.split_once(" -> ") {
        (path, EntryKind::Symlink(target.to_owned()))
    } else if let Some((path, target)) = line.split_once(" = ") {
        (path, EntryKind::HardLink(target.to_owned()))
    } else if let Some(path) = line.strip_suffix('/') {
        (path, EntryKind::Directory)
    } else if let Some(path) = line.strip_prefix('-') {
        (path, file(0o644, layer))
    } else if let Some(path) = line.strip_prefix('!') {
        (path, EntryKind::Special)
    } else {
        (line, file(0o755, layer))
    };
    Entry {
        path: path.to_owned(),
        kind,
    }
}

/// One layer.
pub(super) fn layer(lines: &str) -> LayerTree {
    let lines = lines.split(", ").filter(|line| !line.is_empty());
    LayerTree::of(&LayerIndex {
        entries: lines.map(|line| entry(line, "#!/x\n")).collect(),
    })
}

/// Layers, the lowest first; `?` has not been read.
pub(super) fn layers(layers: &[&str]) -> Vec<Option<Arc<LayerTree>>> {
    layers
        .iter()
        .map(|lines| (*lines != "?").then(|| Arc::new(layer(lines))))
        .collect()
}
