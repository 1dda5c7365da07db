//! The falsifications, at least one for each check of the oracle, in the order of its files.

#![allow(clippy::unit_arg, reason = "each falsification is one expression")]

use std::sync::Arc;

use crate::agent::{AgentRecord, Step};
use crate::database::{Ask, Audit, Grant, Inbound, Part, Turn};
use crate::journal::{Action, Event, Expected};
use crate::observed::{Call, CallKind, Observed};

/// What is falsified, a part of the violation that must be found, and how. `None` if there is nothing to falsify.
pub type Falsification = (&'static str, &'static str, fn(&mut Observed) -> Option<()>);

/// A number that nothing has.
const FAR: i64 = 1_000_000_000;
/// The sessions of two web clients.
const W0: &str = "agent:main:web:dm:w0";
const W1: &str = "agent:main:web:dm:w1";

pub static ALL: &[Falsification] = &[
    ("a message was never acknowledged", "O1: it was never acknowledged", |o| {
        event(o, is_private_message).map(|event| event.accepted = None)
    }),
    ("a telegram message has no row", "O1: Turn expected", |o| remove_row(o, is_private)),
    ("a web message has no row", "O1: Turn expected", |o| remove_row(o, is_web)),
    ("a context message is lost", "O1: Context expected", |o| o.database.context.pop().map(drop)),
    ("dropped events are not counted", "counted", |o| {
        Some(o.database.dropped.retain(|row| !row.kind.starts_with("denied")))
    }),
    ("a row comes from nowhere", "O1: a row that nobody sent", |o| {
        let row = row(o, is_private)?.clone();
        add_row(o, Inbound { event_id: "none".to_owned(), ..row })
    }),
    ("an event has two rows", "O1: two rows for one event", |o| {
        let row = row(o, is_private)?.clone();
        add_row(o, row)
    }),
    ("a message goes to another user's chat", "O1: another author or address", |o| {
        row(o, is_private).map(|row| row.address.push('0'))
    }),
    ("a message goes to another session", "O1: another session", |o| {
        row(o, is_web).map(|row| row.key.push('x'))
    }),
    ("a message was accepted as another one", "O1: accepted as", |o| {
        event(o, |event| event.accepted_as.is_some()).map(|event| event.accepted_as = Some("m0".to_owned()))
    }),
    ("the text of an unknown user is kept", "O1: text of an unknown user", |o| {
        row(o, |row| row.reason.as_deref() == Some("pairing")).map(|row| row.body.push('x'))
    }),
    ("a message is superseded", "O1: superseded, and not an edit", |o| {
        let key = row(o, is_edit_in_place)?.event();
        event(o, |event| event.key() == key).map(|event| event.action = Action::Message)
    }),
    ("an edit in place keeps its text", "O1: superseded, with its text", |o| {
        row(o, is_edit_in_place).map(|row| row.body.push('x'))
    }),
    ("an edit is called unchanged", "O1: it is not the text that was there", |o| {
        row(o, is_edit_in_place).map(|row| row.reason = Some("unchanged".to_owned()))
    }),
    ("an edit replaces another message", "O1: it replaced the text of another message", |o| {
        let edit = row(o, is_edit_in_place)?.clone();
        let journal = o.journal.clone();
        let message = |row: &Inbound| journal.event(&row.event()).map(|event| event.message);
        let is_other = |row: &Inbound| row.key == edit.key && message(row) != message(&edit);
        let other = row(o, |row| row.disposition == "turn" && is_other(row))?.id;
        row(o, is_edit_in_place).map(|row| row.reason = Some(format!("into:m{other}")))
    }),
    ("a pairing code is kept", "O1: a code", |o| {
        row(o, |row| row.body == "********").map(|row| row.body.push('A'))
    }),
    ("another text is stored", "O1: another text", |o| row(o, is_web).map(|row| row.body.push('x'))),
    ("messages are stored in another order", "O5: stored before", |o| {
        let key = event(o, |event| !event.may_be_stored_later() && is_private_message(event))?.key();
        row(o, |row| row.event() == key).map(|row| row.id += FAR)
    }),
    ("an operator's text is posted twice", "O1: send", |o| {
        let part = part(o, |part| part.kind == "send")?.clone();
        add_part(o, part)
    }),
    ("a message ends with nothing", "O2: a turn is refused", |o| {
        row(o, is_private).map(|row| row.state = "refused".to_owned())
    }),
    ("a message is answered without a turn", "O2: answered without a turn", |o| {
        row(o, is_private).map(|row| row.turn_id = None)
    }),
    ("a turn is not done", "O2: answered, and its turn is", |o| {
        turn(o, is_private).map(|turn| turn.state = "cancelled".to_owned())
    }),
    ("a turn has another answer", "O2: the answer is", |o| {
        turn(o, is_private).map(|turn| turn.answer = None)
    }),
    ("a message dies of nothing", "O2: dead without a reason", |o| {
        turn(o, |row| row.state == "dead").map(|turn| turn.error = None)
    }),
    ("nobody says that a message died", "O2: dead, and the chat does not say so", |o| {
        let turn = turn(o, |row| row.state == "dead")?.id;
        Some(o.database.parts.retain(|part| part.turn_id != Some(turn)))
    }),
    ("a message was revoked by nobody", "O2: revoked, and no admin did that", |o| {
        row(o, |row| row.reason.as_deref() == Some("revoked"))?;
        Some(o.database.audit.retain(|line| line.action != "revoke"))
    }),
    ("a command has two replies", "O2: a command with 2 replies", |o| {
        let is_command = |row: &Inbound| row.disposition == "command" && row.state == "answered";
        let id = row(o, |row| is_command(row) && row.turn_id.is_none())?.id;
        let part = part(o, |part| part.message_id == Some(id))?.clone();
        add_part(o, part)
    }),
    ("a command is carried out twice", "was carried out too often", |o| {
        let line = audit(o, "grant")?.clone();
        Some(o.database.audit.push(line))
    }),
    ("a command is never carried out", "was never carried out", |o| {
        audit(o, "revoke").map(|line| line.action.clear())
    }),
    ("a code is decided twice", "O3: decided twice", |o| {
        let line = audit(o, "approve")?.clone();
        Some(o.database.audit.push(line))
    }),
    ("a code lets a user in twice", "was approved and has 2 grants", |o| {
        let user = audit(o, "approve")?.subject.strip_suffix(" dm")?.to_owned();
        let grant = grant(o, |grant| grant.source == "pairing" && grant.principal == user)?.clone();
        Some(o.database.grants.push(Grant { revoked_at: Some(0), ..grant }))
    }),
    ("a user holds two grants", "holds two grants", |o| {
        let grant = grant(o, |grant| grant.revoked_at.is_none())?.clone();
        Some(o.database.grants.push(grant))
    }),
    ("a user is let in without a code", "was let in by no code", |o| {
        grant(o, |grant| grant.source == "pairing").map(|grant| grant.principal.push('0'))
    }),
    ("an approved user is not told", "told so", |o| {
        part(o, |part| part.part_key.starts_with("pairing/")).map(|part| part.part_key.clear())
    }),
    ("a message belongs to another epoch", "O7: in epoch", |o| row(o, is_web).map(|row| row.epoch += 1)),
    ("a session has an epoch too many", "epochs for", |o| {
        o.database.sessions.first_mut().map(|session| session.renewed += 1)
    }),
    ("a turn takes two messages", "is for 2 messages", |o| {
        let taken = row(o, is_web)?.turn_id;
        row(o, |row| is_web(row) && row.turn_id != taken).map(|row| row.turn_id = taken)
    }),
    ("a turn takes no message", "is for 0 messages", |o| {
        let turn = turn(o, is_web)?.clone();
        o.database.turns.insert(FAR, Turn { id: FAR, ..turn });
        Some(())
    }),
    ("a turn has three attempts", "O3: too many attempts", |o| turn(o, is_web).map(|turn| turn.attempt = 3)),
    ("turns are repeated without a kill", "O3: attempts without a death", |o| Some(o.journal.kills.clear())),
    ("the agent saw an unknown turn", "O3: the agent saw a turn that is not there", |o| {
        seen(o, is_prompt).map(|seen| seen.turn = FAR)
    }),
    ("the agent is asked twice in one attempt", "O3: the same step twice", |o| {
        let again = seen(o, is_prompt)?.clone();
        Some(o.agents.push(again))
    }),
    ("the agent is asked what nobody sent", "O3: something that nobody sent", |o| {
        seen(o, is_prompt).map(|seen| seen.tag.push('x'))
    }),
    ("an event makes two turns", "O3: two turns for one message", |o| {
        let first = seen(o, |seen| seen.session == W0)?.clone();
        let turn = o.database.turns.get(&first.turn)?.clone();
        o.database.turns.insert(FAR, Turn { id: FAR, ..turn });
        Some(o.agents.push(AgentRecord { turn: FAR, ..first }))
    }),
    ("the agent is asked something else", "O3: the agent was asked something else", |o| {
        let tag = seen(o, |seen| seen.session == W1)?.tag.clone();
        seen(o, |seen| seen.session == W0).map(|seen| seen.tag = tag)
    }),
    ("a file reaches the agent with other bytes", "O3: other files", |o| {
        seen(o, |seen| !seen.files.is_empty()).map(|seen| seen.files[0].push('0'))
    }),
    ("the agent is asked in another session", "O3: another session", |o| {
        seen(o, is_prompt).map(|seen| seen.session.push('x'))
    }),
    ("a tool runs twice", "O3: the tool ran twice", |o| {
        let tool = seen(o, is_tool)?.clone();
        Some(o.agents.push(AgentRecord { attempt: tool.attempt + 1, ..tool }))
    }),
    ("a tool runs without a record", "O3: the tool ran without a record", |o| {
        let turn = seen(o, is_tool)?.turn;
        o.database.turns.get_mut(&turn).map(|turn| turn.side_effect_at = None)
    }),
    ("a turn is run again after its tool", "O3: run again after its tool began", |o| {
        let tool = seen(o, is_tool)?.clone();
        Some(o.agents.push(AgentRecord { step: Step::Prompt, attempt: tool.attempt + 1, ..tool }))
    }),
    ("no agent has answered", "O3: answered by no agent", |o| {
        let turn = turn(o, is_web)?.id;
        Some(o.agents.retain(|seen| seen.turn != turn))
    }),
    ("an unknown text reaches the agent", "O3: text that nobody sent", |o| {
        let tag = format!("{}x", seen(o, is_prompt)?.tag);
        seen(o, is_prompt).map(|seen| seen.tags.extend([tag]))
    }),
    ("the text of a user who is not served reaches the agent", "O3: text of a user who is not served", |o| {
        let is_dropped = |event: &Event| matches!(event.expected, Expected::Dropped(_));
        let tag = event(o, |event| is_dropped(event) && event.script.is_some())?.script.clone()?.tag;
        seen(o, is_prompt).map(|seen| seen.tags.extend([tag]))
    }),
    ("the text of another chat reaches the agent", "O3: text of another chat", |o| {
        let tag = seen(o, |seen| seen.session == W1)?.tag.clone();
        seen(o, |seen| seen.session == W0).map(|seen| seen.tags.extend([tag]))
    }),
    ("the agent sees a later message first", "O5: the agent saw it after", |o| {
        let turns = &o.database.turns;
        let is_answer = |seen: &AgentRecord| {
            let turn = turns.get(&seen.turn);
            let is_last = turn.is_some_and(|turn| turn.state == "done" && turn.attempt == seen.attempt);
            is_prompt(seen) && seen.session == W0 && is_last
        };
        let (first, last) = (o.agents.iter().position(is_answer)?, o.agents.iter().rposition(is_answer)?);
        Some(o.agents.swap(first, last))
    }),
    ("a user is served who is not allowed", "not allowed then", |o| {
        let guest = row(o, is_guests_turn)?.principal.clone();
        Some(o.database.audit.retain(|line| line.action != "grant" || !line.subject.starts_with(&guest)))
    }),
    ("an allowed user is not served", "access: allowed all the time, and not taken", |o| {
        let Inbound { received_at, principal, .. } = row(o, is_guests_turn)?.clone();
        remove_row(o, is_guests_turn)?;
        let grant = audit(o, "grant")?.clone();
        o.database.audit.retain(|line| !line.subject.starts_with(&principal));
        let subject = format!("{principal} dm");
        Some(o.database.audit.insert(0, Audit { at: received_at - 60_000, subject, ..grant }))
    }),
    ("a muted chat is answered", "not unmuted then", |o| {
        o.database.audit.retain(|line| line.action != "unmute");
        audit(o, "mute").map(|line| line.at = 1)
    }),
    ("a revoked user reaches the agent", "access: reached the agent", |o| {
        turn(o, |row| is_guests_turn(row) && row.state == "answered").map(|turn| turn.started_at = Some(1))
    }),
    ("an answer is posted to another chat", "was sent elsewhere: Call", |o| {
        let is_answer = |call: &Call| call.kind == CallKind::Post && call.text.contains("-dm1001-");
        call(o, is_answer).map(|call| call.address.push('0'))
    }),
    ("a message is edited in another chat", "O2: an edit of a message that is not in the chat", |o| {
        let edit = call(o, |call| call.kind == CallKind::Edit)?;
        Some(edit.refused = Some("Bad Request: message to edit not found".to_owned()))
    }),
    ("an answer is stored for another chat", "O2: an answer goes elsewhere", |o| {
        part(o, is_answer).map(|part| part.address.push('0'))
    }),
    ("a part is given up", "O2: a part is dropped", |o| {
        part(o, is_answer).map(|part| part.state = "dropped".to_owned())
    }),
    ("no message shows a part", "O2: sent, and no message has it", |o| {
        part(o, is_answer).map(|part| (part.platform_message_id, part.target) = (None, None))
    }),
    ("an answer is cut short", "O2: the chat shows", |o| {
        let Part { address, platform_message_id, .. } = part(o, is_answer)?.clone();
        let calls = o.calls.iter_mut().filter(|call| call.address == address);
        let calls = calls.filter(|call| call.message == platform_message_id);
        Some(calls.for_each(|call| Arc::make_mut(call).text.truncate(3)))
    }),
    ("two parts have the same message", "has the same message", |o| {
        let part = part(o, is_answer)?.clone();
        add_part(o, part)
    }),
    ("two answers change places in their chat", "O5: it arrived before", |o| {
        let last = o.database.parts.iter().rposition(is_answer)?;
        let first = part(o, is_answer)?.platform_message_id.clone();
        let last = std::mem::replace(&mut o.database.parts[last].platform_message_id, first);
        part(o, is_answer).map(|part| part.platform_message_id = last)
    }),
    ("a part of an answer is missing", "O2: the parts do not make the answer", |o| {
        part(o, |part| is_answer(part) && part.body.starts_with("heard ")).map(|part| part.turn_id = None)
    }),
    ("a file is not sent", "O2: 0 files were sent", |o| {
        part(o, |part| part.media.is_some() && part.state == "sent").map(|part| part.media = None)
    }),
    ("a file is posted with other bytes", "O2: the file is", |o| {
        o.files.values_mut().map(|file| file.push('0')).last()
    }),
    ("a frame is never shown", "never showed", |o| o.journal.frames.get_mut(W0)?.pop_first().map(drop)),
    ("a frame shows another text", "showed Frame", |o| {
        o.journal.frames.get_mut(W0)?.values_mut().next().map(|frame| frame.text.push('x'))
    }),
    ("a web client gets another answer", "O2: another answer", |o| {
        part(o, is_web_answer).map(|part| part.body.push('x'))
    }),
    ("a session counts a frame too many", "stands at seq", |o| {
        o.database.sessions.first_mut().map(|session| session.seq += 1)
    }),
    ("a frame is shown that is not stored", "which is not in the database", |o| {
        let frames = o.journal.frames.get_mut(W0)?;
        let frame = frames.first_key_value()?.1.clone();
        frames.insert(FAR.unsigned_abs(), frame).is_none().then_some(())
    }),
    ("a frame is shown in another session", "which was sent elsewhere", |o| {
        let frames = o.journal.frames.get(W0)?;
        let tags = frames.values().find(|frame| frame.kind == "done")?.tags.clone();
        o.journal.frames.get_mut(W1)?.values_mut().next().map(|frame| frame.tags = tags)
    }),
    ("two frames change places", "O5: its answer has seq", |o| {
        part(o, is_web_answer).map(|part| part.seq = Some(FAR.unsigned_abs()))
    }),
    ("a question is still open", "a question without a right end", |o| {
        o.database.asks.first_mut().map(|ask| ask.state = "open".to_owned())
    }),
    ("a turn has two questions", "a turn asked twice", |o| {
        let ask = o.database.asks.iter().find(|ask| ask.turn_id.is_some())?.clone();
        Some(o.database.asks.push(Ask { id: ask.id + FAR, ..ask }))
    }),
    ("an agent got another answer", "O3: the agent got another answer", |o| {
        seen(o, |seen| seen.choice.is_some()).map(|seen| seen.choice = Some("other".to_owned()))
    }),
    ("the press of an answer is lost", "presses are stored for", |o| {
        remove_row(o, |row| row.disposition == "answer")
    }),
    ("a message is posted twice", "O4: posted twice", |o| {
        let post = (**o.posts().last()?).clone();
        let again = Call { at: post.at + FAR, message: Some(FAR.to_string()), lost: false, ..post };
        Some(o.calls.push(Arc::new(again)))
    }),
    ("a turn is left open", "O6: an open turn", |o| {
        turn(o, is_web).map(|turn| turn.state = "running".to_owned())
    }),
    ("a part is left open", "O6: an open part", |o| {
        part(o, is_answer).map(|part| part.state = "unknown".to_owned())
    }),
    ("a message is left open", "O6: an open message", |o| {
        row(o, is_web).map(|row| row.state = "waiting".to_owned())
    }),
    ("a client noticed something", "O2: a client noticed", |o| {
        Some(o.journal.wrong.push("O2: a client noticed".to_owned()))
    }),
    ("an unfinished file is left", "O6: an unfinished file", |o| {
        Some(o.unfinished.push(".part-0".to_owned()))
    }),
    ("a pairing code is in the log", "O9: in the log", |o| {
        let code = o.journal.codes.first()?.clone();
        Some(o.log.push_str(&format!("\nthe code is {code}")))
    }),
    ("the text of a message is in the log", "O9: in the log", |o| {
        let tag = seen(o, is_prompt)?.tag.clone();
        Some(o.log.push_str(&format!("\nsomebody wrote {tag}")))
    }),
    ("the login link is printed", "O9: in the log", |o| {
        let token = o.secrets.get(1)?.clone();
        Some(o.log.push_str(&format!("\nhttp://127.0.0.1:3847/#token={token}")))
    }),
    ("a pairing code is in the database", "O9: a code is in the database", |o| {
        let code = o.journal.codes.first()?.clone();
        part(o, |part| part.kind == "notice").map(|part| part.body.push_str(&code))
    }),
];

