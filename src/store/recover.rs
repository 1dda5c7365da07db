//! Recovery at the start: rows whose owner has no lease any more.

use std::collections::HashSet;

use frontdesk_core::address::Address;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::{Failure, Notice};
use rusqlite::{Row, params};

use crate::abandoned::left_behind;
use crate::delivery::done;
use crate::fault::{Fault, Outcome};
use crate::finish::{end, interrupt};
use crate::lease::is_orphan;
use crate::mark_dead;
use crate::queue::WorkClass;
use crate::row::{Finish, OutboxState, Reason, Recovered, Recovery};
use crate::sql::{Sql, at, legible, parsed};
use crate::streaming::{Settled, settle};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store, job, task};

/// Number of orphaned rows that one unit recovers.
const CHUNK: u32 = 50;

/// What became of one orphaned turn.
enum OrphanedTurn {
    Resumed,
    Interrupted,
    Dead,
}

impl Store {
    /// Recovers the rows whose owner has no lease, and lists what there is to do. To be called before anything else is
    /// claimed. It can be interrupted and repeated at any point.
    pub async fn recover(&self, how: Recovery) -> Result<Recovered> {
        let mut found = Recovered::default();
        // Before their turns are recovered: what nobody reads is not answered again.
        loop {
            let cancel = move |tx: &Tx<'_>| left_behind(tx, CHUNK, how.now);
            match self.write(WorkClass::Requests, cancel).await? {
                0 => break,
                some => found.left_behind += some as u64,
            }
        }
        loop {
            let outcomes = self.write(WorkClass::Requests, move |tx| turns(tx, how)).await?;
            if outcomes.is_empty() {
                break;
            }
            for outcome in outcomes {
                match outcome {
                    OrphanedTurn::Resumed => found.resumed += 1,
                    OrphanedTurn::Interrupted => found.interrupted += 1,
                    OrphanedTurn::Dead => found.dead += 1,
                }
            }
        }
        loop {
            match self.write(WorkClass::Requests, move |tx| parts(tx, how)).await? {
                0 => break,
                some => found.parts += some as u64,
            }
        }
        while self.write(WorkClass::Requests, move |tx| streams(tx, how)).await? > 0 {}
        let waiting = |sql: &Sql<'_>| {
            let (sessions, albums) = (sessions(sql)?, albums(sql)?);
            Ok((sessions, albums, commands(sql)?, addresses(sql)?))
        };
        let (sessions, albums, commands, addresses) = self.read(waiting).await?;
        Ok(Recovered { sessions, albums, commands, addresses, ..found })
    }
}

impl Store {
    /// The sessions that have a message for their agent, and the addresses that have parts to be sent.
    pub async fn lanes_with_work(&self) -> Result<(Vec<SessionKey>, Vec<Address>)> {
        self.read(|sql| Ok((sessions(sql)?, addresses(sql)?))).await
    }
}

/// Recovers some of the orphaned turns. Each in a savepoint of its own: one that cannot be recovered must not
/// stop the others, or the start.
fn turns(tx: &Tx<'_>, how: Recovery) -> Outcome<Vec<OrphanedTurn>> {
    let orphans = tx.all(
        concat!(
            "SELECT id FROM turn WHERE state IN ('queued', 'running') AND state = 'running' AND ",
            is_orphan!(),
            " LIMIT ?1"
        ),
        [CHUNK],
        |row| row.get(0).map(TurnId),
    )?;
    let one = |turn: TurnId| match tx.apart(|| decide(tx, turn, how)) {
        Err(fault) if !fault.takes_the_group() => {
            tracing::error!(%turn, cause = %fault.error(), "a turn cannot be recovered; it is marked dead");
            mark_dead::turn(tx, turn, how.now)?;
            Ok(OrphanedTurn::Dead)
        }
        outcome => outcome,
    };
    orphans.into_iter().map(one).collect()
}

fn decide(tx: &Tx<'_>, turn: TurnId, how: Recovery) -> Outcome<OrphanedTurn> {
    let turn = OpenTurn::by_id(tx, turn)?.ok_or_else(|| Fault::Bad(format!("there is no turn {turn}")))?;
    if turn.acted.is_some() {
        interrupt(tx, &turn, how.now)?;
        return Ok(OrphanedTurn::Interrupted);
    }
    let released = u32::from(awaits_answer(tx, turn.id)?);
    if turn.deaths().saturating_sub(released) >= how.max_deaths {
        let finish = Finish {
            error: Some(Reason::Failed(Failure::Killed)),
            notice: Some(Notice::Failed(Failure::Killed)),
            ..Finish::bare(turn.claim(), Ending::Dead, how.now)
        };
        end(tx, &turn, &finish)?;
        return Ok(OrphanedTurn::Dead);
    }
    let back = "UPDATE turn SET state = 'queued', owner = NULL, released = released + ?2 WHERE id = ?1";
    tx.run(back, params![turn.id.0, released])?;
    task::waits_again(tx, turn.id, how.now)?;
    job::waits_again(tx, turn.id)?;
    Ok(OrphanedTurn::Resumed)
}

/// Whether the turn only waited for a person. A question may be open for a week, in which the gateway may be killed more
/// often than an attempt may fail: that is no death of the turn.
fn awaits_answer(tx: &Tx<'_>, turn: TurnId) -> Outcome<bool> {
    let open = "SELECT 1 FROM ask WHERE turn_id = ?1 AND state = 'open' LIMIT 1";
    Ok(tx.one(open, [turn.0], |_| Ok(()))?.is_some())
}

