//! Background tasks: work that somebody hands over, which runs in a session of its own and whose result is sent to them.

use std::fmt;
use std::time::Duration;

use crate::count::counted;
use crate::id::TaskId;
use crate::markup::followed_by;
use crate::notice::Failure;
use crate::visible::quoted_label;

/// Maximum number of characters of a title that is made from the text of a task.
const TITLE: usize = 60;

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// It waits to begin, because as many tasks run as the limits allow.
    Queued,
    /// Its agent works on it.
    Running,
    /// Its agent waits for the answer of a person.
    Waiting,
    /// It has a result.
    Succeeded,
    /// It has none, and does not run again by itself.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// It took longer than its limit.
    TimedOut,
    /// It was cut off after its agent had acted: what was done is not known in full, so it does not run again by itself.
    Lost,
}

impl TaskState {
    /// All variants.
    pub const ALL: [TaskState; 8] = [
        TaskState::Queued,
        TaskState::Running,
        TaskState::Waiting,
        TaskState::Succeeded,
        TaskState::Failed,
        TaskState::Cancelled,
        TaskState::TimedOut,
        TaskState::Lost,
    ];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            TaskState::Queued => "queued",
            TaskState::Running => "running",
            TaskState::Waiting => "waiting",
            TaskState::Succeeded => "succeeded",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
            TaskState::TimedOut => "timed_out",
            TaskState::Lost => "lost",
        }
    }

    /// The state with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether this state is final.
    pub fn has_ended(self) -> bool {
        !matches!(self, TaskState::Queued | TaskState::Running | TaskState::Waiting)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// By what a task was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskSource {
    /// A command in a chat.
    Chat,
    /// The HTTP interface.
    Api,
    /// The command line.
    Cli,
    /// A WebSocket.
    WebSocket,
    /// An agent's tool.
    Agent,
    /// An event of another program.
    Event,
    /// The start of the gateway.
    Start,
}

impl TaskSource {
    /// All variants.
    pub const ALL: [TaskSource; 7] = [
        TaskSource::Chat,
        TaskSource::Api,
        TaskSource::Cli,
        TaskSource::WebSocket,
        TaskSource::Agent,
        TaskSource::Event,
        TaskSource::Start,
    ];

    /// The name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            TaskSource::Chat => "chat",
            TaskSource::Api => "api",
            TaskSource::Cli => "cli",
            TaskSource::WebSocket => "ws",
            TaskSource::Agent => "agent",
            TaskSource::Event => "event",
            TaskSource::Start => "start",
        }
    }

    /// Whether somebody asked for it and waits. Otherwise its chat is told its result and nothing else: no progress, no
    /// heading, and nothing at all if the agent says nothing.
    pub fn is_awaited(self) -> bool {
        !matches!(self, TaskSource::Event | TaskSource::Start)
    }

    /// The source with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// Why a task has no result, as programs are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskProblem {
    /// The name of the reason.
    pub code: String,
    /// The reason in one sentence.
    pub message: String,
}

/// A change of a task's state, as connected readers of its chat are shown it. The title of the task is the text of its post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskChange {
    /// The task.
    pub task: TaskId,
    /// Its new state.
    pub state: TaskState,
    /// How often it was begun.
    pub attempt: u32,
    /// Why it has no result, if it has ended without one.
    pub problem: Option<TaskProblem>,
}

/// The title of a task whose submitter gave none: the beginning of its first line.
pub fn title_of(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut title: String = line.chars().take(TITLE).collect();
    if title.chars().count() < line.chars().count() {
        title.push('…');
    }
    title
}

/// How a task ended, for its chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReport<'t> {
    /// The task.
    pub task: TaskId,
    /// By what it was submitted.
    pub source: TaskSource,
    /// Its title, which a person or a model chose.
    pub title: &'t str,
    /// Its last state.
    pub state: TaskState,
    /// What its agent has said, in Markdown; of a task that has no result what it had said until then.
    pub text: &'t str,
    /// Why it has no result, if that is known.
    pub failure: Option<Failure>,
    /// Why it was refused, in one sentence with what can be done.
    pub refused: Option<&'t str>,
    /// Its time limit.
    pub limit: Duration,
}

