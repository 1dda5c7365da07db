//! A connection: requests in, answers out, unless a fault says otherwise.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::answer::{Answer, Refusal};
use crate::clock::real_pause;
use crate::control;
use crate::fault::Kind;
use crate::journal::{Call, Outcome};
use crate::methods;
use crate::methods::updates;
use crate::params::Params;
use crate::server::Shared;

/// The largest request: a file of 50 MB and something around it.
const MOST: usize = 52 << 20;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub(crate) struct Cut;

pub(crate) async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(|request| answer(shared.clone(), request));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that broke is nobody's concern here.
    connection.await.ok();
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    // An SDK may escape the colon of a token.
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    if path.starts_with("/control/") {
        let router = control::router(shared).oneshot(request.map(Body::new)).await;
        return router.map_err(|never: Infallible| match never {});
    }
    if let Some(rest) = path.strip_prefix("/file/bot") {
        return Ok(file(&shared, rest));
    }
    let Some((token, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return Ok(refused(&Refusal::new(404, "Not Found")));
    };
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Ok(refused(&Refusal::new(405, "Method Not Allowed: only GET and POST are supported")));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Ok(body) = Limited::new(request.into_body(), MOST).collect().await else {
        return Ok(refused(&Refusal::new(413, "Request Entity Too Large")));
    };
    let Some(bot) = shared.world().tokens.get(token).copied() else {
        let is_token = token.split_once(':').is_some_and(|(id, _)| id.parse::<u64>().is_ok());
        let reason = if is_token { "Unauthorized" } else { "Unauthorized: invalid token specified" };
        return Ok(refused(&Refusal::new(401, reason)));
    };
    match Params::read(&query, &content_type, &body.to_bytes()) {
        Ok(params) => serve(&shared, bot, method, params).await,
        Err(refusal) => Ok(refused(&refusal)),
    }
}

/// Carries a request out, with whatever goes wrong on the way.
async fn serve(shared: &Arc<Shared>, bot: i64, name: &str, params: Params) -> Result<Response<Body>, Cut> {
    let polls = name.eq_ignore_ascii_case("getUpdates");
    let (spelled, method) = match methods::find(name) {
        Some((spelled, method)) => (spelled, Some(method)),
        None if polls => ("getUpdates", None),
        None => return Ok(refused(&Refusal::new(404, "Not Found: method not found"))),
    };
    let (chat, faults) = {
        let mut world = shared.world();
        let chat = world.named_chat(&params).unwrap_or_default();
        let world = &mut *world;
        (chat, world.faults.strike(bot, spelled, chat, &mut world.dice))
    };
    let mut asked =
        Asked { bot, spelled, chat, lost: faults.iter().any(|fault| matches!(fault, Kind::Lost)) };
    for fault in &faults {
        match fault {
            Kind::Hangup => {
                asked.unheard(shared, params);
                return Err(Cut);
            }
            Kind::Deaf => return deaf(shared).await,
            Kind::Status(status) => {
                asked.unheard(shared, params);
                return Ok(proxy(*status));
            }
            Kind::TooMany(_) | Kind::Refuse(..) => {
                let refusal = fault.refusal().unwrap_or_else(|| Refusal::new(500, "Internal Server Error"));
                asked.note(shared, params, &Err(refusal.clone()));
                return Ok(refused(&refusal));
            }
            Kind::Late(ms) => return late(shared, asked, method, params, *ms).await,
            _ => {}
        }
    }
    let slow = faults.iter().find_map(|fault| if let Kind::Slow(ms) = fault { Some(*ms) } else { None });
    let lost = asked.lost;
    let answer = match method {
        Some(method) => asked.carry_out(shared, method, params),
        None => updates::get(shared, bot, &params, faults).await,
    };
    if let Some(ms) = slow {
        real_pause(Duration::from_millis(ms)).await;
    }
    if lost { Err(Cut) } else { Ok(answered(&answer)) }
}

/// Who asked for what.
#[derive(Clone, Copy)]
struct Asked {
    bot: i64,
    spelled: &'static str,
    chat: i64,
    lost: bool,
}

impl Asked {
    fn carry_out(&mut self, shared: &Arc<Shared>, method: methods::Method, params: Params) -> Answer {
        let answer = shared.change(|world| {
            let now = world.now_ms();
            let counted = methods::counts(self.spelled);
            let answer = match counted.then(|| world.flood.post(self.bot, self.chat, now)) {
                Some(Err(seconds)) => Err(Refusal::too_many(seconds)),
                _ => method(world, self.bot, &params),
            };
            self.write(world, params, &answer);
            answer
        });
        if self.spelled.ends_with("Webhook") && self.spelled != "getWebhookInfo" {
            crate::deliver::start(shared, self.bot);
        }
        answer
    }

