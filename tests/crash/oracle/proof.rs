//! Tests the oracle: falsifies a copy of the observations in one place at a time, and each falsification must be found.

mod falsifications;

use self::falsifications::{ALL, Falsification};
use super::judge;
use crate::clock;
use crate::observed::Observed;

/// Falsifications that no check has found yet. Those that need something that has not happened yet are tried again
/// with the observations of the next check.
pub struct Proof {
    open: Vec<&'static Falsification>,
    missed: Vec<&'static str>,
}

impl Proof {
    pub fn new() -> Self {
        Self { open: ALL.iter().collect(), missed: Vec::new() }
    }

    /// Tries what is open; returns whether everything that could be tried was found.
    pub fn attempt(&mut self, observed: &Observed) -> bool {
        let begun = clock::instant();
        let tried = self.open.len();
        let missed = &mut self.missed;
        self.open.retain(|(what, finding, falsify)| {
            let mut copy = observed.clone();
            if falsify(&mut copy).is_none() {
                return true;
            }
            if !judge(&copy).violations.iter().any(|violation| violation.what.contains(finding)) {
                missed.push(what);
            }
            false
        });
        for what in &self.missed {
            println!("crash: the oracle does not notice: {what}");
        }
        let (found, took) = (tried - self.open.len(), begun.elapsed().as_millis());
        if found > 0 {
            println!("crash: {found} of {} falsifications were tried, in {took} ms", ALL.len());
        }
        self.missed.is_empty()
    }

    /// What nothing happened for that could be falsified.
    pub fn untried(&self) -> Vec<&'static str> {
        self.open.iter().map(|(what, ..)| *what).collect()
    }
}
