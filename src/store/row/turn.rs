//! Claims and ends of turns, and effects and results of commands.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::agent::{Origin, SessionOption, SessionOptions};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::ask::AskError;
use frontdesk_core::budget::UsedUp;
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, OutId, TaskId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Notice;
use frontdesk_core::port::ContextMessage;
use frontdesk_core::queue_mode::QueueMode;

use super::{
    AccessChange, AccessDone, Answered, Answering, Author, CancelledTask, Claim, Dequeue, Dequeued,
    InboundRow, LinkDone, LinkStep, MovedToTask, NewTask, OpenTasks, OutgoingFile, Reason, Stopped,
    TaskFound, TaskReach, TaskSubmitted, TurnJob, TurnTask, Withheld,
};

/// How many waiting messages one turn takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// As the session's queue mode says; this one unless another was chosen in the chat.
    InMode(QueueMode),
    /// All of the oldest's epoch.
    All,
}

/// A turn that this process has claimed (T2).
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedTurn {
    /// Its id, and the right to end it.
    pub claim: Claim<TurnId>,
    /// 1 for the first run.
    pub attempt: u32,
    /// How many of the attempts before this one ended in a death (not in an orderly stop).
    pub deaths: u32,
    /// The session.
    pub session: SessionKey,
    /// The epoch.
    pub epoch: u64,
    /// The agent's own name for the conversation.
    pub agent_ref: Option<String>,
    /// What began it.
    pub origin: Origin,
    /// What is chosen for the session.
    pub options: SessionOptions,
    /// How often the agent took back its text in earlier attempts.
    pub restarts: u32,
    /// The messages, oldest first.
    pub messages: Vec<InboundRow>,
    /// The messages that a `/retry` among them runs again, except those that were purged.
    pub replayed: Vec<InboundRow>,
    /// Context messages since the previous turn, oldest first. The same in every attempt.
    pub context_messages: Vec<ContextMessage>,
    /// The reply's target.
    pub address: Address,
    /// The platform's id of the message it answers.
    pub reply_to: Option<String>,
    /// The message that an earlier attempt streamed into.
    pub streamed: Option<StreamedPart>,
    /// Whether messages wait behind it.
    pub more: bool,
    /// The task that it works on.
    pub task: Option<TurnTask>,
    /// The run of a job that it works on.
    pub job: Option<TurnJob>,
    /// The messages that are not answered, because a budget is used up.
    pub over_budget: Vec<(MessageId, UsedUp)>,
}

impl ClaimedTurn {
    /// The session whose chat it is for: its own, of a task the one that has handed it over, or of a run of a job the one that
    /// gets its result.
    pub fn chat(&self) -> &SessionKey {
        let of_task = self.task.as_ref().and_then(|task| task.origin.as_ref());
        let of_job = self.job.as_ref().and_then(|job| job.chat.as_ref());
        of_task.or(of_job).unwrap_or(&self.session)
    }

    /// Whether it works in the background: for a task or a run of a job, so that nobody sees its text before the end.
    pub fn works_in_background(&self) -> bool {
        self.task.is_some() || self.job.is_some()
    }
}

/// The first part of an answer while it is streamed (state `streaming`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamedPart {
    /// Its row.
    pub out: OutId,
    /// The platform's id, once it is known.
    pub platform_message: Option<String>,
    /// The plain text that it shows: stored before each edit, so never less than that.
    pub shown: String,
}

/// The end of a turn (T3).
#[derive(Debug, Clone)]
pub struct Finish {
    /// The turn.
    pub claim: Claim<TurnId>,
    /// How it ended.
    pub ending: Ending,
    /// The whole answer in Markdown (also a cut-off one).
    pub answer: Option<String>,
    /// Whether the agent has said everything.
    pub end: AnswerEnd,
    /// How many bytes of the answer the agent wrote, if a remark follows them.
    pub own: Option<u64>,
    /// The answer's parts.
    pub parts: Vec<Part>,
    /// Files that follow the answer.
    pub media: Vec<OutgoingFile>,
    /// The answer, or captions of its files, if hooks keep them from being sent.
    pub withheld: Vec<Withheld>,
    /// Of a task or a run of a job: its result as the chat gets it, if that is not the answer.
    pub shown: Option<String>,
    /// Why it failed, or why it was refused.
    pub error: Option<Reason>,
    /// A notice for the person.
    pub notice: Option<Notice>,
    /// Model and tokens, as the agent reported them.
    pub usage: Option<Usage>,
    /// Whether a hook answered instead of the agent.
    pub by_hook: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

/// The result of an operation that needs a valid claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Fenced<T> {
    /// Done.
    Done(T),
    /// The claim is no longer valid, because the row was ended or claimed again meanwhile: nothing was changed.
    Stale,
}