fn is_private(row: &Inbound) -> bool {
    row.address == "telegram:1001" && row.disposition == "turn" && row.state == "answered"
}

fn is_web(row: &Inbound) -> bool {
    row.address == "web:w0" && row.disposition == "turn" && row.state == "answered"
}

fn is_guests_turn(row: &Inbound) -> bool {
    ["telegram:1101", "telegram:1102"].contains(&row.principal.as_str()) && row.disposition == "turn"
}

fn is_edit_in_place(row: &Inbound) -> bool {
    row.reason.as_ref().is_some_and(|reason| reason.starts_with("into:"))
}

fn is_answer(part: &Part) -> bool {
    let is_text = part.kind == "answer" && part.turn_id.is_some() && part.media.is_none();
    part.address == "telegram:1001" && is_text && part.platform_message_id.is_some()
}

fn is_web_answer(part: &Part) -> bool {
    part.address == "web:w0" && part.kind == "answer" && part.turn_id.is_some()
}

fn is_private_message(event: &Event) -> bool {
    event.place.address == "telegram:1001" && event.action == Action::Message
}

fn is_prompt(seen: &AgentRecord) -> bool {
    seen.step == Step::Prompt
}

fn is_tool(seen: &AgentRecord) -> bool {
    seen.step == Step::Tool
}

