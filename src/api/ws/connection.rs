//! One client: what it says, what it is shown, in an order that holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use frontdesk_core::access::Action;
use frontdesk_core::address::Address;
use frontdesk_core::key::{DEFAULT_ACCOUNT, Scope as Place, SessionKey};
use frontdesk_core::port::Busy;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};

use crate::endpoint::session;
use crate::error::ApiError;
use crate::frame::{Kind, Shown};
use crate::hub::{Reader, Reply};
use crate::prompt::{self, Taken};
use crate::refusals::Why;
use crate::server::ServerState;
use crate::token::{Caller, Scope};
use crate::ws::call;
use crate::ws::line::{End, Line};
use crate::ws::word::{Says, Unclear, Word};

/// How often a silent client is asked for a sign of life; after two questions without one it is gone.
const BEAT: Duration = Duration::from_secs(30);

/// How many prompts of one client may be on their way to their commit; meanwhile nothing else is read.
const ON_THEIR_WAY: usize = 64;

/// How many sessions one client may read.
const SESSIONS: usize = 100;

/// How many stored lines are fetched at once,
const LINES: u32 = 100;

/// and how many bytes of them, unless one alone has more.
const PAGE: usize = 128 * 1024;

/// One client.
pub(crate) struct Connection {
    server: Arc<ServerState>,
    caller: Caller,
    ip: IpAddr,
    reader: Reader,
    /// Per session the last durable line that was shown. A line that is next is shown; one that is older
    /// was shown already; and when one is missing in between, the database has it.
    shown: HashMap<SessionKey, u64>,
    prompts: FuturesOrdered<OnItsWay>,
    issued: u64,
    settled: u64,
    hold: Option<Hold>,
    /// Signs of life that were asked for since the last one came.
    questions: u8,
}

/// Frames wait until the prompts that were on their way when they came have been acknowledged, so that no
/// client sees an answer to something that it does not know yet.
struct Hold {
    /// The last frame that need not wait any longer,
    up_to: u64,
    /// once so many prompts are settled.
    settled: u64,
}

/// A prompt on its way to its commit.
struct OnItsWay {
    id: Value,
    reply: Reply,
}

impl Future for OnItsWay {
    type Output = (Value, Result<Taken, ApiError>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.reply).poll(context).map(|outcome| {
            let outcome = outcome.unwrap_or(Err(Busy::Stopping));
            (self.id.take(), prompt::settle(outcome))
        })
    }
}

impl Connection {
    pub(crate) fn new(server: Arc<ServerState>, caller: Caller, ip: IpAddr) -> Self {
        let reader = server.hub.reader();
        Self {
            server,
            caller,
            ip,
            reader,
            shown: HashMap::new(),
            prompts: FuturesOrdered::new(),
            issued: 0,
            settled: 0,
            hold: None,
            questions: 0,
        }
    }

