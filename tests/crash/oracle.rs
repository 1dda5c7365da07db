//! The oracles: what everybody saw against what is in the database.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::agent::Seen;
use crate::database::{Database, Inbound, Out, Turn};
use crate::journal::{Book, Rule, Sent, Way};
use crate::platform::Took;
use crate::script::{Deed, Script};

/// A request may reach the platform a little after the daemon that wrote it was killed.
const SLACK: u64 = 100;

/// Everything that is compared.
pub struct Evidence<'a> {
    pub book: &'a Book,
    pub database: &'a Database,
    pub agents: &'a [Seen],
    pub took: &'a [Took],
    pub messages: &'a HashMap<String, (String, String)>,
}

/// What must not be: whose story tells more, and what it is.
#[derive(Debug, Clone)]
pub struct Violation {
    pub event: Option<String>,
    pub what: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Parts that the platform has more than once, each explained by a kill or a lost response.
    pub duplicates: usize,
}

/// Runs every oracle.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let mut court =
        Court { e: evidence, rows: HashMap::new(), by_turn: HashMap::new(), verdict: Verdict::default() };
    for row in &evidence.database.inbound {
        court.rows.insert((row.source.split(':').next().unwrap_or_default(), row.event.as_str()), row);
        if let Some(turn) = row.turn {
            court.by_turn.entry(turn).or_default().push(row);
        }
    }
    court.accepted();
    court.ends();
    court.turns();
    court.prompts();
    court.order();
    court.web();
    court.lab();
    court.duplicates();
    court.dispatches();
    court.epochs();
    court.at_rest();
    for wrong in &evidence.book.wrong {
        court.find(None, wrong.clone());
    }
    court.verdict
}

struct Court<'a> {
    e: &'a Evidence<'a>,
    /// By channel and event id.
    rows: HashMap<(&'a str, &'a str), &'a Inbound>,
    by_turn: HashMap<i64, Vec<&'a Inbound>>,
    verdict: Verdict,
}

impl<'a> Court<'a> {
    fn find(&mut self, event: Option<&str>, what: String) {
        self.verdict.violations.push(Violation { event: event.map(str::to_owned), what });
    }

