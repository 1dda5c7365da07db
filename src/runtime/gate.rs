//! The gate: everything that reaches an agent has passed [`accept`].

mod admission;
mod answers;
mod edits;
mod inbox;
mod pairing;
mod prepare;
mod repeated;
mod shut_out;
mod waking;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use admission::{Admission, Entry, Plan};
use answers::Answer;
use frontdesk_core::access::{Action, Decision};
use frontdesk_core::account::AccountId;
use frontdesk_core::ask::{AskError, Press};
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::delivery::Ending;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::hook::HookEvent;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Event, EventKind, Outcome, Refusal, Source};
use frontdesk_core::port::Busy;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::time::Now;
use frontdesk_store::row::{
    Admitted, Batch, Decided, Disposition, EpochChange, MinuteRow, Quota, Stopped, Stored,
};
pub(crate) use inbox::GateInbox;
pub(crate) use waking::wake;
use waking::wake_for;

use crate::activity::Activity;
use crate::budgets::BudgetPlace;
use crate::running_turns::SteerRequest;
use crate::settings::Settings;
use crate::shared::{JoinedSession, Shared};

/// How far apart the messages of an album may arrive: each of them is an event of its own.
pub(crate) const ALBUM: Duration = Duration::from_millis(1200);

/// Takes a batch: one decision per event, one commit for all. Nothing may be acknowledged before it returns. It goes on to its
/// end if the caller does not wait for that, as when a connection ends: otherwise a message could be stored that nobody is told
/// about, and its session would wait for the next restart.
pub(crate) async fn accept(
    shared: &Arc<Shared>,
    source: &Source,
    batch: Vec<Event>,
    cursor: Option<Cursor>,
) -> Result<Vec<Outcome>, Busy> {
    let accepted = {
        let (shared, source) = (shared.clone(), source.clone());
        async move { accept_batch(&shared, &source, batch, cursor).await }
    };
    shared.work.finished(accepted, Busy::Stopping).await
}

async fn accept_batch(
    shared: &Shared,
    source: &Source,
    mut batch: Vec<Event>,
    cursor: Option<Cursor>,
) -> Result<Vec<Outcome>, Busy> {
    let settings = shared.settings();
    is_open(shared, &settings, &source.account, batch.len())?;
    let mut answers = prepare::all(shared, &settings, source, &mut batch).await?;
    let received = shared.time.now();
    let judged = batch.into_iter().enumerate();
    let judged =
        judged.map(|(n, event)| judge(shared, &settings, source, (event, answers.remove(&n)), received));
    let events = judged.collect();
    let batch = Arc::new(Batch { source: source.clone(), received, events, cursor });
    let stored = shared.store.accept(Arc::clone(&batch)).await;
    shared.health.note(stored.as_ref().err());
    let stored = stored.map_err(|error| Busy::Storage(error.to_string()))?;
    let mut outcomes = Vec::with_capacity(stored.len());
    for (event, stored) in batch.events.iter().zip(stored) {
        outcomes.push(conclude(shared, source, event, stored).await);
    }
    repeated::answer_again(shared, &batch, &mut outcomes).await;
    shut_out::explain(shared, &batch, &mut outcomes).await;
    Ok(outcomes)
}

/// Refuses a batch while the gateway stops, its queue is full, or a reload has removed the account: the platform then
/// delivers the events again. The caller must read `settings` before it asks this: an account that is open now is then
/// also in them. A batch is accepted or refused as a whole, so the last one before the limit may exceed it; otherwise a
/// batch larger than the limit could never be accepted.
fn is_open(shared: &Shared, settings: &Settings, account: &AccountId, arriving: usize) -> Result<(), Busy> {
    if shared.process.closing.is_cancelled() || shared.adapters.is_removed(account) {
        return Err(Busy::Stopping);
    }
    let waiting = shared.store.waiting();
    if arriving > 0 && waiting >= settings.config.queue.global {
        return Err(Busy::Full { waiting });
    }
    Ok(())
}

/// Decides about one event. The store recognises a redelivery, in the transaction that would store it.
fn judge(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    (event, answer): (Event, Option<Answer>),
    now: Now,
) -> Decided {
    // Nobody is named who would need a right, and the store ends only what waits.
    if event.kind == EventKind::DeletedById {
        return Decided::Deletion(event);
    }
    if let Some(reason) = unused(&event.kind) {
        return Decided::Dropped { event, reason, session: None };
    }
    match rule(shared, settings, source, (&event, answer.as_ref()), now) {
        Ruling::Dropped(reason, session) => Decided::Dropped { event, reason, session },
        Ruling::Admitted(joined, plan) => {
            Decided::Admitted(admitted(shared, settings, event, joined, plan, now))
        }
    }
}

