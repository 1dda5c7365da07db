//! A program that hands over tasks, cancels some and runs others again. A request whose response was lost is made again.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::Shared;
use crate::channel::api::{Api, Response};
use crate::clock;
use crate::journal::RequestKind;
use crate::random::Random;
use crate::script::{Script, Task};

pub async fn client(shared: Arc<Shared>, mut random: Random) {
    let mut client = Client { api: Api::new(shared.harness.clone()), shared, recent: Vec::new() };
    loop {
        client.shared.harness.pause(&mut random, 120, 600).await;
        match random.range(0, 99) {
            0..=59 => client.submit(&mut random).await,
            60..=79 => client.cancel(&mut random).await,
            80..=89 => client.retry(&mut random).await,
            _ => client.repeat(&mut random).await,
        }
    }
}

struct Client {
    shared: Arc<Shared>,
    api: Api,
    /// The last submissions: key, body, and the task that was made.
    recent: Vec<(String, Value, String)>,
}

impl Client {
    async fn submit(&mut self, random: &mut Random) {
        let place = &self.shared.chats.tasks;
        let script = Script::in_background(self.shared.harness.tag(place), random);
        let key = format!("b{}", self.shared.harness.number());
        let mut body = json!({"text": script.text()});
        // The others only wait to be fetched, which files cannot.
        if matches!(script.task, Task::Send { .. }) || random.permille(800) {
            body["to"] = json!(place.address);
        }
        if let Some(task) = self.sent("/api/tasks", (RequestKind::Task, &key), &script, &body).await {
            self.recent.push((key, body, task));
            if self.recent.len() > 8 {
                self.recent.remove(0);
            }
        }
    }

    /// Makes a request until it is taken; returns the task.
    async fn sent(
        &self,
        path: &str,
        (kind, key): (RequestKind, &str),
        script: &Script,
        body: &Value,
    ) -> Option<String> {
        loop {
            self.shared.harness.journal().work.sent(kind, key, &self.shared.chats.tasks, script);
            match self.api.request(Method::POST, path, Some(key), body).await {
                Response::Taken(answer) => {
                    let told = answer["task"].as_str().or(answer["id"].as_str());
                    let mut journal = self.shared.harness.journal();
                    let wrong = journal.work.accepted(kind, key, told);
                    journal.wrong.extend(wrong);
                    return told.map(str::to_owned);
                }
                Response::Again => clock::sleep_ms(5).await,
                // The task that is to run again has not ended.
                Response::Refused(409, answer) if answer["error"]["code"] == "task_open" => {
                    let mut journal = self.shared.harness.journal();
                    let wrong = journal.work.withdrawn(kind, key);
                    journal.wrong.extend(wrong);
                    return None;
                }
                Response::Refused(status, answer) => {
                    let wrong = format!("O1: {kind:?} {key} was refused: {status} {answer}");
                    self.shared.harness.journal().wrong.push(wrong);
                    return None;
                }
            }
        }
    }

    /// The same request once more, long after it was taken.
    async fn repeat(&mut self, random: &mut Random) {
        if self.recent.is_empty() {
            return;
        }
        let (key, body, _) = self.recent[random.index(self.recent.len())].clone();
        let Some(script) = body["text"].as_str().and_then(Script::read) else { return };
        self.sent("/api/tasks", (RequestKind::Task, &key), &script, &body).await;
    }

    async fn cancel(&mut self, random: &mut Random) {
        if self.recent.is_empty() {
            return;
        }
        // Mostly the last one, which may not have ended.
        let last = self.recent.len() - 1;
        let index = if random.permille(700) { last } else { random.index(last + 1) };
        let (_, _, task) = self.recent[index].clone();
        self.shared.harness.journal().work.cancelled.insert(task.clone());
        let path = format!("/api/tasks/{task}/cancel");
        loop {
            match self.api.request(Method::POST, &path, None, &json!({})).await {
                Response::Again => clock::sleep_ms(5).await,
                Response::Taken(answer) if answer["state"] == "cancelled" => return,
                Response::Refused(409, answer) if answer["error"]["code"] == "task_ended" => return,
                Response::Taken(answer) | Response::Refused(_, answer) => {
                    let wrong = format!("tasks: {task} was to be cancelled: {answer}");
                    return self.shared.harness.journal().wrong.push(wrong);
                }
            }
        }
    }

    async fn retry(&mut self, random: &mut Random) {
        if self.recent.is_empty() {
            return;
        }
        let (_, body, task) = self.recent[random.index(self.recent.len())].clone();
        let Some(script) = body["text"].as_str().and_then(Script::read) else { return };
        let key = format!("again{}", self.shared.harness.number());
        let path = format!("/api/tasks/{task}/retry");
        self.sent(&path, (RequestKind::Retry, &key), &script, &json!({})).await;
    }
}
