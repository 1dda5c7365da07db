//! One client's connection: reads its frames, and writes acknowledgements and session frames in a consistent order.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use frontdesk_core::access::Action;
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::port::PromptInput;
use serde_json::{Value, json};

use crate::endpoint::session::StoppedSession;
use crate::endpoint::{ask, session};
use crate::error::ApiError;
use crate::frame::{self, FrameKind, ServerFrame, Wire};
use crate::hub::Subscriber;
use crate::prompt::{self, AcceptedPrompt};
use crate::prompt_queue::NewPrompt;
use crate::refusals::RefusalKind;
use crate::server::ServerState;
use crate::token::{Caller, Scope};
use crate::ws::call;
use crate::ws::message::{ClientFrame, ClientMessage, InvalidFrame};
use crate::ws::pending_prompts::{Acknowledgement, PendingPrompts};
use crate::ws::socket::{ClientSocket, Disconnect};
use crate::ws::task_progress;

/// How often a client is pinged. A client that answers neither of two pings is disconnected.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Maximum number of a client's prompts that are not stored yet. Nothing more is read from the client meanwhile.
const MAX_PENDING_PROMPTS: usize = 64;

/// Maximum number of sessions that one client may read.
const MAX_SESSIONS: usize = 100;

/// Maximum number of stored frames that are read from the database at once.
const REPLAY_FRAMES: u32 = 100;

/// Maximum bytes of the stored frames that are read at once, unless a single one is larger.
const REPLAY_BYTES: usize = 128 * 1024;

/// The connection of one client.
pub(crate) struct Connection {
    server: Arc<ServerState>,
    caller: Caller,
    ip: IpAddr,
    subscriber: Subscriber,
    /// The sequence number of the last stored frame that was sent, per session. A frame with the next number is sent,
    /// a frame with a lower number was sent already, and frames that are missing in between are read from the database.
    sent: HashMap<SessionKey, u64>,
    prompts: PendingPrompts,
    /// What the caller must be allowed to do for what the connection sends them.
    needs: Action,
    /// Pings since the client's last frame.
    unanswered_pings: u8,
}

impl Connection {
    pub(crate) fn new(server: Arc<ServerState>, caller: Caller, ip: IpAddr) -> Self {
        let subscriber = server.hub.subscriber();
        Self {
            server,
            caller,
            ip,
            subscriber,
            sent: HashMap::new(),
            prompts: PendingPrompts::default(),
            needs: Action::Write,
            unanswered_pings: 0,
        }
    }

