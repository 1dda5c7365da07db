//! The state of the server: workspaces, apps, people, channels, files, and what the kit keeps.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use axum::body::Bytes;
use frontdesk_fakes::{Clock, Common};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::channel::{Channel, Kind};
use crate::delivery::Deliveries;
use crate::hooks::Hook;
use crate::limits::Limiter;

/// The scopes that an app has unless somebody takes some away.
const SCOPES: &str = "app_mentions:read,assistant:write,channels:history,channels:join,channels:read,chat:write,\
                      commands,files:read,files:write,groups:history,groups:read,groups:write,im:history,im:read,\
                      im:write,incoming-webhook,mpim:history,mpim:read,mpim:write,pins:write,reactions:read,\
                      reactions:write,team:read,usergroups:read,users:read";

/// What the server tells the task of a socket.
#[derive(Debug)]
pub enum Frame {
    Text(String),
    /// It ends at this time, and warns ten seconds before.
    Ends(i64),
    /// It ends now, for this reason.
    End(String),
    /// It stays open, but nothing passes any more.
    Dead,
}

/// Whether an app may open sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketMode {
    #[default]
    On,
    /// It is refused.
    Off,
    /// It gets a socket, and is told that Socket Mode is not turned on.
    Doubtful,
    /// It gets a socket that is closed without a hello.
    Mute,
}

#[derive(Debug, Default)]
pub struct App {
    /// The token for Socket Mode, and the scopes that it has.
    pub token: String,
    pub scopes: BTreeSet<String>,
    pub socket_mode: SocketMode,
    pub secret: String,
    /// Whether it gets too many events, so that they are withheld, and the minute for which it was told that.
    pub withholds: bool,
    pub told_minute: i64,
    /// The events that it subscribes to; by default all.
    pub subscribed: Option<BTreeSet<String>>,
    /// Where events go over HTTP, and whether the address has proved itself. Without one, Socket Mode is on.
    pub request_url: Option<(String, bool)>,
    pub sockets: BTreeMap<u64, UnboundedSender<Frame>>,
    /// Those of them whose client has answered a ping, so that it has read the hello.
    pub read: BTreeSet<u64>,
    /// Tickets of sockets, usable once.
    pub tickets: HashSet<String>,
}

/// An app in a workspace.
#[derive(Debug, Clone)]
pub struct Install {
    pub app: String,
    pub team: String,
    pub token: String,
    /// The account of its bot, and the id that its messages carry.
    pub user: String,
    pub bot: String,
    pub scopes: BTreeSet<String>,
    /// The error that its token gets, once it has been revoked.
    pub revoked: Option<String>,
}

/// A button or a command was used: what it may be exchanged for, once, within three seconds.
#[derive(Debug)]
pub struct Trigger {
    pub at: i64,
    pub used: bool,
}

#[derive(Debug)]
pub struct File {
    /// As `files.info` answers.
    pub json: Value,
    pub bytes: Option<Bytes>,
    /// Its size as it was announced.
    pub length: usize,
}

#[derive(Debug)]
pub struct World {
    pub common: Common<String>,
    pub apps: BTreeMap<String, App>,
    pub installs: Vec<Install>,
    /// As `team.info` answers.
    pub teams: BTreeMap<String, Value>,
    /// As `users.info` answers.
    pub users: BTreeMap<String, Value>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub channels: BTreeMap<String, Channel>,
    pub files: BTreeMap<String, File>,
    /// Whether downloads are redirected: to where the file is now, or to the page to log in.
    pub redirects: bool,
    pub hooks: BTreeMap<String, Hook>,
    pub triggers: HashMap<String, Trigger>,
    pub views: BTreeMap<String, Value>,
    pub deliveries: Deliveries,
    pub limiter: Limiter,
    /// The root of this server, as in `http://127.0.0.1:8083`.
    pub url: String,
    last_us: i64,
    last_id: u64,
}

impl World {
    pub fn new(clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            common: Common::new(clock, seed),
            apps: BTreeMap::new(),
            installs: Vec::new(),
            teams: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: BTreeMap::new(),
            redirects: false,
            hooks: BTreeMap::new(),
            triggers: HashMap::new(),
            views: BTreeMap::new(),
            deliveries: Deliveries::default(),
            limiter: Limiter::default(),
            url: String::new(),
            last_us: 0,
            last_id: 0,
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.common.clock.now_ms()
    }

