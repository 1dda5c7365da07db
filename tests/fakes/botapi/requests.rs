//! HTTP requests to the Bot API: read, and handed to the kit with what is to be done.

use std::sync::Arc;

use axum::http::{Method, Request, header};
use frontdesk_fakes::{Common, Cut, Params, Platform, Response, Shared, Work, read_body, response};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal, respond};
use crate::limits::Limits;
use crate::methods::{self, Run, updates};
use crate::webhook;
use crate::world::World;
use crate::{Call, Outcome};

/// The largest request: a file of 50 MB and something around it.
const MOST: usize = 52 << 20;

impl Platform for World {
    type Id = i64;

    fn common(&mut self) -> &mut Common<i64> {
        &mut self.common
    }

    async fn answer(shared: &Arc<Shared<Self>>, request: Request<Incoming>) -> Result<Response, Cut> {
        // An SDK may escape the colon of a token.
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
        if let Some(rest) = path.strip_prefix("/file/bot") {
            return Ok(download(&shared.state(), rest).unwrap_or_else(|refusal| respond(&Err(refusal))));
        }
        match read(shared, &path, request).await {
            Ok((bot, method, params)) => serve(shared, bot, method, params).await,
            Err(refusal) => Ok(respond(&Err(refusal))),
        }
    }

    fn refusal(status: u16, words: &str, retry_after: Option<u32>) -> Response {
        let refusal = Refusal::new(status, words);
        respond(&Err(match retry_after {
            Some(seconds) => refusal.wait(seconds),
            None => refusal,
        }))
    }

    fn after(shared: &Arc<Shared<Self>>, bot: &i64, method: &str) {
        if ["setWebhook", "deleteWebhook"].contains(&method) {
            webhook::start(shared, *bot);
        }
    }

    fn lift_limits(&mut self) {
        self.limiter.set(Limits::default());
    }

    fn act(&mut self, action: &str, body: Value) -> Result<Value, String> {
        self.perform(action, body)
    }

    fn shown(&mut self, bot: Option<i64>, chat: i64) -> Value {
        json!(self.shows(bot.unwrap_or(self.first_bot), chat))
    }
}

/// Who asks for what.
async fn read(
    shared: &Arc<Shared<World>>,
    path: &str,
    request: Request<Incoming>,
) -> Result<(i64, methods::Method, Params), Refusal> {
    let names = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/'));
    let (token, name) = names.ok_or_else(|| Refusal::new(404, "Not Found"))?;
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Err(Refusal::new(405, "Method Not Allowed: only GET and POST are supported"));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = read_body(request.into_body(), MOST).await;
    let body = body.ok_or_else(|| Refusal::new(413, "Request Entity Too Large"))?;
    let bot = shared.state().tokens.get(token).copied();
    let bot = bot.ok_or_else(|| match token.split_once(':') {
        Some((id, _)) if id.parse::<u64>().is_ok() => Refusal::unauthorized(),
        _ => Refusal::new(401, "Unauthorized: invalid token specified"),
    })?;
    let params = Params::read(&query, &content_type, body).await?;
    let method = methods::find(name).ok_or_else(|| Refusal::new(404, "Not Found: method not found"))?;
    Ok((bot, method, params))
}

async fn serve(
    shared: &Arc<Shared<World>>,
    bot: i64,
    method: methods::Method,
    params: Params,
) -> Result<Response, Cut> {
    let call = new_call(&shared.state(), bot, method.name, &params);
    let work = match method.run {
        Run::Poll => {
            let shared = shared.clone();
            Work::Wait(Box::new(move |faults| {
                Box::pin(async move { respond(&updates::get(&shared, bot, &params, faults).await) })
            }))
        }
        Run::Step(run) => {
            Work::Step(Box::new(move |world, call| respond(&carry_out(world, call, &params, run))))
        }
    };
    shared.serve(call, work).await
}

fn new_call(world: &World, bot: i64, method: &str, params: &Params) -> Call {
    let chat = world.named_chat(params).unwrap_or_default();
    let mut call = Call::new(bot, method, chat, params.fields.clone());
    call.thread = params.int("message_thread_id");
    call
}

fn carry_out(world: &mut World, call: &mut Call, params: &Params, run: methods::Step) -> Answer {
    let now = world.now_ms();
    let limited = match methods::is_limited(&call.method) {
        true => world.limiter.post(call.bot, call.chat, now),
        false => Ok(()),
    };
    let answer = match limited {
        Ok(()) => run(world, call.bot, params),
        Err(seconds) => Err(Refusal::too_many(seconds)),
    };
    match &answer {
        Ok(done) => (call.outcome, call.message) = (Outcome::Done, done.message),
        Err(refusal) => call.outcome = Outcome::Refused(refusal.code, refusal.description.clone()),
    }
    call.posted = call.method.starts_with("send") && call.message.is_some();
    answer
}

/// Carries out a method that a webhook answered with; the bot does not learn how it ended.
pub fn carry_out_for(shared: &Arc<Shared<World>>, bot: i64, name: &str, params: &Params) {
    let Some(methods::Method { name, run: Run::Step(run) }) = methods::find(name) else { return };
    if !name.starts_with("get") && !["setWebhook", "deleteWebhook"].contains(&name) {
        let call = new_call(&shared.state(), bot, name, params);
        shared.step(call, |world, call| respond(&carry_out(world, call, params, run)));
    }
}

fn download(world: &World, rest: &str) -> Result<Response, Refusal> {
    let not_found = || Refusal::new(404, "Not Found");
    let (token, path) = rest.split_once('/').ok_or_else(not_found)?;
    if !world.tokens.contains_key(token) {
        return Err(Refusal::unauthorized());
    }
    let stored = world.files.at(path).ok_or_else(not_found)?;
    Ok(response(200, "application/octet-stream", stored.content.bytes.clone()))
}
