//! How many messages each person sends to agents on one day.

use frontdesk_core::address::Principal;
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::Quota;
use crate::sql::small;
use crate::tx::Tx;
use crate::{Result, StoreReader};

impl StoreReader {
    /// How many messages a person has sent on a day (days since 1970 in the operator's time zone).
    pub async fn quota_used(&self, principal: &Principal, day: i64) -> Result<u32> {
        let principal = principal.clone();
        self.read(move |sql| {
            let used = "SELECT n FROM quota WHERE day = ?1 AND principal = ?2";
            Ok(sql.one(used, params![day, principal.as_str()], |row| small(row, 0))?.unwrap_or(0))
        })
        .await
    }
}

/// Counts a message, unless its sender has reached the daily limit.
pub(crate) fn counted(tx: &Tx<'_>, principal: &Principal, quota: Quota) -> Outcome<bool> {
    if quota.limit == 0 {
        return Ok(false);
    }
    let counted = tx.run(
        "INSERT INTO quota (day, principal, n) VALUES (?1, ?2, 1)
         ON CONFLICT (day, principal) DO UPDATE SET n = n + 1 WHERE n < ?3",
        params![quota.day, principal.as_str(), quota.limit],
    )?;
    Ok(counted > 0)
}
