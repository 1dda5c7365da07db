//! Shows an answer in the chat while the agent is still writing it: by edits, as a draft, or live; and the typing
//! indicator.

mod edits;
mod pacing;
mod paragraphs;
mod pieces;
mod requests;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::{Ending, MessageRefs, Signal};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::port::{Adapter, Mono, Stop};
use frontdesk_core::profile::{Flow as Rule, Profile};
use frontdesk_core::progress::Progress;
use frontdesk_core::terminal::{Terminal, TextEdit};
use frontdesk_store::row::{Claim, ClaimedTurn};
use futures_util::future::BoxFuture;

use crate::adapters::Connection;
use crate::hooks::Pieces;
use crate::media;
use crate::settings::Settings;
use crate::shared::Shared;

use edits::Edits;
use pieces::HookPiece;
use requests::{StreamRequest, StreamStep};
pub(crate) use silence::Silence;

/// Maximum time that the end of a turn waits for an edit under way.
const LAST_EDIT: Duration = Duration::from_secs(10);

/// The output of one turn.
pub(crate) struct Flow {
    shared: Arc<Shared>,
    connection: Option<Arc<Connection>>,
    /// The adapter whose profile says how this answer is shown. Requests use the one that is connected.
    adapter: Option<Arc<dyn Adapter>>,
    address: Address,
    about: MessageRefs,
    claim: Claim<TurnId>,
    /// Set when the turn is cancelled: its final text is stored then.
    stop: Stop,
    /// The number of live frames: a higher one replaces the text that was shown before.
    attempt: u32,
    /// The text so far, as a terminal would show it.
    text: String,
    terminal: Terminal,
    max: usize,
    cut: bool,
    silence: Silence,
    /// Number of bytes that were shown live.
    live: usize,
    /// A line that was shown live has been rewritten. Live text only grows, so the line is shown once more.
    repeat_line: bool,
    typing: Option<Mono>,
    edits: Option<Edits>,
    /// The one request of this turn that is under way: typing, the first post, or an edit.
    pending: Option<BoxFuture<'static, StreamStep>>,
    /// Whether the answer may be shown while it is being written.
    pieces: Pieces,
}

impl Flow {
    pub(crate) fn new(shared: &Arc<Shared>, settings: &Settings, turn: &ClaimedTurn, stop: &Stop) -> Self {
        // The text of a task is not shown before its end.
        let connection = shared.adapters.at(&turn.address).filter(|_| !turn.works_in_background());
        let now = shared.time.mono();
        let adapter = connection.as_ref().map(|connection| connection.adapter());
        let profile = adapter.as_ref().map(|adapter| adapter.profile());
        let typing = profile
            .and_then(|profile| profile.typing)
            .map(|_| now + Duration::from_millis(settings.config.turns.typing_after_ms));
        let pieces = shared.hooks.pieces();
        let growing = profile.filter(|_| pieces != Pieces::Off);
        let edits = growing.and_then(|profile| Edits::new(profile, turn, now));
        Self {
            shared: shared.clone(),
            connection,
            adapter,
            address: turn.address.clone(),
            about: about(turn),
            claim: turn.claim,
            stop: stop.clone(),
            attempt: turn.attempt + turn.restarts,
            text: String::new(),
            terminal: Terminal::default(),
            max: settings.config.turns.max_answer,
            cut: false,
            silence: Silence::of(&turn.session),
            live: 0,
            repeat_line: false,
            typing,
            edits,
            pending: None,
            pieces,
        }
    }

    /// Adds text of the agent.
    pub(crate) async fn add(&mut self, text: String) {
        let change = self.terminal.feed(&text);
        self.change(change).await;
    }

    /// The answer is also about this message.
    pub(crate) fn include(&mut self, message: MessageId) {
        self.about.messages.push(message);
    }

