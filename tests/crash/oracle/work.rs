//! What the checks of tasks, jobs and events share: rows by their ids, and what a chat got as a result.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Oracle, SLACK_MS, without_space};
use crate::agent::Step;
use crate::database::{BackgroundTask, JobRun, Part, Turn};
use crate::journal::{Expected, Place};
use crate::observed::Observed;
use crate::script::{Script, Task, fingerprint};

/// Stands below the beginning of a result that is sent as a file.
const IN_FILE: &str = "(The whole result is in the file.)";
/// How long an orderly stop may take that ends in a kill.
const STOPPING_MS: i64 = 1_000;

/// Rows of background work.
#[derive(Default)]
pub(super) struct Index<'a> {
    pub tasks: HashMap<i64, &'a BackgroundTask>,
    pub runs: HashMap<i64, &'a JobRun>,
    pub turns_of_task: HashMap<i64, Vec<&'a Turn>>,
    pub turns_of_run: HashMap<i64, Vec<&'a Turn>>,
    /// The parts of results, by what they are about: `b12`, `r5`.
    pub results: HashMap<&'a str, Vec<&'a Part>>,
    /// The chat of every tag, and whether nobody may get its text.
    pub places: HashMap<&'a str, (&'a Arc<Place>, bool)>,
}

impl<'a> Index<'a> {
    pub(super) fn of(observed: &'a Observed) -> Self {
        let (mut index, work) = (Self::default(), &observed.database.work);
        index.tasks = work.tasks.iter().map(|task| (task.id, task)).collect();
        index.runs = work.runs.iter().map(|run| (run.id, run)).collect();
        for turn in observed.database.turns.values() {
            if let Some(task) = turn.task_id {
                index.turns_of_task.entry(task).or_default().push(turn);
            }
            if let Some(run) = turn.run_id {
                index.turns_of_run.entry(run).or_default().push(turn);
            }
        }
        for part in observed.database.parts.iter().filter(|part| part.kind == "result") {
            let about = part.part_key.split('/').next().unwrap_or_default();
            index.results.entry(about).or_default().push(part);
        }
        for event in &observed.journal.events {
            if let Some(script) = &event.script {
                let is_dropped = matches!(event.expected, Expected::Dropped(_));
                index.places.insert(&script.tag, (&event.place, is_dropped));
            }
        }
        let handed_over = observed.journal.work.scripts();
        index.places.extend(handed_over.map(|(script, place)| (script.tag.as_str(), (place, false))));
        index
    }

    /// The parts of the result of a task or a run.
    pub(super) fn results_of(&self, name: &str) -> &[&'a Part] {
        self.results.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

impl<'a> Oracle<'a> {
    /// Whether the same tag may be asked in several turns: each run of a job asks the same, and a task that is run again too.
    pub(super) fn is_asked_again(&self, turn: &Turn) -> bool {
        let task = turn.task_id.and_then(|task| self.work.tasks.get(&task));
        turn.run_id.is_some() || task.is_some_and(|task| task.retry_of.is_some())
    }

    /// O3: what agents work on in the background ends as its last attempt has ended it: the result of an older one comes too
    /// late.
    pub(super) fn last_attempts(&mut self) {
        let mut begun: HashMap<(i64, i64), i64> = HashMap::new();
        for seen in self.o.agents.iter().filter(|seen| seen.step == Step::Prompt) {
            begun.entry((seen.turn, seen.attempt)).or_insert(seen.at);
        }
        let turns = self.o.database.turns.values();
        for turn in turns.filter(|turn| turn.is_work() && turn.state == "done") {
            let begun = begun.get(&(turn.id, turn.attempt)).copied().unwrap_or(i64::MAX);
            if turn.finished_at.is_none_or(|finished| finished < begun) {
                let what = format!("O3: it ended before its last attempt began, at {begun}: {turn:?}");
                self.report(self.event_of_turn(turn.id), what);
            }
        }
    }

    /// Whether a turn was cut off after its agent had acted, by a kill.
    pub(super) fn was_cut_off(&self, turn: &Turn) -> bool {
        let (Some(acted), Some(finished)) = (turn.side_effect_at, turn.finished_at) else { return false };
        turn.state == "interrupted"
            && self.kills_between(acted, finished + STOPPING_MS + SLACK_MS).count() > 0
    }

    /// What is wrong with a result that a chat got: the text below the heading, and the files.
    pub(super) fn wrong_result(
        &self,
        parts: &[&'a Part],
        address: &str,
        script: &Script,
        heading: Option<&str>,
    ) -> Option<String> {
        if parts.is_empty() {
            return Some("its chat got no result".to_owned());
        }
        if let Some(part) = parts.iter().find(|part| part.address != address) {
            return Some(format!("its result went elsewhere: {part:?}"));
        }
        let texts = parts.iter().filter(|part| part.media.is_none());
        let text = without_space(&texts.map(|part| part.plain()).collect::<String>());
        let in_file = without_space(IN_FILE);
        let (said, is_in_file) = match text.strip_suffix(&in_file) {
            Some(beginning) => (beginning, true),
            None => (text.as_str(), false),
        };
        let answer = without_space(&script.answer());
        let heading = heading.map(without_space).unwrap_or_default();
        let Some(said) = said.strip_prefix(&heading) else {
            return Some(format!("another heading: {text:?}"));
        };
        let is_right = if is_in_file { answer.starts_with(said) && !said.is_empty() } else { answer == said };
        if !is_right || (is_in_file && !matches!(script.task, Task::Long { .. })) {
            return Some(format!("another result: {text:?}"));
        }
        let whole = is_in_file.then(|| fingerprint(script.answer().as_bytes()));
        let right: Vec<String> = whole
            .into_iter()
            .chain(self.o.right_files.get(&script.tag).into_iter().flatten().cloned())
            .collect();
        self.wrong_files(parts, &right)
    }

    fn wrong_files(&self, parts: &[&'a Part], right: &[String]) -> Option<String> {
        let files: Vec<&&Part> = parts.iter().filter(|part| part.media.is_some()).collect();
        if files.len() != right.len() {
            return Some(format!("{} files were sent with its result", files.len()));
        }
        let there = |part: &Part| {
            let id = (part.address.clone(), part.message()?.clone());
            self.o.files.get(&id).cloned()
        };
        let mut pairs = files.iter().zip(right);
        let wrong = pairs.find(|(part, right)| {
            !self.o.unread_files.contains(&part.address) && there(part).as_ref() != Some(right)
        });
        wrong.map(|(part, right)| format!("the file of its result should be {right}: {part:?}"))
    }
}
