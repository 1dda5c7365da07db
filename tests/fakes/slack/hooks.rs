//! Addresses that apps post messages to without a token: response URLs and incoming webhooks.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::channel::Message;
use crate::delivery::{Envelope, Way};
use crate::methods::chat::is_linked;
use crate::world::{Install, World};

/// How long and how often a response URL can be used.
const LIFETIME_MS: i64 = 30 * 60_000;
const USES: u32 = 5;

/// An address that messages are posted to.
#[derive(Debug, Clone)]
pub struct Hook {
    pub install: Install,
    pub channel: String,
    /// For whom messages are unless they say otherwise; nobody for an incoming webhook.
    pub user: Option<String>,
    /// The message whose button was pressed.
    pub message: Option<String>,
    pub made_at: i64,
    pub uses: u32,
}

impl World {
    /// A new response URL.
    pub fn response_url(
        &mut self,
        install: &Install,
        channel: &str,
        user: &str,
        message: Option<&str>,
    ) -> String {
        let kind = if message.is_some() { "actions" } else { "commands" };
        let path = format!("/{kind}/{}/{}/{}", install.team, self.new_id(""), self.secret());
        let hook = Hook {
            install: install.clone(),
            channel: channel.to_owned(),
            user: Some(user.to_owned()),
            message: message.map(str::to_owned),
            made_at: self.now_ms(),
            uses: 0,
        };
        self.hooks.insert(path.clone(), hook);
        format!("{}{path}", self.url)
    }

    /// Something is posted to a hook.
    pub fn hooked(&mut self, path: &str, params: &Params) -> Answer {
        let now = self.now_ms();
        let hook = self.hooks.get_mut(path).ok_or_else(|| gone("no_service"))?;
        if hook.user.is_some() && now - hook.made_at > LIFETIME_MS {
            return Err(gone("expired_url"));
        }
        if hook.user.is_some() && hook.uses >= USES {
            return Err(gone("used_url"));
        }
        hook.uses += 1;
        let hook = hook.clone();
        self.answer_hook(&hook, params)
    }

    fn answer_hook(&mut self, hook: &Hook, params: &Params) -> Answer {
        let channel = hook.channel.clone();
        let original = hook
            .message
            .as_deref()
            .filter(|ts| self.channels.get(&channel).is_some_and(|known| known.messages.contains_key(*ts)));
        if params.flag("delete_original") {
            let ts = original.ok_or_else(|| gone("message_not_found"))?;
            self.remove(&channel, ts);
            return Done::about(json!({}), &channel, ts, false);
        }
        let blocks = self.read_blocks(params.json("blocks")?)?;
        let text = params.text("text").unwrap_or_default();
        if text.is_empty() && blocks.is_none() {
            return Err(Refusal { status: 400, ..Refusal::new("no_text") });
        }
        if let Some(ts) = original.filter(|_| params.flag("replace_original")) {
            self.rewrite(&channel, ts, Some(&hook.install.user), |message| {
                message.set("text", text);
                message.fields.remove("blocks");
                message.fields.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
            });
            return Done::about(json!({}), &channel, ts, false);
        }
        let is_public = params.text("response_type").as_deref() == Some("in_channel");
        let mut message = Message {
            fields: self.authored(&channel, &hook.install.user, &text),
            only: hook.user.clone().filter(|_| !is_public),
            linked: is_linked(params, "none"),
            ..Message::default()
        };
        message.fields.extend(blocks.map(|blocks| ("blocks".to_owned(), blocks)));
        if let Some(thread) = params.text("thread_ts") {
            message.set("thread_ts", thread);
        }
        let (ts, _) = self.publish(&channel, message);
        Done::about(json!({}), &channel, &ts, true)
    }

    /// An app acknowledged something, perhaps with a message or a proof.
    pub fn answered(&mut self, envelope: &Envelope) {
        let answer = envelope.answer.clone().unwrap_or_default();
        match envelope.way {
            Way::Command if answer.get("text").or(answer.get("blocks")).is_some() => {
                let Some(url) =
                    envelope.payload["response_url"].as_str().and_then(|url| url.strip_prefix(&self.url))
                else {
                    return;
                };
                let Some(hook) = self.hooks.get(url).cloned() else { return };
                let fields = answer.as_object().cloned().unwrap_or_default();
                // A message that is wrong is not shown.
                self.answer_hook(&hook, &Params::of(fields)).ok();
            }
            Way::Challenge => {
                let proved = answer["challenge"] == envelope.payload["challenge"];
                if let Some(app) = self.apps.get_mut(&envelope.app)
                    && let Some((_, is_proved)) = &mut app.request_url
                {
                    *is_proved = proved;
                }
            }
            _ => {}
        }
    }
}

fn gone(error: &str) -> Refusal {
    Refusal { status: 404, more: Value::Null, ..Refusal::new(error) }
}