/// The reason for which an event of this kind is dropped without a look at the rules.
fn unused(kind: &EventKind) -> Option<DropReason> {
    match kind {
        EventKind::Other(name) => Some(DropReason::Unused(name.clone())),
        EventKind::Moved { .. } => Some(DropReason::Moved),
        // Its sender is not known.
        EventKind::Undecodable(raw) => Some(DropReason::Undecodable(raw.kind.clone())),
        EventKind::Message
        | EventKind::Edit
        | EventKind::Deleted
        | EventKind::DeletedById
        | EventKind::Reaction { .. }
        | EventKind::Button { .. }
        | EventKind::Unreadable { .. } => None,
    }
}

/// The button of a question that an event says was pressed.
fn press(event: &Event) -> Option<Press> {
    matches!(event.kind, EventKind::Button { .. }).then(|| event.text.parse().ok())?
}

/// The decision of the rules about an event whose sender is known.
enum Ruling {
    /// The event is counted and not stored. The session is given if the sender may write in it.
    Dropped(DropReason, Option<SessionKey>),
    Admitted(JoinedSession, Plan),
}

fn rule(
    shared: &Shared,
    settings: &Settings,
    source: &Source,
    (event, answer): (&Event, Option<&Answer>),
    now: Now,
) -> Ruling {
    let chat = first_id(shared, event);
    let admission = Admission { shared, settings, source, event, answer, chat: &chat, now };
    let entry = match admission.access() {
        Entry::Shut(reason) => return Ruling::Dropped(reason, None),
        entry => entry,
    };
    let JoinedSession { session, place } = match admission.session() {
        Ok(joined) => joined,
        Err(_) if matches!(entry, Entry::Pairing) => return Ruling::Dropped(DropReason::UnknownSender, None),
        Err(error) => {
            let channel = source.account.channel();
            tracing::warn!(channel, %error, "an event without a usable chat id was dropped");
            return Ruling::Dropped(DropReason::NoSession, None);
        }
    };
    match entry {
        Entry::Open => {
            let Some(plan) = admission.plan() else {
                return Ruling::Dropped(DropReason::NotForUs, Some(session));
            };
            if let Some(reason) = admission.silence(&plan) {
                return Ruling::Dropped(reason, Some(session));
            }
            let is_press = matches!(plan.disposition, Disposition::Answer(_));
            let plan = limits(&admission, &session, plan);
            if is_press && matches!(plan.disposition, Disposition::Refused(_)) {
                return Ruling::Dropped(DropReason::RateLimited, Some(session));
            }
            let tell = plan.tell && may_tell(&admission);
            Ruling::Admitted(JoinedSession { session, place }, Plan { tell, ..plan })
        }
        Entry::NotServed => {
            let plan = limits(&admission, &session, Plan::of(Disposition::NotServed));
            // A refusal would be stored with its text.
            match plan.disposition {
                Disposition::NotServed => Ruling::Admitted(JoinedSession { session, place }, plan),
                _ => Ruling::Dropped(DropReason::RateLimited, None),
            }
        }
        Entry::Pairing => match pairing::request(&admission) {
            Some(request) => {
                let plan = Plan::of(Disposition::Pairing(Box::new(request)));
                Ruling::Admitted(JoinedSession { session, place }, plan)
            }
            None => Ruling::Dropped(DropReason::UnknownSender, None),
        },
        Entry::Shut(reason) => Ruling::Dropped(reason, None),
    }
}

fn admitted(
    shared: &Shared,
    settings: &Settings,
    event: Event,
    JoinedSession { session, place }: JoinedSession,
    plan: Plan,
    now: Now,
) -> Admitted {
    let Plan { disposition, epoch, text, tell, counts, uses_agent, for_agent, answers } = plan;
    let daily = settings.config.limits.daily;
    let payers = BudgetPlace { agent: session.agent(), chat: Some(&session), address: &event.address };
    let budgets = match uses_agent {
        true => shared.limiting_budgets(settings, &payers, &event.from.id, now.wall),
        false => Vec::new(),
    };
    Admitted {
        policy: shared.reset_policy(settings, &session),
        queue_mode: shared.queue_mode(settings, &session),
        edits: edits::rule(&settings.config.queue),
        budgets,
        event,
        session,
        place,
        disposition,
        text,
        epoch,
        quota: (daily > 0 && counts).then(|| Quota { limit: daily, day: settings.quota_day(now.wall) }),
        per_session: if for_agent { settings.config.queue.per_session } else { u32::MAX },
        tell,
        answers,
    }
}

