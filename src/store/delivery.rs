//! T4 and T5: the next part of an address is claimed and sent, and the result is stored.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::OutId;
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Notice;
use frontdesk_core::time::Pause;
use rusqlite::params;

use crate::album;
use crate::fault::Outcome;
use crate::part::{Outgoing, load, out, out_columns};
use crate::part_key::PartKey;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, NextPart, OutboxAct, OutboxRow, OutboxState, Quiet, SendResult};
use crate::sql::{maybe_at, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

impl Store {
    /// Claims the next part of an address, to be sent after the commit (T4). `now` is steady time.
    pub async fn claim_part(&self, address: &Address, now: DateTime<Utc>) -> Result<NextPart> {
        self.claim_part_in(address, None, now).await
    }

    /// The same in quiet hours: what nobody there has asked for waits until they end, and blocks nothing.
    pub async fn claim_part_in(
        &self,
        address: &Address,
        quiet: Option<Quiet>,
        now: DateTime<Utc>,
    ) -> Result<NextPart> {
        let address = address.clone();
        self.write(WorkClass::Outbox, move |tx| match quiet {
            None => claim(tx, &address, false, now),
            Some(quiet) => claim_in_quiet(tx, &address, quiet, now),
        })
        .await
    }

    /// How a send ended (T5). Returns whether its address has an open part left: the part itself, if it is to
    /// be tried again, the notice about a gap, or any other.
    pub async fn part_ended(
        &self,
        claim: Claim<OutId>,
        result: SendResult,
        now: DateTime<Utc>,
    ) -> Result<Fenced<bool>> {
        self.write(WorkClass::Outbox, move |tx| ended(tx, claim, &result, now)).await
    }
}

impl StoreReader {
    /// Whether the next part of an address is a notice or a reply to a command, while an agent's answer could go to
    /// another topic of the same chat. `now` is steady time.
    pub async fn answers_wait_elsewhere(&self, address: &Address, now: DateTime<Utc>) -> Result<bool> {
        let (chat, address) = (address.without_thread(), address.clone());
        self.read(move |sql| {
            let head = "SELECT turn_id IS NULL AND kind <> 'send' FROM outbox
                        WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending')
                        ORDER BY place, id LIMIT 1";
            if sql.one(head, [address.as_str()], |row| row.get::<_, bool>(0))? != Some(true) {
                return Ok(false);
            }
            // A topic's address is its chat's, with more behind it.
            let waits = "SELECT 1 FROM outbox WHERE state IN ('queued', 'streaming', 'sending') AND state = 'queued'
                           AND kind = 'answer' AND turn_id IS NOT NULL AND (paused_at IS NULL OR next_at <= ?3) AND address <> ?2
                           AND address >= ?1 AND address < ?1 || ';'
                           AND (address = ?1 OR substr(address, length(?1) + 1, 1) = ':') LIMIT 1";
            let known = params![chat.as_str(), address.as_str(), ms(now)];
            Ok(sql.one(waits, known, |_| Ok(()))?.is_some())
        })
        .await
    }
}

/// The condition for parts that block later parts to the same address. A streamed message blocks nothing once its platform
/// id is stored: its edits change nothing else, so replies and questions may be posted below it meanwhile.
macro_rules! unfinished {
    () => {
        "state IN ('queued', 'streaming', 'sending') AND (state <> 'streaming' OR platform_message_id IS NULL)"
    };
}

/// The condition for parts, `outbox o`, that nobody at their address has asked for: messages of operators and programs,
/// results of background work, and what its agents send.
macro_rules! unasked {
    () => {
        "o.act = 'post' AND o.urgent = 0 AND o.ask IS NULL AND (o.kind = 'result' OR o.kind = 'send' AND (o.turn_id IS NULL \
         OR EXISTS (SELECT 1 FROM turn t WHERE t.id = o.turn_id \
         AND (t.task_id IS NOT NULL OR t.run_id IS NOT NULL))))"
    };
}

/// Claims a part in quiet hours. Those that wait for their end say so.
fn claim_in_quiet(tx: &Tx<'_>, address: &Address, quiet: Quiet, now: DateTime<Utc>) -> Outcome<NextPart> {
    let hold = concat!(
        "UPDATE outbox AS o SET held_until = ?2 WHERE o.address = ?1 AND o.state IN ('queued', 'streaming', 'sending')
           AND o.state = 'queued' AND o.held_until IS NOT ?2 AND ",
        unasked!()
    );
    tx.run(hold, params![address.as_str(), ms(quiet.until)])?;
    let next = claim(tx, address, true, now)?;
    let held = "SELECT 1 FROM outbox WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending')
                  AND state = 'queued' AND held_until = ?2 LIMIT 1";
    let is_held = || tx.one(held, params![address.as_str(), ms(quiet.until)], |_| Ok(()));
    match next {
        NextPart::Nothing if is_held()?.is_some() => Ok(NextPart::Wait(quiet.steady)),
        NextPart::Wait(until) if is_held()?.is_some() => Ok(NextPart::Wait(until.min(quiet.steady))),
        next => Ok(next),
    }
}

fn claim(tx: &Tx<'_>, address: &Address, is_quiet: bool, now: DateTime<Utc>) -> Outcome<NextPart> {
    let next = next(tx, address, is_quiet)?;
    let Some(mut part) = next.filter(|part| part.state == OutboxState::Queued) else {
        return Ok(NextPart::Nothing);
    };
    if part.next_at > now && paused(tx, &part, now)? {
        return Ok(NextPart::Wait(part.next_at));
    }
    if is_without_target(&part) {
        done(tx, part.post.out, OutboxState::Dropped, "there is no message to change", now)?;
        return claim(tx, address, is_quiet, now);
    }
    let mut others = album::others(tx, &part)?;
    if let Some(unseen) = std::iter::once(&part).chain(&others).find(|part| part.unseen) {
        return Ok(NextPart::Unseen(Box::new(unseen.clone())));
    }
    for part in others.iter_mut().chain([&mut part]) {
        tx.run(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, fence = fence + 1, owner = ?2 WHERE id = ?1",
            params![part.post.out.0, tx.shared.boot.as_str()],
        )?;
        part.state = OutboxState::Sending;
        part.attempts += 1;
        part.fence += 1;
    }
    Ok(NextPart::Send { part: Box::new(part), others })
}

/// The part that is next: the oldest, but a result of background work lets everything go first that people have asked for.
/// Else somebody who talks would wait until a hundred results are sent.
fn next(tx: &Tx<'_>, address: &Address, is_quiet: bool) -> Outcome<Option<OutboxRow>> {
    let first = |only_asked: bool, is_overtaking: bool| {
        tx.one(
            concat!(
                "SELECT ",
                out_columns!(),
                " FROM outbox o WHERE o.address = ?1 AND ",
                unfinished!(),
                " AND NOT (o.state = 'queued' AND (?2 AND ",
                unasked!(),
                // What changes a message that waits cannot go before it.
                " OR ?3 AND o.act <> 'post' AND o.target IS NULL)) ORDER BY o.place, o.id LIMIT 1"
            ),
            params![address.as_str(), only_asked, is_overtaking],
            out,
        )
    };
    match first(is_quiet, false)? {
        Some(result) if gives_way(&result) => Ok(first(true, true)?.or(Some(result))),
        oldest => Ok(oldest),
    }
}

/// Whether other parts may go before this one: it begins a result, and nothing of that was tried yet.
fn gives_way(part: &OutboxRow) -> bool {
    let is_untried = part.state == OutboxState::Queued && part.attempts == 0 && part.next_at == part.created;
    is_untried && part.post.kind == PostKind::Result && PartKey::begins_text(&part.post.key)
}

/// Whether a part changes a message that never arrived.
fn is_without_target(part: &OutboxRow) -> bool {
    part.act != OutboxAct::Post && part.target.is_none()
}

/// Whether a part whose time has not come is still paused. A part without a pause was stored by a clock that has been set
/// back since.
fn paused(tx: &Tx<'_>, part: &OutboxRow, now: DateTime<Utc>) -> Outcome<bool> {
    let since = "SELECT paused_at FROM outbox WHERE id = ?1";
    let since = tx.one(since, [part.post.out.0], |row| maybe_at(row, 0))?.flatten();
    Ok(since.is_some_and(|since| !Pause { since, until: part.next_at }.is_over(now)))
}

fn ended(tx: &Tx<'_>, claim: Claim<OutId>, result: &SendResult, now: DateTime<Utc>) -> Outcome<Fenced<bool>> {
    let Some(address) = held(tx, claim)? else {
        arrived_all_the_same(tx, claim, result, now)?;
        return Ok(Fenced::Stale);
    };
    let parts = album::under_claim(tx, claim, &address)?;
    match result {
        SendResult::AlbumSent { platform_messages } => {
            for (id, message) in parts.iter().zip(platform_messages) {
                sent(tx, *id, message.as_deref(), now)?;
            }
        }
        result => {
            for id in parts {
                part_ended(tx, id, &address, result, now)?;
            }
        }
    }
    open(tx, &address).map(Fenced::Done)
}

/// A revocation drops parts while they are being sent. If they have arrived, their rows say so.
fn arrived_all_the_same(
    tx: &Tx<'_>,
    claim: Claim<OutId>,
    result: &SendResult,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let messages = match result {
        SendResult::Sent { platform_message } => std::slice::from_ref(platform_message),
        SendResult::AlbumSent { platform_messages } => platform_messages,
        _ => return Ok(()),
    };
    for (id, message) in album::dropped_under_claim(tx, claim)?.into_iter().zip(messages) {
        sent(tx, id, message.as_deref(), now)?;
    }
    Ok(())
}

/// The result of one part, or of each file of an album.
fn part_ended(tx: &Tx<'_>, id: OutId, address: &str, result: &SendResult, now: DateTime<Utc>) -> Outcome<()> {
    match result {
        SendResult::Sent { platform_message } => sent(tx, id, platform_message.as_deref(), now)?,
        // The files of an album have one id each.
        SendResult::AlbumSent { .. } => {}
        SendResult::Apart { error } => album::taken_apart(tx, id, error, now)?,
        SendResult::Later { pause, error, counts } => {
            tx.run(
                "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = ?5, error = ?3, owner = NULL,
                                   attempts = attempts - iif(?4, 0, 1), failures = failures + iif(?4, 1, 0)
                 WHERE id = ?1",
                params![id.0, ms(pause.until), error, counts, ms(pause.since)],
            )?;
        }
        SendResult::Plain { error } => {
            tx.run(
                "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = NULL, error = ?3, body = coalesce(plain, body),
                                   plain = NULL, owner = NULL WHERE id = ?1",
                params![id.0, ms(now), error],
            )?;
        }
        SendResult::Anew { error } => {
            // The target stays: it is deleted once this is sent, and never before.
            tx.run(
                "UPDATE outbox SET state = 'queued', act = 'post', platform_message_id = NULL,
                                   next_at = ?2, paused_at = NULL, error = ?3, owner = NULL WHERE id = ?1",
                params![id.0, ms(now), error],
            )?;
        }
        SendResult::Uncaptioned { error } => uncaptioned(tx, id, error, now)?,
        SendResult::ThreadGone { chat, error } => thread_gone(tx, id, address, chat, error, now)?,
        SendResult::Unmarked { error } => done(tx, id, OutboxState::Dropped, error, now)?,
        SendResult::Unknown { error } => done(tx, id, OutboxState::Unknown, error, now)?,
        SendResult::Dead { error } => {
            done(tx, id, OutboxState::Dead, error, now)?;
            gap(tx, id, now)?;
        }
        SendResult::Gone { error } => gone(tx, id, error, now)?,
    }
    Ok(())
}

/// The platform has a part.
fn sent(tx: &Tx<'_>, id: OutId, platform_message: Option<&str>, now: DateTime<Utc>) -> Outcome<()> {
    // An edit gets no new id: the edited message keeps its own.
    let replaced = tx.one(
        "UPDATE outbox SET state = 'sent', platform_message_id = coalesce(?2, platform_message_id),
                           error = NULL, owner = NULL, done_at = ?3
         WHERE id = ?1 RETURNING iif(act = 'post', target, NULL)",
        params![id.0, platform_message, ms(now)],
        |row| row.get::<_, Option<String>>(0),
    )?;
    match replaced.flatten() {
        Some(message) => withdraw(tx, id, &message, now),
        None => Ok(()),
    }
}

/// The address of a part that is being sent under this claim.
pub(crate) fn held(tx: &Tx<'_>, claim: Claim<OutId>) -> Outcome<Option<String>> {
    let held = "SELECT address FROM outbox WHERE id = ?1 AND fence = ?2 AND state = 'sending'";
    tx.one(held, [claim.id.0, claim.fence], |row| row.get(0))
}

/// Whether an address has a part that is to be sent, or that keeps others waiting.
pub(crate) fn open(tx: &Tx<'_>, address: &str) -> Outcome<bool> {
    let open = concat!("SELECT 1 FROM outbox WHERE address = ?1 AND ", unfinished!(), " LIMIT 1");
    Ok(tx.one(open, [address], |_| Ok(()))?.is_some())
}

/// A part that will not be sent (again).
pub(crate) fn done(
    tx: &Tx<'_>,
    id: OutId,
    state: OutboxState,
    error: &str,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "UPDATE outbox SET state = ?2, error = ?3, owner = NULL, done_at = ?4 WHERE id = ?1",
        params![id.0, state.name(), error, ms(now)],
    )?;
    Ok(())
}

