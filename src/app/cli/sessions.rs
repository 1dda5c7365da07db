//! `frontdesk sessions`: lists, shows and changes sessions.

use clap::{Args, Subcommand};
use frontdesk_core::count::counted;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::message::FileKind;
use frontdesk_core::voice::with_transcripts;
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key, segment};
use super::confirm::Confirm;
use super::list::OrList;
use super::{Done, Failure, Remote, field, screen, table};

/// What follows `frontdesk sessions`.
pub type SessionsArgs = OrList<What, List>;

#[derive(Subcommand)]
pub enum What {
    /// List sessions, sorted by key
    List(List),
    /// Show one session and its conversations
    Show(One),
    /// Show the messages and answers of a session, newest last
    Messages(Messages),
    /// Start a new conversation; /resume in the chat returns to the previous one
    Reset(One),
    /// Cancel the running turn and drop the waiting messages
    Stop(One),
    /// Erase a session with all its messages for good
    Delete(Delete),
}

#[derive(Args)]
pub struct List {
    #[command(flatten)]
    remote: Remote,
    /// Only this channel, for example telegram; or one account of it, for example telegram@work
    #[arg(long)]
    channel: Option<String>,
    /// Only sessions after this key, to see the next page
    #[arg(long, value_name = "KEY")]
    after: Option<SessionKey>,
    /// Maximum number of entries, from 1 to 200
    #[arg(long, default_value_t = 50, value_parser = client::limit())]
    limit: u32,
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    remote: Remote,
    /// The session's key, as shown in the list
    key: SessionKey,
}

#[derive(Args)]
pub struct Messages {
    #[command(flatten)]
    one: One,
    /// Only the conversation with this number
    #[arg(long, value_name = "NUMBER", value_parser = conversation)]
    epoch: Option<u64>,
    /// Only messages before this one, to see the next page
    #[arg(long, value_name = "MESSAGE")]
    before: Option<MessageId>,
    /// Maximum number of entries, from 1 to 200
    #[arg(long, default_value_t = 50, value_parser = client::limit())]
    limit: u32,
}

#[derive(Args)]
pub struct Delete {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    confirm: Confirm,
}

pub async fn sessions(args: SessionsArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Show(one)) => show(one).await,
        Some(What::Messages(args)) => messages(args).await,
        Some(What::Reset(one)) => {
            let answer = one.post("reset").await?;
            let epoch = field::text(&answer, "epoch");
            one.remote.say(&answer, format!("Conversation {epoch} has begun."))
        }
        Some(What::Stop(one)) => {
            let answer = one.post("stop").await?;
            let (running, waiting) = (field::number(&answer, "running"), field::number(&answer, "waiting"));
            one.remote.say(
                &answer,
                format!(
                    "Cancelled {} and dropped {}.",
                    counted(running, "running turn"),
                    counted(waiting, "waiting message")
                ),
            )
        }
        Some(What::Delete(args)) => delete(args).await,
    }
}

impl One {
    /// `/api/session/KEY`.
    fn path(&self) -> String {
        format!("/api/session/{}", segment(self.key.as_str()))
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let path = format!("{}/{verb}", self.path());
        Client::find(&self.remote)?.post(&path, &json!({}), &fresh_key()?).await
    }
}

pub async fn list(args: List) -> Done {
    let mut path = format!("/api/sessions?limit={}", args.limit);
    for (name, value) in
        [("channel", args.channel.as_deref()), ("after", args.after.as_ref().map(SessionKey::as_str))]
    {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", segment(value)));
        }
    }
    let answer = Client::find(&args.remote)?.get(&path).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let sessions = field::list(&answer, "sessions");
    let rows = sessions.iter().map(|session| {
        vec![
            field::text(session, "key"),
            field::text(session, "epoch"),
            field::text(session, "waiting"),
            field::text(session, "running"),
            last_message(session),
        ]
    });
    let empty = match (&args.after, &args.channel) {
        (Some(after), _) => format!("There are no sessions after {after}."),
        (None, Some(channel)) => format!("There are no sessions on the channel {channel}."),
        (None, None) => "There are no sessions yet. Start one with `frontdesk chat \"Hello\"`.".to_owned(),
    };
    table::print(&["KEY", "CONVERSATION", "WAITING", "RUNNING", "LAST MESSAGE"], rows.collect(), &empty)?;
    match sessions.last() {
        Some(last) if sessions.len() >= args.limit as usize => {
            screen::line(format!("\nTo see more, add --after {}", field::text(last, "key")))
        }
        _ => Ok(()),
    }
}

/// When the last message for the agent came; of the session of a background task, in which nobody writes, the task.
fn last_message(session: &Value) -> String {
    let ago = field::ago(session, "last_user_at");
    if !ago.is_empty() {
        return ago;
    }
    let key: Option<SessionKey> = field::text(session, "key").parse().ok();
    match key.filter(|key| key.scope() == Scope::Task) {
        Some(key) => format!("task b{}", key.id()),
        None => "none yet".to_owned(),
    }
}

/// Parses the number of a conversation.
fn conversation(text: &str) -> Result<u64, String> {
    let advice = "a conversation is a number, as `frontdesk sessions show` lists it, for example 2";
    text.parse().map_err(|_| advice.to_owned())
}

