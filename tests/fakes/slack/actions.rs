//! What people do in their apps, and operators with theirs, as the control port takes it.

mod interactive;
mod operate;

use axum::body::Bytes;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::channel::{Channel, Kind, Message};
use crate::world::{SocketMode, World};

/// Why an action is impossible.
pub type Impossible = String;
/// What an action led to: `number` of the event for the first app (0 if none is told), `ts`, `channel`.
type Did = Result<Value, Impossible>;

/// A message that somebody writes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Say {
    /// A person's id means their private chat with the app.
    channel: String,
    user: String,
    text: String,
    thread: Option<String>,
    /// Whether a reply is also shown in the channel.
    broadcast: bool,
    files: Vec<FileSent>,
    /// Fields that are added as they stand, such as `subtype` or `blocks`.
    extra: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct FileSent {
    name: String,
    #[serde(default)]
    base64: String,
    mime: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChannel {
    id: Option<String>,
    name: String,
    team: Option<String>,
    kind: Option<Kind>,
    members: Vec<String>,
    /// Other workspaces that share it.
    #[serde(default)]
    shared: Vec<String>,
    /// Whether the app is in it; by default it is.
    bot: Option<bool>,
}

/// An action: the path names it, the body is what it needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    User {
        id: Option<String>,
        name: String,
        team: Option<String>,
        #[serde(default)]
        more: Value,
    },
    Channel(NewChannel),
    Group {
        id: String,
        users: Vec<String>,
    },
    Say(Say),
    Edit {
        channel: String,
        ts: String,
        text: String,
    },
    Delete {
        channel: String,
        ts: String,
    },
    Unfurl {
        channel: String,
        ts: String,
        attachments: Value,
    },
    React {
        channel: String,
        ts: String,
        user: String,
        name: String,
    },
    Unreact {
        channel: String,
        ts: String,
        user: String,
        name: String,
    },
    Join {
        channel: String,
        user: String,
    },
    Leave {
        channel: String,
        user: String,
    },
    Archive {
        channel: String,
        on: bool,
    },
    ReadOnly {
        channel: String,
        on: bool,
    },
    Press(interactive::Press),
    Slash(interactive::Slash),
    Shortcut(interactive::Shortcut),
    Submit(interactive::Submit),
    Home {
        user: String,
        tab: String,
    },
    Assistant {
        user: String,
        context: Option<Value>,
    },
    Stop {
        channel: String,
        ts: String,
        user: String,
    },
    Event {
        user: Option<String>,
        channel: Option<String>,
        event: Value,
    },
    Revoke {
        token: String,
        error: String,
    },
    Scopes {
        token: String,
        remove: Vec<String>,
    },
    Subscribe {
        app: String,
        events: Option<Vec<String>>,
    },
    Withhold {
        app: String,
        on: bool,
    },
    RequestUrl {
        app: String,
        url: Option<String>,
    },
    App {
        id: String,
        token: String,
        secret: String,
        team: String,
        bot_token: String,
        bot: String,
        name: String,
    },
    Webhook {
        channel: String,
    },
    SocketMode {
        app: String,
        state: SocketMode,
    },
    Disconnect {
        app: String,
        reason: String,
    },
    Dead {
        app: String,
    },
    Limits {
        on: bool,
    },
    Redirects {
        on: bool,
    },
    Again {
        number: i64,
    },
    Forget {},
    Answered {
        number: i64,
    },
}

impl World {
    /// Carries out an action from the control port.
    pub fn perform(&mut self, action: &str, body: Value) -> Did {
        match serde_json::from_value(json!({action: body})).map_err(|error| error.to_string())? {
            Action::User { id, name, team, more } => {
                let id = id.unwrap_or_else(|| self.new_id("U0"));
                let team = team.or_else(|| self.installs.first().map(|install| install.team.clone()));
                self.add_user(&id, &team.unwrap_or_default(), &name, more);
                Ok(json!({"id": id}))
            }
            Action::Channel(new) => self.add_channel(new),
            Action::Say(say) => self.say(say),
            Action::Edit { channel, ts, text } => {
                self.changes(&channel, &ts, true, |message| message.set("text", text))
            }
            Action::Unfurl { channel, ts, attachments } => {
                self.changes(&channel, &ts, false, |message| message.set("attachments", attachments))
            }
            Action::Delete { channel, ts } => {
                let channel = self.place(&channel, None)?;
                let number = self.remove(&channel, &ts).ok_or("there is no such message")?;
                Ok(json!({"number": number, "ts": ts, "channel": channel}))
            }
            Action::React { channel, ts, user, name } => self.reaction(&channel, &ts, &user, &name, true),
            Action::Unreact { channel, ts, user, name } => self.reaction(&channel, &ts, &user, &name, false),
            Action::Press(press) => self.press(press),
            Action::Slash(slash) => self.slash(slash),
            Action::Shortcut(shortcut) => self.shortcut(shortcut),
            Action::Submit(submit) => self.submit(submit),
            Action::Answered { number } => {
                let envelope = self.deliveries.envelopes.get(&number).ok_or("there is no such number")?;
                Ok(json!({"answer": envelope.answer}))
            }
            told @ (Action::Join { .. }
            | Action::Leave { .. }
            | Action::Home { .. }
            | Action::Assistant { .. }
            | Action::Stop { .. }
            | Action::Event { .. }) => self.told(told),
            other => self.operate(other),
        }
    }

    /// A channel by its id; a person's id means their private chat with the app.
    fn place(&mut self, channel: &str, app: Option<&str>) -> Result<String, Impossible> {
        if self.users.contains_key(channel) {
            let install = self.install_for(app, &self.team_of(channel)).ok_or("there is no app")?;
            return Ok(self.direct(&install, channel));
        }
        let known = self.channels.contains_key(channel);
        if known { Ok(channel.to_owned()) } else { Err(format!("there is no channel {channel}")) }
    }

