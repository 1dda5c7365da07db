//! What every adapter's tests need: one suite that all of them pass, an inbox that remembers, and the facts that a
//! profile must get right.
//!
//! Connections are kept, and backed off from, by the runtime: an adapter returns from `run` when one ends.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's tools stop at the first surprise"
)]

pub mod conformance;
pub mod facts;
pub mod ledger;
pub mod words;

pub use ledger::Ledger;
