//! O1, O2: every background task that was handed over is there once and ends in one state, and its result is sent once, to
//! the chat that has asked for it.

use std::collections::{BTreeMap, HashMap};

use super::Oracle;
use crate::database::BackgroundTask;
use crate::journal::RequestKind;

/// A task that must be there.
struct Due<'a> {
    event: Option<String>,
    owner: &'a str,
    address: &'a str,
    /// The session that has handed it over, and learns of its result.
    origin: Option<String>,
    found: usize,
}

impl<'a> Oracle<'a> {
    pub(super) fn tasks(&mut self) {
        self.handed_over();
        self.run_again();
        self.cancelled();
        for task in &self.o.database.work.tasks {
            let wrong = [
                self.wrong_turn(task),
                self.wrong_end(task),
                self.wrong_report(task),
                self.wrong_progress(task),
            ];
            for wrong in wrong.into_iter().flatten() {
                self.report(Some(task_event(task)), format!("O2: {} {wrong}: {task:?}", task.name()));
            }
        }
    }

    /// O1: what was handed over in a chat or by a request is one task.
    fn handed_over(&mut self) {
        let mut due: HashMap<&str, Due<'a>> = HashMap::new();
        for event in &self.o.journal.events {
            let Some(body) = event.text.strip_prefix("/bg ") else { continue };
            if self.rows.get(&event.key()).is_some_and(|row| row.state == "answered") {
                let (owner, address) = (event.author.as_str(), event.place.address.as_str());
                let origin = Some(event.place.session());
                due.insert(body, Due { event: Some(event.key()), owner, address, origin, found: 0 });
            }
        }
        let texts: Vec<(String, &str, &str)> = self
            .o
            .journal
            .work
            .of(RequestKind::Task)
            .map(|(_, request)| (request.script.text(), "web:main", request.place.address.as_str()))
            .collect();
        for (body, owner, address) in &texts {
            due.insert(body, Due { event: None, owner, address, origin: None, found: 0 });
        }
        let mut wrong = Vec::new();
        let tasks = self.o.database.work.tasks.iter();
        for task in tasks.filter(|task| task.retry_of.is_none() && task.source != "event") {
            let Some(due) = due.get_mut(task.body.as_str()) else {
                wrong.push((None, format!("O1: a task that nobody has handed over: {task:?}")));
                continue;
            };
            due.found += 1;
            let is_there = task.delivers == 0 || due.address == task.address;
            if due.owner != task.owner || !is_there || due.origin != task.origin_key {
                wrong.push((due.event.clone(), format!("O1: a task of another person or chat: {task:?}")));
            }
        }
        for (body, due) in due.into_iter().filter(|(_, due)| due.found != 1) {
            wrong.push((due.event, format!("O1: {body:?} was handed over and makes {} tasks", due.found)));
        }
        wrong.into_iter().for_each(|(event, what)| self.report(event, what));
        self.acknowledged(&[RequestKind::Task, RequestKind::Retry]);
    }

