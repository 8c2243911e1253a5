//! What the integration tests are built from. Nothing in here uses the crate under test.

pub(crate) mod image_layout;
pub(crate) mod registry_server;
pub(crate) mod tools;
