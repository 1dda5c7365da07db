//! What the fake platforms for tests share: a server on a free port, a journal, faults, a control port, a clock and
//! random numbers that can be repeated.
//!
//! A fake platform is a type that implements [`Platform`]: it reads requests, and knows its own methods, events and
//! error format. [`Fake`] runs it. A request that was read goes through [`Shared::serve`], which applies the faults,
//! carries it out and writes it into the journal.

mod clock;
mod control;
mod fault;
mod journal;
mod params;
mod random;
mod serve;
mod server;

pub use clock::{Clock, pause};
pub use fault::{Fault, Faults, Kind as FaultKind};
pub use journal::{Call, Delivery, Journal, JournalWriter, Outcome, Way};
pub use params::{BadParams, Params, Upload};
pub use random::Random;
pub use serve::{Cut, Response, Work, read_body, response};
pub use server::{Common, Fake, Platform, Shared, TimedOut};

#[cfg(test)]
mod tests;