    fn add_channel(&mut self, new: NewChannel) -> Did {
        let kind = new.kind.unwrap_or(Kind::Channel);
        let id = new.id.unwrap_or_else(|| self.new_id("C0"));
        let team = new.team.or_else(|| self.installs.first().map(|install| install.team.clone()));
        let mut channel = Channel::new(&id, &team.unwrap_or_default(), &new.name, kind);
        channel.members.extend(new.members);
        channel.shared = new.shared;
        if new.bot.unwrap_or(true) {
            let here = self.installs.iter().filter(|install| install.team == channel.team);
            channel.members.extend(here.map(|install| install.user.clone()));
        }
        self.channels.insert(id.clone(), channel);
        Ok(json!({"id": id}))
    }

    fn say(&mut self, say: Say) -> Did {
        let channel = self.place(&say.channel, None)?;
        if !self.users.contains_key(&say.user) {
            return Err(format!("there is nobody called {}", say.user));
        }
        let team = self.team_of(&say.user);
        let mut message =
            Message { fields: self.authored(&channel, &say.user, &say.text), ..Message::default() };
        if !message.fields.contains_key("bot_id") {
            message.set("client_msg_id", self.secret());
        }
        if let Some(thread) = say.thread {
            message.set("thread_ts", thread);
        }
        if say.broadcast {
            message.set("subtype", "thread_broadcast");
        }
        let mut files = Vec::new();
        for file in say.files {
            let bytes = BASE64_STANDARD.decode(&file.base64).map_err(|error| error.to_string())?;
            let mime = file.mime.unwrap_or_else(|| "application/octet-stream".to_owned());
            files.push(self.add_file(
                &say.user,
                &team,
                &file.name,
                &mime,
                bytes.len(),
                Some(Bytes::from(bytes)),
            ));
        }
        if !files.is_empty() {
            message.set("files", files);
            message.set("subtype", "file_share");
        }
        message.fields.extend(say.extra);
        let (ts, number) = self.publish(&channel, message);
        Ok(json!({"number": number, "ts": ts, "channel": channel}))
    }

    fn changes(&mut self, channel: &str, ts: &str, edit: bool, change: impl FnOnce(&mut Message)) -> Did {
        let channel = self.place(channel, None)?;
        let message = self.channels.get(&channel).and_then(|known| known.messages.get(ts));
        let author = message.ok_or("there is no such message")?.text("user").to_owned();
        let number = self.rewrite(&channel, ts, edit.then_some(author.as_str()), change);
        Ok(json!({"number": number, "ts": ts, "channel": channel}))
    }

    fn reaction(&mut self, channel: &str, ts: &str, user: &str, name: &str, on: bool) -> Did {
        let channel = self.place(channel, None)?;
        let number = self.react(&channel, ts, user, name, on)?;
        Ok(json!({"number": number, "ts": ts, "channel": channel}))
    }

    /// Actions that are events without a message.
    fn told(&mut self, action: Action) -> Did {
        let (channel, event) = match action {
            Action::Join { channel, user } => {
                self.member(&channel, &user, true)?;
                (channel, json!({"type": "member_joined_channel", "user": user, "channel_type": "C"}))
            }
            Action::Leave { channel, user } => {
                self.member(&channel, &user, false)?;
                (channel, json!({"type": "member_left_channel", "user": user, "channel_type": "C"}))
            }
            Action::Home { user, tab } => {
                (self.place(&user, None)?, json!({"type": "app_home_opened", "user": user, "tab": tab}))
            }
            Action::Assistant { user, context } => return self.assistant(&user, context),
            Action::Stop { channel, ts, user } => {
                let known = self.channels.get_mut(&channel).and_then(|known| known.messages.get_mut(&ts));
                let message = known.ok_or("there is no such message")?;
                message.stream.as_mut().ok_or("the message does not grow")?.stopped = true;
                let thread = message.reply_in().unwrap_or(&ts).to_owned();
                let event = json!({"type": "agent_session_stopped", "user": user, "thread_ts": thread,
                                   "streaming_message_ts": [ts]});
                (channel, event)
            }
            Action::Event { user, channel, event } => {
                let at = channel.or(user).ok_or("an event needs a channel or a user")?;
                (self.place(&at, None)?, event)
            }
            _ => return Err("this is no event".to_owned()),
        };
        Ok(json!({"number": self.tell(&channel, event), "channel": channel}))
    }

    fn member(&mut self, channel: &str, user: &str, is_in: bool) -> Result<(), Impossible> {
        let known = self.channels.get_mut(channel).ok_or("there is no such channel")?;
        if is_in {
            known.members.insert(user.to_owned())
        } else {
            known.members.remove(user)
        };
        Ok(())
    }

    /// Somebody opens a thread with the app as their assistant.
    fn assistant(&mut self, user: &str, context: Option<Value>) -> Did {
        let channel = self.place(user, None)?;
        let install = self.install_for(None, &self.team_of(user)).ok_or("there is no app")?;
        let mut root =
            Message { fields: self.authored(&channel, &install.user, "New thread"), ..Message::default() };
        root.set("subtype", "assistant_app_thread");
        let (ts, _) = self.publish(&channel, root);
        let thread = json!({"user_id": user, "channel_id": channel, "thread_ts": ts,
                            "context": context.unwrap_or_else(|| json!({}))});
        let number =
            self.tell(&channel, json!({"type": "assistant_thread_started", "assistant_thread": thread}));
        Ok(json!({"number": number, "ts": ts, "channel": channel}))
    }
}