/// Whether the sender may write.
fn may_write(shared: &Shared, settings: &Settings, event: &Event) -> bool {
    shared.authorize_event(settings, event, &first_id(shared, event), Action::Write) == Decision::Allow
}

/// The chat's first id. Only a chat whose conversation and address have the same id can have moved.
fn first_id<'a>(shared: &Shared, event: &'a Event) -> Cow<'a, str> {
    match event.conversation.chat() == event.address.chat() {
        true => shared.access.original(&event.address),
        false => Cow::Borrowed(event.conversation.chat()),
    }
}

/// The plan after the rate limits. `/stop` has a limit of its own: it helps against too many messages.
fn limits(admission: &Admission<'_>, session: &SessionKey, plan: Plan) -> Plan {
    let Admission { shared, settings, source, event, chat, .. } = admission;
    let stop = plan.disposition == Disposition::Command
        && matches!(command::of(event), Parsed::Command(Command::Stop));
    // Neither context nor a redelivery counts against the limits. The store recognises the redelivery itself.
    if matches!(plan.disposition, Disposition::Context(_))
        || shared.inbound.recent.contains(&source.id, &event.id)
    {
        return plan;
    }
    let configured = shared.configured_id(settings, &source.account, chat);
    let role = || match settings.limits.has_roles() {
        true => shared.route_of(settings, session, Some(&event.from.id)).role,
        false => None,
    };
    let is_reply_for_all =
        plan.disposition == Disposition::Command && !plan.for_agent && !event.conversation.is_private();
    let count = || match admission.is_by_admin() {
        _ if stop => settings.limits.allows_stop(&event.from.id),
        true => settings.limits.allows_admin(&event.from.id),
        false => {
            (!is_reply_for_all || settings.limits.allows_command(&event.from.id))
                && settings.limits.allows((&event.from.id, role()), &event.address, &configured)
        }
    };
    match shared.inbound.albums.allows(event, shared.time.mono(), count) {
        false => Plan {
            disposition: Disposition::Refused(Refusal::RateLimited),
            epoch: EpochChange::ByRule,
            ..plan
        },
        true => plan,
    }
}

/// Whether a refusal gets a notice. A notice uses up the chat's send rate, which answers need, so a busy chat gets none.
fn may_tell(admission: &Admission<'_>) -> bool {
    let Admission { shared, event, .. } = admission;
    let connection = shared.adapters.at(&event.address);
    shared.inbound.notices.may_tell(&event.from.id, &event.address, shared.time.mono())
        && connection.is_none_or(|connection| connection.is_calm(&event.address))
}

/// Acts on the result of storing an event, and returns the outcome for the adapter.
async fn conclude(shared: &Shared, source: &Source, decided: &Decided, stored: Stored) -> Outcome {
    metrics::counter!("frontdesk_inbound_total", "outcome" => name(&stored)).increment(1);
    if let Stored::Accepted { .. } = stored {
        shared.minutes.add(shared.time.wall(), &MinuteRow { messages: 1, ..MinuteRow::default() });
    }
    note_activity(shared, source, decided, &stored);
    if let Some((raw, _)) = decided.dead_letter() {
        shared.inbound.unreadable.note(shared.time.clock(), source, &decided.event().id, raw);
    }
    match decided {
        Decided::Dropped { event, reason, .. } => match (reason.outcome(), press(event)) {
            (Outcome::Denied, Some(Press { ask, .. })) => {
                Outcome::NotAnswered { ask, error: AskError::NotYours }
            }
            (_, Some(Press { ask, .. })) if *reason == DropReason::Muted => {
                Outcome::NotAnswered { ask, error: AskError::MayNotWrite }
            }
            (outcome, _) => outcome,
        },
        Decided::Deletion(_) => Outcome::Noted,
        Decided::Admitted(message) => {
            shared.inbound.recent.note(&source.id, &message.event.id);
            match message.disposition {
                Disposition::Pairing(_) => pairing_outcome(&stored),
                _ => follow_up(shared, source, message, stored).await,
            }
        }
    }
}

