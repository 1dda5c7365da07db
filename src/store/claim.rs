//! T2: the oldest waiting messages of a session become a turn, which this process has claimed.

mod head;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::agent::Origin;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::notice::Notice;
use frontdesk_core::time::Now;
use rusqlite::params;

use crate::agent_session::AgentSession;
use crate::fault::Outcome;
use crate::ids::Table;
use crate::message::{inbound, inbound_columns};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{
    BudgetRule, Claim, ClaimedTurn, Fenced, InboundRow, MessageState, StreamedPart, Take, TurnJob, TurnState,
    TurnTask, TurnToPay,
};
use crate::spend::Begun;
use crate::sql::{int, ms, parsed};
use crate::turn::{COMPACT, OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{Result, Store, ask, context_message, job, spend, task};

use head::{compacts, head};

impl Store {
    /// Claims the next turn of a session (T2): the one that was given back, if there is one, else a new one with the oldest
    /// waiting message, or with all waiting messages up to the first one of another epoch. `None` while a turn of the
    /// session runs, or if no message waits that was accepted before the oldest command that has not run yet.
    pub async fn claim_turn(
        &self,
        session: &SessionKey,
        take: Take,
        now: DateTime<Utc>,
    ) -> Result<Option<ClaimedTurn>> {
        self.claim_turn_within(session, take, Arc::new(|_| Vec::new()), now).await
    }

    /// The same for a turn that counts for budgets. Messages for which one of them is used up are in
    /// [`ClaimedTurn::over_budget`]; the caller refuses them.
    pub async fn claim_turn_within(
        &self,
        session: &SessionKey,
        take: Take,
        budgets: BudgetRule,
        now: DateTime<Utc>,
    ) -> Result<Option<ClaimedTurn>> {
        let session = session.clone();
        self.write(WorkClass::Turns, move |tx| claim(tx, &session, take, &budgets, now)).await
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

    /// Binds a waiting message to the running turn of its conversation and its chat, before the agent is asked to take it in.
    /// Returns whether older messages or commands of its session wait.
    pub async fn steered(
        &self,
        claim: Claim<TurnId>,
        message: MessageId,
        now: DateTime<Utc>,
    ) -> Result<Fenced<bool>> {
        self.write(WorkClass::Turns, move |tx| {
            let bound = tx.run(
                "UPDATE inbound SET state = 'in_turn', turn_id = ?1
                 WHERE id = ?3 AND state = 'waiting' AND disposition = 'turn'
                   AND (key, epoch) = (SELECT key, epoch FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')
                   AND place IS (SELECT place FROM inbound WHERE turn_id = ?1 ORDER BY id LIMIT 1)",
                params![claim.id.0, claim.fence, message.0],
            )?;
            tx.taken(bound);
            if bound == 0 {
                return Ok(Fenced::Stale);
            }
            ask::withdraw_drops(tx, claim.id, now)?;
            let older = "SELECT 1 FROM inbound WHERE key = (SELECT key FROM turn WHERE id = ?1)
                          AND disposition IN ('turn', 'command') AND state = 'waiting' AND id < ?2 LIMIT 1";
            Ok(Fenced::Done(tx.one(older, [claim.id.0, message.0], |_| Ok(()))?.is_some()))
        })
        .await
    }

    /// The agent did not take a steered message: it waits again, in its place by id, and its sender is told.
    pub async fn unsteered(
        &self,
        claim: Claim<TurnId>,
        message: MessageId,
        now: impl Into<Now>,
    ) -> Result<Fenced<()>> {
        let now = now.into();
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
                tell_follows_up(tx, &turn, message, now)?;
            }
            Ok(Fenced::if_changed(back))
        })
        .await
    }
}

/// Tells the sender of a message that the agent has not taken it into its answer.
fn tell_follows_up(tx: &Tx<'_>, turn: &OpenTurn, message: MessageId, now: Now) -> Outcome<()> {
    let sender = "SELECT principal FROM inbound WHERE id = ?1";
    let Some(sender) = tx.one(sender, [message.0], |row| parsed(row, 0))? else { return Ok(()) };
    let (about, notice) = ([message], Notice::FollowsUp);
    let outgoing = Outgoing { about: &about, ..turn.outgoing(now.wall) };
    let key = TextKey::notice(message, &notice);
    ask::notice_with_drop(tx, &outgoing, &key, &notice, (message, &sender), now)
}

fn claim(
    tx: &Tx<'_>,
    session: &SessionKey,
    take: Take,
    budgets: &BudgetRule,
    now: DateTime<Utc>,
) -> Outcome<Option<ClaimedTurn>> {
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
        Some(turn) => reclaim(tx, turn, budgets, now).map(Some),
        None => create(tx, session, take, budgets, now),
    }
}

