//! A store in a folder of its own, and the shortest way to say what happens to it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::act::Ending;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::{BootId, MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{
    Attachment, Conversation, Cursor, Event, EventKind, FirstLine, Forward, InputKind, Link, Quote, Sender,
    SenderKind, Source,
};
use frontdesk_core::pairing::{Code, Salt};
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::reset::{ResetMode, ResetPolicy};
use frontdesk_core::time::Pause;
use frontdesk_store::row::*;
use frontdesk_store::{Options, Reply, Store, StoreError};
use tempfile::TempDir;

/// The one place that names a database.
pub async fn open(home: &Path, boot: u64, voice: Arc<Voice>) -> Store {
    Store::open(options(&home.join("frontdesk.db"), boot, voice)).await.unwrap()
}

/// A renderer and a listener in one.
pub fn options(path: &Path, boot: u64, voice: Arc<Voice>) -> Options {
    let (path, boot, renderer) = (path.to_owned(), BootId::from_bits(boot), Arc::clone(&voice));
    Options { path, boot, renderer, listener: voice, readers: 2 }
}

/// The longest text of one part.
pub const LONGEST: usize = 1000;

/// Parts are what `|` separates; the web channel's are sent at commit; a text or a chat can make the renderer panic.
#[derive(Default)]
pub struct Voice {
    pub shown: Mutex<Vec<OutboxRow>>,
}

impl Renderer for Voice {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        if to.channel() == "web" { ReceiptRule::Commit } else { ReceiptRule::Platform }
    }
    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        assert!(!text.contains("PANIC") && to.chat() != "PANIC", "the renderer is broken");
        parts(text)
    }
    fn fits(&self, to: &Address, text: &str) -> bool {
        assert!(to.chat() != "PANIC", "the renderer is broken");
        text.len() <= LONGEST
    }
    fn idempotent(&self, to: &Address) -> Option<std::time::Duration> {
        (to.channel() == "matrix").then_some(std::time::Duration::from_secs(86_400))
    }
}

/// A message as a test describes it.
#[derive(Debug, Clone)]
pub struct Message {
    pub event_id: String,
    pub session: SessionKey,
    pub principal: Principal,
    pub address: Address,
    pub sender: Option<String>,
    pub platform_message: Option<String>,
    /// What the agent is to read.
    pub text: String,
    /// The text as it came, if the gate changed it.
    pub came: Option<String>,
    pub input_kind: InputKind,
    pub sender_kind: SenderKind,
    pub roles: Vec<String>,
    pub quote: Option<Quote>,
    pub forward: Option<Forward>,
    pub links: Vec<Link>,
    pub album: Option<String>,
    pub attachments: Vec<Attachment>,
    pub quota: Option<Quota>,
    pub disposition: Disposition,
    pub epoch: EpochChange,
    pub policy: ResetPolicy,
    pub per_session: u32,
    pub tell: bool,
}

impl From<Message> for Decided {
    fn from(message: Message) -> Decided {
        let Message { text, came, .. } = message;
        let event = Event {
            id: message.event_id,
            kind: match message.input_kind {
                InputKind::Message => EventKind::Message,
                InputKind::Edit => EventKind::Edit,
                InputKind::Button => EventKind::Button { target: None },
                InputKind::Reaction => {
                    EventKind::Reaction { target: "1".into(), added: vec![], removed: vec![] }
                }
            },
            from: Sender {
                id: message.principal,
                kind: message.sender_kind,
                name: message.sender,
                roles: message.roles,
            },
            conversation: Conversation::Dm { chat: message.address.chat().to_owned(), thread: None },
            address: message.address,
            addressed: true,
            forward: message.forward,
            first_line: FirstLine::Plain,
            text: came.clone().unwrap_or_else(|| text.clone()),
            links: message.links,
            platform_message: message.platform_message,
            quote: message.quote,
            album: message.album,
            attachments: message.attachments,
            sent_at: None,
        };
        Decided::Admitted(Admitted {
            event,
            session: message.session,
            disposition: message.disposition,
            text: came.is_some().then_some(text),
            epoch: message.epoch,
            policy: message.policy,
            quota: message.quota,
            per_session: message.per_session,
            tell: message.tell,
        })
    }
}

