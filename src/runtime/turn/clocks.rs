//! The two deadlines of a turn: its length, and the agent's silence. Both rest while a question to a person is open.

use std::time::Duration;

use frontdesk_core::notice::Failure;
use frontdesk_core::port::Mono;

pub(super) struct TurnClocks {
    /// When the turn has run for too long.
    hard: Mono,
    /// When the agent last reported something.
    last_delta: Mono,
    /// How long it may be silent.
    patience: Duration,
    /// Since when the clocks rest.
    resting: Option<Mono>,
}

impl TurnClocks {
    pub(super) fn start(now: Mono, hard: Duration, patience: Duration) -> Self {
        Self { hard: now + hard, last_delta: now, patience, resting: None }
    }

    /// When [`TurnClocks::exceeded`] is to be asked; `None` while they rest.
    pub(super) fn due(&self) -> Option<Mono> {
        self.resting.is_none().then(|| self.hard.min(self.last_delta + self.patience))
    }

    /// The agent has reported something.
    pub(super) fn heard(&mut self, now: Mono) {
        self.last_delta = now;
    }

    /// Whether a question is open now.
    pub(super) fn rest(&mut self, open: bool, now: Mono) {
        match (self.resting, open) {
            (None, true) => self.resting = Some(now),
            (Some(since), false) => {
                self.resting = None;
                self.hard = self.hard + now.since(since);
                self.last_delta = now;
            }
            _ => {}
        }
    }

    /// The failure of a turn that has exceeded a deadline.
    pub(super) fn exceeded(&self, now: Mono) -> Option<(Failure, &'static str)> {
        match self.resting {
            Some(_) => None,
            None if now >= self.hard => Some((Failure::TooLong, "the hard limit was reached")),
            None if now >= self.last_delta + self.patience => {
                Some((Failure::Silent, "the agent sent nothing for too long"))
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    #[test]
    fn the_time_that_a_question_is_open_counts_for_neither_deadline() {
        let mut clocks = TurnClocks::start(at(0), Duration::from_secs(100), Duration::from_secs(20));
        assert_eq!(clocks.due(), Some(at(20)));
        clocks.rest(true, at(10));
        clocks.rest(true, at(500));
        assert_eq!((clocks.due(), clocks.exceeded(at(9_000))), (None, None));
        clocks.rest(false, at(1_010));
        assert_eq!(clocks.exceeded(at(1_029)), None);
        assert_eq!(clocks.exceeded(at(1_030)).unwrap().0, Failure::Silent);
        for second in (1_010..1_100).step_by(10) {
            clocks.heard(at(second));
            assert_eq!(clocks.exceeded(at(second)), None);
        }
        assert_eq!(clocks.exceeded(at(1_100)).unwrap().0, Failure::TooLong);
    }
}
