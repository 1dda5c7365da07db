//! The schema: created in an empty file, refused in any other version.

use std::path::Path;

use rusqlite::Connection;

use crate::error::OpenError;
use crate::fault::{Fault, Outcome};
use crate::file::{failed, unusable};

/// Creates everything in an empty database.
const CREATE: &str = include_str!("../../schema/0001_init.sql");

/// The schema's number, kept in the file's header. Until the first release every change of the file above counts it up.
const VERSION: i64 = 4;

/// "FDSK" in the file's header: the program that the file belongs to.
const APPLICATION: i64 = 0x4644_534b;

/// What a database's header and catalogue say.
struct Found {
    version: i64,
    is_empty: bool,
}

/// Refuses a database of another program or of another version. Only reads.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let Found { version, is_empty } = found(conn, path)?;
    let (shown, known) = (|| path.display().to_string(), VERSION);
    match version {
        _ if is_empty => Ok(()),
        VERSION => Ok(()),
        found if found > VERSION => Err(OpenError::Newer { path: shown(), found, known }),
        found => Err(OpenError::Older { path: shown(), found, known }),
    }
}

/// Creates the schema if the database is empty.
pub(crate) fn create(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    if !found(conn, path)?.is_empty {
        return Ok(());
    }
    apply(conn).map_err(|fault| unusable(path, format!("creating its schema failed: {}", fault.error())))
}

fn found(conn: &Connection, path: &Path) -> Result<Found, OpenError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let look = || {
        Ok::<_, rusqlite::Error>((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    let (application, version, objects) = look().map_err(|error| unreadable(path, error))?;
    if objects > 0 && application != APPLICATION {
        return Err(unusable(path, "it belongs to another program"));
    }
    Ok(Found { version, is_empty: objects == 0 })
}

/// Why a first read failed: damage stays as it is; a lock held by another program or a full disk is reported as an
/// input/output error, for the operator to resolve.
pub(crate) fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    match Fault::Sql(error).error() {
        crate::StoreError::Unavailable(cause) => failed(path, std::io::Error::other(cause)),
        error => unusable(path, error.to_string()),
    }
}

fn apply(conn: &Connection) -> Outcome<()> {
    // Dropping the transaction without a commit rolls it back.
    let transaction = conn.unchecked_transaction()?;
    transaction.execute_batch(CREATE)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command, erase, session};

    /// A million conversations must not slow down the history of one.
    #[test]
    fn the_messages_of_one_conversation_are_found_without_a_scan() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(CREATE).unwrap();
        let mut queries = vec![
            session::SIZE_OF_EPOCH,
            session::START_OF_EPOCH,
            session::HISTORY,
            session::HISTORY_OF_EPOCH,
            command::LAST_TURN,
            "SELECT m.file FROM session_message i JOIN media m ON m.message_id = i.id WHERE i.key = ?1",
            "SELECT principal FROM inbound WHERE id = (SELECT id FROM session_message WHERE key = ?1 LIMIT 1)",
        ];
        queries.extend(erase::rows_of_messages());
        for query in queries {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            for column in 1..=plan.parameter_count() {
                plan.raw_bind_parameter(column, 1).unwrap();
            }
            let mut steps = plan.raw_query();
            while let Some(step) = steps.next().unwrap() {
                let step: String = step.get(3).unwrap();
                let is_scan = step.starts_with("SCAN") && step != "SCAN session_message";
                assert!(!is_scan && !step.starts_with("MATERIALIZE"), "{query}: {step}");
            }
        }
    }
}
