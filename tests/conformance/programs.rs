//! What `deep` reads out of programs, and what it says of images that people really make (peers.md §7, rows 21 to 37).

use std::sync::Arc;

use archcheck::deep::{
    Bytes, Elf, Head, Inspection, Kernel, Loader, Said, Searcher, Stack, Start, StartConfig,
    USUAL_HEAD, inspect,
};
use archcheck::image::Platform;

use crate::root::Case;
use crate::tiny_elf::TinyElf;

fn elf(bytes: &Bytes) -> Elf {
    match Head::read(bytes) {
        (Head::Elf(elf), _) => *elf,
        (other, _) => panic!("{other:?}"),
    }
}

fn kernel(architecture: &str) -> Kernel {
    Kernel::of(&Platform::new("linux", architecture, "")).unwrap()
}

#[test]
fn every_kernel_takes_its_own_programs() {
    use archcheck::deep::Accepts::{Natively, Not, ThirtyTwoBit};
    let architectures = [
        "amd64", "386", "arm64", "arm", "riscv64", "ppc64le", "s390x", "loong64", "mips64le",
    ];
    for program in architectures {
        let elf = elf(&Bytes::whole(&TinyElf::program(program).bytes()));
        assert_eq!(elf.architecture(), program);
        for node in architectures {
            let accepts = match (node, program) {
                ("amd64", "386") | ("arm64", "arm") => ThirtyTwoBit,
                (node, program) if node == program => Natively,
                _ => Not,
            };
            assert_eq!(kernel(node).accepts(&elf), accepts, "{program} on {node}");
        }
        assert_eq!(kernel("ppc64").accepts(&elf), Not);
    }
    for (platform, known) in [
        (Platform::new("linux", "aarch64", "v8"), true),
        (Platform::new("windows", "amd64", ""), false),
        (Platform::new("linux", "wasm", ""), false),
    ] {
        assert_eq!(Kernel::of(&platform).is_some(), known, "{platform}");
    }
}

#[test]
fn programs_say_what_they_need() {
    let level = |level| {
        let program = TinyElf::program("amd64").needing_x86_level(level);
        elf(&Bytes::whole(&program.bytes())).x86_level
    };
    assert_eq!([1, 2, 3, 4].map(level), [1, 2, 3, 4]);
    assert_eq!(
        elf(&Bytes::whole(&TinyElf::program("amd64").bytes())).x86_level,
        0
    );
    // Tag_CPU_arch of the "Addenda to the ABI for the Arm architecture": v4T, v5TE, v6, v7, v8-A.
    let version = |cpu| {
        let program = elf(&Bytes::whole(&TinyElf::program("arm").arm_cpu(cpu).bytes()));
        (program.arm_version, program.architecture())
    };
    for (cpu, says) in [
        (2, (4, "arm")),
        (4, (5, "arm/v5")),
        (6, (6, "arm/v6")),
        (10, (7, "arm/v7")),
        (14, (8, "arm")),
    ] {
        assert_eq!(version(cpu), (says.0, says.1.to_owned()));
    }
}

/// A reader keeps the head of a file and, for ARM, its end; what is missing is asked for.
#[test]
fn what_was_not_kept_is_asked_for() {
    let loader = format!("/{}", "l".repeat(150));
    let program = TinyElf::program("amd64").loaded_by(&loader).bytes();
    let mut bytes = Bytes::of_size(program.len() as u64);
    bytes.add(0, program.get(..256).unwrap().to_vec());
    bytes.add(170, program.get(170..).unwrap().to_vec());
    assert_eq!(elf(&bytes).loader, Some(Loader::Path(loader)));

    let mut head = Bytes::of_size(program.len() as u64);
    head.add(0, program.get(..200).unwrap().to_vec());
    assert_eq!(Head::read(&head).0, Head::NotRead);

    // Many headers, so that the loader's name lies beyond the usual head.
    let program = TinyElf::program("amd64")
        .loaded_by("/ld")
        .more_headers(100)
        .bytes();
    let (at, kept) = (64 + 102 * 56, usize::try_from(USUAL_HEAD).unwrap());
    let mut bytes = Bytes::of_size(program.len() as u64);
    bytes.add(0, program.get(..kept).unwrap().to_vec());
    let (_, missing) = Head::read(&bytes);
    assert_eq!(missing.first(), Some(&(64..64 + 102 * 56)));
    bytes.add(64, program.get(64..at).unwrap().to_vec());
    let (head, missing) = Head::read(&bytes);
    assert_eq!(missing.first(), Some(&(at as u64..at as u64 + 4)));
    assert!(matches!(head, Head::Elf(elf) if elf.loader == Some(Loader::NotKept)));

    let mut arm = TinyElf::program("arm").arm_cpu(10).bytes();
    arm.resize(kept, 0);
    let mut bytes = Bytes::of_size(1_000_000);
    bytes.add(0, arm);
    let (head, _) = Head::read(&bytes);
    assert!(head.wants_the_end());
}

