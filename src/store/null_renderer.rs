//! A renderer without parts and a listener that ignores what it is told, for unit tests.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::id::BootId;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::ReceiptRule;

use crate::row::{AccessState, CommitListener, EndedAsk, OutboxRow, Renderer};
use crate::{Options, Store};

pub(crate) struct NullRenderer;

impl NullRenderer {
    /// A store with such a renderer and listener.
    pub(crate) async fn open(path: &Path) -> Store {
        let boot = BootId::from_bits(1);
        let (renderer, listener) = (Arc::new(NullRenderer), Arc::new(NullRenderer));
        let (path, now) = (path.to_owned(), chrono::DateTime::UNIX_EPOCH);
        Store::open(Options { path, boot, now, renderer, listener, readers: 1 }).await.unwrap()
    }
}

impl Renderer for NullRenderer {
    fn receipt(&self, _: &Address) -> ReceiptRule {
        ReceiptRule::Platform
    }

    fn parts(&self, _: &Address, _: &str) -> Vec<Part> {
        Vec::new()
    }

    fn buttons(&self, _: &Address) -> bool {
        false
    }

    fn edits(&self, _: &Address) -> bool {
        true
    }

    fn fits(&self, _: &Address, _: &str) -> bool {
        true
    }

    fn caption(&self, to: &Address, text: &str) -> (Option<Part>, Vec<Part>) {
        (self.parts(to, text).pop(), Vec::new())
    }

    fn waits_for_hooks(&self) -> bool {
        false
    }

    fn command_mark(&self, _: &Address) -> char {
        '/'
    }

    fn idempotent(&self, _: &Address) -> Option<Duration> {
        None
    }
}

impl CommitListener for NullRenderer {
    fn access_changed(&self, _: AccessState) {}
    fn committed(&self, _: Vec<OutboxRow>) {}
    fn asks_ended(&self, _: Vec<EndedAsk>) {}
}
