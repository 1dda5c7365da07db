//! Albums: files that are sent in one request. Each is a row of its own, with a caption, a platform id and an end of its
//! own, so that nothing but the request is shared: when the platform refuses an album, its files are ordinary parts again,
//! in their order.

use chrono::{DateTime, Utc};
use frontdesk_core::id::OutId;
use frontdesk_core::message::Refusal;
use rusqlite::params;

use crate::fault::Outcome;
use crate::part::{out, out_columns};
use crate::row::{Claim, OutboxRow};
use crate::sql::ms;
use crate::tx::Tx;

/// The other files that are sent together with the oldest part of an address. A file that an operator wants sent after
/// all is alone if the others have ended.
pub(crate) fn others(tx: &Tx<'_>, part: &OutboxRow) -> Outcome<Vec<OutboxRow>> {
    let Some(album) = part.album else { return Ok(Vec::new()) };
    tx.all(
        concat!(
            "SELECT ",
            out_columns!(),
            " FROM outbox o WHERE o.address = ?1 AND o.state IN ('queued', 'streaming', 'sending')
               AND o.state = 'queued' AND o.album = ?2 AND o.id > ?3 ORDER BY o.id"
        ),
        params![part.address.as_str(), album.0, part.post.out.0],
        out,
    )
}

/// The parts that are being sent under a claim, in their order: one, or the files of an album.
pub(crate) fn under_claim(tx: &Tx<'_>, claim: Claim<OutId>, address: &str) -> Outcome<Vec<OutId>> {
    // Of one address only one request is under way.
    tx.all(
        "SELECT id FROM outbox
         WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending') AND state = 'sending'
           AND (id = ?2 OR album = (SELECT album FROM outbox WHERE id = ?2)) ORDER BY id",
        params![address, claim.id.0],
        |row| row.get(0).map(OutId),
    )
}

/// The parts that a revocation has dropped while they were being sent under a claim, in their order.
pub(crate) fn dropped_under_claim(tx: &Tx<'_>, claim: Claim<OutId>) -> Outcome<Vec<OutId>> {
    tx.all(
        // The files of an album were stored one after the other, so a short range of ids has them all.
        "SELECT id FROM outbox
         WHERE id BETWEEN ?1 AND ?1 + 99 AND (id = ?1 OR album = (SELECT album FROM outbox WHERE id = ?1))
           AND state = 'dropped' AND error = ?3 AND (SELECT fence FROM outbox WHERE id = ?1) = ?2 ORDER BY id",
        params![claim.id.0, claim.fence, Refusal::Revoked.name()],
        |row| row.get(0).map(OutId),
    )
}

/// A file of a refused album is sent alone.
pub(crate) fn taken_apart(tx: &Tx<'_>, id: OutId, error: &str, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE outbox SET state = 'queued', album = NULL, next_at = ?2, paused_at = NULL, error = ?3, owner = NULL
         WHERE id = ?1",
        params![id.0, ms(now), error],
    )?;
    Ok(())
}
