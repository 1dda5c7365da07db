//! Everything that the oracle compares.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::agent::{AgentRecord, Kind};
use crate::channel::Channel;
use crate::daemon::Home;
use crate::database::{self, Database};
use crate::harness::Harness;
use crate::journal::{Event, Journal};
use crate::script::{Script, Task, fingerprint};

/// A message on a platform: its address and the platform's id.
pub type MessageId = (String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// Put a message into a chat.
    Post,
    /// Changed one.
    Edit,
    /// Anything else, and what was not carried out.
    Other,
}

/// A request of the gateway to a platform.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it was carried out or refused.
    pub at: i64,
    pub method: String,
    pub kind: CallKind,
    /// The chat as the database writes it; for an edit, the place of its message.
    pub address: String,
    pub message: Option<String>,
    pub text: String,
    /// The tags in the text.
    pub tags: BTreeSet<String>,
    /// Why it was not carried out.
    pub refused: Option<String>,
    /// The gateway never got the response.
    pub lost: bool,
    /// The number of the request. The files of an album are posted by one request.
    pub request: usize,
}

impl Call {
    pub fn id(&self) -> Option<MessageId> {
        Some((self.address.clone(), self.message.clone()?))
    }
}

#[derive(Clone)]
pub struct Observed {
    /// The kind of the main agent.
    pub kind: Kind,
    pub journal: Journal,
    pub agents: Vec<AgentRecord>,
    pub database: Database,
    /// By platform in the order in which it carried them out.
    pub calls: Vec<Arc<Call>>,
    /// Fingerprints of the files that the gateway posted.
    pub files: HashMap<MessageId, String>,
    /// Fingerprints of the files that the agents were asked to send, in order, by tag.
    pub right_files: HashMap<String, Vec<String>>,
    /// Addresses whose files the test cannot fetch.
    pub unread_files: HashSet<String>,
    /// Names of files that were not completed.
    pub unfinished: Vec<String>,
    pub log: String,
    /// What must not stand in the log.
    pub secrets: Vec<String>,
    /// How the addresses of platforms begin that know the keys of posts, and so never show one twice.
    pub knows_keys: Vec<String>,
    /// Principals of the admins, which are also the addresses of their private chats.
    pub admins: Vec<String>,
}

impl Observed {
    /// Whether the message of an event was edited later.
    pub fn is_edited_after(&self, event: &Event) -> bool {
        self.journal.events.iter().any(|other| {
            other.place == event.place && other.message == event.message && other.order > event.order
        })
    }

    /// Reads everything; the gateway has been stopped.
    pub async fn read(harness: &Harness, home: &Home, channels: &[Box<dyn Channel>]) -> Result<Self> {
        let journal = harness.journal().clone();
        let agents = std::fs::read_to_string(home.agent_journal()).unwrap_or_default();
        let mut secrets = vec![harness.mark.clone(), harness.token()];
        secrets.extend(journal.codes.iter().cloned());
        let scripts = journal.events.iter().filter_map(|event| event.script.as_ref());
        let right_files = scripts.filter(|script| matches!(script.task, Task::Send { .. })).map(|script| {
            let files = script.files().iter().map(|bytes| fingerprint(bytes)).collect();
            (script.tag.clone(), files)
        });
        let right_files = right_files.collect();
        let database = database::read(&home.database())?;
        let mut agents: Vec<AgentRecord> =
            agents.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        find_turns(&mut agents, &database);
        let mut observed = Self {
            kind: harness.kind,
            journal,
            agents,
            database,
            calls: Vec::new(),
            files: HashMap::new(),
            right_files,
            unread_files: HashSet::new(),
            unfinished: unfinished(&home.media())?,
            log: std::fs::read_to_string(home.log())?,
            secrets,
            knows_keys: Vec::new(),
            admins: Vec::new(),
        };
        for channel in channels {
            channel.observe(&mut observed).await?;
        }
        Ok(observed)
    }

    /// Whether a record is about no turn that is known: its message was deleted or changed before the turn was stored.
    pub fn is_without_turn(&self, seen: &AgentRecord) -> bool {
        seen.turn == 0
    }

    pub fn posts(&self) -> impl Iterator<Item = &Arc<Call>> {
        self.calls.iter().filter(|call| call.kind == CallKind::Post)
    }
}

/// Finds the turns of records that name none, by the tags of their messages.
fn find_turns(agents: &mut [AgentRecord], database: &Database) {
    let mut turns: HashMap<String, i64> = HashMap::new();
    for row in &database.inbound {
        if let (Some(turn), Some(script)) = (row.turn_id, Script::read(row.question())) {
            turns.entry(script.tag).or_insert(turn);
        }
    }
    for seen in agents.iter_mut().filter(|seen| seen.turn == 0) {
        seen.turn = turns.get(&seen.tag).copied().unwrap_or(0);
    }
}

/// Files below the media folder that were being written during a kill.
fn unfinished(media: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in ["in", "out"] {
        for entry in std::fs::read_dir(media.join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.contains(".part") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    Ok(found)
}
