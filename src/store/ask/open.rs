//! Opening a question: its row and its message in one transaction.

use frontdesk_core::ask::{AskEnd, Audience, PostedAsk, Question, instructions};
use frontdesk_core::delivery::{Post, PostKind};
use frontdesk_core::id::{AskId, MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::time::Now;
use rusqlite::params;

use super::close::close;
use super::rendered::with_instructions;
use super::withdraw_oldest;
use crate::ask_row::{
    AskRow, ask, ask_columns, stored_answer, stored_audience, stored_choices, stored_commands,
};
use crate::audit::audit;
use crate::change::replied_to;
use crate::fault::{Fault, Outcome};
use crate::ids::Table;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{
    AfterAnswer, AskOpened, Claim, CommandChoices, Fenced, InboundRow, NewAsk, OfferRefused, OfferedQuestion,
    OutboxRow,
};
use crate::sql::{ms, time};
use crate::task::show_state_of;
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

/// Maximum number of open questions of one turn.
const PER_TURN: u32 = 4;
/// Maximum number of open questions of turns in one session.
const PER_SESSION: u32 = 8;
/// Maximum number of messages with open choices in one session, for which no turn waits. They are counted apart: nobody
/// has to answer them, and they must not keep a turn from asking. One more withdraws the oldest.
const CHOICES_PER_SESSION: u32 = 8;

impl Store {
    /// A running turn asks a question. If an earlier attempt of the turn has asked the same in the same place, this
    /// returns what became of that; if it has asked something else there, that question is withdrawn.
    pub async fn ask_opened(
        &self,
        claim: Claim<TurnId>,
        new: NewAsk,
        now: impl Into<Now>,
    ) -> Result<Fenced<AskOpened>> {
        let now = now.into();
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            of_turn(tx, &turn, &new, now).map(Fenced::Done)
        })
        .await
    }
}

impl Store {
    /// More people may answer the open questions of a running turn: those that were asked of exactly the people before.
    pub async fn asks_widened(
        &self,
        claim: Claim<TurnId>,
        before: Audience,
        now: Audience,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            tx.run(
                "UPDATE ask SET audience = ?3 WHERE state = 'open' AND turn_id = ?1 AND audience = ?2",
                params![turn.id.0, stored_audience(&before), stored_audience(&now)],
            )?;
            Ok(Fenced::Done(()))
        })
        .await
    }
}

/// Whether the turn may not ask any more now, because too many questions of it or of its session are open.
fn is_full(tx: &Tx<'_>, turn: &OpenTurn) -> Outcome<bool> {
    let limits = "SELECT count(*), coalesce(sum(turn_id = ?2), 0) FROM ask
                  WHERE state = 'open' AND key = ?1 AND turn_id IS NOT NULL";
    let counts =
        tx.one(limits, params![turn.chat().as_str(), turn.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts
        .is_some_and(|(in_session, in_turn): (u32, u32)| in_session >= PER_SESSION || in_turn >= PER_TURN))
}

fn of_turn(tx: &Tx<'_>, turn: &OpenTurn, new: &NewAsk, now: Now) -> Outcome<AskOpened> {
    let digest = new.question.digest();
    if let Some(known) = known(tx, turn.id, new.ordinal)? {
        if known.digest == digest {
            return Ok(match known.view.end {
                None => AskOpened::Open(known.view.id),
                Some(end) => AskOpened::Ended(end),
            });
        }
        close(tx, &known, &AskEnd::Cancelled, now.wall)?;
        tx.run("UPDATE ask SET ordinal = NULL WHERE id = ?1", [known.view.id.0])?;
    }
    if is_full(tx, turn)? {
        return Ok(AskOpened::TooMany);
    }
    let id = AskId(tx.new_id(Table::Ask)?);
    // A question that cannot be shown has its default, not a notice.
    let outgoing = Outgoing { kind: PostKind::Notice, ..turn.outgoing(now.wall) };
    let audience = new.question.audience.as_ref().unwrap_or(&new.audience);
    let buttons = tx.shared.renderer.buttons(&turn.address);
    let how = instructions(id, new.question.kind, &new.question.choices, buttons);
    let opening = Opening {
        id,
        turn: Some((turn.id, new.ordinal)),
        message: None,
        commands: None,
        question: &new.question,
        audience,
        how,
        digest,
    };
    open(tx, &outgoing, &TextKey::ask(id), &opening, now)?;
    show_state_of(tx, turn.id, now.wall)?;
    Ok(AskOpened::Open(id))
}

/// What became of a question that a turn leaves in its chat: its message, or why it is not asked.
pub type Offered = std::result::Result<OutId, OfferRefused>;

impl Store {
    /// A running turn leaves a question in its chat and does not wait for the answer.
    pub async fn question_offered(
        &self,
        claim: Claim<TurnId>,
        offered: OfferedQuestion,
        now: impl Into<Now>,
    ) -> Result<Fenced<Offered>> {
        let now = now.into();
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            offer(tx, &turn, &offered, now).map(Fenced::Done)
        })
        .await
    }
}

