//! The adapter against a fake Discord.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "the fake Discord at the other end lives in real time")]

mod conformance;
mod connection;
mod faults;
mod for_one;
mod gap;
mod groups;
mod interactions;
mod limits;
mod mentions;
mod recovery;
mod sending;
mod setup;
mod threads;
