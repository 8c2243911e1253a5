//! `ignore:` entries of the configuration file.

use super::{Date, RuleSet};
use crate::glob;
use crate::image::ImageRef;
use crate::verdict::Finding;

/// One entry: findings that fit all that it says do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Which rules.
    pub rules: RuleSet,
    /// Of which kinds, whatever the case (`deployment`); of any when empty, and so on.
    pub kinds: Vec<Glob>,
    /// In which namespaces.
    pub namespaces: Vec<Glob>,
    /// Of which names.
    pub names: Vec<Glob>,
    /// With which images, as written or in full (`docker.io/library/nginx:1`).
    pub images: Vec<Glob>,
    /// Why; never empty.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// Where it stands: `.archcheck.yaml:7`.
    pub place: String,
}

/// A pattern with `*` and `?`; `*` goes over slashes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Any text is a pattern.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    fn fits(&self, text: &str) -> bool {
        glob::matches(&self.0, text)
    }
}

impl Ignore {
    /// Whether it is past its last day.
    #[must_use]
    pub fn is_over(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| expires < today)
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn fits(&self, finding: &Finding) -> bool {
        self.rules.contains(finding.rule) && self.fits_place(finding)
    }

    /// Whether it is about what the finding is about, whatever the rule.
    pub(super) fn fits_place(&self, finding: &Finding) -> bool {
        let id = &finding.workload;
        self.fits_object(&id.kind, &id.namespace, &id.name) && self.fits_image(&finding.image)
    }

    /// Whether it is about this object, whatever its images.
    pub(super) fn fits_object(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let any = |globs: &[Glob], text: &str| {
            globs.is_empty() || globs.iter().any(|glob| glob.fits(text))
        };
        let kind = kind.to_lowercase();
        let fits_kind = |glob: &Glob| glob::matches(&glob.0.to_lowercase(), &kind);
        (self.kinds.is_empty() || self.kinds.iter().any(fits_kind))
            && any(&self.namespaces, namespace)
            && any(&self.names, name)
    }

    fn fits_image(&self, image: &str) -> bool {
        if self.images.is_empty() {
            return true;
        }
        let full = ImageRef::parse(image).map(|image| image.to_string());
        self.images.iter().any(|glob| {
            glob.fits(image)
                || full
                    .as_ref()
                    .is_ok_and(|full| full != image && glob.fits(full))
        })
    }
}
