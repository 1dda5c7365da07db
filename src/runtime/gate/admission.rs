//! The decision about one event: whether its sender may write, and what follows from the event.

use frontdesk_core::access::{Action, Decision, DenyReason};
use frontdesk_core::ask::{Answerer, Press};
use frontdesk_core::command::{self, Command, Parsed, QueueRequest};
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::AskId;
use frontdesk_core::key::KeyError;
use frontdesk_core::message::{Event, EventKind, Refusal, SenderKind, Source};
use frontdesk_core::reaction::normalized;
use frontdesk_core::route::{self, Place};
use frontdesk_core::time::Now;
use frontdesk_store::row::{Answering, Disposition, EpochChange, GivenAnswer, Standing};

use super::answers::{Answer, Reply};
use super::press;
use crate::config::{Chat, Sharing};
use crate::settings::Settings;
use crate::shared::{JoinedSession, Shared};

/// How many reactions and edits are kept for the next turn where the operator configured no ambient messages.
pub(super) const MARKS: u32 = 20;

/// An event with what the rules need to decide about it.
pub(super) struct Admission<'a> {
    pub(super) shared: &'a Shared,
    pub(super) settings: &'a Settings,
    pub(super) source: &'a Source,
    pub(super) event: &'a Event,
    /// The answer to a question that the event gives.
    pub(super) answer: Option<&'a Answer>,
    /// The chat's first id.
    pub(super) chat: &'a str,
    pub(super) now: Now,
}

/// Whether the sender of an event may write where it was sent.
pub(super) enum Entry {
    Open,
    /// Its sender is unknown and may ask for a pairing code.
    Pairing,
    /// An admin addresses the bot in a group that is not served: the answer says how to change that.
    NotServed,
    /// The sender may not write, for this reason.
    Shut(DropReason),
}

/// The decision about an event whose sender may write: [`Admitted`](frontdesk_store::row::Admitted) without the event.
pub(super) struct Plan {
    pub(super) disposition: Disposition,
    pub(super) epoch: EpochChange,
    /// What the agent is to read, if that is not the whole text.
    pub(super) text: Option<String>,
    pub(super) tell: bool,
    /// Whether it counts against its sender's daily limit.
    pub(super) counts: bool,
    /// Whether an agent works because of it, so that it needs what is left of a budget.
    pub(super) uses_agent: bool,
    /// Whether the agent gets it: it waits with other messages of its session, and not in a muted chat.
    pub(super) for_agent: bool,
    /// The question with choices that it answers, if the agent does not wait for that.
    pub(super) answers: Option<Box<Answering>>,
}

impl Plan {
    pub(super) fn of(disposition: Disposition) -> Self {
        let for_agent = disposition == Disposition::Turn;
        Plan {
            disposition,
            epoch: EpochChange::ByRule,
            text: None,
            tell: true,
            counts: for_agent,
            uses_agent: for_agent,
            for_agent,
            answers: None,
        }
    }

    fn changing(self, epoch: EpochChange) -> Self {
        Plan { epoch, ..self }
    }

    fn with_text(self, text: &str) -> Self {
        Plan { text: Some(text.to_owned()), ..self }
    }
}

