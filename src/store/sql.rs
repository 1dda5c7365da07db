//! Running statements and reading their rows.

use std::error::Error;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::fault::Outcome;
use crate::row::Page;

/// A connection inside a transaction. Prepared statements are cached.
pub(crate) struct Sql<'a>(pub(crate) &'a Connection);

impl Sql<'_> {
    /// Changes rows; returns how many.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Outcome<usize> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Option<T>> {
        Ok(self.0.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    /// Every row.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?.collect::<rusqlite::Result<Vec<T>>>()?;
        Ok(rows)
    }

    /// Every row that can be read. One that cannot is logged with its first column, which is its id, and left out, so that
    /// it does not keep the others from being handled.
    pub(crate) fn all_legible<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            match read(row) {
                Ok(value) => found.push(value),
                Err(error) => {
                    let id: i64 = row.get(0)?;
                    tracing::error!(id, %error, "a stored row cannot be read and is left out");
                }
            }
        }
        Ok(found)
    }

    /// Rows until their weights exceed `most` bytes, at least one; and whether there were more.
    pub(crate) fn within<T>(
        &self,
        sql: &str,
        params: impl Params,
        most: usize,
        weigh: impl Fn(&T) -> usize,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Page<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut page = Page { rows: Vec::new(), bytes: 0, more: false };
        while let Some(row) = rows.next()? {
            let row = read(row)?;
            let weight = weigh(&row);
            if !page.rows.is_empty() && page.bytes + weight > most {
                page.more = true;
                break;
            }
            page.bytes += weight;
            page.rows.push(row);
        }
        Ok(page)
    }
}

/// A column parsed from its text form.
pub(crate) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    let text = row.get_ref(column)?.as_str().map_err(|cause| unreadable(column, cause))?;
    text.parse().map_err(|cause| unreadable(column, cause))
}

/// A key or an address from a list of work. One that cannot be read is left out, and logged, so that the others go on.
pub(crate) fn legible<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: Error,
{
    let text: String = row.get(column)?;
    let name =
        text.parse().inspect_err(|error| tracing::error!(text, %error, "a stored name cannot be read"));
    Ok(name.ok())
}

/// The same as [`parsed`], where it may be NULL.
pub(crate) fn maybe_parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, column).map(Some),
    }
}

/// An account, from the column with its channel and the one behind it, with its name.
pub(crate) fn account(row: &Row<'_>, column: usize) -> rusqlite::Result<AccountId> {
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(|cause| unreadable(column, cause));
    AccountId::new(text(column)?, Some(text(column + 1)?)).map_err(|cause| unreadable(column, cause))
}

/// A column whose text is not what it must be.
pub(crate) fn unreadable(column: usize, cause: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause))
}

/// A time, as it is stored.
pub(crate) fn ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// A stored time; beyond chrono's calendar, 1970.
pub(crate) fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// A column with a time.
pub(crate) fn at(row: &Row<'_>, column: usize) -> rusqlite::Result<DateTime<Utc>> {
    row.get(column).map(time)
}

/// A column with a time that may be NULL.
pub(crate) fn maybe_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(time))
}

/// A number, as it is stored.
pub(crate) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A stored number that cannot be negative.
pub(crate) fn nat(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// A column with a number that cannot be negative.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(nat)
}

/// A column with a small number.
pub(crate) fn small(row: &Row<'_>, column: usize) -> rusqlite::Result<u32> {
    Ok(u32::try_from(row.get::<_, i64>(column)?).unwrap_or(u32::MAX))
}
