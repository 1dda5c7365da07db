//! One request: read, struck by faults, carried out, written into the journal, answered.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use crate::clock::pause;
use crate::fault::Kind;
use crate::journal::{Call, Outcome};
use crate::server::{Platform, Shared};

/// An HTTP response.
pub type Response = axum::http::Response<Body>;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
pub struct Cut;

type Step<P> = Box<dyn FnOnce(&mut P, &mut Call<<P as Platform>::Id>) -> Response + Send>;
type Wait = Box<dyn FnOnce(Vec<Kind>) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send>;

/// What a request comes to.
pub enum Work<P: Platform> {
    /// Changes the platform's state in one step, and says in the call how it ended.
    Step(Step<P>),
    /// Delivers events, and may wait for them. It gets the faults that concern events, ends with its connection, and is
    /// not in the journal's calls.
    Wait(Wait),
}

impl<P: Platform> Shared<P> {
    /// Carries out a request, unless a fault strikes it.
    pub async fn serve(self: &Arc<Self>, mut call: Call<P::Id>, work: Work<P>) -> Result<Response, Cut> {
        let delivers_events = matches!(work, Work::Wait(_));
        let mut faults = self.change(|platform| {
            let common = platform.common();
            common.faults.strike(&call, delivers_events, &mut common.random)
        });
        call.lost = faults.contains(&Kind::Lost);
        let (mut slow, mut page) = (None, None);
        for fault in &faults {
            match fault {
                Kind::Hangup | Kind::Status(_) => {
                    call.lost = true;
                    self.struck(call, delivers_events, Outcome::Unheard);
                    return if let Kind::Status(status) = fault { Ok(proxy_page(*status)) } else { Err(Cut) };
                }
                Kind::TooMany(seconds) => {
                    let words = format!("Too Many Requests: retry after {seconds}");
                    self.struck(call, delivers_events, Outcome::Refused(429, words.clone()));
                    return Ok(P::refusal(429, &words, Some(*seconds)));
                }
                Kind::Refuse(status, words) => {
                    self.struck(call, delivers_events, Outcome::Refused(*status, words.clone()));
                    return Ok(P::refusal(*status, words, None));
                }
                Kind::DoneThen(status) => (call.lost, page) = (true, Some(*status)),
                Kind::Silent => return self.silence().await,
                Kind::Slow(ms) => slow = Some(Duration::from_millis(*ms)),
                Kind::Late(ms) => {
                    let ms = Duration::from_millis(*ms);
                    match work {
                        Work::Step(step) => return self.late(call, step, ms).await,
                        Work::Wait(wait) => {
                            pause(ms).await;
                            return Ok(wait(Vec::new()).await);
                        }
                    }
                }
                Kind::Lost | Kind::Twice | Kind::Shuffled => {}
            }
        }
        let lost = call.lost;
        faults.retain(|fault| matches!(fault, Kind::Twice | Kind::Shuffled));
        let response = match work {
            Work::Step(step) => self.step(call, step),
            Work::Wait(wait) => wait(faults).await,
        };
        if let Some(time) = slow {
            pause(time).await;
        }
        match page {
            Some(status) => Ok(proxy_page(status)),
            None if lost => Err(Cut),
            None => Ok(response),
        }
    }

    /// Carries out a request that no fault can strike.
    pub fn step(
        self: &Arc<Self>,
        mut call: Call<P::Id>,
        step: impl FnOnce(&mut P, &mut Call<P::Id>) -> Response,
    ) -> Response {
        let method = call.method.clone();
        let bot = call.bot.clone();
        let response = self.change(|platform| {
            let response = step(platform, &mut call);
            call.at = self.clock.now_ms();
            platform.common().journal.called(call);
            response
        });
        P::after(self, &bot, &method);
        response
    }

    /// Writes down a request that was not carried out.
    fn struck(&self, mut call: Call<P::Id>, delivers_events: bool, outcome: Outcome) {
        call.outcome = outcome;
        call.at = self.clock.now_ms();
        if !delivers_events {
            self.change(|platform| platform.common().journal.called(call));
        }
    }

    /// Carries a request out after a pause, in the background, so that it arrives even if its sender dies meanwhile.
    async fn late(self: &Arc<Self>, call: Call<P::Id>, step: Step<P>, ms: Duration) -> Result<Response, Cut> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (shared, lost) = (self.clone(), call.lost);
        self.background(async move {
            pause(ms).await;
            // The sender may have gone, and then nobody takes the answer.
            tell.send(shared.step(call, step)).ok();
        });
        let response = told.await.map_err(|_| Cut)?;
        if lost { Err(Cut) } else { Ok(response) }
    }

    /// Answers nothing until the faults are cleared.
    async fn silence(&self) -> Result<Response, Cut> {
        let before = self.change(|platform| platform.common().faults.cleared());
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.state().common().faults.cleared() != before {
                return Err(Cut);
            }
            changed.await;
        }
    }
}

/// Reads a body of at most `limit` bytes.
pub async fn read_body(body: Incoming, limit: usize) -> Option<Bytes> {
    Some(Limited::new(body, limit).collect().await.ok()?.to_bytes())
}

/// A response with a body of this media type.
pub fn response(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The page of the proxy in front of a platform that is not well.
fn proxy_page(status: u16) -> Response {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let title = format!("{status} {}", reason.unwrap_or("Bad Gateway"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
    );
    response(status, "text/html", page)
}
