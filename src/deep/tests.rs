//! Layers over layers, and looking for programs in them.

use super::testing::{layer, layers};
use super::*;

/// What is found at `path`: `LAYER /path kind`, or an error.
fn found(stacked: &[&str], path: &str) -> String {
    let layers = layers(stacked);
    let stack = Stack {
        layers: &layers,
        mounts: &[Mount {
            path: "/data/".to_owned(),
            volume: "pvc".to_owned(),
        }],
    };
    match stack.follow("/srv", path) {
        Ok(found) => {
            let kind = match found.node {
                Node::Directory(_) => "directory",
                Node::File(file) if file.is_executable() => "program",
                Node::File(_) => "file",
                Node::Symlink(_) => "link",
                Node::Special => "special",
                Node::Whiteout => "whiteout",
            };
            format!("{} {} {kind}", found.layer, found.path)
        }
        Err(Miss::Errno(errno)) => errno.in_go().to_owned(),
        Err(Miss::Needs(layer)) => format!("needs {layer}"),
        Err(Miss::Mounted(what)) => format!("in {what}"),
    }
}

#[test]
fn layers_cover_one_another() {
    const GONE: &str = "no such file or directory";
    for (stack, path, is) in [
        (&["app"][..], "/app", "0 /app program"),
        (&["app", "-app"], "/app", "1 /app file"),
        (&["app", "usr/"], "/app", "0 /app program"),
        (&["bin/app", "bin/"], "/bin/app", "0 /bin/app program"),
        // Whiteouts hide what is below, not what the same layer adds before or after them elsewhere.
        (&["app", ".wh.app"], "/app", GONE),
        (&["app", ".wh.app", "app"], "/app", "2 /app program"),
        (&["app", ".wh.app, app"], "/app", "1 /app program"),
        (&["a/b/c", ".wh.a"], "/a/b/c", GONE),
        (&["a/b/c", ".wh.a", "a/x"], "/a/b/c", GONE),
        (&["a/b/c", "a/.wh.b"], "/a/b", GONE),
        (&["a/b, a/c", "a/.wh..wh..opq, a/c"], "/a/b", GONE),
        (
            &["a/b, a/c", "a/.wh..wh..opq, a/c"],
            "/a/c",
            "1 /a/c program",
        ),
        (&["a/b/c", "a/.wh..wh..opq", "a/b/x"], "/a/b/c", GONE),
        (
            &["a/b/c", "a/b/x", "a/b/.wh..wh..opq, a/b/y"],
            "/a/b/x",
            GONE,
        ),
        (&["a/.wh..wh.plnk, a/b"], "/a/b", "0 /a/b program"),
        (&["a/b/c", "a/.wh..wh..opq, a/b/x"], "/a/b/c", GONE),
        (&["a/b", ".wh..wh..opq"], "/a/b", "0 /a/b program"),
        // A directory over anything else replaces it, and so does anything else over a directory.
        (
            &["usr/bin/app, bin -> usr/bin"],
            "/bin/app",
            "0 /usr/bin/app program",
        ),
        (&["usr/bin/app, bin -> usr/bin", "bin/x"], "/bin/app", GONE),
        (
            &["usr/bin/app, bin -> usr/bin", "bin/x"],
            "/bin/x",
            "1 /bin/x program",
        ),
        (&["a/b", "a", "a/c"], "/a/b", GONE),
        (&["a/b", "a -> c"], "/a/b", GONE),
        // Links through layers, relative, absolute and above the root.
        (
            &["usr/bin/busybox", "bin -> usr/bin", "usr/bin/sh -> busybox"],
            "/bin/sh",
            "0 /usr/bin/busybox program",
        ),
        (&["b -> /c, c/app", "a -> b"], "/a/app", "0 /c/app program"),
        (&["a -> ../../b, b"], "/a", "0 /b program"),
        (&["a -> b"], "/a", GONE),
        (&["a -> a"], "/a", "too many levels of symbolic links"),
        (
            &["a -> b", "b -> a"],
            "/a/x",
            "too many levels of symbolic links",
        ),
        // Within a layer links are followed while it is unpacked.
        (
            &["usr/bin/x", "bin -> usr/bin, bin/app"],
            "/usr/bin/app",
            "1 /usr/bin/app program",
        ),
        (
            &["bin -> /usr/bin, bin/app"],
            "/usr/bin/app",
            "0 /usr/bin/app program",
        ),
        (
            &["a -> b, b -> a, a/x"],
            "/a/x",
            "too many levels of symbolic links",
        ),
        (&["a -> ../../x, a/b"], "/x/b", "0 /x/b program"),
        (&["a/b = bin/app"], "/a/b", GONE),
        (&["bin/app, a/b = bin/app"], "/a/b", "0 /a/b program"),
        (&["usr/app, bin -> usr, a = bin/app"], "/a", "0 /a program"),
        (
            &["bin/sh -> busybox, a = bin/sh, busybox"],
            "/a",
            "0 /busybox program",
        ),
        // The working directory, mounts, odd paths.
        (&["srv/app"], "app", "0 /srv/app program"),
        (&["srv/app"], "./../srv/app", "0 /srv/app program"),
        (
            &["data/app"],
            "/data/app",
            "in volume pvc, mounted at /data/",
        ),
        (
            &["data/app, x -> data/app"],
            "/x",
            "in volume pvc, mounted at /data/",
        ),
        (
            &[""],
            "/proc/self/exe",
            "in /proc, which is not part of the image",
        ),
        (&["app"], "/app/", "not a directory"),
        (&["app"], "/app/x", "not a directory"),
        (&["!dev0"], "/dev0", "0 /dev0 special"),
        (&["app"], "/", "0 / directory"),
        (&[], "/app", GONE),
        // From the top down, no further than needed.
        (&["?", "?", "bin/app"], "/bin/app", "2 /bin/app program"),
        (&["?", "?", "bin/app"], "/bin/x", "needs 1"),
        (&["?", "bin/.wh..wh..opq", "bin/app"], "/bin/x", GONE),
        (&["?", "app, bin -> /"], "/bin/app", "1 /app program"),
        (&["?", "bin/sh -> busybox"], "/bin/sh", "needs 0"),
    ] {
        assert_eq!(found(stack, path), is, "{path} in {stack:?}");
    }
}

