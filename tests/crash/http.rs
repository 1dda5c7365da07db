//! Clients over HTTP: a request that was cut off is made again with the same key.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::clock;
use crate::dice::Dice;
use crate::journal::Chat;
use crate::script::Script;
use crate::world::World;
use crate::ws::{event, text};

/// A client with chats of its own, one request at a time.
pub struct Client {
    world: Arc<World>,
    chats: Vec<Chat>,
    dice: Dice,
    http: reqwest::Client,
}

/// What came of a request.
enum Came {
    Taken(Value),
    /// Cut off, or told to come again.
    Again,
    /// Taken, but not answered with an answer.
    Failed(u16, Value),
}

impl Client {
    pub fn new(world: Arc<World>, chats: Vec<Chat>, dice: Dice) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build()?;
        Ok(Self { world, chats, dice, http })
    }

    /// Lives through every kill, for ever.
    pub async fn run(mut self) {
        loop {
            clock::pause_ms(self.dice.range(10, 120)).await;
            if self.world.is_calm() {
                continue;
            }
            let index = usize::try_from(self.dice.next() % self.chats.len() as u64).unwrap_or(0);
            let chat = self.chats[index].clone();
            if self.dice.permille(120) {
                self.dispatch().await;
            } else {
                self.chat(&chat).await;
            }
        }
    }

    /// One message, until it is taken.
    async fn chat(&mut self, chat: &Chat) {
        let (journal, text) = (self.world.journal.clone(), text(&self.world, chat, &mut self.dice));
        let id = format!("k{}", journal.number());
        let event = event(chat, &id);
        let mut wait = self.dice.permille(250);
        loop {
            journal.sends(chat, &event, &text);
            journal.waits(&event, wait);
            let body = json!({"text": text, "chat": chat.name, "wait": wait});
            match self.post("/api/chat", &id, &body).await {
                Came::Taken(answer) => {
                    journal.accepts(&event, answer["message"].as_str());
                    if wait && let Some(script) = Script::read(&text) {
                        let said = answer["text"].as_str().unwrap_or_default();
                        if said != script.answer() {
                            journal.wrong(format!("{event} waited and heard {said:?}"));
                        }
                    }
                    return;
                }
                Came::Again => clock::pause_ms(5).await,
                // The next request asks only whether it was taken.
                Came::Failed(_, _) if wait => wait = false,
                Came::Failed(status, answer) => {
                    return journal.wrong(format!("{event} was refused: {status} {answer}"));
                }
            }
        }
    }

    /// A text for a chat of the platform, on the operator's account.
    async fn dispatch(&mut self) {
        let journal = self.world.journal.clone();
        let key = format!("d{}", journal.number());
        let text = format!("{}-{key} sent by an operator", self.world.mark);
        journal.book().dispatches.insert(key.clone(), (text.clone(), false));
        let body = json!({"to": "lab:desk", "text": text});
        loop {
            match self.post("/api/send", &key, &body).await {
                Came::Taken(_) => {
                    journal.book().dispatches.insert(key, (text, true));
                    return;
                }
                Came::Again => clock::pause_ms(5).await,
                Came::Failed(status, answer) => {
                    return journal.wrong(format!("send {key} was refused: {status} {answer}"));
                }
            }
        }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Came {
        let address = self.world.address().await;
        let request = self
            .http
            .post(format!("http://{address}{path}"))
            .bearer_auth(self.world.token())
            .header("Idempotency-Key", key)
            .json(body);
        let Ok(response) = request.send().await else { return Came::Again };
        let status = response.status();
        let Ok(answer) = response.json::<Value>().await else { return Came::Again };
        match status.as_u16() {
            200..=299 => Came::Taken(answer),
            429 | 503 => Came::Again,
            409 if answer["error"]["code"] == "in_progress" => Came::Again,
            status => Came::Failed(status, answer),
        }
    }
}
