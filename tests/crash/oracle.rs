//! The oracle: compares what everybody saw with what is in the database.

mod accepted;
mod access;
mod agents;
mod asks;
mod chats;
mod commands;
mod disk;
mod duplicates;
mod endings;
mod events;
mod frames;
mod jobs;
pub mod proof;
mod queues;
mod tasks;
mod tools;
mod work;

use std::collections::{HashMap, HashSet};

use crate::agent::{AgentRecord, Step};
use crate::database::{Ask, Inbound, Part, Turn};
use crate::journal::{Command, Event, Expected};
use crate::observed::{MessageId, Observed};
use crate::script::Script;

/// A request may arrive a little after its sender was killed; seen were 115 ms on a busy machine. If this process, which
/// receives it, did not get the processor meanwhile, it is recorded later by as much.
const SLACK_MS: i64 = 400;
/// So long after a kill such a delay may begin.
const DELAYED_MS: i64 = 2_000;

/// Something that must not be, and the key of the event that it is about.
#[derive(Debug, Clone)]
pub struct Violation {
    pub event: Option<String>,
    pub what: String,
}

#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Posts that were made twice, each explained by a kill or a lost response.
    pub duplicates: usize,
    /// Edits that replaced the text of a message that waited.
    pub edited_in_place: usize,
    /// Messages that a revocation ended.
    pub revoked: usize,
    /// Messages that another one interrupted.
    pub superseded: usize,
    /// Messages that somebody dropped while they waited.
    pub dropped: usize,
    /// Messages that an agent has taken into its answer.
    pub steered: usize,
    /// Presses, commands and edits that their platform did not repeat.
    pub lost: usize,
    /// Results that were posted to a web server again, each explained by a kill.
    pub webhooks_again: usize,
}

/// A group of checks.
type Check<'a> = fn(&mut Oracle<'a>);

/// All checks. Those of background work are the cheapest.
fn checks<'a>() -> [Check<'a>; 25] {
    [
        Oracle::tasks,
        Oracle::jobs,
        Oracle::events,
        Oracle::last_attempts,
        Oracle::accepted,
        Oracle::operator_sends,
        Oracle::endings,
        Oracle::commands,
        Oracle::approvals,
        Oracle::epochs,
        Oracle::turns,
        Oracle::prompts,
        Oracle::order_of_prompts,
        Oracle::sent_by_tools,
        Oracle::asks,
        Oracle::queues,
        Oracle::access,
        Oracle::places,
        Oracle::chats,
        Oracle::frames,
        Oracle::order_of_frames,
        Oracle::duplicates,
        Oracle::at_rest,
        Oracle::noticed,
        Oracle::disk,
    ]
}

/// Runs every check.
pub fn judge(observed: &Observed) -> Verdict {
    let mut oracle = Oracle::new(observed);
    checks().iter().for_each(|check| check(&mut oracle));
    oracle.verdict
}

/// Whether some check finds this.
fn finds(observed: &Observed, finding: &str) -> bool {
    let mut oracle = Oracle::new(observed);
    let found = |oracle: &Oracle<'_>| {
        oracle.verdict.violations.iter().any(|violation| violation.what.contains(finding))
    };
    checks().iter().any(|check| {
        check(&mut oracle);
        found(&oracle)
    })
}

struct Oracle<'a> {
    o: &'a Observed,
    /// Rows of `inbound` by event.
    rows: HashMap<String, &'a Inbound>,
    by_id: HashMap<i64, &'a Inbound>,
    by_turn: HashMap<i64, Vec<&'a Inbound>>,
    parts_of_turn: HashMap<i64, Vec<&'a Part>>,
    parts_of_message: HashMap<i64, Vec<&'a Part>>,
    /// The last edit of a message that a tool or the end of a task has asked for and the platform has made.
    changes: HashMap<MessageId, &'a Part>,
    /// The kills, each with the time within which a request of the killed process may have been recorded.
    kills: Vec<(i64, i64)>,
    /// By the message whose text it replaced: the last edit.
    edits: HashMap<i64, &'a Inbound>,
    /// The sessions in which the modes of the queue are used.
    queues: HashSet<String>,
    /// What the last attempt of a turn in such a session began with.
    asked: HashMap<i64, &'a String>,
    /// What agents do in the background.
    work: work::Index<'a>,
    verdict: Verdict,
}