    /// The agent begins its answer again. A message that was posted shows the old text until the new one replaces it.
    pub(crate) async fn restart(&mut self) {
        self.terminal = Terminal::default();
        self.text.clear();
        self.cut = false;
        self.attempt += 1;
        if let Some(edits) = &mut self.edits {
            edits.rewritten(0);
            if let Some(blocks) = &mut edits.blocks {
                blocks.shrunk("");
            }
        }
        if std::mem::take(&mut self.live) > 0 {
            self.repeat_line = false;
            let about = self.about.clone();
            self.show(Signal::Delta { about, attempt: self.attempt, text: String::new() }).await;
        }
    }

    /// The agent has ended: an incomplete terminal sequence is resolved.
    pub(crate) async fn complete(&mut self) {
        let change = std::mem::take(&mut self.terminal).finish();
        self.change(change).await;
    }

    async fn change(&mut self, change: TextEdit) {
        // Nothing is added after the answer was cut off.
        if self.cut {
            return;
        }
        self.take_back(change.retract);
        self.append(&change.append);
        let unsettled = if self.cut { 0 } else { self.terminal.unsettled() };
        self.show_live(self.text.len().saturating_sub(unsettled)).await;
    }

    fn append(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let remaining = self.max.saturating_sub(self.text.len());
        self.cut = text.len() > remaining;
        self.text.push_str(&text[..text.floor_char_boundary(remaining)]);
        if let Some(blocks) = self.edits.as_mut().and_then(|edits| edits.blocks.as_mut()) {
            blocks.grown(&self.text);
        }
    }

    /// Removes the last bytes of the text, which are about to be rewritten.
    fn take_back(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let kept = self.text.floor_char_boundary(self.text.len().saturating_sub(bytes));
        self.text.truncate(kept);
        if let Some(edits) = &mut self.edits {
            edits.rewritten(kept);
            if let Some(blocks) = &mut edits.blocks {
                blocks.shrunk(&self.text);
            }
        }
        if kept < self.live {
            self.live = self.text.rfind('\n').map_or(0, |end| end + 1);
            self.repeat_line = true;
        }
    }

    /// Shows the text up to here to connected readers.
    async fn show_live(&mut self, end: usize) {
        let unseen = self.live < end && !self.silence.may_become(&self.text);
        let live =
            self.pieces != Pieces::Off && self.profile().is_some_and(|profile| profile.flow == Rule::Live);
        if unseen && live {
            let fresh = if std::mem::take(&mut self.repeat_line) { "\n" } else { "" };
            let text = format!("{fresh}{}", &self.text[self.live..end]);
            self.live = end;
            self.typing = None;
            let piece = HookPiece { hooks: self.pieces, about: &self.about, address: &self.address };
            if let Some(text) = piece.seen(&self.shared, text).await {
                let delta = Signal::Delta { about: self.about.clone(), attempt: self.attempt, text };
                self.show(delta).await;
            }
        }
    }

    /// Tells connected readers what the agent does at the moment; nothing if it does that no more.
    pub(crate) async fn tell(&mut self, progress: Progress) {
        // Hooks that see only whole texts do not see what a call says.
        let may_show = self.pieces != Pieces::Off || progress == Progress::default();
        if may_show && self.profile().is_some_and(|profile| profile.flow == Rule::Live) {
            let (about, attempt) = (self.about.clone(), self.attempt);
            self.show(Signal::Progress { about, task: None, attempt, progress }).await;
        }
    }

    /// The text so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the history keeps of an answer that is stopped here: its text, without the names of files.
    pub(crate) fn partial(&self) -> String {
        match self.silence.leaves_nothing(&self.text) {
            true => String::new(),
            false => media::without_files(&self.text).0,
        }
    }

    /// The complete answer and how it ends; `whole` is set if the agent sent a final text of its own.
    pub(crate) fn take(&mut self, whole: Option<String>, end: AnswerEnd) -> (String, AnswerEnd) {
        let mut text = whole.unwrap_or_else(|| std::mem::take(&mut self.text));
        if text.len() > self.max {
            text.truncate(text.floor_char_boundary(self.max));
            self.cut = true;
        }
        (text, if self.cut { AnswerEnd::CutOff } else { end })
    }