    fn row_of(&self, sent: &Sent) -> Option<&'a Inbound> {
        let channel = if sent.chat.way == Way::Lab { "lab" } else { "web" };
        self.rows.get(&(channel, sent.event.as_str())).copied()
    }

    fn sent_of(&self, row: &Inbound) -> Option<&'a Sent> {
        self.e.book.sent.get(&row.event)
    }

    fn turn_of(&self, row: &Inbound) -> Option<&'a Turn> {
        self.e.database.turns.get(&row.turn?)
    }

    fn rule(&self, key: &str) -> Rule {
        let sent = self.e.book.sent.values().find(|sent| sent.chat.session() == key);
        sent.map_or(Rule::Strict, |sent| sent.chat.rule)
    }

    /// O1: whatever was accepted is there, once, as it was sent, in the order in which it was sent.
    fn accepted(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for event in &self.e.book.order {
            let Some(sent) = self.e.book.sent.get(event) else { continue };
            let Some(row) = self.row_of(sent) else {
                if sent.accepted.is_some() {
                    self.find(Some(event), "O1: accepted and lost".to_owned());
                }
                continue;
            };
            if sent.accepted.is_none() {
                self.find(Some(event), "O1: stored, and nobody was told".to_owned());
            }
            if let Some((_, Some(message))) = &sent.accepted
                && *message != format!("m{}", row.id)
            {
                self.find(Some(event), format!("O1: accepted as {message} and stored as m{}", row.id));
            }
            // A /retry takes the words of the message that it runs again.
            if (row.body != sent.text && sent.text != "/retry") || row.key != sent.chat.session() {
                self.find(Some(event), format!("O1: stored as something else: {row:?}"));
            }
            let last = last.entry(sent.chat.name.as_str()).or_insert(0);
            if row.id < *last {
                self.find(
                    Some(event),
                    format!("O5: stored as {} after {last}, against the order of sending", row.id),
                );
            }
            *last = row.id;
        }
        for row in &self.e.database.inbound {
            if self.sent_of(row).is_none() {
                self.find(None, format!("O1: a row that nobody sent: {row:?}"));
            }
        }
    }

    /// O2: each message ends in one visible state, and in the right one.
    fn ends(&mut self) {
        for row in &self.e.database.inbound {
            let Some(sent) = self.sent_of(row) else { continue };
            let wrong = match (row.disposition.as_str(), row.state.as_str()) {
                ("turn", "answered") => self.answered(row),
                ("turn", "dead") => self.dead(row),
                ("turn", "cancelled") if sent.chat.rule == Rule::Stops => None,
                ("command", "answered") => self.replied(row),
                (disposition, state) => Some(format!("a {disposition} that is {state} ({:?})", row.reason)),
            };
            if let Some(wrong) = wrong {
                self.find(Some(&row.event), format!("O2: {wrong}"));
            }
        }
    }

    fn answered(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("answered without a turn".to_owned()) };
        let right = Script::read(&row.body).map(|script| script.answer());
        if turn.state != "done" {
            return Some(format!("answered, and its turn is {}", turn.state));
        }
        (turn.answer != right).then(|| format!("the answer is {:?}", turn.answer))
    }

    /// A message may die of its script, of two deaths, or after its tool had begun; and it says so.
    fn dead(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("dead without a turn".to_owned()) };
        let deed = Script::read(&row.body).map(|script| script.deed);
        let deaths = turn.attempt - turn.released;
        let fair = match turn.error.as_deref() {
            Some("agent_failed") => deed == Some(Deed::Fail),
            Some("agent_crashed") => deaths == 2 && !turn.acted,
            Some("interrupted") => turn.acted && matches!(deed, Some(Deed::Tool { .. })),
            _ => false,
        };
        if !fair {
            return Some(format!("dead without a good reason: {turn:?}"));
        }
        let told = self.e.database.outbox.iter().any(|out| {
            out.turn == Some(turn.id) && (out.kind == "notice" || out.body.ends_with("(interrupted, /retry)"))
        });
        (!told).then(|| "dead, and nobody was told".to_owned())
    }

    fn replied(&self, row: &Inbound) -> Option<String> {
        if row.turn.is_some() {
            return None;
        }
        let replies = self.e.database.outbox.iter().filter(|out| out.message == Some(row.id)).count();
        (replies != 1).then(|| format!("a command with {replies} replies"))
    }

    /// O3: one turn for one event, and no more attempts than deaths explain.
    fn turns(&mut self) {
        for turn in self.e.database.turns.values() {
            let rows = self.by_turn.get(&turn.id).cloned().unwrap_or_default();
            let [row] = rows.as_slice() else {
                self.find(None, format!("O3: {turn:?} is for {} messages", rows.len()));
                continue;
            };
            if turn.attempt - turn.released > 2 {
                self.find(Some(&row.event), format!("O3: {} attempts", turn.attempt));
            }
            let deaths_by_script = match Script::read(&row.body).map(|script| script.deed) {
                Some(Deed::Flaky) => 1,
                Some(Deed::Poison) => 2,
                _ => 0,
            };
            let from = turn.created.unsigned_abs().saturating_sub(SLACK);
            let to = turn.finished.map_or(u64::MAX, i64::unsigned_abs).saturating_add(SLACK);
            let kills = self.e.book.kills.iter().filter(|at| (from..=to).contains(*at)).count();
            if turn.attempt - 1 > i64::try_from(kills).unwrap_or(i64::MAX) + deaths_by_script {
                let what = format!("O3: {} attempts and {kills} kills in its time", turn.attempt);
                self.find(Some(&row.event), what);
            }
        }
    }

    /// O3: what the agents saw. A prompt once per attempt, a tool once, and nothing after the tool.
    fn prompts(&mut self) {
        let mut attempts: HashSet<(&str, &str, u32)> = HashSet::new();
        let mut turns_of: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut tools: HashMap<(&str, &str), &Seen> = HashMap::new();
        let events: HashMap<&str, &Sent> = self
            .e
            .book
            .sent
            .values()
            .filter_map(|sent| Some((sent.script.as_ref()?.tag.as_str(), sent)))
            .collect();
        for seen in self.e.agents {
            let Some(sent) = events.get(seen.tag.as_str()) else {
                self.find(None, format!("O3: the agent saw something that nobody sent: {seen:?}"));
                continue;
            };
            let event = Some(sent.event.as_str());
            if !attempts.insert((&seen.what, &seen.turn, seen.attempt)) {
                self.find(event, format!("O3: the same {} twice: {seen:?}", seen.what));
            }
            let turns = turns_of.entry(&seen.tag).or_default();
            turns.insert(&seen.turn);
            if turns.len() > 1 && sent.chat.rule != Rule::Retries {
                self.find(event, format!("O3: two turns for one message: {turns:?}"));
            }
            if seen.what == "tool" {
                if tools.insert((&seen.tag, &seen.turn), seen).is_some() {
                    self.find(event, format!("O3: the tool ran twice: {seen:?}"));
                }
                let turn = number(&seen.turn).and_then(|id| self.e.database.turns.get(&id));
                if turn.is_none_or(|turn| !turn.acted) {
                    self.find(event, format!("O3: the tool ran without a record: {turn:?}"));
                }
            }
        }
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let tool = tools.get(&(seen.tag.as_str(), seen.turn.as_str()));
            if tool.is_some_and(|tool| seen.attempt > tool.attempt) {
                let event = events.get(seen.tag.as_str()).map(|sent| sent.event.as_str());
                self.find(event, format!("O3: run again after its tool had begun: {seen:?}"));
            }
        }
        for turn in self.e.database.turns.values().filter(|turn| turn.state == "done") {
            let name = format!("t{}", turn.id);
            let attempt = u32::try_from(turn.attempt).unwrap_or(0);
            if !attempts.contains(&("prompt", &name, attempt)) {
                self.find(None, format!("O3: answered by nobody: {turn:?}"));
            }
        }
    }

    /// O5: per session the agent saw the messages, and the answers came, in the order of acceptance. Only the
    /// attempt that was answered counts: the line of a killed one may come late.
    fn order(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let Some(turn) = number(&seen.turn).and_then(|id| self.e.database.turns.get(&id)) else {
                continue;
            };
            if turn.state != "done" || turn.attempt != i64::from(seen.attempt) {
                continue;
            }
            let Some(row) = self.by_turn.get(&turn.id).and_then(|rows| rows.first()).copied() else {
                continue;
            };
            // A /retry is a command first, and has its place in the queue only when it has been carried out.
            if self.sent_of(row).is_none_or(|sent| sent.text == "/retry") {
                continue;
            }
            let last = last.entry(&turn.key).or_insert(0);
            if row.id < *last {
                self.find(Some(&row.event), format!("O5: the agent saw it after {last}"));
            }
            *last = row.id.max(*last);
        }
        let mut last: HashMap<&str, (i64, i64)> = HashMap::new();
        for out in self.e.database.outbox.iter().filter(|out| out.kind == "answer") {
            let (Some(key), Some(turn), Some(seq)) = (&out.key, out.turn, out.seq) else { continue };
            let Some(row) = self.by_turn.get(&turn).and_then(|rows| rows.first()).copied() else { continue };
            if self.sent_of(row).is_none_or(|sent| sent.text == "/retry") {
                continue;
            }
            let (id, number) = last.get(key.as_str()).copied().unwrap_or_default();
            if (row.id < id) != (seq < number) {
                self.find(
                    Some(&row.event),
                    format!("O5: its answer has seq {seq}, after that of m{id} with {number}"),
                );
            }
            last.insert(key, (row.id, seq));
        }
    }

    /// O2: what the database holds for the readers of the web channel, they have read: every number once.
    fn web(&mut self) {
        let nothing = BTreeMap::new();
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for out in &self.e.database.outbox {
            let (Some(key), Some(seq)) = (&out.key, out.seq) else { continue };
            let seq = seq.unsigned_abs();
            *numbers.entry(key).or_default() += 1;
            let event = self.event_of(out);
            let kind = if out.kind == "answer" { "done" } else { "message" };
            match self.e.book.frames.get(key).unwrap_or(&nothing).get(&seq) {
                None => self.find(event, format!("O2: {key} never showed seq {seq}: {}", out.body)),
                Some(frame) if frame.kind != kind || frame.text != out.body => {
                    self.find(event, format!("O2: {key} showed {frame:?} for {out:?}"));
                }
                Some(_) => {}
            }
            let right = self.right_answer(out);
            if right.is_some_and(|right| right != out.body) {
                self.find(event, format!("O2: {key} was answered {:?}", out.body));
            }
        }
        for (key, last) in &self.e.database.seqs {
            if numbers.get(key.as_str()).copied().unwrap_or(0) != *last && key.contains(":web:") {
                self.find(
                    None,
                    format!("O2: {key} stands at seq {last} and has {:?} lines", numbers.get(key.as_str())),
                );
            }
        }
        for (key, frames) in &self.e.book.frames {
            let last = frames.keys().next_back().copied().unwrap_or(0);
            if last > self.e.database.seqs.get(key).copied().unwrap_or(0) {
                self.find(None, format!("O2: {key} showed seq {last}, which is not in the database"));
            }
        }
    }

    fn event_of(&self, out: &Out) -> Option<&'a str> {
        let by_turn =
            || self.by_turn.get(&out.turn?).and_then(|rows| rows.first()).map(|row| row.event.as_str());
        let by_message = || {
            let row = self.e.database.inbound.iter().find(|row| Some(row.id) == out.message)?;
            Some(row.event.as_str())
        };
        by_turn().or_else(by_message)
    }

    /// The answer that belongs there, for an answered turn of a script.
    fn right_answer(&self, out: &Out) -> Option<String> {
        let turn = self.e.database.turns.get(&out.turn?)?;
        if turn.state != "done" || out.kind != "answer" {
            return None;
        }
        let row = self.by_turn.get(&turn.id)?.first()?;
        Script::read(&row.body).map(|script| script.answer())
    }

    /// O2, O5: the platform has every part, whole, and got them in order.
    fn lab(&mut self) {
        let mut first: HashMap<(&str, &str), usize> = HashMap::new();
        for (place, took) in self.e.took.iter().enumerate() {
            first.entry((&took.key, &took.text)).or_insert(place);
        }
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut whole: BTreeMap<i64, String> = BTreeMap::new();
        for out in self.e.database.outbox.iter().filter(|out| out.address.starts_with("lab:")) {
            let event = self.event_of(out);
            if out.state != "sent" {
                self.find(event, format!("O2: a part is {}: {out:?}", out.state));
                continue;
            }
            let there = out.platform.as_ref().and_then(|id| self.e.messages.get(id));
            if there.is_none_or(|(chat, text)| format!("lab:{chat}") != out.address || *text != out.body) {
                self.find(event, format!("O2: the platform shows {there:?} for {out:?}"));
            }
            if let (Some(turn), "answer") = (out.turn, out.kind.as_str()) {
                whole.entry(turn).or_default().push_str(&out.body);
            }
            let Some(place) = first.get(&(out.part.as_str(), out.body.as_str())).copied() else { continue };
            let last = last.entry(&out.address).or_insert(0);
            if place < *last {
                self.find(event, format!("O5: it arrived before an older part: {out:?}"));
            }
            *last = place;
        }
        for (turn, text) in whole {
            let rows = self.by_turn.get(&turn).cloned().unwrap_or_default();
            let done = self.e.database.turns.get(&turn).is_some_and(|turn| turn.state == "done");
            let (Some(row), true) = (rows.first(), done) else { continue };
            let Some(script) = Script::read(&row.body) else { continue };
            if solid(&text) != solid(&script.answer()) {
                self.find(Some(&row.event), format!("O2: the parts do not make the answer: {text:?}"));
            }
        }
        for row in self.e.database.inbound.iter().filter(|row| row.source.starts_with("lab:")) {
            let done = self.turn_of(row).is_some_and(|turn| turn.state == "done");
            if done && !self.e.database.outbox.iter().any(|out| out.turn == row.turn) {
                self.find(Some(&row.event), "O2: answered without a part".to_owned());
            }
        }
    }

    /// O4: a part that the platform took again needs a lost response, or a kill in between.
    fn duplicates(&mut self) {
        let mut posts: HashMap<&str, Vec<&Took>> = HashMap::new();
        for took in self.e.took.iter().filter(|took| !took.edit) {
            posts.entry(&took.key).or_default().push(took);
        }
        for (key, posts) in posts {
            for pair in posts.windows(2) {
                let [one, two] = pair else { continue };
                let window = one.at.saturating_sub(SLACK)..=two.at;
                let killed = self.e.book.kills.iter().any(|at| window.contains(at));
                self.verdict.duplicates += 1;
                if !one.lost && !killed {
                    self.find(
                        None,
                        format!("O4: {key} was posted again without a reason: {one:?}, then {two:?}"),
                    );
                }
            }
        }
    }

    /// What was handed to `/api/send` is there once.
    fn dispatches(&mut self) {
        for (key, (text, taken)) in &self.e.book.dispatches {
            let rows = self.e.database.outbox.iter().filter(|out| out.body == *text).count();
            if *taken && rows != 1 {
                self.find(None, format!("O1: send {key} was taken and is there {rows} times"));
            }
        }
    }

    /// O7: each `/new` begins one epoch, and every message belongs to the one of its time.
    fn epochs(&mut self) {
        let mut now: HashMap<&str, i64> = HashMap::new();
        let mut began: HashMap<&str, i64> = HashMap::new();
        for row in &self.e.database.inbound {
            let first = !now.contains_key(row.key.as_str());
            let epoch = now.entry(&row.key).or_insert(1);
            if row.body == "/new" && row.disposition == "command" && !first {
                *epoch += 1;
                *began.entry(&row.key).or_default() += 1;
            }
            let expected = *epoch;
            if row.epoch != expected {
                self.find(Some(&row.event), format!("O7: in epoch {} instead of {expected}", row.epoch));
            }
        }
        for key in self.e.database.seqs.keys() {
            let expected = began.get(key.as_str()).copied().unwrap_or(0);
            let found = self.e.database.renewed.get(key).copied().unwrap_or(0);
            if expected != found {
                let rule = self.rule(key);
                self.find(None, format!("O7: {key} ({rule:?}) began {found} epochs for {expected} /new"));
            }
        }
    }

    /// O6: nothing is left half done.
    fn at_rest(&mut self) {
        for turn in self.e.database.turns.values() {
            if matches!(turn.state.as_str(), "queued" | "running") {
                self.find(None, format!("O6: left behind: {turn:?}"));
            }
        }
        for out in &self.e.database.outbox {
            if matches!(out.state.as_str(), "queued" | "streaming" | "sending" | "unknown" | "dead") {
                self.find(self.event_of(out), format!("O6: left behind: {out:?}"));
            }
        }
        for row in &self.e.database.inbound {
            if matches!(row.state.as_str(), "waiting" | "in_turn") {
                self.find(Some(&row.event), "O6: left behind".to_owned());
            }
        }
    }
}

/// Where an answer is cut, white space may go.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}

fn number(turn: &str) -> Option<i64> {
    turn.strip_prefix('t')?.parse().ok()
}
