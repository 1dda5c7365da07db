//! What every part of the runtime shares.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::access::{Action, Context, Decision, Who};
use frontdesk_core::account::AccountId;
use frontdesk_core::act::{About, Act, Ending};
use frontdesk_core::address::Address;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::Event;
use frontdesk_core::port::{Clock, Stop};
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::time::{CautiousCalendar, Now, Steady};
use frontdesk_store::row::{ContextRow, InboundRow};
use frontdesk_store::{Store, StoreError};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::adapters::Adapters;
use crate::cancel::Cancels;
use crate::causes::Causes;
use crate::config::{Chat, Config, ResetRules, Routing};
use crate::handle::Lifecycle;
use crate::hooks::Hooks;
use crate::lanes::Lanes;
use crate::limits::Limits;
use crate::media::Media;
use crate::recent::Recent;
use crate::unread::Unread;
use crate::{AgentEntry, GrantRule};

pub(crate) struct Shared {
    pub(crate) boot: String,
    pub(crate) started: DateTime<Utc>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What pauses are measured by.
    pub(crate) steady: Steady,
    /// By which answers and messages grow too old.
    pub(crate) ages: Mutex<CautiousCalendar>,
    /// By which rows and files are old enough to be deleted.
    pub(crate) purges: Mutex<CautiousCalendar>,
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) resets: ResetRules,
    /// The zone in which a day begins and ends for quotas.
    pub(crate) zone: Tz,
    pub(crate) routing: BTreeMap<AccountId, Routing>,
    pub(crate) access: Access,
    /// What the configuration leaves undone.
    pub(crate) problems: Vec<String>,
    /// Asked before anything is granted.
    pub(crate) grant_rule: GrantRule,
    /// What pairing codes follow from.
    pub(crate) secret: [u8; 32],
    /// Files that come and go.
    pub(crate) media: Media,
    pub(crate) agents: BTreeMap<String, AgentEntry>,
    pub(crate) default_agent: String,
    pub(crate) adapters: Adapters,
    pub(crate) hooks: Hooks,
    pub(crate) limits: Limits,
    /// Sessions with messages for the agent.
    pub(crate) turns: Lanes<SessionKey>,
    /// Addresses with parts to send.
    pub(crate) outbox: Lanes<Address>,
    /// Commands, in the order of acceptance.
    pub(crate) commands: mpsc::UnboundedSender<MessageId>,
    /// How to end the turns that run.
    pub(crate) cancels: Cancels,
    /// Kinds of events that could not be read, and what was said of them.
    pub(crate) unread: Unread,
    /// Why the latest turns failed.
    pub(crate) causes: Causes,
    /// Events of a moment ago.
    pub(crate) recent: Recent,
    /// Set when nothing is taken any more.
    pub(crate) closing: Stop,
    /// Set when running turns must be given back.
    pub(crate) drain: Stop,
    pub(crate) storage: StorageHealth,
    /// What was begun for somebody who may not wait for its end.
    pub(crate) background: TaskTracker,
    /// What an admin wants of the process.
    pub(crate) lifecycle: watch::Sender<Option<Lifecycle>>,
}

/// Whether the database takes writes, for `/health`.
#[derive(Default)]
pub(crate) struct StorageHealth {
    fault: Mutex<Option<String>>,
    /// Whether the log has been said to be too large.
    pub(crate) is_large: AtomicBool,
    /// The same, for a look that costs one load.
    fails: AtomicBool,
}

impl Shared {
    /// Whether somebody may do something: the one rule, for every way in. A group is named by its first id.
    pub(crate) fn authorize(&self, who: Who<'_>, context: Context<'_>, action: Action) -> Decision {
        self.access.decide(who, context, action)
    }

    /// The same for an event, whose chat is named by its first id.
    pub(crate) fn authorize_event(&self, event: &Event, chat: &str, action: Action) -> Decision {
        let who = Who { principal: &event.principal, sender_kind: event.sender_kind, roles: &event.roles };
        let context = if event.conversation.is_private() { Context::Dm } else { Context::Group(chat) };
        self.authorize(who, context, action)
    }

    /// Whether the sender of a stored message may still do something where it was said: asked again for whatever has
    /// waited.
    pub(crate) fn still_may(&self, row: &InboundRow, action: Action) -> bool {
        let who = Who { principal: &row.principal, sender_kind: row.sender_kind, roles: &row.roles };
        self.may_in(&row.session, who, action)
    }

    /// Whether the sender of something that was said nearby may still be heard in the conversation.
    pub(crate) fn still_heard(&self, session: &SessionKey, context_message: &ContextRow) -> bool {
        let who = Who {
            principal: &context_message.principal,
            sender_kind: context_message.sender_kind,
            roles: &context_message.roles,
        };
        self.may_in(session, who, Action::Speak)
    }

    fn may_in(&self, session: &SessionKey, who: Who<'_>, action: Action) -> bool {
        let context = match session.scope() {
            Scope::Dm => Context::Dm,
            _ => Context::Group(session.id()),
        };
        self.authorize(who, context, action) == Decision::Allow
    }

