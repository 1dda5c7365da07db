//! The adapter against a Slack server, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, in real time"
)]

mod agents;
mod batches;
mod certain;
mod conformance;
mod full;
mod groups;
mod http;
mod incoming_webhook;
mod manifest;
mod missed;
mod people;
mod reactions;
mod receiving;
mod sending;
mod setup;
mod streams;
