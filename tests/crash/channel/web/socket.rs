//! WebSocket clients: they write, read, are cut off, connect again, resume, and repeat what was not accepted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{event, next_text};
use crate::clock;
use crate::harness::Harness;
use crate::journal::{Frame, Place, event_key};
use crate::random::Random;
use crate::script::tags;

/// How many messages of one chat may wait for their answers before its client pauses.
const MOST_WAITING: usize = 3;

type Socket = WebSocketStream<TcpStream>;

/// One connection with several chats.
pub struct Client {
    harness: Arc<Harness>,
    places: Vec<Arc<Place>>,
    random: Random,
    /// By session: the number of the last durable frame that was read.
    last_seq: HashMap<String, u64>,
    /// Prompts that were not accepted yet, in order.
    open: Vec<Prompt>,
}

#[derive(Clone)]
struct Prompt {
    id: String,
    order: u64,
    place: Arc<Place>,
    text: String,
}

impl Client {
    pub fn new(harness: Arc<Harness>, places: Vec<Arc<Place>>, random: Random) -> Self {
        Self { harness, places, random, last_seq: HashMap::new(), open: Vec::new() }
    }

    pub async fn run(mut self) {
        loop {
            let address = self.harness.address().await;
            // Why a connection ended does not matter: the journal is what is checked.
            if self.connection(address).await.is_err() {
                clock::sleep_ms(2).await;
            }
        }
    }

    async fn connection(&mut self, address: SocketAddr) -> Result<()> {
        let mut socket = connect(address, &self.harness.token()).await?;
        for place in &self.places {
            let session = place.session();
            let last = self.last_seq.get(&session).copied().unwrap_or(0);
            write(&mut socket, json!({"type": "resume", "session": session, "last_seq": last})).await?;
        }
        for prompt in self.open.clone() {
            self.prompt(&mut socket, &prompt).await?;
        }
        let mut next = self.pause();
        loop {
            tokio::select! {
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Value = serde_json::from_str(&text)?;
                        self.read(&mut socket, &frame).await?;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => bail!("cut off"),
                },
                () = &mut next => {
                    next = self.pause();
                    self.write_next(&mut socket).await?;
                }
            }
        }
    }

    fn pause(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(clock::sleep_ms(self.random.range(10, 110) * self.harness.kind.pause()))
    }

    async fn write_next(&mut self, socket: &mut Socket) -> Result<()> {
        let place = self.places[self.random.index(self.places.len())].clone();
        if self.harness.is_quiet() || self.harness.journal().unanswered_in(&place.name) >= MOST_WAITING {
            return Ok(());
        }
        let text = next_text(&self.harness, &place, &mut self.random);
        let order = self.harness.number();
        let prompt = Prompt { id: format!("p{order}"), order, place, text };
        self.open.push(prompt.clone());
        self.prompt(socket, &prompt).await
    }

    async fn prompt(&self, socket: &mut Socket, prompt: &Prompt) -> Result<()> {
        let Prompt { id, order, place, text } = prompt;
        self.harness.journal().sent(event(place, id, *order, text));
        write(socket, json!({"type": "prompt", "id": id, "chat": place.name, "text": text})).await
    }

    async fn read(&mut self, socket: &mut Socket, frame: &Value) -> Result<()> {
        let field = |name: &str| frame[name].as_str();
        match field("type") {
            Some("accepted") => self.accepted(frame)?,
            Some("delta") => {
                self.harness.journal().delta(field("message").context("a delta without message")?);
            }
            Some("done" | "message") => {
                let session = field("session").context("a frame without session")?;
                let last = self.last_seq.entry(session.to_owned()).or_insert(0);
                *last = shown(&self.harness, session, frame, *last + 1).context("a frame without seq")?;
            }
            Some("error") => {
                if let Some(about) = field("about") {
                    self.harness.journal().ended(about);
                } else if let Some(prompt) =
                    self.open.iter().find(|open| Some(open.id.as_str()) == field("id")).cloned()
                {
                    self.refused(socket, &prompt, field("code").unwrap_or_default()).await?;
                } else if field("code") != Some("stopping") {
                    // A gateway that stops refuses to resume; the next connection resumes.
                    self.wrong(format!("O1: an error without a reason: {frame}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn accepted(&mut self, frame: &Value) -> Result<()> {
        let id = frame["id"].as_str().context("an acknowledgement of nothing")?;
        let Some(at) = self.open.iter().position(|open| open.id == id) else { return Ok(()) };
        let Prompt { place, .. } = self.open.remove(at);
        let key = event_key(&place.source, &format!("{}/{id}", place.name));
        self.harness.journal().accepted(&key, frame["message"].as_str());
        if frame["session"] != place.session() {
            self.wrong(format!("O1: {id} was put into {}", frame["session"]));
        }
        Ok(())
    }

    /// A prompt was not taken; it is repeated if the reason passes.
    async fn refused(&mut self, socket: &mut Socket, prompt: &Prompt, code: &str) -> Result<()> {
        match code {
            "stopping" | "busy" | "unavailable" => {
                clock::sleep_ms(30).await;
                self.prompt(socket, prompt).await
            }
            _ => {
                self.wrong(format!("O1: {} was refused: {code}", prompt.id));
                self.open.retain(|other| other.id != prompt.id);
                Ok(())
            }
        }
    }

    fn wrong(&self, what: String) {
        self.harness.journal().wrong.push(what);
    }
}

/// Reads every frame of a session up to `until`, as a client does that connects for the first time.
pub async fn read_all(harness: &Harness, place: &Place, until: u64) -> Result<()> {
    let mut socket = connect(harness.address().await, &harness.token()).await?;
    let session = place.session();
    write(&mut socket, json!({"type": "resume", "session": session, "last_seq": 0})).await?;
    let mut last = 0;
    while last < until {
        let frame = tokio::select! {
            frame = socket.next() => frame.context("cut off")??,
            () = clock::sleep(Duration::from_secs(10)) => bail!("{session}: {last} of {until} frames came"),
        };
        let Message::Text(text) = frame else { continue };
        if let Some(seq) = shown(harness, &session, &serde_json::from_str(&text)?, last + 1) {
            last = seq;
        }
    }
    Ok(())
}

/// Records a durable frame and returns its number; `None` for other frames.
fn shown(harness: &Harness, session: &str, frame: &Value, expected: u64) -> Option<u64> {
    let (kind, seq) = (frame["type"].as_str()?, frame["seq"].as_u64()?);
    let text = if kind == "done" { &frame["fullText"] } else { &frame["text"] };
    let shown = Frame {
        kind: kind.to_owned(),
        message: frame["message"].as_str().map(str::to_owned),
        text: text.as_str().unwrap_or_default().to_owned(),
        tags: tags(text.as_str().unwrap_or_default()),
    };
    harness.journal().shown(session, seq, expected, shown);
    Some(seq)
}

async fn connect(address: SocketAddr, token: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
    let (socket, _) = client_async(request, stream).await?;
    Ok(socket)
}

async fn write(socket: &mut Socket, frame: Value) -> Result<()> {
    Ok(socket.send(Message::text(frame.to_string())).await?)
}
