//! `-o json` and `-o yaml`: the contract's report, version 1 (DESIGN §4).

mod v1;

pub(super) use v1::role;
pub use v1::{ReportV1, v1};

/// The JSON Schema of [`ReportV1`], generated from its types; the copy in `docs/` is checked against it.
#[must_use]
pub fn schema() -> serde_json::Value {
    // What is written, not what would be read: fields that may be left out are not required.
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<ReportV1>()
        .to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert(
            "title".to_owned(),
            "kubectl archcheck report, version 1".into(),
        );
    }
    schema
}