    /// When [`Flow::step`] has something to do.
    pub(crate) fn due(&self) -> Option<Mono> {
        if self.pending.is_some() {
            return None;
        }
        let edit = self.edits.as_ref().filter(|edits| edits.wants(self.visible())).map(|edits| edits.next);
        [self.typing, edit].into_iter().flatten().min()
    }

    /// Whether a request is under way, for which [`Flow::step`] waits.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether a message was posted.
    pub(crate) fn is_posted(&self) -> bool {
        self.edits.as_ref().is_some_and(|edits| edits.is_begun)
    }

    /// Whether the chat has seen a draft of the answer and no message: what it shows is gone unless it is sent.
    pub(crate) fn is_drafted(&self) -> bool {
        self.edits.as_ref().is_some_and(|edits| edits.is_drafted && !edits.is_begun)
    }

    /// Waits for the request under way, or starts the one that is due. Cancel-safe.
    pub(crate) async fn step(&mut self) {
        match &mut self.pending {
            Some(pending) => {
                let step = pending.await;
                self.pending = None;
                self.settle(step);
            }
            None => self.start(self.shared.time.mono()),
        }
    }

    /// Waits for the request under way, so that nothing is sent after the final edit.
    pub(crate) async fn settled(&mut self) {
        let deadline = self.shared.time.mono() + LAST_EDIT;
        let clock = self.shared.time.clock().clone();
        while self.pending.is_some() {
            tokio::select! {
                () = self.step() => {}
                () = clock.sleep_until(deadline) => {
                    self.pending = None;
                }
            }
        }
    }

    /// Drops the request under way, which has panicked and cannot be awaited any more.
    pub(crate) fn abandon(&mut self) {
        self.pending = None;
    }

    /// Tells platforms that show the end of turns that this one has ended.
    pub(crate) async fn end(&mut self, ending: Ending, usage: Option<Usage>) {
        if self.profile().is_some_and(|profile| profile.ends) {
            let end = Signal::End { about: self.about.clone(), ending, usage };
            self.show(end).await;
        }
    }

    fn request(&self) -> Option<StreamRequest> {
        let connection = self.connection.clone()?;
        let (shared, address) = (self.shared.clone(), self.address.clone());
        let (about, pieces) = (self.about.clone(), self.pieces);
        let (claim, stop) = (self.claim, self.stop.clone());
        Some(StreamRequest { shared, connection, address, about, pieces, claim, stop })
    }

    /// The part of the text that may be shown while it is incomplete.
    fn visible(&self) -> &str {
        if self.silence.may_become(&self.text) {
            return "";
        }
        match self.edits.as_ref().and_then(|edits| edits.blocks.as_ref()) {
            Some(blocks) => &self.text[..blocks.end()],
            None => &self.text,
        }
    }

    /// What fits into the first message, and whether the text exceeds it.
    fn first_part(&self) -> Option<(String, bool)> {
        let profile = self.profile()?;
        let (text, _) = media::without_files(self.visible());
        let mut parts = profile.render(&text).into_iter();
        let first = parts.next()?.plain;
        Some((first, parts.next().is_some()))
    }

    async fn show(&mut self, signal: Signal) {
        if let Some(connection) = &self.connection {
            connection.show(&self.address, signal).await;
        }
    }

    fn profile(&self) -> Option<&Profile> {
        self.adapter.as_ref().map(|adapter| adapter.profile())
    }
}

/// The session and messages that a turn's frames belong to.
pub(crate) fn about(turn: &ClaimedTurn) -> MessageRefs {
    MessageRefs {
        session: Some(turn.session.clone()),
        messages: turn.messages.iter().map(|message| message.id).collect(),
    }
}
