//! `frontdesk tasks`: background tasks are handed over, listed, followed, cancelled and run again.

mod watch;

use clap::{Args, Subcommand};
use frontdesk_core::id::{IdError, TaskId};
use frontdesk_core::progress::Progress;
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key, segment};
use super::list::{List, OrList, Page};
use super::{Done, Failure, Remote, field, screen, sessions};

/// What follows `frontdesk tasks`.
pub type TasksArgs = OrList<What, ListArgs>;

#[derive(Subcommand)]
pub enum What {
    /// List tasks, newest first
    List(ListArgs),
    /// Hand over a task; without --to its result waits here until you fetch it
    #[command(
        after_help = "Examples:\n  frontdesk tasks submit \"Sum up the week.\" --to telegram:123456789\n  \
                            frontdesk tasks submit \"Read the log.\" --wait"
    )]
    Submit(SubmitArgs),
    /// Show a task and its result
    Show(One),
    /// Show what the agent was told in a task, and what it has said
    Logs(One),
    /// Follow a task until it ends, and print its result [default: the newest open one]
    Watch(WatchArgs),
    /// Cancel a task that has not ended
    Cancel(One),
    /// Run an ended task again, as a new task
    Retry(One),
}

/// The states of a task, all that have not ended, and all.
const STATES: [&str; 10] =
    ["open", "queued", "running", "waiting", "succeeded", "failed", "cancelled", "timed_out", "lost", "all"];

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    page: Page<TaskId>,
    /// Only tasks in this state; `open` are those that have not ended
    #[arg(long, value_parser = STATES, default_value = "all")]
    state: String,
}

#[derive(Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    remote: Remote,
    /// What the agent is to do
    #[arg(allow_hyphen_values = true, value_parser = client::text)]
    text: String,
    /// The agent that works on it [default: the one that answers in the chat]
    #[arg(long)]
    agent: Option<String>,
    /// The chat that gets the result: CHANNEL:CHAT or CHANNEL:ACCOUNT:CHAT, followed by :topic:ID for a topic
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// A title [default: the beginning of the text]
    #[arg(long)]
    title: Option<String>,
    /// Maximum seconds that it may take
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<u64>,
    /// Idempotency key: a second task with the same key is not handed over
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Wait until it ends, and print its result
    #[arg(long)]
    wait: bool,
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    remote: Remote,
    /// The task's id, as shown in the list, or its number
    #[arg(value_parser = id)]
    id: TaskId,
}

#[derive(Args)]
pub struct WatchArgs {
    #[command(flatten)]
    remote: Remote,
    /// The task's id, as shown in the list, or its number
    #[arg(value_parser = id)]
    id: Option<TaskId>,
}

/// An id: `b7`, or `7`.
fn id(text: &str) -> Result<TaskId, IdError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("b{text}").parse() } else { text.parse() }
}

pub async fn tasks(args: TasksArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Submit(args)) => submit(args).await,
        Some(What::Show(one)) => show(one).await,
        Some(What::Logs(one)) => logs(one).await,
        Some(What::Watch(args)) => {
            let id = match args.id {
                Some(id) => id.to_string(),
                None => newest_open(&args.remote).await?,
            };
            watch::watch(&args.remote, &id).await
        }
        Some(What::Cancel(one)) => {
            let task = one.post("cancel").await?;
            one.remote.say(&task, format!("{} is cancelled.", one.id))
        }
        Some(What::Retry(one)) => {
            let task = one.post("retry").await?;
            one.remote.say(&task, format!("{} runs again as {}.", one.id, field::text(&task, "id")))
        }
    }
}

impl One {
    async fn get(&self) -> Result<Value, Failure> {
        Client::find(&self.remote)?.get(&format!("/api/tasks/{}", self.id)).await
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let path = format!("/api/tasks/{}/{verb}", self.id);
        Client::find(&self.remote)?.post(&path, &json!({}), &fresh_key()?).await
    }
}

pub async fn list(args: ListArgs) -> Done {
    let empty = match args.state.as_str() {
        "all" => "There are no background tasks.".to_owned(),
        "open" => "No background task is open.".to_owned(),
        state => format!("There are no background tasks in the state {state}."),
    };
    let list = List {
        path: format!("/api/tasks?state={}", args.state),
        field: "tasks",
        header: &["ID", "STATE", "TITLE", "OWNER", "TO", "CREATED", "PROGRESS"],
        empty,
        row,
    };
    args.page.print(&list).await
}

