//! O3, O5: what the agents saw.

use std::collections::{HashMap, HashSet};

use super::{Oracle, SLACK_MS};
use crate::agent::{AgentRecord, Kind, Step, UNSEEN};
use crate::journal::{Command, Event};
use crate::script::{Script, Task};

/// The tag of a turn that holds nothing but files.
const FILES: &str = "files";

/// What the agents saw before.
#[derive(Default)]
struct Before<'a> {
    /// The steps of the attempts of turns.
    attempts: HashSet<(Step, i64, i64)>,
    /// The turn of each tag.
    turns_of: HashMap<&'a str, i64>,
    /// The tool of each turn.
    tools: HashMap<i64, &'a AgentRecord>,
}

impl<'a> Oracle<'a> {
    /// O3: one turn for one event (or for the parts of one album), and no more attempts than deaths explain.
    pub(super) fn turns(&mut self) {
        for turn in self.o.database.turns.values() {
            let rows = self.rows_of(turn.id).to_vec();
            let event = self.event_of_turn(turn.id);
            let is_album = rows.first().is_some_and(|first| {
                first.album.is_some() && rows.iter().all(|row| row.album == first.album)
            });
            // A revocation gives the messages of other users back and ends the turn.
            let was_emptied = rows.is_empty() && turn.state == "cancelled" && self.is_revocable(&turn.key);
            // See `queues`.
            let is_joined = !rows.is_empty() && self.queues.contains(&turn.key);
            if rows.len() != 1 && !is_album && !was_emptied && !is_joined {
                self.report(event.clone(), format!("O3: {turn:?} is for {} messages", rows.len()));
            }
            if turn.attempt - turn.released > 2 {
                self.report(event.clone(), format!("O3: too many attempts: {turn:?}"));
            }
            let own = match self.script_of(turn.id).map(|script| script.task) {
                // On a busy machine pi may not be ready within its minute.
                _ if self.o.kind == Kind::Pi => 1,
                Some(Task::Flaky) => 1,
                Some(Task::Poison) => 2,
                _ => 0,
            };
            let until = turn.finished_at.unwrap_or(i64::MAX).saturating_add(SLACK_MS);
            let kills = self.kills_between(turn.created_at, until).count();
            if turn.attempt - 1 > i64::try_from(kills).unwrap_or(i64::MAX) + own {
                self.report(event, format!("O3: attempts without a death: {turn:?}"));
            }
        }
    }

    /// O3: a prompt reaches the agent in one turn and once per attempt, with the right text and files, in the right
    /// session; its tool runs once, after its record, and ends the attempts.
    pub(super) fn prompts(&mut self) {
        let by_tag: HashMap<&str, &Event> = self
            .o
            .journal
            .events
            .iter()
            .filter_map(|event| Some((event.script.as_ref()?.tag.as_str(), event)))
            .collect();
        let mut before = Before::default();
        for seen in self.o.agents.iter().filter(|seen| !matches!(seen.step, Step::Steer | Step::Change)) {
            if !self.o.is_without_turn(seen) {
                self.prompt(&by_tag, seen, &mut before);
            }
        }
        self.runs_after_tools(&before);
        self.answers_without_prompt(&before);
    }