#[test]
fn layers_that_no_runtime_unpacks_are_known() {
    for (lines, broken) in [
        ("a, b", None),
        ("a/, a/b, a/", None),
        (".wh.a, a", None),
        ("a, b = a", None),
        (
            "b = a, a",
            Some((
                "b is a hard link to a, which comes later or not at all",
                Refused::ByAll,
            )),
        ),
        (
            "a/, b = a",
            Some((
                "b is a hard link to a, which comes later or not at all",
                Refused::ByAll,
            )),
        ),
        (
            "a, .wh.a",
            Some((".wh.a hides what the same layer adds", Refused::ByAll)),
        ),
        (
            "a -> b, b -> a, a/x",
            Some((
                "a/x lies below something that is no directory",
                Refused::ByAll,
            )),
        ),
        (
            "a, a",
            Some(("a is in it twice", Refused::ByAllButContainerd)),
        ),
        (
            "a, a/x",
            Some((
                "a/x lies below something that is no directory",
                Refused::ByAll,
            )),
        ),
        (
            "a, a, b = c",
            Some((
                "b is a hard link to c, which comes later or not at all",
                Refused::ByAll,
            )),
        ),
    ] {
        let tree = layer(lines);
        let is = tree
            .broken()
            .map(|broken| (broken.what.as_str(), broken.refused));
        assert_eq!(is, broken, "{lines}");
    }
}

