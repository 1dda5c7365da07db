//! Events over HTTP: Slack signs each request with the app's signing secret.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::config::Secret;
use frontdesk_core::message::Source;
use frontdesk_core::port::{
    AdapterError, Clock, Forgery, Inbox, Webhook, WebhookOutcome, WebhookProof, WebhookReply, WebhookRequest,
};
use frontdesk_kit::timer::Timer;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::error::Fault;
use crate::gap::Gap;
use crate::intake::{self, Envelope, Intake, Kind, Queue, Stored};
use crate::receive::Receiving;
use crate::workspace::Workspace;

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";
/// Slack, "Verifying requests": an older request may be a repetition by somebody else.
const OLDEST_SECONDS: i64 = 300;
/// The time between two checks of the token.
const CHECK: Duration = Duration::from_secs(300);

/// Slack waits three seconds for the response to a request.
const PATIENCE: Duration = Duration::from_millis(2500);

/// The endpoint that Slack sends events, commands and interactions to.
pub(crate) struct Endpoint {
    secret: Secret,
    clock: Arc<dyn Clock>,
    /// The current connection; `None` while there is none.
    connection: Mutex<Option<Arc<Connection>>>,
}

struct Connection {
    timer: Timer,
    queue: Queue,
    source: Source,
    /// Where it is noted that an event was turned away; `None` if the histories are not read.
    workspace: Option<Arc<Workspace>>,
    inbox: Arc<dyn Inbox>,
}

/// Keeps the endpoint connected until it is dropped.
struct Connected<'a>(&'a Endpoint);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        *self.0.connection() = None;
    }
}

impl Endpoint {
    pub(crate) fn new(secret: Secret, clock: Arc<dyn Clock>) -> Self {
        Self { secret, clock, connection: Mutex::default() }
    }

    fn connection(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives until the token is refused.
    pub(crate) async fn run(
        &self,
        receiving: &Receiving<'_>,
        inbox: Arc<dyn Inbox>,
    ) -> Result<(), AdapterError> {
        let missed = receiving.missed().await?;
        let gap = Gap::new(missed.is_none());
        let (queue, arrivals) = intake::queue();
        let (timer, source) = (receiving.workspace.timer().clone(), receiving.app.source());
        let workspace = (receiving.settings.missed_messages > 0).then(|| receiving.workspace.clone());
        *self.connection() = Some(Arc::new(Connection { timer, queue, source, workspace, inbox }));
        let _connected = Connected(self);
        receiving.heard();
        let works = async {
            loop {
                receiving.heard();
                receiving.workspace.timer().pause(CHECK).await;
                receiving.api.call("auth.test", json!({})).await.map_err(Fault::for_connection)?;
            }
        };
        tokio::select! {
            // What a request has found counts first: it must not be forgotten because the rest has been read.
            biased;
            error = Intake::new(receiving.receiver(), &gap, None, arrivals).run() => Err(error),
            error = receiving.reads(missed.as_ref(), &gap) => Err(error),
            ended = works => ended,
        }
    }
}

#[async_trait]
impl Webhook for Endpoint {
    fn proof(&self) -> WebhookProof {
        WebhookProof::Body
    }

    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool {
        // An old one is read as well: whether a clock is wrong or somebody else has signed it, only the body shows.
        let has_time = header(TIMESTAMP).is_some_and(|time| time.parse::<i64>().is_ok());
        has_time && header(SIGNATURE).is_some_and(|signature| signature.starts_with("v0="))
    }

