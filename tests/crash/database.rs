//! The database as it lies there, read beside or after the daemon.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;

use crate::sqlite::{checked, open};

/// A row of `inbound`.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub id: i64,
    pub source: String,
    pub event: String,
    pub key: String,
    pub epoch: i64,
    pub disposition: String,
    pub state: String,
    pub reason: Option<String>,
    pub body: String,
    pub turn: Option<i64>,
}

/// A row of `turn`.
#[derive(Debug, Clone)]
pub struct Turn {
    pub id: i64,
    pub key: String,
    pub attempt: i64,
    pub released: i64,
    pub state: String,
    pub created: i64,
    pub finished: Option<i64>,
    pub acted: bool,
    pub answer: Option<String>,
    pub error: Option<String>,
}

/// A row of `outbox`.
#[derive(Debug, Clone)]
pub struct Out {
    pub id: i64,
    pub turn: Option<i64>,
    pub message: Option<i64>,
    pub key: Option<String>,
    pub seq: Option<i64>,
    pub address: String,
    pub part: String,
    pub kind: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    pub platform: Option<String>,
}

/// Everything.
#[derive(Debug, Default)]
pub struct Database {
    pub inbound: Vec<Inbound>,
    pub turns: HashMap<i64, Turn>,
    pub outbox: Vec<Out>,
    /// The last number of each session.
    pub seqs: HashMap<String, u64>,
    /// How many epochs of each session began with `/new`.
    pub renewed: HashMap<String, i64>,
}

/// What a killed daemon held at that moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    pub running: i64,
    pub streaming: i64,
    pub sending: i64,
}

/// What a killed daemon held.
pub fn held(path: &Path) -> Result<Held> {
    if !path.exists() {
        return Ok(Held::default());
    }
    let conn = open(path)?;
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get(0));
    Ok(Held {
        running: count("SELECT count(*) FROM turn WHERE state = 'running'")?,
        streaming: count("SELECT count(*) FROM outbox WHERE state = 'streaming'")?,
        sending: count("SELECT count(*) FROM outbox WHERE state = 'sending'")?,
    })
}

/// The last number of each session, beside a daemon that runs.
pub fn seqs(path: &Path) -> Result<HashMap<String, u64>> {
    numbers(&open(path)?)
}

fn numbers(conn: &Connection) -> Result<HashMap<String, u64>> {
    let mut statement = conn.prepare("SELECT key, seq FROM session")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Checks the file (O6) and reads it.
pub fn read(path: &Path) -> Result<Database> {
    let conn = checked(path)?;
    let mut database = Database { seqs: numbers(&conn)?, ..Database::default() };
    // The words of a /retry are those of the messages that it runs again.
    let mut rows = conn.prepare(
        "SELECT i.id, i.source, i.event_id, i.key, i.epoch, i.disposition, i.state, i.reason,
                CASE WHEN i.replays IS NULL THEN i.body ELSE
                  (SELECT group_concat(again.body, char(10)) FROM json_each(i.replays) named
                   JOIN inbound again ON again.id = named.value) END,
                i.turn_id
         FROM inbound i ORDER BY i.id",
    )?;
    let rows = rows.query_map([], |row| {
        Ok(Inbound {
            id: row.get(0)?,
            source: row.get(1)?,
            event: row.get(2)?,
            key: row.get(3)?,
            epoch: row.get(4)?,
            disposition: row.get(5)?,
            state: row.get(6)?,
            reason: row.get(7)?,
            body: row.get(8)?,
            turn: row.get(9)?,
        })
    })?;
    database.inbound = rows.collect::<Result<_, _>>()?;
    let mut rows = conn.prepare(
        "SELECT id, key, attempt, released, state, created_at, finished_at, side_effect_at IS NOT NULL, answer, error
         FROM turn",
    )?;
    let rows = rows.query_map([], |row| {
        let turn = Turn {
            id: row.get(0)?,
            key: row.get(1)?,
            attempt: row.get(2)?,
            released: row.get(3)?,
            state: row.get(4)?,
            created: row.get(5)?,
            finished: row.get(6)?,
            acted: row.get(7)?,
            answer: row.get(8)?,
            error: row.get(9)?,
        };
        Ok((turn.id, turn))
    })?;
    database.turns = rows.collect::<Result<_, _>>()?;
    database.outbox = outbox(&conn)?;
    let mut rows = conn.prepare("SELECT key, count(*) FROM epoch WHERE reason = 'new' GROUP BY key")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    database.renewed = rows.collect::<Result<_, _>>()?;
    Ok(database)
}

/// What is to be shown; an unfinished message that another one replaced is deleted, and shows nothing.
fn outbox(conn: &Connection) -> Result<Vec<Out>> {
    let mut rows = conn.prepare(
        "SELECT id, turn_id, message_id, key, seq, address, part_key, kind, body, state, attempts,
                platform_message_id FROM outbox WHERE act <> 'delete' ORDER BY id",
    )?;
    let rows = rows.query_map([], |row| {
        Ok(Out {
            id: row.get(0)?,
            turn: row.get(1)?,
            message: row.get(2)?,
            key: row.get(3)?,
            seq: row.get(4)?,
            address: row.get(5)?,
            part: row.get(6)?,
            kind: row.get(7)?,
            body: row.get(8)?,
            state: row.get(9)?,
            attempts: row.get(10)?,
            platform: row.get(11)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
