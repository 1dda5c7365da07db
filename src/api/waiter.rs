//! Somebody who waits for the answer to one message.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::act::{About, Ending};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_store::StoreError;
use frontdesk_store::row::HistoryRow;
use serde_json::Value;

use crate::budget::Reserved;
use crate::error::{ApiError, Failed};
use crate::frame::{Kind, Shown, failure};
use crate::hub::Reader;
use crate::list::SMALL;
use crate::prompt::Taken;
use crate::server::ServerState;

/// How often the row is looked at without any frame: not every end makes one.
const LOOK: Duration = Duration::from_secs(2);

/// How many of a session's last lines are searched for a command's reply, and how many at a time.
const LINES: u64 = 1000;
const LINES_AT_ONCE: u64 = 200;

/// The state of a turn that was cut off after it may have changed something, and its code on the wire.
const INTERRUPTED: &str = "interrupted";

/// Waits for the answer to one message. Frames are hints; the row is the truth.
pub(crate) struct Waiter {
    server: Arc<ServerState>,
    reader: Reader,
    message: MessageId,
    session: SessionKey,
    /// The row must be looked at before anything is waited for: the message was known already.
    look: bool,
    /// The answer was seen as a frame.
    done: Option<Arc<Shown>>,
    /// Nothing follows.
    over: bool,
    /// The memory of a large answer, as long as the client has not read it.
    room: Option<Reserved>,
}

/// An answer.
pub(crate) struct Answered {
    pub(crate) text: String,
    pub(crate) cost: Option<Usage>,
    /// Whether a turn's end follows it; a command has none.
    pub(crate) by_turn: bool,
}

/// The next thing that a reader of the stream sees.
pub(crate) enum Step {
    Frame(Arc<Shown>),
    /// Nothing new; the connection is still used.
    Nothing,
    Failed(ApiError),
    End,
}

impl Waiter {
    pub(crate) fn new(server: Arc<ServerState>, reader: Reader, taken: &Taken) -> Self {
        let Taken { message, session, again } = taken.clone();
        Self { server, reader, message, session, look: again, done: None, over: false, room: None }
    }

    /// Waits for the whole answer.
    pub(crate) async fn answer(&mut self) -> Result<Answered, ApiError> {
        loop {
            if std::mem::take(&mut self.look)
                && let Some(answer) = self.conclude().await?
            {
                return self.with_room(answer?).await;
            }
            match self.reader.out.pop(u64::MAX) {
                Some(frame) => self.look = self.notice(&frame),
                None => self.look = self.rest().await?,
            }
        }
    }

    /// The memory that is reserved for the answer, if it is a large one.
    pub(crate) fn take_room(&mut self) -> Option<Reserved> {
        self.room.take()
    }

    /// Reserves memory for a large answer. While others hold too much, it is let go and read again afterwards.
    async fn with_room(&mut self, answer: Answered) -> Result<Answered, ApiError> {
        // The answer, and what is made of it.
        let bytes = 2 * answer.text.len();
        if bytes <= 2 * SMALL {
            return Ok(answer);
        }
        if let Some(room) = self.server.unread.try_reserve(bytes) {
            self.room = Some(room);
            return Ok(answer);
        }
        drop(answer);
        self.room = Some(self.server.room(bytes).await.map_err(|error| error.about(self.message))?);
        self.conclude().await?.ok_or_else(ApiError::internal)?
    }

    /// Waits for the next thing to show.
    pub(crate) async fn step(&mut self) -> Step {
        match self.next().await {
            Ok(step) => step,
            Err(error) => Step::Failed(error),
        }
    }

    async fn next(&mut self) -> Result<Step, ApiError> {
        while !self.over {
            if std::mem::take(&mut self.look)
                && let Some(answer) = self.conclude().await?
            {
                let answer = answer?;
                match &self.done {
                    // A command has no turn whose end could follow.
                    Some(_) if !answer.by_turn => self.over = true,
                    Some(_) => {}
                    None => {
                        self.over = true;
                        let answer = self.with_room(answer).await?;
                        return Ok(Step::Frame(Arc::new(Shown::answer(self.about(), 0, &answer.text))));
                    }
                }
                continue;
            }
            let Some(frame) = self.reader.out.pop(u64::MAX) else {
                let quiet = match self.rest().await {
                    // The answer was shown; only the turn's end is missing.
                    Err(_) if self.done.is_some() => break,
                    rested => rested?,
                };
                if quiet {
                    self.over = self.done.is_some();
                    self.look = !self.over;
                    return Ok(Step::Nothing);
                }
                continue;
            };
            if !frame.is_about(self.message) {
                continue;
            }
            match frame.kind {
                Kind::Done => {
                    self.done = Some(frame.clone());
                    self.look = true;
                }
                // The row knows why, and what was said so far.
                Kind::End(Ending::Dead) => {
                    self.look = true;
                    continue;
                }
                // The end may overtake the answer, which is on its way by itself.
                Kind::End(ending) if failure(ending).is_some() || self.done.is_some() => self.over = true,
                Kind::End(_) => {}
                // Too large to be shown from here; the row has it.
                Kind::Stored => {
                    self.look = true;
                    continue;
                }
                Kind::Delta | Kind::Message | Kind::Gap | Kind::Typing => {}
            }
            return Ok(Step::Frame(frame));
        }
        Ok(Step::End)
    }

