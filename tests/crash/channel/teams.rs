//! Users of a platform for teams: private chats, channels, threads, files, edits, buttons and commands. What is particular to
//! the platform is a [`Team`].

pub mod discord;
pub mod slack;
mod users;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use async_trait::async_trait;
use tokio::task::JoinSet;

use super::{Channel, KillPoint};
use crate::clock;
use crate::harness::Harness;
use crate::journal::{Action, Event, Expected, Place};
use crate::observed::{Call, Observed};
use crate::random::Random;
use crate::script::Script;

/// The names under which the gateway counts what it drops.
const NOT_ALLOWED: Expected = Expected::Dropped("denied:not_allowed");
const UNKNOWN_GROUP: Expected = Expected::Dropped("denied:unknown_group");
const NOT_FOR_US: Expected = Expected::Dropped("ignored:not_for_us");

/// What a chat is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The private chat of one user, who does everything.
    Private,
    /// The private chat of a user who sends `/new`.
    Renewed,
    /// A channel or a thread in which everybody may write, and where messages for the bot mention it.
    Open,
    /// A channel in which only some may write.
    Closed,
    /// A channel that the configuration does not list.
    Unlisted,
}

/// A chat with the users who write there.
#[derive(Debug, Clone)]
pub struct Chat {
    pub place: Arc<Place>,
    pub purpose: Purpose,
    /// The channel, as the platform names it.
    pub channel: String,
    /// The thread in it, where the platform names both.
    pub thread: Option<String>,
    pub users: Vec<String>,
    /// Those of them who may write to the bot.
    pub allowed: Vec<String>,
}

impl Chat {
    fn is_private(&self) -> bool {
        matches!(self.purpose, Purpose::Private | Purpose::Renewed)
    }

    /// What must become of a message of this user to the bot.
    fn expected(&self, user: &str) -> Expected {
        match self.purpose {
            Purpose::Unlisted => UNKNOWN_GROUP,
            _ if self.allowed.iter().any(|allowed| allowed == user) => Expected::Turn,
            _ => NOT_ALLOWED,
        }
    }
}

/// Something that a user does in a chat.
pub enum Act<'a> {
    Say {
        text: &'a str,
        file: Option<&'a [u8]>,
    },
    /// Changes the text of a message.
    Edit {
        message: &'a str,
        text: &'a str,
    },
    /// Presses the button with this label.
    Press {
        message: &'a str,
        label: &'a str,
    },
    /// Chooses a command, which the bot has registered.
    Command {
        name: &'a str,
    },
}

/// What an act has led to.
#[derive(Debug, Clone)]
pub struct Acted {
    /// `inbound.event_id`
    pub event: String,
    /// The message that it has made or is about.
    pub message: String,
    /// The number of the event in the platform's journal; 0 if the gateway is not told now.
    pub number: i64,
}

/// A message of the bot with buttons.
pub struct Question {
    pub message: String,
    pub labels: Vec<String>,
}

/// What the platform has recorded of one event.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    pub delivered: Vec<i64>,
    pub confirmed: Option<i64>,
}

/// A platform for teams: its fake server with its chats.
#[async_trait]
pub trait Team: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// Its sections of the gateway's configuration.
    fn config(&self) -> String;

    /// `inbound.source`
    fn source(&self) -> &str;

    fn chats(&self) -> &[Chat];

    /// `inbound.principal`
    fn principal(&self, user: &str) -> String;

    /// Does something for a user; `None` if it is not possible now.
    fn act(&self, chat: &Chat, user: &str, act: &Act<'_>) -> Option<Acted>;

    /// How a text mentions the bot.
    fn mention(&self) -> &'static str;

    /// Whether a message for the bot opens a thread in this chat.
    fn opens_threads(&self, chat: &Chat) -> bool;

    /// The thread that a message for the bot has opened, if it opens one; the name is that of the place.
    fn opened(&self, chat: &Chat, name: String, message: &str) -> Option<Chat>;

    /// The last message of the bot in a chat that has buttons.
    fn question(&self, chat: &Chat) -> Option<Question>;

    /// What was recorded of the event with this number.
    fn trace(&self, number: i64) -> Trace;

    /// The kill points that it can recognise, besides [`KillPoint::Accept`].
    fn is_at(&self, point: KillPoint, since: i64) -> bool;

    /// When something was delivered last.
    fn delivered_at(&self) -> Option<i64>;

    fn set_faults(&self, on: bool);

    /// Whether the gateway, which has run since this time, has stored everything that it was sent or had to read.
    fn has_all(&self, database: &Path, since: i64) -> bool;

    /// Whether the gateway has been connected, and would go on after a kill.
    fn is_ready(&self, database: &Path) -> bool;

    /// Whether everybody who writes in private has been answered: such chats cannot be listed, so that the gateway can read
    /// only what is missing in those that it knows.
    fn knows_all(&self) -> bool;

    /// What an operator of the platform does now and then.
    async fn disturbs(&self, random: &mut Random);

    /// Whether the platform itself, or the time, may have lost an event that is not stored.
    fn may_lose(&self, event: &Event, trace: &Trace, observed: &Observed) -> bool;

    /// Whether an event that was stored then may have been found in the history of its chat.
    fn is_from_history(&self, event: &Event, stored: i64, observed: &Observed) -> bool;

    /// Whether the platform may deliver this event after later ones.
    fn comes_late(&self, event: &Event, trace: &Trace, observed: &Observed) -> bool;

    /// The gateway's requests.
    fn calls(&self) -> Vec<Arc<Call>>;

    /// Adds what else was recorded: files, secrets.
    async fn observe(&self, observed: &mut Observed) -> Result<()>;
}

