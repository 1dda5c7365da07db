//! Marks messages that wait for their answer, on platforms where a message can be marked ([`Signal::Waits`]).
//!
//! A mark has no row: it may be missing. After a kill it may stay until its message does not wait any more, because every
//! message that waits at a start counts as marked.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::Signal;
use frontdesk_core::id::MessageId;
use frontdesk_core::port::{Mono, Stop};
use frontdesk_store::StoreError;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use crate::shared::Shared;
use crate::waiting_marks::Markable;

/// A message whose turn begins within this time is not marked. It is longer than the pieces of an album are apart.
const DELAY: Duration = Duration::from_millis(1500);
/// How often it is looked whether the marked messages still wait, besides each time when a turn has begun or messages were
/// ended.
const LOOK: Duration = Duration::from_secs(5);
/// Maximum number of messages that are marked at the same time. Further ones wait without a mark.
const MAX: usize = 1000;

/// The messages that wait at the start. They may have been marked before.
pub(crate) async fn left(shared: &Shared) -> Result<Vec<Markable>, StoreError> {
    let accounts = shared.adapters.ids();
    let any = accounts.iter().filter_map(|account| shared.adapters.get(account));
    if !any.into_iter().any(|connection| connection.adapter().profile().waiting_marks) {
        return Ok(Vec::new());
    }
    let waiting = shared.store.all_waiting(MAX).await?.into_iter().filter_map(Markable::of_row);
    Ok(waiting.filter(|markable| shared.adapters.marks(&markable.address)).collect())
}

/// Sets and removes marks until `stop`. The messages that wait then are marked until the next start.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut accepted: mpsc::UnboundedReceiver<Markable>,
    left: Vec<Markable>,
    stop: Stop,
) {
    let mut marks = Marks::new(shared.clone(), left);
    let mut due: VecDeque<(Mono, Markable)> = VecDeque::new();
    let mut look = shared.time.mono() + LOOK;
    loop {
        let first_due = due.front().map(|(at, _)| *at);
        let alarm = at(&shared, first_due);
        let next_look = at(&shared, (!marks.known.is_empty()).then_some(look));
        tokio::select! {
            () = stop.cancelled() => return,
            Some(id) = marks.requests.next() => {
                marks.ended(id);
                continue;
            }
            Some(markable) = accepted.recv() => {
                due.push_back((shared.time.mono() + DELAY, markable));
                continue;
            }
            () = shared.work.marks.changed() => {}
            () = alarm => {}
            () = next_look => {}
        }
        let now = shared.time.mono();
        let late = due.iter().take_while(|(at, _)| *at <= now).count();
        marks.look(due.drain(..late).map(|(_, markable)| markable).collect()).await;
        look = now + LOOK;
    }
}

/// Waits until then, or for ever.
async fn at(shared: &Shared, time: Option<Mono>) {
    match time {
        Some(time) => shared.time.sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// What has become of a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The platform is asked to set it.
    Setting,
    Set,
    /// The platform is asked to remove it.
    Removing,
}

struct Marks {
    shared: Arc<Shared>,
    known: BTreeMap<MessageId, (Markable, Mark)>,
    /// The requests to platforms. A mark is set and removed one after the other.
    requests: FuturesUnordered<BoxFuture<'static, MessageId>>,
}

impl Marks {
    fn new(shared: Arc<Shared>, left: Vec<Markable>) -> Self {
        let known = left.into_iter().map(|markable| (markable.message, (markable, Mark::Set)));
        Self { shared, known: known.collect(), requests: FuturesUnordered::new() }
    }

    /// Marks those of `new` that wait, and removes the marks of those that do not wait any more.
    async fn look(&mut self, new: Vec<Markable>) {
        let set = |(id, (_, mark)): (&MessageId, &(Markable, Mark))| (*mark == Mark::Set).then_some(*id);
        let marked: Vec<MessageId> = self.known.iter().filter_map(set).collect();
        if marked.is_empty() && new.is_empty() {
            return;
        }
        let asked = marked.iter().copied().chain(new.iter().map(|markable| markable.message)).collect();
        let waiting: HashSet<MessageId> = match self.shared.store.still_waiting(asked).await {
            Ok(waiting) => waiting,
            Err(error) => {
                self.shared.health.note(Some(&error));
                tracing::debug!(%error, "it is not known which messages wait; their marks stay as they are");
                return;
            }
        };
        for markable in new {
            // A platform marks an album as a whole.
            let is_marked = self.known.values().any(|(known, _)| known.is_of_one_album(&markable));
            if waiting.contains(&markable.message) && !is_marked && self.known.len() < MAX {
                self.request(markable, Mark::Setting);
            }
        }
        for id in marked.into_iter().filter(|id| !waiting.contains(id)) {
            if let Some((markable, _)) = self.known.remove(&id) {
                self.request(markable, Mark::Removing);
            }
        }
    }

    fn request(&mut self, markable: Markable, mark: Mark) {
        let (shared, id) = (self.shared.clone(), markable.message);
        let (address, target) = (markable.address.clone(), markable.target.clone());
        let signal = Signal::Waits { target, waits: mark == Mark::Setting };
        self.known.insert(id, (markable, mark));
        let request = async move {
            shared.adapters.signal(&address, signal).await;
            id
        };
        self.requests.push(request.boxed());
    }

    /// A request has ended. Whether it was successful is not looked at: the other one does no harm.
    fn ended(&mut self, id: MessageId) {
        match self.known.get_mut(&id) {
            Some((_, mark @ Mark::Setting)) => {
                *mark = Mark::Set;
                // The message may have ceased to wait meanwhile.
                self.shared.work.marks.note_change();
            }
            Some((_, Mark::Removing)) => drop(self.known.remove(&id)),
            Some((_, Mark::Set)) | None => {}
        }
    }
}
