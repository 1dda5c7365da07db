//! Where the words of a model go while they arrive.

use frontdesk_core::delta::Delta;

use super::calls::Calls;
use crate::responder::Broken;

/// Where a turn's reports go.
pub(super) type Reports = crate::reports::Reports<Broken>;

/// Collects an answer, and shows it if it is for a person.
pub(super) struct Sink {
    reports: Option<Reports>,
    shows: bool,
    /// Everything so far.
    pub(super) text: String,
    /// Whether what comes next is a paragraph of its own.
    begins_paragraph: bool,
    /// Whether the model need not say anything more.
    pub(super) may_end: bool,
    /// The tools that the model wants to call at the end of its reply.
    pub(super) calls: Calls,
}

impl Sink {
    /// For an answer, which is shown as it arrives.
    pub(super) fn shown(reports: Reports) -> Self {
        Self { shows: true, ..Self::hidden(Some(reports)) }
    }

    /// For a text that nobody sees while it arrives. The turn that waits for it shows signs of life, if there is one.
    pub(super) fn hidden(reports: Option<Reports>) -> Self {
        Self {
            reports,
            shows: false,
            text: String::new(),
            begins_paragraph: false,
            may_end: false,
            calls: Calls::default(),
        }
    }

    /// Takes what has arrived, which may be nothing.
    pub(super) async fn say(&mut self, mut text: String) {
        if self.begins_paragraph && !text.is_empty() {
            self.begins_paragraph = false;
            text.insert_str(0, "\n\n");
        }
        self.text.push_str(&text);
        match self.shows && !text.is_empty() {
            true => self.report(Delta::Text(text)).await,
            false => self.is_alive().await,
        }
    }

    /// The model goes on after it has called tools: in a paragraph of its own, or not at all.
    pub(super) fn go_on(&mut self) {
        (self.begins_paragraph, self.may_end) = (!self.text.is_empty(), true);
    }

    /// Shows a sign of life.
    pub(super) async fn is_alive(&self) {
        self.report(Delta::Progress).await;
    }

    async fn report(&self, delta: Delta) {
        if let Some(reports) = &self.reports {
            reports.send(delta).await;
        }
    }
}
