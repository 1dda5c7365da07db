//! The TCP chat: the conformance suite, a whole gateway with two people, and the page that it was written from.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod conformance;
mod gateway;
mod page;
mod person;
