//! Tools for the tests of adapters: one conformance suite for all of them, an inbox that records events, and checks of
//! profiles.
//!
//! The runtime keeps connections open and waits between attempts; an adapter only returns from `run` when its
//! connection ends.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's tools stop at the first surprise"
)]

pub mod conformance;
pub mod markdown;
pub mod profile;
pub mod recording_inbox;

pub use recording_inbox::RecordingInbox;