    /// Serves the client until one of us leaves.
    pub(crate) async fn serve(mut self, line: &mut Line) -> End {
        match self.converse(line).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn converse(&mut self, line: &mut Line) -> Result<std::convert::Infallible, End> {
        let mut tokens = self.server.tokens.watch();
        let server = self.server.clone();
        // The token may have gone between the handshake and this watch.
        self.check_token()?;
        line.say(r#"{"type":"ready","protocol":1}"#.into()).await?;
        let mut beat = Box::pin(server.pause(BEAT));
        loop {
            self.show(line).await?;
            let out = self.reader.out.clone();
            tokio::select! {
                biased;
                () = server.stop.cancelled() => return Err(self.last_words(line).await?),
                changed = tokens.changed() => {
                    changed.map_err(|_| End::Fault)?;
                    self.check_token()?;
                }
                Some((id, outcome)) = self.prompts.next() => self.acknowledge(line, &id, outcome).await?,
                () = out.changed() => {}
                heard = line.hear_any(), if self.prompts.len() < ON_THEIR_WAY => {
                    self.questions = 0;
                    let heard = match heard {
                        Err(end) => return Err(self.unreadable(line, end).await?),
                        Ok(heard) => heard,
                    };
                    if let Some(text) = heard {
                        self.hear(line, &text).await?;
                    }
                }
                () = &mut beat => {
                    beat = Box::pin(server.pause(BEAT));
                    self.ask_for_life(line).await?;
                }
            }
        }
    }

    /// After something that no frame can be, the connection ends: but first whatever was said before it is
    /// acknowledged, and the client is told what was wrong.
    async fn unreadable(&mut self, line: &mut Line, end: End) -> Result<End, End> {
        let max = self.server.config.limits.max_frame;
        let error = match end {
            End::TooLarge => ApiError::too_large(max),
            End::Binary => ApiError::unreadable("only text frames are read here"),
            End::Unreadable => {
                ApiError::unreadable("this is no frame: a text frame is UTF-8 and holds one JSON object")
            }
            end => return Ok(end),
        };
        self.note_unreadable(&error);
        self.settle(line).await?;
        line.say_json(&error.frame(None)).await?;
        Ok(end)
    }

    /// Nothing of it was acknowledged, and the client was told so; the log says it once in a while.
    fn note_unreadable(&self, error: &ApiError) {
        metrics::counter!("frontdesk_web_unreadable_frames_total").increment(1);
        self.server.refusals.note(Why::UnreadableFrame, self.ip, &error.code, self.server.now());
    }

    /// What is known at the end is said before the goodbye. Everything that was to come has come: the runtime
    /// stops before the door does.
    async fn last_words(&mut self, line: &mut Line) -> Result<End, End> {
        while let Some(Some((id, outcome))) = self.prompts.next().now_or_never() {
            self.acknowledge(line, &id, outcome).await?;
        }
        self.show(line).await?;
        Ok(End::Stopping)
    }

    fn check_token(&self) -> Result<(), End> {
        if self.server.tokens.still_knows(&self.caller) { Ok(()) } else { Err(End::Revoked) }
    }

    async fn ask_for_life(&mut self, line: &mut Line) -> Result<(), End> {
        if self.questions >= 2 {
            return Err(End::Gone);
        }
        self.questions += 1;
        line.ping().await
    }

    /// Carries out what the client said.
    async fn hear(&mut self, line: &mut Line, text: &str) -> Result<(), End> {
        let (id, result) = match Word::read(text) {
            Err(Unclear { id, error }) => {
                self.note_unreadable(&error);
                (id, self.server.admit_token(&self.caller).and(Err(*error)))
            }
            Ok(Word { says: Says::Ping, .. }) => return line.say(r#"{"type":"pong"}"#.into()).await,
            Ok(Word { id, says }) => match self.server.admit_token(&self.caller) {
                Err(error) => (id, Err(error)),
                Ok(()) => {
                    // Most of these never happen on most connections: their room is taken when they do.
                    let result = Box::pin(self.carry_out(line, says)).await?;
                    (id, result)
                }
            },
        };
        match (id, result) {
            (id, Err(error)) => line.say_json(&error.frame(id.as_ref())).await,
            (Some(id), Ok(Some(result))) => line.say_json(&json!({"id": id, "result": result})).await,
            (None, Ok(Some(result))) => line.say_json(&json!({"result": result})).await,
            (_, Ok(None)) => Ok(()),
        }
    }

    /// The result, where there is one to tell; the client's own faults are inside, the end of all is outside.
    async fn carry_out(
        &mut self,
        line: &mut Line,
        says: Says,
    ) -> Result<Result<Option<Value>, ApiError>, End> {
        Ok(match says {
            Says::Prompt { id, chat, text } => self.prompt(id, &chat, text).await.map(|()| None),
            Says::Resume { session, chat, last_seq } => {
                return self.resume(line, session.as_deref(), &chat, last_seq).await;
            }
            Says::Abort { session, chat } => {
                self.settle(line).await?;
                self.abort(session.as_deref(), &chat).await.map(Some)
            }
            Says::Call { method, params } => {
                self.settle(line).await?;
                call::call(&self.server, &self.caller, &method, params).await.map(Some)
            }
            Says::Auth { .. } => Err(ApiError::bad_request("this socket has shown its token already")),
            Says::Ping => Ok(None),
        })
    }

    /// Hands a prompt in. Its session is read from before, so that nothing of the answer is missed.
    async fn prompt(&mut self, id: String, chat: &str, text: String) -> Result<(), ApiError> {
        self.server.authorize(&self.caller, Scope::Admin, Action::Speak)?;
        let address = web(chat)?;
        let session = self.server.handle.session_at(&address)?;
        if !self.shown.contains_key(&session) {
            let seq = self.subscribe(session.clone(), Some(address)).await?;
            self.shown.insert(session, seq);
        }
        let reply = self.server.hub.submit(&self.caller.token, chat, &id, text)?;
        self.prompts.push_back(OnItsWay { id: id.into(), reply });
        self.issued += 1;
        Ok(())
    }

    /// Reads a session from now on; returns the number of its last durable line.
    async fn subscribe(&mut self, session: SessionKey, address: Option<Address>) -> Result<u64, ApiError> {
        if self.reader.len() >= SESSIONS && !self.reader.reads(&session) {
            let message = format!("one connection reads at most {SESSIONS} sessions: open another one");
            return Err(ApiError::bad_request(message));
        }
        self.reader.subscribe(session.clone(), address);
        Ok(self.server.handle.store().session(&session).await?.map_or(0, |row| row.seq))
    }

    async fn acknowledge(
        &mut self,
        line: &mut Line,
        id: &Value,
        outcome: Result<Taken, ApiError>,
    ) -> Result<(), End> {
        self.settled += 1;
        let frame = match outcome {
            Ok(Taken { message, session, .. }) => {
                json!({"type": "accepted", "id": id, "message": message.to_string(), "session": session.as_str()})
            }
            Err(error) => error.frame(Some(id)),
        };
        line.say_json(&frame).await
    }

    /// Waits for the prompts that were said before: what follows them must find them in the database.
    async fn settle(&mut self, line: &mut Line) -> Result<(), End> {
        let server = self.server.clone();
        loop {
            tokio::select! {
                biased;
                settled = self.prompts.next() => match settled {
                    Some((id, outcome)) => self.acknowledge(line, &id, outcome).await?,
                    None => return Ok(()),
                },
                () = server.stop.cancelled() => return Err(End::Stopping),
            }
        }
    }

    /// Ends what runs and what waits in a chat. One in which nothing was said yet has nothing to end.
    async fn abort(&self, session: Option<&str>, chat: &str) -> Result<Value, ApiError> {
        self.server.authorize(&self.caller, Scope::Admin, Action::Speak)?;
        let session = self.session(session, chat)?;
        match session::cancel(&self.server, &session, &self.caller.author()).await {
            Err(error) if error.code == "not_found" => Ok(session::cancelled(&session, (0, 0))),
            result => result,
        }
    }

    /// The session that a frame names, by its key or by the name of a chat.
    fn session(&self, key: Option<&str>, chat: &str) -> Result<SessionKey, ApiError> {
        match key {
            Some(key) => session::key(key),
            None => Ok(self.server.handle.session_at(&web(chat)?)?),
        }
    }

    /// Reads a session from now on, and shows what the client has missed. The reading comes first: what is
    /// said during the replay waits, and is known by its number when it comes.
    async fn resume(
        &mut self,
        line: &mut Line,
        session: Option<&str>,
        chat: &str,
        last_seq: u64,
    ) -> Result<Result<Option<Value>, ApiError>, End> {
        let subscribed = async {
            self.server.authorize(&self.caller, Scope::Read, Action::Administer)?;
            let session = self.session(session, chat)?;
            let address = chat_of(&session);
            let newest = self.subscribe(session.clone(), address).await?;
            Ok((session, newest))
        };
        let (session, newest) = match subscribed.await {
            Ok(subscribed) => subscribed,
            Err(error) => return Ok(Err(error)),
        };
        // A number that the session never reached (it was erased since) must not hide what comes.
        self.shown.insert(session.clone(), last_seq.min(newest));
        self.replay(line, &session).await?;
        let seq = self.shown.get(&session).copied().unwrap_or_default();
        Ok(Ok(Some(json!({"session": session.as_str(), "seq": seq}))))
    }

    /// Shows the stored lines that follow the last one that was shown.
    async fn replay(&mut self, line: &mut Line, session: &SessionKey) -> Result<(), End> {
        loop {
            let after = self.shown.get(session).copied().unwrap_or_default();
            let store = self.server.handle.store();
            let read = |most| store.frames_page(session, after, LINES, most);
            // The memory is given back when the client has taken the lines.
            let (page, _reserved) =
                self.server.page(PAGE, read).await.map_err(|error| match &*error.code {
                    "busy" => End::TooSlow,
                    "stopping" => End::Stopping,
                    _ => End::Fault,
                })?;
            let last = !page.more && page.rows.len() < LINES as usize;
            for row in page.rows {
                let frame = Shown::from_row(row);
                self.shown.insert(session.clone(), frame.seq);
                line.feed(frame.json, &self.reader.out).await?;
            }
            line.flush(&self.reader.out).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// Shows what waits, as far as it may be shown now.
    async fn show(&mut self, line: &mut Line) -> Result<(), End> {
        let out = self.reader.out.clone();
        let up_to = self.up_to();
        let mut fed = false;
        loop {
            if out.is_overrun() {
                return Err(End::TooSlow);
            }
            let Some(frame) = out.pop(up_to) else { break };
            fed = true;
            self.show_one(line, &frame).await?;
        }
        if fed { line.flush(&out).await } else { Ok(()) }
    }

    /// The last frame that may be shown now.
    fn up_to(&mut self) -> u64 {
        if self.settled == self.issued {
            self.hold = None;
            return u64::MAX;
        }
        if let Some(hold) = &self.hold
            && self.settled < hold.settled
        {
            return 0;
        }
        // What came before this moment may wait for prompts that are on their way now, and for no later ones.
        let released = self.hold.take().map_or(0, |hold| hold.up_to);
        self.hold = Some(Hold { up_to: self.reader.out.last(), settled: self.issued });
        released
    }

    async fn show_one(&mut self, line: &mut Line, frame: &Shown) -> Result<(), End> {
        let session = frame.about.session.as_ref().filter(|_| frame.seq > 0);
        let Some((session, last)) =
            session.and_then(|session| self.shown.get_mut(session).map(|last| (session, last)))
        else {
            return line.feed(frame.json.clone(), &self.reader.out).await;
        };
        if frame.seq <= *last {
            return Ok(());
        }
        if frame.seq > *last + 1 || frame.kind == Kind::Stored {
            // The row was committed before its frame was pushed: the database has what is missing.
            Box::pin(self.replay(line, session)).await?;
        }
        match self.shown.get_mut(session) {
            Some(last) if *last < frame.seq && frame.kind != Kind::Stored => *last = frame.seq,
            _ => return Ok(()),
        }
        line.feed(frame.json.clone(), &self.reader.out).await
    }
}

fn web(chat: &str) -> Result<Address, ApiError> {
    Address::new("web", None, chat, None).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The web address that belongs to a session, if one does.
fn chat_of(session: &SessionKey) -> Option<Address> {
    let web =
        session.channel() == "web" && session.account() == DEFAULT_ACCOUNT && session.scope() == Place::Dm;
    web.then(|| Address::new("web", None, session.id(), None).ok()).flatten()
}
