//! `-o markdown`, read by comrak, a port of the reader that GitHub uses.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, markdown_to_html, parse_document};

use crate::support::archcheck::Archcheck;
use crate::support::scenario;

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.math_dollars = true;
    options.extension.footnotes = true;
    options.render.r#unsafe = true;
    options
}

#[test]
fn findings_are_folded_under_a_line_each() {
    insta::assert_snapshot!(scenario::everything("-o markdown").stdout);
}

#[test]
fn everything_is_listed_when_asked_for() {
    let all = scenario::everything("-o markdown --show all").stdout;
    let listing = &all[all.find("<b>all</b>").unwrap()..];
    insta::assert_snapshot!(listing);
}

#[test]
fn what_is_known_is_told_when_asked_for() {
    let short = scenario::known(true, "-o markdown").stdout;
    assert!(
        short.contains("1 finding ignored (--show all)") && !short.contains("<details"),
        "{short}"
    );
    insta::assert_snapshot!(scenario::known(true, "-o markdown --show all").stdout);
}

#[test]
fn hostile_names_become_neither_link_nor_html() {
    let outcome = scenario::hostile("-o markdown");
    let arena = Arena::new();
    let options = options();
    let root = parse_document(&arena, &outcome.stdout, &options);
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::Link(link) => {
                let own =
                    "https://github.com/kubectl-archcheck/kubectl-archcheck/blob/main/docs/rules/";
                assert!(link.url.starts_with(own), "{}", link.url);
            }
            NodeValue::Image(image) => panic!("{}", image.url),
            NodeValue::HtmlBlock(block) => {
                let html = block.literal.replace("&lt;", "").replace("&gt;", "");
                let tags = ["details", "details open", "summary", "b", "code"];
                for tag in html
                    .split('<')
                    .skip(1)
                    .filter_map(|rest| rest.split('>').next())
                {
                    assert!(tags.contains(&tag.trim_start_matches('/')), "{tag}: {html}");
                }
            }
            NodeValue::HtmlInline(html) => panic!("{html}"),
            // GitHub makes links of these outside of code.
            NodeValue::Text(text) => {
                for link in ["@admin", "#1", "://", "www.", "me@"] {
                    assert!(!text.contains(link), "{link}: {text}");
                }
            }
            NodeValue::Emph
            | NodeValue::Math(_)
            | NodeValue::Strikethrough
            | NodeValue::Table(_) => {
                panic!("{}", outcome.stdout)
            }
            _ => {}
        }
    }
    // And a person reads what is really there.
    let html = markdown_to_html(&outcome.stdout, &options);
    assert!(html.contains("%0A::error::y"), "{html}");
}

#[test]
fn a_comment_is_never_longer_than_github_takes() {
    let manifests: Vec<String> = (0..250)
        .map(|n| format!("{{apiVersion: v1, kind: Pod, metadata: {{name: pod-{n}, namespace: ns}}, spec: {{containers: [{{name: c, image: 'Bad{n}'}}]}}}}"))
        .collect();
    let outcome = Archcheck::new()
        .line("-f - --platform linux/amd64 --show all -o markdown")
        .stdin(manifests.join("\n---\n"))
        .run();
    let length = outcome.stdout.chars().count();
    assert!((50_000..=65_536).contains(&length), "{length}");
    let end = outcome.stdout.trim_end().lines().last().unwrap();
    assert!(end.ends_with("`-o json` has everything."), "{end}");
    assert_eq!(
        outcome.stdout.matches("<details").count(),
        outcome.stdout.matches("</details>").count(),
        "no block is cut"
    );
}
