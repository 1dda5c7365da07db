//! Commands, one per file. Each runs from its stored row, also while a turn runs. Its effect, its reply and its end are
//! one transaction.

mod answer;
mod background;
mod button;
mod choose;
mod compact;
mod gateway;
mod help;
mod link;
mod new;
mod queue;
mod resume;
mod retry;
mod sessions;
mod status;
mod steer;
mod stop;
mod timezone;
mod usage;
mod whoami;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::access::Action;
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_core::port::Stop;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::visible::quoted;
use frontdesk_store::row::{
    AccessDone, CommandEffect, CommandFacts, Fenced, InboundRow, MovedToTask, Reason, ReplyForm, Stopped,
    TaskFound, TaskSubmitted,
};
use frontdesk_store::{Reply, StoreError};
use futures_util::FutureExt;
use tokio::sync::mpsc;

use crate::gate;
use crate::process::Lifecycle;
use crate::running_turns::SteerRequest;
use crate::shared::Shared;

/// The reply to an admin who addresses the bot in a group where it does not answer.
const UNSERVED: &str = "I do not answer in this group yet. Send /gateway allow-here, and everyone in this group may write \
                        to me.";

/// How much of a word that somebody typed is repeated to them.
const TYPED: usize = 40;

/// Pause before a retry after a database error.
const PAUSE: Duration = Duration::from_secs(1);

/// The effect of a command, and how its reply is made from the result.
pub(crate) struct Plan {
    effect: CommandEffect,
    reply: Reply,
    /// What the process does once the reply is stored.
    lifecycle: Option<Lifecycle>,
    form: ReplyForm,
}

impl Plan {
    fn new(effect: CommandEffect, reply: impl Fn(&CommandFacts) -> String + Send + 'static) -> Self {
        Self { effect, reply: Box::new(reply), lifecycle: None, form: ReplyForm::Chat }
    }

    /// A command without effect.
    fn say(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(CommandEffect::None, move |_| text.clone())
    }

    /// The same for the sender alone, unless it is a question.
    fn for_sender(self) -> Self {
        let form = if self.form == ReplyForm::Chat { ReplyForm::Sender } else { self.form };
        Self { form, ..self }
    }
}

