//! Frontdesk as a library: the gateway that the program runs, inside another program.
//!
//! The library installs no signal handler, no tracing subscriber and no TLS provider, changes no limit of the process
//! and never ends it. See `examples/embed.rs`.

pub mod adapters;
pub mod agents;
pub mod channels;
pub mod clock;
pub mod config;
pub mod descriptors;
pub mod document;
pub mod error;
pub mod gateway;
pub mod home;
mod no_agent;
pub mod plan;
mod reload;
mod roles;
mod routes;
mod running;
mod source;
pub mod token;
mod voice;
mod watch;
mod webhook;
mod wire;

pub use config::Config;
pub use error::StartError;
/// The types and ports for agents, adapters and hooks of your own.
pub use frontdesk_agents::regular_file;
pub use frontdesk_core as core;
/// What adapters of your own can use, and the registry entry of a platform with a configuration section.
pub use frontdesk_kit as kit;
pub use gateway::{Builder, Gateway, OnReload};
pub use plan::Plan;
pub use reload::ReloadError;
pub use running::{Running, is_gateway_running};
pub use source::ReadConfig;

/// The machine's time zone, for rules that name none; UTC if it cannot be determined.
pub fn machine_zone() -> chrono_tz::Tz {
    let name = iana_time_zone::get_timezone().ok();
    name.and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC)
}
