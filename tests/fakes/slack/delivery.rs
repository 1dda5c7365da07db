//! What apps are sent: over one of their sockets or to their address, again until they acknowledge it, three times at
//! most.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_fakes::Shared;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::task::JoinSet;

use crate::world::{Frame, Install, World};

/// How long an app may take to acknowledge.
const ACKNOWLEDGED_MS: i64 = 3_000;
/// The pauses before an event comes again. A command or a button does not come again.
const PAUSES_MS: [i64; 3] = [0, 60_000, 300_000];

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Event,
    Command,
    Interactive,
    /// The proof of an address.
    Challenge,
}

#[derive(Debug, Clone)]
pub struct Envelope {
    number: i64,
    pub app: String,
    pub bot: String,
    pub way: Way,
    pub channel: String,
    pub payload: Value,
    attempt: usize,
    /// When something is to happen to it next.
    due: Option<i64>,
    /// Whether the app has it and is expected to acknowledge it.
    waits: bool,
    /// Why the last attempt failed.
    reason: &'static str,
    is_over: bool,
    /// What the app acknowledged it with.
    pub answer: Option<Value>,
}

#[derive(Debug, Default)]
pub struct Deliveries {
    pub envelopes: HashMap<i64, Envelope>,
    /// When something is to happen to which envelope.
    due: BTreeSet<(i64, i64)>,
    /// Envelopes by the ids that sockets know; each attempt has its own.
    ids: HashMap<String, i64>,
    last: i64,
}

impl Deliveries {
    /// Says when something is to happen next to an envelope, or that nothing is.
    fn schedule(&mut self, number: i64, at: Option<i64>) {
        let Some(envelope) = self.envelopes.get_mut(&number) else { return };
        if let Some(before) = std::mem::replace(&mut envelope.due, at) {
            self.due.remove(&(before, number));
        }
        self.due.extend(at.map(|at| (at, number)));
    }
}

/// A request to an app's address.
pub struct Post {
    number: i64,
    attempt: usize,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// How a post ended: the status, whether the app wants no repetition, and the body.
type End = Result<(u16, bool, Vec<u8>), &'static str>;

impl World {
    /// Queues something for an app; returns its number.
    pub fn queue(&mut self, install: &Install, way: Way, channel: &str, payload: Value) -> i64 {
        self.deliveries.last += 1;
        let (number, now) = (self.deliveries.last, self.now_ms());
        let envelope = Envelope {
            number,
            app: install.app.clone(),
            bot: install.user.clone(),
            way,
            channel: channel.to_owned(),
            payload,
            attempt: 0,
            due: None,
            waits: false,
            reason: "",
            is_over: false,
            answer: None,
        };
        self.common.journal.arrived(install.user.clone(), number, channel.to_owned(), now);
        self.deliveries.envelopes.insert(number, envelope);
        self.deliveries.schedule(number, Some(now));
        number
    }

    /// Does what is due; returns the requests to make, when something is due next, and whether anything happened.
    fn pump(&mut self, now: i64) -> (Vec<Post>, Option<i64>, bool) {
        let (mut posts, mut happened) = (Vec::new(), false);
        while let Some((at, number)) = self.deliveries.due.first().copied().filter(|(at, _)| *at <= now) {
            self.deliveries.schedule(number, None);
            happened = true;
            match self.deliveries.envelopes.get(&number).map(|envelope| envelope.waits) {
                Some(true) => self.fail(number, "http_timeout", at),
                Some(false) => posts.extend(self.deliver(number, now)),
                None => {}
            }
        }
        (posts, self.deliveries.due.first().map(|(at, _)| *at), happened)
    }

    fn deliver(&mut self, number: i64, now: i64) -> Option<Post> {
        let envelope = self.deliveries.envelopes.get(&number).filter(|envelope| !envelope.is_over)?.clone();
        let app = self.apps.get(&envelope.app)?;
        let sent = match &app.request_url {
            Some((url, proved)) if *proved || envelope.way == Way::Challenge => {
                let post = post(&envelope, url, &app.secret, now / 1000);
                self.sent(&envelope, now, frontdesk_fakes::Way::Webhook);
                return Some(post);
            }
            Some(_) => false,
            None => self.send_over_socket(&envelope),
        };
        if sent {
            self.sent(&envelope, now, frontdesk_fakes::Way::Socket);
        } else {
            self.fail(number, "connection_failed", now);
        }
        None
    }