/// A platform for teams with its users.
pub struct Teams<T>(Arc<Platform<T>>);

pub struct Platform<T> {
    harness: Arc<Harness>,
    team: T,
    database: std::path::PathBuf,
    /// The number in the platform's journal of each event. It is locked during an act, so that events are recorded in the
    /// order in which they happen.
    numbers: Mutex<HashMap<String, i64>>,
}

/// What a user says: the text of the event, the script in it, and the fingerprints of its files.
#[derive(Debug, Clone, Default)]
pub struct Content {
    pub text: String,
    pub script: Option<Script>,
    pub files: Vec<String>,
}

impl<T: Team> Teams<T> {
    pub fn new(harness: Arc<Harness>, home: &Path, team: T) -> Self {
        let database = home.join("frontdesk.db");
        Self(Arc::new(Platform { harness, team, database, numbers: Mutex::default() }))
    }
}

impl<T: Team> Platform<T> {
    /// Does something for a user and records what must become of it; returns the message, and the chat in which it is.
    fn act(
        &self,
        chat: &Chat,
        user: &str,
        act: &Act<'_>,
        (action, content, expected): (Action, Content, Expected),
    ) -> Option<(Chat, String)> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let acted = self.team.act(chat, user, act)?;
        let is_fleeting = matches!(act, Act::Press { .. } | Act::Command { .. });
        // A press or a command of which nobody is told has failed for its user.
        if acted.number == 0 && is_fleeting {
            return None;
        }
        let name = content.script.as_ref().and_then(|script| script.tag.split('-').nth(1));
        let opened = match (action, name.filter(|name| **name != *chat.place.name)) {
            (Action::Message | Action::File, Some(name)) => {
                self.team.opened(chat, name.to_owned(), &acted.message)
            }
            _ => None,
        };
        let chat = opened.unwrap_or_else(|| chat.clone());
        let digits: String = acted.message.chars().filter(char::is_ascii_digit).collect();
        let mut journal = self.harness.journal();
        let order = i64::try_from(journal.events.len()).unwrap_or(i64::MAX);
        let event = Event {
            action,
            message: digits.parse().unwrap_or_default(),
            script: content.script,
            files: content.files,
            expected,
            order,
            delivered: Vec::new(),
            ..Event::message(&chat.place, acted.event, self.team.principal(user), content.text)
        };
        numbers.insert(event.key(), acted.number);
        journal.sent(event);
        Some((chat, acted.message))
    }
}

#[async_trait]
impl<T: Team> Channel for Teams<T> {
    fn name(&self) -> &'static str {
        self.0.team.name()
    }

    fn config(&self) -> String {
        self.0.team.config()
    }

    async fn start(&self, clients: &mut JoinSet<()>, random: &Random) {
        users::start(&self.0, clients, random);
    }

    fn set_faults(&self, on: bool, _: bool) {
        self.0.team.set_faults(on);
    }

    fn kill_points(&self) -> &'static [KillPoint] {
        &[KillPoint::Accept, KillPoint::Streaming, KillPoint::Post, KillPoint::Command]
    }

    fn is_at(&self, point: KillPoint, since: i64) -> bool {
        match point {
            KillPoint::Accept => {
                self.0.team.delivered_at().is_some_and(|at| at >= since.max(clock::now() - 4))
            }
            point => self.0.team.is_at(point, since),
        }
    }

    fn unaccepted(&self) -> usize {
        let since = self.0.harness.journal().starts.last().copied().unwrap_or_default();
        usize::from(!self.0.team.has_all(&self.0.database, since))
    }

    async fn catch_up(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    async fn observe(&self, observed: &mut Observed) -> Result<()> {
        let (team, now) = (&self.0.team, clock::now());
        let rows = observed.database.inbound.iter().filter(|row| row.source == team.source());
        let stored: HashMap<String, i64> = rows.map(|row| (row.event(), row.received_at)).collect();
        let numbers = self.0.numbers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (key, number) in numbers {
            let trace = team.trace(number);
            let stored = stored.get(&key).copied();
            let Some(event) = observed.journal.event(&key) else { continue };
            let may_be_lost = stored.is_none() && team.may_lose(event, &trace, observed);
            let reordered = team.comes_late(event, &trace, observed);
            let from_history = stored.is_some_and(|at| team.is_from_history(event, at, observed));
            let Some(event) = observed.journal.event_mut(&key) else { continue };
            (event.delivered, event.reordered) = (trace.delivered, reordered);
            // Everything has arrived when nothing waits any more; a message without a delivery was read.
            event.accepted = trace.confirmed.or(Some(now));
            (event.may_be_lost, event.from_history) = (may_be_lost, from_history);
        }
        observed.calls.extend(team.calls());
        team.observe(observed).await
    }
}
