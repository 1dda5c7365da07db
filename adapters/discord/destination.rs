//! The channel that an address means.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::address::Address;
use frontdesk_core::delivery::SendError;
use reqwest::Method;
use serde_json::json;

use crate::error::Fault;
use crate::rest::{self, Request, Rest};

/// Number of people whose private chats are remembered.
const REMEMBERED: usize = 4096;

/// A channel to send to: a thread is one as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// Its id.
    pub channel: String,
    /// Whether it is a thread.
    pub is_thread: bool,
    /// The channel of a thread.
    pub parent: Option<String>,
}

impl Destination {
    /// The channels in which a message can be: a thread has the id of the message that it stands on, which is in its parent.
    pub(crate) fn holders<'a>(&'a self, message: &str) -> impl Iterator<Item = &'a str> {
        let parent = self.parent.as_deref().filter(|_| message == self.channel);
        std::iter::once(self.channel.as_str()).chain(parent)
    }
}

/// The private chats that were opened, by person.
#[derive(Debug, Default)]
pub(crate) struct PrivateChats(Mutex<HashMap<String, String>>);

impl PrivateChats {
    /// The channel of an address. A chat `@ID` is the private chat with that person, which is opened first.
    pub(crate) async fn destination(&self, rest: &Rest, to: &Address) -> Result<Destination, SendError> {
        let is_thread = to.thread().is_some();
        let id = to.thread().unwrap_or(to.chat());
        let channel = match id.strip_prefix('@') {
            Some(person) => self.open(rest, person).await.map_err(|fault| fault.for_send(false))?,
            None => id.to_owned(),
        };
        match channel.bytes().all(|byte| byte.is_ascii_digit()) {
            true => {
                let parent = is_thread.then(|| to.chat().to_owned());
                Ok(Destination { channel, is_thread, parent })
            }
            false => Err(SendError::Refused("the address is none of Discord's".into())),
        }
    }

    async fn open(&self, rest: &Rest, person: &str) -> Result<String, Fault> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = known().get(person) {
            return Ok(channel.clone());
        }
        let request = Request::new("create_dm", Method::POST, &["users", "@me", "channels"]);
        let answer = rest.json(&request, &json!({"recipient_id": person})).await?;
        let channel = rest::id_of(&answer)?;
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(person.to_owned(), channel.clone());
        Ok(channel)
    }
}
