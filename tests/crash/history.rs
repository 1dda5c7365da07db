//! What happened to one event, as far as anybody saw it: printed with a violation.

use std::fmt::{Error, Write};

use crate::observed::Observed;

/// One fact per line; times in milliseconds after the event.
pub fn of(observed: &Observed, key: &str) -> Result<String, Error> {
    let mut text = String::new();
    let Some(event) = observed.journal.event(key) else { return of_work(observed, key) };
    let since = |at: i64| at - event.created;
    let (author, session) = (&event.author, event.place.session());
    writeln!(text, "    {key}: {:?} by {author} to {session} at {}", event.action, event.created)?;
    writeln!(text, "    {:?}", event.text)?;
    let delivered: Vec<i64> = event.delivered.iter().copied().map(since).collect();
    let accepted = event.accepted.map(since);
    writeln!(text, "    delivered {delivered:?}, accepted {accepted:?} as {:?}", event.accepted_as)?;
    let row = observed.database.inbound.iter().find(|row| row.event() == key);
    writeln!(text, "    row: {row:?}")?;
    let turn = row.and_then(|row| observed.database.turns.get(&row.turn_id?));
    writeln!(text, "    turn: {turn:?}")?;
    for seen in observed.agents.iter().filter(|seen| turn.is_some_and(|turn| seen.turn == turn.id)) {
        let (at, step, attempt) = (since(seen.at), seen.step, seen.attempt);
        writeln!(text, "    {at:>6} agent: {step:?} {} attempt {attempt}", seen.tag)?;
    }
    for part in &observed.database.parts {
        let is_reply = row.is_some_and(|row| part.message_id == Some(row.id));
        if is_reply || turn.is_some_and(|turn| part.turn_id == Some(turn.id)) {
            let body: String = part.body.chars().take(60).collect();
            let (id, name, state, attempts) = (part.id, &part.part_key, &part.state, part.attempts);
            let message = part.message();
            writeln!(text, "    part o{id} {name} {state} as {message:?} attempts {attempts}: {body:?}")?;
        }
    }
    let tag = event.script.as_ref().map(|script| script.tag.as_str());
    for call in observed.calls.iter().filter(|call| tag.is_some_and(|tag| call.tags.contains(tag))) {
        let body: String = call.text.chars().take(40).collect();
        let (at, method, message, refused) = (since(call.at), &call.method, &call.message, &call.refused);
        let lost = if call.lost { ", response lost" } else { "" };
        writeln!(text, "    {at:>6} {method} {message:?} refused {refused:?}{lost}: {body:?}")?;
    }
    let kills = observed.journal.kills.iter().copied().map(since);
    let kills: Vec<i64> = kills.filter(|at| (-200..8000).contains(at)).collect();
    writeln!(text, "    kills at {kills:?}")?;
    Ok(text)
}

/// The same of a task or a run that has entered its session, which nobody has sent.
fn of_work(observed: &Observed, key: &str) -> Result<String, Error> {
    let mut text = format!("    nobody sent {key}\n");
    let name = key.split(' ').nth(1).and_then(|id| id.split('/').next()).unwrap_or_default();
    let work = &observed.database.work;
    let task = work.tasks.iter().find(|task| task.name() == name);
    let run = work.runs.iter().find(|run| run.name() == name);
    let turn = task.and_then(|task| task.turn_id).or(run.and_then(|run| run.turn_id));
    let turn = turn.and_then(|turn| observed.database.turns.get(&turn));
    let created = turn.map_or(0, |turn| turn.created_at);
    writeln!(text, "    task: {task:?}\n    run: {run:?}\n    turn: {turn:?}")?;
    for seen in observed.agents.iter().filter(|seen| turn.is_some_and(|turn| seen.turn == turn.id)) {
        let (at, step, attempt) = (seen.at - created, seen.step, seen.attempt);
        writeln!(text, "    {at:>6} agent: {step:?} {} attempt {attempt}", seen.tag)?;
    }
    let begin = format!("{name}/");
    let parts = observed.database.parts.iter().chain(&observed.database.changes);
    for part in parts.filter(|part| part.part_key.starts_with(&begin)) {
        let body: String = part.body.chars().take(60).collect();
        let (id, name, state, message) = (part.id, &part.part_key, &part.state, part.message());
        writeln!(text, "    part o{id} {name} {state} as {message:?} in {}: {body:?}", part.address)?;
    }
    let kills = observed.journal.kills.iter().map(|at| at - created);
    let kills: Vec<i64> = kills.filter(|at| (-2000..8000).contains(at)).collect();
    writeln!(text, "    kills at {kills:?}")?;
    Ok(text)
}