fn offer(tx: &Tx<'_>, turn: &OpenTurn, offered: &OfferedQuestion, now: Now) -> Outcome<Offered> {
    let reply_to = match offered.reply_to.map(|message| replied_to(tx, turn, message)).transpose()? {
        Some(Err(refused)) => return Ok(Err(OfferRefused::Reply(refused))),
        Some(Ok(message)) => Some(message),
        None => None,
    };
    match offered.then {
        AfterAnswer::Input => withdraw_oldest(tx, turn.chat(), CHOICES_PER_SESSION - 1, now.wall)?,
        AfterAnswer::Command { .. } if confirmations(tx, turn.chat())? >= PER_SESSION => {
            return Ok(Err(OfferRefused::TooMany));
        }
        AfterAnswer::Command { .. } => {}
    }
    let id = AskId(tx.new_id(Table::Ask)?);
    let outgoing =
        Outgoing { kind: PostKind::Send, reply_to: reply_to.as_deref(), ..turn.outgoing(now.wall) };
    let buttons = tx.shared.renderer.buttons(&turn.address);
    let question = &offered.question;
    let (commands, how) = match &offered.then {
        AfterAnswer::Input => (None, instructions(id, question.kind, &question.choices, buttons)),
        // The question says how it is confirmed in writing.
        AfterAnswer::Command { confirm, command } => (Some([(confirm.clone(), command.clone())]), None),
    };
    let message = turn.messages.last().copied();
    let (audience, digest) = (&offered.audience, question.digest());
    let commands = commands.as_ref().map(<[_; 1]>::as_slice);
    let opening = Opening { id, turn: None, message, commands, question, audience, how, digest };
    let out = open(tx, &outgoing, &TextKey::ask(id), &opening, now)?;
    audit(tx, &offered.author, "send", turn.address.as_str(), "done", now.wall)?;
    Ok(Ok(out))
}

/// The number of open questions in a session whose answer runs a command, other than menus.
fn confirmations(tx: &Tx<'_>, session: &SessionKey) -> Outcome<u32> {
    let open = "SELECT count(*) FROM ask WHERE state = 'open' AND key = ?1 AND kind = 'confirm' AND commands IS NOT NULL";
    Ok(tx.one(open, [session.as_str()], |row| row.get(0))?.unwrap_or_default())
}

/// The question that an earlier attempt of a turn has asked in this place.
fn known(tx: &Tx<'_>, turn: TurnId, ordinal: u32) -> Outcome<Option<AskRow>> {
    let known = concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.turn_id = ?1 AND a.ordinal = ?2");
    tx.one(known, params![turn.0, ordinal], ask)
}

