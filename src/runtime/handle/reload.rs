//! Taking over another configuration.

use super::GatewayHandle;
use frontdesk_core::port::Adapter;
use frontdesk_store::StoreError;

use crate::reload::{Next, ReloadError, TakenOver, take_over};

/// The work of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentLoad {
    /// Number of messages that wait for it.
    pub waiting: u64,
    /// Number of its running turns.
    pub running: usize,
}

impl GatewayHandle {
    /// Takes over another configuration, one caller after the other. It goes on if the caller disconnects.
    pub async fn reload(&self, next: Next) -> Result<TakenOver, ReloadError> {
        let shared = self.0.clone();
        self.finished(async move { take_over(&shared, next).await }, ReloadError::Stopping).await
    }

    /// What an agent would leave if it were removed now.
    pub async fn agent_load(&self, agent: &str) -> Result<AgentLoad, StoreError> {
        let waiting = self.0.store.waiting_for_agent(agent).await?;
        Ok(AgentLoad { waiting, running: self.0.work.turns.running_in(agent) })
    }

    /// Whether an account was connected as another bot or login than the one that this adapter connects as.
    pub async fn is_another_login(&self, adapter: &dyn Adapter) -> Result<bool, StoreError> {
        let (account, login) = (adapter.account(), adapter.login());
        let before = self.0.store.account_login(account).await?;
        Ok(login.is_some() && before.is_some() && login != before)
    }

    /// Why the configuration file cannot be used, if it was last found wrong.
    pub fn config_error(&self) -> Option<String> {
        self.0.process.config_error.borrow().clone()
    }

    /// Records why the configuration file cannot be used, for the health and the status; `None` once it can.
    pub fn note_config_error(&self, error: Option<String>) {
        self.0.process.config_error.send_replace(error);
    }
}
