//! One integration-test binary: linking once is what takes the time.

// `unwrap_used` and its like know a test by `#[test]` or `#[cfg(test)]`; the support modules are neither.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up must fail"
)]

mod architecture;
mod caching;
mod ci;
mod cluster;
mod command;
mod completion;
mod custom_kinds;
mod end_to_end;
mod examples;
mod github;
mod junit;
mod known;
mod kubectl;
mod man;
mod manifests;
mod markdown;
mod mirrors;
mod printed;
mod pull_secrets;
mod registries;
mod registry_server_smoke;
mod rendered;
mod rules;
mod sarif;
mod schema;
mod support;
mod verify;
