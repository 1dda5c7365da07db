//! A voice that says nothing, for tests of what lies beneath it.

use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::ReceiptRule;

use crate::row::{OutboxRow, Speech};

pub(crate) struct Mute;

impl Speech for Mute {
    fn receipt(&self, _: &Address) -> ReceiptRule {
        ReceiptRule::Platform
    }

    fn parts(&self, _: &Address, _: &str) -> Vec<Part> {
        Vec::new()
    }

    fn fits(&self, _: &Address, _: &str) -> bool {
        true
    }

    fn idempotent(&self, _: &Address) -> Option<Duration> {
        None
    }

    fn committed(&self, _: &[OutboxRow]) {}
}
