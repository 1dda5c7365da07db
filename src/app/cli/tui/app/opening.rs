//! Opening conversations, and what the connection brings of them.

use serde_json::Value;

use super::{App, Connection, Effect};
use crate::cli::Failure;
use crate::cli::client::fresh_key;
use crate::cli::field;
use crate::cli::tui::chat::{Chat, Page, Place, Wants, is_shown};
use crate::cli::tui::connection::Link;
use crate::cli::tui::fetch::{Fetched, Request};

impl App {
    /// Opens another conversation. What was written stays with its own.
    pub fn open(&mut self, place: Place) {
        self.in_list = false;
        if place == self.chat.place {
            return;
        }
        let draft = self.composer.text().to_owned();
        self.drafts.retain(|(known, _)| *known != self.chat.place);
        if !draft.is_empty() {
            self.drafts.push((self.chat.place.clone(), draft));
        }
        let kept = self.drafts.iter().find(|(known, _)| *known == place);
        self.composer.set(kept.map(|(_, text)| text.clone()).unwrap_or_default());
        let known = self.parked.iter().position(|chat| chat.place == place);
        let next = known.map_or_else(|| Chat::new(place, self.look.zone), |at| self.parked.remove(at));
        let before = std::mem::replace(&mut self.chat, next);
        if before.unsent() > 0 {
            self.parked.push(before);
        }
        self.opened += 1;
        self.reads_earlier = false;
        self.resume();
    }

    /// Begins a conversation that nobody has named.
    pub fn begin(&mut self) {
        match fresh_key() {
            Ok(key) => {
                let bits = &key[key.len() - 12..];
                self.open(Place::Chat(format!("c-{bits}")));
            }
            Err(failure) => self.sentence = Some(failure.to_string()),
        }
    }

    /// Asks for the frames of the conversation from now on. What was before is read when the gateway answers.
    fn resume(&mut self) {
        self.early = Some(Vec::new());
        self.chat.disconnected();
        if self.is_connected() {
            self.resume = format!("resume-{}-{}", self.opened, self.ticks);
            self.effects.push(Effect::Send(self.chat.resume(&self.resume)));
        }
    }

    pub(super) fn link(&mut self, link: Link) {
        match link {
            Link::Connecting => self.connection = Connection::Connecting,
            Link::Waiting(pause, why) => {
                self.connection = Connection::Waiting(self.now.mono + pause, why);
                self.chat.disconnected();
            }
            Link::Open => {
                self.connection = Connection::Open;
                self.opened += 1;
                self.reads_earlier = false;
                self.resume();
                let parked = self.parked.iter_mut().flat_map(Chat::unacknowledged);
                let frames: Vec<Value> = self.chat.unacknowledged().into_iter().chain(parked).collect();
                self.effects.extend(frames.into_iter().map(Effect::Send));
            }
            Link::Frame(frame) => self.frame(frame),
        }
    }

    fn frame(&mut self, frame: Value) {
        let id = frame["id"].as_str().unwrap_or_default();
        if !id.is_empty() && id == self.resume {
            return self.resumed(&frame);
        }
        if let Some(early) = self.early.as_mut().filter(|_| is_shown(&frame)) {
            return early.push(frame);
        }
        if let Some(at) = self.parked.iter().position(|chat| chat.awaits(id)) {
            let wants = self.parked[at].handle(&frame, self.now.wall);
            if self.parked[at].unsent() == 0 {
                self.parked.remove(at);
            }
            return self.want(wants);
        }
        let before = self.chat.session.clone();
        let wants = self.chat.handle(&frame, self.now.wall);
        self.want(wants);
        if before.is_some() && before != self.chat.session {
            // Since the configuration has changed, the chat belongs to another agent.
            self.opened += 1;
            self.resume();
        }
    }

    fn resumed(&mut self, frame: &Value) {
        let Some(session) = frame["result"]["session"].as_str() else {
            self.sentence = Some(field::text(frame, "message"));
            return self.caught_up();
        };
        self.chat.session = Some(session.to_owned());
        self.timeline = super::Reading::default();
        self.read_timeline();
        self.read_list();
    }

    fn read_timeline(&mut self) {
        let Some(session) = self.chat.session.clone() else { return };
        if self.timeline.wants() {
            self.effects.push(Effect::Fetch(Request::Newest(self.opened, session)));
        }
    }

    /// The timeline is shown: what has arrived meanwhile follows.
    fn caught_up(&mut self) {
        for frame in self.early.take().unwrap_or_default() {
            let wants = self.chat.handle(&frame, self.now.wall);
            self.want(wants);
        }
    }

    fn want(&mut self, wants: Wants) {
        if wants.timeline && self.early.is_none() {
            self.read_timeline();
        }
        if wants.list {
            self.read_list();
        }
        if let Some(text) = wants.rejected {
            self.composer.remember(&text);
        }
        self.sentence = wants.sentence.or(self.sentence.take());
    }

    pub(super) fn fetched(&mut self, fetched: Fetched) {
        match fetched {
            Fetched::Newest(opened, page) if opened == self.opened => {
                let again = self.timeline.ended();
                self.show(page, Chat::show_newest);
                self.caught_up();
                if again {
                    self.timeline = super::Reading::default();
                    self.read_timeline();
                }
            }
            Fetched::Earlier(opened, page) if opened == self.opened => {
                self.reads_earlier = false;
                self.show(page, Chat::show_earlier);
            }
            Fetched::Newest(..) | Fetched::Earlier(..) => {}
            Fetched::Sessions(rows) => {
                // Without a gateway the banner says why.
                if let Ok(rows) = rows {
                    self.sessions.take(rows, self.chat.session.as_deref());
                }
                if self.list.ended() {
                    self.list = super::Reading::default();
                    self.read_list();
                }
            }
        }
    }

    fn show(&mut self, page: Result<Page, Failure>, show: fn(&mut Chat, &Page)) {
        match page {
            Ok(page) => show(&mut self.chat, &page),
            Err(failure) if failure.is_unavailable() => {}
            Err(failure) => {
                self.chat.earlier = None;
                self.sentence = Some(format!("Earlier messages could not be loaded: {failure}"));
            }
        }
    }
}
