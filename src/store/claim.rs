//! T2: the oldest waiting messages of a session become a turn, which this process has claimed.

use chrono::{DateTime, Utc};
use frontdesk_core::agent::Origin;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::agent_session::AgentSession;
use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::{inbound, inbound_columns};
use crate::part::Outgoing;
use crate::queue::WorkClass;
use crate::row::{
    Claim, ClaimedTurn, Fenced, InboundRow, MessageState, Reason, StreamedPart, Take, TurnState,
};
use crate::sql::{int, ms};
use crate::turn::{COMPACT, OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::waiting::{one_album, waiting};
use crate::{Result, Store, context_message};

impl Store {
    /// Claims the next turn of a session (T2): the one that was given back, if there is one, else a new one with the oldest
    /// waiting message, or with all waiting messages up to the first one of another epoch. `None` while a turn of the
    /// session runs, or if no message waits.
    pub async fn claim_turn(
        &self,
        session: &SessionKey,
        take: Take,
        now: DateTime<Utc>,
    ) -> Result<Option<ClaimedTurn>> {
        let session = session.clone();
        self.write(WorkClass::Turns, move |tx| claim(tx, &session, take, now)).await
    }

    /// A hook rewrote a message of a running turn before the agent got it.
    pub async fn rewrite(
        &self,
        message: MessageId,
        claim: Claim<TurnId>,
        text: String,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let rewritten = tx.run(
                "UPDATE inbound SET body = ?4
                 WHERE id = ?1 AND state = 'in_turn'
                   AND turn_id = (SELECT id FROM turn WHERE id = ?2 AND fence = ?3 AND state = 'running')",
                params![message.0, claim.id.0, claim.fence, text],
            )?;
            Ok(Fenced::if_changed(rewritten))
        })
        .await
    }

    /// Binds a waiting message to the running turn, before the agent is asked to take it in.
    pub async fn steered(&self, claim: Claim<TurnId>, message: MessageId) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let bound = tx.run(
                "UPDATE inbound SET state = 'in_turn', turn_id = ?1
                 WHERE id = ?3 AND state = 'waiting' AND disposition = 'turn'
                   AND key = (SELECT key FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')",
                params![claim.id.0, claim.fence, message.0],
            )?;
            tx.taken(bound);
            Ok(Fenced::if_changed(bound))
        })
        .await
    }

    /// The agent did not take a steered message: it waits again, in its place by id, and its sender is told.
    pub async fn unsteered(
        &self,
        claim: Claim<TurnId>,
        message: MessageId,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            let back = tx.run(
                "UPDATE inbound SET state = 'waiting', turn_id = NULL
                 WHERE id = ?3 AND state = 'in_turn' AND turn_id = ?1
                   AND turn_id = (SELECT id FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')",
                params![claim.id.0, claim.fence, message.0],
            )?;
            tx.queued(back);
            if back > 0 {
                let about = [message];
                let outgoing = Outgoing { about: &about, ..turn.outgoing(now) };
                outgoing.notice(tx, message, &Notice::FollowsUp)?;
            }
            Ok(Fenced::if_changed(back))
        })
        .await
    }
}

fn claim(tx: &Tx<'_>, session: &SessionKey, take: Take, now: DateTime<Utc>) -> Outcome<Option<ClaimedTurn>> {
    let open = OpenTurn::find(
        tx,
        concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t WHERE t.key = ?1 AND t.state IN ('queued', 'running') ORDER BY t.state DESC, t.id LIMIT 1"
        ),
        [session.as_str()],
    )?;
    match open {
        Some(turn) if turn.state == TurnState::Running => Ok(None),
        Some(turn) => reclaim(tx, turn, now).map(Some),
        None => create(tx, session, take, now),
    }
}

