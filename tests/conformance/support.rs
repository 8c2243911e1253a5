//! Reads a file of cases.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The cases of `data/NAME`.
pub(crate) fn cases<T: DeserializeOwned>(name: &str) -> Result<Vec<T>, String> {
    #[derive(Deserialize)]
    struct File<T> {
        vectors: Vec<T>,
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/data/");
    let path = format!("{path}{name}");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let file: File<T> = serde_json::from_str(&text).map_err(|e| format!("{path}: {e}"))?;
    Ok(file.vectors)
}

/// What a case calls itself and where it comes from.
#[derive(Debug, Deserialize)]
pub(crate) struct Origin {
    id: String,
    name: String,
    source: String,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}), {}", self.id, self.name, self.source)
    }
}

/// Runs every case, and fails with all that answer otherwise, or when `count` is not how many there are.
pub(crate) fn run<T>(
    name: &str,
    count: usize,
    cases: &[T],
    origin: impl Fn(&T) -> &Origin,
    mut check: impl FnMut(&T) -> Result<(), String>,
) {
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let difference = check(case).err()?;
            Some(format!("{}: {difference}", origin(case)))
        })
        .collect();
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert_eq!(cases.len(), count, "{name}: number of cases");
}
