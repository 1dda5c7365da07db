//! One connection to the gateway: it identifies or resumes, keeps the heartbeat, and hands in what arrives.
//!
//! Reading never waits for the database: events that arrive during a commit form the next batch. If nothing can be
//! stored, reading stops and the heartbeat goes on, so that Discord keeps what follows for this session.

mod batch;
mod budget;
mod ending;
mod heartbeat;
mod host;
mod lookup;
mod session;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Event, Outcome, Source};
use frontdesk_core::port::{AdapterError, Busy, Mono, Stop};
use frontdesk_kit::json::Fields;
use serde::Deserialize;
use serde_json::json;
use serenity::model::gateway::GatewayIntents;
use tokio::task::JoinSet;

use crate::CHANNEL;
use crate::context::Context;
use crate::inbound::{self, Dispatch, ParsedDispatch, Places};
use crate::progress::{Progress, Session};
use crate::socket::{Frame, Socket};
use batch::{Batch, Waiting};
use heartbeat::Heartbeat;
use lookup::{Found, Lookups};

/// What the bot hears of. Message content must be granted in the developer portal.
pub(crate) const INTENTS: GatewayIntents = GatewayIntents::GUILDS
    .union(GatewayIntents::GUILD_MESSAGES)
    .union(GatewayIntents::GUILD_MESSAGE_REACTIONS)
    .union(GatewayIntents::DIRECT_MESSAGES)
    .union(GatewayIntents::DIRECT_MESSAGE_REACTIONS)
    .union(GatewayIntents::MESSAGE_CONTENT);

/// Seconds before another IDENTIFY, after the gateway has refused a session.
const REFUSED_SECONDS: u64 = 3;

/// Something that runs beside the socket.
enum Done {
    /// A batch was pushed, or could not be stored.
    Pushed(Arc<Batch>, Result<Vec<Outcome>, Busy>),
    /// The messages of a gap were read over REST, or could not be. Those that are not older than what this connection has
    /// delivered are left.
    Read(Result<Vec<Event>, AdapterError>),
    /// What a channel is, and the roles that are mentioned there.
    LookedUp(Result<Found, AdapterError>),
    /// An interaction was answered, or the commands were registered.
    Aside,
}

/// One connection.
struct Connection<'a> {
    context: &'a Context,
    source: Source,
    socket: &'a mut Socket,
    heartbeat: Heartbeat,
    /// When the connection ends unless Discord has confirmed its session, or has sent something of it; `None` once it has
    /// confirmed it.
    confirm_by: Option<Mono>,
    /// The position that is stored, or will be by the batch under way.
    progress: Progress,
    /// The session of this connection, once there is one.
    session: Option<Session>,
    places: Places,
    /// Dispatches in channels that are being looked up.
    lookups: Lookups,
    waiting: Waiting,
    work: JoinSet<Done>,
    /// How many frames could not be read.
    unreadable: u64,
    /// The batch that is under way.
    pushing: Option<Arc<Batch>>,
    /// Whether missed messages are being read.
    reading: bool,
    /// The lowest id of what this connection has delivered: the history of a channel is stored up to it, then what was
    /// delivered, and then the rest.
    first: Arc<AtomicU64>,
}

/// Receives until the connection ends.
pub(crate) async fn receive(context: &Context, stop: &Stop) -> Result<(), AdapterError> {
    let source = context.bot.source();
    let cursor = context.inbox.cursor(&source).await;
    let cursor = cursor.map_err(|busy| AdapterError::Lost(busy.to_string()))?;
    let mut progress = Progress::of(cursor.as_ref());
    if progress.begin(context.timer.wall()) {
        // Stored before the first session begins: a message that the gateway delivers and this process does not store, because
        // it is killed, is found by the next one.
        let stored = context.inbox.push(&source, Vec::new(), Some(progress.cursor())).await;
        stored.map_err(|busy| AdapterError::Lost(busy.to_string()))?;
    }
    let address = host::address(context, &mut progress).await?;
    context.failed.add();
    let within = Duration::from_secs(context.account.settings.connect_seconds);
    let mut socket = Socket::dial(&context.rest, &context.timer, &address, within).await?;
    let mut connection = Connection {
        source,
        heartbeat: Heartbeat::new(context.timer.clone()),
        confirm_by: Some(Mono(Duration::MAX)),
        socket: &mut socket,
        session: progress.session.clone(),
        progress,
        places: Places::of(&context.bot.id),
        lookups: Lookups::default(),
        waiting: Waiting::default(),
        work: JoinSet::new(),
        unreadable: 0,
        pushing: None,
        reading: false,
        first: Arc::new(AtomicU64::new(u64::MAX)),
        context,
    };
    let ended = tokio::select! {
        ended = connection.serve() => ended,
        () = stop.cancelled() => Ok(()),
    };
    connection.finish().await;
    drop(connection);
    tokio::select! {
        () = socket.close() => {}
        () = context.timer.pause(Duration::from_secs(1)) => {}
    }
    ended
}

