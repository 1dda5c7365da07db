//! A store in a temporary folder, and short functions for what happens to it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{
    Conversation, Cursor, Event, EventKind, FirstLine, Sender, SenderKind, Source,
};
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::{ResetMode, ResetPolicy};
use frontdesk_core::time::Pause;
use frontdesk_store::row::*;
use frontdesk_store::{Reply, Store, StoreError};
use tempfile::TempDir;

use crate::database::open;
pub use crate::renderer::*;

/// A usage with a number of its own in every field.
pub fn usage() -> Usage {
    Usage {
        model: Some("m".into()),
        input: Some(1),
        output: Some(2),
        cache_read: Some(3),
        cache_write: Some(4),
        cost_micro: Some(5),
        context_used: Some(6),
        context_window: Some(7),
    }
}

/// The same message with changes in its event.
pub fn with_event(mut message: Admitted, change: impl FnOnce(&mut Event)) -> Admitted {
    change(&mut message.event);
    message
}

/// The same message of an unknown sender with changes in its request for a code.
pub fn with_request(mut message: Admitted, change: impl FnOnce(&mut PairingRequest)) -> Admitted {
    let Disposition::Pairing(request) = &mut message.disposition else { panic!("{message:?}") };
    change(request);
    message
}

/// An event that is only counted, with this reason.
pub fn dropped(message: Admitted, reason: DropReason) -> Decided {
    Decided::Dropped { event: message.event, reason, session: None }
}

/// The outcomes of a batch, and the rows that were announced for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub items: Vec<Stored>,
    pub announced: Vec<OutboxRow>,
}

/// The result of a command, and the rows that were announced for it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandDone {
    pub facts: CommandFacts,
    pub announced: Vec<OutboxRow>,
}

pub struct Fixture {
    pub store: Store,
    pub home: TempDir,
    pub renderer: Arc<TestRenderer>,
}

impl Fixture {
    pub async fn open() -> Fixture {
        let (home, renderer) = (tempfile::tempdir().unwrap(), Arc::<TestRenderer>::default());
        let store = open(home.path(), 1, Arc::clone(&renderer)).await;
        Fixture { store, home, renderer }
    }

    /// The store, closed and opened again by another process.
    pub async fn restarted(self, boot: u64) -> Fixture {
        self.store.close().await;
        let store = open(self.home.path(), boot, Arc::clone(&self.renderer)).await;
        Fixture { store, ..self }
    }

    /// Accepts a batch; returns the outcomes.
    pub async fn accept(&self, at: i64, items: Vec<Admitted>) -> Vec<Stored> {
        self.accept_with_notices(at, items).await.items
    }

    /// Accepts a batch; returns the outcomes and what was announced.
    pub async fn accept_with_notices(&self, at: i64, items: Vec<Admitted>) -> Accepted {
        let events = items.into_iter().map(Decided::Admitted).collect();
        let (items, announced) = self.renderer.announced_during(self.store.accept(batch(at, events))).await;
        Accepted { items: items.unwrap(), announced }
    }

    pub async fn answer_command(
        &self,
        id: MessageId,
        effect: CommandEffect,
        now: DateTime<Utc>,
        reply: Reply,
    ) -> Result<Fenced<CommandDone>, StoreError> {
        let (done, announced) =
            self.renderer.announced_during(self.store.answer_command(id, effect, now, reply)).await;
        Ok(match done? {
            Fenced::Done(facts) => Fenced::Done(CommandDone { facts, announced }),
            Fenced::Stale => Fenced::Stale,
        })
    }

