//! What the user names: `TYPE/NAME …` or `TYPE NAME …`, as kubectl reads them.

use crate::input::kinds::Kind;

/// A named object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its type, as the user wrote it: what it means depends on the cluster.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Why names can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// Both forms at once; kubectl's words.
    #[error(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl archcheck resource/<resource_name>' instead of 'kubectl archcheck resource resource/<resource_name>')"
    )]
    Mixed,
    /// A type that isn't known.
    #[error("{name:?} is no kind that runs pods; known are {known}")]
    UnknownKind {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A type without a name.
    #[error("{0:?} names a kind but no object; write {0}/NAME, or leave it out to scan everything")]
    NoName(String),
    /// `deploy/` or `/web`.
    #[error("{0:?} is not of the form TYPE/NAME")]
    Incomplete(String),
}

/// Reads names.
///
/// # Errors
/// Says what is wrong, in kubectl's words where it has some.
pub fn parse_names(names: &[String]) -> Result<Vec<Target>, NamesError> {
    let slashes = names.iter().filter(|name| name.contains('/')).count();
    if slashes > 0 && slashes < names.len() {
        return Err(NamesError::Mixed);
    }
    if slashes > 0 {
        return names
            .iter()
            .map(|text| match text.split_once('/') {
                Some((kind, name))
                    if !kind.is_empty() && !name.is_empty() && !name.contains('/') =>
                {
                    Ok(Target {
                        kind: kind.to_owned(),
                        name: name.to_owned(),
                    })
                }
                _ => Err(NamesError::Incomplete(text.clone())),
            })
            .collect();
    }
    match names {
        [] => Ok(Vec::new()),
        [kind] => Err(NamesError::NoName(kind.clone())),
        [kind, names @ ..] => Ok(names
            .iter()
            .map(|name| Target {
                kind: kind.clone(),
                name: name.clone(),
            })
            .collect()),
    }
}

/// The kind that a user's word means, among those of a cluster.
pub(super) fn known<'k>(kinds: &[&'k Kind], name: &str) -> Result<&'k Kind, NamesError> {
    let run_pods = || kinds.iter().copied().filter(|kind| kind.shape.runs_pods());
    Kind::named(run_pods(), name).ok_or_else(|| {
        let plurals: Vec<&str> = run_pods().map(|kind| kind.plural.as_str()).collect();
        NamesError::UnknownKind {
            name: name.to_owned(),
            known: plurals.join(", "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::kinds::KINDS;

    fn parse(text: &str) -> Result<Vec<String>, NamesError> {
        let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let kinds: Vec<&Kind> = KINDS.iter().collect();
        parse_names(&names)?
            .iter()
            .map(|target| {
                Ok(format!(
                    "{}/{}",
                    known(&kinds, &target.kind)?.kind,
                    target.name
                ))
            })
            .collect()
    }

    #[test]
    fn names_are_read_as_kubectl_reads_them() {
        for (text, read) in [
            ("", vec![]),
            ("deploy/web", vec!["Deployment/web"]),
            (
                "deploy/web sts/db",
                vec!["Deployment/web", "StatefulSet/db"],
            ),
            (
                "deployments.apps web api",
                vec!["Deployment/web", "Deployment/api"],
            ),
            ("Pod x", vec!["Pod/x"]),
        ] {
            assert_eq!(parse(text).unwrap(), read, "{text}");
        }
        for (text, says) in [
            ("deploy deploy/web", "no need to specify a resource type"),
            (
                "svc/web",
                "is no kind that runs pods; known are deployments",
            ),
            ("nodes/n1", "is no kind that runs pods"),
            ("deploy", "write deploy/NAME"),
            ("deploy/", "not of the form"),
            ("a/b/c", "not of the form"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
