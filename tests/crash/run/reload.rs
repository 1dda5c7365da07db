//! Reloads instead of kills: the configuration is changed and broken at random while every channel is used. What the
//! clients, the platforms and the agents saw is judged as after kills: nothing may be lost, and nothing done twice.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::Run;
use crate::clock;
use crate::config::Variation;
use crate::daemon::Daemon;

/// The number of chats that must have talked.
const CHATS: usize = 50;

impl Run {
    pub(super) async fn all_reloads(&mut self) -> Result<bool> {
        self.set_faults(true, false);
        let base = self.home.read_config()?;
        let mut left = self.reloads;
        while left > 0 {
            let mut daemon = Daemon::start(&self.home)?;
            self.ready(&mut daemon).await?;
            for _ in 0..self.cycle.min(left) {
                let since = clock::now();
                self.wait_for_kill_point(since).await;
                self.one_reload(&daemon, &base).await?;
                left -= 1;
            }
            // Every account is there again, so that nothing waits for one.
            self.home.write_config(&base)?;
            self.reload(true).await.context("the first configuration")?;
            self.calm().await;
            if !self.judge(daemon, left == 0).await? {
                return Ok(false);
            }
        }
        let chats = self.harness.journal().chats();
        ensure!(chats >= CHATS, "only {chats} chats talked during the reloads");
        Ok(true)
    }

    /// Writes a configuration and has it applied, or refused.
    async fn one_reload(&mut self, daemon: &Daemon, base: &str) -> Result<()> {
        let variation = Variation::random(base, &mut self.random);
        self.home.write_config(&variation.text)?;
        self.counts.reloads += 1;
        self.counts.refused_reloads += u64::from(!variation.is_valid);
        match self.random.range(0, 9) {
            // Nobody waits for the result of a signal.
            0..=2 => daemon.signal(Signal::HUP)?,
            3 => {
                let (one, other) =
                    tokio::join!(self.reload(variation.is_valid), self.reload(variation.is_valid));
                one.and(other).with_context(|| variation.text.clone())?;
            }
            _ => self.reload(variation.is_valid).await.with_context(|| variation.text.clone())?,
        }
        Ok(())
    }

    /// Has the file applied by the API. A wrong one must be refused with its place, and the health must say so.
    async fn reload(&self, is_valid: bool) -> Result<()> {
        let address = self.harness.address().await;
        let url = format!("http://{address}/api/config/reload");
        let asked = self.http.post(url).bearer_auth(self.harness.token()).json(&json!({"plan": false}));
        let answer = asked.send().await?;
        let (status, body) = (answer.status(), answer.json::<Value>().await?);
        if is_valid {
            ensure!(status == StatusCode::OK, "a valid configuration was answered with {status}: {body}");
            return Ok(());
        }
        let is_refused = status == StatusCode::BAD_REQUEST && body["error"]["code"] == "bad_config";
        let message = body["error"]["message"].as_str().unwrap_or_default();
        ensure!(
            is_refused && message.contains("frontdesk.toml:"),
            "a wrong one was answered with {status}: {body}"
        );
        let health = self.http.get(format!("http://{address}/health")).send().await?.json::<Value>().await?;
        ensure!(health["status"] == "degraded", "the health says nothing of a wrong configuration: {health}");
        Ok(())
    }
}
