//! What people and operators can count on, told as stories.

#![expect(clippy::unwrap_used, reason = "a story stops at the first surprise")]

mod adapters;
mod admins;
mod authors;
mod clock;
mod commands;
mod conversation;
mod edits;
mod files;
mod groups;
mod hooks;
mod limits;
mod outbox;
mod pairing;
mod queue;
mod recovery;
mod reset;
mod shut_out;
mod stopping;
mod storage;
mod streaming;
mod turns;
mod unread;
