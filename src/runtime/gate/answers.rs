//! Answers to questions: found before the rules decide, because an answer may be a message for the agent.

use frontdesk_core::ask::{self, AskAnswer, AskError, AskView};
use frontdesk_core::command::{self, Command, Parsed, WrittenAnswer};
use frontdesk_core::id::AskId;
use frontdesk_core::message::{Event, EventKind, Quote, SenderKind, Source};
use frontdesk_store::StoreError;
use frontdesk_store::row::{GivenAnswer, Standing};

use super::admission::Admission;
use super::{first_id, may_write, press};
use crate::open_questions;
use crate::settings::Settings;
use crate::shared::{JoinedSession, Shared};

/// An answer to a question.
pub(super) enum Answer {
    /// Somebody waits for it: the command that gives the same answer.
    Command(String),
    /// The agent does not wait for it: the answer is the person's next message.
    Message(Reply),
}

/// An answer that is a message.
pub(super) struct Reply {
    pub(super) ask: AskId,
    pub(super) given: GivenAnswer,
    /// What the agent reads.
    pub(super) text: String,
}

/// The answer that an event gives, if there is any. An event with a [`Reply`] becomes a message to the agent that has asked,
/// with the question as its quote.
pub(super) async fn find(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    event: &mut Event,
) -> Result<Option<Answer>, StoreError> {
    let wanted = match event.kind {
        EventKind::Button { .. } => press(event).map(|press| Wanted::Pressed(press.ask, press.choice)),
        _ => written(event),
    };
    // For others nothing is read from the database.
    let Some(wanted) = wanted.filter(|_| may_write(shared, settings, event)) else { return Ok(None) };
    let (ask, given) = match wanted {
        Wanted::Pressed(ask, choice) => (shared.store.ask(ask).await?, GivenAnswer::Position(choice)),
        Wanted::Quoted => {
            let Some(ask) = quoted(shared, event).await? else { return Ok(None) };
            let text = event.text.trim().to_owned();
            if !ask.answer_is_message {
                return Ok(Some(Answer::Command(format!("/answer {} {text}", ask.id))));
            }
            (Some(ask), GivenAnswer::Typed(text))
        }
        Wanted::Command(answer) => {
            let text = answer.text.clone();
            (named(shared, settings, source, event, answer).await?, GivenAnswer::Typed(text))
        }
    };
    // What is no answer to a choice stays what it is: a press that does not count, a command that is told why, a message.
    let Some(ask) = ask.filter(|ask| ask.answer_is_message && may_answer(event, ask)) else {
        return Ok(None);
    };
    let Some(text) = shown(&ask, &given) else { return Ok(None) };
    become_message(event, &ask);
    Ok(Some(Answer::Message(Reply { ask: ask.id, given, text })))
}

/// How an event may answer a question.
enum Wanted {
    Pressed(AskId, usize),
    /// It replies to a message of the bot, which may be a question.
    Quoted,
    Command(WrittenAnswer),
}

fn written(event: &Event) -> Option<Wanted> {
    if event.forward.is_some() || !event.attachments.is_empty() {
        return None;
    }
    if !event.text.trim_start().starts_with('/') {
        let quote = event.quote.as_ref()?;
        return (quote.ours && quote.message.is_some()).then_some(Wanted::Quoted);
    }
    match command::of(event) {
        Parsed::Command(Command::Answer(Some(answer))) => Some(Wanted::Command(answer)),
        _ => None,
    }
}

/// The open question to which a message replies, if the message answers it. A reply that is no answer to the question, or a
/// reply to any other message, is a message for the agent.
async fn quoted(shared: &Shared, event: &Event) -> Result<Option<AskView>, StoreError> {
    let Some(target) = event.quote.as_ref().and_then(|quote| quote.message.as_deref()) else {
        return Ok(None);
    };
    let asked = shared.store.ask_in(&event.address, target).await?;
    let is_answer = |ask: &AskView| {
        // A text that nobody can see is refused as an answer: the agent could not read it either.
        matches!(ask::read(ask.kind, &ask.choices, &event.text), Ok(_) | Err(AskError::NoText))
    };
    Ok(asked.filter(is_answer))
}

/// The question of this chat that a command answers: the one that it names, or the only one that is open.
async fn named(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    event: &Event,
    WrittenAnswer { ask, text }: WrittenAnswer,
) -> Result<Option<AskView>, StoreError> {
    let chat = first_id(shared, event);
    let now = shared.time.now();
    let admission = Admission { shared, settings, source, event, answer: None, chat: &chat, now };
    let Ok(JoinedSession { session, .. }) = admission.session() else { return Ok(None) };
    let is_here = |ask: &AskView| ask.session.chat() == session.chat();
    if let Some(id) = ask {
        return Ok(shared.store.ask(id).await?.filter(is_here));
    }
    let standing = match admission.is_by_admin() {
        true => Standing::Admin,
        false => Standing::Person,
    };
    let open = open_questions::of(shared, &session, &event.from.id, standing).await?;
    Ok(match open.as_slice() {
        [only] if !open_questions::is_only_its_number(only, &text) => Some(only.clone()),
        _ => None,
    })
}

/// Whether the question is open and asks the sender of the event.
fn may_answer(event: &Event, ask: &AskView) -> bool {
    ask.end.is_none() && ask.names(&event.from.id) && event.from.kind == SenderKind::Person
}

/// What the agent reads; `None` if it is no answer to the question.
fn shown(ask: &AskView, given: &GivenAnswer) -> Option<String> {
    let answer = match given {
        GivenAnswer::Position(n) => ask.choices.get(*n).map(|choice| AskAnswer::Choice(choice.id.clone())),
        GivenAnswer::Typed(text) => ask::read(ask.kind, &ask.choices, text).ok(),
        GivenAnswer::Exact(answer) => Some(answer.clone()),
    };
    Some(answer?.shown(&ask.choices).to_owned())
}

fn become_message(event: &mut Event, ask: &AskView) {
    // Another agent may have come into use since the question was asked.
    event.agent = Some(ask.session.agent().to_owned());
    event.addressed = true;
    let mut under = None;
    if let EventKind::Button { target } = &event.kind {
        // The event's own message is the question as well. Nobody can edit or mark a press.
        (under, event.platform_message) = (target.clone(), None);
    }
    let question = || Quote { message: under, ours: true, ..Quote::of(ask.text.clone()) };
    event.quote.get_or_insert_with(question);
}
