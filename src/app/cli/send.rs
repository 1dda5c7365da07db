//! `frontdesk send`: a text or a file for any address.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use frontdesk::home::Home;
use frontdesk_core::address::Address;
use serde_json::json;

use super::client::{self, Client, fresh_key};
use super::{Done, Failure, Remote, field, screen};

#[derive(Args)]
pub struct SendArgs {
    #[command(flatten)]
    remote: Remote,
    /// Where to: CHANNEL:CHAT, CHANNEL:ACCOUNT:CHAT, with :topic:ID for a topic
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// What to say, in Markdown; with a file, what stands beneath it
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        value_parser = client::text,
        required_unless_present = "media"
    )]
    message: Option<String>,
    /// A file to send, for the gateway of this machine's home
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    media: Option<PathBuf>,
    /// The same for every repetition of this message: the second one sends nothing
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub async fn send(args: SendArgs) -> Done {
    let to: Address = args.to.parse().map_err(|error| Failure::usage(format!("--to: {error}")))?;
    let key = match args.key {
        Some(key) => key,
        None => fresh_key()?,
    };
    let client = Client::find(&args.remote)?;
    let handed = match &args.media {
        Some(file) => Some(Handed::over(file, &Home::find(args.remote.home.home.as_deref(), &super::env)?)?),
        None => None,
    };
    let mut body = json!({"to": to.as_str(), "text": args.message.unwrap_or_default()});
    if let Some(handed) = &handed {
        body["media"] = handed.name.as_str().into();
    }
    let answer = client.post("/api/send", &body, &key).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let parts: Vec<String> = field::list(&answer, "parts")
        .iter()
        .map(|part| format!("{} ({})", field::text(part, "id"), field::text(part, "state")))
        .collect();
    screen::line(format!("On its way to {to}: {}. Follow it with `frontdesk outbox list`.", parts.join(", ")))
}

/// A copy of a file in the media folder, until the gateway has taken its own.
struct Handed {
    folder: PathBuf,
    /// The copy's name beneath the media folder.
    name: String,
}

impl Handed {
    fn over(file: &Path, home: &Home) -> Result<Handed, Failure> {
        let failed =
            |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
        let shown = file.file_name().and_then(|name| name.to_str());
        let shown =
            shown.ok_or_else(|| Failure::usage(format!("--media {}: not a file's name", file.display())))?;
        let mut from = File::open(file).map_err(|error| failed(file, error))?;
        if !from.metadata().is_ok_and(|facts| facts.is_file()) {
            return Err(Failure::usage(format!("--media {}: not an ordinary file", file.display())));
        }
        let own = fresh_key()?;
        let folder = home.media().join(&own);
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| failed(&folder, error))?;
        let handed = Handed { name: format!("{own}/{shown}"), folder };
        let copy = handed.folder.join(shown);
        let to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
        let copied = to.and_then(|mut to| std::io::copy(&mut from, &mut to));
        copied.map_err(|error| failed(&copy, error))?;
        Ok(handed)
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            screen::context_message(&format!("{}: {error}; delete it", self.folder.display()));
        }
    }
}