/// Claims a turn that was given back.
fn reclaim(tx: &Tx<'_>, turn: OpenTurn, now: DateTime<Utc>) -> Outcome<ClaimedTurn> {
    tx.run(
        "UPDATE turn SET state = 'running', attempt = attempt + 1, fence = fence + 1, owner = ?2, started_at = ?3
         WHERE id = ?1",
        params![turn.id.0, tx.shared.boot.as_str(), ms(now)],
    )?;
    let messages = tx.all(
        concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.turn_id = ?1 ORDER BY i.id"),
        [turn.id.0],
        inbound,
    )?;
    let streamed = StreamedPart::of(tx, turn.id)?;
    if streamed.is_some() {
        let ours = "UPDATE outbox SET owner = ?2 WHERE turn_id = ?1 AND state = 'streaming'";
        tx.run(ours, params![turn.id.0, tx.shared.boot.as_str()])?;
    }
    let replayed = replayed(tx, &messages)?;
    let AgentSession { agent_ref, options } = AgentSession::of(tx, &turn.session, turn.epoch)?;
    let more = tx.one(
        "SELECT 1 FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting' LIMIT 1",
        [turn.session.as_str()],
        |_| Ok(()),
    )?;
    Ok(ClaimedTurn {
        claim: Claim { id: turn.id, fence: turn.fence + 1 },
        attempt: turn.attempt + 1,
        deaths: turn.deaths(),
        session: turn.session,
        epoch: turn.epoch,
        agent_ref,
        origin: turn.origin,
        options,
        restarts: turn.restarts,
        messages,
        replayed,
        context_messages: context_message::of(tx, turn.id)?,
        address: turn.address,
        reply_to: turn.reply_to,
        streamed,
        more: more.is_some(),
    })
}

/// Makes a turn of waiting messages.
fn create(tx: &Tx<'_>, session: &SessionKey, take: Take, now: DateTime<Utc>) -> Outcome<Option<ClaimedTurn>> {
    let (mut messages, more) = head(tx, session, take)?;
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(None) };
    let id = TurnId(tx.new_id(Table::Turn)?);
    let (epoch, address, reply_to) = (first.epoch, last.address.clone(), last.platform_message.clone());
    let kind = if compacts(first) { COMPACT } else { "message" };
    tx.run(
        "INSERT INTO turn (id, key, epoch, kind, address, reply_to, attempt, released, state, owner, fence,
                           created_at, started_at)
         VALUES (?7, ?1, ?2, ?8, ?3, ?4, 1, 0, 'running', ?5, 1, ?6, ?6)",
        params![
            session.as_str(),
            int(epoch),
            address.as_str(),
            reply_to,
            tx.shared.boot.as_str(),
            ms(now),
            id.0,
            kind,
        ],
    )?;
    for message in &mut messages {
        tx.run("UPDATE inbound SET state = 'in_turn', turn_id = ?2 WHERE id = ?1", [message.id.0, id.0])?;
        message.state = MessageState::InTurn;
        message.turn = Some(id);
    }
    tx.taken(messages.len());
    let replayed = replayed(tx, &messages)?;
    let AgentSession { agent_ref, options } = AgentSession::of(tx, session, epoch)?;
    Ok(Some(ClaimedTurn {
        claim: Claim { id, fence: 1 },
        attempt: 1,
        deaths: 0,
        session: session.clone(),
        epoch,
        agent_ref,
        origin: Origin::Message,
        options,
        restarts: 0,
        messages,
        replayed,
        context_messages: context_message::bind(tx, session, id)?,
        address,
        reply_to,
        streamed: None,
        more,
    }))
}

/// The messages that the `/retry` commands among these run again.
fn replayed(tx: &Tx<'_>, messages: &[InboundRow]) -> Outcome<Vec<InboundRow>> {
    let mut rows = Vec::new();
    for id in messages.iter().flat_map(|message| &message.replays) {
        let row = concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.id = ?1");
        rows.extend(tx.one(row, [id.0], inbound)?);
    }
    Ok(rows)
}

/// The waiting messages that one turn takes, and whether others wait behind them. Collecting ends at the first message of
/// another epoch, so that messages stay in order. The pieces of an album go together.
fn head(tx: &Tx<'_>, session: &SessionKey, take: Take) -> Outcome<(Vec<InboundRow>, bool)> {
    let mut rows = waiting(tx, session, if take == Take::One { 2 } else { -1 })?;
    if take == Take::One
        && let [first, second] = rows.as_slice()
        && one_album(first, second)
    {
        rows = waiting(tx, session, -1)?;
    }
    let mine = match (rows.first(), take) {
        (None, _) => 0,
        // The agent compacts its context between two answers, so this is a turn of its own.
        (Some(first), _) if compacts(first) => 1,
        (Some(first), Take::All) => {
            rows.iter().take_while(|row| row.epoch == first.epoch && !compacts(row)).count()
        }
        (Some(first), Take::One) => 1 + rows.iter().skip(1).take_while(|row| one_album(first, row)).count(),
    };
    let more = mine < rows.len();
    rows.truncate(mine);
    Ok((rows, more))
}

fn compacts(row: &InboundRow) -> bool {
    row.reason == Some(Reason::Compacts)
}
