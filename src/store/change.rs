//! What an agent does with earlier messages of its chat: it edits and deletes its own, and reacts to any or pins it.

use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{ChatMessageId, OutId, TurnId};
use frontdesk_core::markup::Part;
use rusqlite::params;

use crate::audit::audit;
use crate::fault::Outcome;
use crate::part::{Outgoing, load};
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{Change, ChangeRefused, Claim, Fenced, MessageChange, OutboxAct, OutboxRow, OutboxState};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// The agent of a running turn changes a message of its conversation. The change is sent like every message.
    pub async fn changed_in_turn(
        &self,
        claim: Claim<TurnId>,
        change: MessageChange,
    ) -> Result<Fenced<std::result::Result<OutboxRow, ChangeRefused>>> {
        self.write(WorkClass::Outbox, move |tx| match OpenTurn::held(tx, claim)? {
            Some(turn) => changed(tx, &turn, &change).map(Fenced::Done),
            None => Ok(Fenced::Stale),
        })
        .await
    }
}

fn changed(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    change: &MessageChange,
) -> Outcome<std::result::Result<OutboxRow, ChangeRefused>> {
    let named = match named(tx, turn, change.of)? {
        Ok(named) => named,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Err(refused) = named.allows(&change.change) {
        return Ok(Err(refused));
    }
    let text = |text: &str| Part { key: 0, body: text.to_owned(), plain: text.to_owned() };
    let (act, part) = match &change.change {
        Change::Edit(part) => (OutboxAct::Edit, part.clone()),
        Change::Delete => (OutboxAct::Delete, text("")),
        Change::React(emoji) => (OutboxAct::React, text(emoji)),
        Change::Pin => (OutboxAct::Pin, text("")),
    };
    let outgoing = Outgoing { reply_to: None, kind: PostKind::Send, ..turn.outgoing(change.now) };
    let row = outgoing.row(tx, TextKey::request(&change.key).part(0), part)?;
    // Where a part counts as sent when it is committed, nothing can be changed.
    let state = OutboxState::Queued;
    let row = OutboxRow { act, state, target: named.platform_message, about: named.out, ..row };
    outgoing.put(tx, row.clone())?;
    audit(tx, &change.author, act.name(), turn.address.as_str(), "done", change.now)?;
    Ok(Ok(row))
}

/// A message of the conversation.
struct Named {
    /// The platform's id, if it is known.
    platform_message: Option<String>,
    /// Its row, if it was sent.
    out: Option<OutId>,
    is_own: bool,
    has_file: bool,
    is_question: bool,
}

impl Named {
    fn allows(&self, change: &Change) -> std::result::Result<(), ChangeRefused> {
        match change {
            Change::React(_) | Change::Pin => Ok(()),
            Change::Edit(_) | Change::Delete if !self.is_own => Err(ChangeRefused::NotYours),
            Change::Edit(_) | Change::Delete if self.is_question => Err(ChangeRefused::IsQuestion),
            Change::Edit(_) if self.has_file => Err(ChangeRefused::HasFile),
            Change::Edit(_) | Change::Delete => Ok(()),
        }
    }
}

/// Finds a message that a turn names. Messages of other conversations are unknown to it.
fn named(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    of: ChatMessageId,
) -> Outcome<std::result::Result<Named, ChangeRefused>> {
    match of {
        ChatMessageId::Received(id) => {
            let received = "SELECT platform_message FROM inbound
                            WHERE id = ?1 AND key = ?2 AND platform_message IS NOT NULL";
            let found = tx.one(received, params![id.0, turn.chat().as_str()], |row| row.get(0))?;
            Ok(found.ok_or(ChangeRefused::NoSuchMessage).map(|message| Named {
                platform_message: Some(message),
                out: None,
                is_own: false,
                has_file: false,
                is_question: false,
            }))
        }
        ChatMessageId::Sent(id) => {
            let row = load(tx, id)?.filter(|row| row.post.about.session.as_ref() == Some(turn.chat()));
            let Some(row) = row else { return Ok(Err(ChangeRefused::NoSuchMessage)) };
            let never = matches!(row.state, OutboxState::Dead | OutboxState::Dropped | OutboxState::Unknown);
            if row.platform_message.is_none() && never {
                return Ok(Err(ChangeRefused::NotSent));
            }
            let of_turn = "SELECT 1 FROM outbox WHERE id = ?1 AND turn_id IS NOT NULL";
            let of_turn = tx.one(of_turn, [id.0], |_| Ok(()))?.is_some();
            Ok(Ok(Named {
                is_own: of_turn && row.post.kind != PostKind::Notice,
                has_file: row.media.is_some(),
                is_question: row.post.ask.is_some(),
                platform_message: row.platform_message,
                out: Some(id),
            }))
        }
    }
}

/// The platform's id of a message that a new one replies to.
pub(crate) fn replied_to(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    of: ChatMessageId,
) -> Outcome<std::result::Result<String, ChangeRefused>> {
    let named = named(tx, turn, of)?;
    Ok(named.and_then(|named| named.platform_message.ok_or(ChangeRefused::OnItsWay)))
}
