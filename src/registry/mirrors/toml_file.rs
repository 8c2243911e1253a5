//! TOML with positions: every value that is missing or of another type is told with its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::MirrorConfigError;

/// A file's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// A table of a file.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    file: File<'a>,
    values: DeTable<'a>,
    span: Range<usize>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'a> File<'a> {
    pub(super) fn parse(self) -> Result<Table<'a>, MirrorConfigError> {
        let parsed = DeTable::parse(self.text).map_err(|error| MirrorConfigError {
            path: self.path.to_owned(),
            line: error.span().map(|span| self.line(span.start)),
            detail: error.message().to_owned(),
        })?;
        let span = parsed.span();
        Ok(Table {
            file: self,
            values: parsed.into_inner(),
            span,
        })
    }

    pub(super) fn error(self, span: &Range<usize>, detail: impl Into<String>) -> MirrorConfigError {
        MirrorConfigError {
            path: self.path.to_owned(),
            line: Some(self.line(span.start)),
            detail: detail.into(),
        }
    }

    fn line(self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|b| **b == b'\n').count() + 1
    }
}

impl<'a> Table<'a> {
    /// An error about the table itself.
    pub(super) fn error(&self, detail: impl Into<String>) -> MirrorConfigError {
        self.file.error(&self.span, detail)
    }

    /// An error about one of its values.
    pub(super) fn error_at<T>(&self, at: &At<T>, detail: impl Into<String>) -> MirrorConfigError {
        self.file.error(&at.span, detail)
    }

    /// The keys, in the order of the file.
    pub(super) fn keys(&self) -> Vec<At<String>> {
        let mut keys: Vec<At<String>> = self
            .values
            .keys()
            .map(|key| At {
                value: key.get_ref().to_string(),
                span: key.span(),
            })
            .collect();
        keys.sort_by_key(|key| key.span.start);
        keys
    }

    pub(super) fn value(&self, key: &str) -> Option<At<&DeValue<'a>>> {
        let (_, value) = self
            .values
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)?;
        Some(At {
            value: value.get_ref(),
            span: value.span(),
        })
    }

    /// Says of which type a value must be.
    pub(super) fn must_be<T>(&self, key: &str, at: &At<T>, what: &str) -> MirrorConfigError {
        self.error_at(at, format!("{key} must be {what}"))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<At<String>>, MirrorConfigError> {
        let Some(at) = self.value(key) else {
            return Ok(None);
        };
        match at.value {
            DeValue::String(text) => Ok(Some(At {
                value: text.to_string(),
                span: at.span,
            })),
            _ => Err(self.must_be(key, &at, "a string")),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, MirrorConfigError> {
        let Some(at) = self.value(key) else {
            return Ok(None);
        };
        match at.value {
            DeValue::Boolean(flag) => Ok(Some(*flag)),
            _ => Err(self.must_be(key, &at, "true or false")),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<At<String>>>, MirrorConfigError> {
        let Some(at) = self.value(key) else {
            return Ok(None);
        };
        let wrong = || self.must_be(key, &at, "an array of strings");
        let items = at.value.as_array().ok_or_else(wrong)?.iter().map(|item| {
            let text = item.get_ref().as_str().ok_or_else(wrong)?;
            Ok(At {
                value: text.to_owned(),
                span: item.span(),
            })
        });
        items.collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, MirrorConfigError> {
        let Some(at) = self.value(key) else {
            return Ok(None);
        };
        match at.value {
            DeValue::Table(values) => Ok(Some(self.inner(values, at.span))),
            _ => Err(self.must_be(key, &at, "a table")),
        }
    }

    /// An array of tables (`[[key]]`); nothing where it is absent.
    pub(super) fn tables(&self, key: &str) -> Result<Vec<Self>, MirrorConfigError> {
        let Some(at) = self.value(key) else {
            return Ok(Vec::new());
        };
        let wrong = || self.must_be(key, &at, &format!("an array of tables ([[{key}]])"));
        let items = at.value.as_array().ok_or_else(wrong)?.iter();
        items
            .map(|item: &Spanned<DeValue<'a>>| match item.get_ref() {
                DeValue::Table(values) => Ok(self.inner(values, item.span())),
                _ => Err(wrong()),
            })
            .collect()
    }

    fn inner(&self, values: &DeTable<'a>, span: Range<usize>) -> Self {
        Self {
            file: self.file,
            values: values.clone(),
            span,
        }
    }
}
