//! Clients on sockets: they write, read, are cut off, come back, resume, and say again what was not accepted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::clock;
use crate::dice::Dice;
use crate::journal::{Chat, Frame, Rule};
use crate::script::Script;
use crate::world::World;

/// How many messages of one chat may wait for their answers before its writer pauses.
const PATIENCE: usize = 3;

type Socket = WebSocketStream<TcpStream>;

/// A client with chats of its own.
pub struct Client {
    world: Arc<World>,
    chats: Vec<Chat>,
    dice: Dice,
    /// By session: the last durable line that was read.
    last_seq: HashMap<String, u64>,
    /// Said and not accepted, in order.
    open: Vec<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    id: String,
    chat: Chat,
    text: String,
}

impl Client {
    pub fn new(world: Arc<World>, chats: Vec<Chat>, dice: Dice) -> Self {
        Self { world, chats, dice, last_seq: HashMap::new(), open: Vec::new() }
    }

    /// Lives through every kill, for ever.
    pub async fn run(mut self) {
        loop {
            let address = self.world.address().await;
            // How a connection ends says nothing: the journal is what is checked.
            if self.converse(address).await.is_err() {
                clock::pause_ms(2).await;
            }
        }
    }

    async fn converse(&mut self, address: SocketAddr) -> Result<()> {
        let mut socket = connect(address, &self.world.token()).await?;
        for chat in &self.chats {
            let session = chat.session();
            let last = self.last_seq.get(&session).copied().unwrap_or(0);
            say(&mut socket, json!({"type": "resume", "session": session, "last_seq": last})).await?;
        }
        for open in self.open.clone() {
            self.prompt(&mut socket, &open).await?;
        }
        let mut next = self.thinks();
        loop {
            tokio::select! {
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text)?;
                        self.hear(&mut socket, &frame).await?;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => bail!("cut off"),
                },
                () = &mut next => {
                    next = self.thinks();
                    self.write(&mut socket).await?;
                }
            }
        }
    }

    fn thinks(&mut self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(clock::pause_ms(self.dice.range(10, 110)))
    }

    /// Says something new, unless this is no time for it.
    async fn write(&mut self, socket: &mut Socket) -> Result<()> {
        if self.world.is_calm() {
            return Ok(());
        }
        let index = usize::try_from(self.dice.next() % self.chats.len() as u64)?;
        let chat = self.chats[index].clone();
        if self.world.journal.waiting_in(&chat.name) >= PATIENCE {
            return Ok(());
        }
        let text = text(&self.world, &chat, &mut self.dice);
        let open = Open { id: format!("p{}", self.world.journal.number()), chat, text };
        self.open.push(open.clone());
        self.prompt(socket, &open).await
    }

    async fn prompt(&self, socket: &mut Socket, open: &Open) -> Result<()> {
        let Open { id, chat, text } = open;
        self.world.journal.sends(chat, &event(chat, id), text);
        say(socket, json!({"type": "prompt", "id": id, "chat": chat.name, "text": text})).await
    }

    async fn hear(&mut self, socket: &mut Socket, frame: &Value) -> Result<()> {
        let journal = self.world.journal.clone();
        let field = |name: &str| frame[name].as_str();
        match field("type") {
            Some("accepted") => {
                let (Some(id), message) = (field("id"), field("message")) else { bail!("accepted what?") };
                if let Some(at) = self.open.iter().position(|open| open.id == id) {
                    let open = self.open.remove(at);
                    journal.accepts(&event(&open.chat, id), message);
                    if field("session") != Some(&open.chat.session()) {
                        journal.wrong(format!("{id} was put into {:?}", field("session")));
                    }
                }
            }
            Some("delta") => journal.piece(field("message").context("a piece of nothing")?),
            Some(kind @ ("done" | "message")) => {
                let session = field("session").context("a line of no session")?;
                let seq = frame["seq"].as_u64().context("a line without seq")?;
                let text = if kind == "done" { field("fullText") } else { field("text") };
                let shown = Frame {
                    at: clock::now(),
                    kind: kind.to_owned(),
                    message: field("message").map(str::to_owned),
                    text: text.unwrap_or_default().to_owned(),
                };
                let last = self.last_seq.entry(session.to_owned()).or_insert(0);
                journal.shows(session, seq, *last + 1, shown);
                *last = seq;
            }
            Some("error") => {
                if let Some(about) = field("about") {
                    journal.ends(about);
                } else if let Some(open) =
                    self.open.iter().find(|open| Some(open.id.as_str()) == field("id")).cloned()
                {
                    self.again(socket, &open, field("code").unwrap_or_default()).await?;
                } else {
                    journal.wrong(format!("an error that nothing explains: {frame}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A prompt was not taken: it is said again if that can help.
    async fn again(&mut self, socket: &mut Socket, open: &Open, code: &str) -> Result<()> {
        match code {
            "stopping" | "busy" | "unavailable" => {
                clock::pause_ms(30).await;
                self.prompt(socket, open).await
            }
            _ => {
                self.world.journal.wrong(format!("{} was refused: {code}", open.id));
                self.open.retain(|other| other.id != open.id);
                Ok(())
            }
        }
    }
}

/// Reads everything that a session has to show, as a client does that comes for the first time.
pub async fn read_all(world: &World, chat: &Chat, until: u64) -> Result<()> {
    let mut socket = connect(world.address().await, &world.token()).await?;
    let session = chat.session();
    say(&mut socket, json!({"type": "resume", "session": session, "last_seq": 0})).await?;
    let mut last = 0;
    while last < until {
        let frame = tokio::select! {
            frame = socket.next() => frame.context("cut off")??,
            () = clock::pause(Duration::from_secs(10)) => bail!("{session}: {last} of {until} lines came"),
        };
        let Message::Text(text) = frame else { continue };
        let frame: Value = serde_json::from_str(&text)?;
        let Some(seq) = frame["seq"].as_u64() else { continue };
        let kind = frame["type"].as_str().unwrap_or_default();
        let name = if kind == "done" { "fullText" } else { "text" };
        let shown = Frame {
            at: clock::now(),
            kind: kind.to_owned(),
            message: frame["message"].as_str().map(str::to_owned),
            text: frame[name].as_str().unwrap_or_default().to_owned(),
        };
        world.journal.shows(&session, seq, last + 1, shown);
        last = seq;
    }
    Ok(())
}

/// What somebody writes in a chat: mostly something for the agent, sometimes the chat's command.
pub fn text(world: &World, chat: &Chat, dice: &mut Dice) -> String {
    let command = match chat.rule {
        Rule::Strict => None,
        Rule::Stops => Some("/stop"),
        Rule::Renews => Some("/new"),
        Rule::Retries => Some("/retry"),
    };
    if let Some(command) = command.filter(|_| dice.permille(170)) {
        return command.to_owned();
    }
    let tag = format!("{}-{}", world.mark, world.journal.number());
    Script::draw(tag, chat.plain, dice).text()
}

/// The event id that a prompt must have in the database.
pub fn event(chat: &Chat, id: &str) -> String {
    format!("{}/{id}", chat.name)
}

async fn connect(address: SocketAddr, token: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
    let (socket, _) = client_async(request, stream).await?;
    Ok(socket)
}

async fn say(socket: &mut Socket, frame: Value) -> Result<()> {
    Ok(socket.send(Message::text(frame.to_string())).await?)
}
