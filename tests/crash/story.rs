//! What happened to one message, as far as anybody saw it.

use std::fmt::Write;

use crate::oracle::Evidence;

/// The story of a message, a line per fact.
pub fn of(evidence: &Evidence<'_>, event: &str) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let Some(sent) = evidence.book.sent.get(event) else { return Ok(format!("    nobody sent {event}\n")) };
    let first = sent.at.first().copied().unwrap_or(0);
    let since = |at: u64| at.cast_signed() - first.cast_signed();
    writeln!(text, "    {:?} to {} as {event} at {first}", sent.text, sent.chat.session())?;
    let times: Vec<i64> = sent.at.iter().map(|at| since(*at)).collect();
    let accepted = sent.accepted.as_ref().map(|(at, message)| (since(*at), message));
    writeln!(text, "    sent at {times:?} ms, accepted {accepted:?}, told so {} times", sent.words)?;
    let row = evidence.database.inbound.iter().find(|row| row.event == event);
    writeln!(text, "    row: {row:?}")?;
    let Some(row) = row else { return Ok(text) };
    let turn = row.turn.and_then(|turn| evidence.database.turns.get(&turn));
    writeln!(text, "    turn: {turn:?}")?;
    let tag = sent.script.as_ref().map(|script| script.tag.as_str());
    for seen in evidence.agents.iter().filter(|seen| Some(seen.tag.as_str()) == tag) {
        writeln!(
            text,
            "    {:>6} ms agent: {} {} attempt {}",
            since(seen.at),
            seen.what,
            seen.turn,
            seen.attempt
        )?;
    }
    for out in evidence.database.outbox.iter() {
        if out.message == Some(row.id) || (out.turn.is_some() && out.turn == row.turn) {
            let body: String = out.body.chars().take(60).collect();
            let (id, part, state, attempts) = (out.id, &out.part, &out.state, out.attempts);
            writeln!(
                text,
                "    out o{id} {part} {} {state} seq {:?} attempts {attempts}: {body:?}",
                out.kind, out.seq
            )?;
            for took in evidence.took.iter().filter(|took| took.key == out.part) {
                let said: String = took.text.chars().take(40).collect();
                let what = if took.edit { "edit" } else { "post" };
                let lost = if took.lost { ", response lost" } else { "" };
                writeln!(
                    text,
                    "    {:>6} ms platform: {what} {}{lost}: {said:?}",
                    since(took.at),
                    took.message
                )?;
            }
        }
    }
    let last = sent.at.last().copied().unwrap_or(0) + 5000;
    let kills: Vec<i64> = evidence
        .book
        .kills
        .iter()
        .filter(|at| (first.saturating_sub(200)..last).contains(*at))
        .map(|at| since(*at))
        .collect();
    writeln!(text, "    kills at {kills:?} ms")?;
    Ok(text)
}
