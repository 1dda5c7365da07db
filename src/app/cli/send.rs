//! `frontdesk send`: a text for any address.

use clap::Args;
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
    /// What to say, in Markdown
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = client::text)]
    message: String,
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
    let body = json!({"to": to.as_str(), "text": args.message});
    let answer = Client::find(&args.remote)?.post("/api/send", &body, &key).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let parts: Vec<String> = field::list(&answer, "parts")
        .iter()
        .map(|part| format!("{} ({})", field::text(part, "id"), field::text(part, "state")))
        .collect();
    screen::line(format!("On its way to {to}: {}. Follow it with `frontdesk outbox list`.", parts.join(", ")))
}