fn event(o: &mut Observed, is: impl Fn(&Event) -> bool) -> Option<&mut Event> {
    o.journal.events.iter_mut().find(|event| is(event))
}

fn row(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<&mut Inbound> {
    o.database.inbound.iter_mut().find(|row| is(row))
}

fn add_row(o: &mut Observed, row: Inbound) -> Option<()> {
    Some(o.database.inbound.push(Inbound { id: row.id + FAR, ..row }))
}

fn remove_row(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<()> {
    let at = o.database.inbound.iter().position(is)?;
    Some(drop(o.database.inbound.remove(at)))
}

/// The turn of the first row that has one and is like this.
fn turn(o: &mut Observed, is: impl Fn(&Inbound) -> bool) -> Option<&mut Turn> {
    let turn = row(o, |row| row.turn_id.is_some() && is(row))?.turn_id?;
    o.database.turns.get_mut(&turn)
}

fn part(o: &mut Observed, is: impl Fn(&Part) -> bool) -> Option<&mut Part> {
    o.database.parts.iter_mut().find(|part| is(part))
}

fn add_part(o: &mut Observed, part: Part) -> Option<()> {
    Some(o.database.parts.push(Part { id: part.id + FAR, ..part }))
}

fn audit<'o>(o: &'o mut Observed, action: &str) -> Option<&'o mut Audit> {
    o.database.audit.iter_mut().find(|line| line.action == action && line.outcome == "done")
}

fn grant(o: &mut Observed, is: impl Fn(&Grant) -> bool) -> Option<&mut Grant> {
    o.database.grants.iter_mut().find(|grant| is(grant))
}

fn seen(o: &mut Observed, is: impl Fn(&AgentRecord) -> bool) -> Option<&mut AgentRecord> {
    o.agents.iter_mut().find(|seen| is(seen))
}

fn call(o: &mut Observed, is: impl Fn(&Call) -> bool) -> Option<&mut Call> {
    o.calls.iter_mut().find(|call| is(call)).map(Arc::make_mut)
}
