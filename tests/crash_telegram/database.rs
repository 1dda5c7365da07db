//! The database as it lies there, read after the daemon.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, Row};

use crate::sqlite::{checked, open};

/// A row of `inbound`.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub id: i64,
    pub source: String,
    pub event: String,
    pub key: String,
    pub epoch: i64,
    pub principal: String,
    pub address: String,
    pub received: i64,
    pub disposition: String,
    pub state: String,
    pub reason: Option<String>,
    pub body: String,
    pub album: Option<String>,
    pub turn: Option<i64>,
}

/// A row of `turn`.
#[derive(Debug, Clone)]
pub struct Turn {
    pub id: i64,
    pub attempt: i64,
    pub released: i64,
    pub state: String,
    pub started: Option<i64>,
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
    pub address: String,
    pub part: String,
    pub kind: String,
    pub body: String,
    pub plain: Option<String>,
    pub target: Option<String>,
    pub state: String,
    pub attempts: i64,
    pub platform: Option<String>,
    /// Whether it carries a file.
    pub media: bool,
    /// Whether a code is put in when it is sent.
    pub masked: bool,
}

impl Out {
    /// The platform's number of the message that holds it.
    pub fn number(&self) -> Option<i64> {
        self.platform.as_ref().or(self.target.as_ref())?.parse().ok()
    }
}

/// A line of `audit`.
#[derive(Debug, Clone)]
pub struct Audit {
    pub at: i64,
    pub author: String,
    pub via: String,
    pub action: String,
    pub subject: String,
    pub outcome: String,
}

/// A row of `access`.
#[derive(Debug, Clone)]
pub struct Grant {
    pub principal: String,
    pub source: String,
    pub holds: bool,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct Database {
    pub inbound: Vec<Inbound>,
    pub turns: HashMap<i64, Turn>,
    pub outbox: Vec<Out>,
    /// Source and event of what is kept for a next turn.
    pub context_messages: Vec<(String, String)>,
    pub audit: Vec<Audit>,
    pub grants: Vec<Grant>,
    /// How many events of a source were counted under a name.
    pub passed: HashMap<(String, String), i64>,
    /// How many epochs of each session began with `/new`.
    pub renewed: HashMap<String, i64>,
}

/// What a killed daemon held at that moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    pub running: i64,
    pub streaming: i64,
    pub sending: i64,
    /// Commands that were accepted and not carried out.
    pub commands: i64,
    /// Files of running turns that were not there yet.
    pub fetching: i64,
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
        commands: count("SELECT count(*) FROM inbound WHERE state = 'waiting' AND disposition = 'command'")?,
        fetching: count(
            "SELECT count(*) FROM inbound i WHERE i.state = 'in_turn' AND i.attachments IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM media m WHERE m.message_id = i.id)",
        )?,
    })
}

/// Checks the file (O6) and reads it.
pub fn read(path: &Path) -> Result<Database> {
    let conn = checked(path)?;
    let turns = all(
        &conn,
        "SELECT id, attempt, released, state, started_at, side_effect_at IS NOT NULL, answer, error FROM turn",
        turn,
    )?;
    Ok(Database {
        inbound: all(
            &conn,
            "SELECT id, source, event_id, key, epoch, principal, address, received_at, disposition, state, reason,
                    body, album, turn_id FROM inbound ORDER BY id",
            inbound,
        )?,
        turns: turns.into_iter().map(|turn| (turn.id, turn)).collect(),
        // What is to be shown; an unfinished message that another one replaced is deleted, and shows nothing.
        outbox: all(
            &conn,
            "SELECT id, turn_id, message_id, address, part_key, kind, body, plain, target, state, attempts,
                    platform_message_id, media IS NOT NULL, salt IS NOT NULL FROM outbox
             WHERE act <> 'delete' ORDER BY id",
            out,
        )?,
        context_messages: all(&conn, "SELECT source, event_id FROM context_message", |row| Ok((row.get(0)?, row.get(1)?)))?,
        audit: all(&conn, "SELECT at, author, via, action, subject, outcome FROM audit ORDER BY id", audit)?,
        grants: all(&conn, "SELECT principal, source, revoked_at IS NULL FROM access ORDER BY id", |row| {
            Ok(Grant { principal: row.get(0)?, source: row.get(1)?, holds: row.get(2)? })
        })?,
        passed: all(&conn, "SELECT source, kind, n FROM dropped_event", |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get(2)?))
        })?
        .into_iter()
        .collect(),
        renewed: all(&conn, "SELECT key, count(*) FROM epoch WHERE reason = 'new' GROUP BY key", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect(),
    })
}

fn all<T>(conn: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn inbound(row: &Row<'_>) -> rusqlite::Result<Inbound> {
    Ok(Inbound {
        id: row.get(0)?,
        source: row.get(1)?,
        event: row.get(2)?,
        key: row.get(3)?,
        epoch: row.get(4)?,
        principal: row.get(5)?,
        address: row.get(6)?,
        received: row.get(7)?,
        disposition: row.get(8)?,
        state: row.get(9)?,
        reason: row.get(10)?,
        body: row.get(11)?,
        album: row.get(12)?,
        turn: row.get(13)?,
    })
}

fn turn(row: &Row<'_>) -> rusqlite::Result<Turn> {
    Ok(Turn {
        id: row.get(0)?,
        attempt: row.get(1)?,
        released: row.get(2)?,
        state: row.get(3)?,
        started: row.get(4)?,
        acted: row.get(5)?,
        answer: row.get(6)?,
        error: row.get(7)?,
    })
}

fn out(row: &Row<'_>) -> rusqlite::Result<Out> {
    Ok(Out {
        id: row.get(0)?,
        turn: row.get(1)?,
        message: row.get(2)?,
        address: row.get(3)?,
        part: row.get(4)?,
        kind: row.get(5)?,
        body: row.get(6)?,
        plain: row.get(7)?,
        target: row.get(8)?,
        state: row.get(9)?,
        attempts: row.get(10)?,
        platform: row.get(11)?,
        media: row.get(12)?,
        masked: row.get(13)?,
    })
}

fn audit(row: &Row<'_>) -> rusqlite::Result<Audit> {
    Ok(Audit {
        at: row.get(0)?,
        author: row.get(1)?,
        via: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        outcome: row.get(5)?,
    })
}
