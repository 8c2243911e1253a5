//! What this machine's kernel says to programs, against what `deep` says it will: every case is written to disk and
//! executed in a chroot of its own. Needs root, and Python for `chroot` and `execve` without a shell's help.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use archcheck::deep::{Answer, Kernel, Stack, execute};
use archcheck::image::Platform;

use crate::root::Case;
use crate::tiny_elf::{LOADER_RAN, PROGRAM_RAN, TinyElf};

/// Executes each root of standard input (`ROOT<tab>PROGRAM`), and prints what came of it.
const RUNNER: &str = r#"
import os, sys
for line in sys.stdin:
    root, program = line.rstrip("\n").split("\t")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            os.execve(program, ["program"], {})
        except OSError as error:
            os.write(write, str(error.errno).encode())
        os._exit(99)
    os.close(write)
    errno = os.read(read, 16).decode()
    os.close(read)
    status = os.waitpid(pid, 0)[1]
    if errno:
        print("errno", errno)
    elif os.WIFSIGNALED(status):
        print("signal", os.WTERMSIG(status))
    else:
        print("exit", os.WEXITSTATUS(status))
"#;

/// What `deep` says, in the runner's words.
fn predicted(case: &Case, kernel: Kernel) -> Vec<String> {
    let layers = [Some(Arc::new(case.layer()))];
    let stack = Stack {
        layers: &layers,
        mounts: &[],
    };
    let execution = execute(&stack, kernel, "/", &case.program).unwrap();
    let dynamic = execution
        .seen
        .iter()
        .any(|e| e.detail.contains("loaded by"));
    let ran = format!("exit {}", if dynamic { LOADER_RAN } else { PROGRAM_RAN });
    match execution.answer {
        Answer::Starts(started) if started.thirty_two_bit => vec![ran, "errno 8".to_owned()],
        Answer::Starts(_) => vec![ran],
        Answer::Refused { errno, .. } => vec![format!("errno {}", errno.number())],
        // It starts, and dies where a page is missing that it needs.
        Answer::Unknown(why) if why.contains("cut off") => {
            vec![ran, "signal 7".to_owned(), "signal 11".to_owned()]
        }
        Answer::Unknown(why) => vec![why],
    }
}

