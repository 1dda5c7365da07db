//! What the gateway has done lately, for those who watch it live. It is kept in memory and says which rows changed; the rows
//! themselves are in the database.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use tokio::sync::watch;

/// How many steps are kept, for those who connect again.
const KEPT: usize = 1000;

/// One step of the gateway's work. No text of a message is in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// An event of a platform was stored or turned away; `outcome` is the name of the metric.
    Received {
        /// The account.
        account: AccountId,
        /// What became of it.
        outcome: &'static str,
        /// The message, if it became one.
        message: Option<MessageId>,
        /// Its session.
        session: Option<SessionKey>,
    },
    /// An agent begins to work on a turn.
    TurnBegan {
        /// The turn.
        turn: TurnId,
        /// Its session.
        session: SessionKey,
    },
    /// A turn has ended.
    TurnEnded {
        /// The turn.
        turn: TurnId,
        /// Its session.
        session: SessionKey,
        /// For how long it ran.
        seconds: f64,
    },
    /// A part was sent, or not; `outcome` is the name of the metric.
    Sent {
        /// The part.
        part: OutId,
        /// The account.
        account: AccountId,
        /// What became of it.
        outcome: &'static str,
        /// Why it was not sent, without words of the message.
        cause: Option<String>,
    },
}

/// A step, its number and when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// One more than that of the step before.
    pub number: u64,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// What it was.
    pub activity: Activity,
}

/// The latest steps.
pub(crate) struct ActivityLog {
    steps: Mutex<VecDeque<Step>>,
    /// The number of the last one.
    last: watch::Sender<u64>,
}

impl Default for ActivityLog {
    fn default() -> Self {
        Self { steps: Mutex::default(), last: watch::Sender::new(0) }
    }
}

impl ActivityLog {
    /// Adds a step.
    pub(crate) fn note(&self, at: DateTime<Utc>, activity: Activity) {
        let mut steps = self.lock();
        let number = *self.last.borrow() + 1;
        if steps.len() >= KEPT {
            steps.pop_front();
        }
        steps.push_back(Step { number, at, activity });
        self.last.send_replace(number);
    }

    /// The steps after this number that are kept, and whether some in between are not.
    pub(crate) fn after(&self, number: u64) -> (Vec<Step>, bool) {
        let steps = self.lock();
        let newer: Vec<Step> = steps.iter().filter(|step| step.number > number).cloned().collect();
        let missing = newer.first().is_some_and(|first| first.number > number + 1);
        (newer, missing)
    }

    /// Follows the number of the last step.
    pub(crate) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_steps_are_kept_and_a_gap_is_told() {
        let log = ActivityLog::default();
        let step = |turn| Activity::TurnBegan {
            turn: TurnId(turn),
            session: "agent:main:web:dm:main".parse().unwrap(),
        };
        (1..=3).for_each(|turn| log.note(DateTime::UNIX_EPOCH, step(turn)));
        let (newer, missing) = log.after(1);
        assert_eq!((newer.iter().map(|step| step.number).collect::<Vec<_>>(), missing), (vec![2, 3], false));
        assert_eq!((log.after(3), *log.last().borrow()), ((Vec::new(), false), 3));
        (0..KEPT as i64).for_each(|turn| log.note(DateTime::UNIX_EPOCH, step(turn)));
        let (newer, missing) = log.after(1);
        assert_eq!((newer.len(), newer[0].number, missing), (KEPT, 4, true));
    }
}