    /// One prompt or tool, after those before it.
    fn prompt(&mut self, by_tag: &HashMap<&str, &'a Event>, seen: &'a AgentRecord, before: &mut Before<'a>) {
        let Some(turn) = self.o.database.turns.get(&seen.turn) else {
            self.report(None, format!("O3: the agent saw a turn that is not there: {seen:?}"));
            return;
        };
        let rows = self.rows_of(turn.id).to_vec();
        let event = self.event_of_turn(turn.id);
        let is_retry =
            by_tag.get(seen.tag.as_str()).is_some_and(|event| event.place.command == Command::Retry);
        let is_known = seen.tag == FILES || self.work.places.contains_key(seen.tag.as_str());
        let is_second = seen.tag != FILES && *before.turns_of.entry(&seen.tag).or_insert(turn.id) != turn.id;
        let is_joined = || {
            let mut scripts = rows.iter().filter_map(|row| Script::read(row.question()));
            self.queues.contains(&turn.key) && scripts.any(|script| script.tag == seen.tag)
        };
        let is_question =
            || self.script_of(turn.id).is_some_and(|script| script.tag == seen.tag) || is_joined();
        let is_tool = seen.step == Step::Tool;
        let has_files = || {
            let files = self.files_of(turn.id);
            let same = |(seen, right): (&String, &&String)| seen == UNSEEN || seen == *right;
            seen.files.len() == files.len() && seen.files.iter().zip(&files).all(same)
        };
        // Where the attempt is not known, several prompts may belong to several attempts.
        let is_first = before.attempts.insert((seen.step, turn.id, seen.attempt));
        let may_repeat = seen.attempt == 0 && !is_tool;
        let checks = [
            (is_first || may_repeat, "the same step twice"),
            (is_known, "something that nobody sent"),
            (is_retry || !is_second || self.is_asked_again(turn), "two turns for one message"),
            (rows.is_empty() || is_question(), "the agent was asked something else"),
            (rows.is_empty() || is_tool || has_files(), "other files"),
            (seen.session.is_empty() || rows.iter().all(|row| row.key == seen.session), "another session"),
            (!is_tool || before.tools.insert(turn.id, seen).is_none(), "the tool ran twice"),
            (!is_tool || turn.side_effect_at.is_some(), "the tool ran without a record"),
        ];
        for what in checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what) {
            self.report(event.clone(), format!("O3: {what}: {seen:?}"));
        }
        self.only_this_chat(seen, event);
    }

    /// O3: no attempt begins after the tool of an earlier one.
    fn runs_after_tools(&mut self, before: &Before<'_>) {
        let mut ran: HashSet<i64> = HashSet::new();
        for seen in &self.o.agents {
            if seen.step == Step::Tool {
                ran.insert(seen.turn);
            }
            let is_again = match seen.attempt {
                0 => ran.contains(&seen.turn),
                attempt => before.tools.get(&seen.turn).is_some_and(|tool| attempt > tool.attempt),
            };
            if is_again && seen.step == Step::Prompt {
                let event = self.event_of_turn(seen.turn);
                self.report(event, format!("O3: run again after its tool began: {seen:?}"));
            }
        }
    }

    /// O3: every answer comes from an agent.
    fn answers_without_prompt(&mut self, before: &Before<'_>) {
        for turn in self.o.database.turns.values().filter(|turn| turn.state == "done") {
            let numbers = [turn.attempt, 0];
            let has_record =
                numbers.iter().any(|attempt| before.attempts.contains(&(Step::Prompt, turn.id, *attempt)));
            let is_known = || {
                let tag = self.script_of(turn.id).map(|script| script.tag);
                let mut prompts = self.o.agents.iter().filter(|seen| seen.attempt == 0);
                self.o.kind == Kind::OpenAi && prompts.any(|seen| Some(&seen.tag) == tag.as_ref())
            };
            if !has_record && !is_known() {
                self.report(self.event_of_turn(turn.id), format!("O3: answered by no agent: {turn:?}"));
            }
        }
    }

    /// All text in a prompt was sent in that chat, by users whom the gateway serves there.
    fn only_this_chat(&mut self, seen: &AgentRecord, key: Option<String>) {
        let event = key.as_ref().and_then(|key| self.o.journal.event(key));
        let of_work = || self.work.places.get(seen.tag.as_str()).map(|(place, _)| *place);
        let place = event.map(|event| &event.place).or_else(of_work);
        for tag in &seen.tags {
            // The end of a quoted text may be cut off.
            let is_quoted = || {
                let mut places = self.work.places.iter().filter(|(whole, _)| whole.starts_with(tag));
                places.any(|(_, (found, _))| place == Some(*found))
            };
            let wrong = match self.work.places.get(tag.as_str()) {
                None if is_quoted() => None,
                None => Some("text that nobody sent"),
                Some((_, true)) => Some("text of a user who is not served"),
                Some((found, _)) if place.is_some_and(|place| place != *found) => {
                    Some("text of another chat")
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                self.report(key.clone(), format!("O3: {wrong} reached the agent: {tag} in {seen:?}"));
            }
        }
    }

    /// O5: the agent saw the messages of a session in the order in which they were accepted. Only the attempt that was
    /// answered counts: the record of a killed one may be written late.
    pub(super) fn order_of_prompts(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        let prompts = || self.o.agents.iter().filter(|seen| seen.step == Step::Prompt);
        let mut counts: HashMap<i64, usize> =
            prompts().enumerate().map(|(at, seen)| (seen.turn, at)).collect();
        if self.o.kind == Kind::OpenAi {
            // The prompts of a `/retry` are found under the turn that it repeats.
            counts.clear();
            prompts().enumerate().for_each(|(at, seen)| _ = counts.entry(seen.turn).or_insert(at));
        }
        for (at, seen) in prompts().enumerate() {
            let Some(turn) = self.o.database.turns.get(&seen.turn) else { continue };
            let Some(row) = self.rows_of(turn.id).first().copied() else { continue };
            let is_answered = match seen.attempt {
                0 => counts.get(&turn.id) == Some(&at),
                attempt => turn.attempt == attempt,
            };
            if turn.state != "done" || !is_answered {
                continue;
            }
            let last = last.entry(&row.key).or_insert(0);
            if row.id < *last {
                self.report(Some(row.event()), format!("O5: the agent saw it after m{last}"));
            }
            *last = row.id.max(*last);
        }
    }
}
