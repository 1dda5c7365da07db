//! A whole gateway in one test: a clock that the test sets, an agent that runs a script, and a fake platform that
//! acknowledges, redelivers and refuses like a real one and keeps a journal.
//!
//! ```ignore
//! let world = World::new().await;
//! let anna = world.user("anna");
//! anna.says("hello").await;
//! assert_eq!(anna.hears().await, "hello");
//! world.at_rest().await;
//! ```

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails at the first error")]

pub mod agent;
pub mod clock;
pub mod dialect;
pub mod event;
pub mod files;
pub mod hook;
pub mod platform;
mod reload;
mod setup;
mod step;
pub mod transcriber;
mod user;
pub mod wait;
pub mod web;
mod world;

pub use agent::ScriptedAgent;
pub use clock::ManualClock;
pub use hook::TestHook;
pub use platform::{Platform, Posted};
pub use reload::Reload;
pub use setup::{Plan, plan};
pub use step::{Step, permission};
pub use transcriber::ScriptedTranscriber;
pub use user::{User, operator};
pub use web::WebServer;
pub use world::World;
