//! The raw limit for accepting messages: the same HTTP stack, with one row and one FULL commit per POST.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use clap::{Args, ValueEnum};
use rusqlite::{Connection, params};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The largest number of rows in one commit, the same as the daemon's.
pub const GROUP: usize = 64;

/// How rows are committed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Commit {
    /// By the thread of the connection, one row per commit: the least work.
    Inline,
    /// By one writer thread, which commits all waiting rows together.
    Group,
}

impl Commit {
    pub fn name(self) -> &'static str {
        match self {
            Commit::Inline => "inline",
            Commit::Group => "group",
        }
    }
}

/// Options of the server.
#[derive(Args)]
pub struct Options {
    #[arg(long)]
    commit: Commit,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    folder: PathBuf,
}

#[derive(Clone)]
enum Committer {
    Inline(Arc<Mutex<Table>>),
    Group(mpsc::Sender<Row>),
}

struct Row {
    body: String,
    done: oneshot::Sender<rusqlite::Result<()>>,
}

/// A table like the simplest inbox: an id, a unique key, a text.
pub struct Table {
    conn: Connection,
    n: u64,
}

impl Table {
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let conn = Connection::open(path)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)")?;
        Ok(Self { conn, n: 0 })
    }

    /// Inserts a row, in the open transaction or in a separate one.
    pub fn insert(&mut self, body: &str) -> rusqlite::Result<u64> {
        self.n += 1;
        let mut insert = self.conn.prepare_cached("INSERT INTO row (key, body) VALUES (?1, ?2)")?;
        insert.execute(params![format!("agent:main:web:dm:{}", self.n), body])?;
        Ok(self.n)
    }

    /// Changes a row.
    pub fn update(&mut self, n: u64, body: &str) -> rusqlite::Result<()> {
        let mut update = self.conn.prepare_cached("UPDATE row SET body = ?2 WHERE key = ?1")?;
        update.execute(params![format!("agent:main:web:dm:{n}"), body]).map(drop)
    }

    /// Runs everything in one transaction.
    pub fn together(&mut self, all: impl FnOnce(&mut Self) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        all(self)?;
        self.conn.execute_batch("COMMIT")
    }
}

/// Serves until it is killed.
pub fn serve(options: &Options) -> Result<()> {
    // The process that started this one deletes the folder.
    let home = tempfile::tempdir_in(&options.folder)?.keep();
    let mut table = Table::open(&home.join("bare.db"))?;
    let committer = match options.commit {
        Commit::Inline => Committer::Inline(Arc::new(Mutex::new(table))),
        Commit::Group => {
            let (rows, arrived) = mpsc::channel();
            std::thread::spawn(move || commit_groups(&mut table, &arrived));
            Committer::Group(rows)
        }
    };
    let router = Router::new()
        .route("/api/chat", post(take))
        .route("/ready", get(|| async { StatusCode::OK }))
        .with_state(committer);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                println!("  (a connection was closed before it was accepted: {error})");
            }
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn take(State(committer): State<Committer>, body: String) -> StatusCode {
    let stored = match committer {
        Committer::Inline(table) => {
            table.lock().unwrap_or_else(PoisonError::into_inner).insert(&body).is_ok()
        }
        Committer::Group(rows) => {
            let (done, stored) = oneshot::channel();
            rows.send(Row { body, done }).is_ok() && matches!(stored.await, Ok(Ok(())))
        }
    };
    if stored { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

fn commit_groups(table: &mut Table, arrived: &mpsc::Receiver<Row>) {
    while let Ok(first) = arrived.recv() {
        let group: Vec<Row> = std::iter::once(first).chain(arrived.try_iter().take(GROUP - 1)).collect();
        let stored =
            table.together(|table| group.iter().try_for_each(|row| table.insert(&row.body).map(drop)));
        if let Err(error) = stored {
            // The client sees its connections close, and the measurement fails.
            println!("  (the raw limit's table failed: {error})");
            return;
        }
        // The send fails if the client has disconnected.
        group.into_iter().for_each(|row| drop(row.done.send(Ok(()))));
    }
}
