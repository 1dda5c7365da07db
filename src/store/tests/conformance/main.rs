//! What every database behind the store must do: each verb and each rule, as a sentence. The suite speaks only
//! the store's own words; `desk::open` is the one place that names a database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accept;
mod bury;
mod commands;
mod delivery;
mod desk;
mod epochs;
mod purge;
mod reading;
mod recovery;
mod streaming;
mod turns;
