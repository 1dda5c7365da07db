//! Falsifications of turns, agents and permissions (O2, O3, O5, O7).

use super::*;
use crate::script::tags;

pub static ALL: &[Falsification] = &[
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
        turn(o, |row| row.state == "dead" && !row.is_work()).map(|turn| turn.error = None)
    }),
    ("nobody says that a message died", "O2: dead, and the chat does not say so", |o| {
        let turn = turn(o, |row| row.state == "dead" && !row.is_work())?.id;
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
    ("a file of an album does not reach the agent", "O3: other files", |o| {
        seen(o, |seen| seen.files.len() > 1).and_then(|seen| seen.files.pop()).map(drop)
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
    ("a message is interrupted by nothing", "O2: interrupted by nothing", |o| {
        turn(o, |row| row.state == "superseded").map(|turn| turn.state = "done".to_owned())
    }),
    (
        "a message is joined to a turn whose agent never saw it",
        "O2: answered, and its agent never saw it",
        |o| {
            let first = row(o, |row| is_queue(row) && row.state == "answered")?.turn_id;
            row(o, |row| is_queue(row) && row.state == "answered" && row.turn_id != first)
                .map(|row| row.turn_id = first)
        },
    ),
    ("a dropped message reaches the agent", "O2: dropped, and it reached the agent", |o| {
        let dropped = row(o, |row| is_queue(row) && row.state == "cancelled")?.clone();
        let session = dropped.key;
        seen(o, |seen| seen.session == session).map(|seen| seen.tags.extend(tags(&dropped.body)))
    }),
    ("a message is dropped by nobody", "were dropped by", |o| {
        row(o, |row| is_queue(row) && row.state == "answered").map(|row| row.state = "cancelled".to_owned())
    }),
    ("a message is answered in two turns", "and again", |o| {
        let session = row(o, is_queue)?.key.clone();
        let tag = seen(o, |seen| is_prompt(seen) && seen.session == session)?.tag.clone();
        let others =
            o.agents.iter_mut().filter(|seen| is_prompt(seen) && seen.session == session && seen.tag != tag);
        Some(others.for_each(|seen| _ = seen.tags.insert(tag.clone())))
    }),
    ("a tool sends twice", "times by a tool", |o| {
        let sent = part(o, is_sent_by_tool)?.clone();
        add_part(o, sent)
    }),
    ("what a tool has sent is lost", "O1: a tool's word does not hold", |o| {
        let told: Vec<String> = o.agents.iter().filter_map(|seen| seen.choice.clone()).collect();
        let is_told = |part: &Part| is_sent_by_tool(part) && told.contains(&format!("o{}", part.id));
        let sent = o.database.parts.iter().position(is_told)?;
        Some(drop(o.database.parts.remove(sent)))
    }),
    ("an edit of a tool is lost", "O1: a tool's word does not hold", |o| {
        seen(o, |seen| seen.step == Step::Change)?;
        Some(o.database.changes.clear())
    }),
    ("a choice is never a message", "messages follow from an answer", |o| {
        let said = o.database.asks.iter().find_map(Ask::said)?;
        remove_row(o, |row| row.disposition == "turn" && row.body == said)
    }),
    ("the command of a choice is lost", "messages follow from an answer", |o| {
        remove_row(o, |row| row.event_id.ends_with("/confirmed"))
    }),
];
