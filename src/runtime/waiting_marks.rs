//! Messages that may have to wait, for the task that marks those that do ([`crate::marking`]).

use frontdesk_core::address::Address;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::EventKind;
use frontdesk_store::row::{Admitted, Disposition, InboundRow};
use tokio::sync::{Notify, mpsc};

/// A message that may be marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Markable {
    pub(crate) message: MessageId,
    pub(crate) address: Address,
    /// The platform's id of the message.
    pub(crate) target: String,
    album: Option<String>,
}

impl Markable {
    /// A message that waits since before the start.
    pub(crate) fn of_row(row: InboundRow) -> Option<Self> {
        Some(Self { message: row.id, address: row.address, target: row.platform_message?, album: row.album })
    }

    pub(crate) fn is_of_one_album(&self, other: &Self) -> bool {
        self.album.is_some() && (&self.album, &self.address) == (&other.album, &other.address)
    }
}

/// Tells the task what it has to look at.
pub(crate) struct WaitingMarks {
    accepted: mpsc::UnboundedSender<Markable>,
    changed: Notify,
}

impl WaitingMarks {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Markable>) {
        let (accepted, receiver) = mpsc::unbounded_channel();
        (Self { accepted, changed: Notify::new() }, receiver)
    }

    /// A message was stored. It is marked if it waits longer than a moment.
    pub(crate) fn accepted(&self, id: MessageId, message: &Admitted) {
        let event = &message.event;
        let is_message = message.disposition == Disposition::Turn && event.kind == EventKind::Message;
        let Some(target) = event.platform_message.clone().filter(|_| is_message) else { return };
        let markable =
            Markable { message: id, address: event.address.clone(), target, album: event.album.clone() };
        if self.accepted.send(markable).is_err() {
            tracing::debug!(message_id = %id, "a message was accepted while stopping; it gets no mark");
        }
    }

    /// Waits until messages may have ceased to wait.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Messages may have ceased to wait.
    pub(crate) fn note_change(&self) {
        self.changed.notify_one();
    }
}
