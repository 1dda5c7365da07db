//! What the gate keeps in memory about incoming events.

use crate::limits::Limits;
use crate::recent_events::RecentEvents;
use crate::unreadable::UnreadableEvents;

pub(crate) struct Inbound {
    pub(crate) limits: Limits,
    pub(crate) recent: RecentEvents,
    pub(crate) unreadable: UnreadableEvents,
}

impl Inbound {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, recent: RecentEvents::default(), unreadable: UnreadableEvents::default() }
    }
}
