//! What the gateway has done lately.

use tokio::sync::watch;

use super::GatewayHandle;
use crate::activity::Step;

impl GatewayHandle {
    /// What was done after the step of this number, as far as it is still known, and whether something is missing before that.
    pub fn activity_after(&self, number: u64) -> (Vec<Step>, bool) {
        self.0.work.activity.after(number)
    }

    /// Follows the number of the last step.
    pub fn last_activity(&self) -> watch::Receiver<u64> {
        self.0.work.activity.last()
    }
}
