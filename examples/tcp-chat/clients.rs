//! The clients that are logged in.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::port::Stop;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::line::is_group;

/// Maximum number of lines that wait for a client. One that reads more slowly is disconnected.
const WAITING: usize = 256;
/// Maximum number of groups that a client shows.
const GROUPS: usize = 64;

/// One connection of a person.
pub(crate) struct Client {
    pub(crate) name: String,
    groups: Mutex<BTreeSet<String>>,
    lines: Sender<String>,
    /// The deliveries that wait for it, by the ids of their messages; `None` once the connection has ended.
    deliveries: Mutex<Option<HashMap<String, Sender<()>>>>,
    /// Ends the connection.
    pub(crate) stop: Stop,
}

impl Client {
    /// A client, and the lines that its connection must write.
    pub(crate) fn new(name: String) -> (Arc<Self>, Receiver<String>) {
        let (lines, waiting) = channel(WAITING);
        let (groups, deliveries) = (Mutex::default(), Mutex::new(Some(HashMap::new())));
        (Arc::new(Self { name, groups, lines, deliveries, stop: Stop::new() }), waiting)
    }

    /// Shows a group from now on. An error says why it cannot.
    pub(crate) fn join(&self, group: String) -> Result<(), &'static str> {
        let mut groups = locked(&self.groups);
        if groups.len() >= GROUPS && !groups.contains(&group) {
            return Err("you are in too many groups");
        }
        groups.insert(group);
        Ok(())
    }

    pub(crate) fn acknowledge(&self, id: &str) {
        let waits = locked(&self.deliveries).as_mut().and_then(|waiting| waiting.remove(id));
        // It is full if another client was faster.
        if waits.is_some_and(|waits| waits.try_send(()).is_err()) {
            tracing::trace!(id, "acknowledged before");
        }
    }

    /// Tells `acknowledged` when the client has shown the message with this id, as long as the result is kept. Drops it if
    /// the connection ends.
    pub(crate) fn expect(self: &Arc<Self>, id: &str, acknowledged: Sender<()>) -> Expected {
        if let Some(waiting) = locked(&self.deliveries).as_mut() {
            waiting.insert(id.to_owned(), acknowledged);
        }
        Expected { client: self.clone(), id: id.to_owned() }
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

/// A delivery that waits for a client. Nothing is left of it when this is dropped.
pub(crate) struct Expected {
    client: Arc<Client>,
    id: String,
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(waiting) = locked(&self.client.deliveries).as_mut() {
            waiting.remove(&self.id);
        }
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

    /// Adds a client until the result is dropped.
    pub(crate) fn add(self: &Arc<Self>, client: &Arc<Client>) -> LoggedIn {
        locked(&self.0).get_or_insert_default().push(client.clone());
        LoggedIn { clients: self.clone(), client: client.clone() }
    }

    /// The clients that show a chat; `None` while the adapter does not listen.
    pub(crate) fn of(&self, chat: &str) -> Option<Vec<Arc<Client>>> {
        let clients = locked(&self.0);
        let shown = |client: &&Arc<Client>| client.is_in(chat) && !client.stop.is_cancelled();
        clients.as_ref().map(|clients| clients.iter().filter(shown).cloned().collect())
    }
}

/// A client that is logged in. When this is dropped, however the connection ends, the client is forgotten and no delivery
/// waits for it.
pub(crate) struct LoggedIn {
    clients: Arc<Clients>,
    client: Arc<Client>,
}

impl Drop for LoggedIn {
    fn drop(&mut self) {
        if let Some(clients) = locked(&self.clients.0).as_mut() {
            clients.retain(|known| !Arc::ptr_eq(known, &self.client));
        }
        *locked(&self.client.deliveries) = None;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_in_a_limited_number_of_groups() {
        let (client, _lines) = Client::new("anna".into());
        for number in 0..GROUPS {
            client.join(format!("#g{number}")).unwrap();
        }
        assert!(client.join("#more".into()).is_err() && !client.is_in("#more"));
        client.join("#g0".into()).unwrap();
    }

    #[test]
    fn nothing_is_left_of_a_delivery_that_has_ended() {
        let (client, _lines) = Client::new("anna".into());
        let (acknowledged, _first) = channel(1);
        drop(client.expect("1", acknowledged));
        assert_eq!(locked(&client.deliveries).as_ref().map(HashMap::len), Some(0));
    }

    #[tokio::test]
    async fn a_client_that_has_left_is_not_waited_for() {
        let clients = Arc::new(Clients::default());
        let (client, _lines) = Client::new("anna".into());
        let logged_in = clients.add(&client);
        let (acknowledged, mut first) = channel(1);
        let _before = client.expect("1", acknowledged.clone());
        drop(logged_in);
        let _after = client.expect("2", acknowledged);
        assert_eq!(first.recv().await, None);
        assert_eq!(clients.of("anna").map(|clients| clients.len()), Some(0));
    }
}
