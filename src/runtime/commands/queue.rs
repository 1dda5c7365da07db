//! `/queue`: what waits in this conversation, and how it is dropped.

use chrono::{DateTime, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::command::{QueueRequest, WaitingPlace};
use frontdesk_core::count::counted;
use frontdesk_core::key::Scope;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::span;
use frontdesk_core::visible::{quoted, quoted_label};
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    CommandEffect, CommandFacts, Dequeue, Dequeued, InboundRow, Reason, WaitingMessage,
};

use super::Plan;
use super::button::{MenuButton, confirmed_by_button, menu};
use crate::shared::Shared;

/// Messages in one list: more do not fit on a phone.
const SHOWN: usize = 20;
/// How much of a message is shown.
const OPENING: usize = 60;

/// The reply to somebody who wants every message to interrupt, in a group.
const ONLY_MODERATORS_INTERRUPT: &str = "Every message would then stop the answers to others, so in a group only moderators and \
                                         admins may choose `interrupt`. With /queue interrupt and a text you interrupt an \
                                         answer of your own.";

pub(super) async fn plan(
    shared: &Shared,
    row: &InboundRow,
    request: QueueRequest,
) -> Result<Plan, StoreError> {
    Ok(match request {
        QueueRequest::List => list(shared, row).await?,
        QueueRequest::Mode(Some(QueueMode::Interrupt)) if !may_moderate(shared, row) => {
            Plan::say(ONLY_MODERATORS_INTERRUPT).for_sender()
        }
        QueueRequest::Mode(mode) => choose(shared, row, mode),
        // The answer itself is the reply.
        QueueRequest::Send { mode, text } => {
            Plan::new(send(shared, row, mode, text).await?, |_| String::new())
        }
        QueueRequest::Drop(place) => drop_one(shared, row, place),
        QueueRequest::Clear => clear(shared, row),
    })
}

/// Whether the sender may stop what others asked for.
fn may_moderate(shared: &Shared, row: &InboundRow) -> bool {
    shared.may_for_all(&shared.settings(), row, Action::Moderate)
}

/// Interrupts as `/stop` stops: what others asked for only for somebody who may, or where every message interrupts.
async fn send(
    shared: &Shared,
    row: &InboundRow,
    mode: QueueMode,
    text: String,
) -> Result<CommandEffect, StoreError> {
    let settings = shared.settings();
    if mode == QueueMode::Interrupt && !may_moderate(shared, row) {
        let session = shared.store.session(&row.session).await?;
        let chosen = session.and_then(|session| session.queue_mode);
        if chosen.unwrap_or_else(|| shared.queue_mode(&settings, &row.session)) != QueueMode::Interrupt {
            return Ok(CommandEffect::InterruptOwn { text });
        }
    }
    Ok(CommandEffect::Message { text, mode: Some(mode) })
}

async fn list(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let waiting = shared.store.waiting_messages(&row.session, Some(row.id)).await?;
    let session = shared.store.session(&row.session).await?;
    let chosen = session.and_then(|session| session.queue_mode);
    if waiting.is_empty() {
        return Ok(modes(shared, row, chosen));
    }
    let mode = chosen.unwrap_or_else(|| shared.queue_mode(&shared.settings(), &row.session)).name();
    let now = shared.time.wall();
    let mut lines =
        vec![format!("{} in the queue (mode {mode}):\n", counted(waiting.len() as u64, "message"))];
    let places = waiting.iter().zip(1..).take(SHOWN);
    let moderates = may_moderate(shared, row);
    lines.extend(places.map(|(waiting, place)| format!("{place}. {}", line(waiting, row, moderates, now))));
    if waiting.len() > SHOWN {
        lines.push(format!("\nand {} more", waiting.len() - SHOWN));
    }
    lines.push("\nSend /queue drop and a number to drop one, or /queue clear to drop yours.".to_owned());
    let text = lines.join("\n");
    let told = Plan::say(text.clone());
    // Whoever has nothing to drop gets no button.
    let may_drop = moderates || waiting.iter().any(|waiting| waiting.message.from.id == row.from.id);
    Ok(match may_drop {
        true => confirmed_by_button(shared, row, told, &text, ("Drop them", "/queue clear".to_owned())),
        false => told,
    })
}

