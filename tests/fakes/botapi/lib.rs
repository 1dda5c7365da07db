//! A Telegram Bot API server for tests: its rules, its faults and its journal, all in memory.
//!
//! ```no_run
//! # async fn example() {
//! use std::time::Duration;
//! use frontdesk_botapi::BotApi;
//!
//! let api = BotApi::start().await;
//! let anna = api.user(42, "Anna");
//! anna.tells("hello").await;
//! // A bot that polls `api.url()` with the token "123456:TEST-token" answers.
//! let posts = api.wait_for_posts(&anna, 1, Duration::from_secs(5)).await.expect("an answer");
//! assert_eq!(posts[0].text(), "hello to you");
//! # }
//! ```
//!
//! The server, the faults, the journal and the control port are `frontdesk-fakes`; here is what is Telegram's own. It
//! depends on nothing of Frontdesk, and is itself tested with the SDKs that real bots are written with (`judges/`).

mod actions;
mod address;
mod answer;
mod api;
mod bot;
mod chat;
mod entity;
mod file;
mod handles;
mod html;
mod limits;
mod link;
mod markdown;
mod message;
mod methods;
mod permission;
mod person;
mod queue;
mod requests;
mod webhook;
mod whitespace;
mod world;

pub use actions::{Forward, Sent};
pub use api::{BOT, BotApi, TOKEN};
pub use file::Content;
pub use frontdesk_fakes::{Outcome, TimedOut, Way};
pub use handles::{Bot, Draft, Group, Target, User};
pub use message::Shown;

/// A request of a bot; `getUpdates` is not among them.
pub type Call = frontdesk_fakes::Call<i64>;
/// What became of an update.
pub type Delivery = frontdesk_fakes::Delivery<i64>;
/// What happened.
pub type Journal = frontdesk_fakes::Journal<i64>;
/// A rule for what goes wrong. Without a method it spares `getUpdates`.
pub type Fault = frontdesk_fakes::Fault<i64>;

#[cfg(test)]
mod tests;
