//! Images as they are named and as registries describe them. Pure: text and JSON in, plain data out.

mod answer;
mod digest;
mod facts;
mod hints;
mod manifest;
mod platform;
mod reference;

pub use answer::{CredentialKind, ImageAnswer, ImageError, Limit, Tried};
pub use digest::{Digest, DigestError};
pub use facts::{
    ConfigFacts, Content, ImageFacts, Index, IndexEntry, IndexFormat, ManifestFacts, Shape,
};
pub use manifest::{Document, DocumentError, DocumentKind, RawDescriptor, RawManifest, media_type};
pub use platform::{Platform, PlatformError};
pub use reference::{ImageRef, ReferenceError};
