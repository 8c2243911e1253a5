//! Conformance: inputs and expected answers taken from the projects whose behaviour we predict, or obtained by running
//! them (`data/`, each case with its source). Every case runs, but for those of another issue's parser or matcher,
//! which one filter on that field leaves out; each test says how many it ran.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod content_types;
mod kernel;
mod kinds;
mod overlay;
mod placement;
mod platforms;
mod programs;
mod references;
mod root;
mod shapes;
mod support;
#[path = "../support/tiny_elf.rs"]
mod tiny_elf;

use serde_json::Value;

/// The cases of a file: the array itself, or its `vectors`.
fn cases(file: &str) -> Vec<Value> {
    let path = format!(
        "{}/tests/conformance/data/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let list = if json.is_array() {
        json
    } else {
        json["vectors"].clone()
    };
    list.as_array()
        .unwrap_or_else(|| panic!("{path} holds no list of cases"))
        .clone()
}

/// Fails with all failures, and when the number of cases that ran is not the one expected.
fn report(failures: &[String], ran: usize, expected: usize) {
    assert!(
        failures.is_empty(),
        "{} of {ran} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(ran, expected, "another number of cases ran than there are");
}
