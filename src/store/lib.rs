//! The database: one operation per event, named after what happened. No SQLite type is part of this interface.

mod abandoned;
mod access;
mod access_state;
mod account;
mod agent_session;
mod alarm;
mod album;
mod answer;
mod ask;
mod ask_row;
mod audit;
mod backlog;
mod block;
mod budget;
mod callback;
mod change;
mod chat;
mod claim;
mod command;
mod compaction;
mod context_message;
mod dead_letter;
mod delivery;
mod dequeue;
mod edit;
mod epoch;
mod erase;
pub mod error;
mod failed_guesses;
mod fault;
mod file;
mod finish;
mod grant;
mod history;
mod ids;
mod inbound;
mod insert;
mod job;
mod job_alarm;
mod job_change;
mod job_control;
mod job_due;
mod job_enter;
mod job_heartbeat;
mod job_hook;
mod job_sync;
mod lease;
mod leave;
mod link;
pub mod lock;
mod login;
mod mark;
mod mark_dead;
mod media;
mod message;
mod minute;
mod moved;
#[cfg(test)]
mod null_renderer;
mod open;
mod others;
mod outbox;
mod outbox_list;
mod pairing;
mod pairing_request;
mod part;
pub mod part_key;
mod pieces;
mod purge;
mod queue;
mod quota;
mod quote;
mod reader;
mod recent;
mod recover;
mod refuse;
mod retry;
mod revocation;
pub mod row;
mod schema;
mod search;
mod session;
mod shared;
mod spend;
mod sql;
mod stop;
mod stopwatch;
mod streaming;
mod task;
mod task_change;
mod task_control;
mod task_submit;
mod timeline;
mod token;
mod totals;
mod transcript;
mod turn;
mod tx;
mod unit;
mod unseen;
mod upload;
mod waiting;
mod wal;
mod writer;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::id::BootId;

pub use abandoned::Abandoned;
pub use command::Reply;
pub use error::{OpenError, StoreError};
use row::{CommitListener, Renderer};
pub use upload::UploadLimits;

/// How a store is opened.
pub struct Options {
    /// The database file; made with mode 0600 if it is missing.
    pub path: PathBuf,
    /// This start of this process: the owner of what it claims.
    pub boot: BootId,
    /// When the store is opened: shown to operators, and nothing is decided by it.
    pub now: DateTime<Utc>,
    /// Renders notices and replies.
    pub renderer: Arc<dyn Renderer>,
    /// Gets the new outbox rows after each commit.
    pub listener: Arc<dyn CommitListener>,
    /// Number of connections that read in parallel with the writer.
    pub readers: usize,
}

/// A handle on the database; clones share it. The operations are in the files named after their subjects; each is one
/// transaction unless its documentation says otherwise, and returns after its commit. What only reads is a method of
/// [`StoreReader`].
#[derive(Clone)]
pub struct Store {
    reader: StoreReader,
}

/// A handle that can read the database and not change it; clones share it. Each operation sees one state of the database.
#[derive(Clone)]
pub struct StoreReader {
    inner: Arc<open::Inner>,
}

impl Deref for Store {
    type Target = StoreReader;

    fn deref(&self) -> &StoreReader {
        &self.reader
    }
}

type Result<T> = std::result::Result<T, StoreError>;
