//! Finds a message or a file that was sent before and whose result nobody knows, so that it is not sent twice.
//!
//! Slack knows no keys of messages, but gives back the metadata of a message to the app that wrote it. It is asked before
//! the first post into a place after a start, because the gateway may have been killed while it sent one there, and
//! after a post without an answer.
//!
//! A message with files takes no metadata. It is found by the ids of its files; after a restart, which forgets them, by their
//! names and sizes. Slack's own form of a growing answer takes none either: it is a message of ours without metadata that is
//! newer than the question and shows the beginning of the answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::delivery::SendError;
use serde_json::{Value, json};

use crate::api::Api;
use crate::error::Fault;
use crate::inbound;

/// The type of the metadata of our messages.
pub(crate) const EVENT_TYPE: &str = "frontdesk_part";
/// Threads that have begun so long after the start contain nothing from before it. Clocks differ.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// The number of messages that are looked at: a page of a channel, and a few longer ones of a thread, whose oldest
/// messages come first.
const CHANNEL_PAGE: usize = 200;
const THREAD_PAGE: usize = 900;
const THREAD_PAGES: usize = 3;
/// Number of known places from which all are forgotten, so that they are looked at once more.
const MOST: usize = 8192;
/// A longer pause than this is not waited for: then a message may come twice.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A channel, or a thread in it.
type Place = (String, Option<String>);

/// The places in which everything that was sent is known.
#[derive(Debug)]
pub(crate) struct Sent {
    started: DateTime<Utc>,
    settled: Mutex<HashMap<Place, bool>>,
    /// The files of messages whose result is not known, by the keys of their posts.
    files: Mutex<HashMap<String, Vec<String>>>,
}

/// A file as it is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentFile {
    pub name: String,
    pub size: u64,
}

/// A message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub ts: String,
    pub text: String,
}

impl Sent {
    /// Nothing is known yet.
    pub(crate) fn new(started: DateTime<Utc>) -> Self {
        Self { started, settled: Mutex::default(), files: Mutex::default() }
    }

    fn settled(&self) -> MutexGuard<'_, HashMap<Place, bool>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something may have been sent there without our knowing.
    fn is_doubtful(&self, channel: &str, thread: Option<&str>) -> bool {
        let place = (channel.to_owned(), thread.map(str::to_owned));
        match self.settled().get(&place) {
            Some(settled) => !settled,
            None => {
                let begun = thread.and_then(inbound::time);
                begun.is_none_or(|begun| begun < self.started + SKEW)
            }
        }
    }

    /// Says whether the result of the last post into a place is known.
    pub(crate) fn settle(&self, channel: &str, thread: Option<&str>, is_known: bool) {
        let mut settled = self.settled();
        if settled.len() >= MOST {
            // What is in doubt must not be forgotten.
            settled.retain(|_, settled| !*settled);
        }
        settled.insert((channel.to_owned(), thread.map(str::to_owned)), is_known);
    }

    /// The message with this key, or the one that was begun like this, if it was sent already.
    pub(crate) async fn find(
        &self,
        api: &Api,
        (channel, thread): (&str, Option<&str>),
        key: &str,
        begun: Option<Begun<'_>>,
    ) -> Result<Option<Found>, SendError> {
        if !self.is_doubtful(channel, thread) {
            return Ok(None);
        }
        let is_it = |message: &Value| {
            ours(message, key).or_else(|| begun.as_ref().and_then(|begun| begun.of(message)))
        };
        allowed(look(api, channel, thread, is_it).await)
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the files of a message that may have been shown or not.
    pub(crate) fn doubt_files(&self, key: &str, ids: Vec<String>) {
        let mut files = self.files();
        if files.len() >= MOST {
            files.clear();
        }
        files.insert(key.to_owned(), ids);
    }

    /// The ids of the files of a message of this user, if it was sent already.
    pub(crate) async fn find_files(
        &self,
        api: &Api,
        (channel, thread): (&str, Option<&str>),
        (user, key): (&str, &str),
        wanted: &[SentFile],
    ) -> Result<Option<Vec<String>>, SendError> {
        let known = self.files().remove(key);
        let found = look(api, channel, thread, |message| {
            let ids = files_of(message, user, wanted)?;
            known.as_ref().is_none_or(|known| *known == ids).then_some(ids)
        });
        let found = allowed(found.await);
        if let (Err(_), Some(known)) = (&found, known) {
            self.doubt_files(key, known);
        }
        found
    }
}

/// The result of a look-up. If the app may not look (a scope is missing, or it may ask only once a minute), that counts as
/// nothing found.
fn allowed<F>(found: Result<Option<F>, Fault>) -> Result<Option<F>, SendError> {
    found.or_else(|fault| match fault.for_preparation() {
        error
        @ (SendError::Offline(_) | SendError::Credentials(_) | SendError::Later { after: None, .. }) => {
            Err(error)
        }
        error @ SendError::Later { after: Some(after), .. } if after <= LONGEST_PAUSE => Err(error),
        _ => Ok(None),
    })
}

/// Looks through the last messages of a place.
async fn look<F>(
    api: &Api,
    channel: &str,
    thread: Option<&str>,
    is_it: impl Fn(&Value) -> Option<F>,
) -> Result<Option<F>, Fault> {
    let find = |answer: &Value| answer["messages"].as_array()?.iter().find_map(&is_it);
    let Some(thread) = thread else {
        let ask = json!({"channel": channel, "limit": CHANNEL_PAGE, "include_all_metadata": true});
        return Ok(find(&api.call("conversations.history", ask).await?));
    };
    let mut ask =
        json!({"channel": channel, "ts": thread, "limit": THREAD_PAGE, "include_all_metadata": true});
    for _ in 0..THREAD_PAGES {
        let answer = api.call("conversations.replies", ask.clone()).await?;
        if let Some(found) = find(&answer) {
            return Ok(Some(found));
        }
        match answer["response_metadata"]["next_cursor"].as_str().filter(|next| !next.is_empty()) {
            Some(next) => ask["cursor"] = next.into(),
            None => break,
        }
    }
    Ok(None)
}

/// A message, if its metadata has this key.
fn ours(message: &Value, key: &str) -> Option<Found> {
    let metadata = &message["metadata"];
    if metadata["event_type"] != EVENT_TYPE || metadata["event_payload"]["key"] != key {
        return None;
    }
    let text = |name: &str| message[name].as_str().map(str::to_owned);
    Some(Found { ts: text("ts")?, text: text("text").unwrap_or_default() })
}

/// An answer that may have been begun in Slack's own form.
pub(crate) struct Begun<'a> {
    /// The app's user.
    pub user: &'a str,
    /// When the question was written.
    pub asked: &'a str,
    /// The answer so far, as Slack has it.
    pub text: &'a str,
}

