//! Rendered manifests as they come out of helm, kustomize, editors and the web, compared with the programs themselves.

use std::io::{Read as _, Write as _};
use std::process::Command;

use serde_json::Value;

use crate::support::archcheck::{Archcheck, Outcome, repository};
use crate::support::tools::tool;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n    image: nginx:1\n";

/// `Kind/name image…` of what archcheck reads, sorted, and whether it says that something was not read.
fn read(bytes: &[u8]) -> (Vec<String>, bool) {
    let (_, report) = Archcheck::new()
        .line("-f - --platform linux/arm64 --allow-registry nowhere.example")
        .stdin(bytes)
        .json();
    let mut seen: Vec<String> = report["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|workload| {
            let images = workload["containers"].as_array().unwrap().iter();
            let images: Vec<_> = images.filter_map(|c| c["image"].as_str()).collect();
            object_line(workload["kind"].as_str(), workload["name"].as_str(), images)
        })
        .collect();
    seen.sort();
    (seen, !report["incomplete"].as_array().unwrap().is_empty())
}

fn object_line(kind: Option<&str>, name: Option<&str>, mut images: Vec<&str>) -> String {
    images.sort_unstable();
    format!(
        "{}/{} {}",
        kind.unwrap_or_default(),
        name.unwrap_or_default(),
        images.join(" ")
    )
}

/// The same of what kubectl reads, without a server, and whether it complains.
fn read_by_kubectl(bytes: &[u8]) -> (Vec<String>, bool) {
    let outcome = Archcheck::through(Command::new(tool("kubectl")))
        .line("annotate --local -f - x=y -o json")
        .stdin(bytes)
        .run();
    let objects = serde_json::Deserializer::from_str(&outcome.stdout).into_iter::<Value>();
    let mut seen: Vec<String> = objects
        .map(|object| object.unwrap())
        .filter(|object| object["kind"] == "Pod")
        .map(|object| {
            let images = ["initContainers", "containers"]
                .into_iter()
                .filter_map(|list| object["spec"][list].as_array())
                .flatten()
                .filter_map(|c| c["image"].as_str());
            object_line(
                object["kind"].as_str(),
                object["metadata"]["name"].as_str(),
                images.collect(),
            )
        })
        .collect();
    seen.sort();
    (seen, outcome.code != 0)
}

fn utf16(text: &str, bom: [u8; 2], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(bytes);
    bom.into_iter().chain(units).collect()
}

