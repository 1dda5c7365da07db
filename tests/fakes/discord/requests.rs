//! HTTP requests: sockets, files, and the operations of the API.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request as HttpRequest, header};
use frontdesk_fakes::{Common, Cut, Outcome, Platform, Response, Shared, Work, read_body, response};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, Scope, respond, too_many};
use crate::body::Body;
use crate::id::Id;
use crate::message::seal;
use crate::operations::{self, Operation};
use crate::world::World;
use crate::{Call, gateway};

/// The largest request.
const MOST: usize = 25 << 20;

/// A request for an operation.
#[derive(Debug, Default)]
pub struct Request {
    pub bot: Id,
    /// What stands in the path where the operation has a gap.
    pub names: Vec<String>,
    /// Whether the path was not encoded.
    pub raw: bool,
    pub query: HashMap<String, String>,
    pub body: Body,
}

impl Request {
    /// An id in the path.
    pub fn id(&self, at: usize) -> Result<Id, Refusal> {
        let name = self.names.get(at).map(String::as_str).unwrap_or_default();
        let wrong =
            || Refusal::form("id", "NUMBER_TYPE_COERCE", &format!("Value \"{name}\" is not snowflake."));
        name.parse().map_err(|_| wrong())
    }

    pub fn name(&self, at: usize) -> &str {
        self.names.get(at).map(String::as_str).unwrap_or_default()
    }

    /// A number in the query.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name).and_then(|text| text.parse().ok())
    }

    /// A flag in the query, as SDKs write it.
    pub fn flag(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|text| ["true", "1"].contains(&text.to_ascii_lowercase().as_str()))
    }

    fn params(&self) -> Map<String, Value> {
        let mut params = self.body.fields.clone();
        // The first answer to an interaction has its message one level below.
        if let Some(Value::Object(data)) = params.remove("data") {
            let callback = params.remove("type");
            params.extend(data);
            params.extend(callback.map(|kind| ("callback".to_owned(), kind)));
        }
        let files: Vec<&str> = self.body.files.iter().map(|file| file.name.as_str()).collect();
        if !files.is_empty() {
            params.insert("files".to_owned(), json!(files));
        }
        if !self.names.is_empty() {
            params.insert("path".to_owned(), json!(self.names));
        }
        params
    }
}

impl Platform for World {
    type Id = Id;

    fn common(&mut self) -> &mut Common<Id> {
        &mut self.common
    }

    async fn answer(shared: &Arc<Shared<Self>>, request: HttpRequest<Incoming>) -> Result<Response, Cut> {
        let path = request.uri().path().to_owned();
        if request.headers().contains_key(header::UPGRADE) {
            return gateway::connect(shared, request).await;
        }
        if let Some(path) = path.strip_prefix("/attachments/") {
            let query = query(request.uri().query());
            return Ok(shared.state().download(&percent_decode_str(path).decode_utf8_lossy(), &query));
        }
        match read(shared, &path, request).await {
            Ok((operation, request)) => serve(shared, operation, request).await,
            Err(refusal) => Ok(respond(&Err(refusal))),
        }
    }

    fn refusal(status: u16, words: &str, retry_after: Option<u32>) -> Response {
        match retry_after {
            Some(seconds) => too_many(Scope::User, u64::from(seconds) * 1000),
            None => respond(&Err(Refusal::worded(status, words))),
        }
    }

    fn after(_: &Arc<Shared<Self>>, _: &Id, _: &str) {}

    fn lift_limits(&mut self) {
        self.limits.set(None);
        (self.gateway.deaf, self.gateway.unacknowledged, self.gateway.unconfirmed) = (false, false, false);
    }

    fn act(&mut self, action: &str, body: Value) -> Result<Value, String> {
        self.perform(action, body)
    }

    fn shown(&mut self, _: Option<Id>, chat: Id) -> Value {
        json!(self.shows(chat))
    }
}