impl Begun<'_> {
    fn of(&self, message: &Value) -> Option<Found> {
        let text = |name: &str| message[name].as_str().filter(|text| !text.is_empty());
        let (ts, shown) = (text("ts")?, text("text")?);
        let is_ours = message["user"] == self.user && message["metadata"]["event_type"].is_null();
        (is_ours && ts > self.asked && self.text.starts_with(shown))
            .then(|| Found { ts: ts.to_owned(), text: shown.to_owned() })
    }
}

/// The ids of a message's files, if they are these files of this user.
fn files_of(message: &Value, user: &str, wanted: &[SentFile]) -> Option<Vec<String>> {
    let files = message["files"].as_array().filter(|files| files.len() == wanted.len())?;
    let is_it = |(file, wanted): (&Value, &SentFile)| {
        let named = file["title"] == wanted.name.as_str() || file["name"] == wanted.name.as_str();
        named && file["size"] == wanted.size && file["user"] == user
    };
    let all = files.iter().zip(wanted).all(is_it);
    all.then(|| files.iter().filter_map(|file| file["id"].as_str().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_ours_by_their_number_names_sizes_and_author() {
        let file = |id: &str, name: &str, size: u64, user: &str| json!({"id": id, "name": "x", "title": name, "size": size, "user": user});
        let found = |files: Value, wanted: &[(&str, u64)]| {
            let wanted = wanted.iter().map(|(name, size)| SentFile { name: (*name).to_owned(), size: *size });
            files_of(&json!({"files": files}), "UBOT", &wanted.collect::<Vec<_>>())
        };
        let plan = file("F1", "plan.txt", 12, "UBOT");
        assert_eq!(found(json!([plan]), &[("plan.txt", 12)]), Some(vec!["F1".to_owned()]));
        assert_eq!(found(json!([plan]), &[("x", 12)]), Some(vec!["F1".to_owned()]), "by its name on disk");
        assert_eq!(
            found(json!([file("F1", "plan.txt", 12, "U1")]), &[("plan.txt", 12)]),
            None,
            "of somebody else"
        );
        assert_eq!(found(json!([plan]), &[("plan.txt", 13)]), None);
        assert_eq!(found(json!([plan]), &[("map.txt", 12)]), None);
        assert_eq!(found(json!([plan, file("F2", "map.txt", 3, "UBOT")]), &[("plan.txt", 12)]), None);
        assert_eq!(found(json!([plan]), &[("plan.txt", 12), ("map.txt", 3)]), None);
        assert_eq!(found(Value::Null, &[("plan.txt", 12)]), None);
    }

    #[test]
    fn an_answer_that_was_begun_is_a_newer_message_of_ours_without_a_key_and_with_its_beginning() {
        let begun = Begun { user: "UBOT", asked: "1700000001.000100", text: "one two three" };
        let message = json!({"ts": "1700000002.000100", "user": "UBOT", "text": "one two"});
        assert_eq!(begun.of(&message).unwrap().ts, "1700000002.000100");
        for (name, other) in [
            ("ts", json!("1700000000.000100")),
            ("user", json!("U1")),
            ("text", json!("two")),
            ("text", json!("")),
            ("metadata", json!({"event_type": EVENT_TYPE, "event_payload": {"key": "t1/0"}})),
        ] {
            let mut other_message = message.clone();
            other_message[name] = other;
            assert_eq!(begun.of(&other_message), None, "{other_message}");
        }
    }

    #[test]
    fn a_place_is_in_doubt_until_a_result_is_known_there() {
        let started = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let sent = Sent::new(started);
        assert!(sent.is_doubtful("C1", None));
        assert!(sent.is_doubtful("C1", Some("1699999999.000100")) && sent.is_doubtful("C1", Some("x")));
        assert!(!sent.is_doubtful("C1", Some("1700000061.000100")), "it has begun after the start");
        sent.settle("C1", None, true);
        assert!(!sent.is_doubtful("C1", None) && sent.is_doubtful("C2", None));
        sent.settle("C1", Some("1700000061.000100"), false);
        assert!(sent.is_doubtful("C1", Some("1700000061.000100")));
        for n in 0..MOST {
            sent.settle(&format!("D{n}"), None, true);
        }
        assert!(sent.is_doubtful("C1", Some("1700000061.000100")), "a doubt is not forgotten");
    }
}
