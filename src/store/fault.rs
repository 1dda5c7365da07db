//! SQLite's errors, told apart by what to do next.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;

/// Why a unit failed, while it is still inside the room.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said so.
    Sql(Error),
    /// The request itself is at fault.
    Bad(String),
    /// SQLite has rolled back the whole transaction; this is what it said, if anything.
    Lost(String),
}

/// What a step inside a transaction returns.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Sql(error)
    }
}

impl Fault {
    /// Whether the units that share the transaction are lost with this one. After a full disk or a failed
    /// read SQLite may have rolled back everything already, and going on would commit half a group.
    pub(crate) fn takes_the_group(&self) -> bool {
        !matches!(self.error(), StoreError::Invalid(_))
    }

    /// The error as the rest of the house knows it.
    pub(crate) fn error(&self) -> StoreError {
        match self {
            Fault::Bad(cause) => StoreError::Invalid(cause.clone()),
            Fault::Lost(cause) => {
                StoreError::Unavailable(format!("the transaction was rolled back: {cause}"))
            }
            Fault::Sql(error) => classified(error),
        }
    }
}

/// A step that panics has failed, and nothing more.
pub(crate) fn caught<T>(step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| Err(Fault::Bad(said(&*panic))))
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a word"))
}

fn classified(error: &Error) -> StoreError {
    let cause = error.to_string();
    let Error::SqliteFailure(failure, _) = error else {
        return StoreError::Invalid(cause);
    };
    match failure.code {
        ErrorCode::DiskFull
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted => StoreError::Unavailable(cause),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Fatal(cause),
        ErrorCode::SystemIoFailure if wants_room(failure.extended_code) => StoreError::Unavailable(cause),
        ErrorCode::SystemIoFailure => StoreError::Fatal(format!("{cause} ({})", failure.extended_code)),
        _ => StoreError::Invalid(cause),
    }
}

/// Whether an input/output error is a lack of space in disguise. A quota, a file size limit or a file system
/// that turned read-only fail the write itself; the shared index of the log fails when it cannot grow. In all
/// of them nothing was committed and the next attempt starts from the same state, unlike after an fsync.
fn wants_room(extended: i32) -> bool {
    matches!(
        extended,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_NOMEM
            | ffi::SQLITE_IOERR_TRUNCATE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(extended: i32) -> StoreError {
        Fault::Sql(Error::SqliteFailure(ffi::Error::new(extended), None)).error()
    }

    #[test]
    fn a_failed_fsync_is_fatal_and_a_full_disk_is_not() {
        assert!(matches!(of(ffi::SQLITE_IOERR_FSYNC), StoreError::Fatal(_)));
        assert!(matches!(of(ffi::SQLITE_IOERR_DIR_FSYNC), StoreError::Fatal(_)));
        assert!(matches!(of(ffi::SQLITE_IOERR_READ), StoreError::Fatal(_)));
        assert!(matches!(of(ffi::SQLITE_CORRUPT), StoreError::Fatal(_)));
        assert!(matches!(of(ffi::SQLITE_NOTADB), StoreError::Fatal(_)));
        for room in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_READONLY, ffi::SQLITE_IOERR_WRITE] {
            assert!(matches!(of(room), StoreError::Unavailable(_)), "{room}");
        }
    }

    #[test]
    fn a_broken_rule_fails_its_unit_alone() {
        let fault = Fault::Sql(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_UNIQUE), None));
        assert!(matches!(fault.error(), StoreError::Invalid(_)));
        assert!(!fault.takes_the_group());
        assert!(!Fault::Bad("a wrong state".into()).takes_the_group());
    }
}