    /// The name of the agent that answers in a chat, which is named by any of its ids.
    pub(crate) fn agent_of(&self, account: &AccountId, chat: &str) -> &str {
        self.chat(account, chat)
            .and_then(|chat| chat.agent.as_deref())
            .or_else(|| self.routing(account).and_then(|routing| routing.agent.as_deref()))
            .unwrap_or(&self.default_agent)
    }

    /// What the operator wrote about one chat, by any of its ids.
    pub(crate) fn chat(&self, account: &AccountId, chat: &str) -> Option<&Chat> {
        let routing = self.routing(account)?;
        routing.chat(&self.written(account, chat))
    }

    /// The id by which the operator wrote about a chat.
    pub(crate) fn written<'a>(&self, account: &AccountId, chat: &'a str) -> Cow<'a, str> {
        let routing = self.routing(account).filter(|routing| !routing.chats.is_empty());
        let named = routing
            .and_then(|routing| self.access.name_for(account, chat, |name| routing.chats.contains_key(name)));
        named.map_or(Cow::Borrowed(chat), Cow::Owned)
    }

    /// When a conversation in a chat starts anew.
    pub(crate) fn policy(&self, session: &SessionKey) -> ResetPolicy {
        let account = session.account();
        let chat = self.written(account, session.id());
        self.resets.policy(account, session.scope().name(), &chat)
    }

    fn routing(&self, account: &AccountId) -> Option<&Routing> {
        self.routing.get(account)
    }

    /// The day on which something counts for quotas, as days since 1970.
    pub(crate) fn day(&self, now: DateTime<Utc>) -> i64 {
        use chrono::Datelike;
        const EPOCH: i32 = 719_163; // 1970-01-01 in days of the common era
        i64::from(now.with_timezone(&self.zone).date_naive().num_days_from_ce() - EPOCH)
    }

    /// Turns and messages of a session were cancelled in the database: tells the agents of those that run,
    /// and those who wait for the answers of the rest.
    pub(crate) async fn cancelled(
        &self,
        session: &SessionKey,
        address: &Address,
        turns: &[TurnId],
        waiting: Vec<MessageId>,
    ) {
        for turn in turns {
            self.cancels.cancel(*turn, self.clock.mono());
        }
        let told = self.adapters.at(address).is_some_and(|to| to.adapter.profile().ends);
        if told && !waiting.is_empty() {
            let about = About { session: Some(session.clone()), messages: waiting };
            let end = Act::End { about, ending: Ending::Cancelled, usage: None };
            self.adapters.show(address, end).await;
        }
    }

    /// What `/health` says of a write-ahead log that grew beyond its limit.
    pub(crate) fn log_excess(&self) -> Option<String> {
        const MB: u64 = 1 << 20;
        let size = self.store.log_bytes() / MB;
        (size >= u64::from(self.config.storage.wal_warn_mb)).then(|| {
            format!(
                "the database's write-ahead log has grown to {size} MB: another program probably keeps a read \
                 transaction open; the log names it where it can"
            )
        })
    }

    /// This moment, by the calendar and by steady time.
    pub(crate) fn now(&self) -> Now {
        Now { wall: self.clock.wall(), steady: self.steady.at(self.clock.elapsed()) }
    }

    /// A steady time as people should see it: as far from now by their calendar as it is by ours.
    pub(crate) fn on_calendar(&self, steady: DateTime<Utc>) -> DateTime<Utc> {
        let now = self.now();
        now.wall.checked_add_signed(steady - now.steady).unwrap_or(steady)
    }

    /// The date by which answers and messages are too old.
    pub(crate) fn date_for_ages(&self) -> DateTime<Utc> {
        self.date(&self.ages).0
    }

    /// The date by which rows and files are old enough to be deleted, and whether it is what the clock shows.
    pub(crate) fn date_for_purges(&self) -> (DateTime<Utc>, bool) {
        self.date(&self.purges)
    }

    fn date(&self, calendar: &Mutex<CautiousCalendar>) -> (DateTime<Utc>, bool) {
        let mut calendar = calendar.lock().unwrap_or_else(PoisonError::into_inner);
        let wall = self.clock.wall();
        let date = calendar.read(wall, self.clock.elapsed());
        (date, date == wall)
    }

    /// Remembers for `/health` whether the database takes writes.
    pub(crate) fn note_storage(&self, error: Option<&StoreError>) {
        self.storage.note(error);
    }
}

impl StorageHealth {
    fn note(&self, error: Option<&StoreError>) {
        match error {
            None if !self.fails.load(Ordering::Relaxed) => {}
            None => {
                self.fails.store(false, Ordering::Relaxed);
                *self.lock() = None;
                tracing::info!("the database takes writes again");
            }
            // One request was at fault, not the database.
            Some(StoreError::Invalid(_)) => {}
            Some(error) => {
                *self.lock() = Some(error.to_string());
                if !self.fails.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the database does not take writes");
                }
            }
        }
    }

    /// Why the database does not take writes, while it does not.
    pub(crate) fn fault(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
