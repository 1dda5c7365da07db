//! What the gate keeps in memory about incoming events.

use crate::albums::Albums;
use crate::limits::RefusalNotices;
use crate::recent_events::RecentEvents;
use crate::unreadable::UnreadableEvents;

#[derive(Default)]
pub(crate) struct Inbound {
    pub(crate) albums: Albums,
    pub(crate) notices: RefusalNotices,
    pub(crate) recent: RecentEvents,
    pub(crate) unreadable: UnreadableEvents,
}
