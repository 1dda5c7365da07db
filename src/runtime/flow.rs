//! An answer on its way to the chat while the agent is still speaking: whole, by edits, as a draft, or live; and
//! typing.

mod edits;
mod paragraphs;
mod requests;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{Act, Ending, MessageRefs, Post, PostKind};
use frontdesk_core::address::Address;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::markup::Part;
use frontdesk_core::port::{Mono, Stop};
use frontdesk_core::profile::{Flow as Rule, Profile};
use frontdesk_core::terminal::{Terminal, TextEdit};
use frontdesk_store::part_key::TextKey;
use frontdesk_store::row::{Claim, ClaimedTurn};
use futures_util::future::BoxFuture;

use crate::adapters::Connection;
use crate::media;
use crate::shared::Shared;

use edits::{Edits, Posted};
use requests::{Step, Way};
pub(crate) use silence::Silence;

/// How long the end of a turn waits for an edit that is still on its way.
const LAST_EDIT: Duration = Duration::from_secs(10);

/// One turn's way out.
pub(crate) struct Flow {
    shared: Arc<Shared>,
    connection: Option<Arc<Connection>>,
    address: Address,
    about: MessageRefs,
    claim: Claim<TurnId>,
    /// Set when the turn is cancelled: its last word is a row already.
    stop: Stop,
    attempt: u32,
    /// Everything said so far, as a terminal would show it.
    text: String,
    terminal: Terminal,
    max: usize,
    cut: bool,
    silence: Silence,
    /// How much of the text was shown to those who are there now.
    live: usize,
    /// A line that was shown has been rewritten. What is shown live only grows, so it stands there once more.
    again: bool,
    typing: Option<Mono>,
    edits: Option<Edits>,
    /// The one request of this turn that is on its way: typing, the first post, or an edit.
    pending: Option<BoxFuture<'static, Step>>,
}

impl Flow {
    pub(crate) fn new(shared: &Arc<Shared>, turn: &ClaimedTurn, stop: &Stop) -> Self {
        let connection = shared.adapters.at(&turn.address).cloned();
        let now = shared.time.mono();
        let profile = connection.as_ref().map(|connection| connection.adapter.profile());
        let typing = profile
            .and_then(|profile| profile.typing)
            .map(|_| now + Duration::from_millis(shared.settings.config.turns.typing_after_ms));
        let edits = profile.and_then(|profile| Edits::new(profile, turn, now));
        Self {
            shared: shared.clone(),
            connection,
            address: turn.address.clone(),
            about: about(turn),
            claim: turn.claim,
            stop: stop.clone(),
            attempt: turn.attempt,
            text: String::new(),
            terminal: Terminal::default(),
            max: shared.settings.config.turns.max_answer,
            cut: false,
            silence: Silence::of(&turn.session),
            live: 0,
            again: false,
            typing,
            edits,
            pending: None,
        }
    }

    /// The agent has said something more.
    pub(crate) async fn add(&mut self, piece: String) {
        let change = self.terminal.feed(&piece);
        self.change(change).await;
    }

    /// The agent will say no more: what it had begun to say is part of the text.
    pub(crate) async fn complete(&mut self) {
        let change = std::mem::take(&mut self.terminal).finish();
        self.change(change).await;
    }

    async fn change(&mut self, change: TextEdit) {
        // What was cut off does not come back.
        if self.cut {
            return;
        }
        self.take_back(change.retract);
        self.append(&change.append);
        let unsettled = if self.cut { 0 } else { self.terminal.unsettled() };
        self.show_live(self.text.len().saturating_sub(unsettled)).await;
    }

    fn append(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        let room = self.max.saturating_sub(self.text.len());
        self.cut = piece.len() > room;
        self.text.push_str(&piece[..piece.floor_char_boundary(room)]);
        if let Some(blocks) = self.edits.as_mut().and_then(|edits| edits.blocks.as_mut()) {
            blocks.grown(&self.text);
        }
    }