/// Some of the parts whose sending was cut off: the request may have arrived.
fn parts(tx: &Tx<'_>, how: Recovery) -> Outcome<usize> {
    let orphans = open_parts(tx, "sending")?;
    for id in &orphans {
        let step = tx.apart(|| {
            let part = "SELECT address, created_at, act <> 'post' FROM outbox WHERE id = ?1";
            let read = |row: &Row<'_>| Ok((parsed::<Address>(row, 0)?, at(row, 1)?, row.get::<_, bool>(2)?));
            let known = tx.one(part, [id.0], read)?.is_some_and(|(to, created, repeatable)| {
                let age = (how.now - created).to_std();
                // A part of the future is of an unknown age: the clock was set back.
                // An edit or a deletion that is made twice has the same effect as one.
                repeatable
                    || tx
                        .shared
                        .renderer
                        .idempotent(&to)
                        .is_some_and(|window| age.is_ok_and(|age| age < window))
            });
            if how.resend || known {
                tx.run("UPDATE outbox SET state = 'queued', owner = NULL WHERE id = ?1", [id.0])?;
                return Ok(());
            }
            done(tx, *id, OutboxState::Unknown, "cut off while it was sent", how.now)
        });
        or_dead(tx, *id, step, how)?;
    }
    Ok(orphans.len())
}

/// Some of the orphaned streamed messages: ours until their turn is claimed if it goes on, and an edit if it does not.
fn streams(tx: &Tx<'_>, how: Recovery) -> Outcome<usize> {
    let orphans = open_parts(tx, "streaming")?;
    for id in &orphans {
        let step = tx.apart(|| {
            let turn = "SELECT turn_id FROM outbox WHERE id = ?1 AND turn_id IS NOT NULL";
            let turn = tx.one(turn, [id.0], |row| row.get(0).map(TurnId))?;
            let goes_on = "SELECT 1 FROM turn WHERE id = ?1 AND state IN ('queued', 'running')";
            if let Some(turn) = turn
                && tx.one(goes_on, [turn.0], |_| Ok(()))?.is_some()
            {
                let ours = "UPDATE outbox SET owner = ?2 WHERE id = ?1";
                tx.run(ours, params![id.0, tx.shared.boot.as_str()])?;
                return Ok(());
            }
            let settled = match turn {
                Some(turn) => settle(tx, turn, false, how.now)?,
                None => Settled::No,
            };
            match settled {
                Settled::Dropped | Settled::Edited => Ok(()),
                // No code creates such a row; but if one were open, every later part would wait behind it for ever.
                Settled::No => done(tx, *id, OutboxState::Dead, "its turn is gone", how.now),
            }
        });
        or_dead(tx, *id, step, how)?;
    }
    Ok(orphans.len())
}

/// Some of the orphaned parts in this state.
fn open_parts(tx: &Tx<'_>, state: &str) -> Outcome<Vec<OutId>> {
    tx.all(
        concat!(
            "SELECT id FROM outbox WHERE state IN ('queued', 'streaming', 'sending') AND state = ?1 AND ",
            is_orphan!(),
            " LIMIT ?2"
        ),
        params![state, CHUNK],
        |row| row.get(0).map(OutId),
    )
}

/// A part that cannot be recovered is marked dead.
fn or_dead(tx: &Tx<'_>, part: OutId, step: Outcome<()>, how: Recovery) -> Outcome<()> {
    match step {
        Err(fault) if !fault.takes_the_group() => {
            tracing::error!(%part, cause = %fault.error(), "a part cannot be recovered; it is marked dead");
            done(tx, part, OutboxState::Dead, Failure::Internal.name(), how.now)
        }
        step => step,
    }
}

/// Sessions with a turn to run, the longest waiting first.
fn sessions(sql: &Sql<'_>) -> Outcome<Vec<SessionKey>> {
    let mut found: Vec<(i64, Option<SessionKey>)> = sql.all(
        "SELECT min(id), key FROM inbound WHERE state = 'waiting' AND disposition = 'turn' GROUP BY key",
        [],
        |row| Ok((row.get(0)?, legible(row, 1)?)),
    )?;
    found.extend(sql.all(
        "SELECT coalesce((SELECT min(id) FROM inbound WHERE turn_id = t.id), 0), t.key FROM turn t
         WHERE t.state IN ('queued', 'running') AND t.state = 'queued'",
        [],
        |row| Ok((row.get(0)?, legible(row, 1)?)),
    )?);
    found.sort_by_key(|(oldest, _)| *oldest);
    let mut seen = HashSet::new();
    Ok(found.into_iter().filter_map(|(_, key)| key).filter(|key| seen.insert(key.clone())).collect())
}

fn albums(sql: &Sql<'_>) -> Outcome<Vec<SessionKey>> {
    let keys = sql.all(
        "SELECT DISTINCT key FROM inbound WHERE state = 'waiting' AND disposition = 'turn' AND album IS NOT NULL",
        [],
        |row| legible(row, 0),
    )?;
    Ok(keys.into_iter().flatten().collect())
}

fn commands(sql: &Sql<'_>) -> Outcome<Vec<MessageId>> {
    sql.all(
        // Named, because the order by id tempts SQLite to walk through the whole history.
        "SELECT id FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting' AND disposition = 'command'
         ORDER BY id",
        [],
        |row| row.get(0).map(MessageId),
    )
}

fn addresses(sql: &Sql<'_>) -> Outcome<Vec<Address>> {
    let found = sql.all(
        "SELECT address FROM outbox WHERE state IN ('queued', 'streaming', 'sending')
         GROUP BY address ORDER BY min(id)",
        [],
        |row| legible(row, 0),
    )?;
    Ok(found.into_iter().flatten().collect())
}
