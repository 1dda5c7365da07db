//! Logs events that could not be read: the first of each kind, then at most one an hour.

use std::sync::Arc;

use frontdesk_core::log_limit::LogLimit;
use frontdesk_core::message::{RawEvent, Source};
use frontdesk_core::port::Clock;

/// The kinds that were logged, by source and kind.
#[derive(Default)]
pub(crate) struct UnreadableEvents(LogLimit<(String, String)>);

impl UnreadableEvents {
    /// An event was kept as a dead letter.
    pub(crate) fn note(&self, clock: &Arc<dyn Clock>, source: &Source, event: &str, raw: &RawEvent) {
        metrics::counter!("frontdesk_dead_letters_total", "channel" => source.account.channel().to_owned())
            .increment(1);
        let kind = &raw.kind;
        if let Some(unlogged) = self.0.due((source.id.to_string(), kind.clone()), clock.mono()) {
            tracing::warn!(
                channel = source.account.channel(),
                account = %source.account,
                kind,
                event,
                reason = raw.reason,
                others_since = unlogged,
                "an event could not be read; it is kept: see `frontdesk dead-letters`"
            );
        }
    }
}
