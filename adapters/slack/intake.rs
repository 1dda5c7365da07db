//! Stores what Slack delivers, in batches and in the order of arrival: the same for sockets and for requests.
//!
//! Events that arrive during a commit form the next batch. An event whose sender Slack cannot describe at the moment waits,
//! and so does everything behind it in its chat; all other chats go on. What the gateway does not take at the moment waits
//! too, and nothing more is taken until then.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::message::{Cursor, Event};
use frontdesk_core::port::{AdapterError, Mono};
use frontdesk_core::retry::Backoff;
use frontdesk_kit::intake::{self, Arrived};
use frontdesk_kit::timer;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::CHANNEL;
use crate::gap::Gap;
use crate::history::Missed;
use crate::inbound::Payload;
use crate::receive::Receiver;
use crate::workspace::Workspace;

/// Maximum number of events in a batch.
const BATCH: usize = 100;
/// Number of waiting events at which no more are taken.
const FULL: NonZeroUsize = NonZeroUsize::new(1000).unwrap();
/// The pauses before Slack is asked again who somebody is, unless it names one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The pause before events that the gateway did not take are handed in again.
const BUSY: Duration = Duration::from_millis(500);

/// What Slack has delivered, and when that came.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub kind: Kind,
    /// The payload as it arrived.
    pub raw: String,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Command,
    Interaction,
}

impl Envelope {
    pub(crate) fn payload(&self) -> Payload<'_> {
        match self.kind {
            Kind::Event => Payload::Event(&self.raw),
            Kind::Command => Payload::Command(&self.raw),
            Kind::Interaction => Payload::Interaction(&self.raw),
        }
    }
}

/// An envelope may be acknowledged, with this answer for the person who gave a command. One that is dropped without this
/// must come again.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    pub answer: Option<Value>,
}

pub(crate) type Queue = intake::Queue<Envelope, Stored>;
pub(crate) type Arrivals = intake::Arrivals<Envelope, Stored>;

/// The queue of one connection.
pub(crate) fn queue() -> (Queue, Arrivals) {
    intake::queue(FULL)
}

/// An event that is to be stored.
struct Pending {
    /// Its place in the order of arrival.
    number: u64,
    event: Event,
    envelope: Envelope,
    stored: oneshot::Sender<Stored>,
}

/// What came of the events of one chat.
struct Judged {
    ready: Vec<Pending>,
    /// Those that wait, and why.
    left: Vec<Pending>,
    error: Option<AdapterError>,
}

