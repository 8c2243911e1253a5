//! Layers as `deep` stacks them, against layers that are really unpacked (by containerd's rules, `pkg/archive/tar.go`)
//! and mounted over one another by the kernel (overlayfs). Needs root with CAP_SYS_ADMIN, `unshare` and Python.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use archcheck::deep::{Entry, EntryKind, File, Head, LayerIndex, LayerTree, Miss, Node, Stack};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// How many stacks are compared.
const STACKS: usize = 150;

/// Unpacks each stack of standard input, mounts it, and prints what is at each path of interest.
const RUNNER: &str = r#"
import ctypes, json, os, shutil, stat, sys

libc = ctypes.CDLL(None, use_errno=True)

def mount(kind, where, options=""):
    if libc.mount(kind.encode(), where.encode(), kind.encode(), 0, options.encode()):
        raise OSError(ctypes.get_errno(), "mount " + kind)

def unpack(layer, root):
    os.mkdir(root)
    pid = os.fork()
    if pid:
        assert os.waitpid(pid, 0)[1] == 0
        return
    os.chroot(root)
    os.chdir("/")
    for path, kind, target in layer:
        parent, base = os.path.split("/" + path)
        # Links within the layer are followed, and end where this layer has nothing more.
        os.makedirs(os.path.realpath(parent), exist_ok=True)
        parent = os.path.realpath(parent)
        path = os.path.join(parent, base)
        if base == ".wh..wh..opq":
            os.setxattr(parent, "trusted.overlay.opaque", b"y")
            continue
        if base.startswith(".wh."):
            os.mknod(os.path.join(parent, base[4:]), stat.S_IFCHR | 0o600, os.makedev(0, 0))
            continue
        if os.path.lexists(path):
            if kind == "directory" and os.path.isdir(path) and not os.path.islink(path):
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.remove(path)
        if kind == "directory":
            os.mkdir(path)
        elif kind == "link":
            os.symlink(target, path)
        elif kind == "hard link":
            there, name = os.path.split("/" + target)
            os.link(os.path.join(os.path.realpath(there), name), path, follow_symlinks=False)
        else:
            open(path, "w").close()
    os._exit(0)

def look(root, paths):
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        text = os.fdopen(read).read()
        os.waitpid(pid, 0)
        return json.loads(text)
    os.chroot(root)
    os.chdir("/")
    said = []
    for path in paths:
        try:
            mode = os.stat(path).st_mode
            kind = "directory" if stat.S_ISDIR(mode) else "file"
            said.append(kind + " " + os.path.realpath(path))
        except OSError as error:
            said.append("errno %d" % error.errno)
    os.write(write, json.dumps(said).encode())
    os._exit(0)

work = sys.argv[1]
mount("tmpfs", work)
for number, line in enumerate(sys.stdin):
    case = json.loads(line)
    here = os.path.join(work, str(number))
    os.mkdir(here)
    roots = [os.path.join(here, "empty")]
    os.mkdir(roots[0])
    for at, layer in enumerate(case["layers"]):
        roots.append(os.path.join(here, str(at)))
        unpack(layer, roots[-1])
    merged = os.path.join(here, "merged")
    os.mkdir(merged)
    lower = ":".join(reversed(roots))
    mount("overlay", merged, "lowerdir=" + lower)
    print(json.dumps(look(merged, case["paths"])))
"#;

/// Few names, so that layers meet.
fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just("c")]
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

fn entry() -> impl Strategy<Value = (String, EntryKind)> {
    let file = EntryKind::File(File {
        mode: 0o755,
        size: 0,
        head: Head::Empty,
    });
    let target = prop_oneof![
        path(),
        path().prop_map(|path| format!("/{path}")),
        path().prop_map(|path| format!("../{path}")),
        Just("..".to_owned()),
        Just(".".to_owned()),
    ];
    let whiteout = |path: String| match path.rsplit_once('/') {
        Some((parent, name)) => format!("{parent}/.wh.{name}"),
        None => format!(".wh.{path}"),
    };
    prop_oneof![
        4 => path().prop_map(move |path| (path, file.clone())),
        3 => path().prop_map(|path| (path, EntryKind::Directory)),
        3 => (path(), target).prop_map(|(path, target)| (path, EntryKind::Symlink(target))),
        1 => (path(), path()).prop_map(|(path, target)| (path, EntryKind::HardLink(target))),
        2 => path().prop_map(move |path| {
            (whiteout(path), EntryKind::File(File { mode: 0, size: 0, head: Head::Empty }))
        }),
        1 => path().prop_map(|path| {
            (format!("{path}/.wh..wh..opq"), EntryKind::File(File { mode: 0, size: 0, head: Head::Empty }))
        }),
    ]
}

