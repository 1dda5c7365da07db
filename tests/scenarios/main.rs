//! What people and operators can count on, told as stories.

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
mod streaming;
mod turns;
