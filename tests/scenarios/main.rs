//! Scenarios: what users and operators can rely on, tested on a whole gateway.

#![expect(clippy::unwrap_used, reason = "a test fails at the first error")]

mod adapters;
mod admins;
mod agent_files;
mod agent_sessions;
mod albums;
mod asks;
mod authors;
mod clock;
mod commands;
mod compaction;
mod confirmations;
mod conversation;
mod drafts;
mod edits;
mod files;
mod groups;
mod growing;
mod hooks;
mod kept_files;
mod limits;
mod outbox;
mod pairing;
mod pauses;
mod queue;
mod queue_modes;
mod recovery;
mod reload;
mod reset;
mod restarts;
mod roles;
mod sending;
mod shut_out;
mod steering;
mod stopping;
mod storage;
mod streaming;
mod terminal;
mod tools;
mod tools_on_messages;
mod turns;
mod typing;
mod unread;
mod waiting;
mod waiting_marks;
