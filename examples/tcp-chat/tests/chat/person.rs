//! A person with a client program: it logs in again when the connection ends, says again what was not stored, and shows
//! each message once.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A message that the client shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub chat: String,
    pub id: String,
    pub reply: String,
    pub text: String,
    /// How many times it arrived.
    pub times: usize,
    pub only_for_me: bool,
}

struct State {
    next_id: u64,
    /// The messages and presses that are not stored yet, in order.
    unsaid: BTreeMap<u64, String>,
    /// The data of buttons by message and label.
    buttons: BTreeMap<(String, String), String>,
    shown: Vec<Shown>,
    is_on: bool,
    acknowledges: bool,
}

struct Program {
    address: String,
    name: &'static str,
    state: Mutex<State>,
    changed: Notify,
}

/// A person at a terminal.
pub struct Person {
    program: Arc<Program>,
    _running: JoinSet<()>,
}

/// The secret of a person's login.
pub fn secret(name: &str) -> String {
    format!("{name}s-secret")
}

impl Person {
    /// Starts the client of a person.
    pub fn at(address: &str, name: &'static str) -> Self {
        let state = State {
            next_id: 1,
            unsaid: BTreeMap::new(),
            buttons: BTreeMap::new(),
            shown: Vec::new(),
            is_on: true,
            acknowledges: true,
        };
        let program = Arc::new(Program {
            address: address.to_owned(),
            name,
            state: Mutex::new(state),
            changed: Notify::new(),
        });
        let mut running = JoinSet::new();
        running.spawn(program.clone().run());
        Self { program, _running: running }
    }

    /// Says something and waits until it is stored or refused.
    pub async fn says(&self, chat: &str, text: &str) {
        self.sends("SAY", chat, text).await;
    }

    /// Presses a button of a message.
    pub async fn presses(&self, chat: &str, message: &str, label: &str) {
        let button = (message.to_owned(), label.to_owned());
        self.until(|state| state.buttons.contains_key(&button)).await;
        let data = self.program.state().buttons[&button].clone();
        self.sends("PRESS", chat, &data).await;
    }

    async fn sends(&self, word: &str, chat: &str, text: &str) {
        let id = {
            let mut state = self.program.state();
            let id = state.next_id;
            state.next_id += 1;
            state.unsaid.insert(id, format!("{word} {chat} {id} {text}"));
            id
        };
        self.program.changed.notify_one();
        self.until(|state| !state.unsaid.contains_key(&id)).await;
    }

    /// The messages that are shown.
    pub fn shown(&self) -> Vec<Shown> {
        self.program.state().shown.clone()
    }

    /// The texts of the messages from the bot in a chat.
    pub fn texts(&self, chat: &str) -> Vec<String> {
        self.shown().into_iter().filter(|shown| shown.chat == chat).map(|shown| shown.text).collect()
    }

    /// Waits for a text in a chat.
    pub async fn sees(&self, chat: &str, text: &str) -> Shown {
        let is = |shown: &&Shown| shown.chat == chat && shown.text == text;
        self.until(|state| state.shown.iter().any(|shown| is(&shown))).await;
        self.shown().iter().find(is).cloned().unwrap()
    }

    /// Whether the client is logged in, from now on.
    pub fn is_on(&self, is_on: bool) {
        self.program.state().is_on = is_on;
        self.program.changed.notify_one();
    }

    /// Whether the client acknowledges messages; without that it looks like a dead connection.
    pub fn acknowledges(&self, acknowledges: bool) {
        self.program.state().acknowledges = acknowledges;
    }

    async fn until(&self, so: impl Fn(&State) -> bool) {
        let waiting = async {
            while !so(&self.program.state()) {
                pause().await;
            }
        };
        if tokio::time::timeout(LIMIT, waiting).await.is_err() {
            panic!("{}: it did not happen; {:?}", self.program.name, self.shown());
        }
    }
}

impl Program {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn run(self: Arc<Self>) {
        loop {
            if self.state().is_on {
                // The next round logs in again, whatever ended the connection.
                drop(self.connection().await);
            }
            pause().await;
        }
    }

    async fn connection(&self) -> io::Result<()> {
        let (reads, mut writes) = TcpStream::connect(&self.address).await?.into_split();
        let mut lines = BufReader::new(reads).lines();
        write(&mut writes, format!("LOGIN {} {}", self.name, secret(self.name))).await?;
        write(&mut writes, "JOIN #garden".to_owned()).await?;
        let mut said = 0;
        while self.state().is_on {
            let unsaid: Vec<_> =
                self.state().unsaid.range(said + 1..).map(|(id, said)| (*id, said.clone())).collect();
            for (id, line) in unsaid {
                write(&mut writes, line).await?;
                said = id;
            }
            tokio::select! {
                line = lines.next_line() => {
                    let Some(line) = line? else { return Ok(()) };
                    if line.starts_with("BUSY ") {
                        // Everything that is not stored is said again, in order.
                        said = 0;
                        pause().await;
                    }
                    if let Some(answer) = self.take(&line) {
                        write(&mut writes, answer).await?;
                    }
                }
                () = self.changed.notified() => {}
            }
        }
        Ok(())
    }

    /// Takes a line from the server. Returns the client's answer.
    fn take(&self, line: &str) -> Option<String> {
        let mut state = self.state();
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        match words.as_slice() {
            ["OK" | "NO", id, ..] => _ = state.unsaid.remove(&id.parse().unwrap()),
            [word @ ("MSG" | "WHISPER"), chat, id, reply, text] => {
                if let Some(known) = state.shown.iter_mut().find(|known| known.id == *id) {
                    known.times += 1;
                } else {
                    let [chat, id, reply, text] = [chat, id, reply, text].map(|word| (*word).to_owned());
                    let only_for_me = *word == "WHISPER";
                    state.shown.push(Shown { chat, id, reply, text, times: 1, only_for_me });
                }
                return state.acknowledges.then(|| format!("ACK {id}"));
            }
            ["EDIT", _, id, ..] => {
                let text = line.splitn(4, ' ').nth(3).unwrap().to_owned();
                state
                    .shown
                    .iter_mut()
                    .filter(|known| known.id == *id)
                    .for_each(|known| known.text = text.clone());
                return state.acknowledges.then(|| format!("ACK {id}"));
            }
            ["BUTTON", _, id, data, label] => {
                state.buttons.insert(((*id).to_owned(), (*label).to_owned()), (*data).to_owned());
            }
            ["DELETE", _, id] => {
                state.shown.retain(|known| known.id != *id);
                return state.acknowledges.then(|| format!("ACK {id}"));
            }
            ["PING"] => return Some("PONG".to_owned()),
            _ => {}
        }
        None
    }
}

async fn write(writes: &mut OwnedWriteHalf, line: String) -> io::Result<()> {
    writes.write_all(format!("{line}\n").as_bytes()).await
}

#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}
