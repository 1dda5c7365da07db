//! An answer: it holds once, and may run a command.

use frontdesk_core::ask::{Answerer, AskAnswer, AskChoice, AskEnd, AskError, AskKind, Audience, read};
use frontdesk_core::command::{Command, Parsed, parse};
use frontdesk_core::id::{AskId, MessageId};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::{InputKind, SenderKind};
use frontdesk_core::time::Now;
use rusqlite::params;

use super::close::{close, close_copy};
use crate::ask_row::{AskRow, load};
use crate::epoch::session_state;
use crate::fault::Outcome;
use crate::ids::Table;
use crate::insert::{NewRow, insert, known};
use crate::queue::WorkClass;
use crate::row::{
    Admitted, Answered, Answering, Batch, GivenAnswer, RowDisposition, Standing, Stored, digest,
};
use crate::sql::ms;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// Somebody answers a question outside of its chat.
    pub async fn ask_answered(
        &self,
        answering: Answering,
        now: impl Into<Now>,
    ) -> Result<std::result::Result<Answered, AskError>> {
        let now = now.into();
        self.write(WorkClass::Commands, move |tx| answered(tx, &answering, now)).await
    }
}

/// Somebody answers a question.
pub(crate) fn answered(
    tx: &Tx<'_>,
    answering: &Answering,
    now: Now,
) -> Outcome<std::result::Result<Answered, AskError>> {
    let Some(ask) = load(tx, answering.ask)? else { return Ok(Err(AskError::NoSuchAsk(answering.ask))) };
    let answer = match judged(&ask, answering, now) {
        Ok(_) if ask.view.answer_is_message => return Ok(Err(AskError::OnlyInChat)),
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error)),
    };
    let shown = answer.shown(&ask.view.choices).to_owned();
    let confirmed = match (&ask.runs, &answer) {
        (Some((message, commands)), AskAnswer::Choice(chosen)) => {
            match commands.iter().find(|(choice, _)| choice == chosen) {
                Some((_, command)) => confirmed(tx, ask.view.id, *message, command, &answering.by, now)?,
                None => None,
            }
        }
        _ => None,
    };
    end(tx, &ask, answer, answering, now)?;
    Ok(Ok(Answered { shown, confirmed }))
}

fn end(tx: &Tx<'_>, ask: &AskRow, answer: AskAnswer, answering: &Answering, now: Now) -> Outcome<()> {
    close(tx, ask, &AskEnd::Answered { answer, by: answering.by.clone() }, now.wall).map(drop)
}

/// A choice that a person makes, before its message is stored.
pub(crate) struct Reply<'a> {
    ask: AskRow,
    answer: AskAnswer,
    answering: &'a Answering,
}

/// Whether a choice that an agent has offered may be made like this.
pub(crate) fn answer_to_choices<'a>(
    tx: &Tx<'_>,
    answering: &'a Answering,
    now: Now,
) -> Outcome<std::result::Result<Reply<'a>, AskError>> {
    let Some(ask) = load(tx, answering.ask)? else { return Ok(Err(AskError::NoSuchAsk(answering.ask))) };
    close_pressed_copy(tx, &ask, answering, now)?;
    Ok(judged(&ask, answering, now).map(|answer| Reply { ask, answer, answering }))
}

impl Reply<'_> {
    /// Its message is stored, so the question has its answer.
    pub(crate) fn counts(self, tx: &Tx<'_>, now: Now) -> Outcome<()> {
        end(tx, &self.ask, self.answer, self.answering, now)?;
        let Some(ask) = load(tx, self.answering.ask)? else { return Ok(()) };
        close_pressed_copy(tx, &ask, self.answering, now)
    }
}

/// The button was under a message that may be a copy of the question. If the question has ended, the copy says so too.
fn close_pressed_copy(tx: &Tx<'_>, ask: &AskRow, answering: &Answering, now: Now) -> Outcome<()> {
    match &answering.under {
        Some(message) if is_asked(ask, answering) => close_copy(tx, ask, message, now.wall),
        _ => Ok(()),
    }
}

