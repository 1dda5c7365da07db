//! Commands, one per file. Each runs from its stored row, also while a turn runs; its effect, its reply and
//! its end are one transaction.

mod gateway;
mod help;
mod new;
mod resume;
mod retry;
mod sessions;
mod status;
mod stop;
mod whoami;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::access::Action;
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::Scope;
use frontdesk_core::message::Refusal;
use frontdesk_core::port::Stop;
use frontdesk_store::row::{AccessDone, CommandDone, CommandEffect, CommandFacts, Fenced, InboundRow};
use frontdesk_store::{Reply, StoreError};
use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::desk::Lifecycle;
use crate::gate;
use crate::house::House;

/// What an admin hears who calls us in a group that is not served.
const UNSERVED: &str = "This group is not served, so I hear nobody here. As an admin you can change that: send \
                        `/gateway allow-here`. Everyone in the group may speak to me then.";

/// How long a command waits when the database refuses.
const PAUSE: Duration = Duration::from_secs(1);

/// What a command does, and how its reply is made from what it found.
pub(crate) struct Plan {
    effect: CommandEffect,
    reply: Reply,
    /// What the whole process is to do, once the reply is stored.
    lifecycle: Option<Lifecycle>,
}

impl Plan {
    fn new(effect: CommandEffect, reply: impl FnOnce(&CommandFacts) -> String + Send + 'static) -> Self {
        Self { effect, reply: Box::new(reply), lifecycle: None }
    }

    /// A command without effect.
    fn say(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(CommandEffect::None, move |_| text)
    }
}

/// Runs commands in the order of acceptance until `stop`.
pub(crate) async fn run(house: Arc<House>, mut waiting: mpsc::UnboundedReceiver<MessageId>, stop: Stop) {
    loop {
        let id = tokio::select! {
            id = waiting.recv() => id,
            () = stop.cancelled() => return,
        };
        let Some(id) = id else { return };
        while let Err(error) = guarded(&house, id).await {
            house.note_storage(Some(&error));
            tokio::select! {
                () = house.clock.sleep_until(house.clock.mono() + PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// One command. One that panics or cannot be stored is dead; the next one is not to suffer for it.
async fn guarded(house: &House, id: MessageId) -> Result<(), StoreError> {
    let why = match AssertUnwindSafe(execute(house, id)).catch_unwind().await {
        Ok(Err(StoreError::Invalid(detail))) => detail,
        Ok(done) => return done,
        Err(_) => "a panic".to_owned(),
    };
    tracing::error!(message = %id, why, "a command could not be carried out");
    house.store.bury_command(id).await.map(drop)
}

async fn execute(house: &House, id: MessageId) -> Result<(), StoreError> {
    let Some(row) = house.store.command(id).await? else { return Ok(()) };
    let parsed = command::parse(&row.text, None);
    // An admin looks after the gateway also where nobody may talk to the agent.
    let for_admins = matches!(parsed, Parsed::Command(Command::Gateway(_))) || is_call(&row);
    let may = house.still_may(&row, Action::Speak) || for_admins && house.still_may(&row, Action::Administer);
    if !may {
        return house.store.command_refused(id, Refusal::Revoked).await.map(drop);
    }
    let Plan { effect, reply, lifecycle } = match is_call(&row) {
        true => Plan::say(UNSERVED),
        false => plan(house, &row, parsed).await?,
    };
    let answered = answer(house, id, effect, reply).await?;
    house.note_storage(None);
    let Fenced::Done(done) = answered else { return Ok(()) };
    match done.facts {
        CommandFacts::Stopped { running, waiting } => {
            house.cancelled(&row.session, &row.address, &running, waiting).await;
        }
        CommandFacts::Retrying => gate::wake(house, &row.session),
        _ => {}
    }
    if let Some(wanted) = lifecycle {
        tracing::info!(by = %row.principal, ?wanted, "an admin has asked for it");
        house.lifecycle.send_replace(Some(wanted));
    }
    Ok(())
}

/// Whether an admin only called us in a group that is not served: nothing is kept of what they said.
fn is_call(row: &InboundRow) -> bool {
    row.text.is_empty() && row.session.scope() != Scope::Dm
}

/// Stores the command's effect, its reply and its end. What it changes of who may speak is known when this returns.
async fn answer(
    house: &House,
    id: MessageId,
    effect: CommandEffect,
    reply: Reply,
) -> Result<Fenced<CommandDone>, StoreError> {
    let change = match &effect {
        CommandEffect::Access { change, .. } => Some(change.clone()),
        _ => None,
    };
    let store = async { house.store.answer_command(id, effect, house.now(), reply).await };
    match change {
        None => store.await,
        Some(change) => house.changing(&change, store, changed).await,
    }
}

/// What came of a command's change.
fn changed(answered: &Result<Fenced<CommandDone>, StoreError>) -> Option<&AccessDone> {
    match answered {
        Ok(Fenced::Done(CommandDone { facts: CommandFacts::Access(done), .. })) => Some(done),
        _ => None,
    }
}

async fn plan(house: &House, row: &InboundRow, parsed: Parsed<'_>) -> Result<Plan, StoreError> {
    Ok(match parsed {
        Parsed::Command(command) => match command {
            Command::Help => help::plan(),
            Command::New { .. } => new::plan(row),
            Command::Status => status::plan(house, row).await?,
            Command::Stop => stop::plan(),
            Command::Retry => retry::plan(),
            Command::Sessions { page } => sessions::plan(house, row, page).await?,
            Command::Resume { epoch } => resume::plan(row, epoch),
            Command::Whoami => whoami::plan(house, row),
            Command::Gateway(request) => gateway::plan(house, row, request).await?,
        },
        Parsed::Unknown { name, nearest: Some(nearest) } => {
            Plan::say(format!("There is no /{name}. Did you mean /{nearest}? /help shows all commands."))
        }
        Parsed::Unknown { name, nearest: None } => {
            Plan::say(format!("There is no /{name}. /help shows all commands."))
        }
        Parsed::Malformed { command: "gateway", .. } => gateway::plan(house, row, None).await?,
        Parsed::Malformed { usage, .. } => Plan::say(format!("Write it like this: `{usage}`")),
        Parsed::Text(_) | Parsed::NotForUs => {
            Plan::say("This is not a command any more. /help shows all commands.")
        }
    })
}

/// The number that an epoch command left in its row: the epoch it came from.
fn came_from(row: &InboundRow) -> Option<&str> {
    row.reason.as_deref()?.strip_prefix("from:")
}

/// A time as people in a chat read it.
fn when(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
