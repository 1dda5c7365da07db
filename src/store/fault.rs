//! SQLite's errors, classified by what to do next.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::StoreError;

/// Why a unit failed, inside this crate.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite reported an error.
    Sql(Error),
    /// The request itself is at fault.
    Bad(String),
    /// SQLite has rolled back the whole transaction, with its message, if there was one.
    Lost(String),
    /// Another connection changed what this transaction has read: rolled back, it can run again from its beginning.
    /// SQLite's writer takes the lock before it reads, so only a database with several writers has such failures often.
    Conflict(String),
    /// The file is not what it was.
    Broken(String),
}

/// The result of a step inside a transaction.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match &error {
            Error::SqliteFailure(failure, _) if failure.extended_code == ffi::SQLITE_BUSY_SNAPSHOT => {
                Fault::Conflict(error.to_string())
            }
            _ => Fault::Sql(error),
        }
    }
}

impl Fault {
    /// Whether the other units of the transaction fail with this one. After a full disk or a failed read SQLite may have
    /// rolled back everything already, and to continue would commit half a group.
    pub(crate) fn takes_the_group(&self) -> bool {
        !matches!(self.error(), StoreError::Invalid(_))
    }

    /// The error as callers get it.
    pub(crate) fn error(&self) -> StoreError {
        match self {
            Fault::Bad(cause) => StoreError::Invalid(cause.clone()),
            Fault::Lost(cause) => {
                StoreError::Unavailable(format!("the transaction was rolled back: {cause}"))
            }
            Fault::Conflict(cause) => {
                StoreError::Unavailable(format!("others changed the same rows again and again: {cause}"))
            }
            Fault::Broken(cause) => StoreError::Fatal(cause.clone()),
            Fault::Sql(error) => classified(error),
        }
    }
}

/// Runs a step; a panic in it is a failure of the step alone.
pub(crate) fn caught<T>(step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| Err(Fault::Bad(panic_message(&*panic))))
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a message"))
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
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_NOMEM => {
            StoreError::Unavailable(format!("memory is short ({cause})"))
        }
        ErrorCode::SystemIoFailure if is_lack_of_space(failure.extended_code) => {
            StoreError::Unavailable(format!("the disk is full ({cause})"))
        }
        ErrorCode::SystemIoFailure => StoreError::Fatal(format!("{cause} ({})", failure.extended_code)),
        _ => StoreError::Invalid(cause),
    }
}

/// Whether an input/output error means a lack of space. A quota, a file size limit or a file system that became read-only
/// fail the write itself; the shared index of the log fails when it cannot grow. In all these cases nothing was committed
/// and the next attempt starts from the same state, unlike after a failed fsync.
fn is_lack_of_space(extended: i32) -> bool {
    matches!(extended, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_TRUNCATE)
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
        for space in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_READONLY, ffi::SQLITE_IOERR_WRITE] {
            assert!(matches!(of(space), StoreError::Unavailable(_)), "{space}");
        }
    }

    #[test]
    fn a_conflict_with_another_writer_is_a_class_of_its_own() {
        let of = |extended| Fault::from(Error::SqliteFailure(ffi::Error::new(extended), None));
        assert!(matches!(of(ffi::SQLITE_BUSY_SNAPSHOT), Fault::Conflict(_)));
        assert!(matches!(of(ffi::SQLITE_BUSY), Fault::Sql(_)));
        assert!(of(ffi::SQLITE_BUSY_SNAPSHOT).takes_the_group());
    }

    #[test]
    fn a_broken_rule_fails_its_unit_alone() {
        let fault = Fault::Sql(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_UNIQUE), None));
        assert!(matches!(fault.error(), StoreError::Invalid(_)));
        assert!(!fault.takes_the_group());
        assert!(!Fault::Bad("a wrong state".into()).takes_the_group());
    }
}
