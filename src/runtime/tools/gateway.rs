//! Tools that tell about the gateway.

use frontdesk_store::row::{EpochRow, PairingRow, SessionRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Caller;
use crate::adapters::Account;
use crate::error::GatewayError;
use crate::process::EMBEDDED;

/// How many sessions or conversations are listed.
const LISTED: u32 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pairing {
    #[serde(default = "list")]
    action: String,
}

fn list() -> String {
    "list".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    action: GatewayAction,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum GatewayAction {
    Reload,
    Restart,
}

impl Caller<'_> {
    pub(super) async fn gateway_status(&self) -> Result<String, GatewayError> {
        let accounts = self.shared.adapters.list();
        let account = |account: &Account| {
            json!({"account": account.id.to_string(), "connected": account.ready,
                   "stopped_by_admin": account.stopped.is_some()})
        };
        let mut status = json!({"channels": accounts.iter().map(account).collect::<Vec<_>>()});
        if self.is_for_admin() {
            let totals = self.shared.store.totals().await?;
            status["started"] = self.shared.process.started.to_rfc3339().into();
            status["sessions"] = totals.sessions.into();
            status["answers_in_progress"] = totals.running.into();
            status["messages_waiting"] = totals.waiting.into();
            status["messages_to_send"] = totals.outbox.into();
            status["messages_not_deliverable"] = totals.dead_parts.into();
        }
        Ok(status.to_string())
    }

    pub(super) async fn gateway_sessions(&self) -> Result<String, GatewayError> {
        let store = &self.shared.store;
        let listed: Vec<Value> = if self.is_for_admin() {
            let rows = store.sessions(None, None, LISTED).await?;
            let row = |row: &SessionRow| {
                json!({"session": row.key.as_str(), "conversation": row.epoch, "waiting_messages": row.waiting,
                       "answering": row.running.is_some(),
                       "last_message": row.last_user_at.map(|at| at.to_rfc3339())})
            };
            rows.iter().map(row).collect()
        } else {
            let epochs = store.epochs(self.session, None, LISTED).await?;
            let row = |epoch: &EpochRow| json!({"conversation": epoch.n, "started": epoch.started.to_rfc3339(), "messages": epoch.messages});
            epochs.iter().map(row).collect()
        };
        Ok(Value::Array(listed).to_string())
    }

    /// Asks the admin to let the configuration be read again, or the gateway restart. What may then be different is what an
    /// operator has written into the file, so a person decides, with a command of their own.
    pub(super) async fn gateway(&self, gateway: Gateway) -> Result<String, GatewayError> {
        if !self.is_for_admin() {
            return Err(GatewayError::Invalid(
                "only an admin may have this done, in a private chat".to_owned(),
            ));
        }
        if !self.shared.process.obeys_admins {
            return Err(GatewayError::Invalid(EMBEDDED.to_owned()));
        }
        let (text, label, command) = match gateway.action {
            GatewayAction::Reload => (
                "The agent asks to read the configuration again. To do it, send `/gateway reload`.",
                "Read it again",
                "/gateway reload",
            ),
            GatewayAction::Restart => (
                "The agent asks to restart the gateway. To do it, send `/gateway restart`.",
                "Restart",
                "/gateway restart",
            ),
        };
        self.ask_admin(text, (label, command)).await
    }

    /// Lists the people who ask for access. No tool changes access.
    pub(super) async fn gateway_pairing(&self, pairing: Pairing) -> Result<String, GatewayError> {
        if pairing.action != "list" {
            let how = "an agent cannot change access: an admin does it with /gateway pair CODE";
            return Err(GatewayError::Invalid(how.to_owned()));
        }
        if !self.is_for_admin() {
            return Err(GatewayError::Invalid("only an admin may see this, in a private chat".to_owned()));
        }
        let requests = self.shared.store.pairing_requests(self.shared.time.now().steady).await?;
        // Without their names, which strangers choose: a model could take one for an instruction.
        let request =
            |row: &PairingRow| json!({"id": row.principal.to_string(), "asked": row.created.to_rfc3339()});
        Ok(Value::Array(requests.iter().map(request).collect()).to_string())
    }
}