    /// O1: each request was acknowledged with the task that it has made, and made no other one.
    fn acknowledged(&mut self, kinds: &[RequestKind]) {
        let mut wrong = Vec::new();
        let mut made: HashMap<&str, Vec<String>> = HashMap::new();
        for task in &self.o.database.work.tasks {
            let key = task.request.as_ref().and_then(|request| request.rsplit_once('/'));
            if let Some((_, key)) = key {
                made.entry(key).or_default().push(task.name());
            }
        }
        for kind in kinds {
            for (key, request) in self.o.journal.work.of(*kind) {
                let made = made.get(key).map(Vec::as_slice).unwrap_or_default();
                if request.accepted.is_none() || request.told.as_deref().map(str::to_owned).as_slice() != made
                {
                    let told = &request.told;
                    wrong.push(format!("O1: {kind:?} {key} was accepted as {told:?} and has made {made:?}"));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// O3: a command that runs a task again makes one task; its reply says so.
    fn run_again(&mut self) {
        let mut due: BTreeMap<i64, i64> = BTreeMap::new();
        for row in self.o.database.inbound.iter().filter(|row| row.disposition == "command") {
            let again = row.body.strip_prefix("/tasks retry b").and_then(|id| id.parse().ok());
            let replies = self.parts_of_message.get(&row.id).into_iter().flatten();
            let has_begun = replies.filter(|part| part.plain().starts_with('⏳')).count();
            if let Some(task) = again.filter(|_| has_begun > 0) {
                *due.entry(task).or_default() += 1;
            }
        }
        let tasks = self.o.database.work.tasks.iter();
        for task in tasks.filter(|task| task.request.is_none()) {
            if let Some(again) = task.retry_of {
                *due.entry(again).or_default() -= 1;
            }
        }
        for (task, left) in due.into_iter().filter(|(_, left)| *left != 0) {
            self.report(None, format!("O3: b{task} was run again: {left} commands more than tasks"));
        }
    }

    /// O3: each cancellation is in the audit and ends one task, and somebody has asked for it.
    fn cancelled(&mut self) {
        let mut lines: HashMap<&str, usize> = HashMap::new();
        let mut wrong = Vec::new();
        let audit = self.o.database.audit.iter();
        for line in audit.filter(|line| line.action == "task cancel" && line.outcome == "done") {
            *lines.entry(&line.subject).or_default() += 1;
            let command = format!("/cancel {}", line.subject);
            let mut events = self.o.journal.events.iter();
            let is_asked = match line.via.as_str() {
                "chat" => events.any(|event| event.text == command && event.author == line.author),
                _ => self.o.journal.work.cancelled.contains(&line.subject),
            };
            if !is_asked {
                wrong.push(format!("O3: cancelled by nobody: {line:?}"));
            }
        }
        for task in &self.o.database.work.tasks {
            let found = lines.remove(task.name().as_str()).unwrap_or(0);
            if found != usize::from(task.state == "cancelled") {
                wrong.push(format!("O3: {} was cancelled {found} times: {task:?}", task.name()));
            }
        }
        wrong.extend(lines.into_keys().map(|task| format!("O3: {task} was cancelled and is not there")));
        wrong.into_iter().for_each(|what| self.report(None, what));
    }

    /// A task has one turn, in a session of its own.
    fn wrong_turn(&self, task: &BackgroundTask) -> Option<String> {
        let turns = self.work.turns_of_task.get(&task.id).map(Vec::as_slice).unwrap_or_default();
        let turn = match turns {
            [] if !task.has_result() => return None,
            [turn] => turn,
            several => return Some(format!("has {} turns", several.len())),
        };
        let row = self.rows.get(&task_event(task));
        let is_its_row = row.is_some_and(|row| {
            row.turn_id == Some(turn.id)
                && row.key == task.key
                && row.body == task.body
                && row.principal == task.owner
        });
        if !is_its_row || turn.key != task.key {
            return Some(format!("has the message {row:?}"));
        }
        let is_its_turn = task.turn_id == Some(turn.id) && task.attempt == turn.attempt;
        (!is_its_turn).then(|| format!("does not name {turn:?}"))
    }

    /// A task has ended, and rightly so.
    fn wrong_end(&self, task: &BackgroundTask) -> Option<String> {
        let turn = task.turn_id.and_then(|turn| self.o.database.turns.get(&turn));
        let right = task.script().map(|script| script.answer());
        let is_right = match (task.state.as_str(), turn) {
            ("succeeded", Some(turn)) => turn.state == "done" && turn.answer == right,
            ("failed", Some(turn)) => turn.state == "dead" && self.died_rightly(turn),
            ("lost", Some(turn)) => self.died_rightly(turn) && self.was_cut_off(turn),
            // See `cancelled`.
            ("cancelled", turn) => turn.is_none_or(|turn| turn.state == "cancelled"),
            _ => false,
        };
        (!is_right).then(|| format!("is {} and should not be: {turn:?}", task.state))
    }

    /// The chat that asked gets the result once, and of a cancelled task none.
    fn wrong_report(&self, task: &BackgroundTask) -> Option<String> {
        let name = task.name();
        let parts = self.work.results_of(&name);
        if task.delivers == 0 || task.state == "cancelled" {
            return (!parts.is_empty()).then(|| format!("sent something: {parts:?}"));
        }
        if task.result_out != parts.first().map(|part| part.id) {
            return Some(format!("names another result than {parts:?}"));
        }
        let script = task.script()?;
        let title = script.text();
        match task.state.as_str() {
            "succeeded" => {
                let heading = format!("✅ Background task completed: {title} ({name})");
                let heading = (task.source != "event").then_some(heading);
                self.wrong_result(parts, &task.address, &script, heading.as_deref())
            }
            _ => {
                let text: String = parts.iter().map(|part| part.plain()).collect();
                let until_then = task.state != "lost" || text.contains(&script.pieces()[0]);
                let is_right = text.starts_with("❌ Background task failed: ")
                    && text.contains(&format!("({name})"))
                    && until_then
                    && parts.iter().all(|part| part.address == task.address);
                (!is_right).then(|| format!("was told like this: {text:?}"))
            }
        }
    }

    /// The message that showed the progress says in the end how the task has ended.
    fn wrong_progress(&self, task: &BackgroundTask) -> Option<String> {
        let Some(shown) = task.progress_out else {
            // The reply to the command shows it.
            return (task.source == "chat").then(|| "has no message with its progress".to_owned());
        };
        let key = format!("{}/progress/end/0", task.name());
        let end = self.o.database.changes.iter().find(|part| part.part_key == key);
        let part = self.o.database.parts.iter().find(|part| part.id == shown);
        let sign = match task.state.as_str() {
            "succeeded" => '✅',
            "cancelled" => '⏹',
            _ => '❌',
        };
        let is_right = end.zip(part).is_some_and(|(end, part)| {
            end.plain().starts_with(sign)
                && end.state == "sent"
                && end.message() == part.message()
                && [end, part].iter().all(|part| part.address == task.address)
        });
        (!is_right).then(|| format!("was shown by {part:?} and then {end:?}"))
    }
}

/// The event of the message by which a task enters its session.
fn task_event(task: &BackgroundTask) -> String {
    crate::journal::event_key("task", &task.name())
}