    /// Serves the client until the connection ends.
    pub(crate) async fn serve(mut self, socket: &mut ClientSocket) -> Disconnect {
        match self.run(socket).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn run(&mut self, socket: &mut ClientSocket) -> Result<std::convert::Infallible, Disconnect> {
        let (mut tokens, mut access) = (self.server.tokens.watch(), self.server.handle.access_changed());
        let server = self.server.clone();
        // The token may have been revoked between the handshake and this watch.
        self.check_token()?;
        socket.send(frame::text(&Wire::Ready { protocol: 1 })).await?;
        let mut ping = Box::pin(server.pause(PING_INTERVAL));
        loop {
            self.send_queued(socket).await?;
            let queue = self.subscriber.queue.clone();
            tokio::select! {
                biased;
                () = server.stop.cancelled() => return Err(self.finish(socket).await?),
                changed = tokens.changed() => {
                    changed.map_err(|_| Disconnect::Internal)?;
                    self.check_access()?;
                }
                changed = access.changed() => {
                    changed.map_err(|_| Disconnect::Internal)?;
                    self.check_access()?;
                }
                Some(known) = self.prompts.next() => acknowledge(socket, known).await?,
                () = queue.changed() => {}
                received = socket.receive(), if self.prompts.len() < MAX_PENDING_PROMPTS => {
                    self.unanswered_pings = 0;
                    match received {
                        Err(end) => return Err(self.reject_unreadable(socket, end).await?),
                        Ok(Some(text)) => self.handle(socket, &text).await?,
                        Ok(None) => {}
                    }
                }
                () = &mut ping => {
                    ping = Box::pin(server.pause(PING_INTERVAL));
                    // It may have expired.
                    self.check_access()?;
                    self.ping(socket).await?;
                }
            }
        }
    }

    /// Ends the connection after something that is not a frame. The prompts before it are acknowledged first, and the
    /// client is told what was wrong.
    async fn reject_unreadable(
        &mut self,
        socket: &mut ClientSocket,
        end: Disconnect,
    ) -> Result<Disconnect, Disconnect> {
        let max = self.server.settings().config.limits.max_frame;
        let error = match end {
            Disconnect::TooLarge => ApiError::too_large(max),
            Disconnect::Binary => ApiError::unreadable("only text frames are accepted"),
            Disconnect::Unreadable => ApiError::unreadable(
                "this is not a valid frame: a frame is text in UTF-8 with one JSON object",
            ),
            end => return Ok(end),
        };
        self.note_unreadable(&error);
        self.acknowledge_all(socket).await?;
        socket.send_json(&error.frame(None)).await?;
        Ok(end)
    }

    /// Counts a frame that could not be read, and logs it from time to time.
    fn note_unreadable(&self, error: &ApiError) {
        metrics::counter!("frontdesk_web_unreadable_frames_total").increment(1);
        self.server.refusals.record(RefusalKind::UnreadableFrame, self.ip, &error.code, self.server.now());
    }

    /// Sends what is ready before the connection is closed. Nothing more arrives, because the runtime stops before the
    /// HTTP server does.
    async fn finish(&mut self, socket: &mut ClientSocket) -> Result<Disconnect, Disconnect> {
        while let Some(known) = self.prompts.next_if_known() {
            acknowledge(socket, known).await?;
        }
        self.send_queued(socket).await?;
        Ok(Disconnect::Stopping)
    }

    fn check_token(&self) -> Result<(), Disconnect> {
        if self.server.is_valid(&self.caller) { Ok(()) } else { Err(Disconnect::Revoked) }
    }

    /// Checks whether the token is valid, and what the access rules say now.
    fn check_access(&self) -> Result<(), Disconnect> {
        self.check_token()?;
        self.server
            .authorize(&self.caller, Scope::Read, self.needs)
            .map_err(|_| Disconnect::Unauthorized("the holder of this token may not read here any more"))
    }

    async fn ping(&mut self, socket: &mut ClientSocket) -> Result<(), Disconnect> {
        if self.unanswered_pings >= 2 {
            return Err(Disconnect::Closed);
        }
        self.unanswered_pings += 1;
        socket.ping().await
    }

    /// Carries out a frame of the client and answers it.
    async fn handle(&mut self, socket: &mut ClientSocket, text: &str) -> Result<(), Disconnect> {
        let (id, result) = match ClientFrame::read(text) {
            Err(InvalidFrame { id, error }) => {
                self.note_unreadable(&error);
                (id, self.server.limit_token(&self.caller).and(Err(*error)))
            }
            Ok(ClientFrame { message: ClientMessage::Ping, .. }) => {
                return socket.send(frame::text(&Wire::Pong)).await;
            }
            Ok(ClientFrame { id, message }) => match self.server.limit_token(&self.caller) {
                Err(error) => (id, Err(error)),
                Ok(()) => {
                    // Boxed, because most of these are rare, and their state would enlarge every connection.
                    let result = Box::pin(self.execute(socket, message)).await?;
                    (id, result)
                }
            },
        };
        match (id, result) {
            (id, Err(error)) => socket.send_json(&error.frame(id.as_ref())).await,
            (Some(id), Ok(Some(result))) => socket.send_json(&json!({"id": id, "result": result})).await,
            (None, Ok(Some(result))) => socket.send_json(&json!({"result": result})).await,
            (_, Ok(None)) => Ok(()),
        }
    }

    /// Carries out a message. The inner result is for the client; the outer error ends the connection.
    async fn execute(
        &mut self,
        socket: &mut ClientSocket,
        message: ClientMessage,
    ) -> Result<Result<Option<Value>, ApiError>, Disconnect> {
        Ok(match message {
            ClientMessage::Prompt { id, chat, text, files } => {
                self.prompt(id, chat, text, &files).await.map(|()| None)
            }
            ClientMessage::Resume { session, chat, last_seq, follow } => {
                return self.resume(socket, session.as_deref(), &chat, last_seq, follow).await;
            }
            ClientMessage::Abort { session, chat } => {
                self.acknowledge_all(socket).await?;
                self.abort(session.as_deref(), &chat).await.map(|stopped| Some(json!(stopped)))
            }
            ClientMessage::Call { method, params } => {
                self.acknowledge_all(socket).await?;
                call::call(&self.server, &self.caller, &method, params).await.map(Some)
            }
            ClientMessage::Answer { id, ask, answer } => {
                self.acknowledge_all(socket).await?;
                match ask::answer_frame(&self.server, &self.caller, id, &ask, answer).await {
                    Ok(frame) => {
                        socket.send(frame).await?;
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
            ClientMessage::Auth { .. } => {
                Err(ApiError::bad_request("this connection has already shown its token"))
            }
            ClientMessage::Ping => Ok(None),
        })
    }

    /// Submits a prompt. The client is subscribed to the session first, so that it misses nothing of the answer.
    async fn prompt(
        &mut self,
        id: String,
        chat: String,
        text: String,
        files: &[String],
    ) -> Result<(), ApiError> {
        self.server.authorize(&self.caller, Scope::Admin, Action::Write)?;
        let chat = self.caller.chat(chat);
        let address = prompt::address(&chat)?;
        let session = self.server.handle.session_at(&address)?;
        if !self.sent.contains_key(&session) {
            let seq = self.subscribe(session.clone(), Some(address)).await?;
            self.sent.insert(session, seq);
        }
        let files = prompt::uploads(&self.server, &self.caller, files).await?;
        let sender = self.subscriber.id();
        let prompt =
            NewPrompt { sender, files, ..NewPrompt::new(chat, id.clone(), PromptInput::Message(text)) };
        let outcome = self.server.hub.submit(&self.caller.person, prompt)?;
        self.prompts.push(id, outcome);
        Ok(())
    }

    /// Subscribes to a session and returns the sequence number of its last stored frame.
    async fn subscribe(&mut self, session: SessionKey, address: Option<Address>) -> Result<u64, ApiError> {
        if self.subscriber.len() >= MAX_SESSIONS && !self.subscriber.is_subscribed(&session) {
            let message = format!("one connection follows at most {MAX_SESSIONS} sessions: open another one");
            return Err(ApiError::bad_request(message));
        }
        self.subscriber.subscribe(session.clone(), address);
        Ok(self.server.handle.store().session(&session).await?.map_or(0, |row| row.seq))
    }

    /// Waits for the client's pending prompts, so that a later frame finds them in the database.
    async fn acknowledge_all(&mut self, socket: &mut ClientSocket) -> Result<(), Disconnect> {
        let server = self.server.clone();
        loop {
            tokio::select! {
                biased;
                next = self.prompts.next() => match next {
                    Some(known) => acknowledge(socket, known).await?,
                    None => return Ok(()),
                },
                () = server.stop.cancelled() => return Err(Disconnect::Stopping),
            }
        }
    }

    /// Cancels the running and the waiting turns of a chat. A chat without messages has none.
    async fn abort(&self, session: Option<&str>, chat: &str) -> Result<StoppedSession, ApiError> {
        self.server.authorize(&self.caller, Scope::Admin, Action::Write)?;
        let session = self.session(session, chat)?;
        match session::cancel(&self.server, &session, &self.caller.author()).await {
            Err(error) if error.code == "not_found" => Ok(session::cancelled(&session, (0, 0))),
            result => result,
        }
    }

    /// The session that a frame names by its key or by the name of a chat. With the scope `chat` a key must be that of an own
    /// chat; a name always means one, and its session may be shared with another chat of its holder.
    fn session(&self, key: Option<&str>, chat: &str) -> Result<SessionKey, ApiError> {
        match key {
            Some(key) => {
                let key = session::key(key)?;
                if self.caller.owns(&key) { Ok(key) } else { Err(session::no_session(&key)) }
            }
            None => {
                let address = prompt::address(&self.caller.chat(chat.to_owned()))?;
                Ok(self.server.handle.session_at(&address)?)
            }
        }
    }

    /// Subscribes to a session and sends the stored frames that the client has missed. The subscription comes first:
    /// frames that arrive during the replay wait, and their sequence numbers tell whether they were replayed.
    async fn resume(
        &mut self,
        socket: &mut ClientSocket,
        session: Option<&str>,
        chat: &str,
        last_seq: u64,
        follow: bool,
    ) -> Result<Result<Option<Value>, ApiError>, Disconnect> {
        let subscribed = async {
            let of_chats = self.caller.scope == Scope::Chat;
            let action = if of_chats { Action::Write } else { Action::Administer };
            self.server.authorize(&self.caller, Scope::Read, action)?;
            let session = self.session(session, chat)?;
            let address = prompt::address_of(&session);
            let newest = self.subscribe(session.clone(), address).await?;
            if !of_chats {
                self.needs = Action::Administer;
            }
            Ok((session, newest))
        };
        let (session, newest) = match subscribed.await {
            Ok(subscribed) => subscribed,
            Err(error) => return Ok(Err(error)),
        };
        // The session may have been erased since: a number that it has not reached must not hide new frames.
        self.sent.insert(session.clone(), last_seq.min(newest));
        self.replay(socket, &session).await?;
        for frame in task_progress::frames(&self.server, &session).await {
            socket.feed(self.json(&frame), &self.subscriber.queue).await?;
        }
        socket.flush(&self.subscriber.queue).await?;
        if follow {
            self.subscriber.follow(&session);
        }
        let seq = self.sent.get(&session).copied().unwrap_or_default();
        Ok(Ok(Some(json!({"session": session.as_str(), "seq": seq}))))
    }

    /// Sends the stored frames that follow the last one that was sent.
    async fn replay(&mut self, socket: &mut ClientSocket, session: &SessionKey) -> Result<(), Disconnect> {
        loop {
            let after = self.sent.get(session).copied().unwrap_or_default();
            let store = self.server.handle.store();
            let read = |most| store.frames_page(session, after, REPLAY_FRAMES, most);
            // The memory is released when the client has taken the frames.
            let (page, _reserved) =
                self.server.page(REPLAY_BYTES, read).await.map_err(|error| match &*error.code {
                    "busy" => Disconnect::TooSlow,
                    "stopping" => Disconnect::Stopping,
                    _ => Disconnect::Internal,
                })?;
            let last = !page.more && page.rows.len() < REPLAY_FRAMES as usize;
            for row in page.rows {
                let frame = ServerFrame::post(row.post);
                self.sent.insert(session.clone(), frame.seq);
                socket.feed(self.json(&frame), &self.subscriber.queue).await?;
            }
            socket.flush(&self.subscriber.queue).await?;
            if last {
                return Ok(());
            }
        }
    }

    /// Sends the queued frames that are not held back.
    async fn send_queued(&mut self, socket: &mut ClientSocket) -> Result<(), Disconnect> {
        let queue = self.subscriber.queue.clone();
        let up_to = self.prompts.sendable_up_to(|| queue.last());
        let mut fed = false;
        loop {
            if queue.is_overrun() {
                return Err(Disconnect::TooSlow);
            }
            let Some(frame) = queue.pop(up_to) else { break };
            fed = true;
            self.send_frame(socket, &frame).await?;
        }
        if fed { socket.flush(&queue).await } else { Ok(()) }
    }

    /// Sends one frame, unless it was sent already. Stored frames that are missing before it are sent first.
    async fn send_frame(&mut self, socket: &mut ClientSocket, frame: &ServerFrame) -> Result<(), Disconnect> {
        let session = frame.about.session.as_ref().filter(|_| frame.seq > 0);
        let Some((session, last)) =
            session.and_then(|session| self.sent.get_mut(session).map(|last| (session, last)))
        else {
            return socket.feed(self.json(frame), &self.subscriber.queue).await;
        };
        if frame.seq <= *last {
            return Ok(());
        }
        if frame.seq > *last + 1 || frame.kind == FrameKind::Stored {
            // A row is committed before its frame is queued, so the database has every missing frame.
            Box::pin(self.replay(socket, session)).await?;
        }
        match self.sent.get_mut(session) {
            Some(last) if *last < frame.seq && frame.kind != FrameKind::Stored => *last = frame.seq,
            _ => return Ok(()),
        }
        socket.feed(self.json(frame), &self.subscriber.queue).await
    }

    /// A frame as this client gets it.
    fn json(&self, frame: &ServerFrame) -> Utf8Bytes {
        frame.json_for(|audience| self.server.may_answer(&self.caller, audience)).clone()
    }
}

async fn acknowledge(socket: &mut ClientSocket, (id, outcome): Acknowledgement) -> Result<(), Disconnect> {
    match outcome {
        Ok(AcceptedPrompt { message, session, .. }) => {
            let (message, session) = (message.to_string(), session.as_str());
            socket.send(frame::text(&Wire::Accepted { id: Some(id), message, session })).await
        }
        Err(error) => socket.send_json(&error.frame(Some(&id))).await,
    }
}
