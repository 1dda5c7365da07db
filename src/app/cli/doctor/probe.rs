//! What shows from the outside whether the gateway lives.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::span;
use serde_json::{Value, json};

use super::super::Remote;
use super::super::client::{self, Client, fresh_key};

/// What a canary is asked.
const CANARY: &str = "This message only checks that you answer. Reply with: OK";

/// A look at the gateway.
pub(super) struct Probe<'r> {
    pub(super) remote: &'r Remote,
    pub(super) last_check: PathBuf,
    /// From which age the last check is too old.
    pub(super) max_age: TimeDelta,
    /// Within how many seconds the agent must answer, if it is asked.
    pub(super) canary: Option<u32>,
}

impl Probe<'_> {
    /// What is wrong, one sentence each.
    pub(super) async fn faults(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut faults: Vec<String> = self.check_is_late(now).into_iter().collect();
        match self.health().await {
            Ok(health) => {
                faults.extend(degraded(&health));
                if let Some(seconds) = self.canary {
                    faults.extend(self.canary_died(seconds).await);
                }
            }
            Err(fault) => faults.push(fault),
        }
        faults
    }

    /// The gateway writes the file of its last check only if it could write to the database.
    fn check_is_late(&self, now: DateTime<Utc>) -> Option<String> {
        let file = self.last_check.display();
        let at = match fs::read_to_string(&self.last_check) {
            Ok(text) => serde_json::from_str::<Value>(&text)
                .ok()
                .and_then(|check| check["at"].as_str()?.parse::<DateTime<Utc>>().ok()),
            // A gateway that runs for less than its interval has not checked itself yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(format!("the file of the last check {file} cannot be read: {error}")),
        };
        let Some(at) = at else { return Some(format!("the file of the last check {file} has no time")) };
        let age = now - at;
        (age > self.max_age).then(|| {
            format!(
                "the gateway has last checked itself {} ago, at {}",
                span::length(age),
                at.format("%F %T UTC")
            )
        })
    }

    async fn health(&self) -> Result<Value, String> {
        let url = client::url(self.remote).map_err(|failure| failure.to_string())?;
        let http = client::http().map_err(|failure| failure.to_string())?;
        let request = http.get(format!("{url}/health")).timeout(Duration::from_secs(10));
        let response = request.send().await.map_err(|_| format!("the gateway does not answer at {url}"))?;
        response.json().await.map_err(|_| format!("what answers at {url} is no Frontdesk gateway"))
    }

    async fn canary_died(&self, seconds: u32) -> Option<String> {
        let asked = async {
            let client = Client::find(self.remote)?;
            let body = json!({"chat": "canary", "text": CANARY});
            client.post("/api/chat", &body, &fresh_key()?).await
        };
        match tokio::time::timeout(Duration::from_secs(u64::from(seconds)), asked).await {
            Ok(Ok(answer)) if answer["text"].as_str().is_some_and(|text| !text.trim().is_empty()) => None,
            Ok(Ok(_)) => Some("the agent has answered the canary with nothing".to_owned()),
            Ok(Err(failure)) => Some(format!("the canary was not answered: {failure}")),
            Err(_) => Some(format!("the agent has not answered the canary within {seconds} seconds")),
        }
    }
}

/// What the gateway says about itself.
fn degraded(health: &Value) -> Vec<String> {
    match health["status"].as_str() {
        Some("ok") => Vec::new(),
        Some(_) => {
            let reasons = health["reasons"].as_array().cloned().unwrap_or_default();
            let mut reasons: Vec<String> =
                reasons.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if reasons.is_empty() {
                reasons.push("the gateway is degraded".to_owned());
            }
            reasons
        }
        None => vec!["what answers at the gateway's port says nothing about its health".to_owned()],
    }
}
