//! The web channel: WebSocket clients that resume, and HTTP clients that repeat requests with the same key.

mod http;
mod socket;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use tokio::task::JoinSet;

use super::{Channel, KillPoint};
use crate::harness::Harness;
use crate::journal::{Command, Event, Expected, Place};
use crate::observed::Observed;
use crate::random::Random;
use crate::script::Script;
use crate::{clock, config, database};

/// `inbound.source` and `inbound.principal` of everyone with the main token.
const MAIN_TOKEN: &str = "web:main";

pub struct Web {
    harness: Arc<Harness>,
    sockets: Vec<Arc<Place>>,
    /// More chats of WebSocket clients, of which each has many.
    more: Vec<Arc<Place>>,
    requests: Vec<Arc<Place>>,
    /// The chat on another channel that operators send texts to.
    recipient: Arc<Place>,
}

impl Web {
    /// `more` is the number of chats beyond those that each run has.
    pub fn new(harness: Arc<Harness>, recipient: Place, more: usize) -> Self {
        let place = |name: &str, plain, command| {
            Arc::new(Place {
                name: name.to_owned(),
                source: MAIN_TOKEN.to_owned(),
                address: format!("web:{name}"),
                conversation: format!("web:dm:{name}"),
                plain,
                command,
                muted_at_times: false,
            })
        };
        let mut sockets: Vec<_> =
            ["w0", "w1", "w2", "w3"].iter().map(|name| place(name, false, Command::None)).collect();
        sockets.extend(["w4", "w5"].iter().map(|name| place(name, true, Command::None)));
        sockets.push(place("wstop", false, Command::Stop));
        sockets.push(place("wnew", false, Command::New));
        sockets.push(place("wretry", false, Command::Retry));
        let requests = [("h0", false), ("h1", false), ("h2", true)];
        let requests = requests.iter().map(|(name, plain)| place(name, *plain, Command::None)).collect();
        let more = (0..more).map(|n| place(&format!("more{n}"), n % 3 == 0, Command::None)).collect();
        Self { harness, sockets, more, requests, recipient: Arc::new(recipient) }
    }
}

#[async_trait]
impl Channel for Web {
    fn name(&self) -> &'static str {
        "web"
    }

    fn config(&self) -> String {
        let plain = self.sockets.iter().chain(&self.more).chain(&self.requests).filter(|place| place.plain);
        let section = |place: &Arc<Place>| {
            format!("[channels.web.chats.{:?}]\nagent = \"{}\"\n", place.name, config::PLAIN)
        };
        plain.map(section).collect()
    }

    async fn start(&self, clients: &mut JoinSet<()>, random: &Random) {
        for (n, places) in (0..).zip(self.sockets.chunks(3).chain(self.more.chunks(7))) {
            let client = socket::Client::new(self.harness.clone(), places.to_vec(), random.fork(100 + n));
            clients.spawn(client.run());
        }
        for (n, place) in (0..).zip(&self.requests) {
            let random = random.fork(200 + n);
            let (harness, recipient) = (self.harness.clone(), self.recipient.clone());
            clients.spawn(http::Client::new(harness, place.clone(), recipient, random).run());
        }
    }

    /// The kills are what cuts its connections.
    fn set_faults(&self, _: bool, _: bool) {}

    fn kill_points(&self) -> &'static [KillPoint] {
        &[KillPoint::Accept, KillPoint::Streaming]
    }

    fn is_at(&self, point: KillPoint, _: i64) -> bool {
        let journal = self.harness.journal();
        match point {
            KillPoint::Accept => {
                let recent = journal.events.iter().rev().take(200);
                let mut recent = recent.filter(|event| event.place.source == MAIN_TOKEN && !event.waits);
                recent.any(|event| event.accepted.is_none())
            }
            KillPoint::Streaming => journal.streaming() > 0,
            _ => false,
        }
    }

    fn unaccepted(&self) -> usize {
        let journal = self.harness.journal();
        let sends = journal.operator_sends.values().filter(|send| !send.taken);
        sends.count() + journal.unaccepted(MAIN_TOKEN).count()
    }

    /// Sockets must have shown every frame; the chats of requests are read now, from their beginning.
    async fn catch_up(&self, database: &Path) -> Result<()> {
        let sessions = database::read_sessions(database)?;
        let last = |place: &Place| {
            let session = place.session();
            sessions.iter().find(|found| found.key == session).map_or(0, |found| found.seq)
        };
        for place in &self.requests {
            if let Err(error) = socket::read_all(&self.harness, place, last(place)).await {
                self.harness.journal().wrong.push(format!("O2: {error:#}"));
            }
        }
        let deadline = clock::instant() + Duration::from_secs(10);
        for place in self.sockets.iter().chain(&self.more) {
            let shown = || {
                let journal = self.harness.journal();
                let frames = journal.frames.get(&place.session());
                frames.and_then(|frames| frames.keys().next_back().copied()).unwrap_or(0)
            };
            // The oracle names every frame that is missing after this.
            while shown() < last(place) && clock::instant() < deadline {
                clock::sleep_ms(10).await;
            }
        }
        Ok(())
    }

    /// Nothing but what its clients have in the journal.
    async fn observe(&self, _: &mut Observed) -> Result<()> {
        Ok(())
    }
}

/// A new message: mostly a script for the agent, sometimes the place's command.
fn next_text(harness: &Harness, place: &Place, random: &mut Random) -> String {
    let command = match place.command {
        Command::None | Command::Queue => None,
        Command::Stop => Some("/stop"),
        Command::New => Some("/new"),
        Command::Retry => Some("/retry"),
    };
    match command.filter(|_| random.permille(170)) {
        Some(command) => command.to_owned(),
        None => Script::random(harness.tag(place), place.plain, false, harness.kind, random).text(),
    }
}

/// The event of a message with this client-made id.
fn event(place: &Arc<Place>, id: &str, order: u64, text: &str) -> Event {
    let expected = match text {
        "/retry" => Expected::Retry,
        text if text.starts_with('/') => Expected::Command,
        _ => Expected::Turn,
    };
    let event = Event::message(place, format!("{}/{id}", place.name), MAIN_TOKEN.to_owned(), text.to_owned());
    Event { expected, order: order.cast_signed(), ..event }
}
