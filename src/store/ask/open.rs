//! Opening a question: its row and its message in one transaction.

use frontdesk_core::ask::{AskEnd, Audience, PostedAsk, Question, instructions};
use frontdesk_core::delivery::{Post, PostKind};
use frontdesk_core::id::{AskId, MessageId, OutId, TurnId};
use frontdesk_core::time::Now;
use rusqlite::params;

use super::close::close;
use super::rendered::with_instructions;
use crate::ask_row::{AskRow, ask, ask_columns, stored_answer, stored_audience, stored_choices};
use crate::fault::{Fault, Outcome};
use crate::ids::Table;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{AskOpened, Claim, Confirmation, Fenced, InboundRow, NewAsk, OutboxRow};
use crate::sql::{ms, time};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

/// Maximum number of open questions of one turn.
const PER_TURN: u32 = 4;
/// Maximum number of open questions in one session.
const PER_SESSION: u32 = 8;

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
    let limits =
        "SELECT count(*), coalesce(sum(turn_id IS ?2), 0) FROM ask WHERE state = 'open' AND key = ?1";
    let counts =
        tx.one(limits, params![turn.session.as_str(), turn.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if counts
        .is_some_and(|(in_session, in_turn): (u32, u32)| in_session >= PER_SESSION || in_turn >= PER_TURN)
    {
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
        confirms: None,
        question: &new.question,
        audience,
        how,
        digest,
    };
    open(tx, &outgoing, &TextKey::ask(id), &opening, now)?;
    Ok(AskOpened::Open(id))
}

/// The question that an earlier attempt of a turn has asked in this place.
fn known(tx: &Tx<'_>, turn: TurnId, ordinal: u32) -> Outcome<Option<AskRow>> {
    let known = concat!("SELECT ", ask_columns!(), " FROM ask a WHERE a.turn_id = ?1 AND a.ordinal = ?2");
    tx.one(known, params![turn.0, ordinal], ask)
}

/// A command's reply asks for its confirmation. Only its sender may answer.
pub(crate) fn confirmation(
    tx: &Tx<'_>,
    command: &InboundRow,
    outgoing: &Outgoing<'_>,
    confirmation: &Confirmation,
    now: Now,
) -> Outcome<()> {
    let opening = Opening {
        id: AskId(tx.new_id(Table::Ask)?),
        turn: None,
        confirms: Some((command.id, confirmation)),
        question: &confirmation.question,
        audience: &Audience::People(vec![command.from.id.clone()]),
        // The reply says how the command is confirmed in writing.
        how: None,
        digest: confirmation.question.digest(),
    };
    open(tx, outgoing, &TextKey::reply(command.id), &opening, now)
}

struct Opening<'a> {
    id: AskId,
    turn: Option<(TurnId, u32)>,
    confirms: Option<(MessageId, &'a Confirmation)>,
    question: &'a Question,
    audience: &'a Audience,
    /// How to answer in writing.
    how: Option<String>,
    digest: String,
}

fn open(tx: &Tx<'_>, outgoing: &Outgoing<'_>, key: &TextKey, opening: &Opening<'_>, now: Now) -> Outcome<()> {
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
    let last = OutboxRow { post: Post { ask: Some(posted), ..last.post }, ..last };
    for row in rows.into_iter().chain([last]) {
        outgoing.put(tx, row)?;
    }
    Ok(())
}

fn insert(
    tx: &Tx<'_>,
    outgoing: &Outgoing<'_>,
    opening: &Opening<'_>,
    out: OutId,
    deadline: chrono::DateTime<chrono::Utc>,
    now: Now,
) -> Outcome<()> {
    let Opening { id, turn, confirms, question, audience, .. } = opening;
    let session = outgoing.session.ok_or_else(|| Fault::Bad("a question belongs to a session".to_owned()))?;
    tx.run(
        "INSERT INTO ask (id, turn_id, ordinal, digest, message_id, confirm, command, key, address, kind, text, choices,
                          audience, state, created_at, asked_at, deadline_at, default_answer, out_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'open', ?14, ?15, ?16, ?17, ?18)",
        params![
            id.0,
            turn.map(|(turn, _)| turn.0),
            turn.map(|(_, ordinal)| ordinal),
            opening.digest,
            confirms.map(|(message, _)| message.0),
            confirms.map(|(_, confirmation)| &confirmation.confirm),
            confirms.map(|(_, confirmation)| &confirmation.command),
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
