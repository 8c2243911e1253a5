//! The section `ignore`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::one_or_many::OneOrMany;
use super::{ConfigError, value_error};
use crate::policy::{Date, Glob, Ignore, RuleSet};

/// Findings that fit all that an entry says don't count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Ignore")]
pub(super) struct RawIgnore {
    /// The rule, or several; * and ? stand for any characters.
    #[schemars(with = "OneOrMany")]
    rule: Option<Spanned<OneOrMany>>,
    /// Kinds, such as Deployment.
    #[schemars(with = "Option<OneOrMany>")]
    kind: Option<Spanned<OneOrMany>>,
    /// Namespaces; an object that names none has the empty one, or that of -n.
    #[schemars(with = "Option<OneOrMany>")]
    namespace: Option<Spanned<OneOrMany>>,
    /// Names of the objects.
    #[schemars(with = "Option<OneOrMany>")]
    name: Option<Spanned<OneOrMany>>,
    /// Images, as written or in full, such as docker.io/library/nginx:*.
    #[schemars(with = "Option<OneOrMany>")]
    image: Option<Spanned<OneOrMany>>,
    /// Why this is fine.
    #[schemars(with = "String")]
    reason: Option<Spanned<String>>,
    /// The last day on which the entry holds, as in 2026-12-31.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    expires: Option<Spanned<String>>,
}

/// Checks what the types don't.
pub(super) fn checked(
    index: usize,
    entry: Spanned<RawIgnore>,
    file: &str,
) -> Result<Ignore, ConfigError> {
    let at = entry.referenced;
    let RawIgnore {
        rule,
        kind,
        namespace,
        name,
        image,
        reason,
        expires,
    } = entry.value;
    let fail = |at, reason: String| value_error(at, file, format!("ignore[{index}]{reason}"));
    let Some(rule) = rule else {
        return Err(fail(at, ": the key rule is missing".to_owned()));
    };
    let names = rule.value.0.iter().map(String::as_str);
    let rules =
        RuleSet::parse(names).map_err(|error| fail(rule.referenced, format!(".rule: {error}")))?;
    let reason = match reason {
        None => {
            let why = ": the key reason is missing: say why this is fine".to_owned();
            return Err(fail(at, why));
        }
        Some(reason) if reason.value.trim().is_empty() => {
            return Err(fail(reason.referenced, ".reason: it is empty".to_owned()));
        }
        Some(reason) => reason.value.trim().to_owned(),
    };
    let expires = match expires {
        None => None,
        Some(text) => Some(day(&text.value).ok_or_else(|| {
            let why = format!(".expires: {:?} is no date such as 2026-12-31", text.value);
            fail(text.referenced, why)
        })?),
    };
    let globs = |key: &str, globs: Option<Spanned<OneOrMany>>| match globs {
        None => Ok(Vec::new()),
        // An empty list would fit all, which nobody means. An empty namespace is one: manifests may name none.
        Some(globs)
            if globs.value.0.is_empty()
                || (key != "namespace" && globs.value.0.iter().any(String::is_empty)) =>
        {
            let why = format!(".{key}: it is empty; leave the key out for all");
            Err(fail(globs.referenced, why))
        }
        Some(globs) => Ok(globs.value.0.into_iter().map(Glob::new).collect()),
    };
    Ok(Ignore {
        rules,
        kinds: globs("kind", kind)?,
        namespaces: globs("namespace", namespace)?,
        names: globs("name", name)?,
        images: globs("image", image)?,
        reason,
        expires,
        place: format!("{file}:{}", at.line().max(1)),
    })
}

/// `2026-12-31`, and nothing that is merely like it.
fn day(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}
