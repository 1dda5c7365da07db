//! The adapter against a Bot API server, over a real socket.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, in real time"
)]

mod conformance;
mod files;
mod groups;
mod hooks;
mod lookup;
mod polling;
mod secrets;
mod sending;
mod setup;
mod shown;
mod unreadable;
