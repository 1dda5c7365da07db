//! The commands that a person can write in a chat.
//!
//! ```text
//! message  = command | escaped | text             without leading and trailing white space
//! command  = "/" name [ "@" bot ] [ space rest ]  name: a letter, then letters and "_"; any case
//! escaped  = "/" message-that-starts-like-a-command, sent to the agent without its first "/"
//! text     = anything else, unchanged: "/etc/passwd", "/2", "//", "// a comment", "a /new idea"
//!
//! /help            /new [TEXT] (/reset)   /status          /stop
//! /retry           /sessions [PAGE]       /resume [N]      /whoami
//! /steer TEXT      /model [NAME]          /thinking [LEVEL]
//! /compact [TEXT]  /queue [WHAT], see [`QueueRequest`]
//! /answer [[N] ANSWER]
//! /timezone [ZONE]     /usage
//! /link [WHAT], see [`LinkRequest`]
//! /background [TEXT] (/bg)               /tasks [retry ID]    /cancel ID
//! /gateway WHAT    for admins, see [`gateway`]
//! ```
//!
//! A message with the name of another bot is ignored. An unknown name is answered with the most similar one and does
//! not reach the agent. Whether somebody may use a command is decided elsewhere.

mod budget;
pub mod gateway;
mod link;
mod mark;
mod queue;
#[cfg(test)]
mod tests;

pub use gateway::Gateway;
pub use link::LinkRequest;
pub use mark::with_mark;
pub use queue::{QueueRequest, WaitingPlace};

use crate::agent::SessionOption;
use crate::id::{AskId, TaskId};
use crate::message::{Event, EventKind, FirstLine};
use crate::nearest::nearest;
use crate::queue_mode::QueueMode;

/// One entry of the command list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The name, without the slash.
    pub name: &'static str,
    /// Other names for the same command.
    pub aliases: &'static [&'static str],
    /// How it is written: `/resume [N]`.
    pub usage: &'static str,
    /// What it does, in one line for /help and the platform's menu.
    pub help: &'static str,
    /// Whether only admins may use it; others do not see it in /help or in a menu.
    pub admin: bool,
}

/// Every command, in the order in which /help shows them.
pub fn list() -> &'static [Spec] {
    &LIST
}

const LIST: [Spec; 21] = [
    // Telegram's own start button sends /start, so it must not be answered with "unknown".
    Spec { aliases: &["start"], ..person("help", "/help", "Show what you can send here") },
    Spec { aliases: &["reset"], ..person("new", "/new [TEXT]", "Start a new conversation") },
    person("status", "/status", "Show what is happening in this chat"),
    person("stop", "/stop", "Stop the answer and drop waiting messages"),
    person("queue", "/queue [MODE | drop N | clear]", "Show or change what waits"),
    person("steer", "/steer TEXT", "Add something to the answer under way"),
    person("retry", "/retry", "Answer the last message again"),
    person("answer", "/answer [[N] ANSWER]", "Answer a question"),
    Spec {
        aliases: &["bg"],
        ..person("background", "/background [TEXT]", "Work on something in the background")
    },
    person("tasks", "/tasks [retry ID]", "List what runs in the background"),
    person("cancel", "/cancel ID", "Cancel a background task"),
    person("sessions", "/sessions [PAGE]", "List the conversations of this chat"),
    person("resume", "/resume [N]", "Return to an earlier conversation"),
    person("compact", "/compact [TEXT]", "Let the agent summarize what was said"),
    person("model", "/model [NAME]", "Show or choose the model"),
    person("thinking", "/thinking [LEVEL]", "Show or choose how much it thinks"),
    person("usage", "/usage", "Show what you have used today"),
    person("timezone", "/timezone [ZONE]", "Show or choose the time zone of this chat"),
    person("link", "/link [CODE | off]", "Continue this conversation in another private chat"),
    person("whoami", "/whoami", "Show your id and what you may do"),
    Spec { admin: true, ..person("gateway", "/gateway WHAT", "Manage the gateway") },
];

/// A command for everyone who has access.
const fn person(name: &'static str, usage: &'static str, help: &'static str) -> Spec {
    Spec { name, aliases: &[], usage, help, admin: false }
}

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// List the commands.
    Help,
    /// Start a new conversation. The text, if any, is its first message.
    New {
        /// What followed the command, without surrounding white space.
        text: Option<String>,
    },
    /// Show the state of the conversation.
    Status,
    /// Cancel the running and the waiting turns.
    Stop,
    /// Answer the last message once more.
    Retry,
    /// Answer a question; `None` lists the open questions.
    Answer(Option<WrittenAnswer>),
    /// Run something in the background; without a text the answer under way.
    Background {
        /// What to do.
        text: Option<String>,
    },
    /// List the background tasks of the person.
    Tasks,
    /// Run a background task again.
    RetryTask(TaskId),
    /// Cancel a background task.
    CancelTask(TaskId),
    /// List one page of the chat's conversations.
    Sessions {
        /// The page, counted from 1.
        page: u32,
    },
    /// Go back to an earlier conversation.
    Resume {
        /// Its number; `None` is the one before the current one.
        epoch: Option<u64>,
    },
    /// Show or drop the messages that wait, or change how they do.
    Queue(QueueRequest),
    /// Add a message to the answer under way.
    Steer {
        /// The message.
        text: String,
    },
    /// Let the agent compact its context of the conversation.
    Compact {
        /// What the summary should keep.
        instructions: String,
    },
    /// Show or choose an option of the session.
    Choose {
        /// The option.
        option: SessionOption,
        /// The value; `None` shows the present one.
        value: Option<String>,
    },
    /// Show what the person has used today, and their budget.
    Usage,
    /// Show or choose the time zone of the chat.
    Timezone {
        /// The name as it was written; `None` shows the present one.
        zone: Option<String>,
    },
    /// Join this private chat to another one of the person, or part them.
    Link(LinkRequest),
    /// Show who the person is and what they may do.
    Whoami,
    /// Manage the gateway; `None` lists the requests.
    Gateway(Option<Gateway>),
}

