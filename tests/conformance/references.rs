//! Image references as the kubelet and distribution/reference parse them.

use archcheck::image::ImageRef;
use serde_json::Value;

use crate::{cases, report};

#[test]
fn references() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("references.json") {
        let input = case["input"].as_str().unwrap();
        let parser = case["parser"].as_str().unwrap();
        let got = if parser.starts_with("kubelet ParseImageName") {
            ImageRef::parse(input)
        } else if parser == "ParseNormalizedNamed" {
            ImageRef::parse_normalized(input)
        } else {
            // Other programs' parsers: nothing in archcheck reads references as they do.
            continue;
        };
        ran += 1;
        let expect = &case["expect"];
        let fits = match (&got, expect["error"].as_str()) {
            (Err(error), Some(words)) => error.to_string().contains(words),
            (Ok(reference), None) => {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                reference.registry == text(&expect["registry"])
                    && Some(&reference.repository) == text(&expect["repository"]).as_ref()
                    && reference.tag == text(&expect["tag"])
                    && reference.digest.as_ref().map(ToString::to_string) == text(&expect["digest"])
            }
            _ => false,
        };
        if !fits {
            failures.push(format!(
                "{} {input:?}: got {got:?}, expected {expect} ({})",
                case["id"], case["source"]
            ));
        }
    }
    report(&failures, ran, 116);
}
