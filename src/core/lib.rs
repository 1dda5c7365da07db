//! The words of Frontdesk and its decisions: no clock, no IO, no spawn, no log.
//!
//! A rule that depends on time takes `now`. Nothing here knows a platform, an agent program or the
//! database; those rooms speak to each other in the types of this one.

pub mod access;
pub mod account;
pub mod act;
pub mod address;
pub mod blank;
pub mod command;
pub mod config;
pub mod count;
pub mod delta;
pub mod hook;
pub mod id;
pub mod key;
pub mod markup;
pub mod message;
pub mod nearest;
pub mod notice;
pub mod pairing;
pub mod port;
pub mod profile;
pub mod prompt;
pub mod reset;
pub mod retry;
pub mod route;
mod segment;
pub mod span;
pub mod split;
pub mod terminal;
pub mod time;
pub mod visible;
