//! What people and operators can count on, told as stories.

#![expect(clippy::unwrap_used, reason = "a story stops at the first surprise")]

mod adapters;
mod commands;
mod conversation;
mod hooks;
mod limits;
mod outbox;
mod queue;
mod recovery;
mod reset;
mod stopping;
mod storage;
mod streaming;
mod turns;
