//! The schema: created in an empty file, refused in any other version.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{OpenError, StoreError};
use crate::fault::{Fault, Outcome};
use crate::file::unusable;

/// Creates everything in an empty database.
const CREATE: &str = include_str!("../../schema/0001_init.sql");

/// The schema's number, kept in the file's header. Until the first release every change of the file above counts it up.
const VERSION: i64 = 32;

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
    apply(conn).map_err(|fault| not_opened(path, &fault))
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
    let is_new = objects == 0 && application == 0 && version == 0;
    if !is_new && application != APPLICATION {
        return Err(unusable(path, "it belongs to another program"));
    }
    Ok(Found { version, is_empty: is_new })
}

/// Why the first reads and writes failed. A full disk and a lock of another program go away; damage does not.
pub(crate) fn not_opened(path: &Path, fault: &Fault) -> OpenError {
    match fault.error() {
        StoreError::Unavailable(cause) => OpenError::Unavailable { path: path.display().to_string(), cause },
        StoreError::Fatal(cause) | StoreError::Invalid(cause) => unusable(path, cause),
        error @ StoreError::Closed => unusable(path, error.to_string()),
    }
}

/// The same for an error of SQLite.
pub(crate) fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    not_opened(path, &Fault::Sql(error))
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
    use crate::{agent_session, compaction, erase, history, outbox_list, recent, retry, session, task};

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
            retry::LAST_TURN,
            retry::NEXT_SESSION,
            agent_session::LAST_USAGE,
            agent_session::LAST_ANSWER,
            agent_session::TOTAL_USAGE,
            compaction::LAST_TURN,
            compaction::OF_EPOCH,
            history::PAGE,
            recent::HAS_LATER,
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

    /// What did not arrive is found in a million parts that did, and a failed task among those that have succeeded.
    #[test]
    fn a_list_of_one_state_reads_the_index_of_its_rows() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(CREATE).unwrap();
        let lists = [
            (outbox_list::ALL, "o USING INTEGER PRIMARY KEY"),
            (outbox_list::OPEN, "o USING INDEX outbox_open"),
            (outbox_list::FAILED, "o USING INDEX outbox_failed (state=? AND id<?)"),
            (outbox_list::DROPPED, "o USING INDEX outbox_dropped (id<?)"),
            (task::LIST, "k USING INTEGER PRIMARY KEY"),
            (task::OPEN, "k USING INDEX task_open"),
            (task::ENDED, "k USING INDEX task_ended (state=? AND id<?)"),
        ];
        for (list, index) in lists {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {list}")).unwrap();
            let (mut rows, mut steps) = (plan.raw_query(), Vec::new());
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get::<_, String>(3).unwrap());
            }
            assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:?}");
        }
    }
}
