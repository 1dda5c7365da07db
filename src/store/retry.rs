//! `/retry`: which messages are answered once more.

use frontdesk_core::address::Principal;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::{SessionKey, keys_of_agent};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::{inbound, inbound_columns, stored_replays};
use crate::row::{CommandFacts, EpochReason, InboundRow, Reason};
use crate::sql::{count, int, parsed};
use crate::tx::Tx;

/// The last turn of an epoch in which the agent was told something, and whether it is open.
pub(crate) const LAST_TURN: &str = "
    SELECT id, state IN ('queued', 'running') FROM turn WHERE id =
     (SELECT turn_id FROM session_message WHERE key = ?1 AND epoch = ?2 AND turn_id IS NOT NULL
        AND (SELECT kind FROM turn WHERE id = session_message.turn_id) <> 'compact'
      ORDER BY id DESC LIMIT 1)";

/// The same with a message of one person in it.
const LAST_TURN_OF: &str = "
    SELECT id, state IN ('queued', 'running') FROM turn WHERE id =
     (SELECT m.turn_id FROM session_message m JOIN inbound i ON i.id = m.id
      WHERE m.key = ?1 AND m.epoch = ?2 AND m.turn_id IS NOT NULL AND i.principal = ?3
        AND (SELECT kind FROM turn WHERE id = m.turn_id) <> 'compact'
      ORDER BY m.id DESC LIMIT 1)";

/// The first session after a text, to find the sessions of the next agent.
pub(crate) const NEXT_SESSION: &str = "SELECT key FROM session WHERE key > ?1 ORDER BY key LIMIT 1";

/// Whether a turn failed for this reason, and not before an epoch began, unless that is the first of its session.
const GONE: &str = "
    SELECT 1 FROM turn WHERE id = ?1 AND state = 'dead' AND error = ?2
       AND NOT EXISTS (SELECT 1 FROM epoch WHERE key = ?3 AND n = ?4 AND reason <> ?5 AND started_at > turn.finished_at)";

/// The row becomes a turn that runs the messages of the last one in its epoch once more; or, if that is later, of the last
/// one whose agent was gone.
/// `own` counts only turns with messages of the row's sender, and only these messages.
pub(crate) fn retry(tx: &Tx<'_>, row: &InboundRow, own: bool) -> Outcome<CommandFacts> {
    let by = own.then_some(&row.from.id);
    let here = last_turn(tx, &row.session, row.epoch, by)?;
    let gone = left_by_gone_agent(tx, row, by)?;
    let turn = match (here, gone) {
        (Some((turn, true)), gone) if gone.is_none_or(|gone| gone < turn) => {
            return Ok(CommandFacts::StillRunning);
        }
        (Some((turn, false)), gone) if gone.is_none_or(|gone| gone < turn) => turn,
        (_, Some(gone)) => gone,
        (_, None) => return Ok(CommandFacts::NothingToRetry),
    };
    // A message that was refused because its author lost access is not run again either.
    let said = tx.all(
        concat!(
            "SELECT ",
            inbound_columns!(),
            " FROM inbound i WHERE i.turn_id = ?1 AND i.reason IS NOT ?2 AND (?3 IS NULL OR i.principal = ?3)
             ORDER BY i.id"
        ),
        params![turn.0, Reason::Refused(Refusal::Revoked).to_string(), by.map(Principal::as_str)],
        inbound,
    )?;
    // A retry of a retry runs the same messages. They keep their authors.
    let own = |row: InboundRow| if row.replays.is_empty() { vec![row.id] } else { row.replays };
    let replays: Vec<MessageId> = said.into_iter().flat_map(own).collect();
    if !has_content(tx, &replays)? {
        // They were erased or purged.
        return Ok(CommandFacts::NothingToRetry);
    }
    tx.run(
        "UPDATE inbound SET disposition = 'turn', reason = ?2, replays = ?3, attachments = NULL, quote = NULL,
                            forward = NULL, links = NULL, album = NULL WHERE id = ?1",
        params![row.id.0, Reason::Retries(turn).to_string(), stored_replays(&replays)],
    )?;
    Ok(CommandFacts::Waits)
}

/// By way of its messages: an index of turns by session would cost a page at every claim.
fn last_turn(
    tx: &Tx<'_>,
    session: &SessionKey,
    epoch: u64,
    by: Option<&Principal>,
) -> Outcome<Option<(TurnId, bool)>> {
    let found = |row: &Row<'_>| Ok((TurnId(row.get(0)?), row.get(1)?));
    match by {
        None => tx.one(LAST_TURN, params![session.as_str(), int(epoch)], found),
        Some(by) => tx.one(LAST_TURN_OF, params![session.as_str(), int(epoch), by.as_str()], found),
    }
}

/// The last turn of the same chat that was told that its agent is gone, unless the conversation of the command began after
/// it. It belongs to another session, because a key names the agent.
fn left_by_gone_agent(tx: &Tx<'_>, row: &InboundRow, by: Option<&Principal>) -> Outcome<Option<TurnId>> {
    let mut last = None;
    // There are few agents, so that their names are found by as many steps through the keys.
    let mut after = String::new();
    while let Some(key) = tx.one(NEXT_SESSION, [&after], |row| parsed::<SessionKey>(row, 0))? {
        after = keys_of_agent(key.agent()).1;
        if key.agent() == row.session.agent() {
            continue;
        }
        let same = row.session.with_agent(key.agent());
        let Ok(same) = same else { continue };
        let epoch =
            tx.one("SELECT epoch FROM session WHERE key = ?1", [same.as_str()], |row| count(row, 0))?;
        let Some((turn, false)) = epoch.map_or(Ok(None), |epoch| last_turn(tx, &same, epoch, by))? else {
            continue;
        };
        let gone = Reason::Failed(Failure::AgentGone).to_string();
        let began =
            params![turn.0, gone, row.session.as_str(), int(row.epoch), EpochReason::First.to_string()];
        if tx.one(GONE, began, |_| Ok(()))?.is_some() {
            last = last.max(Some(turn));
        }
    }
    Ok(last)
}

fn has_content(tx: &Tx<'_>, messages: &[MessageId]) -> Outcome<bool> {
    for message in messages {
        let says = "SELECT 1 FROM inbound WHERE id = ?1 AND (body <> '' OR attachments IS NOT NULL)";
        if tx.one(says, [message.0], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
