//! Whether a write-ahead log belongs to the database file beside it.
//!
//! SQLite uses any log with valid checksums that has the database's name: an older copy of the database, restored next
//! to the log of a crash, would be merged with it page by page and be corrupt. So the first commit after every
//! complete checkpoint renews a mark. When the log holds mark `n`, everything up to mark `n - 1` has been written back,
//! so the file by itself holds `n - 1` or `n`. Any other file is not the one that the log was written for.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OpenFlags};

use crate::error::{OpenError, StoreError};
use crate::fault::{Fault, Outcome};
use crate::file::foreign_log;
use crate::schema::not_opened;
use crate::sql::Sql;

/// The mark in the file alone, without what is in its log. `None` where it cannot be read: a database whose first
/// commit is still in the log has none, and a page that a crash tore is whole in the log.
pub(crate) fn in_file(path: &Path) -> Option<String> {
    // Immutable: SQLite neither locks the file nor looks at its log.
    let uri = format!("file:{}?immutable=1", utf8_percent_encode(path.to_str()?, NON_ALPHANUMERIC));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri, flags).ok()?;
    conn.query_row("SELECT mark FROM meta", [], |row| row.get(0)).ok()
}

/// Refuses a database whose log was written for another file. Reads only.
pub(crate) fn check(conn: &Connection, path: &Path, in_file: Option<String>) -> Result<(), OpenError> {
    let Some(in_file) = in_file else { return Ok(()) };
    let marks = conn.query_row("SELECT mark, mark_before FROM meta", [], |row| {
        Ok([row.get::<_, String>(0)?, row.get::<_, String>(1)?])
    });
    match marks {
        Ok(marks) if marks.contains(&in_file) => Ok(()),
        Ok(_) => Err(foreign_log(path)),
        Err(error) => {
            let fault = Fault::Sql(error);
            Err(match fault.error() {
                // The file has the table, and the file with its log has not.
                StoreError::Invalid(_) => foreign_log(path),
                _ => not_opened(path, &fault),
            })
        }
    }
}

/// Renews the mark.
pub(crate) fn renew(sql: &Sql<'_>) -> Outcome<()> {
    sql.run("UPDATE meta SET mark_before = mark, mark = hex(randomblob(8))", []).map(drop)
}
