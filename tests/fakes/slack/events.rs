//! Messages put into channels, changed and removed, and the events that tell apps of them.

use serde_json::{Map, Value, json};

use crate::channel::{Kind, Message};
use crate::delivery::Way;
use crate::world::{Install, World};

/// A message by its own time, and the event by which the first app was told of it; 0 if none was.
pub type Published = (String, i64);

impl World {
    /// Puts a message into its channel and tells the apps there. A message for one person is no event.
    pub fn publish(&mut self, channel: &str, mut message: Message) -> Published {
        let ts = self.next_ts();
        message.set("type", "message");
        message.set("ts", ts.as_str());
        if let Some(thread) = message.reply_in().map(str::to_owned)
            && let Some(known) = self.channels.get_mut(channel)
        {
            if let Some(parent) = known.messages.get(&thread) {
                message.set("parent_user_id", parent.text("user"));
                if message.text("subtype") == "thread_broadcast" {
                    message.set("root", parent.value());
                }
            }
            // A reply ends the app's status.
            if let Some(state) = known.threads.get_mut(&thread).filter(|_| !message.text("bot_id").is_empty())
            {
                state["status"] = Value::Null;
            }
        }
        let (thread, silent) = (message.reply_in().map(str::to_owned), message.only.is_some());
        if let Some(known) = self.channels.get_mut(channel) {
            known.messages.insert(ts.clone(), message.clone());
            if let Some(thread) = thread.filter(|_| !silent) {
                known.count_replies(&thread);
            }
        }
        let number = if silent { 0 } else { self.tell_of(channel, &message) };
        (ts, number)
    }

    /// Tells of a message, and of the mentions in it, in any order.
    fn tell_of(&mut self, channel: &str, message: &Message) -> i64 {
        let mentions_first = self.common.random.permille(500);
        if mentions_first {
            self.tell_mentioned(channel, message);
        }
        let number = self.tell(channel, message.value());
        if !mentions_first {
            self.tell_mentioned(channel, message);
        }
        number
    }

    fn tell_mentioned(&mut self, channel: &str, message: &Message) {
        let Some(known) = self.channels.get(channel).filter(|known| known.kind != Kind::Im) else { return };
        let text = message.text("text");
        let is_called = |install: &&Install| {
            known.members.contains(&install.user)
                && install.bot != message.text("bot_id")
                && (text.contains(&format!("<@{}>", install.user))
                    || text.contains(&format!("<@{}|", install.user)))
        };
        let called: Vec<Install> = self.installs.iter().filter(is_called).cloned().collect();
        let mut event = message.fields.clone();
        event.insert("type".to_owned(), "app_mention".into());
        event.remove("subtype");
        for install in called {
            self.tell_one(&install, channel, Value::Object(event.clone()));
        }
    }

