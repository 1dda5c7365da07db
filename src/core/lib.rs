//! The domain types and decisions of Frontdesk: no clock, no IO, no tasks, no log.
//!
//! A rule that depends on time takes `now`. Nothing here knows a platform, an agent program or the database; the crates
//! that do use the types of this one between them.

pub mod access;
pub mod account;
pub mod address;
pub mod agent;
pub mod alarm;
pub mod answer_end;
pub mod ask;
pub mod budget;
pub mod cause;
pub mod circuit;
pub mod command;
pub mod config;
pub mod count;
pub mod delivery;
pub mod delta;
pub mod drop_reason;
pub mod failover;
pub mod foreign;
pub mod group;
pub mod history;
pub mod hook;
pub mod hours;
pub mod id;
pub mod image;
pub mod job;
pub mod key;
pub mod limit;
pub mod link;
pub mod log_limit;
pub mod markup;
pub mod message;
pub mod nearest;
pub mod notice;
pub mod pairing;
pub mod port;
pub mod profile;
pub mod progress;
pub mod prompt;
pub mod queue_mode;
pub mod quiet;
pub mod rate_limiter;
pub mod reaction;
pub mod reset;
pub mod retry;
pub mod route;
pub mod schedule;
mod segment;
pub mod span;
pub mod split;
pub mod task;
pub mod template;
pub mod terminal;
pub mod time;
pub mod token;
pub mod tool;
pub mod visible;
pub mod voice;
pub mod zone;

pub use segment::BrokenEscape;