/// Stores a notice that a part is missing, if its chat lacks something without it.
pub(crate) fn gap(tx: &Tx<'_>, id: OutId, now: DateTime<Utc>) -> Outcome<()> {
    let Some(dead) = load(tx, id)?.filter(OutboxRow::is_missed) else {
        return Ok(());
    };
    beside(&dead, now).notice(tx, id, &Notice::Gap).map(drop)
}

/// Stores the deletion of an unfinished message, now that another one has its whole text.
pub(crate) fn withdraw(tx: &Tx<'_>, id: OutId, message: &str, now: DateTime<Utc>) -> Outcome<()> {
    let Some(sent) = load(tx, id)? else { return Ok(()) };
    let nothing = Part { key: 0, body: String::new(), plain: String::new() };
    let outgoing = beside(&sent, now);
    let row = outgoing.row(tx, PartKey::deletion(&sent.post.key), nothing)?;
    outgoing.put(tx, OutboxRow { act: OutboxAct::Delete, target: Some(message.to_owned()), ..row }).map(drop)
}

/// A file is tried without its caption, whose text follows as a message: a fault of one of them does not lose the other.
fn uncaptioned(tx: &Tx<'_>, id: OutId, error: &str, now: DateTime<Utc>) -> Outcome<()> {
    let Some(file) = load(tx, id)? else { return Ok(()) };
    tx.run(
        "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = NULL, error = ?3, body = '', plain = NULL, owner = NULL
         WHERE id = ?1",
        params![id.0, ms(now), error],
    )?;
    let outgoing = beside(&file, now);
    let row = outgoing.row(tx, PartKey::caption(&file.post.key), file.post.part.clone())?;
    outgoing.put(tx, row).map(drop)
}

