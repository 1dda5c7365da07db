//! An answer on its way to the chat while the agent is still speaking: whole, by edits, as a draft, or live; and
//! typing.

mod edits;
mod fence;
mod paragraphs;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{About, Act, Ending, Post, PostKind, Receipt, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::markup::{self, Part};
use frontdesk_core::port::{Mono, Stop};
use frontdesk_core::profile::{Flow as Rule, Profile};
use frontdesk_core::terminal::{Change, Terminal};
use frontdesk_store::row::{ClaimedTurn, Fenced};
use futures_util::future::BoxFuture;

use crate::adapters::Connection;
use crate::house::House;
use crate::media;

use edits::{Edits, Posted};
pub(crate) use fence::Fence;
pub(crate) use silence::Silence;

/// How long the end of a turn waits for an edit that is still on its way.
const LAST_EDIT: Duration = Duration::from_secs(10);

/// One turn's way out.
pub(crate) struct Flow {
    house: Arc<House>,
    connection: Option<Arc<Connection>>,
    address: Address,
    about: About,
    turn: TurnId,
    fence: i64,
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

/// What came of a request.
enum Step {
    Typed,
    Shown,
    Posted(String),
    /// Failed, but the next one may not.
    Missed,
    /// Not this time; the answer comes whole.
    Off,
    /// To be shown again, but not before.
    Later(Duration),
    /// Nothing was to be shown, and nothing may be before.
    Wait(Duration),
}

impl Flow {
    pub(crate) fn new(house: &Arc<House>, turn: &ClaimedTurn, stop: &Stop) -> Self {
        let connection = house.adapters.at(&turn.address).cloned();
        let now = house.clock.mono();
        let profile = connection.as_ref().map(|connection| connection.adapter.profile());
        let typing = profile
            .and_then(|profile| profile.typing)
            .map(|_| now + Duration::from_millis(house.config.turns.typing_after_ms));
        let edits = profile.and_then(|profile| Edits::new(profile, turn, now));
        Self {
            house: house.clone(),
            connection,
            address: turn.address.clone(),
            about: about(turn),
            turn: turn.id,
            fence: turn.fence,
            stop: stop.clone(),
            attempt: turn.attempt,
            text: String::new(),
            terminal: Terminal::default(),
            max: house.config.turns.max_answer,
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

    async fn change(&mut self, change: Change) {
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
        if let Some(blocks) = self.edits.as_mut().and_then(|edits| edits.blocks.as_mut()) {
            blocks.shrunk(&self.text);
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
            self.house.adapters.show(&self.address, act).await;
        }
    }

    /// What was said so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
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
        self.edits.as_ref().is_some_and(|edits| matches!(edits.post, Posted::At(_)))
    }

    /// Waits for the request that is on its way, or makes the one that is due. Safe to be dropped in between.
    pub(crate) async fn step(&mut self) {
        match &mut self.pending {
            Some(pending) => {
                let step = pending.await;
                self.pending = None;
                self.settle(step);
            }
            None => self.start(self.house.clock.mono()),
        }
    }

    /// Waits for what is on its way, so that nothing comes after the final edit.
    pub(crate) async fn settled(&mut self) {
        let deadline = self.house.clock.mono() + LAST_EDIT;
        let clock = self.house.clock.clone();
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
            self.house.adapters.show(&self.address, act).await;
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

    /// The first post, or an edit. Both show plain text: half-finished markup is not markup.
    fn edit(&mut self, now: Mono) {
        let plain = self.first_part();
        let visible = self.visible().len();
        let Some(edits) = &mut self.edits else { return };
        edits.next = now + edits.every;
        edits.shown = visible;
        // Text that shows nothing yet.
        let Some(plain) = plain else { return };
        match &edits.post {
            Posted::Off => {}
            Posted::At(target) => {
                let target = target.clone();
                let post = self.post_of(plain);
                self.show(Act::Edit { target, post });
            }
            Posted::Draft => self.show(Act::Draft { id: self.turn.0, text: plain }),
            Posted::None => self.first_post(plain),
        }
    }

    /// Stores part 0 as streaming, posts it, and stores the platform's id of it.
    fn first_post(&mut self, plain: String) {
        let Some(connection) = self.connection.clone() else { return };
        let (house, address) = (self.house.clone(), self.address.clone());
        let (turn, fence) = (self.turn, self.fence);
        self.pending = Some(Box::pin(async move {
            // Held until the platform's id is stored: an end that comes meanwhile edits this message.
            let _alone = connection.alone_in(&address).await;
            if connection.is_held(&house.clock, &address) {
                return Step::Off;
            }
            let row = match house.store.stream(turn, fence, plain, house.clock.wall()).await {
                Ok(Fenced::Done(Some(row))) => row,
                // An older part to this chat is still to be sent; an answer must not overtake it.
                Ok(Fenced::Done(None) | Fenced::Stale) => return Step::Off,
                Err(error) => {
                    tracing::warn!(%turn, %error, "an answer could not be streamed; it will come whole");
                    return Step::Off;
                }
            };
            let out = row.post.out;
            let post = Post { more: true, ..row.post };
            let Ok(Receipt { message: Some(message) }) =
                connection.send(&house.clock, &address, Act::Post(post)).await
            else {
                return Step::Off;
            };
            if let Err(error) = house.store.streamed(out, message.clone()).await {
                tracing::warn!(%turn, %error, "the id of a streamed message was not stored");
            }
            Step::Posted(message)
        }));
    }

    /// Changes what the chat shows, unless the turn is cancelled by the time that nobody else does.
    fn show(&mut self, change: Act) {
        let Some(connection) = self.connection.clone() else { return };
        let (house, address) = (self.house.clone(), self.address.clone());
        let (turn, stop) = (self.turn, self.stop.clone());
        self.pending = Some(Box::pin(async move {
            let _alone = connection.alone_in(&address).await;
            if stop.is_cancelled() {
                return Step::Off;
            }
            request(&house, &connection, &address, turn, change).await
        }));
    }

    fn type_on(&mut self) {
        let Some(connection) = self.connection.clone() else { return };
        let (house, address, turn) = (self.house.clone(), self.address.clone(), self.turn);
        self.pending =
            Some(Box::pin(async move { request(&house, &connection, &address, turn, Act::Typing).await }));
    }

    fn settle(&mut self, step: Step) {
        // Whoever sees the answer grow need not be told that somebody writes.
        if matches!(step, Step::Shown | Step::Posted(_)) {
            self.typing = None;
        }
        let now = self.house.clock.mono();
        let Some(edits) = &mut self.edits else { return };
        match step {
            Step::Typed | Step::Shown | Step::Missed => {}
            Step::Posted(message) => edits.post = Posted::At(message),
            Step::Off => edits.post = Posted::Off,
            Step::Wait(pause) => edits.next = edits.next.max(now + pause),
            Step::Later(pause) => {
                edits.next = edits.next.max(now + pause);
                edits.shown = 0;
            }
        }
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

    /// What fits into the first message.
    fn first_part(&self) -> Option<String> {
        let profile = self.profile()?;
        let (text, _) = media::without_files(self.visible());
        markup::render(&text, profile).into_iter().next().map(|part| part.plain)
    }

    fn post_of(&self, plain: String) -> Post {
        Post {
            part: Part { key: 0, body: plain.clone(), plain },
            // Edits in between are no rows.
            out: OutId(0),
            key: format!("{}/0", self.turn),
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

async fn request(house: &House, connection: &Connection, address: &Address, turn: TurnId, act: Act) -> Step {
    let (typing, draft) = (act == Act::Typing, matches!(act, Act::Draft { .. }));
    match connection.send(&house.clock, address, act).await {
        Ok(_) if typing => Step::Typed,
        Ok(_) => Step::Shown,
        Err(SendError::Later { after, .. }) => {
            let pause = after.unwrap_or(Duration::from_secs(1));
            if typing { Step::Wait(pause) } else { Step::Later(pause) }
        }
        Err(error) => {
            tracing::debug!(%turn, %error, "an answer in progress could not be shown");
            match error {
                _ if typing => Step::Missed,
                SendError::Moved { .. } => Step::Off,
                // A platform that takes no drafts here will not take the next one either.
                SendError::Refused(_) if draft => Step::Off,
                _ => Step::Missed,
            }
        }
    }
}

/// What a turn's frames are about.
pub(crate) fn about(turn: &ClaimedTurn) -> About {
    About {
        session: Some(turn.session.clone()),
        messages: turn.messages.iter().map(|message| message.id).collect(),
    }
}
