//! Tells a person that the gateway fails, once, and once that it is well again. Works without the gateway.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::span;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::super::client;

/// How long a command or a server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who is told, and what they were told before.
pub(super) struct Alarms {
    pub(super) command: Option<String>,
    pub(super) url: Option<String>,
    /// After this time a fault that lasts is told again.
    pub(super) remind: TimeDelta,
    /// The file that remembers a fault from one run to the next.
    pub(super) state: PathBuf,
}

/// A fault that people were told of.
#[derive(Serialize, Deserialize)]
struct Told {
    since: DateTime<Utc>,
    told: DateTime<Utc>,
}

impl Alarms {
    /// Tells people if there is something new. The error is one sentence; what was not told is told by the next run.
    pub(super) async fn tell(&self, faults: &[String], now: DateTime<Utc>) -> Result<(), String> {
        if self.command.is_none() && self.url.is_none() {
            return Ok(());
        }
        match (faults.is_empty(), self.told()) {
            (true, None) => Ok(()),
            (true, Some(told)) => {
                let lasted = span::length((now - told.since).max(TimeDelta::zero()));
                self.send(&format!("✅ Frontdesk is well again. It failed for {lasted}."), "recovered")
                    .await?;
                fs::remove_file(&self.state).map_err(|error| self.unwritten(&error))
            }
            (false, Some(told)) if now - told.told < self.remind => Ok(()),
            (false, told) => {
                let since = told.map_or(now, |told| told.since);
                let list: Vec<String> = faults.iter().map(|fault| format!("- {fault}")).collect();
                self.send(&format!("⚠️ Frontdesk fails:\n{}", list.join("\n")), "failing").await?;
                let told = json!(Told { since, told: now }).to_string();
                fs::write(&self.state, told).map_err(|error| self.unwritten(&error))
            }
        }
    }

    fn told(&self) -> Option<Told> {
        serde_json::from_str(&fs::read_to_string(&self.state).ok()?).ok()
    }

    fn unwritten(&self, error: &std::io::Error) -> String {
        format!("{} could not be written, so the alarm will be repeated: {error}", self.state.display())
    }

    async fn send(&self, text: &str, state: &str) -> Result<(), String> {
        let command = async {
            match &self.command {
                Some(command) => run(command, text, state).await,
                None => Ok(()),
            }
        };
        let url = async {
            match &self.url {
                Some(url) => post(url, text, state).await,
                None => Ok(()),
            }
        };
        let (command, url) = tokio::join!(command, url);
        command.and(url)
    }
}

async fn run(command: &str, text: &str, state: &str) -> Result<(), String> {
    let failed = |why: String| format!("the alarm command {why}");
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("FRONTDESK_PROBE", state)
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let ended = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input is no fault.
            stdin.write_all(text.as_bytes()).await.ok();
        }
        child.wait().await
    };
    match tokio::time::timeout(PATIENCE, ended).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("failed: {status}"))),
        Ok(Err(error)) => Err(failed(format!("failed: {error}"))),
        Err(_) => Err(failed("did not end within 30 seconds".to_owned())),
    }
}

async fn post(url: &str, text: &str, state: &str) -> Result<(), String> {
    let http = client::http().map_err(|failure| failure.to_string())?;
    let request = http.post(url).timeout(PATIENCE).json(&json!({"text": text, "state": state}));
    // The address may contain a secret.
    let failed = |why: String| format!("the alarm URL {why}");
    let response =
        request.send().await.map_err(|error| failed(format!("was not reached: {}", error.without_url())))?;
    match response.status().is_success() {
        true => Ok(()),
        false => Err(failed(format!("answered {}", response.status()))),
    }
}
