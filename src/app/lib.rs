//! Frontdesk as a library: the same gateway that the program runs, inside your own.
//!
//! It sets no signal handler, no tracing subscriber, no TLS provider and no limit of the process, and never ends it. See
//! `examples/embed.rs`.

pub mod adapters;
pub mod channel;
pub mod clock;
pub mod config;
pub mod descriptors;
pub mod document;
pub mod error;
pub mod gateway;
pub mod home;
mod running;
pub mod token;
mod wire;

pub use config::Config;
pub use error::StartError;
/// The words and the ports that agents, adapters and hooks of your own are written in.
pub use frontdesk_core as core;
pub use gateway::{Builder, Gateway};
pub use running::{Running, is_gateway_running};

/// The machine's time zone, for rules that name none; UTC if it does not say.
pub fn machine_zone() -> chrono_tz::Tz {
    let name = iana_time_zone::get_timezone().ok();
    name.and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::UTC)
}
