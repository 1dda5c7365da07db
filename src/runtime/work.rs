//! The work that is under way or waits in the database: turns, outgoing parts, commands, background operations.

use std::sync::Arc;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::log_limit::LogLimit;
use tokio::sync::{Notify, mpsc};
use tokio_util::task::TaskTracker;

use crate::activity::ActivityLog;
use crate::asks::Asks;
use crate::client_tools::OfferedTools;
use crate::failures::TurnFailures;
use crate::lanes::Lanes;
use crate::running_turns::RunningTurns;
use crate::scheduler::Scheduler;
use crate::task_changes::TaskChanges;
use crate::waiting_marks::WaitingMarks;

pub(crate) struct Work {
    /// Sessions that have messages for their agent.
    pub(crate) turns: Lanes<SessionKey>,
    /// How to cancel the turns that run.
    pub(crate) running: RunningTurns,
    /// Why the latest turns failed.
    pub(crate) failures: TurnFailures,
    /// Addresses that have parts to send.
    pub(crate) outbox: Lanes<Address>,
    /// Why parts were not delivered and are tried again, by account: logged once for each cause.
    pub(crate) postponed: LogLimit<(AccountId, String)>,
    /// Told after each attempt to send: a part may have been sent or given up.
    pub(crate) part_ended: Notify,
    /// Commands, in the order of acceptance.
    pub(crate) commands: mpsc::UnboundedSender<MessageId>,
    /// Marks of messages that wait.
    pub(crate) marks: WaitingMarks,
    /// Questions to people.
    pub(crate) asks: Arc<Asks>,
    /// Background tasks that were submitted or have ended.
    pub(crate) tasks: TaskChanges,
    /// Scheduled jobs.
    pub(crate) jobs: Scheduler,
    /// Tools that clients carry out.
    pub(crate) client_tools: OfferedTools,
    /// What was done lately.
    pub(crate) activity: ActivityLog,
    /// Operations that continue after their caller has disconnected.
    pub(crate) background: TaskTracker,
}

impl Work {
    /// Runs an operation that continues if its caller disconnects. `ended` is the error if the gateway ends first.
    pub(crate) async fn finished<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, E>> + Send + 'static,
        ended: E,
    ) -> Result<T, E> {
        match self.background.spawn(operation).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // A background operation is cancelled only when the gateway ends.
                Err(_) => Err(ended),
            },
        }
    }
}
