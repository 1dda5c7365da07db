//! The rules of the Bot API over its socket, and what a test can do with the library.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bot;
mod faults;
mod network;
mod polling;
mod posts;
mod speed;
mod webhooks;
