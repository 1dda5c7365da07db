//! Reactions of the app.

use frontdesk_core::delivery::SendError;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::api::Api;
use crate::error::Fault;
use crate::inbound::emoji;

/// Sets and removes the app's reactions.
pub(crate) struct Reactions<'a> {
    pub api: &'a Api,
    /// The account of the app's bot, once Slack has said it.
    pub user: &'a OnceCell<String>,
}

impl Reactions<'_> {
    /// Puts a reaction on a message in the place of the app's earlier ones.
    pub(crate) async fn set(&self, channel: &str, ts: &str, wanted: Option<&str>) -> Result<(), SendError> {
        let wanted = wanted.map(name).transpose()?;
        let user = self.user().await?;
        let ask = json!({"channel": channel, "timestamp": ts, "full": true});
        let shown = self.api.call("reactions.get", ask).await.map_err(Fault::for_preparation)?;
        let mut is_there = false;
        for reaction in shown["message"]["reactions"].as_array().into_iter().flatten() {
            let by_us = reaction["users"].as_array().is_some_and(|users| users.iter().any(|one| one == user));
            let Some(old) = reaction["name"].as_str().filter(|_| by_us) else { continue };
            match wanted.as_deref() {
                Some(wanted) if wanted == old => is_there = true,
                _ => self.change(channel, ts, old, false).await?,
            }
        }
        match wanted.filter(|_| !is_there) {
            Some(wanted) => self.change(channel, ts, &wanted, true).await,
            None => Ok(()),
        }
    }

    /// The account of the app's bot.
    pub(crate) async fn user(&self) -> Result<&str, SendError> {
        let user = self.user.get_or_try_init(|| self.me()).await.map_err(Fault::for_preparation)?;
        Ok(user)
    }

    /// Adds a mark to a message that waits for its answer, or removes it.
    pub(crate) async fn mark(
        &self,
        channel: &str,
        ts: &str,
        wanted: &str,
        waits: bool,
    ) -> Result<(), SendError> {
        self.change(channel, ts, &name(wanted)?, waits).await
    }

    async fn change(&self, channel: &str, ts: &str, name: &str, add: bool) -> Result<(), SendError> {
        let ask = json!({"channel": channel, "timestamp": ts, "name": name});
        let (method, done) =
            if add { ("reactions.add", "already_reacted") } else { ("reactions.remove", "no_reaction") };
        match self.api.call(method, ask).await {
            Err(fault) if !fault.is(&[done]) => Err(fault.for_send()),
            _ => Ok(()),
        }
    }

    async fn me(&self) -> Result<String, Fault> {
        let me: Value = self.api.call("auth.test", json!({})).await?;
        let user = me["user_id"].as_str();
        user.map(str::to_owned).ok_or_else(|| Fault::Unreadable("it names no bot".to_owned()))
    }
}

fn name(wanted: &str) -> Result<String, SendError> {
    emoji::name(wanted).ok_or_else(|| {
        SendError::Refused(
            format!("the name that Slack has for the reaction {wanted} is not known here").into(),
        )
    })
}
