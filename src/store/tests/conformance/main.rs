//! What every database behind the store must do: each verb and each rule, as a sentence. The suite speaks only
//! the store's own words; `database` is the only module that names a database, and the suite's parameter.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accept;
mod agent_sessions;
mod albums;
mod asks;
mod audit;
mod budgets;
mod changes;
mod chats;
mod commands;
mod context_messages;
mod database;
mod dead_letters;
mod delivery;
mod dropping;
mod edits;
mod epochs;
mod faults;
mod fixture;
mod giving_way;
mod grants;
mod jobs;
mod logins;
mod mark_dead;
mod media;
mod minutes;
mod moves;
mod pairing;
mod purge;
mod queue_modes;
mod quiet;
mod quota;
mod quotes;
mod reading;
mod recovery;
mod reloading;
mod renderer;
mod revoking;
mod streaming;
mod tasks;
mod timelines;
mod tokens;
mod turns;
mod unseen;