impl Admission<'_> {
    /// Whether its sender may write here.
    pub(super) fn access(&self) -> Entry {
        match self.decide(Action::Write) {
            Decision::Allow => Entry::Open,
            // An admin can have a group served from within it.
            Decision::Deny(DenyReason::UnknownGroup)
                if (self.is_admin_command() || press(self.event).is_some())
                    && self.decide(Action::Administer) == Decision::Allow =>
            {
                Entry::Open
            }
            Decision::Deny(DenyReason::UnknownGroup) if self.is_addressed_by_admin() => Entry::NotServed,
            Decision::Pair if self.event.kind == EventKind::Message => Entry::Pairing,
            Decision::Pair => Entry::Shut(DropReason::UnknownSender),
            Decision::Deny(reason) => Entry::Shut(DropReason::Denied(reason)),
        }
    }

    fn decide(&self, action: Action) -> Decision {
        self.shared.authorize_event(self.settings, self.event, self.chat, action)
    }

    /// Whether its sender is an admin.
    pub(super) fn is_by_admin(&self) -> bool {
        self.decide(Action::Administer) == Decision::Allow
    }

    fn is_addressed_by_admin(&self) -> bool {
        self.event.kind == EventKind::Message
            && self.event.addressed
            && self.event.forward.is_none()
            && self.decide(Action::Administer) == Decision::Allow
    }

    fn is_admin_command(&self) -> bool {
        self.event.kind == EventKind::Message
            && matches!(command::of(self.event), Parsed::Command(Command::Gateway(_)))
    }

    /// Whether it is a turn, a command, context, a refusal or, with `None`, not meant for the bot.
    pub(super) fn plan(&self) -> Option<Plan> {
        let event = self.event;
        match &event.kind {
            EventKind::Message => self.message(),
            EventKind::Edit => self.edit(),
            // It takes nothing and tells nobody: the store looks whether the message waits.
            EventKind::Deleted => Some(Plan {
                tell: false,
                counts: false,
                uses_agent: false,
                for_agent: false,
                ..Plan::of(Disposition::Turn)
            }),
            EventKind::Button { .. } => match press(event) {
                Some(press) => self.press(press),
                None => self.text(&event.text),
            },
            EventKind::Reaction { added, removed, .. } => self.reaction(added, removed),
            EventKind::Unreadable { notify_sender, .. } => (*notify_sender && self.is_for_us())
                .then(|| Plan::of(Disposition::Refused(Refusal::Unreadable))),
            EventKind::Undecodable(_)
            | EventKind::DeletedById
            | EventKind::Moved { .. }
            | EventKind::Other(_) => None,
        }
    }

    fn message(&self) -> Option<Plan> {
        if let Some(plan) = self.oversized() {
            return plan;
        }
        match self.answer {
            Some(Answer::Command(command)) => return Some(Plan::of(Disposition::Command).with_text(command)),
            Some(Answer::Message(reply)) => return self.reply(reply),
            None => {}
        }
        let plan = match command::of(self.event) {
            // Its reply says why.
            Parsed::Command(command) if !self.may_change_conversation(&command) => {
                Plan::of(Disposition::Command)
            }
            Parsed::NotForUs => return None,
            Parsed::Text(text) => return self.text(text),
            Parsed::Command(Command::New { text: Some(text) }) => {
                Plan::of(Disposition::Turn).changing(EpochChange::New).with_text(&text)
            }
            Parsed::Command(Command::New { text: None }) => {
                Plan::of(Disposition::Command).changing(EpochChange::New)
            }
            Parsed::Command(Command::Resume { epoch }) => {
                Plan::of(Disposition::Command).changing(EpochChange::Resume(epoch))
            }
            // A retry counts against the daily limit, because it runs the agent once more.
            Parsed::Command(Command::Retry) => {
                Plan { counts: true, uses_agent: true, ..Plan::of(Disposition::Command) }
            }
            Parsed::Command(Command::Background { text: Some(_) } | Command::RetryTask(_)) => {
                Plan { uses_agent: true, ..Plan::of(Disposition::Command) }
            }
            Parsed::Command(
                Command::Steer { .. } | Command::Compact { .. } | Command::Queue(QueueRequest::Send { .. }),
            ) => Plan { counts: true, uses_agent: true, for_agent: true, ..Plan::of(Disposition::Command) },
            Parsed::Command(_) => Plan::of(Disposition::Command),
            // In a group they may be meant for another bot; a command that exists only where others are spoken to as well.
            Parsed::Unknown { .. } if !self.event.addressed => return None,
            Parsed::Malformed { .. } if !self.is_for_us() => return None,
            Parsed::Unknown { .. } | Parsed::Malformed { .. } => Plan::of(Disposition::Command),
        };
        Some(plan)
    }

    /// Whether moderators are not needed for a command, or its sender is one.
    fn may_change_conversation(&self, command: &Command) -> bool {
        let is_shared = || {
            self.session().is_ok_and(|joined| self.shared.has_several_people(self.settings, &joined.session))
        };
        !command.changes_conversation()
            || !is_shared()
            || self.decide(Action::ChangeConversation) == Decision::Allow
    }

    /// A pressed button of a question. The store decides whether the answer counts.
    fn press(&self, Press { ask, choice }: Press) -> Option<Plan> {
        if let Some(Answer::Message(reply)) = self.answer {
            return self.reply(reply);
        }
        let answering = self.answering(ask, GivenAnswer::Position(choice))?;
        Some(Plan::of(Disposition::Answer(Box::new(answering))))
    }

    /// A choice that an agent has offered: a message like any other, which ends the question if it counts.
    fn reply(&self, Reply { ask, given, text }: &Reply) -> Option<Plan> {
        let answers = self.answering(*ask, given.clone())?;
        Some(Plan { answers: Some(Box::new(answers)), ..Plan::of(Disposition::Turn).with_text(text) })
    }

    /// `None` if the sender is no person.
    fn answering(&self, ask: AskId, given: GivenAnswer) -> Option<Answering> {
        let from = &self.event.from;
        if from.kind != SenderKind::Person {
            return None;
        }
        let by = Answerer { id: from.id.clone(), name: from.name.clone() };
        let standing = if self.is_by_admin() { Standing::Admin } else { Standing::Person };
        let under = match &self.event.kind {
            EventKind::Button { target } => target.clone(),
            _ => None,
        };
        Some(Answering {
            ask,
            given,
            by,
            standing,
            place: self.session().ok().map(|joined| joined.session),
            under,
        })
    }

    fn edit(&self) -> Option<Plan> {
        if let Some(plan) = self.oversized() {
            return plan;
        }
        // An edit never becomes a command.
        match command::of(self.event) {
            Parsed::Text(text) => self.text(text),
            // The command had its effect with the first version; the text that followed it may change.
            Parsed::Command(
                Command::New { text: Some(text) }
                | Command::Steer { text }
                | Command::Queue(QueueRequest::Send { text, .. }),
            ) => self.text(&text),
            _ => None,
        }
    }

    /// A text for the agent, or context for its next turn.
    fn text(&self, text: &str) -> Option<Plan> {
        if text.trim().is_empty() && self.event.attachments.is_empty() {
            return None;
        }
        if self.is_for_us() {
            return Some(Plan::of(Disposition::Turn).with_text(text));
        }
        let keep = self.rules().and_then(|rules| rules.ambient).filter(|keep| *keep > 0)?;
        let kinds = self.event.attachments.iter().map(|file| format!("({})", file.kind.name()));
        let parts: Vec<String> = kinds.chain((!text.trim().is_empty()).then(|| text.to_owned())).collect();
        Some(Plan::of(Disposition::Context(keep)).with_text(&parts.join(" ")))
    }

    /// A reaction is context for the next turn. In a group that is so only for reactions to messages of the bot, unless
    /// the operator configured that the agent gets messages between other people as context.
    fn reaction(&self, added: &[String], removed: &[String]) -> Option<Plan> {
        let ambient = self.rules().and_then(|rules| rules.ambient).unwrap_or_default();
        let quote = self.event.quote.as_ref();
        if !self.event.conversation.is_private() && ambient == 0 && !quote.is_some_and(|quote| quote.ours) {
            return None;
        }
        let (verb, marks) = match (added, removed) {
            ([], []) => return None,
            ([], removed) => ("took back", removed),
            (added, _) => ("put", added),
        };
        let to = quote.map(|quote| format!(" to: {}", quote.text)).unwrap_or_default();
        let marks: Vec<String> = marks.iter().map(|mark| normalized(mark)).collect();
        let text = format!("{verb} {}{to}", marks.join(" "));
        Some(Plan::of(Disposition::Context(ambient.max(MARKS))).with_text(&text))
    }

    /// `Some` if the text is too long: the refusal, or `None` inside it if the event is not meant for the bot.
    fn oversized(&self) -> Option<Option<Plan>> {
        let (text, most) = (&self.event.text, self.settings.config.queue.max_text);
        (text.len() > most).then(|| {
            let head = &text[..text.floor_char_boundary(most)];
            self.is_for_us().then(|| Plan::of(Disposition::Refused(Refusal::TooLong)).with_text(head))
        })
    }

    /// Whether it is meant for the bot: it is addressed, or here everything is meant for the bot.
    fn is_for_us(&self) -> bool {
        self.event.addressed || self.rules().is_some_and(|rules| rules.require_mention == Some(false))
    }

    /// Why nothing is accepted here now: the chat is muted, or bots answer each other without end. Commands are always
    /// accepted unless they reach the agent, and so are answers to questions.
    pub(super) fn silence(&self, plan: &Plan) -> Option<DropReason> {
        let (shared, source) = (self.shared, self.source);
        if self.event.from.kind == SenderKind::Bot
            && !matches!(plan.disposition, Disposition::Context(_))
            && !shared.access.bot_loops.allows(&self.event.address, shared.time.mono())
        {
            return Some(DropReason::BotLoop);
        }
        let muted = || shared.access.is_muted(&source.account, self.chat, self.now.steady);
        let is_for_gateway =
            matches!(plan.disposition, Disposition::Command | Disposition::Answer(_)) && !plan.for_agent;
        (!is_for_gateway && muted()).then_some(DropReason::Muted)
    }

    /// The session that the event belongs to.
    pub(super) fn session(&self) -> Result<JoinedSession, KeyError> {
        let (conversation, sender) = (&self.event.conversation, self.event.from.id.id());
        let own = self.rules().is_some_and(|rules| rules.sessions == Some(Sharing::Person));
        let person = (own || conversation.is_private()).then_some(sender);
        let place = Place { chat: self.chat, thread: conversation.thread(), person };
        let configured = || self.shared.route(self.settings, &self.source.account, place).agent;
        let agent = self.event.agent.as_deref().unwrap_or_else(configured);
        let session = route::session(agent, self.source, conversation, self.chat, own.then_some(sender))?;
        Ok(self.shared.joined(self.settings, session))
    }

    fn rules(&self) -> Option<&Chat> {
        self.shared.chat(self.settings, &self.source.account, self.chat)
    }
}
