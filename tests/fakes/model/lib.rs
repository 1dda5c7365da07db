//! A model provider for tests: an OpenAI-compatible API whose answers a test writes byte by byte, so that it can send what
//! no well-behaved server sends.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Request};
use frontdesk_fakes::{
    Call, Clock, Common, Cut, Fake, Outcome, Platform, Response, Shared, Work, pause, read_body, response,
};
use futures_util::stream::{self, StreamExt};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

/// The largest request.
const MOST: usize = 64 << 20;
/// How long a test waits for something.
const PATIENCE: Duration = Duration::from_secs(30);

/// One piece of an answer.
#[derive(Debug, Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Pause(Duration),
    Cut,
    Hang,
}

/// Decides about the answer to a request, by its body.
type Answer = Arc<dyn Fn(&Value) -> Script + Send + Sync>;

/// An answer that the test writes.
#[derive(Debug, Clone)]
pub struct Script {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Piece>,
}

impl Script {
    /// An answer with this status and no body yet.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), pieces: Vec::new() }
    }

    /// A stream that begins with these words.
    pub fn saying(words: &[&str]) -> Self {
        let stream = Self::status(200).header("content-type", "text/event-stream");
        let role = stream
            .event(&json!({"model": "fake-1", "choices": [{"delta": {"role": "assistant", "content": ""}}]}));
        words.iter().fold(role, |script, word| script.word(word))
    }

    /// A whole stream with these words.
    pub fn answer(words: &[&str]) -> Self {
        Self::saying(words).finish("stop").usage(100, 20).done()
    }

    /// The words of a recording.
    pub fn heard(words: &str) -> Self {
        Self::status(200).header("content-type", "application/json").raw(&json!({"text": words}).to_string())
    }

    /// A refused request.
    pub fn refusal(status: u16, error: &Value) -> Self {
        Self::status(status)
            .header("content-type", "application/json")
            .raw(&json!({"error": error}).to_string())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &str) -> Self {
        self.pieces.push(Piece::Bytes(bytes.as_bytes().to_vec()));
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn event(self, data: &Value) -> Self {
        self.raw(&format!("data: {data}\n\n"))
    }

    /// Adds the reason of the end.
    #[must_use]
    pub fn finish(self, reason: &str) -> Self {
        self.event(&json!({"choices": [{"delta": {}, "finish_reason": reason}]}))
    }

    /// Adds the usage.
    #[must_use]
    pub fn usage(self, input: u64, output: u64) -> Self {
        self.event(&json!({"choices": [], "usage": {
            "prompt_tokens": input, "completion_tokens": output, "prompt_tokens_details": {"cached_tokens": input / 2}}}))
    }

    /// Adds the last event.
    #[must_use]
    pub fn done(self) -> Self {
        self.raw("data: [DONE]\n\n")
    }

    /// Waits before it sends the rest.
    #[must_use]
    pub fn pause(mut self, time: Duration) -> Self {
        self.pieces.push(Piece::Pause(time));
        self
    }

    /// Adds words of the answer.
    #[must_use]
    pub fn word(self, word: &str) -> Self {
        self.event(&json!({"choices": [{"delta": {"content": word}}]}))
    }

    /// Breaks the connection here.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.pieces.push(Piece::Cut);
        self
    }

    /// Keeps the connection open and sends nothing more.
    #[must_use]
    pub fn hang(mut self) -> Self {
        self.pieces.push(Piece::Hang);
        self
    }

    fn response(self, open: Arc<AtomicUsize>) -> Response {
        struct Open(Arc<AtomicUsize>);
        impl Drop for Open {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        open.fetch_add(1, Ordering::SeqCst);
        let open = Open(open);
        let body = stream::iter(self.pieces).then(move |piece| {
            let _open = &open;
            async {
                match piece {
                    Piece::Bytes(bytes) => Ok(Bytes::from(bytes)),
                    Piece::Pause(time) => {
                        pause(time).await;
                        // A comment, which says nothing.
                        Ok(Bytes::from_static(b": waited\n\n"))
                    }
                    Piece::Cut => {
                        // What was sent before must have left the server.
                        pause(Duration::from_millis(20)).await;
                        Err(Cut)
                    }
                    Piece::Hang => std::future::pending().await,
                }
            }
        });
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = axum::http::StatusCode::from_u16(self.status).unwrap_or_default();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// The state of the provider.
pub struct Model {
    common: Common<i64>,
    scripts: VecDeque<Script>,
    /// What it answers when there is no script left.
    usual: Script,
    /// What it answers in place of all scripts.
    answer: Option<Answer>,
    open: Arc<AtomicUsize>,
}

/// A running provider.
pub struct FakeModel(Fake<Model>);

impl FakeModel {
    /// Starts on a free port. It answers `hello there` until a test says otherwise.
    pub async fn start() -> std::io::Result<Self> {
        let model = |clock| Model {
            common: Common::new(clock, 1),
            scripts: VecDeque::new(),
            usual: Script::answer(&["hello", " there"]),
            answer: None,
            open: Arc::default(),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Fake::start(address, Clock::manual(0), model).await.map(Self)
    }

    /// The base URL, without a path.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Adds the answer to the next request that has none yet.
    pub fn will(&self, script: Script) {
        self.0.shared().change(|model| model.scripts.push_back(script));
    }

    /// What it answers when no other answer is left.
    pub fn usually(&self, script: Script) {
        self.0.shared().change(|model| model.usual = script);
    }

    /// Decides about every answer from now on. The bodies of the requests are not kept then.
    pub fn answers(&self, answer: impl Fn(&Value) -> Script + Send + Sync + 'static) {
        self.0.shared().change(|model| model.answer = Some(Arc::new(answer)));
    }

    /// The bodies of the requests, the oldest first.
    pub fn requests(&self) -> Vec<Value> {
        self.0.journal().calls().iter().map(|call| Value::from(call.params.clone())).collect()
    }

    /// The headers of the requests, by their names.
    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let calls = self.0.journal();
        calls.calls().iter().map(|call| call.params["headers"][name].as_str().map(str::to_owned)).collect()
    }

    /// Waits until it has got so many requests.
    pub async fn asked(&self, count: usize) -> Result<(), frontdesk_fakes::TimedOut> {
        self.0.wait_for(|journal| journal.calls().len() >= count, PATIENCE).await
    }

    /// The number of answers that are being sent.
    pub fn open(&self) -> usize {
        self.0.shared().state().open.load(Ordering::SeqCst)
    }

    /// Closes the port and every connection.
    pub async fn cut(&self) {
        self.0.cut().await;
    }
}

/// The fields of a form. A file is an object with its name, its media type and its bytes as text.
async fn form(boundary: String, body: Bytes) -> multer::Result<Map<String, Value>> {
    let body = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    let (mut parts, mut fields) = (multer::Multipart::new(body, boundary), Map::new());
    while let Some(part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        let (file, mime) =
            (part.file_name().map(str::to_owned), part.content_type().map(ToString::to_string));
        let text = String::from_utf8_lossy(&part.bytes().await?).into_owned();
        let value = match file {
            Some(file) => json!({"name": file, "mime": mime, "text": text}),
            None => text.into(),
        };
        fields.insert(name, value);
    }
    Ok(fields)
}

impl Platform for Model {
    type Id = i64;

    fn common(&mut self) -> &mut Common<i64> {
        &mut self.common
    }

    async fn answer(shared: &Arc<Shared<Self>>, request: Request<Incoming>) -> Result<Response, Cut> {
        let (parts, body) = request.into_parts();
        let body = read_body(body, MOST).await.unwrap_or_default();
        let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok());
        let mut params = match content_type.and_then(|of| multer::parse_boundary(of).ok()) {
            Some(boundary) => form(boundary, body).await.unwrap_or_default(),
            None => serde_json::from_slice(&body).unwrap_or_default(),
        };
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())));
        params.insert("headers".to_owned(), Value::Object(headers.collect()));
        let answer = shared.state().answer.clone();
        let body = Value::Object(if answer.is_some() { std::mem::take(&mut params) } else { Map::new() });
        let is_known =
            ["/v1/chat/completions", "/v1/models", "/v1/audio/transcriptions"].contains(&parts.uri.path());
        let step = move |model: &mut Model, call: &mut Call<i64>| {
            if !is_known {
                call.outcome = Outcome::Refused(404, "no such path".to_owned());
                return Model::refusal(404, "no such path", None);
            }
            call.outcome = Outcome::Done;
            let script = match &answer {
                Some(answer) => answer(&body),
                None => model.scripts.pop_front().unwrap_or_else(|| model.usual.clone()),
            };
            script.response(model.open.clone())
        };
        shared.serve(Call::new(1, parts.uri.path(), 1, params), Work::Step(Box::new(step))).await
    }

    fn refusal(status: u16, words: &str, retry_after: Option<u32>) -> Response {
        let body = json!({"error": {"message": words, "type": "server_error", "code": null}});
        let mut response = response(status, "application/json", body.to_string());
        if let Some(seconds) = retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
        }
        response
    }

    fn after(_: &Arc<Shared<Self>>, _: &i64, _: &str) {}

    fn lift_limits(&mut self) {}

    fn act(&mut self, action: &str, _: Value) -> Result<Value, String> {
        Err(format!("there is no action {action}"))
    }

    fn shown(&mut self, _: Option<i64>, _: i64) -> Value {
        Value::Null
    }
}
