//! The state that the parts of the runtime share: what the operator configured, and what changes while it runs.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;

use arc_swap::ArcSwap;
use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::agent::TurnRole;
use frontdesk_core::delivery::{Ending, MessageRefs, Signal};
use frontdesk_core::hook::HookEvent;
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::{Event, Sender};
use frontdesk_core::port::ContextMessage;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::route::{Place, Route};
use frontdesk_store::Store;
use frontdesk_store::row::{Answered, ClaimedTurn, InboundRow, Quiet, Stopped};
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::access::Access;
use crate::adapters::Adapters;
use crate::config::Chat;
use crate::health::StorageHealth;
use crate::hooks::Hooks;
use crate::inbound::Inbound;
use crate::instructions::Instructions;
use crate::last_check::LastCheck;
use crate::media::{Media, MediaFiles};
use crate::minutes::Minutes;
use crate::process::Process;
use crate::renderer::ProfileRenderer;
use crate::settings::Settings;
use crate::time::Time;
use crate::voice::ActiveTranscriber;
use crate::work::Work;

pub(crate) struct Shared {
    /// What the operator configured: a snapshot, replaced as a whole.
    pub(crate) snapshot: ArcSwap<Settings>,
    /// Held during a reload.
    pub(crate) reloading: AsyncMutex<()>,
    /// Renders for the store.
    pub(crate) renderer: Arc<ProfileRenderer>,
    pub(crate) time: Time,
    pub(crate) process: Process,
    pub(crate) store: Store,
    pub(crate) health: StorageHealth,
    pub(crate) minutes: Minutes,
    pub(crate) last_check: LastCheck,
    pub(crate) instructions: Instructions,
    /// Who may write, as admins have changed it.
    pub(crate) access: Arc<Access>,
    pub(crate) inbound: Inbound,
    pub(crate) work: Work,
    pub(crate) adapters: Adapters,
    pub(crate) media: Media,
    pub(crate) hooks: Hooks,
}

/// The session to which messages belong, and the session of the chat that they come from, where that is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedSession {
    pub(crate) session: SessionKey,
    pub(crate) place: Option<SessionKey>,
}