/// The oddities that files have, each asked of a real kubectl: what it reads we read, what it refuses we name.
#[test]
fn documents_are_read_as_kubectl_reads_them() {
    let json = |name: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"c","image":"nginx:1"}}]}}}}"#
        )
    };
    let edit = |from: &str, to: &str| {
        assert!(POD.contains(from));
        POD.replace(from, to)
    };
    let two = |separator: &str| format!("{POD}{separator}{}", edit("name: p", "name: q"));
    let texts = [
        ("one", POD.to_owned()),
        ("two", two("---\n")),
        ("a comment behind the separator", two("--- # second\n")),
        ("blanks behind the separator", two("--- \t \n")),
        (
            "empty documents",
            format!("---\n---\n# nothing\n---\n{POD}---\n"),
        ),
        ("an end marker", format!("{POD}...\n")),
        ("an end marker and another document", two("...\n---\n")),
        (
            "a key twice: the last counts",
            format!("{POD}    image: nginx:2\n"),
        ),
        (
            "the kind twice",
            edit("kind: Pod\n", "kind: Pod\nkind: Pod\n"),
        ),
        (
            "anchors",
            edit(
                "  containers:",
                "  initContainers:\n  - &x {name: a, image: one}\n  containers:\n  - *x",
            ),
        ),
        (
            "a list by its anchor",
            edit(
                "  containers:\n",
                "  initContainers: &l\n  - {name: a, image: one}\n  containers: *l\n  unknown:\n",
            ),
        ),
        (
            "merge keys",
            edit(
                "  containers:",
                "  initContainers:\n  - &x {name: a, image: one}\n  containers:\n  - <<: *x\n    name: b",
            ),
        ),
        (
            "merge keys, the first of two counts",
            edit(
                "  containers:",
                "  initContainers:\n  - &x {name: a, image: one}\n  - &y {name: b, image: two}\n  containers:\n  - <<: [*y, *x]\n    name: d",
            ),
        ),
        (
            "an anchor of another document",
            format!("{POD}---\nx: *x\n"),
        ),
        ("a tab for indentation", edit("  name: p", "\tname: p")),
        ("tabs elsewhere", edit("name: p", "name:\tp\t")),
        ("CRLF", two("---\n").replace('\n', "\r\n")),
        ("a byte order mark", format!("\u{feff}{POD}")),
        ("a byte order mark in between", two("---\n\u{feff}")),
        ("a control character", format!("{POD}# \u{7}\n")),
        ("a zero byte", format!("{POD}# \0\n")),
        (
            "other line separators in a string",
            edit(
                "name: p",
                "name: p\n  annotations: {a: \"x\u{85}y\u{2028}z\"}",
            ),
        ),
        (
            "separators in a block scalar",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  a: |-\n\n    ---\n    kind: Pod\n---\n{POD}"
            ),
        ),
        ("tags", edit("nginx:1", "!!binary bmdpbng6MQ==")),
        ("tags of one's own", edit("nginx:1", "!mine nginx:1")),
        ("a folded image", edit("nginx:1", ">-\n      nginx:1")),
        ("no sexagesimal number", edit("nginx:1", "12:30:45")),
        ("a quoted key", edit("    image:", "    \"image\":")),
        (
            "keys that are no strings",
            edit("metadata:", "1: 2\ntrue: x\nmetadata:"),
        ),
        (
            "a key that is a list",
            edit("metadata:", "? [a]\n: x\nmetadata:"),
        ),
        ("a template", edit("nginx:1", "{{ .Values.image }}")),
        ("JSON", json("a")),
        (
            "JSON after JSON",
            format!("{}\n{} {}", json("a"), json("b"), json("c")),
        ),
        (
            "JSON with tabs",
            json("a").replace("\"spec\"", "\n\t\"spec\""),
        ),
        (
            "JSON among YAML",
            format!(
                "{POD}---\n{}\n",
                json("a").replace("\"spec\"", "\n\t\"spec\"")
            ),
        ),
        ("JSON before YAML", format!("{}\n---\n{POD}", json("a"))),
        (
            "JSON with escapes",
            json("a").replace("\"spec\"", "\"x\":\"\\ud83d\\ude00\\/\",\n\"spec\""),
        ),
        (
            "a list",
            format!(
                "apiVersion: v1\nkind: List\nitems:\n- {}",
                POD.trim_end().replace('\n', "\n  ")
            ),
        ),
        (
            "hundreds of lines of comments",
            edit(
                "  containers:",
                &format!("  x: y\n{}  containers:", "  # text\n".repeat(500)),
            ),
        ),
        (
            "hundreds of lines of comments at the end",
            format!("{POD}{}", "# text\n".repeat(500)),
        ),
        ("aliases of aliases", {
            let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
            for at in 1..9 {
                let before = at - 1;
                text += &format!(
                    "a{at}: &a{at} [*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before}]\n"
                );
            }
            text + POD
        }),
    ];
    let mut cases: Vec<(&str, Vec<u8>)> = texts
        .into_iter()
        .map(|(what, text)| (what, text.into_bytes()))
        .collect();
    let mut latin = POD.as_bytes().to_vec();
    latin.extend(b"# caf\xe9\n");
    cases.push(("Latin-1 in a comment", latin));
    cases.push((
        "UTF-16",
        utf16(&two("---\n"), [0xff, 0xfe], u16::to_le_bytes),
    ));
    cases.push((
        "UTF-16, the other way round",
        utf16(POD, [0xfe, 0xff], u16::to_be_bytes),
    ));
    cases.push((
        "UTF-16 without a mark",
        utf16(POD, [b'\n', 0], u16::to_le_bytes),
    ));
    for (what, bytes) in cases {
        let (theirs, complains) = read_by_kubectl(&bytes);
        let (ours, says_so) = read(&bytes);
        // kubectl stops at the first document that it can't read; we go on.
        assert!(
            theirs.iter().all(|object| ours.contains(object)),
            "{what}: {theirs:?} {ours:?}"
        );
        assert_eq!(complains, says_so, "{what}: {theirs:?} {ours:?}");
        if !complains {
            assert_eq!(ours, theirs, "{what}");
        }
    }
}

