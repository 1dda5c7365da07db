//! `GET /api/events`: what happens, as server-sent events. With a session it sends the session's frames, as the WebSocket
//! does; without one, what the gateway does, for admins who watch it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use frontdesk_core::access::Action;
use frontdesk_core::key::SessionKey;
use frontdesk_runtime::{Activity, Step};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::endpoint::session;
use crate::error::ApiError;
use crate::frame::{FrameKind, ServerFrame};
use crate::hub::Subscriber;
use crate::prompt;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::show;
use crate::sse::{KEEP_ALIVE, event, numbered, response};
use crate::token::{Caller, Scope};

/// How often something is sent at least, so that proxies do not take the connection for dead.
const QUIET: Duration = Duration::from_secs(15);
/// How often the state of the accounts is compared with the one that was sent.
const LOOK: Duration = Duration::from_secs(2);
/// Maximum number and bytes of stored frames that are read at once.
const PAGE: (u32, usize) = (100, 128 * 1024);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// The key of a session, whose frames are sent. Without it, what the gateway does is sent.
    session: Option<String>,
    /// The number after which to begin, as `Last-Event-ID`, which browsers send by themselves.
    after: Option<u64>,
}

/// Sends what happens, as server-sent events: the frames of a session, or for admins what the gateway does.
#[utoipa::path(get, path = "/api/events", params(EventsQuery), responses((status = 200, description = "Events as they come", content_type = "text/event-stream", body = String), (status = 404)))]
pub(crate) async fn events(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: EventsQuery = request.query()?;
    let after = last_event(&request.parts.headers)?.or(query.after);
    let (server, caller) = (request.server.clone(), request.caller()?.clone());
    let Some(key) = query.session else {
        let watched = Watched::new(&server, caller, None);
        watched.check()?;
        let newest = *server.handle.last_activity().borrow();
        // A client that counts further has seen another run of the program.
        let last = after.filter(|after| *after <= newest).unwrap_or(newest);
        let stream = Gateway { watched, last, accounts: BTreeMap::new(), pending: VecDeque::new() };
        let all = stream::unfold(stream, async |mut stream| Some((stream.next().await?, stream)));
        return Ok(ApiResponse::Other(response(all)));
    };
    let key = session::key(&key)?;
    let watched = Watched::new(&server, caller, Some(key.clone()));
    watched.check()?;
    let mut subscriber = server.hub.subscriber();
    subscriber.subscribe(key.clone(), prompt::address_of(&key));
    let newest = server.handle.store().session(&key).await?.map_or(0, |row| row.seq);
    subscriber.follow(&key);
    let last = after.unwrap_or(newest).min(newest);
    let pending = VecDeque::new();
    let stream = Session { watched, session: key, subscriber, last, is_behind: last < newest, pending };
    let all = stream::unfold(stream, async |mut stream| Some((stream.next().await?, stream)));
    Ok(ApiResponse::Other(response(all)))
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| ApiError::bad_request("Last-Event-ID is the id of an event, a number"))
}

/// Whether the caller may still watch.
struct Watched {
    server: Arc<ServerState>,
    caller: Caller,
    /// The session that is watched; otherwise the gateway is.
    session: Option<SessionKey>,
    tokens: watch::Receiver<u64>,
    access: watch::Receiver<u64>,
}

impl Watched {
    fn new(server: &Arc<ServerState>, caller: Caller, session: Option<SessionKey>) -> Self {
        let (tokens, access) = (server.tokens.watch(), server.handle.access_changed());
        Self { server: server.clone(), caller, session, tokens, access }
    }

    /// Checks what the access rules say now.
    fn check(&self) -> Result<(), ApiError> {
        match &self.session {
            Some(session) => self.server.authorize_session(&self.caller, Scope::Read, session),
            None => self.server.authorize(&self.caller, Scope::Read, Action::Administer),
        }
    }

    /// Whether the token is valid and its holder may still read.
    fn may_read(&self) -> bool {
        self.server.is_valid(&self.caller) && self.check().is_ok()
    }

