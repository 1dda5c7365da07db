//! `frontdesk send`: sends a text or a file to a chat.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use frontdesk::home::Home;
use frontdesk::regular_file;
use frontdesk_core::address::Address;
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key};
use super::{Done, Failure, Remote, field, screen};

#[derive(Args)]
pub struct SendArgs {
    #[command(flatten)]
    remote: Remote,
    /// Address: CHANNEL:CHAT or CHANNEL:ACCOUNT:CHAT, followed by :topic:ID for a topic
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// The text in Markdown; with --media it is the caption of the file
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        value_parser = client::text,
        required_unless_present = "media"
    )]
    message: Option<String>,
    /// A file to send; the gateway must run on this machine
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    media: Option<PathBuf>,
    /// A JSON file with blocks (Block Kit), which Slack shows in the place of the text
    #[arg(long, value_name = "FILE", requires = "message", conflicts_with = "media")]
    blocks: Option<PathBuf>,
    /// Idempotency key: a second message with the same key is not sent
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Send it in quiet hours too
    #[arg(long)]
    urgent: bool,
}

#[derive(Args)]
pub struct BroadcastArgs {
    #[command(flatten)]
    remote: Remote,
    /// Address of a chat, as in `frontdesk send`; may be given several times
    #[arg(long, value_name = "ADDRESS", required_unless_present = "list", conflicts_with = "list")]
    to: Vec<Address>,
    /// List of chats in the configuration: [broadcast.NAME]
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// The text in Markdown
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = client::text)]
    message: String,
    /// Send to the other chats if some are on no channel of the configuration
    #[arg(long)]
    skip_unknown: bool,
    /// Idempotency key: a second broadcast with the same key sends nothing twice
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Send it in quiet hours too
    #[arg(long)]
    urgent: bool,
}

pub async fn broadcast(args: BroadcastArgs) -> Done {
    let key = match args.key {
        Some(key) => key,
        None => fresh_key()?,
    };
    let mut body = json!({"text": args.message, "urgent": args.urgent, "skip_unknown": args.skip_unknown});
    match args.list {
        Some(list) => body["list"] = list.into(),
        None => body["to"] = args.to.iter().map(Address::as_str).collect(),
    }
    let answer = Client::find(&args.remote)?.post("/api/broadcast", &body, &key).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    for chat in field::list(&answer, "queued") {
        let to: Address =
            field::text(chat, "to").parse().map_err(|error| Failure::new(format!("{error}")))?;
        screen::line(outcome(&to, field::list(chat, "parts")))?;
    }
    for unknown in field::list(&answer, "unknown").iter().filter_map(Value::as_str) {
        screen::note(&format!(
            "not sent to {}: no channel of the configuration has it",
            screen::harmless(unknown)
        ));
    }
    Ok(())
}

pub async fn send(args: SendArgs) -> Done {
    let to: Address = args.to.parse().map_err(|error| Failure::usage(format!("--to: {error}")))?;
    let key = match args.key {
        Some(key) => key,
        None => fresh_key()?,
    };
    let blocks = args.blocks.as_deref().map(blocks).transpose()?;
    let client = Client::find(&args.remote)?;
    let copy = match &args.media {
        Some(file) => {
            Some(MediaCopy::make(file, &Home::find(args.remote.home.home.as_deref(), &super::env)?)?)
        }
        None => None,
    };
    let text = args.message.unwrap_or_default();
    let mut body = json!({"to": to.as_str(), "text": text, "urgent": args.urgent});
    if let Some(copy) = &copy {
        body["media"] = copy.name.as_str().into();
    }
    if let Some(blocks) = blocks {
        body["blocks"] = blocks;
    }
    let answer = client.post("/api/send", &body, &key).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    screen::line(outcome(&to, field::list(&answer, "parts")))
}

/// The blocks in a file: a list, or the message around it that Slack's Block Kit Builder shows.
fn blocks(file: &Path) -> Result<Value, Failure> {
    let wrong = |problem: String| Failure::usage(format!("--blocks {}: {problem}", file.display()));
    let mut text = String::new();
    let read = regular_file::open(file).and_then(|mut file| file.read_to_string(&mut text));
    read.map_err(|error| wrong(error.to_string()))?;
    let mut json: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("not JSON: {error}")))?;
    Ok(json.get_mut("blocks").map(Value::take).unwrap_or(json))
}

/// What became of the messages. Some channels send at once, and a repetition with the same key shows older ones.
fn outcome(to: &Address, parts: &[Value]) -> String {
    let all = |wanted: &[&str]| parts.iter().all(|part| wanted.contains(&&*field::text(part, "state")));
    let (verb, end) = if all(&["sent"]) {
        ("Sent to", "")
    } else if let Some(until) = parts.iter().find_map(|part| part["held_until"].as_str()) {
        return format!("Held for {to} until its quiet hours end at {until}.");
    } else if all(&["queued", "streaming", "sending", "sent"]) {
        ("Queued for", " To see whether it was sent: frontdesk outbox")
    } else {
        ("Not sent to", " To see why: frontdesk outbox")
    };
    let listed =
        parts.iter().map(|part| format!("{} ({})", field::text(part, "id"), field::text(part, "state")));
    let listed: Vec<String> = listed.collect();
    format!("{verb} {to}: {}.{end}", listed.join(", "))
}

/// A copy of the file in the media folder. It is deleted once the gateway has made its own.
struct MediaCopy {
    folder: PathBuf,
    /// The copy's path, relative to the media folder.
    name: String,
}

impl MediaCopy {
    fn make(file: &Path, home: &Home) -> Result<MediaCopy, Failure> {
        let failed =
            |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
        let shown = file.file_name().and_then(|name| name.to_str());
        let shown = shown
            .ok_or_else(|| Failure::usage(format!("--media {}: this is not a file name", file.display())))?;
        let mut from = regular_file::open(file).map_err(|error| match error.kind() {
            ErrorKind::InvalidInput => Failure::usage(format!("--media {}: {error}", file.display())),
            _ => failed(file, error),
        })?;
        let own = fresh_key()?;
        let folder = home.media().join(&own);
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| failed(&folder, error))?;
        let made = MediaCopy { name: format!("{own}/{shown}"), folder };
        let path = made.folder.join(shown);
        let to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let copied = to.and_then(|mut to| std::io::copy(&mut from, &mut to));
        copied.map_err(|error| failed(&path, error))?;
        Ok(made)
    }
}

impl Drop for MediaCopy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            screen::note(&format!(
                "cannot delete the temporary copy {}: {error}; please delete it",
                self.folder.display()
            ));
        }
    }
}
