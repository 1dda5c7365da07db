//! HTTP requests to Slack: read, and handed to the kit with what is to be done.

use std::sync::Arc;

use axum::http::{Request, header};
use frontdesk_fakes::{Common, Cut, Params, Platform, Response, Shared, Work, read_body, response};
use hyper::body::Incoming;
use serde_json::Value;

use crate::answer::{Answer, Done, Refusal, respond};
use crate::methods::{self, Method};
use crate::world::{Install, World};
use crate::{Call, Outcome, socket};

/// Where a file is to which a download was redirected.
const MOVED: &str = "moved/";
/// The largest request: a file of 64 MB.
const MOST: usize = 64 << 20;

impl Platform for World {
    type Id = String;

    fn common(&mut self) -> &mut Common<String> {
        &mut self.common
    }

    async fn answer(shared: &Arc<Shared<Self>>, request: Request<Incoming>) -> Result<Response, Cut> {
        let path = request.uri().path().to_owned();
        let header =
            |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let bearer = header(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default().to_owned();
        if path.starts_with("/link") {
            return socket::open(shared, request).await;
        }
        let kind = header(header::CONTENT_TYPE).to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let Some(body) = read_body(request.into_body(), MOST).await else {
            return Ok(response(413, "text/plain", "Request Entity Too Large"));
        };
        if let Some(rest) = path.strip_prefix("/files-pri/") {
            let call = Call::new(String::new(), "download", String::new(), serde_json::Map::new());
            let rest = rest.to_owned();
            return shared
                .serve(call, Work::Step(Box::new(move |world, _| download(world, &rest, &bearer))))
                .await;
        }
        let upload = path.strip_prefix("/upload/v1/").map(str::to_owned);
        // The bytes of a file may come in a form or as they are.
        let is_form = kind.starts_with("multipart/");
        let params =
            match Params::read(&query, if upload.is_some() && !is_form { "" } else { &kind }, body.clone())
                .await
            {
                Ok(params) => params,
                Err(_) if upload.is_some() => Params::default(),
                Err(bad) => return Ok(respond(&Err(bad.into()), None)),
            };
        if let Some(id) = upload {
            let bytes = params.uploads.into_values().next().map_or(body, |upload| upload.bytes);
            let call = Call::new(String::new(), "upload", String::new(), serde_json::Map::new());
            let step = move |world: &mut World, call: &mut Call| {
                call.outcome = Outcome::Done;
                methods::files::receive(world, &id, bytes)
            };
            return shared.serve(call, Work::Step(Box::new(step))).await;
        }
        match path.strip_prefix("/api/") {
            Some(method) => api(shared, method, &bearer, params).await,
            None => hook(shared, path, params).await,
        }
    }

    fn refusal(status: u16, words: &str, retry_after: Option<u32>) -> Response {
        let refusal = match retry_after {
            Some(seconds) => Refusal::too_many(seconds),
            None => Refusal { status, ..Refusal::new(words) },
        };
        respond(&Err(refusal), None)
    }

    fn after(_: &Arc<Shared<Self>>, _: &String, _: &str) {}

    fn lift_limits(&mut self) {
        self.limiter = crate::limits::Limiter::default();
    }

    fn act(&mut self, action: &str, body: Value) -> Result<Value, String> {
        self.perform(action, body)
    }

    fn shown(&mut self, _: Option<String>, chat: String) -> Value {
        self.look(&chat)
    }
}

/// A method of the Web API.
async fn api(
    shared: &Arc<Shared<World>>,
    name: &str,
    bearer: &str,
    mut params: Params,
) -> Result<Response, Cut> {
    let in_form = params.text("token").unwrap_or_default();
    let token = if bearer.is_empty() { in_form } else { bearer.to_owned() };
    // The journal holds no secrets.
    params.fields.remove("token");
    let install = shared.state().installs.iter().find(|install| install.token == token).cloned();
    let bot = install.as_ref().map(|install| install.user.clone()).unwrap_or_default();
    let channel = params.text("channel").or(params.text("channel_id")).unwrap_or_default();
    let mut call = Call::new(bot, name, channel, params.fields.clone());
    call.thread = params.text("thread_ts");
    let name = name.to_owned();
    let step = move |world: &mut World, call: &mut Call| {
        let answer = match (&install, methods::find(&name)) {
            _ if token.is_empty() => Err(Refusal::new("not_authed")),
            _ if name == "apps.connections.open" => socket::ticket(world, &token),
            (None, _) => Err(Refusal::new("invalid_auth")),
            (Some(_), None) => Err(Refusal::new("unknown_method")),
            (Some(install), Some(method)) => carry_out(world, install, &method, &params),
        };
        note(call, &answer);
        let scopes = install.map(|install| install.scopes.into_iter().collect::<Vec<_>>().join(","));
        respond(&answer, scopes.as_deref())
    };
    shared.serve(call, Work::Step(Box::new(step))).await
}

fn carry_out(world: &mut World, install: &Install, method: &Method, params: &Params) -> Answer {
    if let Some(error) = &install.revoked {
        return Err(Refusal::new(error));
    }
    let scope = method.scope.replace("{family}", methods::family(world, params));
    if !scope.is_empty() && !install.scopes.contains(&scope) {
        let provided: Vec<&str> = install.scopes.iter().map(String::as_str).collect();
        return Err(Refusal::missing_scope(&scope, &provided.join(",")));
    }
    let now = world.now_ms();
    let (who, what, many, per_ms) = match method.per_minute {
        // Posts are counted by channel instead: one a second.
        0 => (format!("{}/{}", install.user, params.text("channel").unwrap_or_default()), "post", 1, 1000),
        many => (format!("{}/{}", install.app, install.team), method.name, many, 60_000),
    };
    world.limiter.count(&who, what, many, per_ms, now).map_err(Refusal::too_many)?;
    (method.run)(world, install, params)
}

fn note(call: &mut Call, answer: &Answer) {
    match answer {
        Ok(Done { channel, message, posted, .. }) => {
            (call.outcome, call.message, call.posted) = (Outcome::Done, message.clone(), *posted);
            call.chat = channel.clone().unwrap_or_else(|| std::mem::take(&mut call.chat));
        }
        Err(refusal) => call.outcome = Outcome::Refused(refusal.status, refusal.error.clone()),
    }
}

/// A message for a response URL or an incoming webhook. A webhook answers in plain text.
async fn hook(shared: &Arc<Shared<World>>, path: String, params: Params) -> Result<Response, Cut> {
    let known = shared.state().hooks.get(&path).cloned();
    let (bot, channel) = known.map(|hook| (hook.install.user, hook.channel)).unwrap_or_default();
    let is_webhook = path.starts_with("/services/");
    let mut call =
        Call::new(bot, if is_webhook { "webhook" } else { "response_url" }, channel, params.fields.clone());
    call.thread = params.text("thread_ts");
    let step = move |world: &mut World, call: &mut Call| {
        let answer = world.hooked(&path, &params);
        note(call, &answer);
        match &answer {
            Ok(_) if is_webhook => response(200, "text/html", "ok"),
            Err(refusal) if is_webhook => {
                response(refusal.status.max(400), "text/html", refusal.error.clone())
            }
            _ => respond(&answer, None),
        }
    };
    shared.serve(call, Work::Step(Box::new(step))).await
}

/// A file. Whoever has no right to it is shown the page to log in.
fn download(world: &World, rest: &str, token: &str) -> Response {
    let place = rest.strip_prefix(MOVED).unwrap_or(rest);
    let id = place.split('/').next().unwrap_or_default().rsplit('-').next().unwrap_or_default();
    let allowed =
        world.installs.iter().any(|install| install.token == token && install.scopes.contains("files:read"));
    if world.redirects && !rest.starts_with(MOVED) {
        let to = match allowed {
            true => format!("/files-pri/{MOVED}{rest}"),
            false => format!("{}/?redir=%2Ffiles-pri%2F{id}", world.url),
        };
        let mut moved = response(302, "text/html; charset=utf-8", "");
        moved.headers_mut().extend(to.parse().map(|to| (header::LOCATION, to)));
        return moved;
    }
    match world.files.get(id).and_then(|file| file.bytes.clone()) {
        Some(bytes) if allowed => response(200, "application/octet-stream", bytes),
        Some(_) => response(
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html><title>Slack</title>Sign in</html>",
        ),
        None => response(404, "text/html; charset=utf-8", "<!DOCTYPE html><html>Not found</html>"),
    }
}
