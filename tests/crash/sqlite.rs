//! The database's file, opened beside or after the daemon.

use std::path::Path;

use anyhow::{Result, bail};
use rusqlite::{Connection, OpenFlags};

/// Opens it for looking only.
pub fn open(path: &Path) -> Result<Connection> {
    // Not read-only: after a kill the log must be recovered before anything can be read.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.busy_timeout(std::time::Duration::from_secs(2))?;
    // A reader that is the last one out must not write the log back: that is the daemon's work.
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(conn)
}

/// Opens it after a check that it is sound (O6).
pub fn checked(path: &Path) -> Result<Connection> {
    let conn = open(path)?;
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if sound != "ok" {
        bail!("O6: integrity_check: {sound}");
    }
    if conn.prepare("PRAGMA foreign_key_check")?.exists([])? {
        bail!("O6: foreign_key_check found something");
    }
    Ok(conn)
}