/// Claims a turn that was given back.
fn reclaim(tx: &Tx<'_>, turn: OpenTurn, budgets: &BudgetRule, now: DateTime<Utc>) -> Outcome<ClaimedTurn> {
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
    let task = task_of(tx, &turn.session, turn.id, turn.attempt + 1, now)?;
    let job = job_of(tx, &turn.session, messages.first(), (turn.id, turn.attempt + 1), now)?;
    let chat = task.as_ref().and_then(|task| task.origin.as_ref()).unwrap_or(&turn.session);
    let to_pay = TurnToPay { session: &turn.session, chat, address: &turn.address, messages: &messages };
    let over_budget = spend::begin_again(tx, turn.id, &to_pay, budgets)?;
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
        task,
        job,
        over_budget,
    })
}

/// Makes a turn of waiting messages.
fn create(
    tx: &Tx<'_>,
    session: &SessionKey,
    take: Take,
    budgets: &BudgetRule,
    now: DateTime<Utc>,
) -> Outcome<Option<ClaimedTurn>> {
    let (mut messages, more) = head(tx, session, take)?;
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(None) };
    let id = TurnId(tx.new_id(Table::Turn)?);
    let task = task_of(tx, session, id, 1, now)?;
    let job = job_of(tx, session, Some(first), (id, 1), now)?;
    let origin = match (&task, &job) {
        (Some(_), _) => Origin::Task,
        (None, Some(_)) if session.scope() == Scope::Heartbeat => Origin::Heartbeat,
        (None, Some(_)) => Origin::Job,
        (None, None) => Origin::Message,
    };
    let (epoch, address, reply_to) = (first.epoch, last.address.clone(), last.platform_message.clone());
    let kind = if compacts(first) { COMPACT } else { "message" };
    let chat = task.as_ref().and_then(|task| task.origin.as_ref()).unwrap_or(session);
    let to_pay = TurnToPay { session, chat, address: &address, messages: &messages };
    let Begun { payers, over_budget } = spend::begin(tx, &budgets(&to_pay), &messages)?;
    tx.run(
        "INSERT INTO turn (id, key, epoch, kind, address, reply_to, attempt, released, state, owner, fence,
                           created_at, started_at, origin, task_id, run_id, payers)
         VALUES (?7, ?1, ?2, ?8, ?3, ?4, 1, 0, 'running', ?5, 1, ?6, ?6, ?9, ?10, ?11, ?12)",
        params![
            session.as_str(),
            int(epoch),
            address.as_str(),
            reply_to,
            tx.shared.boot.as_str(),
            ms(now),
            id.0,
            kind,
            origin.name(),
            task.as_ref().map(|task| task.id.0),
            job.as_ref().map(|job| job.run.0),
            payers,
        ],
    )?;
    take_into(tx, id, &mut messages)?;
    ask::withdraw_drops(tx, id, now)?;
    let replayed = replayed(tx, &messages)?;
    let AgentSession { agent_ref, options } = AgentSession::of(tx, session, epoch)?;
    Ok(Some(ClaimedTurn {
        claim: Claim { id, fence: 1 },
        attempt: 1,
        deaths: 0,
        session: session.clone(),
        epoch,
        agent_ref,
        origin,
        options,
        restarts: 0,
        messages,
        replayed,
        context_messages: context_message::bind(tx, session, id)?,
        address,
        reply_to,
        streamed: None,
        more,
        task,
        job,
        over_budget,
    }))
}

/// The messages do not wait any more.
fn take_into(tx: &Tx<'_>, turn: TurnId, messages: &mut [InboundRow]) -> Outcome<()> {
    for message in &mut *messages {
        tx.run("UPDATE inbound SET state = 'in_turn', turn_id = ?2 WHERE id = ?1", [message.id.0, turn.0])?;
        message.state = MessageState::InTurn;
        message.turn = Some(turn);
    }
    tx.taken(messages.len());
    Ok(())
}

/// The task that a turn of this session works on from now on.
fn task_of(
    tx: &Tx<'_>,
    session: &SessionKey,
    turn: TurnId,
    attempt: u32,
    now: DateTime<Utc>,
) -> Outcome<Option<TurnTask>> {
    if session.scope() != Scope::Task {
        return Ok(None);
    }
    let task = task::of_session(tx, session)?;
    if let Some(task) = &task {
        task::begun(tx, task, turn, attempt, now)?;
    }
    Ok(task)
}

/// The run of a job that a turn of this session works on from now on.
fn job_of(
    tx: &Tx<'_>,
    session: &SessionKey,
    first: Option<&InboundRow>,
    (turn, attempt): (TurnId, u32),
    now: DateTime<Utc>,
) -> Outcome<Option<TurnJob>> {
    let Some(first) = first.filter(|_| session.scope().is_of_job()) else { return Ok(None) };
    let run = job::of_message(tx, first.id)?;
    if let Some(run) = &run {
        job::begun(tx, run.run, turn, attempt, now)?;
    }
    Ok(run)
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