    /// Changes a message. With an editor it is an edit, without one a preview or a count.
    pub fn rewrite(
        &mut self,
        channel: &str,
        ts: &str,
        editor: Option<&str>,
        change: impl FnOnce(&mut Message),
    ) -> Option<i64> {
        let now = self.next_ts();
        let message = self.channels.get_mut(channel)?.messages.get_mut(ts)?;
        let previous = message.value();
        change(message);
        if let Some(editor) = editor {
            message.set("edited", json!({"user": editor, "ts": now}));
        }
        let message = message.clone();
        if message.only.is_some() {
            return Some(0);
        }
        if editor.is_some() {
            self.tell_mentioned(channel, &message);
        }
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "ts": now,
            "message": message.value(), "previous_message": previous,
        });
        Some(self.tell(channel, event))
    }

    /// Deletes a message. A parent of replies stays as a tombstone.
    pub fn remove(&mut self, channel: &str, ts: &str) -> Option<i64> {
        let known = self.channels.get_mut(channel)?;
        let has_replies = known.messages.values().any(|message| message.reply_in() == Some(ts));
        if has_replies {
            return self.rewrite(channel, ts, None, |message| {
                let kept = ["type", "user", "ts", "thread_ts", "reply_count", "latest_reply", "reply_users"];
                message.fields.retain(|name, _| kept.contains(&name.as_str()));
                message.set("subtype", "tombstone");
                message.set("text", "This message was deleted.");
                message.set("hidden", true);
            });
        }
        let previous = known.messages.remove(ts)?;
        if let Some(thread) = previous.reply_in() {
            known.count_replies(thread);
        }
        let now = self.next_ts();
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "ts": now, "deleted_ts": ts,
            "previous_message": previous.value(),
        });
        Some(if previous.only.is_some() { 0 } else { self.tell(channel, event) })
    }

    /// Tells every app that is in this channel; returns the number of the first event, or 0.
    pub fn tell(&mut self, channel: &str, event: Value) -> i64 {
        let Some(known) = self.channels.get(channel) else { return 0 };
        let is_in = |install: &&Install| known.members.contains(&install.user);
        let told: Vec<Install> = self.installs.iter().filter(is_in).cloned().collect();
        let numbers: Vec<i64> =
            told.iter().map(|install| self.tell_one(install, channel, event.clone())).collect();
        numbers.into_iter().find(|number| *number != 0).unwrap_or_default()
    }

    /// Tells one app, if it subscribes to such events and has the scope for them.
    pub fn tell_one(&mut self, install: &Install, channel: &str, mut event: Value) -> i64 {
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        if let Some(known) = self.channels.get(channel) {
            if kind == "message" {
                event["channel_type"] = known.kind.name().into();
            }
            if event.get("item").is_none() && event.get("assistant_thread").is_none() {
                event["channel"] = channel.into();
            }
        }
        let family = self.channels.get(channel).map_or("im", |known| known.kind.family());
        let (subscription, scope) = match kind.as_str() {
            "message" => (format!("message.{family}"), format!("{family}:history")),
            "app_mention" => (kind, "app_mentions:read".to_owned()),
            "reaction_added" | "reaction_removed" => (kind, "reactions:read".to_owned()),
            "member_joined_channel" | "member_left_channel" => (kind, format!("{family}:read")),
            _ => (kind, String::new()),
        };
        let subscribed = self.apps.get(&install.app).is_some_and(|app| {
            app.subscribed.as_ref().is_none_or(|subscribed| subscribed.contains(&subscription))
        });
        if !subscribed || !(scope.is_empty() || install.scopes.contains(&scope)) {
            return 0;
        }
        if self.apps.get(&install.app).is_some_and(|app| app.withholds) {
            self.tell_of_limit(install);
            return 0;
        }
        if event.get("event_ts").is_none() {
            event["event_ts"] = event.get("ts").cloned().unwrap_or_else(|| self.next_ts().into());
        }
        let payload = self.wrap(install, channel, event);
        self.queue(install, Way::Event, channel, payload)
    }

    /// Tells an app once a minute that its events are withheld.
    fn tell_of_limit(&mut self, install: &Install) {
        let minute = self.now_ms() / 60_000 * 60;
        let Some(app) = self.apps.get_mut(&install.app) else { return };
        if std::mem::replace(&mut app.told_minute, minute) == minute {
            return;
        }
        let notice = json!({
            "token": "verification", "type": "app_rate_limited", "team_id": install.team,
            "minute_rate_limited": minute, "api_app_id": install.app,
        });
        self.queue(install, Way::Event, "", notice);
    }

    fn wrap(&mut self, install: &Install, channel: &str, event: Value) -> Value {
        let shared = self.channels.get(channel).is_some_and(|known| !known.shared.is_empty());
        json!({
            "token": "verification", "team_id": install.team, "context_team_id": install.team,
            "context_enterprise_id": null, "api_app_id": install.app, "event": event, "type": "event_callback",
            "event_id": self.new_id("Ev0"), "event_time": self.now_ms() / 1000, "is_ext_shared_channel": shared,
            "event_context": format!("4-{}", self.secret()),
            "authorizations": [{
                "enterprise_id": null, "team_id": install.team, "user_id": install.user, "is_bot": true,
                "is_enterprise_install": false,
            }],
        })
    }

    /// The fields of a message by a person or another bot.
    pub fn authored(&self, channel: &str, user: &str, text: &str) -> Map<String, Value> {
        let team = self.team_of(user);
        let mut fields = Map::from_iter([("user".to_owned(), user.into()), ("text".to_owned(), text.into())]);
        if self.users.get(user).is_some_and(|user| user["is_bot"] == true) {
            let profile = &self.users[user]["profile"];
            fields.insert("bot_id".to_owned(), profile["bot_id"].clone());
            fields.insert("app_id".to_owned(), profile["api_app_id"].clone());
            let bot = json!({"id": profile["bot_id"], "app_id": profile["api_app_id"], "team_id": team,
                             "name": self.users[user]["real_name"], "deleted": false});
            fields.insert("bot_profile".to_owned(), bot);
        }
        if self.channels.get(channel).is_some_and(|known| !known.shared.is_empty()) {
            let known = self.users.get(user);
            let profile =
                known.map(|user| json!({"display_name": user["real_name"], "team": user["team_id"]}));
            fields.insert("user_team".to_owned(), team.as_str().into());
            fields.insert("source_team".to_owned(), team.as_str().into());
            fields.insert("user_profile".to_owned(), profile.unwrap_or_default());
        }
        fields.insert("team".to_owned(), team.into());
        fields
    }
}
