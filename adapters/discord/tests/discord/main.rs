//! The adapter against a fake Discord.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod conformance;
mod connection;
mod interactions;
mod sending;
mod setup;