impl Fenced<()> {
    /// The result of an update that finds no row when the claim is not valid any more.
    pub(crate) fn if_changed(rows: usize) -> Self {
        if rows > 0 { Fenced::Done(()) } else { Fenced::Stale }
    }
}

/// The effect of a command besides its reply (T1c).
#[derive(Debug, Clone)]
pub enum CommandEffect {
    /// Nothing.
    None,
    /// Cancels the running turn and the waiting messages that were accepted before the command.
    Stop,
    /// The same for the messages of the command's sender only, in a session that several people share.
    StopOwn,
    /// The command becomes a turn that runs the messages of the last turn again.
    Retry,
    /// The same for the last turn with messages of the command's sender, and for these messages only.
    RetryOwn,
    /// The command becomes a turn in which the agent compacts its context.
    Compact {
        /// What the summary should keep.
        instructions: String,
    },
    /// The command becomes a message with this text.
    Message {
        /// The text.
        text: String,
        /// Its own queue mode, if it does not wait as the other messages of the session do.
        mode: Option<QueueMode>,
    },
    /// The command becomes a message with this text, which takes the place of the answer under way if only the command's
    /// sender has asked for that. Else it waits as the other messages of the session do.
    InterruptOwn {
        /// The text.
        text: String,
    },
    /// Chooses how the session's messages wait, or leaves it to the configuration.
    ChooseQueue(Option<QueueMode>),
    /// Drops waiting messages that were accepted before the command.
    Dequeue {
        /// Which.
        what: Dequeue,
        /// Whether messages of other people are dropped too.
        any: bool,
    },
    /// Chooses a value for the session, or leaves it to the configuration.
    Choose {
        /// The option.
        option: SessionOption,
        /// The value.
        value: Option<String>,
    },
    /// Changes who has access.
    Access {
        /// The change.
        change: Box<AccessChange>,
        /// Who makes it.
        author: Author,
    },
    /// Answers a question.
    Answer(Answering),
    /// Joins two private chats, or separates them.
    Link(LinkStep),
    /// Hands over a task.
    Submit(Box<NewTask>),
    /// The answer under way goes on as a task of its author, with the text and the files of its messages.
    MoveToTask {
        /// The task. Its owner, its text and where its result goes are those of the answer.
        task: Box<NewTask>,
        /// Whether it may be the answer to somebody else than the command's sender.
        any: bool,
    },
    /// Cancels a task.
    CancelTask {
        /// The task.
        task: TaskId,
        /// Whose tasks may be cancelled.
        reach: TaskReach,
        /// Who cancels it.
        author: Author,
    },
    /// Runs a task again, as a new one.
    RetryTask {
        /// The task.
        task: TaskId,
        /// Whose tasks may be run again.
        reach: TaskReach,
        /// The agent that gets it in place of its own.
        agent: Option<String>,
        /// How many tasks may be open.
        open: OpenTasks,
    },
}

/// The result of a command; its reply is made from this.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandFacts {
    /// Nothing to add.
    None,
    /// Turns that were cancelled.
    Stopped(Stopped),
    /// What the sender of the command had asked for was cancelled.
    StoppedOwn {
        /// Turns and messages of theirs.
        stopped: Stopped,
        /// Whether the chat has turns or messages of other people, which go on.
        others: bool,
        /// Sessions in which messages of others wait again.
        wake: Vec<SessionKey>,
    },
    /// The command's row waits as a message that has taken the place of these turns.
    Interrupts(Stopped),
    /// Waiting messages were dropped.
    Dequeued(Dequeued),
    /// The command's row waits as a turn or as a message: its answer is the reply.
    Waits,
    /// The message waits for the same turn as an earlier one that asks for a compaction.
    CompactsAlready,
    /// There is nothing to retry.
    NothingToRetry,
    /// The last turn is still running.
    StillRunning,
    /// The result of a change of access.
    Access(Box<AccessDone>),
    /// The result of an answer.
    Answered(Result<Answered, AskError>),
    /// What became of two chats that were to be joined or separated.
    Link(LinkDone),
    /// What became of a task that was handed over.
    Submitted(TaskSubmitted),
    /// What became of the answer under way.
    MovedToTask(MovedToTask),
    /// What became of a task that was to be cancelled.
    TaskCancelled(TaskFound<CancelledTask>),
    /// What became of a task that was to run again.
    TaskRetried(TaskFound<TaskSubmitted>),
}
