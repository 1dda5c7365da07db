//! A chat of lines over TCP: a small platform that shows how an adapter is written (docs/adapters.md).
//!
//! ```text
//! > LOGIN anna s3cret
//! < HELLO anna
//! > SAY bot 1 hello
//! < OK 1                                the message is on disk
//! < MSG bot 5f2b8c0d11aa90e3 1 hello    an answer to 1, with an id of its own
//! > ACK 5f2b8c0d11aa90e3
//! ```

mod clients;
mod inbound;
mod line;
pub mod markup;
mod outbound;
mod section;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::config::Secret;
use frontdesk_core::delivery::{Bucket, Delivery, Receipt, SendError, Signal};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Adapter, AdapterError, Bytes, Clock, FetchError, Inbox, Stop, Webhook};
use frontdesk_core::profile::{Flow, Limit, MessageChanges, Pacing, Profile, ReceiptRule, Unit};
use frontdesk_kit::timer::Timer;
use tokio::net::TcpListener;
use tokio::sync::mpsc::channel;
use tokio::task::JoinSet;

use clients::Clients;
pub use section::TcpSection;
use server::Server;

/// The channel's name in keys and addresses.
pub const CHANNEL: &str = "tcp";

/// Maximum number of connections.
const CONNECTIONS: usize = 256;
/// How often a message is tried again while nobody who could get it is logged in.
const AWAY: Duration = Duration::from_secs(1);

/// The chat's capabilities and limits.
pub fn profile() -> Profile {
    Profile {
        channel: CHANNEL.to_owned(),
        limit: Limit { max: 8_000, unit: Unit::Bytes },
        caption: 0,
        dialect: &markup::DIALECT,
        flow: Flow::Edits { every: Duration::from_millis(300) },
        // A message counts as sent when a client has acknowledged its id.
        receipt: ReceiptRule::Platform,
        typing: Some(Duration::from_secs(5)),
        threads: false,
        media: None,
        albums: None,
        // The id of a private chat is the person's.
        person_chat: Some(String::new()),
        operator_chat: None,
        ends: false,
        buttons: true,
        changes: MessageChanges { edit: true, delete: true, react: false, pin: false },
        waiting_marks: false,
        private_posts: true,
        command_mark: '/',
        native: None,
        // A message has the same id in every attempt, and clients show an id once.
        idempotent: Some(Duration::MAX),
        pacing: Pacing::default(),
        // Nobody need be logged in for the chat to work.
        max_silence: None,
    }
}

/// The settings of one account.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account.
    pub id: AccountId,
    /// Where it listens: `127.0.0.1:7070`.
    pub listen: String,
    /// People by their names, each with the secret of their `LOGIN`.
    pub logins: BTreeMap<String, Secret>,
    /// How long a client may take to acknowledge a message.
    pub patience: Duration,
}

/// The adapter of one account.
pub struct TcpChat {
    profile: Profile,
    settings: Arc<Settings>,
    clients: Arc<Clients>,
    timer: Timer,
}

impl TcpChat {
    /// Creates the adapter without listening.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            profile: profile(),
            settings: Arc::new(settings),
            clients: Arc::default(),
            timer: Timer::new(clock),
        }
    }

    /// Whether there is such a chat.
    fn knows(&self, chat: &str) -> bool {
        line::is_group(chat) || self.settings.logins.contains_key(chat)
    }

    async fn listen(&self, inbox: Arc<dyn Inbox>) -> AdapterError {
        let listener = match TcpListener::bind(&self.settings.listen).await {
            Ok(listener) => listener,
            Err(error) => return AdapterError::Lost(format!("{}: {error}", self.settings.listen)),
        };
        let server = Server {
            settings: self.settings.clone(),
            clients: self.clients.clone(),
            inbox,
            timer: self.timer.clone(),
        };
        self.clients.open();
        // Dropping the set ends the connections.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) if connections.len() < CONNECTIONS => {
                        connections.spawn(server.clone().serve(socket));
                    }
                    Ok(_) => {}
                    Err(error) => return AdapterError::Lost(error.to_string()),
                },
                Some(ended) = connections.join_next() => {
                    if let Err(panic) = ended {
                        tracing::error!(%panic, "a connection has failed");
                    }
                }
            }
        }
    }
}

#[async_trait]
impl Adapter for TcpChat {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn account(&self) -> &AccountId {
        &self.settings.id
    }

    /// Message ids are hashes of the outbox keys and do not belong to a bot.
    fn login(&self) -> Option<String> {
        None
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError> {
        let ended = tokio::select! {
            error = self.listen(inbox) => Err(error),
            () = stop.cancelled() => Ok(()),
        };
        self.clients.close();
        ended
    }

    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError> {
        let chat = to.chat();
        if !self.knows(chat) {
            return Err(SendError::Gone(format!("nobody is called {chat}").into()));
        }
        let outgoing = outbound::delivery(chat, delivery)?;
        // Nothing has been sent, and nothing can be until the chat listens again.
        let mut clients =
            self.clients.of(chat).ok_or(SendError::Offline("the client is not connected".into()))?;
        clients.retain(|client| outgoing.only.as_ref().is_none_or(|only| client.name == *only));
        if clients.is_empty() {
            let detail = "nobody who could read it is logged in".into();
            return Err(SendError::Later { after: Some(AWAY), scope: Bucket::Chat, detail });
        }
        let (acknowledged, mut first) = channel(1);
        let mut expected = Vec::with_capacity(clients.len());
        for client in &clients {
            expected.push(client.expect(&outgoing.id, acknowledged.clone()));
            outgoing.lines.iter().for_each(|line| client.send(line.clone()));
        }
        // Each client drops its copy when its connection ends: then there is nobody left to wait for.
        drop(acknowledged);
        let shown = tokio::select! {
            shown = first.recv() => shown.is_some(),
            () = self.timer.pause(self.settings.patience) => false,
        };
        if shown {
            return Ok(Receipt::of(outgoing.id));
        }
        clients.iter().for_each(|client| client.stop.cancel());
        Err(SendError::Unknown("no client has acknowledged it".into()))
    }

    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError> {
        let clients = self.clients.of(to.chat()).unwrap_or_default();
        if let Some(line) = outbound::signal(to.chat(), signal) {
            clients.iter().for_each(|client| client.send(line.clone()));
        }
        Ok(())
    }

    async fn fetch(&self, _: &Attachment) -> Result<Bytes, FetchError> {
        Err(FetchError::Refused("this chat has no files".to_owned()))
    }

    async fn group(&self, _: &str) -> Result<Group, LookupError> {
        Err(LookupError::NoSuchGroup)
    }

    async fn groups(&self, _: Option<&str>) -> Result<GroupPage, LookupError> {
        Ok(GroupPage::default())
    }

    fn webhook(&self) -> Option<Arc<dyn Webhook>> {
        None
    }
}