impl TaskReport<'_> {
    /// The message to the chat, in Markdown; empty if there is nothing to tell.
    pub fn message(&self) -> String {
        if !self.source.is_awaited() && self.state == TaskState::Succeeded {
            return self.text.trim().to_owned();
        }
        let (task, title) = (self.task, quoted_label(self.title));
        let heading = match self.state {
            TaskState::Succeeded => format!("✅ Background task completed: {title} ({task})"),
            TaskState::Cancelled => format!("⏹ Background task cancelled: {title} ({task})"),
            _ => format!("❌ Background task failed: {title} ({task})"),
        };
        let mut text = heading;
        if let Some(why) = self.why() {
            text = followed_by(&text, &why);
        }
        let said = self.text.trim();
        match (self.state, said.is_empty()) {
            (_, true) => text,
            (TaskState::Succeeded, false) => followed_by(&text, said),
            (_, false) => followed_by(&followed_by(&text, "The agent had said until then:"), said),
        }
    }

    /// The last text of the message that showed its progress.
    pub fn last_progress(&self) -> String {
        let (task, title) = (self.task, quoted_label(self.title));
        match self.state {
            TaskState::Succeeded => format!("✅ {title} ({task}) is done."),
            TaskState::Cancelled => format!("⏹ {title} ({task}) was cancelled."),
            _ => format!("❌ {title} ({task}) has failed."),
        }
    }

    /// Why there is no result, and what can be done.
    fn why(&self) -> Option<String> {
        let task = self.task;
        let again = match self.refused {
            Some(why) => format!("{why} Send /tasks retry {task} to run it then."),
            None => format!("Send /tasks retry {task} to run it again."),
        };
        match self.state {
            TaskState::Queued | TaskState::Running | TaskState::Waiting | TaskState::Cancelled => None,
            TaskState::Succeeded => {
                self.text.trim().is_empty().then(|| "The agent had nothing to say.".to_owned())
            }
            TaskState::TimedOut | TaskState::Lost | TaskState::Failed => {
                Some(match cause(self.state, self.failure, self.limit) {
                    Some(cause) => format!("{cause} {again}"),
                    None => again,
                })
            }
        }
    }
}

/// Why a task in this state has no result, in one sentence without a next step; `None` if that is not known, and of one that
/// has a result or may get one.
pub fn cause(state: TaskState, failure: Option<Failure>, limit: Duration) -> Option<String> {
    match state {
        TaskState::Queued | TaskState::Running | TaskState::Waiting | TaskState::Succeeded => None,
        TaskState::Cancelled => Some("It was cancelled.".to_owned()),
        TaskState::TimedOut => {
            let limit = match limit.as_secs() {
                seconds @ 0..60 => counted(seconds, "second"),
                seconds => counted(seconds.div_ceil(60), "minute"),
            };
            Some(format!("It took longer than {limit}, so I stopped it."))
        }
        TaskState::Lost => {
            Some("It was cut off after it had started to act, so it does not run again by itself.".to_owned())
        }
        TaskState::Failed => failure.map(sentence).map(str::to_owned),
    }
}

/// Why work in the background has no result.
pub(crate) fn sentence(failure: Failure) -> &'static str {
    match failure {
        Failure::Agent => "The agent could not do it.",
        Failure::Crashed => "The agent crashed each time it was tried.",
        Failure::Killed => "The gateway was killed too often while the agent worked on it.",
        Failure::Silent => "The agent did not respond for too long.",
        Failure::TooLong => "It took too long.",
        Failure::Unavailable => "The agent is not available at the moment.",
        Failure::AgentGone => "Its agent has been removed from the configuration.",
        Failure::Internal => "Something went wrong in the gateway.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: TaskState, text: &str) -> TaskReport<'_> {
        let limit = Duration::from_secs(7200);
        let (task, source) = (TaskId(7), TaskSource::Chat);
        TaskReport { task, source, title: "Read *all*", state, text, failure: None, refused: None, limit }
    }

    #[test]
    fn what_nobody_asked_for_is_told_without_a_heading_and_a_failure_with_one() {
        let of = |state, text| TaskReport { source: TaskSource::Event, ..report(state, text) }.message();
        assert_eq!(of(TaskState::Succeeded, " A new issue.\n"), "A new issue.");
        assert_eq!(of(TaskState::Succeeded, " \n"), "");
        assert!(of(TaskState::Failed, "").starts_with("❌ Background task failed: "));
    }

    #[test]
    fn every_state_and_source_has_a_name_of_its_own() {
        for state in TaskState::ALL {
            assert_eq!(TaskState::named(state.name()), Some(state));
        }
        for source in TaskSource::ALL {
            assert_eq!(TaskSource::named(source.name()), Some(source));
        }
        assert_eq!((TaskState::named(""), TaskSource::named("")), (None, None));
    }

    #[test]
    fn a_report_begins_with_how_the_task_ended_and_says_what_can_be_done() {
        for (state, begins, says) in [
            (TaskState::Succeeded, "✅ Background task completed: ", "(b7)\n\nall of it"),
            (TaskState::Failed, "❌ Background task failed: ", "/tasks retry b7"),
            (TaskState::TimedOut, "❌ Background task failed: ", "longer than 120 minutes"),
            (TaskState::Lost, "❌ Background task failed: ", "The agent had said until then:\n\nall of it"),
            (TaskState::Cancelled, "⏹ Background task cancelled: ", "(b7)"),
        ] {
            let text = report(state, " all of it\n").message();
            assert!(text.starts_with(begins) && text.contains(says), "{state}: {text}");
            assert!(text.contains("`Read *all*`"), "the title is no markup: {text}");
        }
        assert!(report(TaskState::Succeeded, " ").message().ends_with("The agent had nothing to say."));
    }

    #[test]
    fn a_title_is_the_beginning_of_the_first_line() {
        assert_eq!(title_of("\n  sum up the week \nand more"), "sum up the week");
        let long = title_of(&"ä".repeat(100));
        assert_eq!((long.chars().count(), long.chars().last()), (TITLE + 1, Some('…')));
    }
}
