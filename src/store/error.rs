//! The store's errors, classified by what to do next.

use thiserror::Error;

/// An operation failed; nothing of it was committed.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Try again later: the disk is full, or the file is locked by another program. Nothing was
    /// acknowledged.
    #[error("the database does not take writes: {0}")]
    Unavailable(String),
    /// The file or the disk is broken: the process must end, and nothing is retried.
    #[error("the database is broken: {0}; stop, keep the file, and restore a backup")]
    Fatal(String),
    /// This request is at fault, alone.
    #[error("the database refused this: {0}")]
    Invalid(String),
    /// The store has been closed.
    #[error("the database is closed")]
    Closed,
}

/// The database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file was written by a newer Frontdesk.
    #[error(
        "{path} has schema {found}; this program knows schema {known}. Nothing was changed: use a newer version of Frontdesk."
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The schema of this program.
        known: i64,
    },
    /// The file was written by an earlier development version, and there is no conversion.
    #[error(
        "{path} has schema {found} of an earlier development version; this program needs schema {known}. Nothing was changed: \
         use the version that wrote it, or move it and the files whose names begin with its name to another folder to \
         start with an empty database."
    )]
    Older {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The schema of this program.
        known: i64,
    },
    /// The file is not ours, or is damaged.
    #[error(
        "{path} cannot be used: {cause}. It was left as it is; restore a backup, or move it away to start with an empty database."
    )]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The database cannot be read or written at this moment: the disk is full, or another program holds a lock.
    #[error("{path} cannot be opened now: {cause}. Nothing is lost: resolve this and start again.")]
    Unavailable {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The database is gone, and its write-ahead log is not.
    #[error(
        "{path} is {found}, but its write-ahead log {log} holds data that belongs to it. Nothing was changed: put the \
         database back beside its log. If it cannot be found, move {log} away and restore a backup; what is only in \
         the log is lost then."
    )]
    LogWithoutDatabase {
        /// The database.
        path: String,
        /// Its log.
        log: String,
        /// `missing` or `empty`.
        found: &'static str,
    },
    /// The write-ahead log was written for another file.
    #[error(
        "the write-ahead log {log} does not belong to {path}: the database is older than its log, or another one. Nothing \
         was changed. If you restored a backup, move {log} and {index} away and start again; what is only in the log \
         is lost then. If not, put the database back that was there before."
    )]
    ForeignLog {
        /// The database.
        path: String,
        /// The log.
        log: String,
        /// The log's shared index.
        index: String,
    },
    /// There was a database here, and it is gone.
    #[error(
        "{path} is {found}, though there was a database: {witness} says so. Nothing was changed: restore a backup, or \
         delete {witness} to begin with a new, empty database."
    )]
    Lost {
        /// The database.
        path: String,
        /// `missing` or `empty`.
        found: &'static str,
        /// The file that says so.
        witness: String,
    },
    /// The linked SQLite is too old.
    #[error("SQLite {found} has a fault that can corrupt the database; 3.51.3 or newer is needed")]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// The file or its folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}
