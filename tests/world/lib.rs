//! A whole gateway in one test: a clock that the test owns, an agent that does as it is told, and a platform
//! with true semantics and a journal.
//!
//! ```ignore
//! let world = World::new().await;
//! let anna = world.user("anna");
//! anna.says("hello").await;
//! assert_eq!(anna.hears().await, "hello");
//! world.at_rest().await;
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test's world stops at the first surprise"
)]

pub mod agent;
pub mod clock;
pub mod dialect;
pub mod event;
pub mod files;
pub mod patience;
pub mod platform;
mod setup;
mod user;
mod world;

pub use agent::{ScriptedAgent, Step};
pub use clock::ManualClock;
pub use platform::{Platform, Posted};
pub use setup::{Plan, plan};
pub use user::{User, operator};
pub use world::World;