    /// Any of the app's sockets gets it.
    fn send_over_socket(&mut self, envelope: &Envelope) -> bool {
        let id = self.secret();
        let Some(app) = self.apps.get(&envelope.app) else { return false };
        let at = self.common.random.below(app.sockets.len() as u64);
        let Some(socket) = app.sockets.values().nth(usize::try_from(at).unwrap_or_default()) else {
            return false;
        };
        let kind = match envelope.way {
            Way::Command => "slash_commands",
            Way::Interactive => "interactive",
            Way::Event | Way::Challenge => "events_api",
        };
        let is_event = kind == "events_api";
        let mut frame = json!({
            "envelope_id": id, "type": kind, "payload": envelope.payload, "accepts_response_payload": !is_event,
        });
        if is_event {
            frame["retry_attempt"] = envelope.attempt.into();
            frame["retry_reason"] = if envelope.attempt == 0 { "" } else { "timeout" }.into();
        }
        self.deliveries.ids.insert(id, envelope.number);
        socket.send(Frame::Text(frame.to_string())).is_ok()
    }

    fn sent(&mut self, envelope: &Envelope, now: i64, way: frontdesk_fakes::Way) {
        self.common.journal.delivered(envelope.bot.clone(), envelope.number, now, way);
        if let Some(envelope) = self.deliveries.envelopes.get_mut(&envelope.number) {
            envelope.waits = true;
        }
        self.deliveries.schedule(envelope.number, Some(now + ACKNOWLEDGED_MS));
    }

    fn fail(&mut self, number: i64, reason: &'static str, now: i64) {
        let Some(envelope) = self.deliveries.envelopes.get_mut(&number).filter(|envelope| !envelope.is_over)
        else {
            return;
        };
        (envelope.waits, envelope.reason) = (false, reason);
        match PAUSES_MS.get(envelope.attempt).filter(|_| envelope.way == Way::Event) {
            Some(pause) => {
                envelope.attempt += 1;
                self.deliveries.schedule(number, Some(now + pause));
            }
            None => {
                envelope.is_over = true;
                self.common.journal.expired(&envelope.bot, &[number]);
                self.deliveries.schedule(number, None);
            }
        }
    }

    /// An app acknowledges what a socket brought. An id that nobody knows means nothing.
    pub fn acknowledge(&mut self, id: &str, answer: Value) {
        if let Some(number) = self.deliveries.ids.get(id).copied() {
            self.taken(number, answer);
        }
    }

    fn taken(&mut self, number: i64, answer: Value) {
        let now = self.now_ms();
        let Some(envelope) = self.deliveries.envelopes.get_mut(&number).filter(|envelope| !envelope.is_over)
        else {
            return;
        };
        (envelope.is_over, envelope.waits, envelope.answer) = (true, false, Some(answer));
        self.common.journal.confirmed(&envelope.bot, &[number], now);
        let envelope = envelope.clone();
        self.deliveries.schedule(number, None);
        self.answered(&envelope);
    }

    fn posted(&mut self, number: i64, attempt: usize, end: End) {
        let now = self.now_ms();
        let current = self.deliveries.envelopes.get(&number).filter(|envelope| envelope.attempt == attempt);
        let Some(way) = current.filter(|envelope| envelope.waits).map(|envelope| envelope.way) else {
            return;
        };
        match end {
            Ok((200..300, _, body)) => {
                let text = String::from_utf8_lossy(&body).into_owned();
                let plain = match way {
                    Way::Command if !text.is_empty() => json!({"text": text}),
                    Way::Challenge => json!({"challenge": text}),
                    _ => json!({}),
                };
                self.taken(number, serde_json::from_slice(&body).unwrap_or(plain));
            }
            Ok((_, true, _)) => {
                self.deliveries
                    .envelopes
                    .entry(number)
                    .and_modify(|envelope| envelope.attempt = PAUSES_MS.len());
                self.fail(number, "http_error", now);
            }
            Ok(_) => self.fail(number, "http_error", now),
            Err(reason) => self.fail(number, reason, now),
        }
    }