impl Command {
    /// The command's main name, without the slash.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Help => "help",
            Command::New { .. } => "new",
            Command::Status => "status",
            Command::Stop => "stop",
            Command::Retry => "retry",
            Command::Answer(_) => "answer",
            Command::Background { .. } => "background",
            Command::Tasks | Command::RetryTask(_) => "tasks",
            Command::CancelTask(_) => "cancel",
            Command::Sessions { .. } => "sessions",
            Command::Resume { .. } => "resume",
            Command::Queue(_) => "queue",
            Command::Steer { .. } => "steer",
            Command::Compact { .. } => "compact",
            Command::Choose { option: SessionOption::Model, .. } => "model",
            Command::Choose { option: SessionOption::Thinking, .. } => "thinking",
            Command::Usage => "usage",
            Command::Timezone { .. } => "timezone",
            Command::Link(_) => "link",
            Command::Whoami => "whoami",
            Command::Gateway(_) => "gateway",
        }
    }

    /// Whether it changes the conversation for everybody who shares it.
    pub fn changes_conversation(&self) -> bool {
        match self {
            Command::New { .. } | Command::Resume { .. } | Command::Compact { .. } => true,
            Command::Choose { value, .. } => value.is_some(),
            Command::Queue(request) => matches!(request, QueueRequest::Mode(_)),
            _ => false,
        }
    }
}

/// An answer to a question, as somebody writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenAnswer {
    /// The question; `None` if it is the only one that is open.
    pub ask: Option<AskId>,
    /// The number or the label of a choice, or free text.
    pub text: String,
}

/// How a message was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'t> {
    /// Text for the agent: the message unchanged, or an escaped command without its first slash.
    Text(&'t str),
    /// A command.
    Command(Command),
    /// It has the form of a command, but no such command exists.
    Unknown {
        /// The name as it was written, in lower case.
        name: String,
        /// The most similar name.
        nearest: Option<&'static str>,
    },
    /// A command with arguments that it does not accept.
    Malformed {
        /// The command's main name.
        command: &'static str,
        /// How it is written.
        usage: &'static str,
        /// The arguments as they were written.
        words: &'t str,
    },
    /// A command for another bot in the same chat.
    NotForUs,
}

/// Parses an event: the same rule for every platform. Only a plain first line that the sender wrote themselves is a
/// command. Code, quotes, spoilers, captions and forwarded messages are text. What follows `/new`, `/steer`, `/background`
/// and `/queue MODE` may be formatted, because it is a message.
pub fn of(event: &Event) -> Parsed<'_> {
    let shown = Parsed::Text(&event.text);
    let written = matches!(event.kind, EventKind::Message | EventKind::Edit) && event.forward.is_none();
    if !written || event.first_line == FirstLine::Formatted {
        return shown;
    }
    match (event.first_line, parse(&event.text, None)) {
        (FirstLine::Plain, parsed) => parsed,
        (
            _,
            parsed @ (Parsed::Text(_)
            | Parsed::Command(
                Command::New { .. } | Command::Steer { .. } | Command::Background { .. },
            )),
        )
        | (_, parsed @ Parsed::Command(Command::Queue(QueueRequest::Send { .. }))) => parsed,
        (..) => shown,
    }
}

/// Parses a text. `bot` is our name on a platform where commands can be addressed to a bot (`/new@front_bot`), with or
/// without its `@`; elsewhere it is `None`, and a first word with an `@` is text.
pub fn parse<'t>(text: &'t str, bot: Option<&str>) -> Parsed<'t> {
    let trimmed = text.trim();
    let Some(head) = Head::of(trimmed) else {
        let escaped = trimmed.strip_prefix('/').filter(|rest| is_like_a_command(rest));
        return Parsed::Text(escaped.unwrap_or(text));
    };
    match (head.bot, bot) {
        (Some(_), None) => return Parsed::Text(text),
        (Some(named), Some(ours)) if !named.eq_ignore_ascii_case(ours.trim_start_matches('@')) => {
            return Parsed::NotForUs;
        }
        _ => {}
    }
    let name = head.name.to_ascii_lowercase();
    let Some(spec) = LIST.iter().find(|spec| spec.name == name || spec.aliases.contains(&name.as_str()))
    else {
        let names =
            LIST.iter().flat_map(|spec| std::iter::once(spec.name).chain(spec.aliases.iter().copied()));
        return Parsed::Unknown { nearest: nearest(&name, names), name };
    };
    match with_arguments(spec.name, head.rest) {
        Some(command) => Parsed::Command(command),
        None => Parsed::Malformed { command: spec.name, usage: spec.usage, words: head.rest },
    }
}

