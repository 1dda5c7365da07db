//! The epochs of a conversation. When one ends, the next one begins in the same transaction.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::{Due, Reasons};
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::{Admitted, Disposition, EpochChange, EpochReason, Reason};
use crate::sql::{Sql, count, int, maybe_at, ms};
use crate::tx::Tx;
use crate::waiting::mode;

/// A session's row, read before a message or a request changes it.
pub(crate) struct SessionState {
    pub(crate) epoch: u64,
    pub(crate) last_epoch: u64,
    /// When the person's last message in this epoch was accepted; `None` if there is none. Commands do not count.
    pub(crate) last_user_at: Option<DateTime<Utc>>,
    /// Whether a daily reset waits until the person is silent.
    pub(crate) held_back: bool,
    pub(crate) address: String,
    /// Number of messages for the agent that wait.
    pub(crate) waiting: u64,
    /// How they wait, if that was chosen in the chat.
    pub(crate) queue_mode: Option<QueueMode>,
}

/// What a message or a request did to the epochs of its session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EpochOutcome {
    /// The current epoch from now on.
    pub(crate) epoch: u64,
    /// The epoch that ended.
    pub(crate) ended: Option<u64>,
    /// Whether the session was created.
    pub(crate) began: bool,
    /// Why the reset rule began a new epoch, if it did.
    pub(crate) reasons: Reasons,
    /// Of `/new` and `/resume`: what they did, for the row of the command.
    pub(crate) reason: Option<Reason>,
}

/// Reads a session, if there is one.
pub(crate) fn session_state(sql: &Sql<'_>, key: &SessionKey) -> Outcome<Option<SessionState>> {
    sql.one(
        "SELECT epoch, last_epoch, last_user_at, address,
                (SELECT count(*) FROM inbound WHERE key = s.key AND disposition = 'turn' AND state = 'waiting'),
                queue_mode, held_back
         FROM session s WHERE key = ?1",
        [key.as_str()],
        |row| {
            Ok(SessionState {
                epoch: count(row, 0)?,
                last_epoch: count(row, 1)?,
                last_user_at: maybe_at(row, 2)?,
                address: row.get(3)?,
                waiting: count(row, 4)?,
                queue_mode: mode(row, 5)?,
                held_back: row.get(6)?,
            })
        },
    )
}

/// Adds a message to its session: creates the session, begins a new epoch, returns to an older one, or changes neither.
pub(crate) fn join(
    tx: &Tx<'_>,
    session: Option<SessionState>,
    message: &Admitted,
    now: DateTime<Utc>,
) -> Outcome<EpochOutcome> {
    let Some(session) = session else { return create(tx, message, now) };
    let is_for_agent = message.disposition == Disposition::Turn;
    match message.epoch {
        EpochChange::ByRule if !is_for_agent => {
            update(tx, &session, message, session.last_user_at)?;
            Ok(EpochOutcome { epoch: session.epoch, ..EpochOutcome::default() })
        }
        EpochChange::ByRule => by_rule(tx, &session, message, now),
        EpochChange::New => {
            let reason = Some(Reason::FromEpoch(session.epoch));
            let outcome = begin_next(tx, &message.session, &session, EpochReason::New, now)?;
            update(tx, &session, message, is_for_agent.then_some(now))?;
            Ok(EpochOutcome { reason, ..outcome })
        }
        EpochChange::Resume(wanted) => resume(tx, &session, message, wanted, now),
    }
}

/// Creates a session. `/new` gets the first epoch as well, because there is no earlier one.
fn create(tx: &Tx<'_>, message: &Admitted, now: DateTime<Utc>) -> Outcome<EpochOutcome> {
    tx.run(
        "INSERT INTO session (key, address, epoch, last_epoch, last_user_at, seq, created_at)
         VALUES (?1, ?2, 1, 1, ?4, 0, ?3)",
        params![
            message.session.as_str(),
            message.event.address.as_str(),
            ms(now),
            (message.disposition == Disposition::Turn).then_some(ms(now)),
        ],
    )?;
    tx.run("UPDATE counter SET n = n + 1 WHERE name = 'sessions'", [])?;
    begin(tx, &message.session, 1, EpochReason::First, now)?;
    let missing = matches!(message.epoch, EpochChange::Resume(_)).then_some(Reason::NoSuchEpoch);
    Ok(EpochOutcome { epoch: 1, began: true, reason: missing, ..EpochOutcome::default() })
}