fn strings(words: &str) -> Vec<String> {
    words.split('|').map(str::to_owned).collect()
}

fn inspected(root: &Case, entrypoint: &str, node: &str) -> Inspection {
    let layers = [Some(Arc::new(root.layer()))];
    let stack = Stack {
        layers: &layers,
        mounts: &[],
    };
    let image = StartConfig {
        entrypoint: strings(entrypoint),
        ..StartConfig::default()
    };
    let process = Start::default().process(&image).unwrap();
    inspect(&stack, &process, kernel(node), Searcher::Runc).unwrap()
}

/// `ERRNO: reason`, after who started it.
fn said(inspection: &Inspection) -> String {
    let said = match &inspection.said {
        Said::Starts(started) if started.thirty_two_bit => {
            format!("starts {} (32 bits)", started.architecture)
        }
        Said::Starts(started) => format!("starts {}", started.architecture),
        Said::Fails { errno, fault, .. } => format!("{}: {}", errno.in_go(), fault.reason()),
        Said::Unknown(why) => format!("unknown: {why}"),
    };
    match &inspection.by {
        Some(by) => format!("[{by}] {said}"),
        None => said,
    }
}

fn program(architecture: &str) -> TinyElf {
    TinyElf::program(architecture)
}

#[test]
fn images_as_people_make_them() {
    let debian = |architecture: &str| {
        Case::new("debian")
            .link("bin", "usr/bin")
            .link("lib64", "usr/lib64")
            .elf(
                "usr/bin/dash",
                &program(architecture).loaded_by("/lib64/ld-linux.so.2"),
            )
            .link("usr/bin/sh", "dash")
            .elf(
                "usr/bin/env",
                &program(architecture).loaded_by("/lib64/ld-linux.so.2"),
            )
            .elf("usr/lib64/ld-linux.so.2", &TinyElf::loader(architecture))
    };
    let alpine = |architecture: &str| {
        Case::new("alpine")
            .elf(
                "bin/busybox",
                &program(architecture).loaded_by("/lib/ld-musl.so.1"),
            )
            .link("bin/sh", "/bin/busybox")
            .elf("lib/ld-musl.so.1", &TinyElf::loader(architecture))
    };
    for (root, entrypoint, node, is) in [
        // Row 23: GOARCH was hard-coded; FROM scratch.
        (
            Case::new("go").elf("manager", &program("amd64")),
            "/manager",
            "arm64",
            "exec format error: /manager is built for amd64",
        ),
        // Rows 21, 22, 24: the base image is of another architecture; the program of ours.
        (
            debian("amd64").file("entrypoint.sh", "#!/bin/sh\nexec \"$@\"\n"),
            "/entrypoint.sh",
            "arm64",
            "exec format error: /entrypoint.sh is run by /bin/sh: /usr/bin/dash is built for amd64",
        ),
        // Row 37: an arm64 program on an amd64 base, and a glibc program on musl.
        (
            debian("amd64").elf("app", &program("arm64").loaded_by("/lib64/ld-linux.so.2")),
            "/app",
            "arm64",
            "accessing a corrupted shared library: /app is loaded by /lib64/ld-linux.so.2: /usr/lib64/ld-linux.so.2 is built for amd64",
        ),
        (
            alpine("arm64").elf(
                "app",
                &program("arm64").loaded_by("/lib/ld-linux-aarch64.so.1"),
            ),
            "/app",
            "arm64",
            "no such file or directory: /app needs the loader /lib/ld-linux-aarch64.so.1, which the image has not",
        ),
        // Rows 34 to 36.
        (
            alpine("arm64").file("entrypoint.sh", "\n#!/bin/sh\n"),
            "/entrypoint.sh",
            "arm64",
            "exec format error: /entrypoint.sh is a script whose #! line is not at its very beginning",
        ),
        (
            alpine("arm64").file("entrypoint.sh", "#!/bin/sh\r\nexit\r\n"),
            "/entrypoint.sh",
            "arm64",
            "no such file or directory: the #! line of /entrypoint.sh ends with a carriage return, which belongs to the name then",
        ),
        (
            alpine("arm64").file("entrypoint.sh", "#!/bin/bash\n"),
            "/entrypoint.sh",
            "arm64",
            "no such file or directory: /entrypoint.sh is to be run by /bin/bash, which the image has not",
        ),
        // A shell of the node's kind that starts something of another.
        (
            debian("arm64").elf("app", &program("amd64")),
            "/bin/sh|-c|exec /app --flag",
            "arm64",
            "[sh -c] exec format error: /app is built for amd64",
        ),
        (
            debian("arm64").elf("app", &program("arm64")),
            "/bin/sh|-c|exec /app --flag",
            "arm64",
            "starts arm64",
        ),
        (
            debian("arm64").file("app", "echo a script that the shell runs itself\n"),
            "/bin/sh|-c|/app",
            "arm64",
            "starts arm64",
        ),
        (
            debian("arm64")
                .elf("tini", &program("arm64"))
                .elf("app", &program("amd64")),
            "/tini|--|/app",
            "arm64",
            "[tini] exec format error: /app is built for amd64",
        ),
        (
            debian("arm64")
                .file("app.py", "#!/usr/bin/env python3\n")
                .elf("usr/bin/python3", &program("amd64")),
            "/app.py",
            "arm64",
            "[env] exec format error: /usr/bin/python3 is built for amd64",
        ),
        (
            debian("arm64").file("app.py", "#!/usr/bin/env python3\n"),
            "/app.py",
            "arm64",
            "[env] no such file or directory: no directory of PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) has an executable file python3",
        ),
        // A 32-bit program in an arm64 image (distroless#958), and on amd64.
        (
            Case::new("old").elf("app", &program("arm")),
            "/app",
            "arm64",
            "starts arm (32 bits)",
        ),
        (
            Case::new("old").elf("app", &program("386")),
            "/app",
            "amd64",
            "starts 386 (32 bits)",
        ),
        (
            Case::new("windows").file("app.exe", b"MZ\x90\0"),
            "/app.exe",
            "amd64",
            "exec format error: /app.exe is a Windows program",
        ),
        (
            alpine("amd64"),
            "docker-entrypoint.sh",
            "amd64",
            "no such file or directory: no directory of PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) has an executable file docker-entrypoint.sh",
        ),
    ] {
        assert_eq!(said(&inspected(&root, entrypoint, node)), is);
    }
}

