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
//! It knows nothing of Frontdesk, and is itself tested with the SDKs that real bots are written with (`judges/`).

mod access;
mod acts;
mod address;
mod answer;
mod api;
mod bot;
mod cast;
mod chat;
mod clean;
mod clock;
mod compose;
mod control;
mod deliver;
mod dice;
mod entity;
mod fault;
mod file;
mod flood;
mod html;
mod journal;
mod link;
mod markdown;
mod methods;
mod multipart;
mod params;
mod person;
mod queue;
mod serve;
mod server;
mod view;
mod world;

pub use acts::{Attachment, Data, Forward, NewChat, Say, Sent};
pub use api::{BOT, BotApi, TOKEN, TimedOut};
pub use cast::{Draft, Robot, Room, Spot, User};
pub use fault::{Fault, Kind as FaultKind};
pub use file::Content;
pub use flood::{Limits, Rate};
pub use journal::{Call, Delivery, Journal, Outcome, Way};
pub use person::{ANONYMOUS, Person};
pub use view::Shown;
