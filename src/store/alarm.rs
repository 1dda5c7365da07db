//! Faults of the gateway of which people are told.

use chrono::{DateTime, Utc};
use frontdesk_core::alarm::{FaultId, FaultKind, OpenFault};
use rusqlite::types::Type;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::sql::{at, maybe_at, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

const OPEN: &str = "SELECT kind, subject, since, told_at, tells FROM fault ORDER BY since, kind, subject";

impl Store {
    /// Notes which faults a check has found, and returns every open one. A fault that ended before anybody was told is
    /// forgotten.
    pub async fn note_faults(&self, found: Vec<FaultId>, now: DateTime<Utc>) -> Result<Vec<OpenFault>> {
        self.write(WorkClass::Sweep, move |tx| note(tx, &found, now)).await
    }

    /// People were told of a fault; `over` says that it has ended.
    pub async fn fault_told(&self, id: FaultId, over: bool, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Sweep, move |tx| {
            let (kind, subject) = (id.kind.name(), &id.subject);
            match over {
                true => tx.run("DELETE FROM fault WHERE kind = ?1 AND subject = ?2", params![kind, subject]),
                false => tx.run(
                    "UPDATE fault SET told_at = ?3, tells = tells + 1 WHERE kind = ?1 AND subject = ?2",
                    params![kind, subject, ms(now)],
                ),
            }
            .map(drop)
        })
        .await
    }
}

impl StoreReader {
    /// The faults that have not ended.
    pub async fn faults(&self) -> Result<Vec<FaultId>> {
        self.read(|sql| Ok(sql.all(OPEN, [], fault)?.into_iter().map(|fault| fault.id).collect())).await
    }
}

fn note(tx: &Tx<'_>, found: &[FaultId], now: DateTime<Utc>) -> Outcome<Vec<OpenFault>> {
    for id in found {
        tx.run(
            "INSERT INTO fault (kind, subject, since, tells) VALUES (?1, ?2, ?3, 0)
             ON CONFLICT (kind, subject) DO NOTHING",
            params![id.kind.name(), id.subject, ms(now)],
        )?;
    }
    let mut open = tx.all(OPEN, [], fault)?;
    for gone in open.extract_if(.., |fault| fault.told.is_none() && !found.contains(&fault.id)) {
        tx.run(
            "DELETE FROM fault WHERE kind = ?1 AND subject = ?2",
            [gone.id.kind.name(), &gone.id.subject],
        )?;
    }
    Ok(open)
}

fn fault(row: &Row<'_>) -> rusqlite::Result<OpenFault> {
    let name: String = row.get(0)?;
    let kind = FaultKind::named(&name).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            0,
            Type::Text,
            format!("{name:?} is no kind of fault").into(),
        )
    })?;
    Ok(OpenFault {
        id: FaultId { kind, subject: row.get(1)? },
        since: at(row, 2)?,
        told: maybe_at(row, 3)?,
        tells: row.get(4)?,
    })
}
