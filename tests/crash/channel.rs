//! A channel in the test: its clients, its platform, and what it knows that the database does not.

mod api;
pub mod background;
pub mod teams;
pub mod telegram;
pub mod web;

use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;
use tokio::task::JoinSet;

use crate::observed::Observed;
use crate::random::Random;

/// The operation during which the gateway is to be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillPoint {
    /// Events were handed over and not acknowledged.
    Accept,
    /// An answer grows.
    Streaming,
    /// The platform has just carried out a post, and the gateway may not know.
    Post,
    /// A file is being fetched.
    File,
    /// An admin's command was just handed over.
    Command,
    /// The answer to a question was just stored, and its agent may not know.
    Press,
    /// An agent has just begun to work on something in the background.
    Work,
    /// The result of a job was just posted to a web server, and the gateway may not know.
    Webhook,
}

/// A channel of the gateway with its clients. To add one: a file below `channel/` and a line in `run.rs`.
#[async_trait]
pub trait Channel: Send + Sync {
    fn name(&self) -> &'static str;

    /// Its sections of the gateway's configuration.
    fn config(&self) -> String;

    /// Starts its clients. They run until they are aborted.
    async fn start(&self, clients: &mut JoinSet<()>, random: &Random);

    /// Network faults on its platform, from now on. `reorder` adds deliveries in the wrong order.
    fn set_faults(&self, on: bool, reorder: bool);

    /// The kill points that it can recognise.
    fn kill_points(&self) -> &'static [KillPoint];

    /// Whether the gateway, started at `since`, is at this kill point now.
    fn is_at(&self, point: KillPoint, since: i64) -> bool;

    /// The number of events that the gateway has still to acknowledge.
    fn unaccepted(&self) -> usize;

    /// Called when nothing waits any more and the gateway still runs: its clients read what they have not read.
    async fn catch_up(&self, database: &Path) -> Result<()>;

    /// Called when the gateway has stopped: adds what the platform recorded.
    async fn observe(&self, observed: &mut Observed) -> Result<()>;
}
