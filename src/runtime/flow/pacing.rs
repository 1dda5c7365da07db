//! What the platform is shown next, and when: the growing message and the typing indicator.

use frontdesk_core::delivery::Signal;
use frontdesk_core::port::Mono;

use super::Flow;
use super::edits::GrowingMessage;
use super::requests::{PAUSE, StreamStep};

impl Flow {
    pub(super) fn start(&mut self, now: Mono) {
        let visible = self.visible();
        if self.edits.as_ref().is_some_and(|edits| edits.next <= now && edits.wants(visible)) {
            self.edit(now);
        } else if self.typing.is_some_and(|due| due <= now) {
            self.typing = self.profile().and_then(|profile| profile.typing).map(|every| now + every);
            self.show_typing();
        }
    }

    /// Starts the first post or an edit. Both show plain text, because incomplete markup cannot be rendered. An edit that
    /// changes nothing is not sent: beyond the first message's limit the text grows and the message does not.
    fn edit(&mut self, now: Mono) {
        let first = self.first_part();
        let visible = self.visible().len();
        let Some(edits) = &mut self.edits else { return };
        edits.next = now + edits.every;
        edits.shown = visible;
        // The text has no visible character yet.
        let Some((plain, is_full)) = first else { return };
        edits.is_full = is_full;
        if edits.tried.as_deref() == Some(plain.as_str()) {
            return self.repeat_typing(now);
        }
        edits.tried = Some(plain.clone());
        let (Some(edits), Some(request)) = (&self.edits, self.request()) else { return };
        self.pending = match &edits.post {
            GrowingMessage::Off => None,
            GrowingMessage::Posted(target) => {
                let target = target.clone();
                Some(Box::pin(request.show(Signal::Grow { target, text: plain })))
            }
            GrowingMessage::Draft => {
                Some(Box::pin(request.show(Signal::Draft { id: self.claim.id.0, text: plain })))
            }
            GrowingMessage::NotPosted { is_unknown } => {
                Some(Box::pin(request.first_post(plain, edits.every, *is_unknown)))
            }
        };
    }

    fn show_typing(&mut self) {
        if let Some(request) = self.request() {
            self.pending = Some(Box::pin(request.show(Signal::Typing)));
        }
    }

    /// Shows the typing indicator again if the message does not grow.
    fn repeat_typing(&mut self, now: Mono) {
        if self.typing.is_none() {
            self.typing = self.profile().and_then(|profile| profile.typing).map(|_| now);
        }
    }

    pub(super) fn settle(&mut self, step: StreamStep) {
        let now = self.shared.time.mono();
        let Some(edits) = &mut self.edits else {
            if let StreamStep::Later(pause) = step {
                self.typing = self.typing.map(|due| due.max(now + pause));
            }
            return;
        };
        match step {
            StreamStep::Typed | StreamStep::Missed => {}
            // A growing message makes the typing indicator unnecessary.
            StreamStep::Shown => {
                edits.is_drafted |= matches!(edits.post, GrowingMessage::Draft);
                self.typing = None;
            }
            StreamStep::Posted(message) => {
                edits.post = GrowingMessage::Posted(message);
                edits.is_begun = true;
                self.typing = None;
            }
            StreamStep::Off => edits.post = GrowingMessage::Off,
            StreamStep::Unknown => {
                edits.post = GrowingMessage::NotPosted { is_unknown: true };
                edits.later(now + PAUSE);
            }
            StreamStep::Later(pause) => {
                edits.later(now + pause);
                self.typing = self.typing.map(|due| due.max(now + pause));
            }
        }
        let grows_unseen = edits.is_full || matches!(edits.post, GrowingMessage::Off);
        if grows_unseen {
            self.repeat_typing(now);
        }
    }
}
