//! The WebSocket: a handshake, one loop per connection, and calls.

mod call;
mod connection;
pub(crate) mod handshake;
mod line;
mod word;