    /// The last bytes of the text are to be written anew.
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
            self.again = true;
        }
    }

    /// Shows the text up to here to those who are there now.
    async fn show_live(&mut self, end: usize) {
        let unseen = self.live < end && !self.silence.may_become(&self.text);
        if unseen && self.profile().is_some_and(|profile| profile.flow == Rule::Live) {
            let fresh = if std::mem::take(&mut self.again) { "\n" } else { "" };
            let text = format!("{fresh}{}", &self.text[self.live..end]);
            self.live = end;
            self.typing = None;
            let act = Act::Delta { about: self.about.clone(), attempt: self.attempt, text };
            self.shared.adapters.show(&self.address, act).await;
        }
    }

    /// What was said so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What the history keeps of an answer that was stopped here: its words, without the names of files.
    pub(crate) fn partial(&self) -> String {
        match self.silence.may_become(&self.text) {
            true => String::new(),
            false => media::without_files(&self.text).0,
        }
    }

    /// The answer, complete; `whole` where the agent gave one that differs from its pieces.
    pub(crate) fn take(&mut self, whole: Option<String>) -> String {
        let mut text = whole.unwrap_or_else(|| std::mem::take(&mut self.text));
        if text.len() > self.max {
            text.truncate(text.floor_char_boundary(self.max));
            self.cut = true;
        }
        if self.cut {
            text.push_str("\n\n(The answer was longer than I may pass on; the rest was cut off.)");
        }
        text
    }

    /// When [`Flow::step`] has something to do by itself.
    pub(crate) fn due(&self) -> Option<Mono> {
        if self.pending.is_some() {
            return None;
        }
        let edit = self.edits.as_ref().filter(|edits| edits.wants(self.visible())).map(|edits| edits.next);
        [self.typing, edit].into_iter().flatten().min()
    }

    /// Whether a request is on its way, so that [`Flow::step`] is worth waiting for.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether a message has been begun.
    pub(crate) fn is_posted(&self) -> bool {
        self.edits.as_ref().is_some_and(|edits| edits.is_begun)
    }

    /// Waits for the request that is on its way, or makes the one that is due. Safe to be dropped in between.
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

    /// Waits for what is on its way, so that nothing comes after the final edit.
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

    /// Drops what is on its way: it cannot be waited for any more.
    pub(crate) fn abandon(&mut self) {
        self.pending = None;
    }

    /// Tells those who want to know that the turn has ended.
    pub(crate) async fn end(&mut self, ending: Ending, usage: Option<Usage>) {
        if self.profile().is_some_and(|profile| profile.ends) {
            let act = Act::End { about: self.about.clone(), ending, usage };
            self.shared.adapters.show(&self.address, act).await;
        }
    }

    fn start(&mut self, now: Mono) {
        let visible = self.visible();
        if self.edits.as_ref().is_some_and(|edits| edits.next <= now && edits.wants(visible)) {
            self.edit(now);
        } else if self.typing.is_some_and(|due| due <= now) {
            self.typing = self.profile().and_then(|profile| profile.typing).map(|every| now + every);
            self.type_on();
        }
    }

    /// The first post, or an edit. Both show plain text: half-finished markup is not markup. An edit that would change
    /// nothing is not made: past the end of the first message the text grows and the message does not.
    fn edit(&mut self, now: Mono) {
        let first = self.first_part();
        let visible = self.visible().len();
        let Some(edits) = &mut self.edits else { return };
        edits.next = now + edits.every;
        edits.shown = visible;
        // Text that shows nothing yet.
        let Some((plain, is_full)) = first else { return };
        edits.is_full = is_full;
        if edits.tried.as_deref() == Some(plain.as_str()) {
            return self.type_again(now);
        }
        edits.tried = Some(plain.clone());
        let (Some(edits), Some(way)) = (&self.edits, self.way()) else { return };
        self.pending = match &edits.post {
            Posted::Off => None,
            Posted::At(target) => {
                let target = target.clone();
                Some(Box::pin(way.show(Act::Edit { target, post: self.post_of(plain) })))
            }
            Posted::Draft => Some(Box::pin(way.show(Act::Draft { id: self.claim.id.0, text: plain }))),
            Posted::None => Some(Box::pin(way.first_post(plain, edits.every))),
        };
    }

    fn type_on(&mut self) {
        if let Some(way) = self.way() {
            self.pending = Some(Box::pin(way.show(Act::Typing)));
        }
    }

    /// Says that somebody writes when the chat does not show it.
    fn type_again(&mut self, now: Mono) {
        if self.typing.is_none() {
            self.typing = self.profile().and_then(|profile| profile.typing).map(|_| now);
        }
    }

    fn settle(&mut self, step: Step) {
        let now = self.shared.time.mono();
        let Some(edits) = &mut self.edits else {
            if let Step::Later(pause) = step {
                self.typing = self.typing.map(|due| due.max(now + pause));
            }
            return;
        };
        match step {
            Step::Typed | Step::Missed => {}
            // Whoever sees the answer grow need not be told that somebody writes.
            Step::Shown => self.typing = None,
            Step::Posted(message) => {
                edits.post = Posted::At(message);
                edits.is_begun = true;
                self.typing = None;
            }
            Step::Off => edits.post = Posted::Off,
            Step::Later(pause) => {
                edits.later(now + pause);
                self.typing = self.typing.map(|due| due.max(now + pause));
            }
        }
        let grows_unseen = edits.is_full || matches!(edits.post, Posted::Off);
        if grows_unseen {
            self.type_again(now);
        }
    }

    fn way(&self) -> Option<Way> {
        let connection = self.connection.clone()?;
        let (shared, address) = (self.shared.clone(), self.address.clone());
        Some(Way { shared, connection, address, claim: self.claim, stop: self.stop.clone() })
    }

    /// How much of the text may be seen while more is to come.
    fn visible(&self) -> &str {
        if self.silence.may_become(&self.text) {
            return "";
        }
        match self.edits.as_ref().and_then(|edits| edits.blocks.as_ref()) {
            Some(blocks) => &self.text[..blocks.end()],
            None => &self.text,
        }
    }

    /// What fits into the first message, and whether more of the text is there already.
    fn first_part(&self) -> Option<(String, bool)> {
        let profile = self.profile()?;
        let (text, _) = media::without_files(self.visible());
        let mut parts = profile.render(&text).into_iter();
        let first = parts.next()?.plain;
        Some((first, parts.next().is_some()))
    }

    fn post_of(&self, plain: String) -> Post {
        Post {
            part: Part { key: 0, body: plain.clone(), plain },
            // Edits in between are no rows.
            out: OutId(0),
            key: TextKey::answer(self.claim.id).part(0).into_string(),
            reply_to: None,
            kind: PostKind::Answer,
            about: self.about.clone(),
            seq: None,
            more: true,
        }
    }

    fn profile(&self) -> Option<&Profile> {
        self.connection.as_ref().map(|connection| connection.adapter.profile())
    }
}

/// What a turn's frames are about.
pub(crate) fn about(turn: &ClaimedTurn) -> MessageRefs {
    MessageRefs {
        session: Some(turn.session.clone()),
        messages: turn.messages.iter().map(|message| message.id).collect(),
    }
}