/// What kubectl takes and we can't, or would lose, is an entry with its line: never silence.
#[test]
fn what_is_read_otherwise_than_by_kubectl_is_told() {
    let tabs_in_flow = POD.replace(
        "  - name: c\n    image: nginx:1\n",
        "  - {\n\tname: c, image: nginx:1}\n",
    );
    let lost = format!("{POD}...\n{}", POD.replace("name: p", "name: q"));
    for (text, what, why) in [
        (tabs_in_flow, "-:8", "tabs disallowed"),
        (
            lost,
            "-:10",
            "kubectl reads nothing between ... and the next ---",
        ),
    ] {
        let (code, report) = Archcheck::new()
            .line("-f - --platform linux/arm64 --allow-registry nowhere.example")
            .stdin(text)
            .json();
        assert_eq!(code, 2);
        let entry = &report["incomplete"][0];
        assert_eq!(entry["what"], what, "{entry}");
        assert!(entry["why"].as_str().unwrap().contains(why), "{entry}");
    }
}

fn chart() -> String {
    let rendered = Archcheck::through(Command::new(tool("helm")))
        .args([
            "template",
            "demo",
            "tests/integration/data/shop-chart",
            "--include-crds",
        ])
        .run();
    assert_eq!(rendered.code, 0, "{rendered:?}");
    rendered.stdout
}

/// A chart with hooks, a test pod, a subchart, a CRD and a ConfigMap that look like manifests, rendered by a real helm.
#[test]
fn a_rendered_chart_goes_through_the_gate() {
    let text = chart();
    let gate = "-f - --images examples/images --platform linux/amd64 --platform linux/arm64";
    let (code, report) = Archcheck::new().line(gate).stdin(text.as_str()).json();
    assert_eq!(code, 1);
    assert_eq!(report["incomplete"], serde_json::json!([]));
    let hooks: Vec<String> = report["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| {
            format!(
                "{}/{} {} {} {}",
                w["kind"], w["name"], w["verdict"], w["helmHooks"], w["source"]["template"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        hooks,
        [
            "CronJob/demo-shop-report at-risk null shop/templates/cronjob.yaml",
            "Deployment/demo-shop ok null shop/templates/deployment.yaml",
            "Job/demo-shop-migrate at-risk [pre-install,pre-upgrade] shop/templates/hooks/migrate.yaml",
            "Pod/demo-shop-test at-risk [test] shop/templates/tests/connection.yaml",
            "StatefulSet/demo-cache ok null shop/charts/cache/templates/statefulset.yaml",
        ]
    );
    // Each finding points at the first character of its image.
    let lines: Vec<&str> = text.lines().collect();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 3);
    for finding in findings {
        let place = &finding["location"];
        assert_eq!(place["file"], "-");
        let line = lines[usize::try_from(place["line"].as_u64().unwrap()).unwrap() - 1];
        let column = usize::try_from(place["column"].as_u64().unwrap()).unwrap();
        let there = line[column - 1..].trim_matches('"');
        assert_eq!(there, finding["image"].as_str().unwrap(), "{place} {line}");
    }
    let printed = Archcheck::new()
        .line(gate)
        .env("COLUMNS", "80")
        .stdin(text)
        .run();
    insta::assert_snapshot!(printed.stdout);
}

#[test]
fn kustomizations_are_built_by_kubectl() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("base")).unwrap();
    std::fs::create_dir(dir.path().join("prod")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("base/pod.yaml", POD);
    write("base/kustomization.yaml", "resources: [pod.yaml]\n");
    write(
        "prod/kustomization.yaml",
        "resources: [../base]\nbuildMetadata: [originAnnotations]\nnamePrefix: prod-\nimages:\n- {name: nginx, newName: k8s.gcr.io/kubernetes-dashboard-amd64, newTag: v1.10.1}\n",
    );
    let run = |line: &str| {
        Archcheck::new()
            .dir(dir.path())
            .args([
                "--images".as_ref(),
                repository("examples/images").as_os_str(),
            ])
            .line("--platform linux/arm64")
            .line(line)
            .env("KUBECTL_PATH", tool("kubectl"))
    };
    let (code, report) = run("-k prod").json();
    assert_eq!(code, 1);
    assert_eq!(report["scope"]["files"], serde_json::json!(["prod"]));
    let finding = &report["findings"][0];
    assert_eq!(finding["workload"]["name"], "prod-p");
    assert_eq!(
        finding["location"],
        serde_json::json!({"file": "prod", "line": 10, "column": 12, "template": "../base/pod.yaml"})
    );
    let Outcome { code, stderr, .. } = run("-k nowhere").run();
    assert_eq!(code, 3);
    assert!(
        stderr.starts_with("error: kubectl kustomize \"nowhere\" failed: "),
        "{stderr}"
    );
    let option = run("-k=--help").run();
    assert_eq!(option.code, 3, "a directory is no flag: {option:?}");
    let without = Archcheck::new()
        .line("-k examples --platform linux/arm64")
        .env("PATH", "/nonexistent")
        .run();
    assert_eq!(without.code, 3);
    assert!(
        without.stderr.contains("-k needs kubectl")
            && without.stderr.contains("kustomize build DIR | "),
        "{without:?}"
    );
    let both = run("-k prod -f base/pod.yaml").run();
    assert!(
        both.code == 3 && both.stderr.contains("cannot be used with"),
        "{both:?}"
    );
    // The plugin finds the kubectl that runs it on the PATH.
    let bin = tool("kubectl").parent().unwrap().display().to_string();
    let found = Archcheck::new()
        .dir(dir.path())
        .line("-k base --platform linux/arm64 --allow-registry nowhere.example")
        .env("PATH", bin)
        .json();
    assert_eq!(found.1["summary"]["workloads"], 1);
}