fn query(query: Option<&str>) -> HashMap<String, String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Who asks for what.
async fn read(
    shared: &Arc<Shared<World>>,
    path: &str,
    request: HttpRequest<Incoming>,
) -> Result<(&'static Operation, Request), Refusal> {
    let not_found = || Refusal::new(404, 0, "404: Not Found");
    let rest = path.strip_prefix("/api/").ok_or_else(not_found)?;
    let rest =
        rest.strip_prefix("v10/").ok_or_else(|| Refusal::new(400, 50041, "Invalid API version provided."))?;
    if !text(request.headers(), header::USER_AGENT).starts_with("DiscordBot (") {
        return Err(Refusal::new(403, 40333, "internal network error"));
    }
    let (operation, names) = operations::find(request.method().as_str(), rest)?;
    let token = text(request.headers(), header::AUTHORIZATION);
    let token = token.strip_prefix("Bot ").filter(|token| !token.is_empty());
    let bot = shared.state().bots.iter().find(|bot| token == Some(&bot.token)).map(|bot| bot.id);
    if bot.is_none() && operation.needs_token() {
        return Err(Refusal::unauthorized());
    }
    let query = query(request.uri().query());
    let content_type = text(request.headers(), header::CONTENT_TYPE);
    let too_large = || Refusal::new(413, 40005, "Request entity too large");
    let body = read_body(request.into_body(), MOST).await.ok_or_else(too_large)?;
    let body = Body::read(&content_type, body).await?;
    let request = Request { bot: bot.unwrap_or_default(), names, raw: !rest.is_ascii(), query, body };
    Ok((operation, request))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn serve(
    shared: &Arc<Shared<World>>,
    operation: &'static Operation,
    mut request: Request,
) -> Result<Response, Cut> {
    let (top, channel) = {
        let world = shared.state();
        let (channel, bot) = world.concerns(operation, &request);
        request.bot = bot;
        (world.limited(operation, &request), channel)
    };
    let call = Call::new(request.bot, operation.name, channel, request.params());
    let step = move |world: &mut World, call: &mut Call| {
        let now = world.now_ms();
        let is_webhook = !operation.needs_token();
        let refused = world.limits.refuses(operation.name, top, is_webhook, now);
        let mut response = match refused {
            Some(refused) => {
                call.outcome = Outcome::Refused(429, "rate limit".to_owned());
                refused
            }
            None => carry_out(world, call, operation, &request),
        };
        world.limits.answered(operation.name, top, &mut response, now);
        response
    };
    shared.serve(call, Work::Step(Box::new(step))).await
}

fn carry_out(world: &mut World, call: &mut Call, operation: &Operation, request: &Request) -> Response {
    let answer = (operation.run)(world, request);
    match &answer {
        Ok(done) => (call.outcome, call.message, call.posted) = (Outcome::Done, done.message, done.posted),
        Err(refusal) => {
            call.outcome = Outcome::Refused(refusal.status, format!("{} {}", refusal.code, refusal.message));
        }
    }
    respond(&answer)
}

impl World {
    /// The channel that a request is about, and its bot: answers to interactions come without a token.
    fn concerns(&self, operation: &Operation, request: &Request) -> (Id, Id) {
        if operation.needs_token() {
            let first = request.names.first().filter(|_| operation.path.starts_with("channels/"));
            return (first.and_then(|name| name.parse().ok()).unwrap_or_default(), request.bot);
        }
        let known = self.interactions.values().find(|known| known.token == request.name(1));
        known.map_or((Id::default(), request.bot), |known| (known.channel, known.bot))
    }

    /// Whose limit a request counts for: a channel, a guild, or what a token belongs to.
    fn limited(&self, operation: &Operation, request: &Request) -> Id {
        let by_token = self.interactions.values().find(|known| known.token == request.name(1));
        let by_token = by_token.filter(|_| operation.path.starts_with("webhooks/")).map(|known| known.id);
        by_token.or_else(|| request.name(0).parse().ok()).unwrap_or_default()
    }

    /// A file, if its link is right and still works.
    fn download(&self, path: &str, query: &HashMap<String, String>) -> Response {
        let gone = || response(404, "text/plain", "This content is no longer available.");
        let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let expires = i64::from_str_radix(given("ex"), 16).unwrap_or_default();
        if given("hm") != seal(path, expires) || expires * 1000 < self.now_ms() {
            return gone();
        }
        let mut names = path.split('/').map(str::parse::<Id>);
        let (Some(Ok(channel)), Some(Ok(id))) = (names.next(), names.next()) else { return gone() };
        let Some(file) = self.files.get(&(channel, id)) else { return gone() };
        let mut answer = response(200, "application/octet-stream", Bytes::clone(&file.bytes));
        if let Ok(content_type) = file.content_type.parse() {
            answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        answer
    }
}