    fn note(&self, shared: &Arc<Shared>, params: Params, answer: &Answer) {
        shared.change(|world| self.write(world, params, answer));
    }

    /// A fault came first.
    fn unheard(&mut self, shared: &Arc<Shared>, params: Params) {
        self.lost = true;
        shared.change(|world| {
            let call = self.call(world.now_ms(), params, None, Outcome::Unheard);
            if self.spelled != "getUpdates" {
                world.journal.called(call);
            }
        });
    }

    fn write(&self, world: &mut crate::world::World, params: Params, answer: &Answer) {
        if self.spelled == "getUpdates" {
            return;
        }
        let (message, outcome) = match answer {
            Ok(done) => (done.message, Outcome::Done),
            Err(refusal) => (None, Outcome::Refused(refusal.code, refusal.description.clone())),
        };
        let at = world.now_ms();
        world.journal.called(self.call(at, params, message, outcome));
    }

    fn call(&self, at: i64, params: Params, message: Option<i64>, outcome: Outcome) -> Call {
        Call {
            number: 0,
            at,
            bot: self.bot,
            method: self.spelled.to_owned(),
            chat: self.chat,
            thread: params.int("message_thread_id"),
            message,
            params: params.into_fields(),
            outcome,
            lost: self.lost,
        }
    }
}

/// Carries a method out for a webhook that answered with it; nobody hears what came of it.
pub(crate) fn carry_out_for(shared: &Arc<Shared>, bot: i64, name: &str, params: Params) {
    let unfit = name.eq_ignore_ascii_case("getUpdates")
        || ["setwebhook", "deletewebhook", "close", "logout"].contains(&name.to_lowercase().as_str())
        || name.to_lowercase().starts_with("get");
    if let (Some((spelled, method)), false) = (methods::find(name), unfit) {
        let chat = shared.world().named_chat(&params).unwrap_or_default();
        let mut asked = Asked { bot, spelled, chat, lost: false };
        asked.carry_out(shared, method, params).ok();
    }
}

/// The request goes on by itself, so that it arrives even if its sender does not live to see it.
async fn late(
    shared: &Arc<Shared>,
    mut asked: Asked,
    method: Option<methods::Method>,
    params: Params,
    ms: u64,
) -> Result<Response<Body>, Cut> {
    let Some(method) = method else {
        real_pause(Duration::from_millis(ms)).await;
        return Ok(answered(&updates::get(shared, asked.bot, &params, Vec::new()).await));
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    let carrier = shared.clone();
    shared.errand(async move {
        real_pause(Duration::from_millis(ms)).await;
        // Who asked may have gone.
        tell.send(asked.carry_out(&carrier, method, params)).ok();
    });
    let answer = told.await.map_err(|_| Cut)?;
    if asked.lost { Err(Cut) } else { Ok(answered(&answer)) }
}

/// Silence, until the faults are cleared.
async fn deaf(shared: &Arc<Shared>) -> Result<Response<Body>, Cut> {
    let before = shared.world().faults.cleared();
    loop {
        let changed = shared.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if shared.world().faults.cleared() != before {
            return Err(Cut);
        }
        changed.await;
    }
}

fn file(shared: &Arc<Shared>, rest: &str) -> Response<Body> {
    let Some((token, path)) = rest.split_once('/') else { return refused(&Refusal::new(404, "Not Found")) };
    let world = shared.world();
    if !world.tokens.contains_key(token) {
        return refused(&Refusal::new(401, "Unauthorized"));
    }
    match world.files.at(path).map(|stored| stored.content.bytes.clone()) {
        Some(bytes) => response(200, "application/octet-stream", bytes),
        None => refused(&Refusal::new(404, "Not Found")),
    }
}

fn answered(answer: &Answer) -> Response<Body> {
    match answer {
        Ok(done) => response(200, "application/json", done.body()),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = response(refusal.code, "application/json", refusal.body());
    if let Some(seconds) = refusal.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What the proxy in front says when the server is not well.
fn proxy(status: u16) -> Response<Body> {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let reason = reason.unwrap_or("Bad Gateway");
    let page = format!(
        "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1>\
         </center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
    );
    response(status, "text/html", page)
}

fn response(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