/// Answers each request by its path, and counts.
fn web_server(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let size = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..size]).into_owned();
            let _ = stream.write_all(answer(&request).as_bytes());
        }
    });
    format!("127.0.0.1:{}", address.port())
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn other(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: 0\r\n\r\n")
}

#[test]
fn manifests_come_from_urls() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let host = web_server(move |request| {
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        match path {
            "/pod.yaml" => ok(&POD.replace("nginx:1", "Broken")),
            "/moved" => other("301 Moved Permanently", "location: /pod.yaml\r\n"),
            "/away" => other(
                "302 Found",
                "location: http://elsewhere.example/pod.yaml\r\n",
            ),
            "/loop" => other("302 Found", "location: /loop\r\n"),
            "/flaky" if tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
                other("503 Service Unavailable", "")
            }
            "/flaky" => ok(POD),
            "/private"
                if request
                    .to_lowercase()
                    .contains("authorization: basic bwu6c2vjcmv0") =>
            {
                ok(POD)
            }
            _ => other("404 Not Found", ""),
        }
    });
    let run = |path: &str| {
        Archcheck::new()
            .line("--platform linux/arm64 --allow-registry nowhere.example -f")
            .args([format!("http://{path}")])
    };
    let (code, report) = run(&format!("{host}/pod.yaml?token=secret")).json();
    assert_eq!(code, 1);
    assert!(!report.to_string().contains("secret"), "{report:#}");
    let location = &report["findings"][0]["location"];
    assert_eq!(
        *location,
        serde_json::json!({"file": format!("http://{host}/pod.yaml"), "line": 8, "column": 12})
    );
    for path in ["moved", "flaky"] {
        let (_, report) = run(&format!("{host}/{path}")).json();
        assert_eq!(report["summary"]["workloads"], 1, "{path}");
    }
    let (_, report) = run(&format!("me:secret@{host}/private")).json();
    assert_eq!(report["summary"]["workloads"], 1);
    assert!(!report.to_string().contains("secret"), "{report:#}");
    for (path, says) in [
        ("nothing", "the server says 404 Not Found"),
        (
            "away",
            "redirects to another host, elsewhere.example, which is not asked",
        ),
        ("loop", "too many redirects"),
    ] {
        let outcome = run(&format!("me:secret@{host}/{path}?token=secret")).run();
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{path}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("secret"), "{}", outcome.stderr);
    }
    let nobody = run("127.0.0.1:1/x").run();
    assert!(
        nobody.code == 3
            && nobody
                .stderr
                .contains("http://127.0.0.1:1/x could not be read"),
        "{nobody:?}"
    );
}