/// The command of this name, or `None` if it does not accept these arguments. Superfluous words are refused, because
/// they would be lost without notice; except after /stop, which must act at once, and after /start (an alias of /help),
/// where platforms add words of their own.
fn with_arguments(name: &str, rest: &str) -> Option<Command> {
    match name {
        "help" => Some(Command::Help),
        "stop" => Some(Command::Stop),
        "answer" if rest.is_empty() => Some(Command::Answer(None)),
        "answer" => Some(Command::Answer(Some(answer(rest)))),
        "new" => Some(Command::New { text: (!rest.is_empty()).then(|| rest.to_owned()) }),
        "background" => Some(Command::Background { text: (!rest.is_empty()).then(|| rest.to_owned()) }),
        "tasks" if rest.is_empty() => Some(Command::Tasks),
        "tasks" => match rest.split_once(char::is_whitespace) {
            Some((word, id)) if word.eq_ignore_ascii_case("retry") => task(id).map(Command::RetryTask),
            _ => None,
        },
        "cancel" => task(rest).map(Command::CancelTask),
        "sessions" if rest.is_empty() => Some(Command::Sessions { page: 1 }),
        "sessions" => number(rest).filter(|page| *page >= 1).map(|page| Command::Sessions { page }),
        "resume" if rest.is_empty() => Some(Command::Resume { epoch: None }),
        "resume" => number(rest).map(|epoch| Command::Resume { epoch: Some(epoch) }),
        "queue" => QueueRequest::parse(rest).map(|request| match request {
            QueueRequest::Send { mode: QueueMode::Steer, text } => Command::Steer { text },
            request => Command::Queue(request),
        }),
        "steer" => (!rest.is_empty()).then(|| Command::Steer { text: rest.to_owned() }),
        "compact" => Some(Command::Compact { instructions: rest.to_owned() }),
        "model" => choose(SessionOption::Model, rest),
        "thinking" => choose(SessionOption::Thinking, rest),
        "timezone" => Some(Command::Timezone { zone: (!rest.is_empty()).then(|| rest.to_owned()) }),
        "link" => LinkRequest::parse(rest).map(Command::Link),
        "gateway" if rest.is_empty() => Some(Command::Gateway(None)),
        "gateway" => Gateway::parse(rest).map(|request| Command::Gateway(Some(request))),
        _ if !rest.is_empty() => None,
        "status" => Some(Command::Status),
        "usage" => Some(Command::Usage),
        "retry" => Some(Command::Retry),
        "whoami" => Some(Command::Whoami),
        _ => None,
    }
}

/// A value is one word.
fn choose(option: SessionOption, rest: &str) -> Option<Command> {
    let value = (!rest.is_empty()).then(|| rest.to_owned());
    (!rest.contains(char::is_whitespace)).then_some(Command::Choose { option, value })
}

/// The id of a task, with or without its `b`.
fn task(rest: &str) -> Option<TaskId> {
    let digits = rest.trim();
    number(digits.strip_prefix(['b', 'B']).unwrap_or(digits)).map(TaskId)
}

/// An answer, behind the number of its question with or without its `a`.
fn answer(rest: &str) -> WrittenAnswer {
    let numbered = rest.split_once(char::is_whitespace).and_then(|(ask, text)| {
        let digits = ask.strip_prefix(['a', 'A']).unwrap_or(ask);
        Some(WrittenAnswer { ask: Some(AskId(number(digits)?)), text: text.trim().to_owned() })
    });
    numbered.unwrap_or_else(|| WrittenAnswer { ask: None, text: rest.to_owned() })
}

fn number<N: std::str::FromStr>(digits: &str) -> Option<N> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The parts of a message that has the form of a command.
struct Head<'t> {
    name: &'t str,
    bot: Option<&'t str>,
    rest: &'t str,
}

impl<'t> Head<'t> {
    fn of(trimmed: &'t str) -> Option<Self> {
        let line = trimmed.strip_prefix('/')?;
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (name, bot) = match word.split_once('@') {
            Some((name, bot)) => (name, Some(bot)),
            None => (word, None),
        };
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let addressed =
            bot.is_none_or(|bot| !bot.is_empty() && bot.chars().all(|c| c.is_alphanumeric() || c == '_'));
        (named && addressed).then(|| Head { name, bot, rest: rest.trim() })
    }
}

/// Whether a text is a command once all its leading slashes but one are removed. Such a text is escaped by one more
/// slash, however many it has; any other text that starts with `//` stays unchanged.
fn is_like_a_command(text: &str) -> bool {
    let bare = text.trim_start_matches('/');
    text.len() > bare.len() && Head::of(&text[text.len() - bare.len() - 1..]).is_some()
}
