//! Events that wait to be handed in, and batches of them.

use std::collections::VecDeque;
use std::time::Duration;

use frontdesk_core::message::{Cursor, Event, EventKind, Outcome};
use frontdesk_core::port::Mono;
use frontdesk_kit::timer::Timer;

use super::lookup::Lowest;
use crate::inbound::{Interaction, ParsedDispatch};
use crate::progress::{Progress, Session};

/// Maximum number of events in a batch.
const BATCH: usize = 100;
/// Number of waiting events at which reading stops.
const FULL: usize = 1000;

/// Events that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: VecDeque<(ParsedDispatch, u64)>,
    /// When the position is stored if no event does it.
    store_at: Option<Mono>,
    /// Whether it is to be stored now.
    now: bool,
}

impl Waiting {
    /// Whether no more should be read, if so many dispatches are held beside the events.
    pub(super) fn is_full(&self, held: usize) -> bool {
        self.events.len() + held >= FULL
    }

    /// Whether no event waits.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Drops the messages that are found again in the history of their channel, which is read from this message on.
    pub(super) fn drop_missed_messages(&mut self, mark: u64) {
        self.events.retain(|(parsed, _)| !is_of_history(&parsed.event, mark, EventKind::Message));
    }

    /// Takes the edits of messages in that history, which has only the last version of each.
    pub(super) fn take_missed_edits(&mut self, mark: u64) -> Vec<ParsedDispatch> {
        let is_edit =
            |(parsed, _): &(ParsedDispatch, u64)| is_of_history(&parsed.event, mark, EventKind::Edit);
        let (edits, others): (VecDeque<_>, _) =
            std::mem::take(&mut self.events).into_iter().partition(is_edit);
        self.events = others;
        edits.into_iter().map(|(parsed, _)| parsed).collect()
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) -> Vec<ParsedDispatch> {
        self.events.drain(..).map(|(parsed, _)| parsed).collect()
    }

    /// Adds what an earlier connection has received, before everything else.
    pub(super) fn add_first(&mut self, received: Vec<ParsedDispatch>, seq: u64) {
        let received = received.into_iter().map(|parsed| (parsed, seq));
        self.events = received.chain(std::mem::take(&mut self.events)).collect();
    }

    /// Adds what a dispatch has become.
    pub(super) fn add(&mut self, parsed: Option<ParsedDispatch>, seq: u64) {
        self.events.extend(parsed.map(|parsed| (parsed, seq)));
    }

    /// The position has moved.
    pub(super) fn moved(&mut self, timer: &Timer, seconds: u64) {
        if self.store_at.is_none() {
            self.store_at = Some(timer.mono() + Duration::from_secs(seconds));
        }
    }

    /// When the position is to be stored.
    pub(super) fn store_at(&self) -> Option<Mono> {
        self.store_at
    }

    /// The position is to be stored at once.
    pub(super) fn store_now(&mut self) {
        self.now = true;
    }

    /// Takes the next batch, and moves the position to its end, but not past the lowest dispatch that is held. `None` if
    /// there is nothing to store.
    pub(super) fn take(
        &mut self,
        progress: &mut Progress,
        session: Option<&Session>,
        held: Option<Lowest>,
    ) -> Option<Batch> {
        if self.events.is_empty() && !self.now {
            return None;
        }
        let taken: Vec<(ParsedDispatch, u64)> = self.events.drain(..self.events.len().min(BATCH)).collect();
        progress.session = session.cloned();
        // Events that waited for a look-up of their channel stand behind newer ones, so the lowest number may be anywhere.
        let left = self.events.iter().map(|(_, seq)| *seq).chain(held.map(|held| held.seq)).min();
        if let (Some(session), Some(left)) = (&mut progress.session, left) {
            session.seq = session.seq.min(left.saturating_sub(1));
        }
        let messages =
            taken.iter().filter_map(|(parsed, _)| parsed.event.platform_message.as_deref()?.parse().ok());
        let latest = messages.fold(progress.last, u64::max);
        let most = held.and_then(|held| held.message).map_or(u64::MAX, |id| id.saturating_sub(1));
        progress.last = latest.min(most).max(progress.last);
        (self.now, self.store_at) = (false, None);
        let dispatches = taken.into_iter().map(|(parsed, _)| parsed).collect();
        Some(Batch { dispatches, cursor: progress.cursor() })
    }
}

/// Whether an event of this kind is about a message in the history, which is read from the message `mark` on.
fn is_of_history(event: &Event, mark: u64, kind: EventKind) -> bool {
    let id = event.platform_message.as_deref().and_then(|id| id.parse::<u64>().ok());
    event.kind == kind && id.is_some_and(|id| id >= mark)
}

/// Events that are handed in together, and the position after them.
#[derive(Debug)]
pub(super) struct Batch {
    dispatches: Vec<ParsedDispatch>,
    cursor: Cursor,
}

impl Batch {
    /// No events, only a position.
    pub(super) fn position(progress: &Progress) -> Self {
        Self { dispatches: Vec::new(), cursor: progress.cursor() }
    }

    /// The events.
    pub(super) fn events(&self) -> Vec<Event> {
        self.dispatches.iter().map(|parsed| parsed.event.clone()).collect()
    }

    /// The position.
    pub(super) fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }

    /// The dispatches of the batch, in the order in which Discord delivered them.
    pub(super) fn dispatches(&self) -> &[ParsedDispatch] {
        &self.dispatches
    }

    /// The interactions, each with what became of its event.
    pub(super) fn interactions(
        &self,
        outcomes: Vec<Outcome>,
    ) -> impl Iterator<Item = (&Interaction, Outcome)> {
        let both = self.dispatches.iter().zip(outcomes);
        both.filter_map(|(parsed, outcome)| Some((parsed.interaction.as_ref()?, outcome)))
    }
}
