//! The oracles on trial: faults are put into a copy of what was seen, one at a time, and each must be found.

use std::sync::Arc;

use crate::agent::Seen;
use crate::book::{Act, Deed, Lot};
use crate::cast::GUESTS;
use crate::database::{Inbound, Out};
use crate::evidence::Evidence;
use crate::oracle;

/// A fault: what it is, how its finding begins, and how it is planted. `None` if there is nothing to plant it in.
type Fault = (&'static str, &'static str, fn(&mut Evidence) -> Option<()>);

const FAULTS: [Fault; 23] = [
    ("a confirmed message has no row", "O1: Answered was due", |e| {
        let at = place(e, |row| row.disposition == "turn" && row.address == "telegram:1001")?;
        e.database.inbound.remove(at);
        Some(())
    }),
    ("an update has two rows", "O1: two rows for one update", |e| {
        let row = e.database.inbound[place(e, |row| row.disposition == "turn")?].clone();
        e.database.inbound.push(Inbound { id: row.id + 1_000_000, ..row });
        Some(())
    }),
    ("what was overheard is lost", "O1: Overheard was due", |e| e.database.context_messages.pop().map(drop)),
    ("nobody counted who was denied", "O1: ", |e| {
        e.database.passed.retain(|(_, kind), _| !kind.starts_with("denied"));
        Some(())
    }),
    ("a message goes to another person's chat", "O1: stored under another name", |e| {
        let at = place(e, |row| row.disposition == "turn")?;
        e.database.inbound[at].address = "telegram:1".to_owned();
        Some(())
    }),
    ("an edit is put in the place of another message", "O1: put in the place of something else", |e| {
        let at = place(e, |row| row.reason.as_ref().is_some_and(|reason| reason.starts_with("into:")))?;
        let (id, key) = (e.database.inbound[at].reason.clone()?, e.database.inbound[at].key.clone());
        let is_other = |row: &Inbound| row.key == key && id != format!("into:m{}", row.id);
        let other = place(e, |row| row.disposition == "turn" && is_other(row))?;
        e.database.inbound[at].reason = Some(format!("into:m{}", e.database.inbound[other].id));
        Some(())
    }),
    ("a message ends with nothing", "O2: ", |e| {
        let at = place(e, |row| row.state == "answered" && row.disposition == "turn")?;
        e.database.inbound[at].state = "refused".to_owned();
        Some(())
    }),
    ("a command has two replies", "O2: a command with 2 replies", |e| {
        let row =
            e.database.inbound[place(e, |row| row.disposition == "command" && row.state == "answered")?].id;
        let out = e.database.outbox.iter().find(|out| out.message == Some(row))?.clone();
        e.database.outbox.push(Out { id: out.id + 1_000_000, ..out });
        Some(())
    }),
    ("a command is carried out twice", "O3: grant", |e| {
        let line = e.database.audit.iter().find(|line| line.action == "grant")?.clone();
        e.database.audit.push(line);
        Some(())
    }),
    ("a code lets somebody in twice", "O3: ", |e| {
        let grant = e.database.grants.iter().find(|grant| grant.source == "pairing")?.clone();
        e.database.grants.push(grant);
        Some(())
    }),
    ("an update makes two turns", "O3: two turns for one message", |e| {
        let seen = prompt(e)?.clone();
        let id = seen.turn[1..].parse::<i64>().ok()?;
        let turn = e.database.turns.get(&id)?.clone();
        let (id, name) = (turn.id + 1_000_000, format!("t{}", turn.id + 1_000_000));
        e.database.turns.insert(id, crate::database::Turn { id, ..turn });
        e.agents.push(Seen { turn: name, ..seen });
        Some(())
    }),
    (
        "the words of somebody who is denied reach the agent",
        "O3: the words of somebody who is not heard",
        |e| {
            let shut = |act: &&Act| matches!(act.lot, Lot::Passed(name) if name.starts_with("denied"));
            let tag = e.book.acts.iter().filter(shut).find_map(|act| act.script.as_ref())?.tag.clone();
            let at = e.agents.iter().position(|seen| seen.what == "prompt")?;
            e.agents[at].tags.insert(tag);
            Some(())
        },
    ),
    ("the words of another chat reach the agent", "O3: words of another chat", |e| {
        let at =
            e.agents.iter().position(|seen| seen.what == "prompt" && seen.session.ends_with(":dm:1001"))?;
        let tag = e.agents.iter().find(|seen| seen.session.ends_with(":dm:1003"))?.tag.clone();
        e.agents[at].tags.insert(tag);
        Some(())
    }),
    ("a file reaches the agent with other bytes", "O3: files", |e| {
        let seen = e.agents.iter_mut().find(|seen| !seen.files.is_empty())?;
        seen.files[0] = "1:0000000000000000".to_owned();
        Some(())
    }),
    ("the agent sees a later message first", "O5: the agent saw it after", |e| {
        let answered = |seen: &Seen| {
            let turn = seen.turn[1..].parse::<i64>().ok().and_then(|id| e.database.turns.get(&id));
            let last =
                turn.is_some_and(|turn| turn.state == "done" && turn.attempt == i64::from(seen.attempt));
            seen.what == "prompt" && seen.session.ends_with(":dm:1001") && last
        };
        let places: Vec<usize> = (0..e.agents.len()).filter(|at| answered(&e.agents[*at])).collect();
        e.agents.swap(*places.first()?, *places.last()?);
        Some(())
    }),
    ("somebody is heard who was shut out", "access: taken at", |e| {
        let guest = format!("telegram:{}", GUESTS[0]);
        place(e, |row| row.principal == guest && row.disposition == "turn")?;
        e.database.audit.retain(|line| line.action != "grant" || !line.subject.starts_with(&guest));
        Some(())
    }),
    ("an answer goes to another chat", "O2: ", |e| {
        let at = e.calls.iter().position(|call| call.is_post() && call.text().contains("-dm1001-"))?;
        let mut call = (*e.calls[at]).clone();
        call.chat = 1003;
        e.calls[at] = Arc::new(call);
        Some(())
    }),
    ("an answer is cut short", "O2: the chat shows", |e| {
        let at = e.calls.iter().rposition(|call| call.is_done() && call.text().contains("heard q"))?;
        let mut call = (*e.calls[at]).clone();
        call.params.insert("text".to_owned(), "heard".into());
        e.calls[at] = Arc::new(call);
        Some(())
    }),
    ("a file goes out with other bytes", "O2: the file is", |e| {
        e.files.values_mut().for_each(|file| file.push('0'));
        (!e.files.is_empty()).then_some(())
    }),
    ("a message is posted twice without a reason", "O4: posted, and nobody needs it", |e| {
        let mut call = (**e.posts().last()?).clone();
        (call.at, call.message, call.lost) = (call.at + 60_000, Some(999_999), false);
        e.calls.push(Arc::new(call));
        Some(())
    }),
    ("two answers change places in their chat", "O5: it arrived before", |e| {
        let sent: Vec<usize> = (0..e.database.outbox.len())
            .filter(|at| {
                let out = &e.database.outbox[*at];
                out.address == "telegram:1001" && out.platform.is_some() && out.target.is_none()
            })
            .collect();
        let (one, two) = (*sent.first()?, *sent.last()?);
        let number = e.database.outbox[one].platform.clone();
        e.database.outbox[one].platform = e.database.outbox[two].platform.clone();
        e.database.outbox[two].platform = number;
        Some(())
    }),
    ("an unfinished file is left", "O6: an unfinished file", |e| {
        e.unfinished.push("in/.part-0".to_owned());
        Some(())
    }),
    ("a code stands in the log", "O9: in the log", |e| {
        let code = e.book.codes.first()?.clone();
        e.log.push_str(&format!("\nsomebody was given {code}"));
        Some(())
    }),
];