/// An event of which only its reason is counted.
pub fn dropped(message: Message, reason: DropReason) -> Decided {
    Decided::Dropped { event: Decided::from(message).event().clone(), reason, session: None }
}

/// A message of an unknown sender as a test describes it.
#[derive(Debug, Clone)]
pub struct Request {
    pub event_id: String,
    pub session: SessionKey,
    pub principal: Principal,
    pub address: Address,
    pub sender: Option<String>,
    pub platform_message: Option<String>,
    pub salt: Salt,
    pub hash: [u8; 32],
    pub most: u32,
    pub open: bool,
    pub tell: Vec<Address>,
}

impl From<Request> for Decided {
    fn from(request: Request) -> Decided {
        let Request { salt, hash, most, open, tell, .. } = request;
        let request = Message {
            event_id: request.event_id,
            session: request.session,
            principal: request.principal,
            address: request.address,
            sender: request.sender,
            platform_message: request.platform_message,
            disposition: Disposition::Pairing(Box::new(PairingRequest { salt, hash, most, open, tell })),
            ..says("nobody", "", "let me in")
        };
        request.into()
    }
}

impl CommitListener for Voice {
    fn committed(&self, rows: Vec<OutboxRow>) {
        self.shown.lock().unwrap().extend(rows);
    }
}

impl Voice {
    /// What an operation returned, and the rows that the listener was told of meanwhile.
    pub async fn during<T>(&self, operation: impl Future<Output = T>) -> (T, Vec<OutboxRow>) {
        let before = self.shown.lock().unwrap().len();
        let result = operation.await;
        (result, self.shown.lock().unwrap()[before..].to_vec())
    }
}

/// What became of a batch, and the notices that it led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub items: Vec<Stored>,
    pub said: Vec<OutboxRow>,
}

/// What a command did, and its reply.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandDone {
    pub facts: CommandFacts,
    pub said: Vec<OutboxRow>,
}

pub struct Fixture {
    pub store: Store,
    pub home: TempDir,
    pub voice: Arc<Voice>,
}

impl Fixture {
    pub async fn open() -> Fixture {
        let (home, voice) = (tempfile::tempdir().unwrap(), Arc::<Voice>::default());
        let store = open(home.path(), 1, Arc::clone(&voice)).await;
        Fixture { store, home, voice }
    }

    /// Another life of the process, on the same files.
    pub async fn reborn(self, boot: u64) -> Fixture {
        self.store.close().await;
        let store = open(self.home.path(), boot, Arc::clone(&self.voice)).await;
        Fixture { store, ..self }
    }

    pub async fn take(&self, at: i64, items: Vec<Message>) -> Vec<Stored> {
        self.accept(at, items).await.items
    }

    pub async fn accept(&self, at: i64, items: Vec<Message>) -> Accepted {
        self.accept_all(at, items.into_iter().map(Decided::from).collect()).await
    }

    async fn accept_all(&self, at: i64, events: Vec<Decided>) -> Accepted {
        let (items, said) = self.voice.during(self.store.accept(batch(at, events))).await;
        Accepted { items: items.unwrap(), said }
    }

    pub async fn answer_command(
        &self,
        id: MessageId,
        effect: CommandEffect,
        now: DateTime<Utc>,
        reply: Reply,
    ) -> Result<Fenced<CommandDone>, StoreError> {
        let (done, said) = self.voice.during(self.store.answer_command(id, effect, now, reply)).await;
        Ok(match done? {
            Fenced::Done(facts) => Fenced::Done(CommandDone { facts, said }),
            Fenced::Stale => Fenced::Stale,
        })
    }

