//! Who was heard while an admin had let them in, and only then; and who was not heard while a chat was muted.

use std::collections::HashMap;

use super::{Court, update_of};
use crate::book::{Act, Lot};
use crate::cast::{BOARD, Place};
use crate::database::Audit;

/// A change is known everywhere some time after its line in the audit was dated.
const KNOWN: i64 = 500;
/// What is decided and what is dated may change places by so much.
const BLUR: i64 = 100;

/// When something held: changes with their times, the oldest first.
#[derive(Default)]
struct Times(Vec<(i64, bool)>);

impl Times {
    fn at(&self, at: i64) -> bool {
        self.0.iter().rev().find(|(since, _)| *since <= at).is_some_and(|(_, holds)| *holds)
    }

    /// Whether it held at any time of these.
    fn ever(&self, from: i64, to: i64) -> bool {
        self.at(from) || self.0.iter().any(|(since, holds)| *holds && (from..=to).contains(since))
    }

    /// Whether it held at all times of these.
    fn always(&self, from: i64, to: i64) -> bool {
        self.at(from) && self.0.iter().all(|(since, holds)| *holds || !(from..=to).contains(since))
    }
}

impl Court<'_> {
    pub(super) fn access(&mut self) {
        let board = Place::group("board", BOARD, None).address();
        let mut let_in: HashMap<String, Times> = HashMap::new();
        let mut heard = Times(vec![(0, true)]);
        for Audit { at, action, subject, outcome, .. } in &self.e.database.audit {
            let who = subject.split(' ').next().unwrap_or_default();
            match action.as_str() {
                "grant" => let_in.entry(who.to_owned()).or_default().0.push((*at, true)),
                "approve" if outcome == "done" => {
                    let_in.entry(who.to_owned()).or_default().0.push((*at, true))
                }
                "revoke" => let_in.entry(who.to_owned()).or_default().0.push((*at, false)),
                "mute" if *subject == board => heard.0.push((*at, false)),
                "unmute" if *subject == board => heard.0.push((*at, true)),
                _ => {}
            }
        }
        let nobody = Times::default();
        for act in &self.e.book.acts {
            let is_on_board = act.lot == Lot::Answered && act.place.chat == BOARD;
            let (times, what) = match act.lot {
                Lot::IfAllowed => (let_in.get(&act.author()).unwrap_or(&nobody), "let in"),
                Lot::Answered if is_on_board => (&heard, "heard"),
                _ => continue,
            };
            self.only_then(act, times, what);
        }
    }

    fn only_then(&mut self, act: &Act, times: &Times, what: &str) {
        let row = self.rows.get(&act.key()).copied();
        let taken = row.filter(|row| row.disposition != "refused" || row.state == "superseded");
        match taken {
            Some(row) => {
                let slack = if what == "heard" { KNOWN } else { BLUR };
                if !times.ever(row.received - slack, row.received + BLUR) {
                    self.find(
                        update_of(row),
                        format!("access: taken at {} and not {what} then", row.received),
                    );
                }
            }
            None => {
                let Some(seen) = self.e.deliveries.get(&act.key()) else { return };
                let (Some((first, _)), Some(confirmed)) = (seen.delivered.first(), seen.confirmed) else {
                    return;
                };
                if times.always(first - KNOWN, confirmed) {
                    self.find(
                        Some(act.key()),
                        format!("access: {what} all the time, and not taken: {row:?}"),
                    );
                }
            }
        }
        // Whoever was shut out before the turn was begun must not reach the agent.
        let Some(turn) = taken.and_then(|row| self.turn_of(row)) else { return };
        let reached = self.e.agents.iter().any(|seen| {
            seen.turn == format!("t{}", turn.id)
                && i64::from(seen.attempt) == turn.attempt
                && seen.what == "prompt"
        });
        let begun = turn.started.unwrap_or(0);
        if what == "let in" && reached && !times.ever(begun - 1, begun) {
            self.find(
                Some(act.key()),
                format!("access: reached the agent at {begun}, shut out before: {turn:?}"),
            );
        }
    }
}