    /// Accepts one message and returns its id.
    pub async fn accept_one(&self, at: i64, item: Admitted) -> MessageId {
        match self.accept(at, vec![item]).await.remove(0) {
            Stored::Accepted { message, .. } | Stored::Refused { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    pub async fn claim(&self, who: &str) -> Option<ClaimedTurn> {
        self.store.claim_turn(&key(who), ONE, t(100)).await.unwrap()
    }

    /// Accepts a message and claims its turn.
    pub async fn turn(&self, who: &str, text: &str) -> ClaimedTurn {
        self.accept_one(10, says(who, &format!("{who}-{text}"), text)).await;
        self.claim(who).await.expect("a turn")
    }

    pub async fn finish(&self, finish: Finish) -> Vec<OutboxRow> {
        let (ended, announced) = self.renderer.announced_during(self.store.finish(finish)).await;
        done(ended.unwrap());
        announced
    }

    pub async fn state(&self, id: MessageId) -> (String, Option<String>) {
        let row = self.store.message(id).await.unwrap().expect("a row").message;
        (row.state.to_string(), row.reason.map(|reason| reason.to_string()))
    }

    pub async fn claim_part(&self, to: &str) -> Option<OutboxRow> {
        match self.store.claim_part(&address(to), t(1000)).await.unwrap() {
            NextPart::Send { part, .. } => Some(*part),
            _ => None,
        }
    }

    /// Stores the result of a send; returns whether its address has an open part left.
    pub async fn part_ended(&self, row: &OutboxRow, result: SendResult) -> bool {
        done(self.store.part_ended(row.claim(), result, t(300)).await.unwrap())
    }

    pub async fn texts(&self, state: OutboxState) -> Vec<String> {
        let mut rows = self.store.parts(Some(state), None, 100).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.post.part.body).collect()
    }
}

impl Fixture {
    /// Accepts the message of an unknown sender.
    pub async fn ask(&self, at: i64, message: Admitted) -> Accepted {
        self.accept_with_notices(at, vec![message]).await
    }

    pub async fn change(&self, at: i64, change: AccessChange) -> AccessDone {
        self.store.change_access(change, admin(), t(at)).await.unwrap()
    }

    pub async fn approve(&self, at: i64, code: &Code) -> AccessDone {
        self.change(at, AccessChange::Approve { code: code.clone(), account: None }).await
    }

    /// The grants that hold, as texts.
    pub async fn grants(&self) -> Vec<String> {
        let state = self.store.access_state().await.unwrap();
        state.grants.iter().map(|grant| format!("{} {}", grant.principal, grant.scope.name())).collect()
    }

    /// The audit as lines, the oldest first.
    pub async fn audit(&self) -> Vec<String> {
        let rows = self.store.audits(None, 1000).await.unwrap();
        rows.iter().rev().map(|row| format!("{} {}: {}", row.action, row.subject, row.outcome)).collect()
    }
}

/// The admin of these tests.
pub fn admin() -> Author {
    Author { name: "telegram:1".into(), via: "chat" }
}

pub fn person(id: &str) -> Principal {
    Principal::new("telegram", None, id).unwrap()
}

/// The revocation of everything of a person whose private chat is known.
pub fn revoke_with_chat(who: &str) -> AccessChange {
    AccessChange::Revoke {
        principal: person(who),
        scope: None,
        also: Vec::new(),
        private: Some(address(who)),
    }
}

/// The salt of the code that a person gets for an event.
pub fn salt(who: &str, event: &str) -> Salt {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&digest(who).to_le_bytes());
    salt[8..].copy_from_slice(&digest(event).to_le_bytes());
    Salt(salt)
}

/// The code that a person gets for an event.
pub fn code(who: &str, event: &str) -> Code {
    Code::derive(&[7; 32], salt(who, event))
}

/// A message of an unknown sender, who gets a code for it.
pub fn asks(who: &str, event: &str) -> Admitted {
    let salt = salt(who, event);
    let hash = code(who, event).hash(salt);
    let request = PairingRequest { salt, hash, most: 100, open: true, tell: vec![] };
    let message =
        Admitted { disposition: Disposition::Pairing(Box::new(request)), ..says(who, event, "let me in") };
    with_event(message, |event| {
        event.from.id = person(who);
        event.from.name = Some(format!("Shown as {who}"));
    })
}

/// A message in a group, by one person.
pub fn in_group(chat: &str, who: &str, event: &str, text: &str) -> Admitted {
    let session = format!("agent:main:telegram:group:{chat}").parse().unwrap();
    let message = Admitted { session, ..says(who, event, text) };
    with_event(message, |event| {
        event.from.id = person(who);
        event.address = address(chat);
    })
}

pub fn done<T>(fenced: Fenced<T>) -> T {
    match fenced {
        Fenced::Done(value) => value,
        Fenced::Stale => panic!("it came too late"),
    }
}

pub fn t(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub fn key(who: &str) -> SessionKey {
    let (channel, id) = who.split_once(':').unwrap_or(("telegram", who));
    format!("agent:main:{channel}:dm:{id}").parse().unwrap()
}

pub fn address(who: &str) -> Address {
    let (channel, id) = who.split_once(':').unwrap_or(("telegram", who));
    Address::new(channel, None, id, None).unwrap()
}

pub fn source() -> Source {
    Source { id: "telegram:1".into(), account: AccountId::default_of("telegram") }
}

pub fn batch(at: i64, events: Vec<Decided>) -> Batch {
    Batch { source: source(), received: t(at).into(), events, cursor: Some(Cursor(format!("at {at}"))) }
}

pub fn policy(mode: ResetMode) -> ResetPolicy {
    ResetPolicy::new(mode, 60, 4, chrono_tz::UTC, true).unwrap()
}

/// One message a turn.
pub const ONE: Take = Take::InMode(QueueMode::Followup);

/// A message in a private chat, always by the same person.
pub fn says(who: &str, event: &str, text: &str) -> Admitted {
    let from = Sender { name: Some("Anna".into()), ..Sender::new(person("7"), SenderKind::Person) };
    let conversation = Conversation::Dm { chat: address(who).chat().to_owned(), thread: None };
    let event = Event {
        addressed: true,
        first_line: FirstLine::Plain,
        text: text.into(),
        platform_message: Some(format!("p-{event}")),
        ..Event::new(event, EventKind::Message, from, address(who), conversation)
    };
    Admitted {
        event,
        session: key(who),
        place: None,
        disposition: Disposition::Turn,
        text: None,
        epoch: EpochChange::ByRule,
        policy: policy(ResetMode::None),
        quota: None,
        budgets: Vec::new(),
        queue_mode: QueueMode::Followup,
        edits: EditRule { later: LaterEdits::Answered, max_age: None },
        per_session: 4,
        tell: true,
        answers: None,
    }
}

/// `/new TEXT`: the agent reads only the text.
pub fn says_new(who: &str, event: &str, text: &str) -> Admitted {
    let message = says(who, event, &format!("/new {text}"));
    Admitted { epoch: EpochChange::New, text: Some(text.into()), ..message }
}

pub fn commands(who: &str, event: &str, epoch: EpochChange) -> Admitted {
    Admitted {
        disposition: Disposition::Command,
        epoch,
        per_session: u32::MAX,
        ..says(who, event, "/command")
    }
}

pub fn answered(turn: &ClaimedTurn, text: &str) -> Finish {
    Finish { answer: Some(text.into()), parts: parts(text), ..bare(turn, Ending::Answered) }
}

pub fn bare(turn: &ClaimedTurn, ending: Ending) -> Finish {
    Finish::bare(turn.claim, ending, t(150))
}

/// A pause that began before everything and ends at `until`.
pub fn pause(until: i64) -> Pause {
    Pause { since: t(0), until: t(until) }
}

pub fn sent(id: &str) -> SendResult {
    SendResult::Sent { platform_message: Some(id.into()) }
}

pub fn recovery() -> Recovery {
    Recovery { now: t(500), max_deaths: 2, resend: true }
}

pub fn ids(turn: &ClaimedTurn) -> Vec<MessageId> {
    turn.messages.iter().map(|row| row.id).collect()
}

/// A claim on a turn that is not there.
pub fn nobody() -> Claim<TurnId> {
    Claim { id: TurnId(4711), fence: 1 }
}

/// A claim that is not the current one.
pub fn stale(turn: &ClaimedTurn) -> Claim<TurnId> {
    Claim { fence: turn.claim.fence + 1, ..turn.claim }
}
