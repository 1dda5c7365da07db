//! A renderer and a listener for a store under test.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_store::row::*;

/// The longest text of one part.
pub const LONGEST: usize = 1000;

/// A renderer and a listener. `|` separates the parts of a text; parts of the web channel are sent at commit; a text or a
/// chat with `PANIC` makes it panic.
#[derive(Default)]
pub struct TestRenderer {
    /// The rows that the listener was told of.
    pub announced: Mutex<Vec<OutboxRow>>,
    /// Who had access after each change of it, and how many rows had been announced before.
    pub access: Mutex<Vec<(AccessState, usize)>>,
    /// The questions whose end the listener was told of.
    pub ended_asks: Mutex<Vec<EndedAsk>>,
    /// Whether hooks see texts first.
    pub hooks: AtomicBool,
}

impl Renderer for TestRenderer {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        if to.channel() == "web" { ReceiptRule::Commit } else { ReceiptRule::Platform }
    }
    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        assert!(!text.contains("PANIC") && to.chat() != "PANIC", "the renderer is broken");
        parts(text)
    }
    fn buttons(&self, to: &Address) -> bool {
        to.channel() == "web"
    }
    fn edits(&self, _: &Address) -> bool {
        true
    }

    fn fits(&self, to: &Address, text: &str) -> bool {
        assert!(to.chat() != "PANIC", "the renderer is broken");
        text.len() <= LONGEST
    }
    fn caption(&self, to: &Address, text: &str) -> (Option<Part>, Vec<Part>) {
        match self.parts(to, text).as_slice() {
            [one] => (Some(one.clone()), Vec::new()),
            more => (None, more.to_vec()),
        }
    }
    fn waits_for_hooks(&self) -> bool {
        self.hooks.load(Ordering::Relaxed)
    }
    fn command_mark(&self, to: &Address) -> char {
        if to.channel() == "slack" { '!' } else { '/' }
    }
    fn idempotent(&self, to: &Address) -> Option<std::time::Duration> {
        (to.channel() == "matrix").then_some(std::time::Duration::from_secs(86_400))
    }
}

impl CommitListener for TestRenderer {
    fn access_changed(&self, state: AccessState) {
        let announced = self.announced.lock().unwrap().len();
        self.access.lock().unwrap().push((state, announced));
    }

    fn committed(&self, rows: Vec<OutboxRow>) {
        self.announced.lock().unwrap().extend(rows);
    }

    fn asks_ended(&self, ended: Vec<EndedAsk>) {
        self.ended_asks.lock().unwrap().extend(ended);
    }
}

impl TestRenderer {
    /// The result of an operation, and the rows that the listener was told of meanwhile.
    pub async fn announced_during<T>(&self, operation: impl Future<Output = T>) -> (T, Vec<OutboxRow>) {
        let before = self.announced.lock().unwrap().len();
        let result = operation.await;
        (result, self.announced.lock().unwrap()[before..].to_vec())
    }
}

pub fn parts(text: &str) -> Vec<Part> {
    let part =
        |(n, body): (usize, &str)| Part { key: n as u32, body: body.into(), plain: body.replace('*', "") };
    text.split('|').filter(|body| !body.is_empty()).enumerate().map(part).collect()
}