/// Takes what arrives on one connection.
pub(crate) struct Intake<'a> {
    receiver: Receiver<'a>,
    gap: &'a Gap,
    /// The messages that were missed. The history of a chat is read before a new event of that chat is stored.
    missed: Option<&'a Missed<'a>>,
    arrivals: Arrivals,
    /// Events that wait until Slack can describe their senders or the gateway takes them, in the order of arrival.
    waiting: Vec<Pending>,
    /// When that is tried again.
    again: Mono,
    /// Whether the gateway did not take the last batch.
    is_refused: bool,
    failures: u32,
    /// The number of events so far.
    count: u64,
    /// Replies to single people, which nothing waits for.
    sentences: JoinSet<()>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(
        receiver: Receiver<'a>,
        gap: &'a Gap,
        missed: Option<&'a Missed<'a>>,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            receiver,
            gap,
            missed,
            arrivals,
            waiting: Vec::new(),
            again: Mono::default(),
            is_refused: false,
            failures: 0,
            count: 0,
            sentences: JoinSet::new(),
        }
    }

    /// Stores what arrives until the connection has to end; returns why.
    pub(crate) async fn run(mut self) -> AdapterError {
        loop {
            let timer = self.receiver.workspace.timer();
            let is_full = self.is_refused || self.waiting.len() >= FULL.get();
            let batch = tokio::select! {
                batch = self.arrivals.next(BATCH), if !is_full => batch,
                () = timer.until(self.again), if !self.waiting.is_empty() => Vec::new(),
                () = self.gap.is_due() => {
                    self.store_position().await;
                    continue;
                }
                Some(_) = self.sentences.join_next() => continue,
            };
            if let Err(error) = self.take(batch).await {
                return error;
            }
        }
    }

    /// Takes a batch together with what waits. An error ends the connection; everything that can be stored is stored before.
    async fn take(&mut self, batch: Vec<Arrived<Envelope, Stored>>) -> Result<(), AdapterError> {
        let mut error = None;
        let mut pending = std::mem::take(&mut self.waiting);
        for Arrived { item: envelope, answer: stored } in batch {
            match self.receiver.read(envelope.payload()) {
                Ok(Some(event)) => {
                    self.count += 1;
                    pending.push(Pending { number: self.count, event, envelope, stored });
                }
                Ok(None) => {}
                Err(fault) => {
                    error = Some(fault);
                    break;
                }
            }
        }
        let (ready, left, again) = self.judge(pending, &mut error).await;
        self.plan(!left.is_empty(), again);
        self.wait(left);
        let refused = self.store(ready).await;
        self.is_refused = !refused.is_empty();
        if self.is_refused {
            self.again = self.receiver.workspace.timer().mono() + BUSY;
            let mut left = std::mem::take(&mut self.waiting);
            left.extend(refused);
            left.sort_unstable_by_key(|one: &Pending| one.number);
            self.wait(left);
        }
        error.map_or(Ok(()), Err)
    }

    /// Adds to each event what Slack says about its sender. Returns those that can be stored and those that wait, both in
    /// the order of arrival, and how long the latter wait if Slack says that.
    async fn judge(
        &self,
        pending: Vec<Pending>,
        error: &mut Option<AdapterError>,
    ) -> (Vec<Pending>, Vec<Pending>, Option<Duration>) {
        let mut chats: HashMap<String, Vec<Pending>> = HashMap::new();
        for one in pending {
            chats.entry(one.event.address.chat().to_owned()).or_default().push(one);
        }
        let chats = stream::iter(chats).map(|(chat, events)| self.judge_chat(chat, events));
        let mut judged = chats.buffer_unordered(BATCH);
        let (mut ready, mut left, mut again) = (Vec::new(), Vec::new(), None);
        while let Some(chat) = judged.next().await {
            ready.extend(chat.ready);
            left.extend(chat.left);
            match chat.error {
                Some(AdapterError::Later { after, .. }) => again = again.max(Some(after)),
                other => *error = error.take().or(other),
            }
        }
        ready.sort_unstable_by_key(|one: &Pending| one.number);
        left.sort_unstable_by_key(|one: &Pending| one.number);
        (ready, left, again)
    }

    async fn judge_chat(&self, chat: String, events: Vec<Pending>) -> Judged {
        let Receiver { api, app, workspace, .. } = self.receiver;
        let mut judged = Judged { ready: Vec::new(), left: Vec::new(), error: None };
        let mut events = events.into_iter();
        while let Some(one) = events.next() {
            match workspace.describe(api, app, one.event.clone()).await {
                Ok(event) => judged.ready.push(Pending { event, ..one }),
                Err(fault) => {
                    let account = &app.account;
                    tracing::debug!(channel = CHANNEL, %account, %fault, "an event waits until Slack can say who its sender is");
                    judged.error = Some(Workspace::undescribed(fault));
                    judged.left = std::iter::once(one).chain(events).collect();
                    break;
                }
            }
        }
        if let Some(missed) = self.missed.filter(|_| !judged.ready.is_empty() && !self.gap.is_closed()) {
            missed.first(&chat).await;
        }
        judged
    }

    /// Plans when Slack is asked again about the senders of events, if there are such events.
    fn plan(&mut self, is_wanted: bool, again: Option<Duration>) {
        self.failures = if is_wanted { self.failures + 1 } else { 0 };
        if self.failures > 0 {
            let backoff = Backoff { base: FIRST_PAUSE, cap: LONGEST_PAUSE, ..Backoff::default() };
            let pause = backoff.delay(self.failures, timer::random()).max(again.unwrap_or_default());
            self.again = self.receiver.workspace.timer().mono() + pause;
        }
    }

    /// Keeps events, so that the position does not move past them.
    fn wait(&mut self, left: Vec<Pending>) {
        let chats: BTreeSet<String> = left.iter().map(|one| one.event.address.chat().to_owned()).collect();
        self.receiver.workspace.set_waiting(chats);
        self.waiting = left;
    }

    /// Stores events in their order, and lets each be acknowledged after its commit. Returns those that the gateway does not
    /// take at the moment: Slack sends an event again only three times.
    async fn store(&mut self, ready: Vec<Pending>) -> Vec<Pending> {
        let Receiver { inbox, app, .. } = self.receiver;
        let mut ready = ready.into_iter().peekable();
        while ready.peek().is_some() {
            let batch: Vec<Pending> = ready.by_ref().take(BATCH).collect();
            let events = batch.iter().map(|one| one.event.clone()).collect();
            let outcomes = match inbox.push(&app.source(), events, self.position(&batch)).await {
                Ok(outcomes) => outcomes,
                Err(busy) => {
                    tracing::debug!(channel = CHANNEL, account = %app.account, %busy, "events were not stored and will be handed in again");
                    return batch.into_iter().chain(ready).collect();
                }
            };
            let mut outcomes = outcomes.into_iter();
            for Pending { envelope, stored, .. } in batch {
                let answer =
                    self.receiver.conclude(envelope.payload(), outcomes.next().as_ref(), &mut self.sentences);
                // A request may have been given up.
                drop(stored.send(Stored { answer }));
            }
        }
        Vec::new()
    }

    /// How far everything is stored with this batch: up to the arrival of its last event, because what came before that was
    /// taken before.
    fn position(&self, batch: &[Pending]) -> Option<Cursor> {
        let at = batch.last()?.envelope.at;
        self.receiver.workspace.position_at(at).filter(|_| self.gap.is_closed())
    }

    /// Stores that everything up to now has arrived. If that fails, the next event stores it.
    async fn store_position(&self) {
        if self.gap.is_closed() && self.arrivals.is_empty() {
            self.receiver.store_position().await;
        }
    }
}