impl<'a> Oracle<'a> {
    fn new(observed: &'a Observed) -> Self {
        let mut oracle = Self {
            o: observed,
            rows: HashMap::new(),
            by_id: HashMap::new(),
            by_turn: HashMap::new(),
            parts_of_turn: HashMap::new(),
            parts_of_message: HashMap::new(),
            changes: HashMap::new(),
            kills: kills(observed),
            edits: HashMap::new(),
            queues: HashSet::new(),
            asked: HashMap::new(),
            work: work::Index::of(observed),
            verdict: Verdict::default(),
        };
        let events = observed.journal.events.iter();
        let queues = events.filter(|event| event.place.command == Command::Queue);
        oracle.queues = queues.map(|event| event.place.session()).collect();
        let is_last = |seen: &&AgentRecord| {
            let turn = observed.database.turns.get(&seen.turn);
            seen.step == Step::Prompt
                && turn.is_some_and(|turn| turn.attempt == seen.attempt && oracle.queues.contains(&turn.key))
        };
        oracle.asked = observed.agents.iter().filter(is_last).map(|seen| (seen.turn, &seen.tag)).collect();
        for part in &observed.database.parts {
            if let Some(turn) = part.turn_id {
                oracle.parts_of_turn.entry(turn).or_default().push(part);
            }
            if let Some(message) = part.message_id {
                oracle.parts_of_message.entry(message).or_default().push(part);
            }
        }
        let changes = observed.database.changes.iter();
        let made = changes.filter(|change| change.act == "edit" && change.state == "sent");
        oracle.changes =
            made.filter_map(|part| Some(((part.address.clone(), part.message()?.clone()), part))).collect();
        for row in &observed.database.inbound {
            oracle.by_id.insert(row.id, row);
            if let Some(turn) = row.turn_id {
                oracle.by_turn.entry(turn).or_default().push(row);
            }
            if let Some(target) = edited_message(row) {
                oracle.edits.insert(target, row);
            }
            if let Some(twin) = oracle.rows.insert(row.event(), row) {
                oracle.report(Some(row.event()), format!("O1: two rows for one event: {twin:?}, {row:?}"));
            }
        }
        oracle
    }

    fn report(&mut self, event: Option<String>, what: String) {
        self.verdict.violations.push(Violation { event, what });
    }

