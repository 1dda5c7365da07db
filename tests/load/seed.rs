//! Writes millions of sessions directly into a database that the daemon created.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rusqlite::{Connection, params};

/// A step that is coprime to every size used: multiples of it visit all numbers in a scattered order.
const STEP: i64 = 7_654_321;

/// The age of the last messages: short, so that no reset is due.
const AGO: Duration = Duration::from_secs(600);

/// Gives every session one answered message: session, epoch, inbound, turn.
pub fn fill(database: &Path, sessions: i64) -> Result<()> {
    if sessions == 0 {
        return Ok(());
    }
    let mut conn = Connection::open(database)?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    conn.pragma_update(None, "cache_size", -1_000_000)?;
    let spoke = SystemTime::now().duration_since(UNIX_EPOCH)? - AGO;
    let spoke = i64::try_from(spoke.as_millis())?;
    let tx = conn.transaction()?;
    {
        let mut session = tx.prepare(
            "INSERT INTO session (key, address, epoch, last_epoch, last_user_at, seq, created_at)
             VALUES (?1, ?2, 1, 1, ?3, 1, ?3)",
        )?;
        let mut epoch =
            tx.prepare("INSERT INTO epoch (key, n, started_at, reason) VALUES (?1, 1, ?2, 'first')")?;
        let mut inbound = tx.prepare(
            "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, received_at,
                                  disposition, state, digest, body, turn_id)
             VALUES (?1, 'web:cli', ?2, ?3, 1, 'web:cli', ?4, ?5, 'turn', 'answered', 1, ?6, ?1)",
        )?;
        let mut turn = tx.prepare(
            "INSERT INTO turn (id, key, epoch, kind, address, attempt, released, state, fence, created_at,
                               started_at, finished_at, answer)
             VALUES (?1, ?2, 1, 'message', ?3, 1, 0, 'done', 1, ?4, ?4, ?4, ?5)",
        )?;
        for n in 0..sessions {
            let user = n * STEP % sessions;
            let (key, address) = (format!("agent:main:web:dm:user{user}"), format!("web:user{user}"));
            let text = "hello, this is a message";
            session.execute(params![key, address, spoke])?;
            epoch.execute(params![key, spoke])?;
            inbound.execute(params![n + 1, format!("user{user}/{n:016x}"), key, address, spoke, text])?;
            turn.execute(params![n + 1, key, address, spoke, text])?;
        }
        tx.execute("UPDATE counter SET n = n + ?1 WHERE name = 'sessions'", [sessions])?;
    }
    tx.commit()?;
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The bytes of the pages of session and epoch, and of the whole file.
pub fn sizes(database: &Path) -> Result<(i64, u64)> {
    let conn = Connection::open(database)?;
    let pages =
        "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND name IN ('session', 'epoch')";
    let sessions = conn.query_row(pages, [], |row| row.get(0))?;
    Ok((sessions, std::fs::metadata(database)?.len()))
}

/// The number of answered messages.
pub fn answered(database: &Path) -> Result<i64> {
    let conn = Connection::open(database)?;
    Ok(conn.query_row("SELECT count(*) FROM inbound WHERE state = 'answered'", [], |row| row.get(0))?)
}

/// The chat of a seeded session, in scattered order.
pub fn chat(n: i64, sessions: i64) -> String {
    format!("user{}", n * STEP % sessions)
}