/// A command asks its chat a question that only its sender may answer: as its reply, or in a message of its own.
pub(crate) fn of_command(
    tx: &Tx<'_>,
    command: &InboundRow,
    outgoing: &Outgoing<'_>,
    is_reply: bool,
    choices: &CommandChoices,
    now: Now,
) -> Outcome<()> {
    let id = AskId(tx.new_id(Table::Ask)?);
    let key = if is_reply { TextKey::reply(command.id) } else { TextKey::ask(id) };
    let opening = Opening {
        id,
        turn: None,
        message: Some(command.id),
        commands: Some(&choices.commands),
        question: &choices.question,
        audience: &Audience::People(vec![command.from.id.clone()]),
        // The text says how to choose in writing.
        how: None,
        digest: choices.question.digest(),
    };
    open(tx, outgoing, &key, &opening, now).map(drop)
}

pub(super) struct Opening<'a> {
    pub(super) id: AskId,
    pub(super) turn: Option<(TurnId, u32)>,
    /// The command whose reply it is, a message of the turn that offers it, or the message that it offers to drop.
    pub(super) message: Option<MessageId>,
    /// The choices that run commands, and those commands.
    pub(super) commands: Option<&'a [(String, String)]>,
    pub(super) question: &'a Question,
    pub(super) audience: &'a Audience,
    /// How to answer in writing.
    pub(super) how: Option<String>,
    pub(super) digest: String,
}

/// Stores a question and its message. Returns the row with the buttons.
pub(super) fn open(
    tx: &Tx<'_>,
    outgoing: &Outgoing<'_>,
    key: &TextKey,
    opening: &Opening<'_>,
    now: Now,
) -> Outcome<OutId> {
    let Opening { id, question, audience, .. } = *opening;
    // Hooks see the question alone.
    let how = opening.how.as_deref().filter(|_| !tx.shared.renderer.waits_for_hooks());
    let text = with_instructions(&question.text, how);
    let wait = question.deadline.and_then(|wait| chrono::Duration::from_std(wait).ok()).unwrap_or_default();
    let deadline = time(ms(now.steady + wait));
    let mut rows: Vec<OutboxRow> = outgoing.text_rows(tx, key, &text)?;
    // The buttons are beneath the last part.
    let last = rows.pop().ok_or_else(|| Fault::Bad("a question has no visible text".to_owned()))?;
    insert(tx, outgoing, opening, last.post.out, deadline, now)?;
    let posted = PostedAsk {
        id,
        kind: question.kind,
        text: question.text.clone(),
        choices: question.choices.clone(),
        deadline,
        audience: audience.clone(),
        closed: None,
    };
    let out = last.post.out;
    let last = OutboxRow { post: Post { ask: Some(posted), ..last.post }, ..last };
    for row in rows.into_iter().chain([last]) {
        outgoing.put(tx, row)?;
    }
    Ok(out)
}

fn insert(
    tx: &Tx<'_>,
    outgoing: &Outgoing<'_>,
    opening: &Opening<'_>,
    out: OutId,
    deadline: chrono::DateTime<chrono::Utc>,
    now: Now,
) -> Outcome<()> {
    let Opening { id, turn, message, commands, question, audience, .. } = opening;
    let session = outgoing.session.ok_or_else(|| Fault::Bad("a question belongs to a session".to_owned()))?;
    tx.run(
        "INSERT INTO ask (id, turn_id, ordinal, digest, message_id, commands, key, address, kind, text, choices,
                          audience, state, created_at, asked_at, deadline_at, default_answer, out_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'open', ?13, ?14, ?15, ?16, ?17)",
        params![
            id.0,
            turn.map(|(turn, _)| turn.0),
            turn.map(|(_, ordinal)| ordinal),
            opening.digest,
            message.map(|message| message.0),
            commands.map(stored_commands),
            session.as_str(),
            outgoing.address.as_str(),
            question.kind.name(),
            question.text,
            stored_choices(&question.choices),
            stored_audience(audience),
            ms(now.wall),
            ms(now.steady),
            ms(deadline),
            question.default_answer().as_ref().map(stored_answer),
            out.0,
        ],
    )?;
    Ok(())
}