    /// Accepts one message and returns its id.
    pub async fn heard(&self, at: i64, item: Message) -> MessageId {
        match self.take(at, vec![item]).await.remove(0) {
            Stored::Accepted { message, .. } | Stored::Refused { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    pub async fn claim(&self, who: &str) -> Option<ClaimedTurn> {
        self.store.claim_turn(&key(who), Take::One, t(100)).await.unwrap()
    }

    /// Accepts, claims.
    pub async fn turn(&self, who: &str, text: &str) -> ClaimedTurn {
        self.heard(10, says(who, &format!("{who}-{text}"), text)).await;
        self.claim(who).await.expect("a turn")
    }

    pub async fn ends(&self, finish: Finish) -> Vec<OutboxRow> {
        let (ended, said) = self.voice.during(self.store.finish(finish)).await;
        done(ended.unwrap());
        said
    }

    pub async fn state(&self, id: MessageId) -> (String, Option<String>) {
        let row = self.store.message(id).await.unwrap().expect("a row").message;
        (row.state.to_string(), row.reason.map(|reason| reason.to_string()))
    }

    pub async fn part(&self, to: &str) -> Option<OutboxRow> {
        match self.store.claim_part(&address(to), t(1000)).await.unwrap() {
            NextPart::Send(row) => Some(*row),
            _ => None,
        }
    }

    /// How a send ended; whether its address has an open part left.
    pub async fn ended(&self, row: &OutboxRow, result: SendResult) -> bool {
        done(self.store.part_ended(row.claim(), result, t(300)).await.unwrap())
    }

    pub async fn texts(&self, state: OutboxState) -> Vec<String> {
        let mut rows = self.store.parts(Some(state), None, 100).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.post.part.body).collect()
    }
}

impl Fixture {
    /// Accepts one stranger's message.
    pub async fn asked(&self, at: i64, ask: Request) -> Accepted {
        self.accept_all(at, vec![ask.into()]).await
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

/// Whoever administers in these tests.
pub fn admin() -> Author {
    Author { name: "telegram:1".into(), via: "chat" }
}

pub fn person(id: &str) -> Principal {
    Principal::new("telegram", None, id).unwrap()
}

/// What the code of the n-th event of a person follows from.
pub fn salt(who: &str, event: &str) -> Salt {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&digest(who).to_le_bytes());
    salt[8..].copy_from_slice(&digest(event).to_le_bytes());
    Salt(salt)
}

/// The code that was made for it.
pub fn code(who: &str, event: &str) -> Code {
    Code::derive(&[7; 32], salt(who, event))
}

/// A stranger's message.
pub fn asks(who: &str, event: &str) -> Request {
    let salt = salt(who, event);
    Request {
        event_id: event.into(),
        session: key(who),
        principal: person(who),
        address: address(who),
        sender: Some(format!("Shown as {who}")),
        platform_message: Some(format!("p-{event}")),
        salt,
        hash: code(who, event).hash(salt),
        most: 100,
        open: true,
        tell: vec![],
    }
}

/// A message in a group, by one person.
pub fn in_group(chat: &str, who: &str, event: &str, text: &str) -> Message {
    Message {
        session: format!("agent:main:telegram:group:{chat}").parse().unwrap(),
        principal: person(who),
        address: address(chat),
        ..says(who, event, text)
    }
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

pub fn parts(text: &str) -> Vec<Part> {
    let part =
        |(n, body): (usize, &str)| Part { key: n as u32, body: body.into(), plain: body.replace('*', "") };
    text.split('|').filter(|body| !body.is_empty()).enumerate().map(part).collect()
}

pub fn policy(mode: ResetMode) -> ResetPolicy {
    ResetPolicy::new(mode, 60, 4, chrono_tz::UTC, true).unwrap()
}

pub fn says(who: &str, event: &str, text: &str) -> Message {
    Message {
        event_id: event.into(),
        session: key(who),
        principal: Principal::new("telegram", None, "7").unwrap(),
        address: address(who),
        sender: Some("Anna".into()),
        platform_message: Some(format!("p-{event}")),
        text: text.into(),
        came: None,
        input_kind: InputKind::Message,
        sender_kind: SenderKind::Person,
        roles: vec![],
        quote: None,
        forward: None,
        links: vec![],
        album: None,
        attachments: vec![],
        quota: None,
        disposition: Disposition::Turn,
        epoch: EpochChange::ByRule,
        policy: policy(ResetMode::None),
        per_session: 4,
        tell: true,
    }
}

/// `/new TEXT`: the rest is said, the whole is what came.
pub fn anew(who: &str, event: &str, text: &str) -> Message {
    Message { epoch: EpochChange::New, came: Some(format!("/new {text}")), ..says(who, event, text) }
}

pub fn commands(who: &str, event: &str, epoch: EpochChange) -> Message {
    Message { disposition: Disposition::Command, epoch, ..says(who, event, "/command") }
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
