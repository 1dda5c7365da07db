//! What happened to one update, as far as anybody saw it.

use std::fmt::Write;

use crate::evidence::Evidence;
use crate::moment::ms;
use crate::script::tags;

/// The story of an update, a line per fact.
pub fn of(e: &Evidence, update: (i64, i64)) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let Some(act) = e.act(update) else { return Ok(format!("    nobody caused {update:?}\n")) };
    let first = ms(act.at);
    let since = |at: i64| at - first;
    writeln!(text, "    {:?} by {} in {} at {first}: {:?}", act.deed, act.person, act.place.name, act.text)?;
    if let Some(seen) = e.deliveries.get(&update) {
        let brought: Vec<i64> = seen.delivered.iter().map(|(at, _)| since(*at)).collect();
        writeln!(
            text,
            "    update {}, brought at {brought:?}, confirmed {:?}",
            act.update,
            seen.confirmed.map(since)
        )?;
    }
    let event = act.update.to_string();
    let source = format!("telegram:{}", act.place.bot);
    let row = e.database.inbound.iter().find(|row| row.event == event && row.source == source);
    writeln!(text, "    row: {row:?}")?;
    let turn = row.and_then(|row| e.database.turns.get(&row.turn?));
    writeln!(text, "    turn: {turn:?}")?;
    for seen in e.agents.iter().filter(|seen| turn.is_some_and(|turn| seen.turn == format!("t{}", turn.id))) {
        let (at, what, attempt) = (since(ms(seen.at)), &seen.what, seen.attempt);
        writeln!(text, "    {at:>6} ms agent: {what} {} attempt {attempt}", seen.tag)?;
    }
    let about = |out: &&crate::database::Out| {
        row.is_some_and(|row| out.message == Some(row.id) || (out.turn.is_some() && out.turn == row.turn))
    };
    for out in e.database.outbox.iter().filter(about) {
        let body: String = out.body.chars().take(60).collect();
        let (id, part, state, attempts) = (out.id, &out.part, &out.state, out.attempts);
        writeln!(text, "    out o{id} {part} {state} as {:?} attempts {attempts}: {body:?}", out.platform)?;
    }
    let tag = act.script.as_ref().map(|script| script.tag.as_str());
    for call in e.calls.iter().filter(|call| tag.is_some_and(|tag| tags(call.text()).contains(&tag))) {
        let said: String = call.text().chars().take(40).collect();
        let (at, method, message) = (since(call.at), &call.method, call.message);
        writeln!(
            text,
            "    {at:>6} ms {method} {message:?} {:?} lost {}: {said:?}",
            call.outcome, call.lost
        )?;
    }
    let near = e.book.kills.iter().map(|at| since(ms(*at))).filter(|at| (-200..8000).contains(at));
    writeln!(text, "    kills at {:?} ms", near.collect::<Vec<_>>())?;
    Ok(text)
}
