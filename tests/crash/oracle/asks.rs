//! O3: a question has one end, which is what its agent gets; and one turn asks it once, however often the gateway dies.

use std::collections::HashMap;

use super::Oracle;
use crate::agent::Step;
use crate::database::{Ask, Inbound};
use crate::journal::Expected;

impl Oracle<'_> {
    pub(super) fn asks(&mut self) {
        let mut by_turn: HashMap<i64, &Ask> = HashMap::new();
        for ask in &self.o.database.asks {
            let event = ask.turn_id.and_then(|turn| self.event_of_turn(turn));
            let by_author = || {
                let of_turn = ask.turn_id.and_then(|turn| self.rows_of(turn).first().copied());
                let led = of_turn.or_else(|| self.by_id.get(&ask.message_id?).copied());
                led.map(|row| &row.principal) == ask.answered_by.as_ref()
            };
            let answer_is_message = ask.turn_id.is_none();
            let wrong = match (ask.state.as_str(), ask.answer.as_deref()) {
                ("answered", Some("allow" | "deny")) if by_author() => None,
                ("answered", Some(_)) if answer_is_message && by_author() => None,
                ("open", None) if answer_is_message => None,
                ("expired", Some("deny")) | ("cancelled", None) => None,
                _ => Some("a question without a right end"),
            };
            let is_second = ask.turn_id.is_some_and(|turn| by_turn.insert(turn, ask).is_some());
            for what in wrong.into_iter().chain(is_second.then_some("a turn asked twice")) {
                self.report(event.clone(), format!("O3: a{}: {what}: {ask:?}", ask.id));
            }
        }
        self.what_follows();
        for seen in self.o.agents.iter().filter(|seen| seen.step == Step::Answer) {
            let stored = by_turn.get(&seen.turn).and_then(|ask| ask.answer.as_ref());
            if stored != seen.choice.as_ref() {
                let event = self.event_of_turn(seen.turn);
                self.report(event, format!("O3: the agent got another answer than {stored:?}: {seen:?}"));
            }
        }
        let is_press =
            |row: &&Inbound| self.event_of(row).is_some_and(|event| event.expected == Expected::Press);
        let presses = self.o.database.inbound.iter().filter(is_press).count();
        let answered = self.o.database.asks.iter().filter(|ask| ask.state == "answered").count();
        if presses != answered {
            self.report(None, format!("O3: {presses} presses are stored for {answered} answered questions"));
        }
    }

    /// O3: what follows from the answer to a question that nobody waits for is there once: a command, or the choice as a
    /// message.
    fn what_follows(&mut self) {
        let mut commands: HashMap<i64, usize> = HashMap::new();
        let mut texts: HashMap<&str, usize> = HashMap::new();
        for row in &self.o.database.inbound {
            if let Some(ask) = self.ask_before(row) {
                *commands.entry(ask.id).or_default() += 1;
            }
            if row.disposition == "turn" {
                *texts.entry(&row.body).or_default() += 1;
            }
        }
        for ask in &self.o.database.asks {
            let (due, found) = match ask.said() {
                Some(said) => (1, texts.get(said.as_str()).copied().unwrap_or(0)),
                None => (usize::from(ask.follows().is_some()), commands.get(&ask.id).copied().unwrap_or(0)),
            };
            if due != found {
                self.report(
                    None,
                    format!("O3: {found} messages follow from an answer instead of {due}: {ask:?}"),
                );
            }
        }
    }
}