/// Runs commands in the order of acceptance until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, mut waiting: mpsc::UnboundedReceiver<MessageId>, stop: Stop) {
    loop {
        let id = tokio::select! {
            id = waiting.recv() => id,
            () = stop.cancelled() => return,
        };
        let Some(id) = id else { return };
        while let Err(error) = guarded(&shared, id).await {
            shared.health.note(Some(&error));
            tokio::select! {
                () = shared.time.sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Runs one command. One that panics or cannot be stored is marked dead, so that the next one runs.
async fn guarded(shared: &Shared, id: MessageId) -> Result<(), StoreError> {
    let why = match AssertUnwindSafe(execute(shared, id)).catch_unwind().await {
        Ok(Err(StoreError::Invalid(detail))) => detail,
        Ok(done) => {
            done?;
            return wake_behind(shared, id).await;
        }
        Err(_) => "a panic".to_owned(),
    };
    tracing::error!(message_id = %id, why, "a command could not be carried out");
    shared.store.mark_command_dead(id).await?;
    wake_behind(shared, id).await
}

/// No turn takes a message that was accepted after a command which has not run yet. This one has ended, so its session is
/// woken if such a message waits.
async fn wake_behind(shared: &Shared, command: MessageId) -> Result<(), StoreError> {
    let Some((session, in_album)) = shared.store.waiting_behind(command).await? else { return Ok(()) };
    match in_album {
        true => shared.work.turns.wake_after(&session, gate::ALBUM),
        false => gate::wake(shared, &session, shared.queue_mode(&shared.settings(), &session)),
    }
    Ok(())
}

async fn execute(shared: &Shared, id: MessageId) -> Result<(), StoreError> {
    let Some(row) = shared.store.command(id).await? else { return Ok(()) };
    let parsed = command::parse(&row.text, None);
    let steers = matches!(parsed, Parsed::Command(Command::Steer { .. }));
    // An admin may administer the gateway also where nobody may write to the agent.
    let for_admins = matches!(parsed, Parsed::Command(Command::Gateway(_))) || is_in_unserved_group(&row);
    let settings = shared.settings();
    let may = shared.still_may(&settings, &row, Action::Write)
        || for_admins && shared.still_may(&settings, &row, Action::Administer);
    if !may {
        return shared.store.command_refused(id, Refusal::Revoked).await.map(drop);
    }
    let Plan { effect, reply, lifecycle, form } = match is_in_unserved_group(&row) {
        true => Plan::say(UNSERVED).for_sender(),
        false => plan(shared, &row, parsed).await?,
    };
    let answered = answer(shared, id, effect, form, reply).await?;
    shared.health.note(None);
    let Fenced::Done(facts) = answered else { return Ok(()) };
    match facts {
        CommandFacts::Stopped(stopped) => {
            shared.stopped(&row.session, &row.address, stopped, Ending::Cancelled).await;
        }
        CommandFacts::StoppedOwn { stopped, wake, .. } => {
            shared.stopped(&row.session, &row.address, stopped, Ending::Cancelled).await;
            wake.iter().for_each(|session| shared.work.turns.wake(session));
        }
        CommandFacts::Waits => {
            gate::wake(shared, &row.session, shared.queue_mode(&settings, &row.session));
            if steers {
                shared.work.running.steer(&row.session, SteerRequest { message: id, overtakes: true });
            }
        }
        CommandFacts::Interrupts(superseded) => {
            gate::wake(shared, &row.session, QueueMode::Interrupt);
            shared.stopped(&row.session, &row.address, superseded, Ending::Superseded).await;
        }
        CommandFacts::Dequeued(dequeued) => {
            let waiting = dequeued.dropped.into_iter().flat_map(|waiting| waiting.pieces).collect();
            let dropped = Stopped { running: Vec::new(), waiting };
            shared.stopped(&row.session, &row.address, dropped, Ending::Cancelled).await;
        }
        CommandFacts::Answered(Ok(answered)) => shared.answered(&answered),
        CommandFacts::Submitted(_) | CommandFacts::TaskRetried(_) => shared.work.tasks.note(),
        CommandFacts::MovedToTask(MovedToTask::Moved(TaskSubmitted::Stored(task), stopped)) => {
            shared.stopped(&row.session, &row.address, stopped, Ending::MovedTo(task)).await;
            shared.work.tasks.note();
        }
        CommandFacts::TaskCancelled(TaskFound::Done(cancelled)) => shared.task_cancelled(cancelled).await,
        _ => {}
    }
    if let Some(wanted) = lifecycle {
        tracing::info!(by = %row.from.id, ?wanted, "an admin stops or restarts the gateway");
        shared.process.wanted.send_replace(Some(wanted));
    }
    Ok(())
}

/// Whether the row is about a message of an admin in a group that is not served. The reply says how to serve the group;
/// the text of the message is not stored.
fn is_in_unserved_group(row: &InboundRow) -> bool {
    row.reason == Some(Reason::NotServed)
}

/// Stores the command's effect, its reply and its end. A change of who may write has taken effect when this returns.
async fn answer(
    shared: &Shared,
    id: MessageId,
    effect: CommandEffect,
    form: ReplyForm,
    reply: Reply,
) -> Result<Fenced<CommandFacts>, StoreError> {
    let change = match &effect {
        CommandEffect::Access { change, .. } => Some(change.clone()),
        _ => None,
    };
    let store = async { shared.store.answer_with(id, effect, form, shared.time.now(), reply).await };
    match change {
        None => store.await,
        Some(change) => shared.store_change(&change, store, changed).await,
    }
}

/// The result of a command's change.
fn changed(answered: &Result<Fenced<CommandFacts>, StoreError>) -> Option<&AccessDone> {
    match answered {
        Ok(Fenced::Done(CommandFacts::Access(done))) => Some(done),
        _ => None,
    }
}

async fn plan(shared: &Shared, row: &InboundRow, parsed: Parsed<'_>) -> Result<Plan, StoreError> {
    Ok(match parsed {
        Parsed::Command(command)
            if command.changes_conversation()
                && !shared.may_for_all(&shared.settings(), row, Action::ChangeConversation) =>
        {
            let where_all = match shared.still_may(&shared.settings(), row, Action::ChangeConversation) {
                true => "Other chats share this conversation, and only somebody who moderates each of them",
                false => "In this group only moderators",
            };
            Plan::say(format!("{where_all} may use /{} like this.", command.name())).for_sender()
        }
        Parsed::Command(command) => match command {
            Command::Help => help::plan(shared, row),
            Command::New { .. } => new::plan(row),
            Command::Status => status::plan(shared, row).await?,
            Command::Stop => stop::plan(shared, row),
            Command::Retry => retry::plan(shared, row),
            Command::Answer(Some(answer)) => answer::plan(shared, row, answer).await?,
            Command::Answer(None) => answer::list(shared, row).await?,
            Command::Background { text } => background::plan(shared, row, text),
            Command::Tasks => background::list(shared, row).await?,
            Command::RetryTask(task) => background::retry(shared, row, task).await?,
            Command::CancelTask(task) => background::cancel(shared, row, task),
            Command::Sessions { page } => sessions::plan(shared, row, page).await?,
            Command::Resume { epoch } => resume::plan(row, epoch),
            Command::Queue(request) => queue::plan(shared, row, request).await?,
            Command::Steer { text } => steer::plan(text),
            Command::Compact { instructions } => compact::plan(shared, row, instructions),
            Command::Choose { option, value } => choose::plan(shared, row, option, value).await?,
            Command::Usage => usage::plan(shared, row).await?,
            Command::Timezone { zone } => timezone::plan(shared, row, zone),
            Command::Link(request) => link::plan(shared, row, request),
            Command::Whoami => whoami::plan(shared, row),
            Command::Gateway(request) => gateway::plan(shared, row, request).await?.for_sender(),
        },
        Parsed::Unknown { name, nearest } => {
            let meant = nearest.map(|name| format!(" Did you mean /{name}?")).unwrap_or_default();
            let name = quoted(&format!("/{name}"), TYPED);
            Plan::say(format!("There is no command {name}.{meant} /help lists all commands.")).for_sender()
        }
        Parsed::Malformed { command: "gateway", words, .. } => {
            gateway::misuse(shared, row, words).for_sender()
        }
        Parsed::Malformed { usage, words, .. } => {
            let words = quoted(words, TYPED);
            let text = format!("I do not understand {words} here. Please write it like this: `{usage}`");
            Plan::say(text).for_sender()
        }
        Parsed::Text(_) | Parsed::NotForUs => {
            Plan::say("This command no longer exists. /help lists all commands.")
        }
    })
}

/// The epoch that was current before a command changed it, as the command's row stores it.
fn came_from(row: &InboundRow) -> Option<u64> {
    match row.reason {
        Some(Reason::FromEpoch(epoch)) => Some(epoch),
        _ => None,
    }
}
