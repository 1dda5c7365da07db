//! Users are served while an admin has allowed them, and only then; and nothing is answered while a chat is muted.

use std::collections::HashMap;

use super::Oracle;
use crate::agent::Step;
use crate::database::Audit;
use crate::journal::{Event, Expected};

/// A change is effective everywhere at most this long after the time in its audit line.
const EFFECTIVE_MS: i64 = 500;
/// A decision and its time stamp may differ by this much.
const BLUR_MS: i64 = 100;

/// When something held: changes with their times, the oldest first.
#[derive(Default)]
struct Periods(Vec<(i64, bool)>);

impl Periods {
    fn at(&self, at: i64) -> bool {
        self.0.iter().rev().find(|(since, _)| *since <= at).is_some_and(|(_, holds)| *holds)
    }

    /// Whether it held at any time from `from` to `to`.
    fn ever(&self, from: i64, to: i64) -> bool {
        self.at(from) || self.0.iter().any(|(since, holds)| *holds && (from..=to).contains(since))
    }

    /// Whether it held all the time from `from` to `to`.
    fn always(&self, from: i64, to: i64) -> bool {
        self.at(from) && self.0.iter().all(|(since, holds)| *holds || !(from..=to).contains(since))
    }
}

impl Oracle<'_> {
    pub(super) fn access(&mut self) {
        let mut allowed: HashMap<&str, Periods> = HashMap::new();
        let mut unmuted: HashMap<&str, Periods> = HashMap::new();
        for Audit { at, action, subject, outcome, .. } in &self.o.database.audit {
            let user = subject.split(' ').next().unwrap_or_default();
            let unmuted = unmuted.entry(subject).or_insert_with(|| Periods(vec![(0, true)]));
            match action.as_str() {
                _ if outcome.starts_with("refused:") => {}
                "grant" => allowed.entry(user).or_default().0.push((*at, true)),
                "approve" if outcome == "done" => allowed.entry(user).or_default().0.push((*at, true)),
                "revoke" => allowed.entry(user).or_default().0.push((*at, false)),
                "mute" => unmuted.0.push((*at, false)),
                "unmute" => unmuted.0.push((*at, true)),
                _ => {}
            }
        }
        let (never, always) = (Periods::default(), Periods(vec![(0, true)]));
        for event in &self.o.journal.events {
            match event.expected {
                Expected::IfAllowed => {
                    self.only_in(event, allowed.get(event.author.as_str()).unwrap_or(&never), "allowed");
                }
                Expected::Turn if event.place.muted_at_times => {
                    let periods = unmuted.get(event.place.address.as_str());
                    self.only_in(event, periods.unwrap_or(&always), "unmuted");
                }
                _ => {}
            }
        }
    }

    /// An event is taken in these periods and not at other times.
    fn only_in(&mut self, event: &Event, periods: &Periods, what: &str) {
        let row = self.rows.get(&event.key()).copied();
        let Some(row) = row.filter(|row| row.disposition != "refused" || row.state == "superseded") else {
            let (Some(first), Some(accepted)) = (event.delivered.first(), event.accepted) else { return };
            if periods.always(first - EFFECTIVE_MS, accepted) {
                let what = format!("access: {what} all the time, and not taken: {row:?}");
                self.report(Some(event.key()), what);
            }
            return;
        };
        let slack = if what == "unmuted" { EFFECTIVE_MS } else { BLUR_MS };
        if !periods.ever(row.received_at - slack, row.received_at + BLUR_MS) {
            let what = format!("access: taken at {} and not {what} then", row.received_at);
            self.report(Some(event.key()), what);
        }
        // Nothing of a user reaches the agent whose access was revoked before the turn began.
        let Some(turn) = self.turn_of(row) else { return };
        let reached =
            self.o.agents.iter().any(|seen| {
                seen.turn == turn.id && seen.attempt == turn.attempt && seen.step == Step::Prompt
            });
        let begun = turn.started_at.unwrap_or(0);
        if what == "allowed" && reached && !periods.ever(begun - 1, begun) {
            let what = format!("access: reached the agent at {begun}, revoked before: {turn:?}");
            self.report(Some(event.key()), what);
        }
    }
}