fn run(lines: &str) -> Vec<String> {
    let mut python = Command::new("python3")
        .args(["-c", RUNNER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The architecture of the kernel that runs the tests, in Go's names.
fn host() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => panic!("no tiny ELF for {other}: add it to tests/support/tiny_elf.rs"),
    }
}

const ARCHITECTURES: [&str; 9] = [
    "amd64", "386", "arm64", "arm", "riscv64", "ppc64le", "s390x", "loong64", "mips64le",
];

fn elves() -> Vec<Case> {
    let own = || TinyElf::program(host());
    let foreign = if host() == "arm64" { "amd64" } else { "arm64" };
    let mut cases = Vec::new();
    for arch in ARCHITECTURES {
        cases.push(Case::new(format!("static {arch}")).elf("app", &TinyElf::program(arch)));
        cases.push(
            Case::new(format!("static PIE {arch}")).elf("app", &TinyElf::program(arch).kind(3)),
        );
        cases.push(
            Case::new(format!("{arch} with its loader"))
                .elf("app", &TinyElf::program(arch).loaded_by("/lib/ld.so"))
                .elf("lib/ld.so", &TinyElf::loader(arch)),
        );
        cases.push(
            Case::new(format!("a loader for {arch}"))
                .elf("app", &own().loaded_by("/lib/ld.so"))
                .elf("lib/ld.so", &TinyElf::loader(arch)),
        );
    }
    let loaded = |name: &str| Case::new(name).elf("app", &own().loaded_by("/lib/ld.so"));
    let loader = TinyElf::loader(host());
    let bytes = own().bytes();
    let cut = |length: usize| bytes.get(..length).unwrap().to_vec();
    cases.extend([
        Case::new("386 without a loader").elf("app", &TinyElf::program("386").loaded_by("/ld")),
        Case::new("x32").elf("app", &own().claiming(1, 1)),
        Case::new("a wrong byte order").elf("app", &own().claiming(2, 2)),
        Case::new("no class").elf("app", &own().claiming(0, 0)),
        Case::new("an x32 header").file("app", x32()),
        Case::new("an object file").elf("app", &own().kind(1)),
        Case::new("a core dump").elf("app", &own().kind(4)),
        Case::new("headers of another size").elf("app", &own().header_table(Some(32), None)),
        Case::new("no headers").elf("app", &own().header_table(None, Some(0))),
        Case::new("headers past the end").elf("app", &own().header_table(None, Some(500))),
        Case::new("100 headers more").elf("app", &own().more_headers(100)),
        Case::new("1,169 headers").elf("app", &own().more_headers(1_168)),
        Case::new("1,170 headers").elf("app", &own().more_headers(1_169)),
        Case::new("1,171 headers").elf("app", &own().more_headers(1_170)),
        Case::new("an old ARM").elf("app", &TinyElf::program("arm").flags(0)),
        Case::new("empty").file("app", ""),
        Case::new("only the magic").file("app", cut(4)),
        Case::new("half a header").file("app", cut(40)),
        Case::new("a header alone").file("app", cut(64)),
        Case::new("half a segment").elf("app", &own().loading(1 << 20)),
        Case::new("code past the end").file("app", cut(bytes.len() - 12)),
        loaded("a loader that is not there"),
        loaded("a loader that is a script").file("lib/ld.so", "#!/app\n"),
        loaded("a loader that is a long script")
            .file("lib/ld.so", format!("#!/app\n{}", "#".repeat(100))),
        loaded("an empty loader").file("lib/ld.so", ""),
        loaded("a short loader").file("lib/ld.so", cut(63)),
        loaded("a loader's header alone").file("lib/ld.so", cut(64)),
        loaded("a loader of text").file("lib/ld.so", "text ".repeat(50)),
        loaded("a loader that may not be executed").with_mode("lib/ld.so", 0o644, loader.bytes()),
        loaded("a loader that is a directory").directory("lib/ld.so"),
        loaded("a linked loader")
            .link("lib/ld.so", "ld-1.so")
            .elf("lib/ld-1.so", &loader),
        loaded("a dangling loader").link("lib/ld.so", "/lib64/ld.so"),
        loaded("a loader in a linked directory")
            .link("lib", "usr/lib")
            .elf("usr/lib/ld.so", &loader),
        loaded("a loader in a circle").link("lib", "lib"),
        loaded("a loader below a file").file("lib", "x"),
        Case::new("a relative loader")
            .elf("app", &own().loaded_by("lib/ld.so"))
            .elf("lib/ld.so", &loader),
        Case::new("an endless loader name").elf("app", &own().loaded_by_bytes(b"/lib/ld.so")),
        Case::new("a loader name of one byte").elf("app", &own().loaded_by_bytes(b"\0")),
        Case::new("an empty loader name").elf("app", &own().loaded_by_bytes(b"\0\0")),
        Case::new("a loader name with two ends")
            .elf("app", &own().loaded_by_bytes(b"/ld\0/lib/ld.so\0"))
            .elf("ld", &loader),
        Case::new("a loader name that is too long")
            .elf("app", &own().loaded_by(&format!("/{}", "x".repeat(4096)))),
        Case::new("a foreign program of mode 0644").with_mode(
            "app",
            0o644,
            TinyElf::program(foreign).bytes(),
        ),
        Case::new("executable by others only").with_mode("app", 0o001, own().bytes()),
    ]);
    for (name, bytes) in [
        ("a Windows program", &b"MZ\x90\0\x03\0\0\0"[..]),
        ("a macOS program", b"\xcf\xfa\xed\xfe\x0c\0\0\x01"),
        ("a WebAssembly module", b"\0asm\x01\0\0\0"),
        ("a gzip file", b"\x1f\x8b\x08\0"),
        ("a web page", b"<!DOCTYPE html><html></html>"),
        (
            "a Git LFS pointer",
            b"version https://git-lfs.github.com/spec/v1\n",
        ),
        ("text", b"echo hello\n"),
    ] {
        cases.push(Case::new(name).file("app", bytes));
    }
    cases
}

/// An ELF header of 32 bits for x86-64, as x32 programs have it.
fn x32() -> Vec<u8> {
    let mut header = TinyElf::program("386").bytes();
    *header.get_mut(18).unwrap() = 62;
    header
}

fn scripts() -> Vec<Case> {
    let own = TinyElf::program(host());
    let foreign = TinyElf::program(if host() == "arm64" { "amd64" } else { "arm64" });
    let script = |name: &str, text: &str| Case::new(name).file("app", text).elf("sh", &own);
    // A line of `length` bytes (without its end) whose interpreter exists.
    let long = |length: usize| format!("#!{}sh", "/".repeat(length - 4));
    let mut cases = vec![
        script("a script", "#!/sh\n"),
        script("blanks around", "#! \t/sh -e \t\n"),
        script("no line end", "#!/sh"),
        script("a carriage return", "#!/sh\r\nexit 0\r\n"),
        script("a carriage return after an argument", "#!/sh -e\r\n"),
        script("a byte order mark", "\u{feff}#!/sh\n"),
        script("a blank line first", "\n#!/sh\n"),
        script("a blank first", " #!/sh\n"),
        script("nothing after it", "#!\n"),
        script("nothing at all after it", "#!"),
        script("blanks after it", "#!  \t \n"),
        script("blanks to the file's end", "#!   "),
        script("blanks without end", &format!("#!{}", " ".repeat(400))),
        script("a zero byte", "#!/sh\0/x\n"),
        script("a zero byte first", "#!\0/sh\n"),
        script("a relative interpreter", "#!sh\n"),
        script("no such interpreter", "#!/bin/bash\n"),
        script("an interpreter below a file", "#!/sh/sh\n"),
        script("an interpreter that is a directory", "#!/\n"),
        script("a long argument", &format!("#!/sh {}\n", "x".repeat(400))),
        script(
            "a long argument after a tab",
            &format!("#!/sh\t{}", "x".repeat(400)),
        ),
        script("itself", "#!/app\n"),
        script(
            "a name that is too long",
            &format!("#!/{}\n", "x".repeat(260)),
        ),
        Case::new("a foreign interpreter")
            .file("app", "#!/sh\n")
            .elf("sh", &foreign),
        Case::new("an interpreter that may not be executed")
            .file("app", "#!/sh\n")
            .with_mode("sh", 0o644, own.bytes()),
        Case::new("an interpreter of text")
            .file("app", "#!/sh\n")
            .file("sh", "text"),
        Case::new("an empty interpreter")
            .file("app", "#!/sh\n")
            .file("sh", ""),
        Case::new("a linked interpreter")
            .file("app", "#!/bin/sh\n")
            .link("bin", "usr/bin")
            .link("usr/bin/sh", "busybox")
            .elf("usr/bin/busybox", &own),
        Case::new("an interpreter without its loader")
            .file("app", "#!/sh\n")
            .elf("sh", &own.clone().loaded_by("/lib/ld.so")),
        Case::new("a script without x bits").with_mode("app", 0o644, "#!/sh\n"),
    ];
    for length in [254, 255, 256, 257] {
        cases.push(script(
            &format!("a line of {length} bytes"),
            &format!("{}\n", long(length)),
        ));
        cases.push(script(&format!("{length} bytes and no end"), &long(length)));
        cases.push(script(
            &format!("a line of {length} bytes and an argument"),
            &format!("{} -e\n", long(length)),
        ));
    }
    for depth in 1..=7 {
        let mut case = Case::new(format!("{depth} scripts")).file("app", "#!/s1\n");
        for level in 1..depth {
            case = case.file(&format!("s{level}"), format!("#!/s{}\n", level + 1));
        }
        cases.push(case.elf(&format!("s{depth}"), &own));
    }
    cases
}

fn paths() -> Vec<Case> {
    let own = TinyElf::program(host());
    let at = |name: &str, program: &str| Case::new(name).running(program);
    let mut chain = at("40 links", "/l1");
    let mut too_long = at("41 links", "/l1");
    for link in 1..=41 {
        let target = |last| {
            if link == last {
                "app".to_owned()
            } else {
                format!("l{}", link + 1)
            }
        };
        if link <= 40 {
            chain = chain.link(&format!("l{link}"), &target(40));
        }
        too_long = too_long.link(&format!("l{link}"), &target(41));
    }
    vec![
        chain.elf("app", &own),
        too_long.elf("app", &own),
        at("nothing there", "/app"),
        at("a directory", "/bin").directory("bin"),
        at("the root", "/"),
        at("below a file", "/app/x").elf("app", &own),
        at("a slash after a file", "/app/").elf("app", &own),
        at("a dot after a file", "/app/.").elf("app", &own),
        at("back from a file", "/app/../app").elf("app", &own),
        at("dots", "/./bin/../bin/./app").elf("bin/app", &own),
        at("above the root", "/../../app").elf("app", &own),
        at("many slashes", "//bin///app").elf("bin/app", &own),
        at("relative", "bin/app").elf("bin/app", &own),
        at("no path", "").elf("app", &own),
        at("a link above the root", "/x")
            .link("x", "../../../app")
            .elf("app", &own),
        at("back through a linked directory", "/a/b/../app")
            .link("a/b", "/c/d")
            .directory("c/d")
            .elf("c/app", &own),
        at("an absolute link", "/bin/sh")
            .link("bin", "/usr/bin")
            .elf("usr/bin/sh", &own),
        at("a link with a slash at its end", "/x")
            .link("x", "app/")
            .elf("app", &own),
        at("a multi-call link", "/bin/ls")
            .link("bin/ls", "/bin/busybox")
            .elf("bin/busybox", &own),
        at("a dangling link", "/app").link("app", "gone"),
        at("a circle", "/app").link("app", "b").link("b", "app"),
        at("a long name", &format!("/{}", "x".repeat(256))),
        at("a long path", &format!("/{}", "x/".repeat(2100))),
        at("a link to a directory", "/app")
            .link("app", "bin")
            .directory("bin"),
    ]
}

#[test]
fn the_kernel_says_what_deep_says() {
    let platform = Platform::new("linux", host(), "");
    let kernel = Kernel::of(&platform).unwrap();
    let handlers = std::fs::read_dir("/proc/sys/fs/binfmt_misc")
        .into_iter()
        .flatten();
    let emulators = handlers
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("qemu"));
    assert_eq!(
        emulators.count(),
        0,
        "this machine emulates other architectures (binfmt_misc); run the tests on one that doesn't"
    );
    let roots = tempfile::tempdir().unwrap();
    let mut cases = elves();
    cases.extend(scripts());
    cases.extend(paths());
    let mut lines = String::new();
    for (at, case) in cases.iter().enumerate() {
        let root = roots.path().join(at.to_string());
        std::fs::create_dir(&root).unwrap();
        case.write(&root);
        writeln!(lines, "{}\t{}", root.display(), case.program).unwrap();
    }
    let said = run(&lines);
    assert_eq!(said.len(), cases.len());
    assert!(
        !said.contains(&"errno 1".to_owned()),
        "these tests need root: chroot was refused"
    );
    let wrong: Vec<String> = cases
        .iter()
        .zip(&said)
        .filter(|(case, said)| !predicted(case, kernel).contains(said))
        .map(|(case, said)| {
            format!(
                "{}: kernel {said}, deep {:?}",
                case.name,
                predicted(case, kernel)
            )
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