/// The topic or thread of an address is gone: everything that is open for it goes to the chat itself, in its order.
fn thread_gone(
    tx: &Tx<'_>,
    id: OutId,
    old: &str,
    chat: &Address,
    error: &str,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = NULL, error = ?3, attempts = attempts - 1, owner = NULL
         WHERE id = ?1",
        params![id.0, ms(now), error],
    )?;
    tx.run(
        "UPDATE outbox SET address = ?2
         WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending')",
        params![old, chat.as_str()],
    )?;
    Ok(())
}

/// New parts that belong to a part: they go to the same address and people, and are about the same messages.
pub(crate) fn beside(part: &OutboxRow, now: DateTime<Utc>) -> Outgoing<'_> {
    Outgoing {
        turn: None,
        about: &part.post.about.messages,
        session: part.post.about.session.as_ref(),
        address: &part.address,
        reply_to: None,
        kind: part.post.kind,
        audience: part.post.audience.as_ref(),
        now,
    }
}

/// The chat is gone: nothing can be sent there, not even a notice.
fn gone(tx: &Tx<'_>, id: OutId, error: &str, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE outbox SET state = 'dead', error = ?2, owner = NULL, done_at = ?3
         WHERE address = (SELECT address FROM outbox WHERE id = ?1)
           AND state IN ('queued', 'streaming', 'sending')",
        params![id.0, error, ms(now)],
    )?;
    Ok(())
}