#[test]
fn evidence_names_every_file_on_the_way() {
    let root = Case::new("script")
        .file("run", "#!/bin/sh\n")
        .link("bin", "usr/bin")
        .elf("usr/bin/sh", &program("amd64").loaded_by("/ld"))
        .elf("ld", &TinyElf::loader("arm64"));
    let seen: Vec<String> = inspected(&root, "/run", "amd64")
        .seen
        .iter()
        .map(|evidence| format!("{:?} {} {}", evidence.layer, evidence.path, evidence.detail))
        .collect();
    assert_eq!(
        seen,
        [
            "Some(0) /run a script with #!/bin/sh",
            "Some(0) /usr/bin/sh ELF for amd64, loaded by /ld",
            "Some(0) /ld ELF for arm64, static",
        ]
    );
}

#[test]
fn programs_beside_the_one_that_starts_are_listed() {
    let lower = Case::new("lower")
        .elf("usr/bin/docker", &program("amd64"))
        .elf("usr/bin/hidden", &program("amd64"))
        .elf("usr/bin/own", &program("arm64"))
        .with_mode("usr/share/firmware", 0o644, program("386").bytes())
        .elf("usr/lib/object.o", &program("amd64").kind(1));
    let upper = Case::new("upper")
        .elf("usr/bin/hidden", &program("arm64"))
        .elf("lib/x.so", &program("s390x").kind(3));
    let layers = [lower, upper].map(|case| Some(Arc::new(case.layer())));
    let stack = Stack {
        layers: &layers,
        mounts: &[],
    };
    let foreign: Vec<String> = stack
        .foreign_programs(kernel("arm64"))
        .unwrap()
        .iter()
        .map(|foreign| format!("{} {} {}", foreign.layer, foreign.path, foreign.built_for))
        .collect();
    assert_eq!(foreign, ["1 /lib/x.so s390x", "0 /usr/bin/docker amd64"]);
}
