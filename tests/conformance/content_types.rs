//! What kind of document an answer is, by its body and its Content-Type.

use archcheck::image::{Document, DocumentKind};
use serde_json::{Value, json};

use crate::{cases, report};

/// The least body of a kind, for cases that give none.
fn body(kind: &str) -> Value {
    match kind {
        "index" => json!({"schemaVersion": 2, "manifests": []}),
        "schema1" => json!({"schemaVersion": 1, "architecture": "amd64", "fsLayers": []}),
        _ => json!({"schemaVersion": 2, "config": {}, "layers": []}),
    }
}

#[test]
fn content_types() {
    let mut failures = Vec::new();
    let mut ran = 0;
    for case in cases("http_headers.json") {
        // The others are about limits (`registry/quota.rs`) and about lists of tags, which are never asked for.
        if case["kind"] != "content type" {
            continue;
        }
        ran += 1;
        let expected = case["expect"]["kind"].as_str().unwrap();
        let bytes = match &case["input"]["body"] {
            Value::Null => body(expected).to_string(),
            Value::String(text) => text.clone(),
            // A placeholder for a digest is none.
            value => value
                .to_string()
                .replace("sha256:x", &format!("sha256:{}", "0".repeat(64))),
        };
        let declared = case["input"]["content_type"].as_str().unwrap();
        let got = Document::read(bytes.as_bytes(), Some(declared));
        let kind = match &got {
            Ok(document) => match document.kind {
                DocumentKind::Index(_) => "index",
                DocumentKind::Manifest(_) => "manifest",
                DocumentKind::Schema1(_) => "schema1",
            },
            Err(_) => "not a manifest",
        };
        // A type that fits, however it is written, is the document's.
        let names_it = got.as_ref().is_ok_and(|document| {
            let type_of = declared.split(';').next().unwrap_or_default();
            !type_of.contains('.') || document.media_type.eq_ignore_ascii_case(type_of)
        });
        if kind != expected || (got.is_ok() && !names_it) {
            failures.push(format!("{}: got {got:?}, expected {expected}", case["id"]));
        }
    }
    report(&failures, ran, 8);
}
