//! The WebSocket interface: the handshake, one loop per connection, and method calls.

pub(crate) mod call;
mod connection;
mod dialect;
pub(crate) mod handshake;
pub(crate) mod message;
mod pending_prompts;
mod socket;
mod task_progress;