#[test]
fn paths_of_archives_stay_inside() {
    for (path, normal) in [
        ("./usr/bin/app", "usr/bin/app"),
        ("/etc/passwd", "etc/passwd"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/../../b", "b"),
        ("a//b/./c/", "a/b/c"),
        ("./", ""),
        ("..", ""),
    ] {
        assert_eq!(normal_path(path), normal);
    }
}

#[test]
fn every_file_is_listed_once() {
    let tree = layer("usr/bin/app, bin -> usr/bin, bin/x, a, a/, a/b = usr/bin/app, usr/bin/.wh.y");
    let mut files = Vec::new();
    tree.each_file(|path, _| files.push(path.to_owned()));
    assert_eq!(files, ["a/b", "usr/bin/app", "usr/bin/x"]);
}

/// What runc 1.1.5 and crun 1.8.1 did with these (Debian 12; the same cases, run as OCI bundles).
#[test]
fn programs_are_found_as_runc_and_crun_find_them() {
    let look = |lines: &str, program: &str, path: &str, searcher| {
        let layers = layers(&[lines]);
        let stack = Stack {
            layers: &layers,
            mounts: &[],
        };
        let process = Process {
            argv: vec![Word::Known(program.to_owned())],
            path: Word::Known(path.to_owned()),
            cwd: "/srv".to_owned(),
        };
        match search(&stack, &process, searcher) {
            Ok(Search::Found { path, .. }) => path,
            Ok(Search::Failed { fault, .. }) => fault.reason(),
            Ok(Search::Unknown(why)) => why,
            Err(layer) => format!("needs {layer}"),
        }
    };
    let usual = "/usr/bin:/bin";
    for (lines, program, path, is) in [
        ("app", "/app", usual, "/app"),
        ("", "/app", usual, "the image has no /app"),
        ("-app", "/app", usual, "/app is there, but its mode is 0644"),
        (
            "app/",
            "/app",
            usual,
            "/app is there, but it is a directory",
        ),
        ("!app", "/app", usual, "/app is there, but it is no file"),
        ("app -> /gone", "/app", usual, "the image has no /app"),
        (
            "app -> app",
            "/app",
            usual,
            "/app can't be reached (too many levels of symbolic links)",
        ),
        (
            "app",
            "/app/x",
            usual,
            "/app/x can't be reached (not a directory)",
        ),
        ("srv/bin/app", "bin/app", usual, "bin/app"),
        ("srv/app", "./app", usual, "./app"),
        ("bin/app", "bin/app", usual, "the image has no bin/app"),
        ("bin/app", "app", usual, "/bin/app"),
        ("usr/bin/app, bin/app", "app", usual, "/usr/bin/app"),
        ("-usr/bin/app, bin/app", "app", usual, "/bin/app"),
        ("usr/bin/app/, bin/app", "app", usual, "/bin/app"),
        ("usr/bin/app -> gone, bin/app", "app", usual, "/bin/app"),
        (
            "app",
            "app",
            usual,
            "no directory of PATH (/usr/bin:/bin) has an executable file app",
        ),
        (
            "-bin/app",
            "app",
            usual,
            "no directory of PATH (/usr/bin:/bin) has an executable file app",
        ),
        (
            "app",
            "",
            usual,
            "no directory of PATH (/usr/bin:/bin) has an executable file ",
        ),
    ] {
        for searcher in [Searcher::Runc, Searcher::Crun] {
            assert_eq!(
                look(lines, program, path, searcher),
                is,
                "{program} in {lines}"
            );
        }
    }
    let runc = |lines, path| look(lines, "app", path, Searcher::Runc);
    let crun = |lines, path| look(lines, "app", path, Searcher::Crun);
    let refused = |directory: &str| {
        format!("app is found in the relative directory {directory} of PATH, which runc refuses")
    };
    assert_eq!(
        runc("srv/bin/app, usr/bin/app", "bin:/usr/bin"),
        refused("bin")
    );
    assert_eq!(crun("srv/bin/app, usr/bin/app", "bin:/usr/bin"), "bin/app");
    assert_eq!(runc("srv/app", ":/usr/bin"), refused("."));
    assert!(crun("srv/app", ":/usr/bin").contains("versions of crun"));
    assert_eq!(runc("usr/bin/app", ":/usr/bin"), "/usr/bin/app");
    assert!(runc("srv/app", "").contains("no directory of PATH"));
}
