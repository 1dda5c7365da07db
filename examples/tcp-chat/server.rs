//! The sockets: accepts connections, reads and writes lines.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::config::Secret;
use frontdesk_core::port::Inbox;
use frontdesk_kit::timer::Timer;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::Receiver;

use crate::Settings;
use crate::clients::{Client, Clients};
use crate::inbound;
use crate::line::ClientLine;

/// The longest line, in bytes.
const MAX_LINE: u64 = 64 * 1024;
/// The time for the first line.
const LOGIN: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there, and how long it may be silent.
const PING: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(90);

/// Everything that a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) settings: Arc<Settings>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) timer: Timer,
}

impl Server {
    /// Serves one connection until it ends.
    pub(crate) async fn serve(self, socket: TcpStream) {
        let (reads, mut writes) = socket.into_split();
        let mut reads = BufReader::new(reads);
        let name = tokio::select! {
            name = self.login(&mut reads) => name,
            () = self.timer.pause(LOGIN) => None,
        };
        let Some(name) = name else {
            // The connection is closed even if this cannot be written.
            return drop(writes.write_all(b"BYE log in with LOGIN NAME SECRET\n").await);
        };
        let (client, lines) = Client::new(name);
        client.send(format!("HELLO {}", client.name));
        // Also if this adapter stops and the connection is dropped in the middle.
        let _logged_in = self.clients.add(&client);
        tokio::select! {
            () = self.read(&mut reads, &client) => {}
            () = self.write(&mut writes, lines) => {}
            () = client.stop.cancelled() => {}
        }
    }

    async fn login(&self, reads: &mut BufReader<OwnedReadHalf>) -> Option<String> {
        let Ok(ClientLine::Login { name, secret }) = ClientLine::parse(&next_line(reads).await?) else {
            return None;
        };
        let known = self.settings.logins.get(&name).map(Secret::expose);
        // An empty secret in the configuration lets nobody in.
        let right = known.is_some_and(|known| !known.is_empty() && same(known, &secret));
        right.then_some(name)
    }

    async fn read(&self, reads: &mut BufReader<OwnedReadHalf>, client: &Client) {
        loop {
            let line = tokio::select! {
                line = next_line(reads) => line,
                () = self.timer.pause(PATIENCE) => None,
            };
            let Some(line) = line else { return };
            match ClientLine::parse(&line) {
                Ok(line) => self.take(line, client).await,
                Err(problem) => client.send(format!("BAD {problem}")),
            }
        }
    }

    async fn take(&self, line: ClientLine, client: &Client) {
        let (id, event) = match line {
            ClientLine::Say { chat, id, text } => {
                let event = inbound::message(&self.settings.id, &client.name, &chat, &id, &text);
                (id, event)
            }
            ClientLine::Press { chat, id, data } => {
                let event = inbound::press(&self.settings.id, &client.name, &chat, &id, &data);
                (id, event)
            }
            ClientLine::Join { group } => {
                return client.join(group).unwrap_or_else(|problem| client.send(format!("BAD {problem}")));
            }
            ClientLine::Ack { id } => return client.acknowledge(&id),
            ClientLine::Pong | ClientLine::Login { .. } => return,
        };
        let Ok(event) = event else { return client.send(format!("NO {id} it has no address")) };
        // Only what is committed is acknowledged. After `BUSY` the client says it again, with the same id.
        match self.inbox.push(&inbound::source(&self.settings.id), vec![event], None).await {
            Ok(outcomes) => {
                outcomes.iter().for_each(|outcome| client.send(inbound::acknowledgement(&id, outcome)));
            }
            Err(busy) => {
                tracing::debug!(%busy, "a message was not stored and will be sent again");
                client.send(format!("BUSY {id}"));
            }
        }
    }

    async fn write(&self, writes: &mut OwnedWriteHalf, mut lines: Receiver<String>) {
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                () = self.timer.pause(PING) => Some("PING".to_owned()),
            };
            let Some(line) = line.map(|line| format!("{line}\n")) else { return };
            let written = tokio::select! {
                written = writes.write_all(line.as_bytes()) => written.is_ok(),
                () = self.timer.pause(PATIENCE) => false,
            };
            if !written {
                return;
            }
        }
    }
}

/// Compares by hash, so that the time taken tells nothing about the secret.
fn same(known: &str, given: &str) -> bool {
    Sha256::digest(known.as_bytes()) == Sha256::digest(given.as_bytes())
}

/// The next whole line of at most [`MAX_LINE`] bytes; `None` if there is none.
async fn next_line(reads: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut line = Vec::new();
    reads.take(MAX_LINE).read_until(b'\n', &mut line).await.ok()?;
    let whole = line.pop() == Some(b'\n');
    whole.then(|| String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}
