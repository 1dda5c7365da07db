//! The only door to the database: verbs named after what happened. No SQLite type crosses it.

pub mod error;
pub mod lock;
pub mod row;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::id::{BootId, MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Cursor;
use frontdesk_core::notice::Notice;

pub use error::{OpenError, StoreError};
use row::*;

/// How a store is opened.
pub struct Options {
    /// The database file; made with mode 0600 if it is missing.
    pub path: PathBuf,
    /// This life of this process: the owner of what it claims.
    pub boot: BootId,
    /// How notices become parts.
    pub speech: Arc<dyn Speech>,
    /// How many connections read beside the writer.
    pub readers: usize,
}

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Store {}

type Result<T> = std::result::Result<T, StoreError>;

#[expect(clippy::todo, unused_variables, missing_docs, clippy::unused_async)]
impl Store {
    pub async fn open(options: Options) -> std::result::Result<Store, OpenError> { todo!() }
    pub async fn close(&self) { todo!() }
    /// Resolves with the cause when the database has a fault after which the process must end.
    pub async fn fatal(&self) -> String { todo!() }
    /// Waiting messages, from memory.
    pub fn waiting(&self) -> u64 { todo!() }

    // inbound
    pub async fn accept(&self, batch: Batch) -> Result<Accepted> { todo!() }
    pub async fn cursor(&self, source: &str) -> Result<Option<Cursor>> { todo!() }
    pub async fn message(&self, id: MessageId) -> Result<Option<HistoryRow>> { todo!() }

    // turns
    pub async fn claim_turn(&self, session: &SessionKey, take: Take, now: DateTime<Utc>) -> Result<Option<ClaimedTurn>> { todo!() }
    pub async fn rewrite(&self, message: MessageId, text: String) -> Result<()> { todo!() }
    pub async fn side_effect(&self, turn: TurnId, fence: i64, so_far: String, now: DateTime<Utc>) -> Result<Fenced<()>> { todo!() }
    pub async fn stream(&self, turn: TurnId, fence: i64, plain: String, now: DateTime<Utc>) -> Result<Fenced<Option<OutRow>>> { todo!() }
    pub async fn streamed(&self, out: OutId, platform_message: String) -> Result<()> { todo!() }
    pub async fn steered(&self, turn: TurnId, fence: i64, message: MessageId) -> Result<Fenced<()>> { todo!() }
    pub async fn finish(&self, finish: Finish) -> Result<Fenced<Vec<OutRow>>> { todo!() }
    pub async fn requeue(&self, turn: TurnId, fence: i64) -> Result<Fenced<()>> { todo!() }
    pub async fn release(&self, turn: TurnId, fence: i64) -> Result<Fenced<()>> { todo!() }

    // commands
    pub async fn command(&self, id: MessageId) -> Result<Option<InboundRow>> { todo!() }
    pub async fn answer_command(&self, id: MessageId, effect: CommandEffect, now: DateTime<Utc>, reply: Box<dyn FnOnce(&CommandFacts) -> String + std::marker::Send>) -> Result<Fenced<CommandDone>> { todo!() }

    // outbox
    pub async fn claim_part(&self, address: &Address, now: DateTime<Utc>) -> Result<NextPart> { todo!() }
    pub async fn part_ended(&self, id: OutId, fence: i64, result: SendResult, now: DateTime<Utc>) -> Result<Fenced<Vec<OutRow>>> { todo!() }
    pub async fn send(&self, outgoing: Outgoing) -> Result<Vec<OutRow>> { todo!() }
    pub async fn expire_parts(&self, created_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<OutRow>> { todo!() }
    pub async fn part_retried(&self, id: OutId, now: DateTime<Utc>) -> Result<Option<Address>> { todo!() }
    pub async fn part_dropped(&self, id: OutId, now: DateTime<Utc>) -> Result<Option<Address>> { todo!() }
    pub async fn parts(&self, state: Option<&str>, before: Option<OutId>, limit: u32) -> Result<Vec<OutRow>> { todo!() }
    pub async fn frames(&self, session: &SessionKey, after: u64, limit: u32) -> Result<Vec<OutRow>> { todo!() }
    pub async fn say(&self, address: &Address, session: Option<&SessionKey>, key: String, notice: Notice, now: DateTime<Utc>) -> Result<Vec<OutRow>> { todo!() }

    // sessions
    pub async fn session(&self, key: &SessionKey) -> Result<Option<SessionRow>> { todo!() }
    pub async fn sessions(&self, channel: Option<&str>, after: Option<&SessionKey>, limit: u32) -> Result<Vec<SessionRow>> { todo!() }
    pub async fn epochs(&self, key: &SessionKey, before: Option<u64>, limit: u32) -> Result<Vec<EpochRow>> { todo!() }
    pub async fn history(&self, key: &SessionKey, epoch: Option<u64>, before: Option<MessageId>, limit: u32) -> Result<Vec<HistoryRow>> { todo!() }
    pub async fn reset(&self, key: &SessionKey, reason: &str, now: DateTime<Utc>) -> Result<Option<u64>> { todo!() }
    /// Cancels everything of a session; what it returns must be aborted.
    pub async fn cancel(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<(Vec<TurnId>, u64)> { todo!() }
    pub async fn erase(&self, key: &SessionKey, now: DateTime<Utc>) -> Result<bool> { todo!() }

    // the house
    pub async fn recover(&self, how: Recovery) -> Result<Recovered> { todo!() }
    pub async fn totals(&self) -> Result<Totals> { todo!() }
    pub async fn purge(&self, keep: Keep, now: DateTime<Utc>) -> Result<u64> { todo!() }
    pub async fn token(&self, id: &str) -> Result<Option<Vec<u8>>> { todo!() }
    pub async fn token_made(&self, id: &str, hash: Vec<u8>, now: DateTime<Utc>) -> Result<()> { todo!() }
}