    fn event_of(&self, row: &Inbound) -> Option<&'a Event> {
        self.o.journal.event(&row.event())
    }

    /// The answered question from which a row follows that nobody sent.
    fn ask_before(&self, row: &Inbound) -> Option<&'a Ask> {
        let id = row.event_id.strip_suffix("/confirmed")?.strip_prefix('a')?.parse::<i64>().ok()?;
        self.o.database.asks.iter().find(|ask| ask.id == id)
    }

    fn turn_of(&self, row: &Inbound) -> Option<&'a Turn> {
        self.o.database.turns.get(&row.turn_id?)
    }

    /// The rows that a turn took, the oldest first.
    fn rows_of(&self, turn: i64) -> &[&'a Inbound] {
        self.by_turn.get(&turn).map(Vec::as_slice).unwrap_or_default()
    }

    /// The event of a turn's first row.
    fn event_of_turn(&self, turn: i64) -> Option<String> {
        self.rows_of(turn).first().map(|row| row.event())
    }

    /// What a turn asked of the agent.
    fn script_of(&self, turn: i64) -> Option<Script> {
        // A message that a late command has added may be older than the one with which the turn began.
        let asked = self.asked.get(&turn).and_then(|tag| {
            self.rows_of(turn)
                .iter()
                .filter_map(|row| Script::read(row.question()))
                .find(|script| script.tag == **tag)
        });
        if asked.is_some() {
            return asked;
        }
        let texts = self.rows_of(turn).iter().map(|row| row.question());
        Script::of(texts, self.files_of(turn).len())
    }

    /// Fingerprints of the files of a turn.
    fn files_of(&self, turn: i64) -> Vec<&'a String> {
        let events = self.rows_of(turn).iter().filter_map(|row| self.event_of(row));
        events.flat_map(|event| &event.files).collect()
    }

    /// The row that an outgoing part is about.
    fn row_about(&self, part: &Part) -> Option<&'a Inbound> {
        let turn = part.turn_id.or_else(|| part.turn_of_tool());
        let by_turn = || self.rows_of(turn?).first().copied();
        part.message_id.and_then(|id| self.by_id.get(&id).copied()).or_else(by_turn)
    }

    fn event_about(&self, part: &Part) -> Option<String> {
        self.row_about(part).map(Inbound::event)
    }

    /// Whether an admin has revoked the access of a message's author after it came, or shortly before.
    fn was_revoked(&self, row: &Inbound) -> bool {
        let subject = format!("{} everything", row.principal);
        let mut audit = self.o.database.audit.iter();
        audit.any(|line| {
            line.action == "revoke" && line.subject == subject && line.at + 200 >= row.received_at
        })
    }

    /// Whether a user of this session is allowed and revoked during the test.
    fn is_revocable(&self, session: &str) -> bool {
        let mut events = self.o.journal.events.iter();
        events.any(|event| event.expected == Expected::IfAllowed && event.place.session() == session)
    }

    fn kills_between(&self, from: i64, to: i64) -> impl Iterator<Item = i64> {
        let kills = self.kills.iter();
        let within = move |at: i64, slack: i64| (from.saturating_sub(slack)..=to).contains(&at);
        kills.filter(move |(at, slack)| within(*at, *slack)).map(|(at, _)| *at)
    }

    /// What clients themselves have noticed.
    fn noticed(&mut self) {
        for wrong in &self.o.journal.wrong {
            self.report(None, wrong.clone());
        }
    }

    /// O6: nothing is left half done.
    fn at_rest(&mut self) {
        for turn in self.o.database.turns.values() {
            if matches!(turn.state.as_str(), "queued" | "running") {
                self.report(self.event_of_turn(turn.id), format!("O6: an open turn: {turn:?}"));
            }
        }
        let database = &self.o.database;
        for part in database.parts.iter().chain(&database.ask_parts).chain(&database.changes) {
            if matches!(part.state.as_str(), "queued" | "streaming" | "sending" | "unknown" | "dead") {
                self.report(self.event_about(part), format!("O6: an open part: {part:?}"));
            }
        }
        for row in &self.o.database.inbound {
            if matches!(row.state.as_str(), "waiting" | "in_turn") {
                self.report(Some(row.event()), format!("O6: an open message: {row:?}"));
            }
        }
    }
}

/// The kills, each with its slack.
fn kills(observed: &Observed) -> Vec<(i64, i64)> {
    let kills = observed.journal.kills.iter();
    kills.map(|kill| (*kill, SLACK_MS + delay_after(observed, *kill))).collect()
}

/// For how long this process did not get the processor soon after a time.
fn delay_after(observed: &Observed, time: i64) -> i64 {
    let late = &observed.journal.late;
    let since = late.partition_point(|(at, _)| *at < time);
    let delays = late[since..].iter().take_while(|(at, ms)| at - ms <= time + DELAYED_MS);
    delays.map(|(_, ms)| *ms).sum()
}

/// The message whose text an edit replaced.
fn edited_message(row: &Inbound) -> Option<i64> {
    row.reason.as_ref()?.strip_prefix("into:m")?.parse().ok()
}

/// White space may be lost where an answer is split into parts.
fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}
