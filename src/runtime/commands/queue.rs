//! `/queue`: what waits in this conversation, and how it is dropped.

use chrono::{DateTime, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::command::{QueueRequest, WaitingPlace};
use frontdesk_core::count::counted;
use frontdesk_core::key::Scope;
use frontdesk_core::span;
use frontdesk_core::visible::{quoted, quoted_label};
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    CommandEffect, CommandFacts, Dequeue, Dequeued, InboundRow, Reason, WaitingMessage,
};

use super::Plan;
use crate::shared::Shared;

/// Messages in one list: more do not fit on a phone.
const SHOWN: usize = 20;
/// How much of a message is shown.
const OPENING: usize = 60;

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    request: QueueRequest,
) -> Result<Plan, StoreError> {
    Ok(match request {
        QueueRequest::List => list(shared, row).await?,
        QueueRequest::Drop(place) => drop_one(shared, row, place),
        QueueRequest::Clear => clear(shared, row),
    })
}

async fn list(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let waiting = shared.store.waiting_messages(&row.session, Some(row.id)).await?;
    if waiting.is_empty() {
        return Ok(Plan::say("No message waits here."));
    }
    let now = shared.time.wall();
    let mut lines = vec![format!("{} in the queue:\n", counted(waiting.len() as u64, "message"))];
    let places = waiting.iter().zip(1..).take(SHOWN);
    lines.extend(places.map(|(waiting, place)| format!("{place}. {}", line(waiting, row, now))));
    if waiting.len() > SHOWN {
        lines.push(format!("\nand {} more", waiting.len() - SHOWN));
    }
    lines.push("\nSend /queue drop and a number to drop one, or /queue clear to drop yours.".to_owned());
    Ok(Plan::say(lines.join("\n")))
}

/// One message as the reader of a reply to `command` may see it.
fn line(waiting: &WaitingMessage, command: &InboundRow, now: DateTime<Utc>) -> String {
    let message = &waiting.message;
    let author = match command.session.scope() {
        Scope::Dm => String::new(),
        _ => format!("{}, ", quoted_label(message.from.name.as_deref().unwrap_or(message.from.id.id()))),
    };
    format!("{author}{}: {}", span::relative(message.received, now), shown(waiting, command))
}

/// The beginning of a message. Only its id if it came from another chat: whoever reads the reply may not have seen it.
fn shown(waiting: &WaitingMessage, command: &InboundRow) -> String {
    let message = &waiting.message;
    if message.address.without_thread() != command.address.without_thread() {
        return message.id.to_string();
    }
    let text = match &message.reason {
        Some(Reason::Compacts) => "/compact",
        _ => message.text.trim(),
    };
    match message.attachments.first() {
        Some(file) if text.is_empty() => format!("({})", file.kind.name()),
        _ => quoted(text, OPENING),
    }
}

fn drop_one(shared: &Shared, row: &InboundRow, place: WaitingPlace) -> Plan {
    let (effect, command) = (dequeue(shared, row, Dequeue::One(place)), row.clone());
    Plan::new(effect, move |facts| match facts {
        CommandFacts::Dequeued(Dequeued { dropped, .. }) if !dropped.is_empty() => {
            let texts: Vec<String> = dropped.iter().map(|waiting| shown(waiting, &command)).collect();
            format!("Dropped {}.", texts.join(", "))
        }
        CommandFacts::Dequeued(Dequeued { of_others: 1.., .. }) => {
            "Only its author or an admin can drop this message.".to_owned()
        }
        _ => "This message does not wait any more. Send /queue to see what does.".to_owned(),
    })
}

fn clear(shared: &Shared, row: &InboundRow) -> Plan {
    Plan::new(dequeue(shared, row, Dequeue::All), |facts| {
        let CommandFacts::Dequeued(Dequeued { dropped, of_others }) = facts else { return String::new() };
        let others = match of_others {
            0 => String::new(),
            others => format!(" {} of other people stay.", counted(*others, "message")),
        };
        match dropped.len() {
            0 if others.is_empty() => "No message waits here.".to_owned(),
            0 => format!("No message of yours waits here.{others}"),
            count => format!("Dropped {} from the queue.{others}", counted(count as u64, "message")),
        }
    })
}

/// An admin may drop every message.
fn dequeue(shared: &Shared, row: &InboundRow, what: Dequeue) -> CommandEffect {
    CommandEffect::Dequeue { what, any: shared.still_may(&shared.settings(), row, Action::Administer) }
}
