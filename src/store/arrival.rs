//! An event's own row: known already, or written now.

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, Forward, InputKind, Link, Quote, Refusal, SenderKind, Source};
use rusqlite::params;

use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::{stored, stored_forward, stored_links, stored_quote, stored_roles};
use crate::row::{Ask, Batch, Disposition, Incoming, Stored};
use crate::sql::{int, ms, parsed};
use crate::tx::Tx;

/// A row of `inbound` before it is written.
#[derive(Clone)]
pub(crate) struct Arrival<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) session: &'a SessionKey,
    pub(crate) epoch: u64,
    pub(crate) principal: &'a Principal,
    pub(crate) address: &'a Address,
    pub(crate) sender: Option<&'a str>,
    pub(crate) platform_message: Option<&'a str>,
    pub(crate) disposition: &'static str,
    pub(crate) state: &'static str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) digest: i64,
    pub(crate) body: &'a str,
    pub(crate) input_kind: InputKind,
    pub(crate) sender_kind: SenderKind,
    pub(crate) roles: &'a [String],
    pub(crate) attachments: &'a [Attachment],
    pub(crate) quote: Option<&'a Quote>,
    pub(crate) forward: Option<&'a Forward>,
    pub(crate) links: &'a [Link],
    pub(crate) album: Option<&'a str>,
}

impl<'a> Arrival<'a> {
    /// An event as it came, waiting.
    pub(crate) fn of(message: &'a Incoming) -> Self {
        Self {
            event_id: &message.event_id,
            session: &message.session,
            epoch: 0,
            principal: &message.principal,
            address: &message.address,
            sender: message.sender.as_deref(),
            platform_message: message.platform_message.as_deref(),
            disposition: match message.disposition {
                Disposition::Turn => "turn",
                Disposition::Command => "command",
                Disposition::Refused(_) | Disposition::Context(_) => "refused",
            },
            state: "waiting",
            reason: None,
            digest: message.digest,
            body: &message.text,
            input_kind: message.input_kind,
            sender_kind: message.sender_kind,
            roles: &message.roles,
            attachments: &message.attachments,
            quote: message.quote.as_ref(),
            forward: message.forward.as_ref(),
            links: &message.links,
            album: message.album.as_deref(),
        }
    }

    /// A stranger's event: that it came, and nothing of what it says.
    pub(crate) fn asked(ask: &'a Ask) -> Self {
        Self {
            event_id: &ask.event_id,
            session: &ask.session,
            epoch: 0,
            principal: &ask.principal,
            address: &ask.address,
            sender: ask.sender.as_deref(),
            platform_message: ask.platform_message.as_deref(),
            disposition: "refused",
            state: "refused",
            reason: Some(Refusal::Pairing.name()),
            // There is no text to be told from another one.
            digest: 0,
            body: "",
            input_kind: InputKind::Message,
            sender_kind: SenderKind::Person,
            roles: &[],
            attachments: &[],
            quote: None,
            forward: None,
            links: &[],
            album: None,
        }
    }

    /// The same event without its words, for nobody: only that it is known.
    pub(crate) fn bare(self) -> Self {
        Self {
            disposition: "refused",
            body: "",
            attachments: &[],
            quote: None,
            forward: None,
            links: &[],
            album: None,
            ..self
        }
    }

    /// Writes it.
    pub(crate) fn insert(&self, tx: &Tx<'_>, batch: &Batch) -> Outcome<MessageId> {
        let id = MessageId(tx.new_id(Table::Inbound)?);
        tx.run(
            "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, sender, platform_message,
                                  received_at, disposition, state, reason, digest, body, attachments,
                                  input_kind, sender_kind, quote, album, roles, forward, links)
             VALUES (?23, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                     ?20, ?21, ?22)",
            params![
                batch.source.id,
                self.event_id,
                self.session.as_str(),
                int(self.epoch),
                self.principal.as_str(),
                self.address.as_str(),
                self.sender,
                self.platform_message,
                ms(batch.received.wall),
                self.disposition,
                self.state,
                self.reason,
                self.digest,
                self.body,
                stored(self.attachments),
                self.input_kind.name(),
                self.sender_kind.name(),
                self.quote.map(stored_quote),
                self.album,
                stored_roles(self.roles),
                self.forward.map(stored_forward),
                stored_links(self.links),
                id.0,
            ],
        )?;
        Ok(id)
    }
}

/// The event's first delivery, if this is another one. Without a digest there is no text to compare.
pub(crate) fn known(
    tx: &Tx<'_>,
    batch: &Batch,
    event_id: &str,
    digest: Option<i64>,
) -> Outcome<Option<Stored>> {
    tx.one(
        "SELECT id, key, digest, CASE state WHEN 'refused' THEN reason END
         FROM inbound WHERE source = ?1 AND event_id = ?2",
        params![batch.source.id, event_id],
        |row| {
            let first: i64 = row.get(2)?;
            let refused: Option<String> = row.get(3)?;
            Ok(Stored::Duplicate {
                message: MessageId(row.get(0)?),
                session: parsed(row, 1)?,
                same: first == 0 || digest.is_none_or(|digest| digest == first),
                refused: refused.as_deref().and_then(Refusal::named),
            })
        },
    )
}

/// Counts an event that leaves no row.
pub(crate) fn count_dropped(tx: &Tx<'_>, source: &Source, kind: &str) -> Outcome<()> {
    tx.run(
        "INSERT INTO dropped_event (source, kind, n) VALUES (?1, ?2, 1)
         ON CONFLICT (source, kind) DO UPDATE SET n = n + 1",
        params![source.id, kind],
    )?;
    Ok(())
}
