//! Buttons, slash commands, shortcuts and views: what people do that an app must answer within three seconds.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Did;
use crate::channel::Kind;
use crate::delivery::Way;
use crate::world::{Install, World};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    channel: String,
    ts: String,
    user: String,
    /// The label, value or action id of a button or of an option.
    button: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slash {
    channel: String,
    user: String,
    command: String,
    #[serde(default)]
    text: String,
    app: Option<String>,
}

/// A global shortcut, or with a message one of that message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortcut {
    user: String,
    callback_id: String,
    channel: Option<String>,
    ts: Option<String>,
}

/// A view that somebody fills in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submit {
    user: String,
    view: String,
    /// As `state.values` has them.
    values: Value,
}

impl World {
    /// What every interactive payload says.
    fn interaction(&mut self, kind: &str, install: &Install, user: &str) -> Value {
        let team = self.teams.get(&install.team).cloned().unwrap_or_default();
        let known = self.users.get(user).cloned().unwrap_or_default();
        json!({
            "type": kind, "token": "verification", "api_app_id": install.app, "trigger_id": self.trigger(),
            "team": {"id": team["id"], "domain": team["domain"]}, "enterprise": null, "is_enterprise_install": false,
            "user": {"id": user, "username": known["name"], "name": known["name"], "team_id": known["team_id"]},
        })
    }

    fn channel_of(&self, channel: &str) -> Value {
        let known = self.channels.get(channel);
        let name =
            known.map_or("", |known| if known.kind == Kind::Im { "directmessage" } else { &known.name });
        json!({"id": channel, "name": name})
    }

    /// Somebody presses a button or chooses an option.
    pub fn press(&mut self, press: Press) -> Did {
        let channel = self.place(&press.channel, None)?;
        let message = self.channels.get(&channel).and_then(|known| known.messages.get(&press.ts));
        let message = message.ok_or("there is no such message")?.clone();
        if message.only.as_ref().is_some_and(|only| *only != press.user) {
            return Err("somebody else sees this message".to_owned());
        }
        let install = self.installs.iter().find(|install| install.bot == message.text("bot_id")).cloned();
        let install = install.ok_or("no app wrote this message")?;
        let mut action =
            action(&message.value()["blocks"], &press.button).ok_or("there is no such button")?;
        action["action_ts"] = self.next_ts().into();
        let url = self.response_url(&install, &channel, &press.user, Some(&press.ts));
        let mut payload = self.interaction("block_actions", &install, &press.user);
        payload["container"] = json!({"type": "message", "message_ts": press.ts, "channel_id": channel,
                                      "is_ephemeral": message.only.is_some()});
        if let Some(thread) = message.reply_in() {
            payload["container"]["thread_ts"] = thread.into();
        }
        payload["channel"] = self.channel_of(&channel);
        if message.only.is_none() {
            payload["message"] = message.value();
        }
        payload["state"] = json!({"values": {}});
        payload["response_url"] = url.into();
        payload["actions"] = json!([action]);
        self.interact(&install, &channel, payload)
    }

    /// Somebody uses a slash command.
    pub fn slash(&mut self, slash: Slash) -> Did {
        let channel = self.place(&slash.channel, slash.app.as_deref())?;
        let user = self.users.get(&slash.user).cloned().ok_or("there is no such person")?;
        let install =
            self.install_for(slash.app.as_deref(), &self.team_of(&slash.user)).ok_or("there is no app")?;
        let name = self.channel_of(&channel)["name"].clone();
        let domain = self.teams.get(&install.team).map(|team| team["domain"].clone());
        let url = self.response_url(&install, &channel, &slash.user, None);
        let payload = json!({
            "token": "verification", "team_id": install.team, "team_domain": domain, "channel_id": channel,
            "channel_name": name, "user_id": slash.user, "user_name": user["name"], "command": slash.command,
            "text": slash.text, "api_app_id": install.app, "is_enterprise_install": "false", "response_url": url,
            "trigger_id": self.trigger(),
        });
        let (trigger, response_url) = (payload["trigger_id"].clone(), payload["response_url"].clone());
        let number = self.queue(&install, Way::Command, &channel, payload);
        Ok(json!({"number": number, "channel": channel, "trigger_id": trigger, "response_url": response_url}))
    }

    /// Somebody uses a shortcut.
    pub fn shortcut(&mut self, shortcut: Shortcut) -> Did {
        let install = self.install_for(None, &self.team_of(&shortcut.user)).ok_or("there is no app")?;
        let Some((channel, ts)) = shortcut.channel.zip(shortcut.ts) else {
            let mut payload = self.interaction("shortcut", &install, &shortcut.user);
            payload["callback_id"] = shortcut.callback_id.into();
            payload["action_ts"] = self.next_ts().into();
            return self.interact(&install, "", payload);
        };
        let channel = self.place(&channel, None)?;
        let message = self.channels.get(&channel).and_then(|known| known.messages.get(&ts));
        let message = message.ok_or("there is no such message")?.value();
        let url = self.response_url(&install, &channel, &shortcut.user, Some(&ts));
        let mut payload = self.interaction("message_action", &install, &shortcut.user);
        payload["callback_id"] = shortcut.callback_id.into();
        payload["action_ts"] = self.next_ts().into();
        payload["message_ts"] = ts.into();
        payload["message"] = message;
        payload["channel"] = self.channel_of(&channel);
        payload["response_url"] = url.into();
        self.interact(&install, &channel, payload)
    }

    /// Somebody submits a view.
    pub fn submit(&mut self, submit: Submit) -> Did {
        let mut view = self.views.get(&submit.view).cloned().ok_or("there is no such view")?;
        let app = view["app_id"].as_str().unwrap_or_default().to_owned();
        let install = self.install_for(Some(&app), &self.team_of(&submit.user)).ok_or("there is no app")?;
        view["state"] = json!({"values": submit.values});
        let mut payload = self.interaction("view_submission", &install, &submit.user);
        payload["view"] = view;
        payload["response_urls"] = json!([]);
        self.interact(&install, "", payload)
    }

    fn interact(&mut self, install: &Install, channel: &str, payload: Value) -> Did {
        let (trigger, url) = (payload["trigger_id"].clone(), payload["response_url"].clone());
        let number = self.queue(install, Way::Interactive, channel, payload);
        Ok(json!({"number": number, "channel": channel, "trigger_id": trigger, "response_url": url}))
    }
}

/// The action of the element that is called `wanted`, as a payload has it.
fn action(blocks: &Value, wanted: &str) -> Option<Value> {
    for block in blocks.as_array()? {
        let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
        for element in elements.iter().chain([&block["accessory"]]) {
            let is_called = |one: &Value| {
                [&one["text"]["text"], &one["value"], &one["action_id"]].iter().any(|name| **name == wanted)
            };
            let option = element["options"].as_array().into_iter().flatten().find(|option| is_called(option));
            if option.is_none() && !is_called(element) {
                continue;
            }
            let mut action = json!({"type": element["type"], "action_id": element["action_id"],
                                    "block_id": block["block_id"]});
            match option {
                Some(option) => action["selected_option"] = option.clone(),
                None => {
                    (action["text"], action["value"]) = (element["text"].clone(), element["value"].clone())
                }
            }
            return Some(action);
        }
    }
    None
}
