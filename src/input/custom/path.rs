//! Paths into objects, as the table of kinds writes them: `.spec.templates[].container.image`.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// A path: from the object (`.spec.image`), from where one stands (`container.image`), or that place itself (`@`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Path {
    absolute: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    /// The value of this key.
    Key(String),
    /// `[]`: each item of a list.
    Items,
    /// `*`: each value of a map.
    Values,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path; write it as .spec.containers[].image, with * for any key")]
pub struct PathError(String);

/// A place in an object.
#[derive(Debug, Clone)]
pub(super) struct Place<'v> {
    /// The keys and indices that lead there, each after a slash.
    pub(super) route: String,
    pub(super) value: &'v Value,
    /// What holds it.
    pub(super) parent: Option<&'v Value>,
}

impl Path {
    /// Reads a path. A key with dots is written `['like.this']`.
    ///
    /// # Errors
    /// When it has an empty step or an open bracket.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError(text.to_owned());
        if text == "@" {
            return Ok(Self {
                absolute: false,
                steps: Vec::new(),
            });
        }
        let absolute = text.starts_with('.');
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        let mut steps = Vec::new();
        let mut after_key = false;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix("[]") {
                if !after_key {
                    return Err(wrong());
                }
                steps.push(Step::Items);
                rest = tail;
                continue;
            }
            if let Some(tail) = rest.strip_prefix("['") {
                let (key, tail) = tail.split_once("']").ok_or_else(wrong)?;
                steps.push(Step::Key(key.to_owned()));
                (rest, after_key) = (tail, true);
                continue;
            }
            if after_key {
                rest = rest.strip_prefix('.').ok_or_else(wrong)?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, tail) = rest.split_at_checked(end).ok_or_else(wrong)?;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            steps.push(match key {
                "*" => Step::Values,
                key if !key.is_empty() && key.chars().all(plain) => Step::Key(key.to_owned()),
                _ => return Err(wrong()),
            });
            (rest, after_key) = (tail, true);
        }
        if steps.is_empty() {
            return Err(wrong());
        }
        Ok(Self { absolute, steps })
    }

    /// The last key, if the path ends in one.
    #[must_use]
    pub fn last_key(&self) -> Option<&str> {
        match self.steps.last()? {
            Step::Key(key) => Some(key),
            Step::Items | Step::Values => None,
        }
    }

    /// All places that the path leads to.
    pub(super) fn places<'v>(&self, object: &Place<'v>, here: &Place<'v>) -> Vec<Place<'v>> {
        let start = if self.absolute { object } else { here };
        let mut places = vec![start.clone()];
        for step in &self.steps {
            places = places.iter().flat_map(|place| step.from(place)).collect();
        }
        places
    }

    /// The first of them.
    pub(super) fn first<'v>(&self, object: &Place<'v>, here: &Place<'v>) -> Option<&'v Value> {
        self.places(object, here).first().map(|place| place.value)
    }
}

impl Step {
    fn from<'v>(&self, place: &Place<'v>) -> Vec<Place<'v>> {
        match self {
            Self::Key(key) => place.key(key).into_iter().collect(),
            Self::Items => place.items(),
            Self::Values => place.values(),
        }
    }
}

impl<'v> Place<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self {
            route: String::new(),
            value,
            parent: None,
        }
    }

    pub(super) fn key(&self, key: &str) -> Option<Self> {
        Some(Self {
            route: format!("{}/{key}", self.route),
            value: self.value.get(key)?,
            parent: Some(self.value),
        })
    }

    pub(super) fn items(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten();
        items
            .enumerate()
            .map(|(at, value)| Self {
                route: format!("{}/{at}", self.route),
                value,
                parent: Some(self.value),
            })
            .collect()
    }

    pub(super) fn values(&self) -> Vec<Self> {
        let values = self.value.as_object().into_iter().flatten();
        values
            .map(|(key, value)| Self {
                route: format!("{}/{key}", self.route),
                value,
                parent: Some(self.value),
            })
            .collect()
    }

    /// The name of what holds it: the last key before it on the way.
    pub(super) fn holder(&self) -> &str {
        let mut keys = self.route.rsplit('/').skip(1);
        keys.find(|key| key.parse::<usize>().is_err())
            .unwrap_or_default()
    }

    /// The route as people write it: `spec.tasks[0].image`.
    pub(super) fn dotted(&self) -> String {
        let mut text = String::new();
        for key in self.route.split('/').skip(1) {
            if key.parse::<usize>().is_ok() {
                text.push_str(&format!("[{key}]"));
            } else {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
        }
        text
    }

    /// The text here, unless it is empty.
    pub(super) fn text(&self) -> Option<&'v str> {
        self.value.as_str().filter(|text| !text.is_empty())
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.absolute && self.steps.is_empty() {
            return f.write_str("@");
        }
        for (at, step) in self.steps.iter().enumerate() {
            let dot = if at > 0 || self.absolute { "." } else { "" };
            match step {
                Step::Items => f.write_str("[]")?,
                Step::Values => write!(f, "{dot}*")?,
                Step::Key(key) if key.contains(['.', '/']) => write!(f, "['{key}']")?,
                Step::Key(key) => write!(f, "{dot}{key}")?,
            }
        }
        Ok(())
    }
}

