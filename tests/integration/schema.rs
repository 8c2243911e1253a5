//! The JSON report fits its schema, and the schema in docs/ is the one that the types generate.

use serde_json::Value;

use crate::support::archcheck::{Archcheck, repository};

#[test]
fn the_schema_in_docs_is_that_of_the_types() {
    let path = repository("docs/report.schema.json");
    let generated =
        serde_json::to_string_pretty(&archcheck::report::json::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "docs/report.schema.json is out of date; run: UPDATE_DOCS=1 cargo test schema"
    );
}

#[test]
fn reports_fit_the_schema() {
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(repository("docs/report.schema.json")).unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in [
        "-f examples/cluster.yaml --images examples/images",
        "-f examples/cluster.yaml --images examples/images --platform linux/s390x",
        "-f tests/integration/data/every-kind.yaml --platform linux/amd64 --platform windows/amd64 --registry-timeout 1s",
    ] {
        let (_, report) = Archcheck::new().line(line).json();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        let yaml = Archcheck::new().line(line).args(["-o", "yaml"]).run();
        let same: Value = serde_saphyr::from_str(&yaml.stdout).unwrap();
        assert_eq!(same, report, "{line}: YAML says the same");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let run = || {
        Archcheck::new()
            .line("-f examples/cluster.yaml --images examples/images -o json")
            .run()
            .stdout
    };
    assert_eq!(run(), run());
}
