//! The database file, read beside or after the gateway.

mod work;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::clock;
use crate::journal::event_key;

pub use work::{BackgroundTask, Job, JobRun, Work, ended_turns, open_work};

#[derive(Debug, Clone, Deserialize)]
pub struct Inbound {
    pub id: i64,
    pub source: String,
    pub event_id: String,
    pub key: String,
    pub epoch: i64,
    pub principal: String,
    pub address: String,
    pub received_at: i64,
    pub disposition: String,
    pub state: String,
    pub reason: Option<String>,
    pub body: String,
    pub album: Option<String>,
    pub turn_id: Option<i64>,
    /// Of a `/retry`: the text of the messages that it runs again.
    pub replayed: Option<String>,
}

impl Inbound {
    pub fn event(&self) -> String {
        event_key(&self.source, &self.event_id)
    }

    /// Whether it is a task or a run of a job that has entered its session: nobody has sent it as a message.
    pub fn is_work(&self) -> bool {
        matches!(self.source.as_str(), "task" | "job")
    }

    /// What the agent is asked.
    pub fn question(&self) -> &str {
        self.replayed.as_deref().unwrap_or(&self.body)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Turn {
    pub id: i64,
    pub key: String,
    pub task_id: Option<i64>,
    pub run_id: Option<i64>,
    pub attempt: i64,
    pub released: i64,
    pub state: String,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub side_effect_at: Option<i64>,
    pub answer: Option<String>,
    pub error: Option<String>,
}

impl Turn {
    /// Whether it works on a task or on a run of a job: nobody sees its text before the end.
    pub fn is_work(&self) -> bool {
        self.task_id.is_some() || self.run_id.is_some()
    }
}

/// A row of `outbox`.
#[derive(Debug, Clone, Deserialize)]
pub struct Part {
    pub id: i64,
    pub turn_id: Option<i64>,
    pub message_id: Option<i64>,
    pub key: Option<String>,
    pub seq: Option<u64>,
    pub address: String,
    pub part_key: String,
    pub kind: String,
    pub act: String,
    pub body: String,
    pub plain: Option<String>,
    pub target: Option<String>,
    pub state: String,
    pub attempts: i64,
    pub platform_message_id: Option<String>,
    /// The file that it carries.
    pub media: Option<String>,
    /// The first part of the album that it belongs to.
    pub album: Option<i64>,
    /// What a pairing code, put in when it is sent, is derived from.
    pub salt: Option<String>,
}

impl Part {
    /// The platform's id of the message that shows it.
    pub fn message(&self) -> Option<&String> {
        self.platform_message_id.as_ref().or(self.target.as_ref())
    }

    /// The turn whose tool has sent it.
    pub fn turn_of_tool(&self) -> Option<i64> {
        self.part_key.strip_prefix("send/tool:t")?.split(':').next()?.parse().ok()
    }

    pub fn plain(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.body)
    }
}

/// A row of `ask`.
#[derive(Debug, Clone, Deserialize)]
pub struct Ask {
    pub id: i64,
    pub turn_id: Option<i64>,
    /// The message that led to it, if no turn waits for its answer.
    pub message_id: Option<i64>,
    /// JSON: the command that each choice runs. If there are none, a choice is a message to the agent.
    pub commands: Option<String>,
    /// JSON: the choices.
    pub choices: String,
    pub state: String,
    pub answer: Option<String>,
    pub answered_by: Option<String>,
}

impl Ask {
    /// The command that follows from its answer.
    pub fn follows(&self) -> Option<String> {
        let commands: Value = serde_json::from_str(self.commands.as_ref()?).ok()?;
        commands[self.left()?].as_str().map(str::to_owned)
    }

    /// The answer to a question that no turn waits for.
    fn left(&self) -> Option<&str> {
        self.answer.as_deref().filter(|_| self.state == "answered" && self.turn_id.is_none())
    }

