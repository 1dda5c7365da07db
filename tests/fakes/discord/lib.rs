//! Discord for tests: its gateway, its REST API, its faults and its journal, all in memory.
//!
//! ```no_run
//! # async fn example() {
//! use std::time::Duration;
//! use frontdesk_fakediscord::Discord;
//!
//! let discord = Discord::start().await;
//! let ann = discord.user(7, "Ann");
//! let hello = ann.tells("hello");
//! // A bot at `discord.url()` with the token `TOKEN` answers.
//! let posts = discord.wait_for_posts(hello.channel_id, 1, Duration::from_secs(5)).await.expect("an answer");
//! assert_eq!(posts[0].text(), "hello to you");
//! # }
//! ```
//!
//! The server, the faults, the journal and the control port are `frontdesk-fakes`; here is what is Discord's own. It
//! depends on nothing of Frontdesk, and is itself tested with the library that real bots are written with (`judges/`).

mod actions;
mod answer;
mod api;
mod body;
mod gateway;
mod guild;
mod id;
mod interaction;
mod limits;
mod message;
mod operations;
mod permission;
mod requests;
mod session;
mod time;
mod world;

pub use actions::{Said, Sent, Written};
pub use api::{BOT, Discord, TOKEN, User};
pub use frontdesk_fakes::{FaultKind, Outcome, TimedOut, Way};
pub use id::Id;
pub use message::Shown;

/// A request of a bot.
pub type Call = frontdesk_fakes::Call<Id>;
/// What became of an event.
pub type Delivery = frontdesk_fakes::Delivery<Id>;
/// What happened.
pub type Journal = frontdesk_fakes::Journal<Id>;
/// A rule for what goes wrong. Without a method it spares the gateway, whose method is `gateway`.
pub type Fault = frontdesk_fakes::Fault<Id>;

#[cfg(test)]
mod tests;