fn judged(ask: &AskRow, answering: &Answering, now: Now) -> std::result::Result<AskAnswer, AskError> {
    if let Some(end) = &ask.view.end {
        let waits_no_more = ask.offers_drop() && !matches!(end, AskEnd::Answered { .. });
        return Err(if waits_no_more { AskError::NotWaiting } else { AskError::Closed(end.clone()) });
    }
    if !is_asked(ask, answering) {
        return Err(AskError::NotYours);
    }
    if ask.wait.is_over(now.steady) {
        return Err(AskError::Closed(AskEnd::Expired { default: ask.default.clone() }));
    }
    let view = &ask.view;
    let choice = |choice: Option<&AskChoice>| {
        choice.map(|choice| AskAnswer::Choice(choice.id.clone())).ok_or(AskError::UnknownChoice)
    };
    match &answering.given {
        GivenAnswer::Position(n) => choice(view.choices.get(*n)),
        GivenAnswer::Typed(text) => read(view.kind, &view.choices, text),
        GivenAnswer::Exact(AskAnswer::Text(text)) if view.kind == AskKind::Input => {
            read(view.kind, &[], text)
        }
        GivenAnswer::Exact(AskAnswer::Text(_)) => Err(AskError::UnknownChoice),
        GivenAnswer::Exact(AskAnswer::Choice(id)) => {
            choice(view.choices.iter().find(|choice| choice.id == *id))
        }
    }
}

fn is_asked(ask: &AskRow, answering: &Answering) -> bool {
    let view = &ask.view;
    // The ids of questions can be guessed, so an admin of another account, or somebody in another chat, may know this one.
    let is_of_account = answering.by.id.account() == view.address.account();
    let may_write = answering.place.as_ref().is_some_and(|place| is_same_chat(place, &view.session));
    match (&view.audience, answering.standing) {
        (_, Standing::Operator) => true,
        (Audience::Admins, Standing::Admin) => is_of_account,
        (Audience::People(people), Standing::Person | Standing::Admin) => {
            let is_admin = answering.standing == Standing::Admin;
            let is_theirs =
                people.contains(&answering.by.id) || is_admin && is_of_account && ask.offers_drop();
            is_theirs && may_write && (is_admin || !is_for_admins(ask))
        }
        (Audience::Admins, Standing::Person) => false,
    }
}

/// Whether a choice runs a command of admins. One who was removed while the gateway was down still has the question.
fn is_for_admins(ask: &AskRow) -> bool {
    let is_gateway = |command: &str| matches!(parse(command, None), Parsed::Command(Command::Gateway(_)));
    ask.runs.as_ref().is_some_and(|(_, commands)| commands.iter().any(|(_, command)| is_gateway(command)))
}

fn is_same_chat(one: &SessionKey, other: &SessionKey) -> bool {
    let chat = |session: &SessionKey| (session.scope() == Scope::Dm, session.id().to_owned());
    one.account() == other.account() && chat(one) == chat(other)
}

/// A chosen command waits as a row of its own, whose sender is the person who answered. `None` if the message that led to the
/// question was erased.
fn confirmed(
    tx: &Tx<'_>,
    ask: AskId,
    led: MessageId,
    command: &str,
    by: &Answerer,
    now: Now,
) -> Outcome<Option<MessageId>> {
    let id = MessageId(tx.new_id(Table::Inbound)?);
    let inserted = tx.run(
        "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, sender, sender_kind, roles,
                              platform_message, received_at, disposition, state, digest, input_kind, body, place)
         SELECT ?1, source, ?3, key, epoch, ?4, address, ?5, ?6, iif(principal = ?4, roles, NULL),
                platform_message, ?7, ?11, 'waiting', ?8, ?9, ?10, place
         FROM inbound WHERE id = ?2 AND (digest <> 0 OR body <> '')
         ON CONFLICT (source, event_id) DO NOTHING",
        params![
            id.0,
            led.0,
            format!("{ask}/confirmed"),
            by.id.as_str(),
            by.name,
            SenderKind::Person.name(),
            ms(now.wall),
            digest(command),
            InputKind::Button.name(),
            command,
            RowDisposition::Command.name(),
        ],
    )?;
    tx.queued(inserted);
    Ok((inserted > 0).then_some(id))
}

/// Somebody pressed a button of a question (T1). An answer that does not count leaves no row.
pub(crate) fn pressed(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    answering: &Answering,
) -> Outcome<Stored> {
    if let Some(known) = known(tx, batch, &message.event.id, Some(message.digest()))? {
        return Ok(known);
    }
    let answered = answered(tx, answering, batch.received)?;
    if let Some(ask) = load(tx, answering.ask)? {
        close_pressed_copy(tx, &ask, answering, batch.received)?;
    }
    let answered = match answered {
        Ok(answered) => answered,
        Err(error) => return Ok(Stored::NotAnswered { ask: answering.ask, error }),
    };
    let epoch = session_state(tx, &message.session)?.map_or(0, |session| session.epoch);
    let row = Admitted { text: Some(answered.shown.clone()), ..message.clone() };
    let message = insert(tx, batch, &row, NewRow::answer(epoch))?;
    Ok(Stored::Answered { message, ask: answering.ask, answered })
}
