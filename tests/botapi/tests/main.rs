//! The rules of the Bot API over its socket, and what a test can do with the library.

mod bot;
mod faults;
mod network;
mod polling;
mod posts;
mod speed;
mod webhooks;
