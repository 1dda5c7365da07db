//! HTTP clients: a request that was cut off is made again with the same idempotency key.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::{event, next_text};
use crate::channel::api::{Api, Response};
use crate::clock;
use crate::harness::Harness;
use crate::journal::{OperatorSend, Place};
use crate::random::Random;
use crate::script::Script;

/// Makes one request at a time.
pub struct Client {
    harness: Arc<Harness>,
    place: Arc<Place>,
    recipient: Arc<Place>,
    random: Random,
    api: Api,
}

impl Client {
    pub fn new(harness: Arc<Harness>, place: Arc<Place>, recipient: Arc<Place>, random: Random) -> Self {
        Self { api: Api::new(harness.clone()), harness, place, recipient, random }
    }

    pub async fn run(mut self) {
        loop {
            self.harness.pause(&mut self.random, 10, 120).await;
            if self.random.permille(120) {
                self.operator_send().await;
            } else {
                self.chat().await;
            }
        }
    }

    /// Sends one message until it is taken.
    async fn chat(&mut self) {
        let text = next_text(&self.harness, &self.place, &mut self.random);
        let order = self.harness.number();
        let id = format!("k{order}");
        let mut wait = self.random.permille(250);
        loop {
            let mut event = event(&self.place, &id, order, &text);
            let key = event.key();
            event.waits = wait;
            self.harness.journal().sent(event);
            let body = json!({"text": text, "chat": self.place.name, "wait": wait});
            match self.post("/api/chat", &id, &body).await {
                Response::Taken(answer) => {
                    let mut journal = self.harness.journal();
                    journal.accepted(&key, answer["message"].as_str());
                    let right = Script::read(&text).map(|script| script.answer());
                    let answer = answer["text"].as_str();
                    let is_right = |right: String| {
                        answer.is_some_and(|answer| self.harness.kind.is_same(&right, answer))
                    };
                    if wait && !right.is_none_or(is_right) {
                        journal.wrong.push(format!("O2: {key} waited and was answered {answer:?}"));
                    }
                    return;
                }
                Response::Again => clock::sleep_ms(5).await,
                // The next request only asks whether the message was taken.
                Response::Refused(..) if wait => wait = false,
                Response::Refused(status, answer) => {
                    return self.wrong(format!("O1: {key} was refused: {status} {answer}"));
                }
            }
        }
    }

    /// Sends a text to a chat of another channel, as an operator does.
    async fn operator_send(&mut self) {
        let key = format!("d{}", self.harness.number());
        let text = format!("{} sent by an operator", self.harness.tag(&self.recipient));
        let send = OperatorSend { address: self.recipient.address.clone(), text, taken: false };
        let body = json!({"to": send.address, "text": send.text});
        self.harness.journal().operator_sends.insert(key.clone(), send);
        loop {
            match self.post("/api/send", &key, &body).await {
                Response::Taken(_) => {
                    if let Some(send) = self.harness.journal().operator_sends.get_mut(&key) {
                        send.taken = true;
                    }
                    return;
                }
                Response::Again => clock::sleep_ms(5).await,
                Response::Refused(status, answer) => {
                    return self.wrong(format!("O1: send {key} was refused: {status} {answer}"));
                }
            }
        }
    }

    fn wrong(&self, what: String) {
        self.harness.journal().wrong.push(what);
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        self.api.request(Method::POST, path, Some(key), body).await
    }
}