    /// The choice that was made, if it is a message to the agent.
    pub fn said(&self) -> Option<String> {
        let answer = self.left().filter(|_| self.commands.is_none())?;
        let choices: Value = serde_json::from_str(&self.choices).ok()?;
        let chosen = choices.as_array()?.iter().find(|choice| choice["id"] == answer)?;
        chosen["label"].as_str().map(str::to_owned)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Audit {
    pub at: i64,
    pub author: String,
    pub via: String,
    pub action: String,
    pub subject: String,
    pub outcome: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Grant {
    pub principal: String,
    pub source: String,
    pub revoked_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Context {
    pub source: String,
    pub event_id: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Dropped {
    pub source: String,
    pub kind: String,
    pub n: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    pub key: String,
    /// The last number of its durable frames.
    pub seq: u64,
    /// The number of epochs that began with `/new`.
    pub renewed: i64,
}

#[derive(Debug, Clone, Default)]
pub struct Database {
    pub inbound: Vec<Inbound>,
    pub turns: HashMap<i64, Turn>,
    pub parts: Vec<Part>,
    pub asks: Vec<Ask>,
    /// The parts that ask or close a question.
    pub ask_parts: Vec<Part>,
    /// The edits and reactions that agents asked for.
    pub changes: Vec<Part>,
    pub context: Vec<Context>,
    pub dropped: Vec<Dropped>,
    pub audit: Vec<Audit>,
    pub grants: Vec<Grant>,
    pub sessions: Vec<Session>,
    pub work: Work,
}

/// Checks the file (O6) and reads it.
pub fn read(path: &Path) -> Result<Database> {
    let conn = open(path)?;
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        bail!("O6: integrity_check: {sound}");
    }
    if conn.prepare("PRAGMA foreign_key_check")?.exists([])? {
        bail!("O6: foreign_key_check found something");
    }
    let turns: Vec<Turn> = rows(&conn, "SELECT * FROM turn")?;
    Ok(Database {
        inbound: rows(
            &conn,
            "SELECT *, (SELECT group_concat(again.body, char(10)) FROM json_each(i.replays) named
                        JOIN inbound again ON again.id = named.value) AS replayed FROM inbound i ORDER BY id",
        )?,
        turns: turns.into_iter().map(|turn| (turn.id, turn)).collect(),
        // An unfinished message that another one replaced is deleted: it shows nothing.
        parts: rows(
            &conn,
            "SELECT * FROM outbox WHERE ask IS NULL AND (act = 'post' OR act = 'edit' AND kind <> 'send') ORDER BY id",
        )?,
        asks: rows(&conn, "SELECT * FROM ask ORDER BY id")?,
        ask_parts: rows(&conn, "SELECT * FROM outbox WHERE ask IS NOT NULL ORDER BY id")?,
        changes: rows(&conn, "SELECT * FROM outbox WHERE act <> 'post' AND kind = 'send' ORDER BY id")?,
        context: rows(&conn, "SELECT source, event_id FROM context_message")?,
        dropped: rows(&conn, "SELECT source, kind, n FROM dropped_event")?,
        audit: rows(&conn, "SELECT * FROM audit ORDER BY id")?,
        grants: rows(&conn, "SELECT * FROM access ORDER BY id")?,
        sessions: sessions(&conn)?,
        work: Work::read(&conn)?,
    })
}

/// The sessions, read beside a running gateway.
pub fn read_sessions(path: &Path) -> Result<Vec<Session>> {
    sessions(&open(path)?)
}

fn sessions(conn: &Connection) -> Result<Vec<Session>> {
    let renewed = "SELECT count(*) FROM epoch e WHERE e.key = s.key AND e.reason = 'new'";
    rows(conn, &format!("SELECT key, seq, ({renewed}) AS renewed FROM session s"))
}

/// How far the gateway has read a source.
pub fn cursor(path: &Path, source: &str) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let found = open(path)?.query_row("SELECT cursor FROM source WHERE id = ?1", [source], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

/// The work that a killed gateway had not finished, by kind.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Held {
    pub running: u64,
    pub streaming: u64,
    pub sending: u64,
    /// Commands that were accepted and not carried out.
    pub commands: u64,
    /// Questions that wait for an answer.
    pub asking: u64,
    /// Messages of running turns whose files were not there yet.
    pub fetching: u64,
    /// Background tasks on which an agent worked.
    pub tasks: u64,
    /// Runs of jobs that were due or under way.
    pub runs: u64,
    /// Results of jobs that were to be posted to a web server.
    pub webhooks: u64,
    /// Events of other programs whose tasks had not ended.
    pub events: u64,
}

pub fn held(path: &Path) -> Result<Held> {
    if !path.exists() {
        return Ok(Held::default());
    }
    let found: Vec<Held> = rows(
        &open(path)?,
        "SELECT (SELECT count(*) FROM turn WHERE state = 'running') AS running,
                (SELECT count(*) FROM outbox WHERE state = 'streaming') AS streaming,
                (SELECT count(*) FROM outbox WHERE state = 'sending') AS sending,
                (SELECT count(*) FROM inbound WHERE state = 'waiting' AND disposition = 'command') AS commands,
                (SELECT count(*) FROM ask WHERE state = 'open' AND turn_id IS NOT NULL) AS asking,
                (SELECT count(*) FROM inbound i WHERE i.state = 'in_turn' AND i.attachments IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM media m WHERE m.message_id = i.id)) AS fetching,
                (SELECT count(*) FROM task WHERE state = 'running') AS tasks,
                (SELECT count(*) FROM run WHERE state IN ('due', 'running')) AS runs,
                (SELECT count(*) FROM run WHERE hook_state = 'waiting') AS webhooks,
                (SELECT count(*) FROM task WHERE source = 'event' AND state IN ('queued', 'running')) AS events",
    )?;
    Ok(found.first().copied().unwrap_or_default())
}

/// How long the gateway still has to wait before it may send what it has.
pub fn longest_pause(path: &Path) -> Result<Duration> {
    let sql = "SELECT coalesce(max(next_at), 0) FROM outbox WHERE state = 'queued'";
    let until: i64 = open(path)?.query_row(sql, [], |row| row.get(0))?;
    Ok(Duration::from_millis(u64::try_from(until - clock::now()).unwrap_or(0)))
}

/// Opens the file for reading.
fn open(path: &Path) -> Result<Connection> {
    // Not read-only: after a kill the write-ahead log must be recovered before anything can be read.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.busy_timeout(Duration::from_secs(2))?;
    // The last reader must not write the log back: that is the gateway's work.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(conn)
}

/// Reads rows by the names of their columns.
fn rows<T: DeserializeOwned>(conn: &Connection, sql: &str) -> Result<Vec<T>> {
    let mut statement = conn.prepare(sql)?;
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let mut fields = Map::new();
        for (index, name) in names.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                ValueRef::Blob(_) => "(bytes)".into(),
            };
            fields.insert(name.clone(), value);
        }
        all.push(serde_json::from_value(Value::Object(fields))?);
    }
    Ok(all)
}
