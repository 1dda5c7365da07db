//! What adapters of chat platforms share.
//!
//! A platform is one crate: an [`Adapter`](frontdesk_core::port::Adapter) for each account, and a [`Section`], which says
//! what stands under `[channels.NAME]` in the configuration and which accounts that makes. The program registers it with
//! one line: `Channel::of::<MySection>()`.
//!
//! [`http`], [`files`], [`json`] and [`websocket`] are for platforms with an HTTP API, [`intake`] is for those that deliver
//! events one by one, and [`timer`] is for pauses within one connection. Between connections the runtime waits.

pub mod account;
pub mod channel;
pub mod files;
pub mod intake;
pub mod json;
mod platform;
mod section;
pub mod settings;
pub mod setup;
pub mod timer;
pub mod websocket;

pub use account::ids::{Ids, Kind, Membership};
pub use channel::Channel;
pub use frontdesk_http as http;
pub use platform::{BotAccount, Platform, Unique};
pub use section::{
    Assigned, BuildAdapter, Built, ConfiguredAccount, Fingerprint, Host, Section, Variables, WebhookUrl,
};
pub use setup::Setup;
