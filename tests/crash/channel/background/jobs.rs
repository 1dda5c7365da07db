//! A program that makes scheduled jobs, runs, pauses, resumes and removes them, and those of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::Shared;
use crate::channel::api::{Api, Response};
use crate::clock;
use crate::journal::RequestKind;
use crate::random::Random;
use crate::script::Script;

/// The job that the configuration of the heartbeat makes.
pub const HEARTBEAT: &str = "heartbeat";
/// How many jobs there are at once besides those of the configuration.
const MOST: usize = 5;

pub async fn client(shared: Arc<Shared>, mut random: Random) {
    let mut client = Client { api: Api::new(shared.harness.clone()), shared, made: BTreeMap::new() };
    loop {
        if client.shared.harness.is_quiet() {
            client.rests().await;
        }
        // Shorter than `Harness::pause`, which would wait while everything rests.
        clock::sleep_ms(random.range(80, 500)).await;
        if !client.shared.harness.is_quiet() {
            client.acts(&mut random).await;
        }
    }
}

struct Client {
    shared: Arc<Shared>,
    api: Api,
    /// The jobs that it has made and not removed: key and body by id.
    made: BTreeMap<String, (String, Value)>,
}

impl Client {
    /// Pauses every job until things may happen again.
    async fn rests(&mut self) {
        for job in self.ids() {
            self.control(&job, "pause").await;
        }
        self.shared.is_resting.store(true, Ordering::Relaxed);
        while self.shared.harness.is_quiet() {
            clock::sleep_ms(20).await;
        }
        self.shared.is_resting.store(false, Ordering::Relaxed);
        self.resumes_all().await;
    }

    async fn resumes_all(&mut self) {
        for job in self.ids() {
            self.control(&job, "resume").await;
        }
    }

    fn ids(&self) -> Vec<String> {
        let configured = self.shared.jobs.iter().map(|job| job.id.to_owned());
        configured.chain([HEARTBEAT.to_owned()]).chain(self.made.keys().cloned()).collect()
    }

    async fn acts(&mut self, random: &mut Random) {
        let ids = self.ids();
        let job = &ids[random.index(ids.len())];
        match random.range(0, 99) {
            0..=34 => self.runs(job).await,
            35..=44 => self.control(job, "pause").await,
            45..=54 => self.control(job, "resume").await,
            // Jobs that have failed too often are disabled: without this, soon none would be active.
            55..=64 => self.resumes_all().await,
            65..=84 if self.made.len() < MOST => self.makes(random).await,
            85..=91 => self.repeats(random).await,
            _ => self.removes(random).await,
        }
    }

    /// Pauses or resumes a job. It may be in that state already, or over.
    async fn control(&self, job: &str, verb: &str) {
        let path = format!("/api/cron/jobs/{job}/{verb}");
        loop {
            match self.api.request(Method::POST, &path, None, &json!({})).await {
                Response::Again => clock::sleep_ms(5).await,
                Response::Taken(_) | Response::Refused(409, _) => return,
                // Its only time has passed.
                Response::Refused(400, _) if self.is_at_one_time(job) => return,
                Response::Refused(status, answer) => {
                    return self.wrong(format!("jobs: {job} was to {verb}: {status} {answer}"));
                }
            }
        }
    }

    fn is_at_one_time(&self, job: &str) -> bool {
        self.made.get(job).is_some_and(|(_, body)| body["schedule"]["kind"] == "at")
    }

    /// Runs a job now. A repetition after a lost response may be a second run, or is refused while the first one goes on.
    async fn runs(&self, job: &str) {
        let path = format!("/api/cron/jobs/{job}/run");
        loop {
            *self.shared.harness.journal().work.asked_runs.entry(job.to_owned()).or_default() += 1;
            match self.api.request(Method::POST, &path, None, &json!({})).await {
                Response::Again => clock::sleep_ms(5).await,
                Response::Taken(answer) => {
                    let run = answer["run"].as_str().unwrap_or_default().to_owned();
                    self.shared.harness.journal().work.runs.insert(run, job.to_owned());
                    return;
                }
                Response::Refused(409, _) => return,
                Response::Refused(status, answer) => {
                    return self.wrong(format!("jobs: {job} was to run: {status} {answer}"));
                }
            }
        }
    }

    async fn makes(&mut self, random: &mut Random) {
        let place = &self.shared.chats.jobs;
        let script = Script::in_background(self.shared.harness.tag(place), random);
        let schedule = match random.range(0, 9) {
            0..=2 => {
                let at = clock::now() + random.range(500, 4000).cast_signed();
                let at = DateTime::<Utc>::from_timestamp_millis(at).unwrap_or_default();
                json!({"kind": "at", "expr": at.to_rfc3339()})
            }
            seconds => json!({"kind": "every", "expr": format!("{}s", seconds - 1)}),
        };
        let missed = ["run_once", "skip", "all"][random.index(3)];
        let overlap = ["skip", "queue"][random.index(2)];
        let body = json!({
            "schedule": schedule, "task": script.text(), "missed": missed, "overlap": overlap,
            "delivery": {"mode": "announce", "to": place.address},
        });
        let key = format!("j{}", self.shared.harness.number());
        if let Some(id) = self.sent(&key, &script, &body).await {
            self.made.insert(id, (key, body));
        }
    }

    /// Asks for a job until it is there; returns its id.
    async fn sent(&self, key: &str, script: &Script, body: &Value) -> Option<String> {
        let kind = RequestKind::Job;
        loop {
            self.shared.harness.journal().work.sent(kind, key, &self.shared.chats.jobs, script);
            match self.api.request(Method::POST, "/api/cron/jobs", Some(key), body).await {
                Response::Taken(answer) => {
                    let mut journal = self.shared.harness.journal();
                    let wrong = journal.work.accepted(kind, key, answer["id"].as_str());
                    journal.wrong.extend(wrong);
                    return answer["id"].as_str().map(str::to_owned);
                }
                Response::Again => clock::sleep_ms(5).await,
                // Its only time has passed before a request arrived.
                Response::Refused(_, _) if body["schedule"]["kind"] == "at" => {
                    let mut journal = self.shared.harness.journal();
                    let wrong = journal.work.withdrawn(kind, key);
                    journal.wrong.extend(wrong);
                    return None;
                }
                Response::Refused(status, answer) => {
                    self.wrong(format!("O1: job {key} was refused: {status} {answer}"));
                    return None;
                }
            }
        }
    }

    /// The same request once more, long after it was taken.
    async fn repeats(&self, random: &mut Random) {
        let made: Vec<&(String, Value)> = self.made.values().collect();
        if made.is_empty() {
            return;
        }
        let (key, body) = made[random.index(made.len())];
        if let Some(script) = body["task"].as_str().and_then(Script::read) {
            self.sent(key, &script, body).await;
        }
    }

    async fn removes(&mut self, random: &mut Random) {
        let ids: Vec<String> = self.made.keys().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let id = &ids[random.index(ids.len())];
        self.made.remove(id);
        self.shared.harness.journal().work.removed.insert(id.clone());
        let path = format!("/api/cron/jobs/{id}");
        loop {
            match self.api.request(Method::DELETE, &path, None, &json!({})).await {
                Response::Again => clock::sleep_ms(5).await,
                // A request whose response was lost has removed it.
                Response::Taken(_) | Response::Refused(404, _) => return,
                Response::Refused(status, answer) => {
                    return self.wrong(format!("jobs: {id} was to be removed: {status} {answer}"));
                }
            }
        }
    }

    fn wrong(&self, what: String) {
        self.shared.harness.journal().wrong.push(what);
    }
}