    /// A new id that begins with these letters.
    pub fn new_id(&mut self, letters: &str) -> String {
        self.last_id += 1;
        format!("{letters}{:09}", self.last_id)
    }

    /// A text that nobody guesses.
    pub fn secret(&mut self) -> String {
        format!("{:016x}{:016x}", self.common.random.number(), self.common.random.number())
    }

    /// The time of a new message: seconds and microseconds, and no two the same.
    pub fn next_ts(&mut self) -> String {
        self.last_us = (self.now_ms() * 1000).max(self.last_us + 100);
        format!("{}.{:06}", self.last_us / 1_000_000, self.last_us % 1_000_000)
    }

    pub fn add_team(&mut self, id: &str, name: &str) {
        let domain = name.to_lowercase();
        let url = format!("https://{domain}.slack.com/");
        self.teams.insert(id.to_owned(), json!({"id": id, "name": name, "domain": domain, "url": url}));
    }

    pub fn add_app(&mut self, id: &str, token: &str, secret: &str) {
        let scopes = BTreeSet::from(["connections:write".to_owned()]);
        let app = App { token: token.to_owned(), secret: secret.to_owned(), scopes, ..App::default() };
        self.apps.insert(id.to_owned(), app);
    }

    /// Installs an app in a workspace, with a bot of this name.
    pub fn install(&mut self, app: &str, team: &str, token: &str, user: &str, bot: &str, name: &str) {
        self.add_user(
            user,
            team,
            name,
            json!({"is_bot": true, "profile": {"bot_id": bot, "api_app_id": app}}),
        );
        self.installs.push(Install {
            app: app.to_owned(),
            team: team.to_owned(),
            token: token.to_owned(),
            user: user.to_owned(),
            bot: bot.to_owned(),
            scopes: SCOPES.split(',').map(str::to_owned).collect(),
            revoked: None,
        });
    }

    /// Adds an account; `more` are fields that differ from those of an ordinary one.
    pub fn add_user(&mut self, id: &str, team: &str, name: &str, more: Value) {
        let mut user = json!({
            "id": id, "team_id": team, "name": name.to_lowercase(), "real_name": name, "deleted": false,
            "tz": "Europe/Berlin", "tz_offset": 3600, "is_admin": false, "is_owner": false, "is_bot": false,
            "is_restricted": false, "is_ultra_restricted": false, "is_stranger": false, "is_app_user": false,
            "updated": self.now_ms() / 1000, "profile": {"real_name": name, "display_name": name, "team": team},
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            match (&mut user[field], value) {
                (Value::Object(known), Value::Object(more)) => known.extend(more.clone()),
                (known, value) => *known = value.clone(),
            }
        }
        self.users.insert(id.to_owned(), user);
    }

    /// The private chat of a person and an app's bot; it is made when it is first named.
    pub fn direct(&mut self, install: &Install, user: &str) -> String {
        let pair = BTreeSet::from([install.user.clone(), user.to_owned()]);
        let known =
            self.channels.values().find(|channel| channel.kind == Kind::Im && channel.members == pair);
        if let Some(channel) = known {
            return channel.id.clone();
        }
        let id = self.new_id("D0");
        let created = self.now_ms() / 1000;
        let channel = Channel { members: pair, created, ..Channel::new(&id, &install.team, "", Kind::Im) };
        self.channels.insert(id.clone(), channel);
        id
    }

    /// The app that is meant if none is named, in the workspace of this person or channel.
    pub fn install_for(&self, app: Option<&str>, team: &str) -> Option<Install> {
        let is_it =
            |install: &&Install| app.is_none_or(|app| install.app == app) && install.revoked.is_none();
        let mut installs = self.installs.iter().filter(is_it);
        let first = installs.clone().next();
        installs.find(|install| install.team == team).or(first).cloned()
    }

    pub fn team_of(&self, user: &str) -> String {
        self.users.get(user).and_then(|user| user["team_id"].as_str()).unwrap_or_default().to_owned()
    }
}