    /// Returns when the stream has to end: the gateway stops, or the caller may not read any more.
    async fn ended(&mut self) {
        while self.may_read() {
            let changed = tokio::select! {
                () = self.server.stop.cancelled() => return,
                changed = self.tokens.changed() => changed,
                changed = self.access.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
        }
    }
}

/// The frames of one session.
struct Session {
    watched: Watched,
    session: SessionKey,
    subscriber: Subscriber,
    /// The number of the last stored frame that was sent.
    last: u64,
    /// Whether stored frames are missing before the next one that arrives.
    is_behind: bool,
    pending: VecDeque<String>,
}

impl Session {
    /// The next text to send; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            // Also while there is much to send: a slow client must not be sent the rest.
            if !self.watched.may_read() {
                return None;
            }
            if let Some(text) = self.pending.pop_front() {
                return Some(text);
            }
            if self.is_behind {
                self.read_page().await?;
                continue;
            }
            let queue = self.subscriber.queue.clone();
            if queue.is_overrun() {
                // The client connects again, and says how far it has come.
                return None;
            }
            if let Some(frame) = queue.pop(u64::MAX) {
                self.take(&frame);
                continue;
            }
            let server = self.watched.server.clone();
            tokio::select! {
                () = self.watched.ended() => return None,
                () = queue.changed() => {}
                () = server.pause(QUIET) => return Some(KEEP_ALIVE.to_owned()),
            }
        }
    }

    fn take(&mut self, frame: &ServerFrame) {
        match frame.seq {
            0 => self.push(frame),
            seq if seq <= self.last => {}
            seq if seq > self.last + 1 || frame.kind == FrameKind::Stored => self.is_behind = true,
            _ => self.push(frame),
        }
    }

    fn push(&mut self, frame: &ServerFrame) {
        let Watched { server, caller, .. } = &self.watched;
        let json = frame.json_for(|audience| server.may_answer(caller, audience)).as_str();
        self.pending.push_back(match frame.seq {
            0 => event(frame.event_name(), json),
            seq => {
                self.last = seq;
                numbered(seq, frame.event_name(), json)
            }
        });
    }

    /// Reads the next stored frames. `None` if that is not possible now.
    async fn read_page(&mut self) -> Option<()> {
        let server = self.watched.server.clone();
        let (store, (rows, bytes)) = (server.handle.store(), PAGE);
        let read = |most| store.frames_page(&self.session, self.last, rows, most);
        let (page, _reserved) = server.page(bytes, read).await.ok()?;
        self.is_behind = page.more || page.rows.len() >= rows as usize;
        for row in page.rows {
            let frame = ServerFrame::post(row.post);
            self.push(&frame);
        }
        Some(())
    }
}

/// What the gateway does.
struct Gateway {
    watched: Watched,
    /// The number of the last step that was sent.
    last: u64,
    /// The accounts as they were sent.
    accounts: BTreeMap<String, Value>,
    pending: VecDeque<String>,
}

impl Gateway {
    async fn next(&mut self) -> Option<String> {
        let mut quiet = Duration::ZERO;
        loop {
            if !self.watched.may_read() {
                return None;
            }
            if let Some(text) = self.pending.pop_front() {
                return Some(text);
            }
            self.look();
            if !self.pending.is_empty() {
                continue;
            }
            if quiet >= QUIET {
                return Some(KEEP_ALIVE.to_owned());
            }
            let server = self.watched.server.clone();
            let mut newest = server.handle.last_activity();
            tokio::select! {
                () = self.watched.ended() => return None,
                changed = newest.wait_for(|newest| *newest > self.last) => drop(changed.ok()?),
                () = server.pause(LOOK) => quiet += LOOK,
            }
        }
    }

    /// Adds what is new.
    fn look(&mut self) {
        let handle = &self.watched.server.handle;
        for account in handle.accounts() {
            let (id, shown) = (account.id.to_string(), json!(show::status::Account::from(&account)));
            let is_same =
                |known: &Value| ["ready", "state", "error"].iter().all(|name| known[name] == shown[name]);
            if !self.accounts.get(&id).is_some_and(is_same) {
                self.pending.push_back(event("account", &shown.to_string()));
                self.accounts.insert(id, shown);
            }
        }
        let (steps, is_missing) = handle.activity_after(self.last);
        if is_missing {
            self.pending.push_back(event("gap", &json!({"type": "gap"}).to_string()));
        }
        for Step { number, at, activity } in steps {
            let (name, mut body) = described(&activity);
            body["type"] = name.into();
            body["at"] = show::time(at).into();
            self.pending.push_back(numbered(number, name, &body.to_string()));
            self.last = number;
        }
    }
}

fn described(activity: &Activity) -> (&'static str, Value) {
    match activity {
        Activity::Received { account, outcome, message, session } => (
            "message",
            json!({
                "account": account.to_string(), "outcome": outcome,
                "message": message.map(|id| id.to_string()), "session": session.as_ref().map(SessionKey::as_str),
            }),
        ),
        Activity::TurnBegan { turn, session } => {
            ("turn", json!({"turn": turn.to_string(), "session": session.as_str(), "state": "running"}))
        }
        Activity::TurnEnded { turn, session, seconds } => (
            "turn",
            json!({"turn": turn.to_string(), "session": session.as_str(), "state": "ended", "seconds": seconds}),
        ),
        Activity::Sent { part, account, outcome, cause } => (
            "part",
            json!({"part": part.to_string(), "account": account.to_string(), "outcome": outcome, "cause": cause}),
        ),
    }
}
