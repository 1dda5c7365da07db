//! The pieces of an album that somebody sends. Each is an event of its own, and all of them are accepted or refused like the
//! first one: half an album would be answered otherwise.

use frontdesk_core::message::Refusal;
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::{Admitted, MessageState, Reason};
use crate::sql::{maybe_parsed, parsed};
use crate::tx::Tx;

/// How many rows back a piece is looked for. The pieces of an album arrive one after the other, among those of other chats.
const MAX_LOOKBACK: u32 = 500;
/// Maximum number of pieces that are treated like the first one; no platform's albums are longer.
const MAX_PIECES: u32 = 20;

/// What the pieces of an album that were stored before say about the next one.
pub(crate) enum Earlier {
    /// There are none, or an answer to them has begun: the next piece is a message like any other.
    None,
    /// They wait for the agent.
    Waiting,
    Refused(Refusal),
}

pub(crate) fn earlier(tx: &Tx<'_>, message: &Admitted) -> Outcome<Earlier> {
    let event = &message.event;
    let Some(album) = &event.album else { return Ok(Earlier::None) };
    let pieces = tx.all(
        "SELECT state, reason FROM inbound
         WHERE id > (SELECT max(id) FROM inbound) - ?4 AND album = ?3 AND key = ?1 AND principal = ?2
         ORDER BY id DESC LIMIT ?5",
        params![message.session.as_str(), event.from.id.as_str(), album, MAX_LOOKBACK, MAX_PIECES],
        |row| Ok((parsed::<MessageState>(row, 0)?, maybe_parsed::<Reason>(row, 1)?)),
    )?;
    let is_longer_than_albums_are = pieces.len() >= MAX_PIECES as usize;
    Ok(match pieces.into_iter().next() {
        _ if is_longer_than_albums_are => Earlier::None,
        Some((MessageState::Waiting, _)) => Earlier::Waiting,
        Some((MessageState::Refused, Some(Reason::Refused(reason)))) => Earlier::Refused(reason),
        _ => Earlier::None,
    })
}

/// Whether earlier pieces of the message's album are being answered. A piece that comes so late is no new wish of its sender.
pub(crate) fn are_being_answered(tx: &Tx<'_>, message: &Admitted) -> Outcome<bool> {
    let event = &message.event;
    let Some(album) = &event.album else { return Ok(false) };
    let found = tx.one(
        "SELECT 1 FROM inbound
         WHERE id > (SELECT max(id) FROM inbound) - ?4 AND album = ?3 AND key = ?1 AND principal = ?2 AND state = 'in_turn'
         LIMIT 1",
        params![message.session.as_str(), event.from.id.as_str(), album, MAX_LOOKBACK],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
