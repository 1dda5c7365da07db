//! What the store needs of the runtime: it renders text into the parts of a platform, and is told of commits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::markup::Part;
use frontdesk_core::profile::{Profile, ReceiptRule};
use frontdesk_store::row::{AccessState, CommitListener, OutboxRow, Renderer};
use tokio::sync::mpsc;

use crate::access::Access;

/// Renders text by the profile of its channel.
pub(crate) struct ProfileRenderer {
    profiles: HashMap<String, Profile>,
}

impl ProfileRenderer {
    pub(crate) fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        Self { profiles: profiles.into_iter().map(|profile| (profile.channel.to_owned(), profile)).collect() }
    }
}

/// Brings changes of access into memory, and passes committed rows to the task that wakes the senders. The channel is
/// not bounded because the writer must not block; what it holds is bounded by what one group commit brings.
pub(crate) struct Announcer {
    access: Arc<Access>,
    rows: mpsc::UnboundedSender<OutboxRow>,
}

impl Announcer {
    /// The listener, and the rows that it gets in the order of commit.
    pub(crate) fn new(access: Arc<Access>) -> (Self, mpsc::UnboundedReceiver<OutboxRow>) {
        let (rows, committed) = mpsc::unbounded_channel();
        (Self { access, rows }, committed)
    }
}

impl CommitListener for Announcer {
    fn access_changed(&self, state: AccessState) {
        self.access.replace(state);
    }

    fn committed(&self, rows: Vec<OutboxRow>) {
        for row in rows {
            // The receiver goes away last; a row that nobody gets is found at the next start.
            if self.rows.send(row).is_err() {
                tracing::debug!("a row was committed after the last sender had gone");
            }
        }
    }
}

impl Renderer for ProfileRenderer {
    fn receipt(&self, to: &Address) -> ReceiptRule {
        self.profiles.get(to.channel()).map_or(ReceiptRule::Platform, |profile| profile.receipt)
    }

    fn parts(&self, to: &Address, text: &str) -> Vec<Part> {
        match self.profiles.get(to.channel()) {
            Some(profile) => profile.render(text),
            // A channel that is not configured any more: kept as written until it comes back.
            None => vec![Part { key: 0, body: text.to_owned(), plain: text.to_owned() }],
        }
    }

    fn fits(&self, to: &Address, text: &str) -> bool {
        self.profiles.get(to.channel()).is_none_or(|profile| profile.limit.holds(text))
    }

    fn idempotent(&self, to: &Address) -> Option<Duration> {
        self.profiles.get(to.channel()).and_then(|profile| profile.idempotent)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, Utc};
    use frontdesk_core::account::AccountId;
    use frontdesk_core::port::{Clock, Mono};
    use frontdesk_store::row::StoppedAccount;

    use super::*;

    struct StoppedClock;

    #[async_trait::async_trait]
    impl Clock for StoppedClock {
        fn wall(&self) -> DateTime<Utc> {
            DateTime::default()
        }

        fn mono(&self) -> Mono {
            Mono::default()
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep_until(&self, _: Mono) {
            std::future::pending().await
        }
    }

    #[test]
    fn a_committed_change_of_access_holds_when_the_writer_goes_on() {
        let clock: Arc<dyn Clock> = Arc::new(StoppedClock);
        let access = Arc::new(Access::new(&clock));
        let (announcer, _rows) = Announcer::new(access.clone());
        let account = AccountId::default_of("telegram");
        let switch = access.switch(&account);
        let stopped = StoppedAccount { account: account.clone(), by: "anna".into(), at: DateTime::default() };
        announcer.access_changed(AccessState { stopped: vec![stopped], ..AccessState::default() });
        assert!(access.stopped(&account).is_some());
        assert_eq!(switch.borrow().as_deref(), Some("anna"), "the connection knows it too");
        announcer.access_changed(AccessState::default());
        assert_eq!((access.stopped(&account), switch.borrow().as_deref()), (None, None));
    }
}
