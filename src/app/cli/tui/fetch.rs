//! What is read over HTTP: the stored timeline and the list of conversations.

use frontdesk_core::key::SessionKey;
use serde_json::Value;

use super::chat::Page;
use crate::cli::client::{Client, segment};
use crate::cli::{Failure, Remote, field};

/// Number of items of the timeline that are read at once.
const PAGE: usize = 50;
/// Number of sessions that are read at once; the most that the gateway lists.
const SESSIONS: usize = 200;
/// Number of sessions that are listed.
const MOST_SESSIONS: usize = 1000;

/// Which conversation asked: an answer that comes after another one was opened is dropped.
pub type Opened = u64;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The newest page of a timeline.
    Newest(Opened, String),
    /// The page of a timeline before a place.
    Earlier(Opened, String, String),
    /// The conversations of the web channel.
    Sessions,
}

/// What was read.
#[derive(Debug)]
pub enum Fetched {
    /// See [`Request::Newest`].
    Newest(Opened, Result<Page, Failure>),
    /// See [`Request::Earlier`].
    Earlier(Opened, Result<Page, Failure>),
    /// See [`Request::Sessions`].
    Sessions(Result<Vec<Value>, Failure>),
}

/// Reads it.
pub async fn fetch(remote: Remote, request: Request) -> Fetched {
    match request {
        Request::Newest(opened, session) => Fetched::Newest(opened, newest(&remote, &session).await),
        Request::Earlier(opened, session, before) => {
            Fetched::Earlier(opened, earlier(&remote, &session, &before).await)
        }
        Request::Sessions => Fetched::Sessions(sessions(&remote).await),
    }
}

async fn newest(remote: &Remote, session: &str) -> Result<Page, Failure> {
    let client = Client::find(remote)?;
    let mut page = page(client.get(&timeline(session)).await?);
    let open = client.get("/api/tasks?state=open&limit=200").await?;
    let ours = field::list(&open, "tasks").iter().rev().filter(|task| task["origin"] == session);
    page.tasks = ours.cloned().collect();
    Ok(page)
}

async fn earlier(remote: &Remote, session: &str, before: &str) -> Result<Page, Failure> {
    let path = format!("{}&before={}", timeline(session), segment(before));
    Ok(page(Client::find(remote)?.get(&path).await?))
}

fn timeline(session: &str) -> String {
    format!("/api/session/{}/timeline?limit={PAGE}", segment(session))
}

fn page(mut answer: Value) -> Page {
    let items = match answer["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    Page { items, next: answer["next"].as_str().map(str::to_owned), tasks: Vec::new() }
}

async fn sessions(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let client = Client::find(remote)?;
    let mut rows: Vec<Value> = Vec::new();
    while rows.len() < MOST_SESSIONS {
        let mut path = format!("/api/sessions?channel=web&openings=true&limit={SESSIONS}");
        if let Some(last) = rows.last() {
            path.push_str(&format!("&after={}", segment(&field::text(last, "key"))));
        }
        let answer = client.get(&path).await?;
        let read = field::list(&answer, "sessions");
        rows.extend_from_slice(read);
        if read.len() < SESSIONS {
            break;
        }
    }
    rows.retain(|row| field::text(row, "key").parse::<SessionKey>().is_ok());
    Ok(rows)
}
