//! Tests the oracle: falsifies a copy of the observations in one place at a time, and each falsification must be found.

mod falsifications;

use std::cell::Cell;
use std::panic::resume_unwind;

use self::falsifications::{Falsification, all};
use super::finds;
use crate::clock;
use crate::observed::Observed;

/// How many candidates of one falsification are tried with each check.
const ATTEMPTS: usize = 4;

thread_local! {
    /// Which candidate is falsified.
    static ATTEMPT: Cell<usize> = const { Cell::new(0) };
}

/// Falsifications that no check has found yet. They are tried again with the observations of the next check: what a
/// falsification needs may not have happened yet, and a kill that lies near may explain what it has changed.
pub struct Proof {
    open: Vec<&'static Falsification>,
}

impl Proof {
    pub fn new() -> Self {
        Self { open: all().collect() }
    }

    /// Tries what is open. Returns `false` after the last check if one that could be tried was never found.
    pub fn attempt(&mut self, observed: &Observed, is_last: bool) -> bool {
        let begun = clock::instant();
        let tried = self.open.len();
        // On two threads, because everything else rests meanwhile.
        let half = tried.div_ceil(2).max(1);
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let halves = self.open.chunks(half).map(|half| {
                scope.spawn(|| half.iter().map(|one| outcome(observed, one)).collect::<Vec<_>>())
            });
            let halves: Vec<_> = halves.collect();
            halves
                .into_iter()
                .flat_map(|half| half.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        let (mut open, mut missed) = (Vec::new(), Vec::new());
        for (falsification, outcome) in self.open.drain(..).zip(outcomes) {
            match outcome {
                Outcome::Found => {}
                Outcome::Missed => {
                    missed.push(falsification.0);
                    open.push(falsification);
                }
                Outcome::Nothing => open.push(falsification),
            }
        }
        self.open = open;
        for what in &missed {
            let so_far = if is_last { "" } else { " yet" };
            println!("crash: the oracle does not notice{so_far}: {what}");
        }
        let (found, took) = (tried - self.open.len(), begun.elapsed().as_millis());
        if found > 0 {
            println!("crash: {found} of {} falsifications were tried, in {took} ms", all().count());
        }
        !is_last || missed.is_empty()
    }

    /// What nothing happened for that could be falsified.
    pub fn untried(&self) -> Vec<&'static str> {
        self.open.iter().map(|(what, ..)| *what).collect()
    }
}

/// What became of one falsification.
enum Outcome {
    Found,
    Missed,
    /// Nothing happened that could be falsified.
    Nothing,
}

/// Falsifies one candidate after the other, because something else may explain what is changed of one of them.
fn outcome(observed: &Observed, (_, finding, falsify): &Falsification) -> Outcome {
    let mut outcome = Outcome::Nothing;
    for attempt in 0..ATTEMPTS {
        ATTEMPT.set(attempt);
        let mut copy = observed.clone();
        if falsify(&mut copy).is_none() {
            break;
        }
        if finds(&copy, finding) {
            return Outcome::Found;
        }
        outcome = Outcome::Missed;
    }
    outcome
}
