//! What clients outside of the chats have handed over: background tasks, scheduled jobs, and events of other programs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Place;
use crate::clock;
use crate::script::Script;

/// Something that was handed over by a request with a key, which is repeated until it was acknowledged, and at times after
/// that.
#[derive(Debug, Clone)]
pub struct Request {
    /// The chat that gets the result, and whose name is in the tag.
    pub place: Arc<Place>,
    pub script: Script,
    /// Every time that it was sent.
    pub sent: Vec<i64>,
    /// When it was first acknowledged.
    pub accepted: Option<i64>,
    /// The id that the gateway has told: of a task, a job or a message.
    pub told: Option<String>,
}

/// What the receiver of webhooks got.
#[derive(Debug, Clone)]
pub struct WebhookPost {
    pub at: i64,
    /// `X-Frontdesk-Delivery`
    pub delivery: String,
    pub is_signed: bool,
    pub body: String,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// `POST /api/tasks`
    Task,
    /// `POST /api/tasks/ID/retry`
    Retry,
    /// `POST /api/cron/jobs`
    Job,
    /// An event that an agent works on.
    Event,
    /// An event that is sent as it is.
    News,
}

#[derive(Debug, Clone, Default)]
pub struct Work {
    /// By kind and key.
    pub requests: BTreeMap<(RequestKind, String), Request>,
    /// The scripts of the jobs of the configuration and of the heartbeat, by the job, with the chat that gets the results.
    pub configured: BTreeMap<String, (Script, Arc<Place>)>,
    /// Jobs that a client has begun to remove.
    pub removed: BTreeSet<String>,
    /// The tasks that a client has asked to cancel.
    pub cancelled: BTreeSet<String>,
    /// The runs that a client has asked for and was told of, with their jobs.
    pub runs: BTreeMap<String, String>,
    /// The number of requests for a run, by job.
    pub asked_runs: BTreeMap<String, usize>,
    pub webhooks: Vec<WebhookPost>,
}

impl Work {
    /// Records that a request is sent, for the first time or again.
    pub fn sent(&mut self, kind: RequestKind, key: &str, place: &Arc<Place>, script: &Script) {
        let request = || Request {
            place: place.clone(),
            script: script.clone(),
            sent: Vec::new(),
            accepted: None,
            told: None,
        };
        let known = self.requests.entry((kind, key.to_owned())).or_insert_with(request);
        known.sent.push(clock::now());
    }

    /// A request was acknowledged with an id. Returns what is wrong with that.
    pub fn accepted(&mut self, kind: RequestKind, key: &str, told: Option<&str>) -> Option<String> {
        let request = self.requests.get_mut(&(kind, key.to_owned()))?;
        let told = told.map(str::to_owned);
        if request.accepted.is_none() {
            (request.accepted, request.told) = (Some(clock::now()), told);
            return None;
        }
        (request.told != told)
            .then(|| format!("O1: {kind:?} {key} was accepted as {:?} and later as {told:?}", request.told))
    }

    /// A request was refused because its time was over: nothing follows from it. Returns what is wrong with that.
    pub fn withdrawn(&mut self, kind: RequestKind, key: &str) -> Option<String> {
        let known = self.requests.remove(&(kind, key.to_owned()))?;
        known.accepted.map(|_| format!("O1: {kind:?} {key} was accepted and later refused"))
    }

    /// The requests of one kind.
    pub fn of(&self, kind: RequestKind) -> impl Iterator<Item = (&str, &Request)> {
        let of_kind = self.requests.iter().filter(move |((found, _), _)| *found == kind);
        of_kind.map(|((_, key), request)| (key.as_str(), request))
    }

    /// The number of requests that were not acknowledged.
    pub fn unaccepted(&self) -> usize {
        self.requests.values().filter(|request| request.accepted.is_none()).count()
    }

    /// Every script with its chat.
    pub fn scripts(&self) -> impl Iterator<Item = (&Script, &Arc<Place>)> {
        let requested = self.requests.values().map(|request| (&request.script, &request.place));
        requested.chain(self.configured.values().map(|(script, place)| (script, place)))
    }
}
