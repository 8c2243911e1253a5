//! Where a cluster's nodes look for images first.

/// A source of images and its mirrors, as OpenShift's mirror sets give them (`ImageDigestMirrorSet`,
/// `ImageTagMirrorSet`, `ImageContentSourcePolicy`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSet {
    /// A registry, a path below one, or `*.` and a domain.
    pub source: String,
    /// What is asked instead, in order.
    pub mirrors: Vec<String>,
    /// Which references it is for.
    pub mirrored: Mirrored,
    /// Whether the source itself is never asked (`NeverContactSource`).
    pub never_source: bool,
    /// The object that says so, for messages: `ImageDigestMirrorSet/redhat`.
    pub object: String,
}

/// Which references a mirror set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// Those with a digest.
    Digests,
    /// Those without.
    Tags,
}