    /// Whether a frame may mean that the message has ended.
    fn notice(&mut self, frame: &Arc<Shown>) -> bool {
        let mine = frame.is_about(self.message);
        if mine && frame.kind == Kind::Done {
            self.done = Some(frame.clone());
        }
        mine && matches!(frame.kind, Kind::Done | Kind::Stored | Kind::End(_))
    }

    /// Waits for a frame. True if none came for a while, or some were lost.
    async fn rest(&self) -> Result<bool, ApiError> {
        tokio::select! {
            biased;
            () = self.server.stop.cancelled() => Err(ApiError::stopping_before_the_answer(self.message)),
            () = self.reader.out.changed(), if !self.reader.out.is_overrun() => Ok(false),
            () = self.server.pause(LOOK) => Ok(true),
        }
    }

    /// What the row says, if it has ended. While the gateway goes down the database may be gone first: then an
    /// answer that was seen is one all the same.
    async fn conclude(&self) -> Result<Option<Result<Answered, ApiError>>, ApiError> {
        match (self.conclusion().await, &self.done) {
            (Err(StoreError::Closed), Some(done)) => {
                Ok(Some(Ok(Answered { text: full_text(done), cost: None, by_turn: false })))
            }
            (Err(StoreError::Closed), None) => Err(ApiError::stopping_before_the_answer(self.message)),
            (conclusion, _) => Ok(conclusion?),
        }
    }

    async fn conclusion(&self) -> Result<Option<Result<Answered, ApiError>>, StoreError> {
        let Some(row) = self.server.handle.store().message(self.message).await? else {
            return Ok(Some(Err(ApiError::not_found("the message was erased").about(self.message))));
        };
        let failed = |ending| failed(ending, self.message);
        Ok(match row.message.state.as_str() {
            "answered" => Some(Ok(self.answered(row).await?)),
            "refused" => Some(Err(ApiError::refused_by_name(
                row.message.reason.as_deref().unwrap_or("refused"),
                self.message,
            ))),
            "cancelled" => {
                let mut error = failed(Ending::Cancelled);
                let text = row.answer.filter(|said| !said.is_empty()).map(beginning);
                error.failed = Some(Box::new(Failed { text, detail: None }));
                Some(Err(error))
            }
            "superseded" => Some(Err(failed(Ending::Superseded))),
            "dead" => {
                let mut error = failed(Ending::Dead);
                error.failed = Some(Box::new(Failed {
                    text: row.answer.filter(|said| !said.is_empty()).map(beginning),
                    // Whoever may prompt through this interface is the owner.
                    detail: row.message.turn.and_then(|turn| self.server.handle.why_failed(turn)),
                }));
                if row.turn_state.as_deref() == Some(INTERRUPTED) {
                    error.code = INTERRUPTED.into();
                    error.message = Notice::Interrupted { so_far: String::new() }.text().into();
                } else if let Some(name) = row.error.or(row.message.reason) {
                    // The sentence of the notice in the chat.
                    if let Some(failure) = Failure::named(&name) {
                        error.message = failure.sentence().into();
                    }
                    error.code = name.into();
                }
                Some(Err(error))
            }
            _ => None,
        })
    }

    async fn answered(&self, row: HistoryRow) -> Result<Answered, StoreError> {
        let by_turn = row.message.turn.is_some();
        let text = match (row.answer, &self.done) {
            (Some(answer), _) => answer,
            (None, Some(done)) => full_text(done),
            // A command's reply is a line of the session and nothing else.
            (None, None) => self.line().await?.map(|line| full_text(&line)).unwrap_or_default(),
        };
        Ok(Answered { text, cost: row.usage, by_turn })
    }

    /// The durable line that answers the message, looked for from the newest on.
    async fn line(&self) -> Result<Option<Shown>, StoreError> {
        let store = self.server.handle.store();
        let newest = store.session(&self.session).await?.map_or(0, |row| row.seq);
        let mut end = newest;
        while end > newest.saturating_sub(LINES) {
            let begin = end.saturating_sub(LINES_AT_ONCE);
            let (mut after, mut found) = (begin, None);
            while after < end {
                let rows = store.frames_page(&self.session, after, LINES_AT_ONCE as u32, SMALL).await?.rows;
                let Some(last) = rows.last().and_then(|row| row.post.seq) else { break };
                let lines = rows.into_iter().map(Shown::from_row);
                found =
                    lines.rev().find(|line| line.kind == Kind::Done && line.is_about(self.message)).or(found);
                after = last;
            }
            if found.is_some() {
                return Ok(found);
            }
            end = begin;
        }
        Ok(None)
    }

    fn about(&self) -> About {
        About { session: Some(self.session.clone()), messages: vec![self.message] }
    }
}

/// As much of what was said as stands in an error; the history has all of it.
fn beginning(mut said: String) -> String {
    if said.len() > SMALL {
        said.truncate(said.floor_char_boundary(SMALL));
        said.push('…');
    }
    said
}

/// The text of an answer's frame.
fn full_text(done: &Shown) -> String {
    serde_json::from_str::<Value>(done.json.as_str())
        .ok()
        .and_then(|frame| frame["fullText"].as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A turn that ended without an answer, as an error of the request that waited for it.
fn failed(ending: Ending, message: MessageId) -> ApiError {
    let status = if ending == Ending::Dead { StatusCode::BAD_GATEWAY } else { StatusCode::CONFLICT };
    let (code, sentence) = failure(ending).unwrap_or(("answered", "This was answered."));
    ApiError::new(status, code, sentence).about(message)
}