async fn show(one: One) -> Done {
    let session = Client::find(&one.remote)?.get(&one.path()).await?;
    if one.remote.json {
        return screen::json(&session);
    }
    for (label, name) in
        [("Key", "key"), ("Agent", "agent"), ("Address", "address"), ("Conversation", "epoch")]
    {
        screen::line(format!("{label:<14}{}", screen::one_line(&field::text(&session, name))))?;
    }
    for (label, value) in agent(&session) {
        screen::line(format!("{label:<14}{}", screen::one_line(&value)))?;
    }
    screen::line(format!("{:<14}{}", "Last message", last_message(&session)))?;
    let running = Some(field::text(&session, "running")).filter(|turn| !turn.is_empty());
    let waiting = field::text(&session, "waiting");
    screen::line(format!(
        "{:<14}{waiting} waiting, running: {}\n",
        "Messages",
        running.as_deref().unwrap_or("none")
    ))?;
    let rows = field::list(&session, "epochs").iter().map(|epoch| {
        vec![
            field::text(epoch, "epoch"),
            field::ago(epoch, "started"),
            field::text(epoch, "reason"),
            field::text(epoch, "messages"),
            screen::brief(&field::text(epoch, "first_text"), 40),
        ]
    });
    table::print(
        &["CONVERSATION", "STARTED", "REASON", "MESSAGES", "FIRST MESSAGE"],
        rows.collect(),
        "There are no conversations yet.",
    )
}

/// The model, and what the agent has reported of the current conversation; nothing of what it does not know.
fn agent(session: &Value) -> Vec<(&'static str, String)> {
    let option = |name| {
        let (value, chosen) = (field::text(session, name), field::text(&session["options"], name));
        let is_configured = if value.is_empty() { "as configured" } else { &value };
        match chosen.as_str() {
            "" => Some(value).filter(|value| !value.is_empty()),
            chosen if chosen == value => Some(format!("{value} (chosen in the chat)")),
            gone => Some(format!("{is_configured} ({gone}, chosen in the chat, is not offered any more)")),
        }
    };
    let (last, total) = (&session["usage"], &session["usage_total"]);
    let (answers, used) = (field::number(total, "answers"), field::number(last, "context_used"));
    let window = field::number(last, "context_window");
    let all = spent(total).map(|spent| format!("{}: {spent}", counted(answers, "answer")));
    let context = (used > 0 && window > 0)
        .then(|| format!("{} % full ({used} of {window} tokens)", used.saturating_mul(100) / window));
    [
        ("Model", option("model")),
        ("Thinking", option("thinking")),
        ("Last answer", spent(last)),
        ("All answers", all),
        ("Context", context),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some((label, value?)))
    .collect()
}

/// Tokens and cost, as far as they are known.
fn spent(usage: &Value) -> Option<String> {
    let tokens = |name, what| Some(format!("{} {what}", counted(usage[name].as_u64()?, "token")));
    let cost = |micro: u64| format!("cost {}.{:06}", micro / 1_000_000, micro % 1_000_000);
    let parts =
        [tokens("input", "read"), tokens("output", "written"), usage["cost_micro"].as_u64().map(cost)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

async fn messages(args: Messages) -> Done {
    let mut path = format!("{}/messages?limit={}", args.one.path(), args.limit);
    if let Some(epoch) = args.epoch {
        path.push_str(&format!("&epoch={epoch}"));
    }
    if let Some(before) = args.before {
        path.push_str(&format!("&before={before}"));
    }
    let answer = Client::find(&args.one.remote)?.get(&path).await?;
    if args.one.remote.json {
        return screen::json(&answer);
    }
    let next = field::text(&answer, "next");
    let mut rows: Vec<&Value> = field::list(&answer, "messages").iter().collect();
    if rows.is_empty() {
        return screen::line(match (args.before, args.epoch) {
            (Some(before), _) => format!("There are no messages before {before}."),
            (None, Some(epoch)) => format!("There are no messages in conversation {epoch}."),
            (None, None) => "There are no messages.".to_owned(),
        });
    }
    rows.sort_by_key(|row| field::time(row, "received"));
    for row in rows {
        message(row)?;
    }
    if next.is_empty() {
        return Ok(());
    }
    screen::line(format!("\nTo see earlier messages, add --before {next}"))
}

/// Prints a message and its answer.
pub fn message(row: &Value) -> Done {
    let who = Some(field::text(row, "sender")).filter(|name| !name.is_empty());
    let who = screen::one_line(&who.unwrap_or_else(|| field::text(row, "principal")));
    let (id, state) = (field::text(row, "message"), field::text(row, "state"));
    screen::line(format!("{id} {who}, {} [{state}]", field::ago(row, "received")))?;
    let text = words(row);
    screen::line(if text.is_empty() { "  (no text)".to_owned() } else { indented(&text) })?;
    match field::text(row, "answer") {
        answer if answer.is_empty() => Ok(()),
        answer => screen::line(format!("  ->\n{}", indented(&answer))),
    }
}

/// The text of a message, and the transcripts of its recordings.
fn words(row: &Value) -> String {
    let files = field::list(row, "attachments").iter();
    let said = files.filter_map(|file| {
        let words = file["transcript"].as_str().filter(|words| !words.is_empty())?;
        Some((file["kind"].as_str().and_then(FileKind::named).unwrap_or_default(), words))
    });
    with_transcripts(&field::text(row, "text"), said)
}

fn indented(text: &str) -> String {
    screen::harmless(text).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

async fn delete(args: Delete) -> Done {
    let path = args.one.path();
    let client = Client::find(&args.one.remote)?;
    args.confirm.ask(&format!("this erases all messages of {} for good", args.one.key))?;
    let answer = client.delete(&path).await?;
    args.one.remote.say(&answer, "Erased.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_of_a_background_task_names_the_task() {
        let session = |key: &str| last_message(&json!({"key": key, "last_user_at": null}));
        assert_eq!(session("agent:main:telegram:task:12"), "task b12");
        assert_eq!(session("agent:main:telegram:dm:12"), "none yet");
    }
}