/// Tries every fault; returns whether all were found.
pub fn prove(seen: &Evidence) -> bool {
    let begun = crate::clock::moment();
    let (mut found, mut missed) = (0, Vec::new());
    let mut without = Vec::new();
    for (what, begins, plant) in FAULTS {
        let mut planted = seen.clone();
        if plant(&mut planted).is_none() {
            without.push(what);
            continue;
        }
        match oracle::judge(&planted).violations.iter().any(|wrong| wrong.what.starts_with(begins)) {
            true => found += 1,
            false => missed.push(what),
        }
    }
    let (planted, took) = (FAULTS.len() - without.len(), begun.elapsed().as_secs());
    println!("\ncrash: of {planted} planted faults {found} were found, in {took} s");
    for what in &missed {
        println!("crash: not found: {what}");
    }
    for what in &without {
        println!("crash: could not be planted: {what}");
    }
    missed.is_empty()
}

fn place(e: &Evidence, is: impl Fn(&Inbound) -> bool) -> Option<usize> {
    e.database.inbound.iter().position(is)
}

/// A prompt whose turn was asked once and is about one message.
fn prompt(e: &Evidence) -> Option<&Seen> {
    e.agents.iter().find(|seen| {
        seen.what == "prompt"
            && e.book.acts.iter().any(|act| {
                act.deed == Deed::Says && act.script.as_ref().is_some_and(|script| script.tag == seen.tag)
            })
    })
}
