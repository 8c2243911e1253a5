//! What the integration tests are built from. Nothing in here uses the crate under test but its binary.

pub(crate) mod archcheck;
pub(crate) mod fake_apiserver;
pub(crate) mod image_layout;
pub(crate) mod objects;
pub(crate) mod registry_server;
pub(crate) mod scenario;
pub(crate) mod tools;