/// A layer that runtimes unpack: each entry that would break it is left out.
fn layer() -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(entry(), 0..7).prop_map(|entries| {
        let mut kept = LayerIndex::default();
        for (path, kind) in entries {
            kept.entries.push(Entry { path, kind });
            if LayerTree::of(&kept).broken().is_some() {
                kept.entries.pop();
            }
        }
        kept.entries
    })
}

fn to_json(entry: &Entry) -> Value {
    match &entry.kind {
        EntryKind::File(_) | EntryKind::Special => json!([entry.path, "file", ""]),
        EntryKind::Directory => json!([entry.path, "directory", ""]),
        EntryKind::Symlink(target) => json!([entry.path, "link", target]),
        EntryKind::HardLink(target) => json!([entry.path, "hard link", target]),
    }
}

/// Every path of up to three names.
fn paths() -> Vec<String> {
    let names = ["a", "b", "c"];
    let mut paths: Vec<String> = Vec::new();
    for one in names {
        paths.push(format!("/{one}"));
        for two in names {
            paths.push(format!("/{one}/{two}"));
            paths.extend(names.map(|three| format!("/{one}/{two}/{three}")));
        }
    }
    paths.extend([
        "/a/../b".to_owned(),
        "/a/b/..".to_owned(),
        "/b/./c/".to_owned(),
    ]);
    paths
}

fn said_by_deep(stacked: &[Vec<Entry>], paths: &[String]) -> Vec<String> {
    let tree = |entries: &Vec<Entry>| {
        let index = LayerIndex {
            entries: entries.clone(),
        };
        Some(Arc::new(LayerTree::of(&index)))
    };
    let layers: Vec<_> = stacked.iter().map(tree).collect();
    let stack = Stack {
        layers: &layers,
        mounts: &[],
    };
    let say = |path: &String| match stack.follow("/", path) {
        Ok(found) => match found.node {
            Node::Directory(_) => format!("directory {}", found.path),
            _ => format!("file {}", found.path),
        },
        Err(Miss::Errno(errno)) => format!("errno {}", errno.number()),
        Err(miss) => format!("{miss:?}"),
    };
    paths.iter().map(say).collect()
}

#[test]
fn layers_lie_over_one_another_as_in_overlayfs() {
    // The same stacks every time; a failure names the stack.
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let strategy = proptest::collection::vec(layer(), 1..5);
    let stacks: Vec<Vec<Vec<Entry>>> = (0..STACKS)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect();
    let paths = paths();
    let work = tempfile::tempdir().unwrap();
    let mut python = Command::new("unshare")
        .args(["--mount", "python3", "-c", RUNNER])
        .arg(work.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let lines: Vec<String> = stacks
        .iter()
        .map(|stack| {
            let layers: Vec<Vec<Value>> = stack
                .iter()
                .map(|layer| layer.iter().map(to_json).collect())
                .collect();
            json!({"layers": layers, "paths": paths}).to_string()
        })
        .collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            writeln!(stdin, "{line}").unwrap();
        }
    });
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        output.status.success(),
        "these tests need root that may mount (CAP_SYS_ADMIN)"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Vec<String>> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(said.len(), STACKS);
    let mut wrong = Vec::new();
    for (stack, kernel) in stacks.iter().zip(&said) {
        let deep = said_by_deep(stack, &paths);
        for ((path, kernel), deep) in paths.iter().zip(kernel).zip(&deep) {
            if kernel != deep {
                let layers: Vec<Vec<Value>> = stack
                    .iter()
                    .map(|layer| layer.iter().map(to_json).collect())
                    .collect();
                wrong.push(format!(
                    "{path}: kernel {kernel}, deep {deep}, in {}",
                    json!(layers)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
