//! Everything that is compared: what people did, what the server and the agent saw, and what the daemon left behind.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use frontdesk_botapi::{Call, Delivery, TOKEN};
use serde_json::{Value, json};

use crate::agent::Seen;
use crate::book::{Act, Book};
use crate::cast::WORK_TOKEN;
use crate::daemon::Home;
use crate::database::{self, Database};
use crate::script::fingerprint;
use crate::world::World;

#[derive(Clone)]
pub struct Evidence {
    pub book: Book,
    /// What the bots asked the server for, in order.
    pub calls: Vec<Arc<Call>>,
    pub deliveries: HashMap<(i64, i64), Delivery>,
    pub agents: Vec<Seen>,
    pub database: Database,
    /// What files of the bot hold, by chat and message.
    pub files: HashMap<(i64, i64), String>,
    /// Files that were never finished.
    pub unfinished: Vec<String>,
    pub log: String,
    /// What must not stand in the log.
    pub secrets: Vec<String>,
}

impl Evidence {
    /// Looks at everything; the daemon has been stopped.
    pub async fn gather(world: &World, home: &Home, token: &str) -> Result<Self> {
        let book = world.book().clone();
        let (calls, deliveries) = {
            let journal = world.api.journal();
            (journal.calls().to_vec(), journal.deliveries().to_vec())
        };
        let deliveries = deliveries.into_iter().map(|seen| ((seen.bot, seen.update_id), seen)).collect();
        let agents = std::fs::read_to_string(home.journal()).unwrap_or_default();
        let agents = agents.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let mut secrets = vec![world.mark.clone(), token.to_owned()];
        secrets.extend(
            [TOKEN, WORK_TOKEN].iter().filter_map(|token| token.split_once(':')).map(|(_, it)| it.to_owned()),
        );
        secrets.extend(book.codes.iter().cloned());
        let files = files(world, &calls).await?;
        Ok(Self {
            book,
            calls,
            deliveries,
            agents,
            database: database::read(&home.database())?,
            files,
            unfinished: unfinished(&home.database().with_file_name("media"))?,
            log: std::fs::read_to_string(home.log())?,
            secrets,
        })
    }

    /// The posts that a bot made for the gateway, also those of which it was never told. A button is somebody else's.
    pub fn posts(&self) -> impl Iterator<Item = &Arc<Call>> {
        self.calls
            .iter()
            .filter(|call| call.is_post() && call.is_done() && !call.params.contains_key("reply_markup"))
    }

    pub fn act(&self, update: (i64, i64)) -> Option<&Act> {
        self.book.acts.iter().find(|act| act.key() == update)
    }
}

/// Fetches the files that the first bot has sent.
async fn files(world: &World, calls: &[Arc<Call>]) -> Result<HashMap<(i64, i64), String>> {
    let mut files = HashMap::new();
    let mut chats: Vec<i64> = calls
        .iter()
        .filter(|call| call.method == "sendDocument" && call.is_post())
        .map(|call| call.chat)
        .collect();
    chats.sort_unstable();
    chats.dedup();
    for chat in chats {
        for shown in world.api.shows(chat) {
            let Some(id) = shown.message["document"]["file_id"].as_str() else { continue };
            if shown.from != frontdesk_botapi::BOT {
                continue;
            }
            let url = world.api.url();
            let found = world.http.post(format!("{url}/bot{TOKEN}/getFile")).json(&json!({"file_id": id}));
            let found: Value = found.send().await?.json().await?;
            let path = found["result"]["file_path"].as_str().context("a file without a path")?;
            let bytes = world.http.get(format!("{url}/file/bot{TOKEN}/{path}")).send().await?.bytes().await?;
            files.insert((chat, shown.message_id), fingerprint(&bytes));
        }
    }
    Ok(files)
}

/// What was being written when somebody died.
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