/// Shows those who watch the gateway what became of an event.
fn note_activity(shared: &Shared, source: &Source, decided: &Decided, stored: &Stored) {
    let message = match stored {
        Stored::Accepted { message, .. } | Stored::Refused { message, .. } | Stored::Dead { message } => {
            Some(*message)
        }
        _ => None,
    };
    let session = match decided {
        Decided::Admitted(admitted) => Some(admitted.session.clone()),
        Decided::Dropped { .. } | Decided::Deletion(_) => None,
    };
    let account = source.account.clone();
    let received = Activity::Received { account, outcome: name(stored), message, session };
    shared.work.activity.note(shared.time.wall(), received);
}

/// Wakes the lane or the command runner of a stored message.
async fn follow_up(shared: &Shared, source: &Source, message: &Admitted, stored: Stored) -> Outcome {
    let channel = source.account.channel();
    match stored {
        Stored::Accepted { message: id, ended, began, mode, superseded, .. } => {
            tracing::debug!(message_id = %id, session = %message.session, channel, "accepted");
            let is_new = began || ended.is_some();
            accepted(shared, message, id, (ended.is_some(), is_new), (mode, superseded)).await
        }
        Stored::Duplicate { message: id, same: true, refused: Some(reason), .. } => {
            Outcome::Refused { message: id, reason }
        }
        Stored::Duplicate { message: id, session, same: true, refused: None } => {
            // The first delivery may have been cut off before anything was woken.
            wake_for(shared, message, &session, (id, message.queue_mode));
            // What is judged as a command now may have been stored as the answer to a choice.
            wake(shared, &session, message.queue_mode);
            Outcome::Duplicate { message: id, session }
        }
        Stored::Duplicate { message, same: false, .. } => Outcome::Conflict { message },
        Stored::Erased { message } => Outcome::Erased { message },
        Stored::Refused { message: id, reason, told } => {
            if told {
                let Event { from, address, .. } = &message.event;
                shared.inbound.notices.note_told(&from.id, address, shared.time.mono());
            }
            Outcome::Refused { message: id, reason }
        }
        Stored::Dead { message } => {
            tracing::error!(message_id = %message, channel, "an event could not be stored as it is; its row is marked dead");
            Outcome::Unstorable { message }
        }
        Stored::Noted => Outcome::Noted,
        Stored::Answered { message, ask, answered } => {
            shared.answered(&answered);
            Outcome::Answered { message, ask, answer: answered.shown }
        }
        Stored::NotAnswered { ask, error } => Outcome::NotAnswered { ask, error },
        Stored::Asked { message } => Outcome::Refused { message, reason: Refusal::Pairing },
        Stored::Dropped => Outcome::Ignored,
    }
}

/// Acts on a message that waits now, and returns the outcome for the adapter.
async fn accepted(
    shared: &Shared,
    message: &Admitted,
    id: MessageId,
    (has_ended, is_new): (bool, bool),
    (mode, superseded): (QueueMode, Stopped),
) -> Outcome {
    let session = &message.session;
    if has_ended {
        shared.hooks.tell(HookEvent::SessionEnd { session: session.clone() });
    }
    if is_new {
        shared.hooks.tell(HookEvent::SessionStart { session: session.clone() });
    }
    wake_for(shared, message, session, (id, mode));
    if shared.adapters.marks(&message.event.address) {
        shared.work.marks.accepted(id, message);
    }
    if mode == QueueMode::Steer && message.disposition == Disposition::Turn {
        shared.work.running.steer(session, SteerRequest { message: id, overtakes: false });
    }
    if superseded != Stopped::default() {
        shared.stopped(session, &message.event.address, superseded, Ending::Superseded).await;
    }
    match press(&message.event) {
        Some(Press { ask, .. }) => Outcome::Answered { message: id, ask, answer: message.text().to_owned() },
        None => Outcome::Accepted { message: id, session: session.clone() },
    }
}

/// The outcome of a request for a pairing code: only the first request of a sender gets a code.
fn pairing_outcome(stored: &Stored) -> Outcome {
    match stored {
        Stored::Asked { message } | Stored::Duplicate { message, .. } => {
            Outcome::Refused { message: *message, reason: Refusal::Pairing }
        }
        _ => Outcome::Denied,
    }
}

fn name(stored: &Stored) -> &'static str {
    match stored {
        Stored::Accepted { .. } => "accepted",
        Stored::Duplicate { .. } => "duplicate",
        Stored::Erased { .. } => "erased",
        Stored::Refused { .. } => "refused",
        Stored::Dead { .. } => "dead",
        Stored::Noted => "noted",
        Stored::Answered { .. } => "answered",
        Stored::NotAnswered { .. } => "not_answered",
        Stored::Asked { .. } => "asked",
        Stored::Dropped => "dropped",
    }
}
