//! Falsifications of what users of platforms for teams did and were shown.

use super::*;

pub static ALL: &[Falsification] = &[
    ("a discord message has no row", "O1: Turn expected", |o| remove_row(o, is_discord)),
    ("a slack message has no row", "O1: Turn expected", |o| remove_row(o, is_slack)),
    ("a discord command that cannot be lost has no row", "O1: Command expected", |o| {
        remove_row(o, |row| row.source.starts_with("discord:") && row.body == "/status")
    }),
    ("a discord message has two rows", "O1: two rows for one event", |o| {
        let row = row(o, is_discord)?.clone();
        add_row(o, row)
    }),
    ("a message that was read in a history has a text that nobody wrote", "O1: another text", |o| {
        let key = event(o, |event| event.from_history && event.action == Action::Message)?.key();
        row(o, |row| row.event() == key && row.disposition == "turn").map(|row| row.body.push('x'))
    }),
    ("a missed discord message is stored after later ones", "O5: stored before", |o| {
        let missed = event(o, |event| event.from_history && event.place.source.starts_with("discord:"))?;
        let (key, session) = (missed.key(), missed.place.session());
        let last = o.database.inbound.iter().rfind(|row| row.key == session)?.event();
        row(o, |row| row.event() == key && key != last).map(|row| row.id += FAR)
    }),
    ("a discord answer is posted twice", "its platform knows the key", |o| again(o, "discord:")),
    ("a slack answer is posted twice", "O4: posted twice, and no kill", |o| again(o, "slack:")),
    ("a discord answer is posted to another channel", "was sent elsewhere: Call", |o| {
        call(o, |call| call.kind == CallKind::Post && call.text.contains("-dcthread-"))
            .map(|call| call.address = "discord:5000".to_owned())
    }),
    ("an answer leaves its slack thread", "was sent elsewhere: Call", |o| {
        call(o, |call| call.kind == CallKind::Post && call.text.contains("-slopent"))
            .map(|call| call.address = "slack:C0OPEN".to_owned())
    }),
];

fn is_discord(row: &Inbound) -> bool {
    row.source.starts_with("discord:") && row.disposition == "turn" && row.state == "answered"
}

fn is_slack(row: &Inbound) -> bool {
    row.source.starts_with("slack:") && row.disposition == "turn" && row.state == "answered"
}

/// The last post of a platform comes once more, long after the last kill.
fn again(o: &mut Observed, begin: &str) -> Option<()> {
    let post = (**o.posts().filter(|post| post.address.starts_with(begin)).last()?).clone();
    let (message, request) = (Some(FAR.to_string()), usize::MAX);
    Some(o.calls.push(Arc::new(Call { at: post.at + FAR, message, request, lost: false, ..post })))
}
