//! Questions to people: opened, answered, expired and withdrawn.

mod answer;
mod close;
mod drop;
mod list;
mod open;
mod rendered;

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::ask::{AskEnd, AskView, Audience};
use frontdesk_core::id::{AskId, MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::time::Now;
use rusqlite::{Params, params};

use crate::ask_row::{AskRow, ask, ask_columns, load};
use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::sql::{maybe_at, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

pub(crate) use answer::{answer_to_choices, answered, pressed};
pub(crate) use close::retried;
use close::{close, close_silently, end_unread};
pub(crate) use drop::notice_with_drop;
pub(crate) use open::of_command;
pub(crate) use rendered::seen;

/// Maximum number of questions that one list returns.
const LISTED: u32 = 200;

impl Store {
    /// Ends the questions whose deadline has passed, and those that their chat cannot receive: their default holds.
    /// Returns the next deadline in steady time, if a question is open.
    pub async fn expire_asks(&self, now: impl Into<Now>) -> Result<Option<DateTime<Utc>>> {
        let now = now.into();
        self.write(WorkClass::Commands, move |tx| expire(tx, now)).await
    }
}

impl StoreReader {
    /// The open questions of a session, or of all, the oldest first.
    pub async fn open_asks(&self, session: Option<&SessionKey>) -> Result<Vec<AskView>> {
        let session = session.map(|session| session.as_str().to_owned());
        self.read(move |sql| {
            let open = concat!(
                "SELECT ",
                ask_columns!(),
                " FROM ask a WHERE a.state = 'open' AND (?1 IS NULL OR a.key = ?1) ORDER BY a.id LIMIT ?2"
            );
            Ok(sql
                .all_legible(open, params![session, LISTED], ask)?
                .into_iter()
                .map(|ask| ask.view)
                .collect())
        })
        .await
    }

    /// The open questions of a chat, whichever agent asks, the oldest first: another agent may have come into use while one
    /// waits for an answer.
    pub async fn open_asks_in_chat(&self, session: &SessionKey) -> Result<Vec<AskView>> {
        let chat = session.chat().to_owned();
        self.read(move |sql| {
            let open = concat!(
                "SELECT ",
                ask_columns!(),
                " FROM ask a WHERE a.state = 'open' AND substr(a.key, 7 + instr(substr(a.key, 7), ':')) = ?1
                  ORDER BY a.id LIMIT ?2"
            );
            let asks = sql.all_legible(open, params![chat, LISTED], ask)?;
            Ok(asks.into_iter().map(|ask| ask.view).collect())
        })
        .await
    }

    /// One question.
    pub async fn ask(&self, id: AskId) -> Result<Option<AskView>> {
        self.read(move |sql| Ok(load(sql, id)?.map(|ask| ask.view))).await
    }

    /// The open question whose message in this chat, or in a thread of it, has this id of the platform.
    pub async fn ask_in(&self, chat: &Address, platform_message: &str) -> Result<Option<AskView>> {
        let (chat, id) = (chat.without_thread(), platform_message.to_owned());
        self.read(move |sql| {
            let open = concat!(
                "SELECT ",
                ask_columns!(),
                " FROM ask a JOIN outbox o ON o.id = a.out_id WHERE a.state = 'open' AND o.platform_message_id = ?1"
            );
            let found = sql.all_legible(open, [id], ask)?.into_iter().map(|ask| ask.view);
            Ok(found.into_iter().find(|ask| ask.address.without_thread() == chat))
        })
        .await
    }
}

/// The open questions that a statement selects, which must select [`ask_columns`]. One that cannot be read is logged and ends,
/// so that it neither keeps the others from ending nor is read again.
fn open(tx: &Tx<'_>, statement: &str, params: impl Params, now: DateTime<Utc>) -> Outcome<Vec<AskRow>> {
    let rows = tx.all(statement, params, |row| {
        let (id, turn) = (AskId(row.get(0)?), row.get::<_, Option<i64>>(7)?.map(TurnId));
        Ok(ask(row).map_err(|error| (id, turn, error)))
    })?;
    let mut readable = Vec::new();
    for row in rows {
        match row {
            Ok(ask) => readable.push(ask),
            Err((id, turn, error)) => {
                tracing::error!(ask = %id, %error, "a stored question cannot be read; it ends without an answer");
                end_unread(tx, id, turn, now)?;
            }
        }
    }
    Ok(readable)
}

fn expire(tx: &Tx<'_>, now: Now) -> Outcome<Option<DateTime<Utc>>> {
    let waiting = open(
        tx,
        concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.state = 'open' ORDER BY a.id"),
        [],
        now.wall,
    )?;
    for ask in waiting {
        let unreachable = "SELECT 1 FROM outbox WHERE id = ?1 AND state IN ('dead', 'dropped')";
        let is_lost = tx.one(unreachable, [ask.out.0], |_| Ok(()))?.is_some();
        if is_lost {
            tracing::warn!(ask = %ask.view.id, session = %ask.view.session, "a question could not be shown; its default applies");
        }
        if is_lost || ask.wait.is_over(now.steady) {
            close_apart(tx, &ask, &AskEnd::Expired { default: ask.default.clone() }, now.wall)?;
        }
    }
    let next = "SELECT min(deadline_at) FROM ask WHERE state = 'open'";
    Ok(tx.one(next, [], |row| maybe_at(row, 0))?.flatten())
}

/// Ends an open question. If its end cannot be shown in the chat, it ends without that: neither other questions nor the
/// end of its turn may depend on it.
fn close_apart(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd, now: DateTime<Utc>) -> Outcome<()> {
    match tx.apart(|| close(tx, ask, end, now)) {
        Err(fault) if !fault.takes_the_group() => {
            tracing::error!(ask = %ask.view.id, cause = %fault.error(), "the end of a question is not shown in its chat");
            close_silently(tx, ask, end, now).map(drop)
        }
        closed => closed.map(drop),
    }
}

/// A turn has ended: its questions end with it. If it was cut off, they expire.
pub(crate) fn withdraw(tx: &Tx<'_>, turn: TurnId, cut_off: bool, now: DateTime<Utc>) -> Outcome<()> {
    let asks = open(
        tx,
        concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.turn_id = ?1 AND a.state = 'open'"),
        [turn.0],
        now,
    )?;
    let end = if cut_off { AskEnd::Expired { default: None } } else { AskEnd::Cancelled };
    asks.iter().try_for_each(|ask| close_apart(tx, ask, &end, now))
}

/// The messages of a turn do not wait any more, so no button drops them.
pub(crate) fn withdraw_drops(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let of_turn = concat!(
        "SELECT ",
        ask_columns!(),
        " FROM ask a WHERE a.state = 'open' AND a.kind = 'choice' AND a.commands IS NOT NULL
            AND a.message_id IN (SELECT id FROM inbound WHERE turn_id = ?1)"
    );
    end_drops(tx, &open(tx, of_turn, [turn.0], now)?, now)
}

/// A message has ended without a turn, so no button drops it.
pub(crate) fn withdraw_drop(tx: &Tx<'_>, message: MessageId, now: DateTime<Utc>) -> Outcome<()> {
    let about_it = concat!(
        "SELECT ",
        ask_columns!(),
        " FROM ask a WHERE a.state = 'open' AND a.kind = 'choice' AND a.commands IS NOT NULL AND a.message_id = ?1"
    );
    end_drops(tx, &open(tx, about_it, [message.0], now)?, now)
}

/// What a command has asked is settled in another way.
pub(crate) fn withdraw_of_command(tx: &Tx<'_>, command: MessageId, now: DateTime<Utc>) -> Outcome<()> {
    let of_command =
        concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.state = 'open' AND a.message_id = ?1");
    let asks = open(tx, of_command, [command.0], now)?;
    asks.iter().try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

fn end_drops(tx: &Tx<'_>, asks: &[AskRow], now: DateTime<Utc>) -> Outcome<()> {
    asks.iter()
        .filter(|ask| ask.offers_drop())
        .try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

/// The condition that a question is not one of a task that its session has handed over: nothing in the session waits for that.
macro_rules! of_own_turn {
    () => {
        "NOT EXISTS (SELECT 1 FROM turn t WHERE t.id = a.turn_id AND t.key <> a.key)"
    };
}

/// The oldest question that keeps the messages of a session waiting.
pub(crate) fn first_of(tx: &Tx<'_>, session: &SessionKey) -> Outcome<Option<AskView>> {
    let first = concat!(
        "SELECT ",
        ask_columns!(),
        " FROM ask a WHERE a.state = 'open' AND a.key = ?1 AND a.turn_id IS NOT NULL AND ",
        of_own_turn!(),
        " ORDER BY a.id LIMIT 1"
    );
    Ok(tx.all_legible(first, [session.as_str()], ask)?.into_iter().next().map(|ask| ask.view))
}

/// Somebody leaves a conversation: the questions of its turns end, which would keep the next one waiting, and those whose
/// answers would be messages in it.
pub(crate) fn withdraw_from(tx: &Tx<'_>, session: &SessionKey, now: DateTime<Utc>) -> Outcome<()> {
    let asks = open(
        tx,
        concat!(
            "SELECT ",
            ask_columns!(),
            " FROM ask a WHERE a.state = 'open' AND a.key = ?1 AND (a.turn_id IS NOT NULL OR a.commands IS NULL) AND ",
            of_own_turn!()
        ),
        [session.as_str()],
        now,
    )?;
    asks.iter().try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

/// Withdraws the choices that agents have offered in a session, except for the newest `keep`.
fn withdraw_oldest(tx: &Tx<'_>, session: &SessionKey, keep: u32, now: DateTime<Utc>) -> Outcome<()> {
    let asks = open(
        tx,
        concat!(
            "SELECT ",
            ask_columns!(),
            " FROM ask a
              WHERE a.state = 'open' AND a.key = ?1 AND a.message_id IS NOT NULL AND a.commands IS NULL
              ORDER BY a.id DESC LIMIT -1 OFFSET ?2"
        ),
        params![session.as_str(), keep],
        now,
    )?;
    asks.iter().try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

/// A session is stopped: the replies to commands that ask there end. `before` is the id of the stopping
/// command.
pub(crate) fn withdraw_replies(
    tx: &Tx<'_>,
    session: &SessionKey,
    before: i64,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let asks = open(
        tx,
        concat!(
            "SELECT ",
            ask_columns!(),
            " FROM ask a WHERE a.state = 'open' AND a.key = ?1 AND a.turn_id IS NULL AND a.message_id < ?2"
        ),
        params![session.as_str(), before],
        now,
    )?;
    asks.iter().try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

/// A person may not administer any more: the replies to their commands that ask end.
pub(crate) fn withdraw_replies_of(tx: &Tx<'_>, person: &Principal, now: DateTime<Utc>) -> Outcome<()> {
    let asks = open(
        tx,
        concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.state = 'open' AND a.turn_id IS NULL"),
        [],
        now,
    )?;
    let theirs =
        |ask: &&AskRow| matches!(&ask.view.audience, Audience::People(people) if people.contains(person));
    asks.iter().filter(theirs).try_for_each(|ask| close_apart(tx, ask, &AskEnd::Cancelled, now))
}

/// Cancels the open questions of a turn that is marked dead. The outbox is not changed, so nothing is rendered.
pub(crate) fn forget(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE ask SET state = 'cancelled', ended_at = ?2 WHERE turn_id = ?1 AND state = 'open'",
        params![turn.0, ms(now)],
    )
    .map(drop)
}
