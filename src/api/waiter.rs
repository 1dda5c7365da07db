//! Waits for the answer to one message.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::{Ending, MessageRefs};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;
use frontdesk_store::StoreError;
use frontdesk_store::row::{HistoryRow, MessageState, Reason, TurnState};

use crate::budget::Reserved;
use crate::ending::{beginning, failure};
use crate::error::{AgentFailure, ApiError};
use crate::frame::{FrameKind, ServerFrame};
use crate::hub::Subscriber;
use crate::list::SMALL;
use crate::prompt::AcceptedPrompt;
use crate::server::ServerState;
use crate::token::Caller;

/// How often the row is read while no frame arrives, because a message can end without a frame.
const POLL: Duration = Duration::from_secs(2);

/// Maximum number of a session's newest stored frames that are searched for a command's reply.
const SEARCHED_FRAMES: u64 = 1000;

/// Number of stored frames that one read of the search returns.
const SEARCH_STEP: u64 = 200;

/// The state and the error code of a turn that was cut off after it may have changed something.
const INTERRUPTED: &str = "interrupted";

/// Waits for the answer to one message. Frames only say when to look: the message's row decides.
pub(crate) struct AnswerWaiter {
    server: Arc<ServerState>,
    caller: Caller,
    subscriber: Subscriber,
    message: MessageId,
    session: SessionKey,
    /// Read the row before waiting for a frame: the message is a duplicate, or a frame says that it may have ended.
    check_row: bool,
    /// Send the open questions of the message's turn first: the message is a duplicate, and the stream that showed them
    /// may be lost.
    repeat_asks: bool,
    /// Questions to send.
    asks: VecDeque<Arc<ServerFrame>>,
    /// The frame of the answer, once it was received.
    done: Option<Arc<ServerFrame>>,
    /// The frame of the turn's end was received.
    ended: bool,
    finished: bool,
    /// The memory of a large answer until the client has read it.
    reserved: Option<Reserved>,
    /// A later start cancels the message instead of answering it.
    ends_with_the_gateway: bool,
}

/// The answer to a message.
pub(crate) struct ReceivedAnswer {
    /// What people read.
    pub(crate) text: String,
    /// How many bytes of the text the agent wrote, if a remark about the answer's end follows them.
    own: Option<u64>,
    /// How the answer ends; `None` if the database closed before that could be read.
    pub(crate) end: Option<AnswerEnd>,
    pub(crate) usage: Option<Usage>,
    /// Whether a turn gave it. A command's reply has no turn, so no end of a turn follows it.
    pub(crate) by_turn: bool,
}

impl ReceivedAnswer {
    /// What the agent wrote, without a remark about its end.
    pub(crate) fn own_text(&self) -> &str {
        let own = self.own.and_then(|own| usize::try_from(own).ok());
        own.and_then(|own| self.text.get(..own)).unwrap_or(&self.text)
    }
}

/// The next thing to write to a client that streams an answer.
pub(crate) enum StreamEvent {
    Frame(Arc<ServerFrame>),
    /// Nothing new: a comment keeps the connection alive.
    KeepAlive,
}

impl AnswerWaiter {
    pub(crate) fn new(
        server: Arc<ServerState>,
        caller: Caller,
        subscriber: Subscriber,
        prompt: &AcceptedPrompt,
    ) -> Self {
        let AcceptedPrompt { message, session, duplicate } = prompt.clone();
        Self {
            server,
            caller,
            subscriber,
            message,
            session,
            check_row: duplicate,
            repeat_asks: duplicate,
            asks: VecDeque::new(),
            done: None,
            ended: false,
            finished: false,
            reserved: None,
            ends_with_the_gateway: false,
        }
    }

    /// Says that a later start cancels the message instead of answering it.
    pub(crate) fn ends_with_the_gateway(&mut self) {
        self.ends_with_the_gateway = true;
    }

    /// Waits for the whole answer.
    pub(crate) async fn answer(&mut self) -> Result<ReceivedAnswer, ApiError> {
        loop {
            if std::mem::take(&mut self.check_row)
                && let Some(answer) = self.read_outcome().await?
            {
                return self.reserve(answer?).await;
            }
            match self.subscriber.queue.pop(u64::MAX) {
                Some(frame) => self.check_row = self.may_be_the_end(&frame),
                None => self.check_row = self.wait_for_frame().await?,
            }
        }
    }