impl Connection<'_> {
    async fn serve(&mut self) -> Result<(), AdapterError> {
        self.greet().await?;
        loop {
            self.push();
            let is_full = self.waiting.is_full(self.lookups.held());
            if is_full {
                // Its acknowledgement is among what is not read, and so may be RESUMED.
                self.heartbeat.acknowledged();
                self.expect_session();
                self.read_gap();
            }
            let may_store = self.pushing.is_none() && self.progress.gap.is_none();
            let store_at = self.waiting.store_at().filter(|_| may_store);
            let confirm_by = self.confirm_by;
            let timer = self.context.timer.clone();
            tokio::select! {
                frame = self.socket.next(), if !is_full => match frame {
                    Ok(Some(frame)) => self.take(frame).await?,
                    Ok(None) => self.skipped(),
                    Err(end) => return Err(self.ended(end).await),
                },
                beat = self.heartbeat.due() => {
                    beat?;
                    self.beat().await?;
                }
                Some(done) = self.work.join_next(), if !self.work.is_empty() => {
                    // After a panic the connection begins anew.
                    let done = done.map_err(|error| AdapterError::Lost(error.to_string()))?;
                    self.done(done).await?;
                }
                () = timer.until(store_at.unwrap_or_default()), if store_at.is_some() => self.waiting.store_now(),
                () = timer.until(confirm_by.unwrap_or_default()), if confirm_by.is_some() => {
                    return Err(AdapterError::Lost("Discord has not confirmed the session".to_owned()));
                }
            }
        }
    }

    /// Reads HELLO, and identifies or resumes.
    async fn greet(&mut self) -> Result<(), AdapterError> {
        #[derive(Deserialize)]
        struct Hello {
            heartbeat_interval: u64,
        }
        let within = Duration::from_secs(self.context.account.settings.request_seconds);
        let frame = tokio::select! {
            frame = self.socket.next() => frame,
            () = self.context.timer.pause(within) => Ok(None),
        };
        let frame = match frame {
            Ok(Some(frame)) if frame.op == 10 => frame,
            Ok(_) => {
                return Err(AdapterError::Lost(
                    "Discord accepted the connection and then said nothing".to_owned(),
                ));
            }
            Err(end) => return Err(self.ended(end).await),
        };
        let hello: Option<Hello> = frame.d.and_then(|data| serde_json::from_str(data.get()).ok());
        let interval = hello.map_or(41_250, |hello| hello.heartbeat_interval.max(100));
        self.heartbeat.start(Duration::from_millis(interval));
        let token = self.context.account.token.expose();
        let first = match &self.session {
            Some(session) => {
                json!({"op": 6, "d": {"token": token, "session_id": session.id, "seq": session.seq}})
            }
            None => json!({"op": 2, "d": {
                "token": token, "intents": INTENTS.bits(), "shard": [0, 1],
                "properties": {"os": std::env::consts::OS, "browser": "frontdesk", "device": "frontdesk"},
            }}),
        };
        self.expect_session();
        self.write(&first).await
    }

    /// Gives Discord some more time to confirm the session, if it has not yet.
    fn expect_session(&mut self) {
        if let Some(by) = &mut self.confirm_by {
            *by = self.context.timer.mono()
                + Duration::from_secs(self.context.account.settings.request_seconds);
        }
    }

    async fn write(&mut self, frame: &serde_json::Value) -> Result<(), AdapterError> {
        match self.socket.send(frame).await {
            Ok(()) => Ok(()),
            Err(end) => Err(self.ended(end).await),
        }
    }

    async fn beat(&mut self) -> Result<(), AdapterError> {
        let seq = self.session.as_ref().map(|session| session.seq);
        self.write(&json!({"op": 1, "d": seq})).await
    }

    async fn take(&mut self, frame: Frame) -> Result<(), AdapterError> {
        let data = frame.d.as_deref().map_or("null", |data| data.get());
        match frame.op {
            0 => match (frame.t, frame.s) {
                (Some(name), Some(seq)) => self.dispatched(&name, seq, data),
                _ => {
                    self.skipped();
                    Ok(())
                }
            },
            1 => self.beat().await,
            7 => Err(AdapterError::Lost("Discord asks to connect again".to_owned())),
            9 if data == "true" => Err(AdapterError::Lost("Discord asks to resume the session".to_owned())),
            9 => {
                self.lose_session().await;
                let detail =
                    "Discord has ended the session; missed messages are read from the channels' histories"
                        .to_owned();
                Err(AdapterError::Later { detail, after: Duration::from_secs(REFUSED_SECONDS) })
            }
            11 => {
                self.heartbeat.acknowledged();
                // A gateway that begins no session delivers nothing, and the account is not well.
                if self.confirm_by.is_none() {
                    self.context.inbox.heard(&self.source);
                    self.delete_ended();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A frame cannot be read, and the ones after it can: another connection would only get it again.
    fn skipped(&mut self) {
        self.unreadable += 1;
        if self.unreadable.is_power_of_two() {
            let (account, count) = (&self.source.account, self.unreadable);
            tracing::warn!(channel = CHANNEL, %account, count, "frames of Discord's gateway could not be read and were skipped");
        }
    }

    fn dispatched(&mut self, name: &str, seq: u64, data: &str) -> Result<(), AdapterError> {
        let fields = Fields::of(data, "");
        self.expect_session();
        match name {
            "READY" => self.ready(fields.as_ref(), seq)?,
            "RESUMED" => {
                // All of that comes again.
                self.context.received.take();
                self.begun();
            }
            _ => {}
        }
        if let Some(session) = &mut self.session {
            session.seq = seq;
        }
        self.waiting.moved(&self.context.timer, self.context.account.settings.position_seconds);
        let Some(fields) = fields else { return Ok(()) };
        self.places.learn(name, &fields);
        self.read_learnt()?;
        if self.is_held(name, &fields, data, seq) {
            self.delivers(name, &fields);
            return Ok(());
        }
        self.read(name, &fields, data, seq)
    }

    /// Makes events of a dispatch, which then wait to be handed in.
    fn read(&mut self, name: &str, fields: &Fields<'_>, data: &str, seq: u64) -> Result<(), AdapterError> {
        let session = self.session.as_ref().map(|session| session.id.as_str()).unwrap_or_default();
        let id = format!("{session}/{seq}");
        let parsed = inbound::parse(&self.context.bot, &self.places, Dispatch { name, id: &id, data });
        // Only a name of an account that cannot be part of an address.
        let setup = |error: AddressError| AdapterError::Setup(error.to_string());
        let parsed = parsed.map_err(setup)?;
        if parsed.is_some() {
            self.delivers(name, fields);
        }
        self.waiting.add(parsed, seq);
        for event in inbound::deleted(&self.context.bot, name, fields).map_err(setup)? {
            self.waiting.add(Some(ParsedDispatch { event, interaction: None }), seq);
        }
        Ok(())
    }

    /// Hands in what waits, unless something is being handed in.
    fn push(&mut self) {
        if self.pushing.is_some() || self.progress.gap.is_some() {
            return;
        }
        if let Some(batch) =
            self.waiting.take(&mut self.progress, self.session.as_ref(), self.lookups.lowest())
        {
            self.hand_in(Arc::new(batch), Duration::ZERO);
        }
    }

    fn hand_in(&mut self, batch: Arc<Batch>, after: Duration) {
        self.pushing = Some(batch.clone());
        let (inbox, source, timer) =
            (self.context.inbox.clone(), self.source.clone(), self.context.timer.clone());
        self.work.spawn(async move {
            if !after.is_zero() {
                timer.pause(after).await;
            }
            let pushed = inbox.push(&source, batch.events(), Some(batch.cursor())).await;
            Done::Pushed(batch, pushed)
        });
    }

    /// Deletes what still shows "thinking" although its turn has ended, where that has failed before.
    fn delete_ended(&mut self) {
        let (rest, interactions) = (self.context.rest.clone(), self.context.interactions.clone());
        if interactions.has_ended() {
            self.work.spawn(async move {
                if let Err(fault) = interactions.delete_ended(&rest).await {
                    tracing::debug!(channel = CHANNEL, %fault, "a response that shows \"thinking\" was not deleted");
                }
                Done::Aside
            });
        }
    }

    async fn done(&mut self, done: Done) -> Result<(), AdapterError> {
        match done {
            Done::Pushed(batch, Ok(outcomes)) => {
                self.pushing = None;
                for (interaction, outcome) in batch.interactions(outcomes) {
                    let (rest, open) = (self.context.rest.clone(), self.context.interactions.clone());
                    let interaction = interaction.clone();
                    self.work.spawn(async move {
                        open.acknowledge(&rest, &interaction, &outcome).await;
                        Done::Aside
                    });
                }
            }
            Done::Pushed(batch, Err(busy)) => {
                tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "the events were not stored and will be handed in again");
                self.hand_in(batch, Duration::from_millis(self.context.account.settings.busy_ms));
            }
            Done::Read(read) => {
                self.close_gap(read?);
                self.waiting.store_now();
            }
            Done::LookedUp(found) => self.looked_up(&found?)?,
            Done::Aside => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bot_hears_of_guilds_messages_reactions_and_private_chats_and_reads_what_is_written() {
        // Discord's documentation, Gateway Intents: bits 0, 9, 10, 12, 13 and 15.
        assert_eq!(INTENTS.bits(), 46_593);
    }
}
