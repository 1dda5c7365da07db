//! The door in front of a real gateway with an echo agent, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod attacks;
mod harness;
mod http;
mod memory;
mod page;
mod pigeon;
mod socket;
mod stopping;
mod strangers;
mod webhook;
