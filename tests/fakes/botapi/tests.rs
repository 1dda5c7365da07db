//! The rules of the Bot API over its socket that no SDK in `judges/` checks, and what a test can do with the handles.

mod bot;
mod faults;
mod network;
mod polling;
mod posts;
mod speed;
mod webhooks;
