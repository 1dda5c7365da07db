//! The keys of texts and of their parts: the same for every attempt to store or send them, so that a repetition adds
//! nothing. They are built here, and nothing else reads them.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::budget::Budget;
use frontdesk_core::id::{AskId, MessageId, RunId, TaskId, TurnId};
use frontdesk_core::job::JobId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;

/// The key of a text: the parts that it is split into share it.
#[derive(Debug, Clone)]
pub struct TextKey(String);

impl TextKey {
    /// A turn's answer: `t12`.
    pub fn answer(turn: TurnId) -> Self {
        Self(turn.to_string())
    }

    /// The reply to a command: `m7`.
    pub(crate) fn reply(command: MessageId) -> Self {
        Self(command.to_string())
    }

    /// What the other chat is told when a command joins or parts two chats: `m7/linked`.
    pub(crate) fn linked(command: MessageId) -> Self {
        Self(format!("{command}/linked"))
    }

    /// A question: `a7`.
    pub(crate) fn ask(id: AskId) -> Self {
        Self(id.to_string())
    }

    /// The end of a question: `a7/closed`.
    pub(crate) fn ask_closed(id: AskId) -> Self {
        Self(format!("{id}/closed"))
    }

    /// The end of a question in a copy of its message: `a7/closed/4711`. `message` is the platform's id of the copy.
    pub(crate) fn ask_copy_closed(id: AskId, message: &str) -> Self {
        Self(format!("{id}/closed/{message}"))
    }

    /// What the first person is told whose message waits behind a question: `a7/behind`.
    pub(crate) fn behind(id: AskId) -> Self {
        Self(format!("{id}/behind"))
    }

    /// The result of a task: `b7`.
    pub(crate) fn task(id: TaskId) -> Self {
        Self(id.to_string())
    }

    /// The message that shows the progress of a task: `b7/progress`; its last text is `b7/progress/end`.
    pub(crate) fn task_progress(id: TaskId) -> Self {
        Self(format!("{id}/progress"))
    }

    /// The last text of the message that shows the progress of a task.
    pub(crate) fn task_progress_end(id: TaskId) -> Self {
        Self(format!("{id}/progress/end"))
    }

    /// A change of a task's state: `b7/state/12`. `number` is that of the last frame of its chat before it.
    pub(crate) fn task_state(id: TaskId, number: u64) -> Self {
        Self(format!("{id}/state/{number}"))
    }

    /// The result of a run of a job, or why there is none: `r7`.
    pub(crate) fn run(id: RunId) -> Self {
        Self(id.to_string())
    }

    /// The remark that the times for which a run stands were missed: `r7/missed`.
    pub(crate) fn run_missed(id: RunId) -> Self {
        Self(format!("{id}/missed"))
    }

    /// The remark that a web server has not taken the result of a run: `r7/undelivered`.
    pub(crate) fn run_undelivered(id: RunId) -> Self {
        Self(format!("{id}/undelivered"))
    }

    /// The remark that a job did not run on a day because a budget is used up, once a day.
    pub(crate) fn job_over_budget(id: &JobId, day: i64) -> Self {
        Self(format!("job/{id}/budget/{day}"))
    }

    /// The remark that a job was paused or disabled at a time.
    pub(crate) fn job_stopped(id: &JobId, at: DateTime<Utc>) -> Self {
        Self(format!("job/{id}/stopped/{}", at.timestamp_millis()))
    }

    /// Something that was sent without a turn: `send/` and the key of the request.
    pub(crate) fn request(key: &str) -> Self {
        Self(format!("send/{key}"))
    }

    /// A notice about a turn, a message or a part: `m7/notice/reset`.
    pub(crate) fn notice(about: impl Display, notice: &Notice) -> Self {
        Self(format!("{about}/notice/{}", notice.kind()))
    }

    /// The same notice to one of several readers: `m7/notice/asked/0`.
    pub(crate) fn copy(&self, n: usize) -> Self {
        Self(format!("{}/{n}", self.0))
    }

    /// A notice that a person gets once a day.
    pub(crate) fn daily(person: &Principal, what: &str, day: i64) -> Self {
        Self(format!("{person}/{what}/{day}"))
    }

    /// The warning that little is left of a budget: `budget/person/telegram:7/20000`, once a day.
    pub(crate) fn budget(budget: &Budget) -> Self {
        let Budget { scope, subject, day, .. } = budget;
        Self(format!("budget/{}/{subject}/{}", scope.name(), day.number))
    }

    /// The notice that a session is full: once for each message at the head of its queue.
    pub(crate) fn full(session: &SessionKey, head: i64) -> Self {
        Self(format!("{session}/full/{head}"))
    }

    /// The n-th part of the text, from 0: `t12/0`.
    pub fn part(&self, n: usize) -> PartKey {
        PartKey(format!("{}/{n}", self.0))
    }

    /// The n-th text that hooks have withheld: `t12/w0`.
    pub(crate) fn withheld(&self, n: usize) -> PartKey {
        PartKey(format!("{}/w{n}", self.0))
    }

    /// The n-th file that follows the text: `t12/m0`.
    pub(crate) fn file(&self, n: u32) -> PartKey {
        PartKey(format!("{}/m{n}", self.0))
    }

    /// The text that did not fit beneath the n-th file and follows it: its parts are `t12/m0/0` and so on.
    pub(crate) fn after_file(&self, n: u32) -> Self {
        Self(format!("{}/m{n}", self.0))
    }
}

/// The key of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartKey(String);

impl PartKey {
    /// The deletion of the unfinished message that a part replaced. `part` is that part's key.
    pub(crate) fn deletion(part: &str) -> Self {
        Self(format!("{part}/delete"))
    }

    /// The n-th part that follows another one of the same text, from 1. `part` is that part's key.
    pub(crate) fn following(part: &str, n: usize) -> Self {
        Self(format!("{part}/{n}"))
    }

    /// The parts before the n-th part of a text, from 0. `part` is that part's key. Of a text that hooks have seen, the key of
    /// the first part is the beginning of the others.
    pub(crate) fn before(part: &str, n: usize) -> Vec<Self> {
        let Some(text) = part.strip_suffix(&format!("/{n}")).filter(|_| n > 0) else { return Vec::new() };
        let text = TextKey(text.to_owned());
        (0..n).map(|n| text.part(n)).chain([Self(text.0.clone())]).collect()
    }

    /// Whether a part is the first of a text that follows no file. `part` is its key.
    pub(crate) fn begins_text(part: &str) -> bool {
        part.strip_suffix("/0").is_some_and(|text| !text.contains('/'))
    }

    /// The caption of a file that was refused with it. `file` is the file's key.
    pub(crate) fn caption(file: &str) -> Self {
        Self(format!("{file}/caption"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its text form.
    pub fn into_string(self) -> String {
        self.0
    }
}