/// The mode of the conversation, and how another one is chosen: with buttons, where the platform has them.
fn modes(shared: &Shared, row: &InboundRow, chosen: Option<QueueMode>) -> Plan {
    let mode = chosen.unwrap_or_else(|| shared.queue_mode(&shared.settings(), &row.session));
    let text = format!("No message waits here.\n\n{}", described(shared, row, mode));
    let names = QueueMode::ALL.map(|mode| format!("`{}`", mode.name())).join(", ");
    let or_default = if chosen.is_some() { " (or `default`)" } else { "" };
    let told = Plan::say(format!("{text} Choose with /queue and one of: {names}{or_default}."));
    let button =
        |name: &str, holds| MenuButton { label: name.into(), command: format!("/queue {name}"), holds };
    let may_choose = |other: &QueueMode| *other != QueueMode::Interrupt || may_moderate(shared, row);
    let modes = QueueMode::ALL.into_iter().filter(may_choose);
    let modes = modes.map(|other| button(other.name(), other == mode));
    let back = chosen.map(|_| button("default", false));
    menu(shared, row, told, &text, modes.chain(back).collect())
}

/// What a mode means with the agent that answers here.
fn described(shared: &Shared, row: &InboundRow, mode: QueueMode) -> String {
    let settings = shared.settings();
    let entry = settings.agents.get(row.session.agent());
    let steers = entry.is_some_and(|entry| entry.agent.capabilities().steer);
    let but = match mode {
        QueueMode::Steer if !steers => " This agent cannot take them in.",
        _ => "",
    };
    format!("Queue mode: {}. {}{but}", mode.name(), mode.sentence())
}

fn choose(shared: &Shared, row: &InboundRow, chosen: Option<QueueMode>) -> Plan {
    let mode = chosen.unwrap_or_else(|| shared.queue_mode(&shared.settings(), &row.session));
    let text = described(shared, row, mode);
    Plan::new(CommandEffect::ChooseQueue(chosen), move |_| text.clone())
}

/// One message as the reader of a reply to `command` may see it. People choose their names, so whoever moderates is shown the
/// id as well.
fn line(waiting: &WaitingMessage, command: &InboundRow, moderates: bool, now: DateTime<Utc>) -> String {
    let message = &waiting.message;
    let from = &message.from;
    let author = match (command.session.scope(), &from.name) {
        (Scope::Dm, _) => String::new(),
        (_, Some(name)) if moderates => {
            format!("{} ({}), ", quoted_label(name), quoted_label(from.id.as_str()))
        }
        (_, name) => format!("{}, ", quoted_label(name.as_deref().unwrap_or(from.id.id()))),
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
            "Only its author, a moderator or an admin can drop this message.".to_owned()
        }
        _ => "This message does not wait any more. Send /queue to see what does.".to_owned(),
    })
}

fn clear(shared: &Shared, row: &InboundRow) -> Plan {
    Plan::new(dequeue(shared, row, Dequeue::All), |facts| {
        let CommandFacts::Dequeued(Dequeued { dropped, of_others }) = facts else { return String::new() };
        let others = match of_others {
            0 => String::new(),
            1 => " 1 message of somebody else stays.".to_owned(),
            others => format!(" {} of other people stay.", counted(*others, "message")),
        };
        match dropped.len() {
            0 if others.is_empty() => "No message waits here.".to_owned(),
            0 => format!("No message of yours waits here.{others}"),
            count => format!("Dropped {} from the queue.{others}", counted(count as u64, "message")),
        }
    })
}

/// Whoever may stop what others asked for may drop every message.
fn dequeue(shared: &Shared, row: &InboundRow, what: Dequeue) -> CommandEffect {
    CommandEffect::Dequeue { what, any: may_moderate(shared, row) }
}
