//! Receives the commits of the store, and hands them on within the runtime.

use std::sync::Arc;

use frontdesk_store::row::{AccessState, CommitListener, EndedAsk, OutboxRow};
use tokio::sync::mpsc;

use crate::access::Access;
use crate::asks::Asks;

/// Copies committed changes of access into memory, and passes the ends of questions to their turns and committed outbox
/// rows to the task that announces them ([`announce`](crate::outbox::announce)). The channel has no bound, because the writer must not wait for that task.
pub(crate) struct Announcer {
    access: Arc<Access>,
    asks: Arc<Asks>,
    rows: mpsc::UnboundedSender<OutboxRow>,
}

impl Announcer {
    /// The listener, and the receiver of the rows, in the order of commit.
    pub(crate) fn new(access: Arc<Access>, asks: Arc<Asks>) -> (Self, mpsc::UnboundedReceiver<OutboxRow>) {
        let (rows, committed) = mpsc::unbounded_channel();
        (Self { access, asks, rows }, committed)
    }
}

impl CommitListener for Announcer {
    fn access_changed(&self, state: AccessState) {
        self.access.replace(state);
    }

    fn committed(&self, rows: Vec<OutboxRow>) {
        if rows.iter().any(|row| row.post.ask.as_ref().is_some_and(|ask| ask.closed.is_none())) {
            // Its deadline may be the next one.
            self.asks.note_change();
        }
        for row in rows {
            // The receiver is dropped after the last commit. A row that is not received is found at the next start.
            if self.rows.send(row).is_err() {
                tracing::debug!("a row was committed after the announcer had ended");
            }
        }
    }

    fn asks_ended(&self, ended: Vec<EndedAsk>) {
        self.asks.ended(ended);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

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
    fn a_committed_change_of_access_is_in_memory_when_the_listener_returns() {
        let clock: Arc<dyn Clock> = Arc::new(StoppedClock);
        let access = Arc::new(Access::new(&clock));
        let (announcer, _rows) = Announcer::new(access.clone(), Arc::default());
        let account = AccountId::default_of("telegram");
        let switch = access.switch(&account);
        let stopped = StoppedAccount { account: account.clone(), by: "anna".into(), at: DateTime::default() };
        announcer.access_changed(AccessState { stopped: vec![stopped], ..AccessState::default() });
        assert!(access.stopped(&account).is_some());
        assert_eq!(switch.borrow().as_deref(), Some("anna"), "connections are told too");
        announcer.access_changed(AccessState::default());
        assert_eq!((access.stopped(&account), switch.borrow().as_deref()), (None, None));
    }
}
