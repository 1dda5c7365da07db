//! A Slack server for tests: Web API, Socket Mode, events over HTTP, limits, faults and a journal, all in memory.
//!
//! The server, the faults, the journal and the control port are `frontdesk-fakes`; here is what is Slack's own. It
//! depends on nothing of Frontdesk, and is itself tested with the SDKs that real apps are written with (`judges/`).

mod actions;
mod answer;
mod api;
mod blocks;
mod channel;
mod delivery;
mod events;
mod hooks;
mod limits;
mod methods;
mod requests;
mod shown;
mod socket;
mod world;

pub use api::{
    APP, APP_TOKEN, BOT, BOT_ID, Channel, OTHER_TEAM, OTHER_TOKEN, Person, SECRET, Sent, SlackApi, TEAM,
    TOKEN,
};
pub use frontdesk_fakes::{Outcome, TimedOut, Way, pause};
pub use shown::Shown;

/// A request of an app.
pub type Call = frontdesk_fakes::Call<String>;
/// What became of an event, a slash command or a pressed button.
pub type Delivery = frontdesk_fakes::Delivery<String>;
/// What happened.
pub type Journal = frontdesk_fakes::Journal<String>;
/// A rule for what goes wrong with requests.
pub type Fault = frontdesk_fakes::Fault<String>;

#[cfg(test)]
mod tests;