/// Begins a new epoch if the reset rule says so.
fn by_rule(
    tx: &Tx<'_>,
    session: &SessionState,
    message: &Admitted,
    now: DateTime<Utc>,
) -> Outcome<EpochOutcome> {
    let due = session.last_user_at.map(|last| message.policy.due_after(last, session.held_back, now));
    let Due { reasons, held_back } = due.unwrap_or_default();
    let mut outcome = EpochOutcome { epoch: session.epoch, ..EpochOutcome::default() };
    if reasons.any() {
        outcome = begin_next(tx, &message.session, session, EpochReason::Rule(reasons), now)?;
        outcome.reasons = reasons;
    } else if held_back != session.held_back {
        let held = "UPDATE session SET held_back = ?2 WHERE key = ?1";
        tx.run(held, params![message.session.as_str(), held_back])?;
    }
    // Never backwards: after the clock was set back, the next message must not look like the end of a long inactivity.
    update(tx, session, message, Some(now).max(session.last_user_at))?;
    Ok(outcome)
}

/// Ends the current epoch and begins the one after the highest number ever used.
pub(crate) fn begin_next(
    tx: &Tx<'_>,
    key: &SessionKey,
    session: &SessionState,
    reason: EpochReason,
    now: DateTime<Utc>,
) -> Outcome<EpochOutcome> {
    let epoch = session.last_epoch + 1;
    end(tx, key, session.epoch, now)?;
    begin(tx, key, epoch, reason, now)?;
    tx.run(
        "UPDATE session SET epoch = ?2, last_epoch = ?2, held_back = 0 WHERE key = ?1",
        params![key.as_str(), int(epoch)],
    )?;
    Ok(EpochOutcome { epoch, ended: Some(session.epoch), ..EpochOutcome::default() })
}

/// Returns to an older epoch; without a number to the one that ended last.
fn resume(
    tx: &Tx<'_>,
    session: &SessionState,
    message: &Admitted,
    wanted: Option<u64>,
    now: DateTime<Utc>,
) -> Outcome<EpochOutcome> {
    let key = message.session.as_str();
    let found = match wanted {
        Some(n) => tx.one(
            "SELECT n FROM epoch WHERE key = ?1 AND n = ?2 AND n <> ?3",
            params![key, int(n), int(session.epoch)],
            |row| count(row, 0),
        )?,
        None => tx.one(
            "SELECT n FROM epoch WHERE key = ?1 AND n <> ?2 AND ended_at IS NOT NULL
             ORDER BY ended_at DESC, n DESC LIMIT 1",
            params![key, int(session.epoch)],
            |row| count(row, 0),
        )?,
    };
    let Some(epoch) = found else {
        update(tx, session, message, session.last_user_at)?;
        return Ok(EpochOutcome {
            epoch: session.epoch,
            reason: Some(Reason::NoSuchEpoch),
            ..EpochOutcome::default()
        });
    };
    end(tx, &message.session, session.epoch, now)?;
    tx.run("UPDATE epoch SET ended_at = NULL WHERE key = ?1 AND n = ?2", params![key, int(epoch)])?;
    tx.run("UPDATE session SET epoch = ?2, held_back = 0 WHERE key = ?1", params![key, int(epoch)])?;
    update(tx, session, message, Some(now))?;
    Ok(EpochOutcome {
        epoch,
        ended: Some(session.epoch),
        reason: Some(Reason::FromEpoch(session.epoch)),
        ..EpochOutcome::default()
    })
}

fn begin(tx: &Tx<'_>, key: &SessionKey, n: u64, reason: EpochReason, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "INSERT INTO epoch (key, n, started_at, reason) VALUES (?1, ?2, ?3, ?4)",
        params![key.as_str(), int(n), ms(now), reason.to_string()],
    )?;
    Ok(())
}

fn end(tx: &Tx<'_>, key: &SessionKey, n: u64, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE epoch SET ended_at = ?3 WHERE key = ?1 AND n = ?2",
        params![key.as_str(), int(n), ms(now)],
    )?;
    Ok(())
}

/// Updates the session's address and the reference time of the reset rule, if either has changed.
fn update(
    tx: &Tx<'_>,
    session: &SessionState,
    message: &Admitted,
    last_user_at: Option<DateTime<Utc>>,
) -> Outcome<()> {
    let address: &Address = &message.event.address;
    if last_user_at != session.last_user_at || address.as_str() != session.address {
        tx.run(
            "UPDATE session SET address = ?2, last_user_at = ?3, archived_at = NULL WHERE key = ?1",
            params![message.session.as_str(), address.as_str(), last_user_at.map(ms)],
        )?;
    }
    Ok(())
}
