//! What people see: messages with their mentions, links and buttons.

use serde::Serialize;
use serde_json::{Value, json};

use crate::channel::{Channel, Message};
use crate::world::World;

/// A message as its readers see it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Its time, which is its id in its channel.
    pub ts: String,
    /// The account that wrote it.
    pub user: String,
    /// The text with its links and mentions written out.
    pub text: String,
    /// Whom it notifies: ids of people and groups, `here`, `channel`, `everyone`.
    pub mentions: Vec<String>,
    /// The thread that it is a reply in.
    pub thread: Option<String>,
    /// The only person who sees it.
    pub only: Option<String>,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it still grows.
    pub grows: bool,
    /// The labels of its buttons.
    pub buttons: Vec<String>,
    /// The names of its files.
    pub files: Vec<String>,
    /// Who reacted with what.
    pub reactions: Vec<(String, String)>,
    /// The whole message.
    pub message: Value,
}

impl World {
    /// What a channel shows now. A person's id means their private chat with the first app.
    pub fn shows(&self, channel: &str) -> Vec<Shown> {
        let known = self.channels.get(channel).or_else(|| {
            let install = self.install_for(None, &self.team_of(channel))?;
            let is_it = |known: &&Channel| {
                known.kind == crate::channel::Kind::Im
                    && known.members.contains(channel)
                    && known.members.contains(&install.user)
            };
            self.channels.values().find(is_it)
        });
        known
            .map(|known| known.messages.values().map(|message| self.shown_message(message)).collect())
            .unwrap_or_default()
    }

    fn shown_message(&self, message: &Message) -> Shown {
        let (text, mut mentions) = self.read_text(message.text("text"), message.linked);
        message
            .fields
            .get("blocks")
            .into_iter()
            .for_each(|blocks| self.read_blocks_for(blocks, &mut mentions));
        let list =
            |name: &str| message.fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let label = |element: &Value| element["text"]["text"].as_str().map(str::to_owned);
        let elements = |block: &Value| block["elements"].as_array().cloned().unwrap_or_default();
        let actions = list("blocks").into_iter().filter(|block| block["type"] == "actions");
        let named = |file: &Value| file["name"].as_str().unwrap_or_default().to_owned();
        let reactions = list("reactions").into_iter().flat_map(|reaction| {
            let name = reaction["name"].as_str().unwrap_or_default().to_owned();
            let users = reaction["users"].as_array().cloned().unwrap_or_default();
            users.into_iter().map(move |user| (user.as_str().unwrap_or_default().to_owned(), name.clone()))
        });
        Shown {
            ts: message.text("ts").to_owned(),
            user: message.text("user").to_owned(),
            text,
            mentions,
            thread: message.reply_in().map(str::to_owned),
            only: message.only.clone(),
            edited: message.fields.contains_key("edited"),
            grows: message.stream.is_some(),
            buttons: actions
                .flat_map(|block| elements(&block))
                .filter_map(|element| label(&element))
                .collect(),
            files: list("files").iter().map(named).collect(),
            reactions: reactions.collect(),
            message: message.value(),
        }
    }

    /// Says whom blocks mention: texts with markup, and elements of rich texts.
    fn read_blocks_for(&self, blocks: &Value, mentions: &mut Vec<String>) {
        let text = |name: &str| blocks[name].as_str().unwrap_or_default();
        match (text("type"), blocks) {
            ("mrkdwn", _) => mentions.extend(self.read_text(text("text"), blocks["verbatim"] != true).1),
            ("markdown", _) => mentions.extend(self.read_text(text("text"), true).1),
            ("user", _) => mentions.push(text("user_id").to_owned()),
            ("usergroup", _) => mentions.push(text("usergroup_id").to_owned()),
            ("broadcast", _) => mentions.push(text("range").to_owned()),
            (_, Value::Array(list)) => list.iter().for_each(|one| self.read_blocks_for(one, mentions)),
            (_, Value::Object(fields)) => fields.values().for_each(|one| self.read_blocks_for(one, mentions)),
            _ => {}
        }
    }

    /// Writes out a text, and says whom it mentions.
    fn read_text(&self, text: &str, linked: bool) -> (String, Vec<String>) {
        let (mut shown, mut mentions, mut rest) = (String::new(), Vec::new(), text);
        while let Some((before, after)) = rest.split_once('<') {
            shown.push_str(before);
            let Some((inside, after)) = after.split_once('>') else {
                shown.push('<');
                rest = after;
                continue;
            };
            rest = after;
            let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
            let name = if label.is_empty() { target } else { label };
            match target.split_at_checked(1).unwrap_or_default() {
                ("@", id) if self.users.contains_key(id) => {
                    mentions.push(id.to_owned());
                    shown.push_str(&format!("@{}", self.users[id]["real_name"].as_str().unwrap_or_default()));
                }
                ("#", id) => {
                    let channel = self.channels.get(id).map_or(name, |channel| &channel.name);
                    shown.push_str(&format!("#{channel}"));
                }
                ("!", special) => {
                    let group = special.strip_prefix("subteam^");
                    if group.is_some() || ["here", "channel", "everyone"].contains(&special) {
                        mentions.push(group.unwrap_or(special).to_owned());
                    }
                    shown.push_str(if label.is_empty() { special } else { label });
                }
                _ => shown.push_str(name),
            }
        }
        shown.push_str(rest);
        if linked {
            let words =
                shown.split(|letter: char| letter.is_whitespace()).filter_map(|word| word.strip_prefix('@'));
            mentions.extend(
                words.filter(|word| ["here", "channel", "everyone"].contains(word)).map(str::to_owned),
            );
        }
        (shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), mentions)
    }

    /// What the control port shows of a channel, or of an app.
    pub fn look(&self, id: &str) -> Value {
        if let Some(app) = self.apps.get(id) {
            let proved = app.request_url.as_ref().is_some_and(|(_, proved)| *proved);
            return json!({"sockets": app.sockets.len(), "request_url": app.request_url, "proved": proved});
        }
        let mut threads = self.channels.get(id).map(|channel| channel.threads.clone()).unwrap_or_default();
        for state in threads.values_mut() {
            // A status is shown for two minutes.
            if state["status"]["until"].as_i64().is_some_and(|until| until < self.now_ms()) {
                state["status"] = Value::Null;
            }
        }
        json!({"messages": self.shows(id), "threads": threads})
    }
}
