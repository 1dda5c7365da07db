//! The clients that are logged in.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::port::Stop;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::line::is_group;

/// Maximum number of lines that wait for a client. One that reads more slowly is disconnected.
const WAITING: usize = 256;

/// One connection of a person.
pub(crate) struct Client {
    pub(crate) name: String,
    groups: Mutex<BTreeSet<String>>,
    lines: Sender<String>,
    /// Who waits for which message to be acknowledged.
    acknowledged: Mutex<HashMap<String, Sender<()>>>,
    /// Ends the connection.
    pub(crate) stop: Stop,
}

impl Client {
    /// A client, and the lines that its connection must write.
    pub(crate) fn new(name: String) -> (Arc<Self>, Receiver<String>) {
        let (lines, waiting) = channel(WAITING);
        let (groups, acknowledged) = Default::default();
        (Arc::new(Self { name, groups, lines, acknowledged, stop: Stop::new() }), waiting)
    }

    pub(crate) fn join(&self, group: String) {
        locked(&self.groups).insert(group);
    }

    pub(crate) fn acknowledge(&self, id: &str) {
        let waits = locked(&self.acknowledged).remove(id);
        // It is full if another client was faster.
        if waits.is_some_and(|waits| waits.try_send(()).is_err()) {
            tracing::trace!(id, "acknowledged before");
        }
    }

    /// Tells `acknowledged` when the client has shown the message with this id.
    pub(crate) fn expect(&self, id: &str, acknowledged: Sender<()>) {
        locked(&self.acknowledged).insert(id.to_owned(), acknowledged);
    }

    pub(crate) fn send(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.stop.cancel();
        }
    }

    fn is_in(&self, chat: &str) -> bool {
        if is_group(chat) { locked(&self.groups).contains(chat) } else { self.name == chat }
    }
}

/// All clients; `None` while the adapter does not listen.
#[derive(Default)]
pub(crate) struct Clients(Mutex<Option<Vec<Arc<Client>>>>);

impl Clients {
    pub(crate) fn open(&self) {
        *locked(&self.0) = Some(Vec::new());
    }

    pub(crate) fn close(&self) {
        *locked(&self.0) = None;
    }

    pub(crate) fn add(&self, client: Arc<Client>) {
        locked(&self.0).get_or_insert_default().push(client);
    }

    pub(crate) fn remove(&self, client: &Arc<Client>) {
        if let Some(clients) = locked(&self.0).as_mut() {
            clients.retain(|known| !Arc::ptr_eq(known, client));
        }
    }

    /// The clients that show a chat; `None` while the adapter does not listen.
    pub(crate) fn of(&self, chat: &str) -> Option<Vec<Arc<Client>>> {
        let clients = locked(&self.0);
        let shown = |client: &&Arc<Client>| client.is_in(chat) && !client.stop.is_cancelled();
        clients.as_ref().map(|clients| clients.iter().filter(shown).cloned().collect())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