    /// A frame as this client gets it.
    pub(crate) fn json<'f>(&self, frame: &'f ServerFrame) -> &'f str {
        frame.json_for(|audience| self.server.may_answer(&self.caller, audience)).as_str()
    }

    /// The memory reserved for the answer, if it is a large one.
    pub(crate) fn take_reserved(&mut self) -> Option<Reserved> {
        self.reserved.take()
    }

    /// Reserves memory for a large answer. If too much is reserved already, the answer is dropped meanwhile and read
    /// again afterwards.
    async fn reserve(&mut self, answer: ReceivedAnswer) -> Result<ReceivedAnswer, ApiError> {
        // The answer and its serialized form.
        let bytes = 2 * answer.text.len();
        if bytes <= 2 * SMALL {
            return Ok(answer);
        }
        if let Some(reserved) = self.server.unread.try_reserve(bytes) {
            self.reserved = Some(reserved);
            return Ok(answer);
        }
        drop(answer);
        let reserved = self.server.reserve_unread(bytes).await;
        self.reserved = Some(reserved.map_err(|error| error.about(self.message))?);
        self.ended().await
    }

    /// Waits for the next event of the stream; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<StreamEvent>, ApiError> {
        if std::mem::take(&mut self.repeat_asks) {
            self.asks = self.open_asks().await?;
        }
        if let Some(ask) = self.asks.pop_front() {
            return Ok(Some(StreamEvent::Frame(ask)));
        }
        while !self.finished {
            if std::mem::take(&mut self.check_row)
                && let Some(answer) = self.read_outcome().await?
            {
                let answer = answer?;
                match &self.done {
                    // The end of the turn was sent already; a command has no turn whose end could follow.
                    Some(_) if self.ended || !answer.by_turn => self.finished = true,
                    Some(_) => {}
                    None => {
                        self.finished = true;
                        let answer = self.reserve(answer).await?;
                        let frame = ServerFrame::answer(self.about(), 0, &answer.text);
                        return Ok(Some(StreamEvent::Frame(Arc::new(frame))));
                    }
                }
                continue;
            }
            let Some(frame) = self.subscriber.queue.pop(u64::MAX) else {
                let check = match self.wait_for_frame().await {
                    // The answer was sent; only the end of the turn is missing.
                    Err(_) if self.done.is_some() => break,
                    waited => waited?,
                };
                if check {
                    self.finished = self.done.is_some();
                    self.check_row = !self.finished;
                    return Ok(Some(StreamEvent::KeepAlive));
                }
                continue;
            };
            if self.is_sent(&frame) {
                return Ok(Some(StreamEvent::Frame(frame)));
            }
        }
        Ok(None)
    }

    /// The open questions of the message's turn.
    async fn open_asks(&self) -> Result<VecDeque<Arc<ServerFrame>>, ApiError> {
        let handle = &self.server.handle;
        let turn = handle.store().message(self.message).await?.and_then(|row| row.message.turn);
        if turn.is_none() {
            return Ok(VecDeque::new());
        }
        let asks = handle.asks(Some(&self.session)).await?;
        let asks = asks.into_iter().filter(|ask| ask.turn == turn);
        Ok(asks.map(|ask| Arc::new(ServerFrame::open_ask(self.about(), ask))).collect())
    }

    /// Whether a frame is written to a client that streams the answer, and what follows from it.
    fn is_sent(&mut self, frame: &Arc<ServerFrame>) -> bool {
        if !frame.is_about(self.message) {
            return false;
        }
        match frame.kind {
            FrameKind::Done | FrameKind::AskReply => {
                self.done = Some(frame.clone());
                self.check_row = true;
            }
            // Only the row has the reason of a failure and the text before it, and only the row has a stored
            // answer that is too large for the queue.
            FrameKind::End(Ending::Dead) | FrameKind::Stored => {
                self.check_row = true;
                return false;
            }
            // The end of a turn may arrive before its answer: they are sent independently.
            FrameKind::End(ending) => {
                self.ended = true;
                self.finished |= failure(ending).is_some() || self.done.is_some();
            }
            FrameKind::Delta
            | FrameKind::Prompt
            | FrameKind::File
            | FrameKind::Message
            | FrameKind::Task
            | FrameKind::Progress
            | FrameKind::Ask
            | FrameKind::AskClosed
            | FrameKind::Gap
            | FrameKind::Typing => {}
        }
        true
    }

    /// Whether a frame may mean that the message has ended.
    fn may_be_the_end(&mut self, frame: &Arc<ServerFrame>) -> bool {
        if !frame.is_about(self.message) {
            return false;
        }
        if matches!(frame.kind, FrameKind::Done | FrameKind::AskReply) {
            self.done = Some(frame.clone());
        }
        matches!(frame.kind, FrameKind::Done | FrameKind::AskReply | FrameKind::Stored | FrameKind::End(_))
    }

    /// Waits for a frame. Returns true if the row must be read: no frame arrived for a while, or frames were lost.
    async fn wait_for_frame(&self) -> Result<bool, ApiError> {
        let queue = &self.subscriber.queue;
        tokio::select! {
            biased;
            () = self.server.stop.cancelled() => Err(self.stopping()),
            () = queue.changed(), if !queue.is_overrun() => Ok(false),
            () = self.server.pause(POLL) => Ok(true),
        }
    }

    /// The answer to a message that has ended.
    pub(crate) async fn ended(&self) -> Result<ReceivedAnswer, ApiError> {
        self.read_outcome().await?.ok_or_else(ApiError::internal)?
    }

    /// The outcome of the message; `None` while it has none. While the gateway stops, the database may close first:
    /// then the answer is taken from its frame, if that was received.
    async fn read_outcome(&self) -> Result<Option<Result<ReceivedAnswer, ApiError>>, ApiError> {
        match (self.outcome_of_row().await, &self.done) {
            (Err(StoreError::Closed), Some(done)) => {
                let text = done.full_text();
                Ok(Some(Ok(ReceivedAnswer { text, own: None, end: None, usage: None, by_turn: false })))
            }
            (Err(StoreError::Closed), None) => Err(self.stopping()),
            (outcome, _) => Ok(outcome?),
        }
    }

    async fn outcome_of_row(&self) -> Result<Option<Result<ReceivedAnswer, ApiError>>, StoreError> {
        let Some(row) = self.server.handle.store().message(self.message).await? else {
            return Ok(Some(Err(ApiError::not_found("this message was erased").about(self.message))));
        };
        let failed = |ending| ApiError::ended(ending, self.message);
        Ok(match row.message.state {
            MessageState::Answered => self.answer_of(row).await?.map(Ok),
            MessageState::Refused => Some(Err(match row.message.reason {
                Some(Reason::Refused(refusal)) => ApiError::refused(refusal, self.message),
                reason => {
                    let code = reason.map_or_else(|| "refused".to_owned(), |reason| reason.to_string());
                    ApiError::refused_as(code.into(), "This message was not accepted.", self.message)
                }
            })),
            MessageState::Cancelled => {
                let mut error = failed(Ending::Cancelled);
                let text = row.answer.filter(|answer| !answer.is_empty()).map(beginning);
                error.failed = Some(Box::new(AgentFailure { text, detail: None }));
                Some(Err(error))
            }
            MessageState::Superseded => Some(Err(failed(match row.message.reason {
                Some(Reason::MovedTo(task)) => Ending::MovedTo(task),
                _ => Ending::Superseded,
            }))),
            MessageState::Dead => {
                let mut error = failed(Ending::Dead);
                error.failed = Some(Box::new(AgentFailure {
                    text: row.answer.filter(|answer| !answer.is_empty()).map(beginning),
                    // Only the owner may send prompts through this interface, so the detail is for the owner.
                    detail: row.message.turn.and_then(|turn| self.server.handle.why_failed(turn)),
                }));
                if row.turn_state == Some(TurnState::Interrupted) {
                    error.code = INTERRUPTED.into();
                    error.message = Notice::Interrupted { so_far: String::new() }.text().into();
                } else if let Some(reason) = row.error.or(row.message.reason) {
                    // The same sentence as in the chat's notice.
                    if let Reason::Failed(failure) = reason {
                        error.message = failure.sentence().into();
                    }
                    error.code = reason.to_string().into();
                }
                Some(Err(error))
            }
            MessageState::Waiting | MessageState::InTurn => None,
        })
    }

    /// The answer; `None` while hooks are still to see the reply to a command.
    async fn answer_of(&self, row: HistoryRow) -> Result<Option<ReceivedAnswer>, StoreError> {
        let by_turn = row.message.turn.is_some();
        let text = match (row.answer, &self.done) {
            (Some(answer), _) => answer,
            (None, Some(done)) => done.full_text(),
            // A command's reply is stored only as a frame of the session.
            (None, None) => match self.stored_reply().await? {
                Some(frame) => frame.full_text(),
                None if self.server.handle.store().reply_waits(self.message).await? => return Ok(None),
                None => String::new(),
            },
        };
        Ok(Some(ReceivedAnswer { text, own: row.own, end: Some(row.end), usage: row.usage, by_turn }))
    }

    /// The stored frame that answers the message, searched from the newest frame on.
    async fn stored_reply(&self) -> Result<Option<ServerFrame>, StoreError> {
        let store = self.server.handle.store();
        let newest = store.session(&self.session).await?.map_or(0, |row| row.seq);
        let mut end = newest;
        while end > newest.saturating_sub(SEARCHED_FRAMES) {
            let begin = end.saturating_sub(SEARCH_STEP);
            let (mut after, mut found) = (begin, None);
            while after < end {
                let rows = store.frames_page(&self.session, after, SEARCH_STEP as u32, SMALL).await?.rows;
                let Some(last) = rows.last().and_then(|row| row.post.seq) else { break };
                let frames = rows.into_iter().map(|row| ServerFrame::post(row.post));
                let is_reply = |frame: &ServerFrame| {
                    matches!(frame.kind, FrameKind::Done | FrameKind::AskReply)
                        && frame.is_about(self.message)
                };
                found = frames.rev().find(is_reply).or(found);
                after = last;
            }
            if found.is_some() {
                return Ok(found);
            }
            end = begin;
        }
        Ok(None)
    }

    fn stopping(&self) -> ApiError {
        match self.ends_with_the_gateway {
            true => ApiError::stopping_without_an_answer(self.message),
            false => ApiError::stopping_before_the_answer(self.message),
        }
    }

    fn about(&self) -> MessageRefs {
        MessageRefs { session: Some(self.session.clone()), messages: vec![self.message] }
    }
}