    /// Drops everything that waits.
    pub fn forget_waiting(&mut self) {
        for (_, number) in self.deliveries.due.clone() {
            self.deliveries.schedule(number, None);
            if let Some(envelope) = self.deliveries.envelopes.get_mut(&number) {
                envelope.is_over = true;
                self.common.journal.expired(&envelope.bot, &[number]);
                self.deliveries.schedule(number, None);
            }
        }
    }

    /// Delivers something once more, acknowledged or not.
    pub fn deliver_again(&mut self, number: i64) -> bool {
        let now = self.now_ms();
        let Some(envelope) = self.deliveries.envelopes.get_mut(&number) else { return false };
        (envelope.is_over, envelope.waits) = (false, false);
        envelope.attempt = envelope.attempt.max(1);
        self.deliveries.schedule(number, Some(now));
        true
    }
}

/// A signed request to an app's address.
fn post(envelope: &Envelope, url: &str, secret: &str, now: i64) -> Post {
    let form =
        |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let json = envelope.payload.to_string();
    let (kind, body) = match envelope.way {
        Way::Event | Way::Challenge => ("application/json", json),
        Way::Interactive => ("application/x-www-form-urlencoded", form(&[("payload", &json)])),
        Way::Command => {
            let fields = envelope.payload.as_object().into_iter().flatten();
            let pairs: Vec<_> =
                fields.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect();
            ("application/x-www-form-urlencoded", form(&pairs))
        }
    };
    let mut headers = vec![
        ("content-type", kind.to_owned()),
        ("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
        ("x-slack-request-timestamp", now.to_string()),
        ("x-slack-signature", signature(secret, now, &body)),
    ];
    if envelope.attempt > 0 {
        headers.push(("x-slack-retry-num", envelope.attempt.to_string()));
        headers.push(("x-slack-retry-reason", envelope.reason.to_owned()));
    }
    Post { number: envelope.number, attempt: envelope.attempt, url: url.to_owned(), headers, body }
}

fn signature(secret: &str, now: i64, body: &str) -> String {
    // A key of any length is good.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("v0:{now}:{body}").as_bytes());
    let digits = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("v0={digits}")
}

/// Delivers what is due until the server stops.
pub async fn dispatch(shared: Arc<Shared<World>>) {
    let timeout = Duration::from_millis(3000);
    let http = reqwest::Client::builder().no_proxy().timeout(timeout).build().unwrap_or_default();
    let mut posts = JoinSet::new();
    loop {
        let changed = shared.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let (due, next, happened) = shared.state().pump(shared.clock.now_ms());
        if happened {
            shared.changed.notify_waiters();
        }
        for post in due {
            posts.spawn(make(http.clone(), post));
        }
        tokio::select! {
            () = changed => {}
            Some(Ok((number, attempt, end))) = posts.join_next(), if !posts.is_empty() => {
                shared.change(|world| world.posted(number, attempt, end));
            }
            () = shared.clock.until(next.unwrap_or_default()), if next.is_some() => {}
        }
    }
}

async fn make(http: reqwest::Client, post: Post) -> (i64, usize, End) {
    let mut request = http.post(&post.url).body(post.body);
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let end = async {
        let failed = |error: reqwest::Error| {
            if error.is_timeout() { "http_timeout" } else { "connection_failed" }
        };
        let response = request.send().await.map_err(failed)?;
        let enough = response.headers().get("x-slack-no-retry").is_some_and(|value| value == "1");
        let status = response.status().as_u16();
        Ok((status, enough, response.bytes().await.map_err(failed)?.to_vec()))
    };
    (post.number, post.attempt, end.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_the_documentation_shows() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                    channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                    response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
                    96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        assert_eq!(
            signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body),
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }
}