fn row(task: &Value) -> Vec<String> {
    vec![
        field::text(task, "id"),
        field::text(task, "state"),
        screen::brief(&field::text(task, "title"), 40),
        field::text(task, "owner"),
        field::text(task, "to"),
        field::ago(task, "created"),
        screen::brief(&progress(task), 60),
    ]
}

/// How far a task is, and of one that has ended why it has no result.
fn progress(task: &Value) -> String {
    let why = field::text(&task["error"], "message");
    if !why.is_empty() || !field::text(task, "finished").is_empty() {
        return why;
    }
    reported(&task["progress"]).shown()
}

/// The progress that the agent of a task has reported.
fn reported(progress: &Value) -> Progress {
    let percent = progress["percent"].as_u64().and_then(|percent| u8::try_from(percent).ok());
    Progress { percent, line: progress["text"].as_str().map(screen::one_line) }
}

async fn submit(args: SubmitArgs) -> Done {
    let mut body = json!({"text": args.text});
    for (name, value) in [("agent", args.agent), ("to", args.to), ("title", args.title)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    if let Some(seconds) = args.time_limit {
        body["time_limit_s"] = seconds.into();
    }
    let key = args.key.map_or_else(fresh_key, Ok)?;
    let stored = Client::find(&args.remote)?.post("/api/tasks", &body, &key).await?;
    let id = field::text(&stored, "task");
    if args.wait {
        return watch::watch(&args.remote, &id).await;
    }
    args.remote.say(&stored, format!("{id} is handed over. To follow it: frontdesk tasks watch {id}"))
}

async fn show(one: One) -> Done {
    let task = one.get().await?;
    if one.remote.json {
        return screen::json(&task);
    }
    for (label, name) in [
        ("Task", "id"),
        ("Title", "title"),
        ("State", "state"),
        ("Agent", "agent"),
        ("Owner", "owner"),
        ("To", "to"),
        ("Retry of", "retry_of"),
    ] {
        line(label, &field::text(&task, name))?;
    }
    for (label, name) in [("Created", "created"), ("Started", "started"), ("Ended", "finished")] {
        line(label, &field::ago(&task, name))?;
    }
    line("Progress", &reported(&task["progress"]).shown())?;
    for ask in field::list(&task, "asks") {
        line(
            "Asks",
            &format!("{}: {}", field::text(ask, "id"), screen::brief(&field::text(ask, "text"), 60)),
        )?;
    }
    screen::line(format!("\n{}", field::text(&task, "text").trim_end()))?;
    match outcome(&task) {
        said if said.is_empty() => Ok(()),
        said => screen::line(format!("\n{said}")),
    }
}

/// A line of a label and a value; nothing without a value.
fn line(label: &str, value: &str) -> Done {
    if value.is_empty() { Ok(()) } else { screen::line(format!("{label:<12}{}", screen::one_line(value))) }
}

/// What a task has ended with: its result, or why it has none and what its agent had said until then.
fn outcome(task: &Value) -> String {
    let (result, error) = (&task["result"], &task["error"]);
    let files = field::list(result, "files").iter();
    let files = files.map(|file| format!("File: {}", screen::one_line(&field::text(file, "name"))));
    let texts = [field::text(result, "text"), field::text(error, "message"), field::text(error, "text")];
    let texts: Vec<String> = texts.into_iter().chain(files).filter(|text| !text.trim().is_empty()).collect();
    texts.join("\n\n").trim_end().to_owned()
}

async fn logs(one: One) -> Done {
    let client = Client::find(&one.remote)?;
    let task = client.get(&format!("/api/tasks/{}", one.id)).await?;
    if field::text(&task, "started").is_empty() {
        return one.remote.say(&json!({"messages": []}), format!("{} has not begun.", one.id));
    }
    let session = segment(&field::text(&task, "session"));
    let messages = client.get(&format!("/api/session/{session}/messages")).await?;
    if one.remote.json {
        return screen::json(&messages);
    }
    let mut rows: Vec<&Value> = field::list(&messages, "messages").iter().collect();
    rows.sort_by_key(|row| field::time(row, "received"));
    rows.into_iter().try_for_each(sessions::message)
}

/// The newest task that has not ended.
async fn newest_open(remote: &Remote) -> Result<String, Failure> {
    let open = Client::find(remote)?.get("/api/tasks?state=open&limit=1").await?;
    let newest = field::list(&open, "tasks").first().map(|task| field::text(task, "id"));
    newest.ok_or_else(|| {
        Failure::new("no background task is open; `frontdesk tasks` lists those that have ended")
    })
}