    fn verify(&self, request: &WebhookRequest) -> Result<(), Forgery> {
        let (time, signature) = (request.header(TIMESTAMP), request.header(SIGNATURE));
        let (Some(time), Some(signature)) = (time, signature) else { return Err(Forgery::Forged) };
        if !is_signed(self.secret.expose(), time, &request.body, signature) {
            return Err(Forgery::Forged);
        }
        if is_recent(time, self.clock.wall()) { Ok(()) } else { Err(Forgery::Stale) }
    }

    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome {
        if request.get {
            return WebhookOutcome::Garbage;
        }
        let body = Body::of(&request);
        if let Body::Proof(challenge) = &body {
            return taken(json!({"challenge": challenge}));
        }
        let Some(connection) = self.connection().clone() else { return WebhookOutcome::Busy };
        connection.take(body).await
    }
}

impl Connection {
    async fn take(&self, body: Body) -> WebhookOutcome {
        let (kind, raw) = match body {
            Body::Event(raw) => (Kind::Event, raw),
            Body::Interaction(raw) => (Kind::Interaction, raw),
            Body::Command(raw) => (Kind::Command, raw),
            Body::Proof(_) | Body::Check => return WebhookOutcome::Taken(None),
            Body::Nothing => return WebhookOutcome::Garbage,
        };
        let at = self.timer.wall();
        let is_taken = AtomicBool::new(false);
        let storing = async {
            let slot = self.queue.slot().await?;
            is_taken.store(true, Ordering::Relaxed);
            slot.fill(Envelope { kind, raw, at }).await.ok()
        };
        let stored = tokio::select! {
            stored = storing => stored,
            // It is stored when that is possible; if that is after its repetition, the repetition is recognised.
            () = self.timer.pause(PATIENCE) => None,
        };
        if let Some(workspace) = self.workspace.as_ref().filter(|_| !is_taken.into_inner()) {
            // Slack brings it three times more, which may be too few.
            workspace.lost(at);
        }
        match stored {
            Some(Stored { answer }) => {
                self.inbox.heard(&self.source);
                answer.map_or(WebhookOutcome::Taken(None), taken)
            }
            None => WebhookOutcome::Busy,
        }
    }
}

fn taken(body: Value) -> WebhookOutcome {
    let reply = WebhookReply { mime: "application/json", body: body.to_string().into_bytes() };
    WebhookOutcome::Taken(Some(reply))
}

/// What the body of a request is.
#[derive(Debug, PartialEq)]
enum Body {
    Event(String),
    /// Slack asks for the proof that the address is ours.
    Proof(String),
    Interaction(String),
    Command(String),
    /// Slack looks whether the certificate is good.
    Check,
    Nothing,
}

impl Body {
    fn of(request: &WebhookRequest) -> Body {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let kind = request.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            let json: Value = serde_json::from_str(&text).unwrap_or_default();
            return match (json["type"].as_str(), json["challenge"].as_str()) {
                (Some("url_verification"), Some(challenge)) => Body::Proof(challenge.to_owned()),
                _ => Body::Event(text),
            };
        }
        let mut fields: Map<String, Value> = form_urlencoded::parse(&request.body)
            .map(|(name, value)| (name.into_owned(), value.into()))
            .collect();
        match fields.remove("payload") {
            Some(Value::String(payload)) => Body::Interaction(payload),
            _ if fields.contains_key("command") => Body::Command(Value::Object(fields).to_string()),
            _ if fields.contains_key("ssl_check") => Body::Check,
            _ => Body::Nothing,
        }
    }
}

fn is_recent(time: &str, now: DateTime<Utc>) -> bool {
    time.parse::<i64>().is_ok_and(|time| (now.timestamp() - time).abs() <= OLDEST_SECONDS)
}

/// Whether the signature is that of the unchanged body. The comparison takes the same time for every wrong one.
fn is_signed(secret: &str, time: &str, body: &[u8], signature: &str) -> bool {
    let given = signature.strip_prefix("v0=").and_then(bytes_of);
    let (Some(given), Ok(mut mac)) = (given, Hmac::<Sha256>::new_from_slice(secret.as_bytes())) else {
        return false;
    };
    mac.update(format!("v0:{time}:").as_bytes());
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// The bytes that hexadecimal digits stand for.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [high, low] = pair { Some(digit(*high)? * 16 + digit(*low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SIGNED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                        channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                        response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
                        96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    #[test]
    fn the_signature_of_slacks_documentation_is_right_and_no_other() {
        let is = |secret, time, body: &str, signature| is_signed(secret, time, body.as_bytes(), signature);
        assert!(is(SECRET, "1531420618", BODY, SIGNED));
        assert!(!is(SECRET, "1531420619", BODY, SIGNED));
        assert!(!is("another", "1531420618", BODY, SIGNED));
        assert!(!is(SECRET, "1531420618", &format!("{BODY} "), SIGNED));
        for signature in ["", "v0=", "v0=a2", "v1=a2114d", &SIGNED[3..], &SIGNED[..SIGNED.len() - 1], "v0=zz"]
        {
            assert!(!is(SECRET, "1531420618", BODY, signature), "{signature}");
        }
    }

    #[test]
    fn a_request_is_recent_for_five_minutes() {
        let now = DateTime::from_timestamp(1_531_420_618, 0).unwrap();
        for (time, is) in [
            ("1531420618", true),
            ("1531420318", true),
            ("1531420317", false),
            ("1531420919", false),
            ("x", false),
        ] {
            assert_eq!(is_recent(time, now), is, "{time}");
        }
    }

    #[test]
    fn bodies_are_told_apart() {
        let of = |kind: &str, body: &str| {
            let headers = vec![("content-type".to_owned(), kind.to_owned())];
            Body::of(&WebhookRequest { get: false, query: String::new(), headers, body: body.into() })
        };
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let proof = r#"{"type":"url_verification","challenge":"c"}"#;
        assert_eq!(of("application/json", proof), Body::Proof("c".to_owned()));
        assert_eq!(of("application/json", "{}"), Body::Event("{}".to_owned()));
        assert_eq!(of(form, "payload=%7B%7D"), Body::Interaction("{}".to_owned()));
        assert_eq!(of(form, "ssl_check=1&token=x"), Body::Check);
        assert_eq!(of(form, "a=b"), Body::Nothing);
        let Body::Command(fields) = of(form, "command=%2Ffrontdesk&text=a%26b") else { panic!("a command") };
        assert_eq!(
            serde_json::from_str::<Value>(&fields).unwrap(),
            json!({"command": "/frontdesk", "text": "a&b"})
        );
    }
}
