//! The `inbound` row of an event: found from an earlier delivery, or inserted.

use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Refusal, Source};
use rusqlite::params;

use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::{edited_at, stored, stored_forward, stored_links, stored_quote, stored_roles};
use crate::row::{Admitted, Batch, Disposition, MessageState, Reason, RowDisposition, Stored};
use crate::sql::{int, maybe_parsed, ms, parsed};
use crate::tx::Tx;
use crate::upload;

/// How much of an event is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Everything.
    All,
    /// The text alone.
    Text,
    /// Only that it was received, so that a redelivery is recognised.
    Nothing,
}

/// The columns of the row that do not come from the event.
#[derive(Clone, Copy)]
pub(crate) struct NewRow {
    pub(crate) epoch: u64,
    pub(crate) disposition: RowDisposition,
    pub(crate) state: MessageState,
    pub(crate) reason: Option<Reason>,
    pub(crate) kept: Kept,
}

impl NewRow {
    /// A message or a command that waits.
    pub(crate) fn waiting(message: &Admitted, epoch: u64, reason: Option<Reason>) -> Self {
        let (disposition, reason, kept) = match message.disposition {
            Disposition::Turn => (RowDisposition::Turn, reason, Kept::All),
            Disposition::Command => (RowDisposition::Command, reason, Kept::All),
            Disposition::NotServed => (RowDisposition::Command, Some(Reason::NotServed), Kept::Nothing),
            Disposition::Answer(_) => (RowDisposition::Answer, reason, Kept::Text),
            Disposition::Context(_) | Disposition::Refused(_) | Disposition::Pairing(_) => {
                (RowDisposition::Refused, reason, Kept::All)
            }
        };
        Self { epoch, disposition, state: MessageState::Waiting, reason, kept }
    }

    /// A pressed button of a question.
    pub(crate) fn answer(epoch: u64) -> Self {
        let (disposition, state) = (RowDisposition::Answer, MessageState::Answered);
        Self { epoch, disposition, state, reason: None, kept: Kept::Text }
    }

    /// A message that no agent and no command gets.
    pub(crate) fn ended(state: MessageState, reason: Reason, epoch: u64, kept: Kept) -> Self {
        Self { epoch, disposition: RowDisposition::Refused, state, reason: Some(reason), kept }
    }
}

/// Writes the row of an event.
pub(crate) fn insert(tx: &Tx<'_>, batch: &Batch, message: &Admitted, new_row: NewRow) -> Outcome<MessageId> {
    let id = MessageId(tx.new_id(Table::Inbound)?);
    let event = &message.event;
    let whole = new_row.kept == Kept::All;
    // The text of an unknown sender is not kept, so that it cannot be compared either.
    let digest = if matches!(message.disposition, Disposition::Pairing(_)) { 0 } else { message.digest() };
    tx.run(
        "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, sender, platform_message,
                              received_at, disposition, state, reason, digest, body, attachments,
                              input_kind, sender_kind, quote, album, roles, forward, links,
                              awaited_in, place, edited_at)
         VALUES (?23, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                 ?20, ?21, ?22, ?24, ?25, ?26)",
        params![
            batch.source.id,
            event.id,
            message.session.as_str(),
            int(new_row.epoch),
            event.from.id.as_str(),
            event.address.as_str(),
            event.from.name,
            event.platform_message,
            ms(batch.received.wall),
            new_row.disposition.name(),
            new_row.state.name(),
            new_row.reason.map(|reason| reason.to_string()),
            digest,
            if new_row.kept == Kept::Nothing { "" } else { message.text() },
            stored(&event.attachments).filter(|_| whole),
            event.kind.input_kind().name(),
            event.from.kind.name(),
            event.quote.as_ref().filter(|_| whole).map(stored_quote),
            event.album.as_ref().filter(|_| whole),
            stored_roles(&event.from.roles),
            event.forward.as_ref().filter(|_| whole).map(stored_forward),
            stored_links(&event.links).filter(|_| whole),
            id.0,
            event.while_connected.then(|| tx.shared.boot.as_str()),
            message.place.as_ref().map(SessionKey::as_str),
            edited_at(event),
        ],
    )?;
    upload::named(tx, id, &event.attachments)?;
    Ok(id)
}

/// The event's first delivery, if this is a redelivery. Without a digest the texts are not compared.
pub(crate) fn known(
    tx: &Tx<'_>,
    batch: &Batch,
    event_id: &str,
    digest: Option<i64>,
) -> Outcome<Option<Stored>> {
    tx.one(
        "SELECT id, key, digest, CASE state WHEN 'refused' THEN reason END,
                digest = 0 AND body = '' AND state <> 'refused'
         FROM inbound WHERE source = ?1 AND event_id = ?2",
        params![batch.source.id, event_id],
        |row| {
            let message = MessageId(row.get(0)?);
            if row.get(4)? {
                return Ok(Stored::Erased { message });
            }
            let first: i64 = row.get(2)?;
            let refused: Option<Refusal> = match maybe_parsed(row, 3)? {
                Some(Reason::Refused(refusal)) => Some(refusal),
                _ => None,
            };
            Ok(Stored::Duplicate {
                message,
                session: parsed(row, 1)?,
                same: first == 0 || digest.is_none_or(|digest| digest == first),
                refused,
            })
        },
    )
}

/// Counts an event that leaves no row.
pub(crate) fn count_dropped(tx: &Tx<'_>, source: &Source, reason: &DropReason) -> Outcome<()> {
    tx.run(
        "INSERT INTO dropped_event (source, kind, n) VALUES (?1, ?2, 1)
         ON CONFLICT (source, kind) DO UPDATE SET n = n + 1",
        params![source.id, reason.to_string()],
    )?;
    Ok(())
}