/// Something that must hold of an object: `.spec.replicas=0`, `.status.phase=Done|Failed`, or `.status.finishedAt`,
/// which is there and neither null, false nor empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Condition {
    path: Path,
    /// The values that will do; none is any.
    values: Vec<String>,
}

impl Condition {
    pub(super) fn holds(&self, object: &Place<'_>) -> bool {
        let is = |value: &Value| {
            let text = match value {
                Value::Null => return false,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if self.values.is_empty() {
                return !matches!(text.as_str(), "" | "false" | "{}" | "[]");
            }
            self.values.contains(&text)
        };
        self.path
            .places(object, object)
            .iter()
            .any(|place| is(place.value))
    }
}

impl TryFrom<String> for Condition {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        let (path, values) = text.split_once('=').unwrap_or((&text, ""));
        let values = values.split('|').filter(|value| !value.is_empty());
        Ok(Self {
            path: Path::parse(path)?,
            values: values.map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_places() {
        let object = json!({"metadata": {"labels": {"a.b/c": "x"}}, "spec": {
            "list": [{"image": "one"}, {"name": "none"}, {"image": "two"}],
            "map": {"k1": {"image": "three"}, "k2": [{"image": "four"}]}}});
        let root = Place::root(&object);
        let here = root.key("spec").unwrap();
        for (path, expected) in [
            (
                ".spec.list[].image",
                vec!["/spec/list/0/image", "/spec/list/2/image"],
            ),
            (
                "list[].image",
                vec!["/spec/list/0/image", "/spec/list/2/image"],
            ),
            (".spec.map.*.image", vec!["/spec/map/k1/image"]),
            (".spec.map.*[].image", vec!["/spec/map/k2/0/image"]),
            ("@", vec!["/spec"]),
            (".metadata.labels['a.b/c']", vec!["/metadata/labels/a.b/c"]),
            (".spec.nothing[].image", vec![]),
            (".spec.list.image", vec![]),
        ] {
            let parsed = Path::parse(path).unwrap();
            let routes: Vec<_> = parsed
                .places(&root, &here)
                .into_iter()
                .map(|p| p.route)
                .collect();
            assert_eq!(routes, expected, "{path}");
            assert_eq!(parsed.to_string(), path);
        }
        for text in [
            "", ".", "..a", "a..b", "a[", "a[0]", "[]", "a['b", "a b", ".a.", "a]",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn conditions_hold() {
        let object = json!({"spec": {"replicas": 0, "suspend": false, "mode": "Halted"}, "status": {"at": null, "done": "x"}});
        for (text, holds) in [
            (".spec.replicas=0", true),
            (".spec.replicas=1", false),
            (".spec.suspend=false", true),
            (".spec.suspend", false),
            (".spec.mode=Manual|Halted", true),
            (".status.at", false),
            (".status.done", true),
            (".status.other", false),
        ] {
            let condition = Condition::try_from(text.to_owned()).unwrap();
            assert_eq!(condition.holds(&Place::root(&object)), holds, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_the_same(text in r"\.?[a-z*]{1,3}(\[\])?(\.[a-z]{1,3}|\.\*|\['a\.b'\]){0,3}") {
            if let Ok(path) = Path::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            let _ = Path::parse(&text);
        }
    }
}