impl Shared {
    /// The present snapshot of the configuration. Taken once for each decision, so that one event, one turn and one
    /// request see one configuration.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.snapshot.load_full()
    }

    /// Whether a requester may do something. `context` may name a group by any of its ids.
    pub(crate) fn authorize(
        &self,
        settings: &Settings,
        who: Requester<'_>,
        context: Context<'_>,
        action: Action,
    ) -> Decision {
        self.access.decide(&settings.access, who, context, action)
    }

    /// Whether the sender of an event may do something in its chat. `chat` is the first id of that chat.
    pub(crate) fn authorize_event(
        &self,
        settings: &Settings,
        event: &Event,
        chat: &str,
        action: Action,
    ) -> Decision {
        let context = if event.conversation.is_private() { Context::Dm } else { Context::Group(chat) };
        self.authorize(settings, Requester::of(&event.from), context, action)
    }

    /// Whether the sender of a stored message may still do something in its session. Asked again before a message
    /// that has waited is carried out.
    pub(crate) fn still_may(&self, settings: &Settings, row: &InboundRow, action: Action) -> bool {
        self.may_in(settings, row.own_session(), Requester::of(&row.from), action)
    }

    /// The same for a message that a turn works on: a task asks for the chat that has handed it over, and a job for the one
    /// that gets its results.
    pub(crate) fn still_may_in_turn(
        &self,
        settings: &Settings,
        turn: &ClaimedTurn,
        row: &InboundRow,
        action: Action,
    ) -> bool {
        match &turn.job {
            Some(_) if action == Action::Write => self.may_run_job(settings, &row.from, &turn.address),
            None if turn.task.is_none() => self.still_may(settings, row, action),
            _ => self.may_in_any(settings, turn.chat(), Requester::of(&row.from), action),
        }
    }

    /// Whether somebody may write at an address themselves.
    pub(crate) fn may_write_at(&self, settings: &Settings, who: Requester<'_>, address: &Address) -> bool {
        let original = self.access.original(address);
        let context = match self.is_read_by_session(address) || original == who.principal.id() {
            true => Context::Dm,
            false => Context::Group(&original),
        };
        // Clients of such a channel choose the names of chats: those that begin with their id are theirs.
        let is_theirs = || {
            let rest = original.strip_prefix(who.principal.id());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || self.authorize(settings, who, Context::Dm, Action::Administer) == Decision::Allow
        };
        address.account() == who.principal.account()
            && self.authorize(settings, who, context, Action::Write) == Decision::Allow
            && (!self.is_read_by_session(address) || is_theirs())
    }

    /// Whether a job of this owner may run for the chat at an address. Admins and the operator may have results sent to any
    /// chat. Asked when the job is made, when a run is due and when its turn begins.
    pub(crate) fn may_run_job(&self, settings: &Settings, owner: &Sender, address: &Address) -> bool {
        let who = Requester::of(owner);
        owner.id == self.work.jobs.operator
            || self.may_write_at(settings, who, address)
            || self.authorize(settings, who, Context::Dm, Action::Administer) == Decision::Allow
    }

    /// Whether an address is a conversation whose readers fetch what was sent, as on the page.
    pub(crate) fn is_read_by_session(&self, address: &Address) -> bool {
        let connection = self.adapters.at(address);
        connection.is_some_and(|to| to.adapter().profile().receipt == ReceiptRule::Commit)
    }

    /// The agent that answers at an address.
    pub(crate) fn agent_at<'s>(&self, settings: &'s Settings, address: &Address) -> &'s str {
        let place = Place { chat: address.chat(), thread: address.thread(), ..Place::default() };
        self.route(settings, address.account(), place).agent
    }

    /// Whether the sender of a context message may still write in the session.
    pub(crate) fn sender_may_still_write(
        &self,
        settings: &Settings,
        session: &SessionKey,
        message: &ContextMessage,
    ) -> bool {
        self.may_in_any(settings, session, Requester::of(&message.from), Action::Write)
    }

    /// Whether a person may do something in the chat of a session. Roles that they have there are not known.
    pub(crate) fn person_may(
        &self,
        settings: &Settings,
        session: &SessionKey,
        who: &Principal,
        action: Action,
    ) -> bool {
        self.may_in(settings, session, Requester::person(who), action)
    }

    /// Whether the sender of a command may do something to the conversation that it belongs to, for all who share it. Where
    /// several chats share it, they must be a moderator of each one that names some, or an admin.
    pub(crate) fn may_for_all(&self, settings: &Settings, row: &InboundRow, action: Action) -> bool {
        if !self.has_several_people(settings, &row.session) {
            return true;
        }
        let mut chats = std::iter::once(&row.session).chain(settings.joined.chats_of(&row.session));
        self.still_may(settings, row, action)
            && chats.all(|chat| chat == row.own_session() || self.may_change_other(settings, row, chat))
    }

    /// Whether the sender of a command may change the conversation as far as this other chat is concerned.
    fn may_change_other(&self, settings: &Settings, row: &InboundRow, chat: &SessionKey) -> bool {
        let account = chat.account();
        match account == row.from.id.account() {
            true => self.may_in(settings, chat, Requester::of(&row.from), Action::ChangeConversation),
            // Somebody of another account is no moderator there, whatever their id.
            false => {
                !self.access.names_moderators(&settings.access, account, chat.id())
                    || self.still_may(settings, row, Action::Administer)
            }
        }
    }

    /// Whether several people may write in a session.
    pub(crate) fn has_several_people(&self, settings: &Settings, session: &SessionKey) -> bool {
        session.scope().is_shared() || settings.joined.is_joined(session)
    }

    /// The session to which the messages of a chat belong. `own` is the chat's own session, which it may have joined to
    /// another one: by the configuration, or with `/link`.
    pub(crate) fn joined(&self, settings: &Settings, own: SessionKey) -> JoinedSession {
        // A session of an account that is not configured any more gets no turn.
        let linked =
            || Some(self.access.link(&own)?.target).filter(|to| self.adapters.get(to.account()).is_some());
        match settings.joined.target(&own).cloned().or_else(linked) {
            Some(session) if session != own => JoinedSession { session, place: Some(own) },
            _ => JoinedSession { session: own, place: None },
        }
    }

    /// The same for whom it is not known in which of the chats that share a session they wrote.
    fn may_in_any(
        &self,
        settings: &Settings,
        session: &SessionKey,
        who: Requester<'_>,
        action: Action,
    ) -> bool {
        let mut chats = std::iter::once(session).chain(settings.joined.chats_of(session));
        chats.any(|chat| self.may_in(settings, chat, who, action))
    }

    fn may_in(&self, settings: &Settings, session: &SessionKey, who: Requester<'_>, action: Action) -> bool {
        let context = match session.scope() {
            Scope::Dm => Context::Dm,
            // Work that no chat has handed over.
            scope if scope.is_background() => Context::Dm,
            _ => Context::Group(session.id()),
        };
        self.authorize(settings, who, context, action) == Decision::Allow
    }

    /// The session in which readers of an address see what is sent to it; `None` if its platform shows messages itself.
    pub(crate) fn session_of_reader(&self, settings: &Settings, address: &Address) -> Option<SessionKey> {
        let agent = self.agent_at(settings, address);
        let own = || SessionKey::at(agent, address.account(), Scope::Dm, address.chat(), None, None);
        let own = self.is_read_by_session(address).then(own)?.ok()?;
        Some(self.joined(settings, own).session)
    }

    /// Who answers at a place, and in which role. The chat is named by any of its ids.
    pub(crate) fn route<'s>(
        &self,
        settings: &'s Settings,
        account: &AccountId,
        place: Place<'_>,
    ) -> Route<'s> {
        let chat = self.configured_id(settings, account, place.chat);
        settings.route(account, Place { chat: &chat, ..place })
    }

    /// Who answers in the chat of a session, and in which role. `sender` is who writes there.
    pub(crate) fn route_of<'s>(
        &self,
        settings: &'s Settings,
        session: &SessionKey,
        sender: Option<&Principal>,
    ) -> Route<'s> {
        let person = match session.scope() {
            Scope::Dm => sender.map(Principal::id),
            _ => session.person(),
        };
        let place = Place { chat: session.id(), thread: session.thread(), person };
        self.route(settings, session.account(), place)
    }

    /// The role in which these messages of a session are answered. Of several senders in a private chat none counts.
    pub(crate) fn role_of(
        &self,
        settings: &Settings,
        session: &SessionKey,
        mut messages: impl Iterator<Item = impl Borrow<InboundRow>>,
    ) -> Option<Arc<TurnRole>> {
        let first = messages.next().map(|row| row.borrow().from.id.clone());
        let same = messages.all(|row| first.as_ref() == Some(&row.borrow().from.id));
        let route = self.route_of(settings, session, first.as_ref().filter(|_| same));
        settings.role(route.role?)
    }

    /// The configuration's settings for one chat, which is named by any of its ids.
    pub(crate) fn chat<'s>(
        &self,
        settings: &'s Settings,
        account: &AccountId,
        chat: &str,
    ) -> Option<&'s Chat> {
        let routing = settings.routing.get(account)?;
        routing.chat(&self.configured_id(settings, account, chat))
    }

    /// The id by which the configuration names a chat, which may have moved.
    pub(crate) fn configured_id<'a>(
        &self,
        settings: &Settings,
        account: &AccountId,
        chat: &'a str,
    ) -> Cow<'a, str> {
        let routing = settings.routing.get(account).filter(|routing| !routing.chats.is_empty());
        let named = routing
            .and_then(|routing| self.access.name_for(account, chat, |name| routing.chats.contains_key(name)));
        named.map_or(Cow::Borrowed(chat), Cow::Owned)
    }

    /// When a session starts a new epoch.
    pub(crate) fn reset_policy(&self, settings: &Settings, session: &SessionKey) -> ResetPolicy {
        let chat = self.configured_id(settings, session.account(), session.id());
        let policy = settings.reset_policy(session, &chat);
        match self.access.zone(session.account(), session.id()) {
            Some(zone) => policy.in_zone(zone),
            None => policy,
        }
    }

    /// The quiet hours of a chat, if it has some now.
    pub(crate) fn quiet(&self, address: &Address) -> Option<Quiet> {
        let settings = self.settings();
        let account = address.account();
        let chat = self.access.original(address);
        let own = self.chat(&settings, account, &chat).and_then(|chat| chat.quiet_hours.as_ref());
        let hours = own.unwrap_or(&settings.config.delivery.quiet_hours);
        let named = self.configured_id(&settings, account, &chat);
        let configured = || settings.resets.policy(account, Scope::Dm.name(), &named).zone();
        let zone = self.access.zone(account, &chat).unwrap_or_else(configured);
        let now = self.time.now();
        let until = hours.end(zone, now.wall)?;
        Some(Quiet { until, steady: now.steady + (until - now.wall) })
    }

    /// How the messages of a session wait, unless another mode was chosen in the chat.
    pub(crate) fn queue_mode(&self, settings: &Settings, session: &SessionKey) -> QueueMode {
        let (account, chat) = (session.account(), session.id());
        let chat = self.chat(settings, account, chat).and_then(|chat| chat.queue_mode);
        let account = || settings.routing.get(account).and_then(|routing| routing.queue_mode);
        chat.or_else(account).unwrap_or(settings.config.queue.mode)
    }

    /// What transcribes recordings now, and what keeps it running.
    pub(crate) fn transcriber(&self) -> Option<(ActiveTranscriber, TaskTrackerToken)> {
        loop {
            // A reload may replace it at any moment, so this is asked anew.
            let voice = self.settings().voice.clone()?;
            if let Some(in_use) = voice.begin() {
                return Some((voice, in_use));
            }
        }
    }

    /// The media folder together with its rows.
    pub(crate) fn media_files(&self) -> MediaFiles<'_> {
        MediaFiles { media: &self.media, store: &self.store, health: &self.health, time: &self.time }
    }

    /// Tells hooks that a conversation has ended and the next one has begun.
    pub(crate) fn conversation_changed(&self, session: &SessionKey) {
        self.hooks.tell(HookEvent::SessionEnd { session: session.clone() });
        self.hooks.tell(HookEvent::SessionStart { session: session.clone() });
    }

    /// Runs the command that a stored answer confirms.
    pub(crate) fn answered(&self, answered: &Answered) {
        if let Some(command) = answered.confirmed
            && self.work.commands.send(command).is_err()
        {
            tracing::warn!(message_id = %command, "a command was confirmed while stopping; it runs at the next start");
        }
    }

    /// Follows up on turns and messages of a session that were ended in the database: stops the agents of the running
    /// turns, and tells those who wait for the answers of the others.
    pub(crate) async fn stopped(
        &self,
        session: &SessionKey,
        address: &Address,
        Stopped { running, waiting }: Stopped,
        ending: Ending,
    ) {
        self.work.marks.note_change();
        if session.scope().is_of_job() {
            self.work.jobs.note();
        }
        for turn in running {
            self.work.running.cancel(turn, ending, self.time.mono());
        }
        let wants_ends = self.adapters.at(address).is_some_and(|to| to.adapter().profile().ends);
        if wants_ends && !waiting.is_empty() {
            let about = MessageRefs { session: Some(session.clone()), messages: waiting };
            let end = Signal::End { about, ending, usage: None };
            self.adapters.signal(address, end).await;
        }
    }
}
