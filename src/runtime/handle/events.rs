//! Events of other programs: they become tasks of agents, messages, or input of a conversation.

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::{Conversation, Event, EventKind, Outcome, Sender, SenderKind, Source};
use frontdesk_core::task::TaskSource;
use frontdesk_store::row::{Author, OutboxRow, TaskRow};

use super::{GatewayError, GatewayHandle, TaskPlace, TaskRequest};
use crate::config::Sharing;
use crate::gate;

/// An event that is known to come from its sender.
#[derive(Debug, Clone)]
pub struct EventRequest {
    /// The name of the endpoint that has received it.
    pub hook: String,
    /// The same for every repetition of one event, and different for all others of this endpoint.
    pub key: String,
    /// What an agent is told about it, or what is sent.
    pub text: String,
    /// In whose name an agent works on it.
    pub owner: Principal,
    /// What becomes of it.
    pub target: EventTarget,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTarget {
    /// An agent works on it in a session of its own, and its answer goes to a chat.
    Agent {
        /// The chat.
        to: Address,
        /// The agent; `None` for the one that answers in the chat.
        agent: Option<String>,
    },
    /// It is sent to a chat.
    Message {
        /// The chat.
        to: Address,
    },
    /// It is a message of a conversation that exists.
    Session(SessionKey),
}

/// What an event has become. The same for a repetition.
#[derive(Debug, Clone)]
pub enum EventStored {
    /// A task.
    Task(Box<TaskRow>),
    /// Messages.
    Messages(Vec<OutboxRow>),
    /// A message to an agent, or why it is none.
    Input(Outcome),
}

impl GatewayHandle {
    /// Stores what an event becomes. A repetition stores nothing and returns what the first one has become. A configuration
    /// that names an unknown chat, agent or session is an error.
    pub async fn event(&self, event: EventRequest) -> Result<EventStored, GatewayError> {
        let EventRequest { hook, key, text, owner, target } = event;
        let request = format!("hook:{hook}:{key}");
        match target {
            EventTarget::Agent { to, agent } => {
                let task = TaskRequest {
                    owner,
                    // The configuration names the chat.
                    operator: true,
                    source: TaskSource::Event,
                    key: Some(request),
                    text,
                    files: Vec::new(),
                    title: Some(format!("event {hook}")),
                    agent,
                    place: TaskPlace::Chat(to),
                    limit: None,
                };
                Ok(EventStored::Task(Box::new(self.submit_task(task).await?)))
            }
            EventTarget::Message { to } => {
                let author = Author { name: format!("hook:{hook}"), via: "hook" };
                Ok(EventStored::Messages(self.send(&to, &text, None, &request, &author).await?))
            }
            EventTarget::Session(session) => {
                let source = Source { id: format!("hook:{hook}"), account: session.account().clone() };
                let event = self.input(session, key, text, owner).await?;
                let outcomes = gate::accept(&self.0, &source, vec![event], None).await?;
                Ok(EventStored::Input(outcomes.into_iter().next().unwrap_or(Outcome::Ignored)))
            }
        }
    }

    /// A message of a conversation that exists. It is never a command.
    async fn input(
        &self,
        session: SessionKey,
        id: String,
        text: String,
        owner: Principal,
    ) -> Result<Event, GatewayError> {
        let row = self.known(&session).await?;
        let (chat, thread) = (session.id().to_owned(), session.thread().unwrap_or_default().to_owned());
        let conversation = match session.scope() {
            Scope::Dm => Conversation::Dm { chat, thread: session.thread().map(str::to_owned) },
            Scope::Group => Conversation::Group { chat },
            Scope::Channel => Conversation::Channel { chat },
            Scope::Topic => Conversation::Topic { chat, thread },
            Scope::Thread => Conversation::Thread { chat, thread },
            scope => {
                let refused = format!("{session}: a session of the kind {} takes no events", scope.name());
                return Err(GatewayError::Invalid(refused));
            }
        };
        let rules = self.0.settings();
        let own = self.0.chat(&rules, session.account(), session.id()).and_then(|chat| chat.sessions);
        if !conversation.is_private() && own == Some(Sharing::Person) {
            let refused =
                format!("{session}: each person has a session of their own there, so none takes events");
            return Err(GatewayError::Invalid(refused));
        }
        let from = Sender::new(owner, SenderKind::Person);
        let event = Event::new(id, EventKind::Message, from, row.address, conversation);
        Ok(Event { agent: Some(session.agent().to_owned()), addressed: true, text, ..event })
    }
}
