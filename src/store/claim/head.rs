//! Which of the waiting messages of a session its next turn takes.

use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;

use crate::fault::Outcome;
use crate::row::{InboundRow, Reason, Take};
use crate::tx::Tx;
use crate::waiting::{mode, one_album, takeable};

/// The waiting messages that one turn takes, and whether others wait behind them.
pub(super) fn head(tx: &Tx<'_>, session: &SessionKey, take: Take) -> Outcome<(Vec<InboundRow>, bool)> {
    let mut rows = takeable(tx, session, 2)?;
    let [first, second] = rows.as_slice() else { return Ok((rows, false)) };
    let mode = match take {
        Take::All => QueueMode::Collect,
        Take::InMode(configured) => chosen_mode(tx, session)?.unwrap_or(configured),
    };
    let one_by_one = matches!(mode, QueueMode::Followup | QueueMode::Steer) && !one_album(first, second);
    if !one_by_one || compacts(first) || has_own_mode(tx, session)? {
        rows = takeable(tx, session, -1)?;
    }
    let mine = match take {
        Take::All => one_conversation(&rows),
        Take::InMode(_) => joined(&rows, mode),
    };
    let more = mine < rows.len();
    rows.truncate(mine);
    Ok((rows, more))
}

/// How many of the messages that wait in this mode the next turn takes. What is collected goes together, and a message that
/// interrupts takes along what waits before it, so that messages stay in order. The pieces of an album go together.
/// With `/queue interrupt` people take along only their own messages: a question of the agent goes to all whose messages
/// a turn answers.
fn joined(rows: &[InboundRow], mode: QueueMode) -> usize {
    let of = |row: &InboundRow| match row.reason {
        Some(Reason::Queued(own)) => own,
        _ => mode,
    };
    let rows = &rows[..one_conversation(rows)];
    if rows.first().is_some_and(compacts) {
        return rows.len();
    }
    let collected = rows.iter().take_while(|row| of(row) == QueueMode::Collect).count();
    let own = rows.iter().take_while(|row| row.from.id == rows[0].from.id).count();
    let reach = if mode == QueueMode::Interrupt { rows.len() } else { own };
    let interrupts = |row: &InboundRow| of(row) == QueueMode::Interrupt;
    let interrupted = rows[..reach].iter().rposition(interrupts).map_or(0, |last| last + 1);
    let mut mine = collected.max(interrupted).max(1).min(rows.len());
    while mine < rows.len() && one_album(&rows[mine - 1], &rows[mine]) {
        mine += 1;
    }
    mine
}

/// How many of the messages one turn can take: those of the first one's epoch that came from the same chat, because an answer
/// goes to one chat. The agent compacts its context between two answers, so that is a turn of its own, also for several
/// people who ask for it.
fn one_conversation(rows: &[InboundRow]) -> usize {
    let Some(first) = rows.first() else { return 0 };
    let kind = |row: &InboundRow| (row.epoch, row.place.clone(), compacts(row));
    rows.iter().take_while(|row| kind(row) == kind(first)).count()
}

/// Whether a message asks its agent to compact its context.
pub(super) fn compacts(row: &InboundRow) -> bool {
    row.reason == Some(Reason::Compacts)
}

fn chosen_mode(tx: &Tx<'_>, session: &SessionKey) -> Outcome<Option<QueueMode>> {
    let chosen = "SELECT queue_mode FROM session WHERE key = ?1";
    Ok(tx.one(chosen, [session.as_str()], |row| mode(row, 0))?.flatten())
}

/// Whether a waiting message has a mode of its own.
fn has_own_mode(tx: &Tx<'_>, session: &SessionKey) -> Outcome<bool> {
    let own = "SELECT 1 FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting'
                                       AND reason LIKE 'queue:%' LIMIT 1";
    Ok(tx.one(own, [session.as_str()], |_| Ok(()))?.is_some())
}
