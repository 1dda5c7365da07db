//! A small test platform on which people write and receive texts, and whose accounts may have a webhook.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delivery::{Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::markup::{Dialect, Marks, Rendering};
use frontdesk_core::message::{
    Attachment, Conversation, Event, EventKind, FirstLine, Outcome, Sender, SenderKind, Source,
};
use frontdesk_core::port::{
    Adapter, AdapterError, Bytes, FetchError, Forgery, Inbox, Stop, Webhook, WebhookOutcome, WebhookProof,
    WebhookReply, WebhookRequest,
};
use frontdesk_core::profile::{Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use tokio::sync::watch;

use crate::client::within;

/// The channel's name.
pub const CHANNEL: &str = "demo";

/// The value of `x-demo-secret` in valid webhook requests.
pub const SECRET: &str = "the-secret-of-the-platform";

static DIALECT: Dialect = Dialect { name: CHANNEL, rendering: Rendering::Formatted(Marks::PLAIN) };

/// One account.
pub struct DemoPlatform {
    profile: Profile,
    account: AccountId,
    inbox: watch::Sender<Option<Arc<dyn Inbox>>>,
    sent: watch::Sender<Vec<(String, String)>>,
    events: Mutex<u64>,
}

impl DemoPlatform {
    pub fn new(account: &str) -> Arc<Self> {
        let profile = Profile {
            channel: CHANNEL.to_owned(),
            limit: Limit { max: 4000, unit: Unit::Characters },
            caption: 1000,
            dialect: &DIALECT,
            flow: Flow::Whole,
            receipt: ReceiptRule::Platform,
            typing: None,
            threads: false,
            media: Some(1_000_000),
            albums: None,
            person_chat: Some(String::new()),
            operator_chat: None,
            ends: false,
            buttons: false,
            changes: MessageChanges::default(),
            waiting_marks: false,
            private_posts: false,
            command_mark: '/',
            native: None,
            idempotent: None,
            pacing: Pacing::default(),
            max_silence: None,
        };
        Arc::new(Self {
            profile,
            account: AccountId::new(CHANNEL, Some(account)).unwrap(),
            inbox: watch::Sender::new(None),
            sent: watch::Sender::new(Vec::new()),
            events: Mutex::new(0),
        })
    }

    /// Delivers a private message to the gateway.
    pub async fn receive(&self, person: &str, name: &str, text: &str) -> Outcome {
        let mut inbox = self.inbox.subscribe();
        let inbox = within(inbox.wait_for(Option::is_some)).await.unwrap().clone().unwrap();
        let id = {
            let mut events = self.events.lock().unwrap();
            *events += 1;
            events.to_string()
        };
        let from = Sender {
            name: Some(name.to_owned()),
            ..Sender::new(Principal::at(&self.account, person).unwrap(), SenderKind::Person)
        };
        let address = Address::at(&self.account, person, None).unwrap();
        let conversation = Conversation::Dm { chat: person.to_owned(), thread: None };
        let event = Event {
            addressed: true,
            first_line: FirstLine::Plain,
            text: text.to_owned(),
            ..Event::new(id, EventKind::Message, from, address, conversation)
        };
        let source =
            Source { id: format!("{CHANNEL}:{}", self.account.name()), account: self.account.clone() };
        within(inbox.push(&source, vec![event], None)).await.unwrap().remove(0)
    }

    /// Waits for a text to this person that contains `part`.
    pub async fn wait_for_text(&self, person: &str, part: &str) -> String {
        let is_it = |(to, text): &&(String, String)| to == person && text.contains(part);
        let mut sent = self.sent.subscribe();
        let all = within(sent.wait_for(|all| all.iter().any(|one| is_it(&one)))).await.unwrap();
        all.iter().find(is_it).unwrap().1.clone()
    }

    /// Delivers the first message of an unknown sender and returns the pairing code that they get.
    pub async fn unknown_sender(&self, person: &str, name: &str) -> String {
        self.receive(person, name, "hello").await;
        let mut sent = self.sent.subscribe();
        let code = |all: &Vec<(String, String)>| {
            all.iter().filter(|(to, _)| to == person).find_map(|(_, text)| code_in(text))
        };
        let all = within(sent.wait_for(|all| code(all).is_some())).await.unwrap();
        code(&all).unwrap()
    }
}

fn code_in(text: &str) -> Option<String> {
    let is_code = |word: &&str| word.len() == 8 && frontdesk_core::pairing::Code::read(word).is_some();
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code).map(str::to_owned)
}

#[async_trait]
impl Adapter for DemoPlatform {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.account
    }

    fn login(&self) -> Option<String> {
        None
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        self.inbox.send_replace(Some(inbox));
        stop.cancelled().await;
        self.inbox.send_replace(None);
        Ok(())
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let text = match delivery {
            Delivery::Post(post) => post.part.body,
            Delivery::Media { file, post } => format!("[{} {}] {}", file.name, file.size, post.part.body),
            Delivery::Edit { .. }
            | Delivery::Delete { .. }
            | Delivery::React { .. }
            | Delivery::Pin { .. }
            | Delivery::Album(_) => {
                return Ok(Receipt::default());
            }
        };
        self.sent.send_modify(|all| all.push((to.chat().to_owned(), text)));
        Ok(Receipt::of(self.sent.borrow().len().to_string()))
    }

    async fn signal(&self, _: &Address, _: Signal) -> Result<(), SendError> {
        Ok(())
    }

    async fn fetch(&self, _file: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("the test platform has no files".to_owned()))
    }

    async fn group(&self, id: &str) -> Result<Group, LookupError> {
        match id {
            "garden" => Ok(Group {
                id: id.into(),
                name: "Garden".into(),
                kind: "group",
                members: Some(3),
                ..Group::default()
            }),
            "busy" => Err(LookupError::Later("too many requests".to_owned())),
            "secret" => Err(LookupError::Refused("missing_scope".to_owned())),
            "panic" => panic!("the adapter has a fault"),
            _ => Err(LookupError::NoSuchGroup),
        }
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Err(LookupError::Unsupported)
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}

/// A webhook whose outcome is named by the body, and which records its requests.
#[derive(Default)]
pub struct DemoWebhook {
    /// Whether only the body shows that a request is genuine.
    pub is_signed: bool,
    pub taken: Mutex<Vec<WebhookRequest>>,
}

#[async_trait]
impl Webhook for DemoWebhook {
    fn proof(&self) -> WebhookProof {
        if self.is_signed { WebhookProof::Body } else { WebhookProof::Head }
    }

    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool {
        header("x-demo-secret").is_some_and(|secret| self.is_signed || secret == SECRET)
    }

    fn verify(&self, request: &WebhookRequest) -> Result<(), Forgery> {
        match request.body.as_slice() {
            b"stale" => Err(Forgery::Stale),
            b"forged" => Err(Forgery::Forged),
            _ if request.header("x-demo-secret") == Some(SECRET) => Ok(()),
            _ => Err(Forgery::Forged),
        }
    }

    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.taken.lock().unwrap().push(request);
        match body.as_str() {
            "garbage" => WebhookOutcome::Garbage,
            "busy" => WebhookOutcome::Busy,
            "panic" => panic!("the adapter panicked"),
            "reply" => {
                WebhookOutcome::Taken(Some(WebhookReply { mime: "text/plain", body: b"pong".to_vec() }))
            }
            "slow" => {
                #[expect(clippy::disallowed_methods, reason = "a slow adapter")]
                tokio::time::sleep(Duration::from_millis(50)).await;
                WebhookOutcome::Taken(None)
            }
            _ => WebhookOutcome::Taken(None),
        }
    }
}
