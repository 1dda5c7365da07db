//! Requests for what was missed, made again while there is hope, and what a failure means.

use std::sync::PoisonError;

use frontdesk_core::port::AdapterError;
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde_json::value::RawValue;

use super::{ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, Missed, PAUSE, parse};
use crate::CHANNEL;
use crate::error::{Fault, Refusal};
use crate::guilds;
use crate::rest::Request;

/// Why a part of the gap cannot be read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Discord does not answer for one channel or guild.
    Place(Fault),
    /// The connection has to end, and the gap is read by the next one.
    Connection(AdapterError),
}

impl From<AdapterError> for Trouble {
    fn from(error: AdapterError) -> Self {
        Trouble::Connection(error)
    }
}

impl Trouble {
    /// The end of the connection, for what nothing can be read without.
    pub(super) fn for_all(self) -> AdapterError {
        match self {
            Trouble::Place(fault) => fault.for_connection(),
            Trouble::Connection(error) => error,
        }
    }
}

impl Missed {
    /// The guilds of the bot.
    pub(super) async fn guilds(&self) -> Result<Vec<Box<RawValue>>, AdapterError> {
        let mut pages = guilds::Pages::default();
        while let Some(request) = pages.next() {
            // Without a right to its own guilds the bot has none.
            let page = match self.patiently(&request).await.map_err(Trouble::for_all)? {
                Some(answer) => parse(&answer).map_err(Trouble::for_all)?,
                None => Vec::new(),
            };
            pages.add(page);
        }
        Ok(pages.all())
    }

    /// Goes on without a channel or guild for which Discord does not answer, if it answers at all. Otherwise everything has to
    /// be read again.
    pub(super) async fn unless_alone<T: Default>(
        &self,
        place: &str,
        read: Result<T, Trouble>,
    ) -> Result<T, AdapterError> {
        let fault = match read {
            Ok(read) => return Ok(read),
            Err(Trouble::Place(fault)) => fault,
            Err(Trouble::Connection(error)) => return Err(error),
        };
        if let Some(request) = guilds::Pages::default().next() {
            self.patiently(&request).await.map_err(Trouble::for_all)?;
        }
        let account = &self.source.account;
        tracing::warn!(channel = CHANNEL, %account, chat = place, %fault, "missed messages of a channel or server were skipped, because Discord does not answer for it: look there for what was written meanwhile");
        Ok(T::default())
    }

    /// Whether a chat is a private one, and still there.
    pub(super) async fn is_private(&self, chat: &str) -> Result<bool, Trouble> {
        let request = Request::new("get_channel", Method::GET, &["channels", chat]);
        let Some(answer) = self.patiently(&request).await? else { return Ok(false) };
        let fields = Fields::of(answer.get(), "");
        Ok(fields.is_some_and(|fields| fields.maybe::<String>("guild_id").is_none()))
    }

    /// A list in an answer. It is empty if Discord refuses it.
    pub(super) async fn list(
        &self,
        operation: &'static str,
        path: &[&str],
        within: Option<&str>,
    ) -> Result<Vec<Box<RawValue>>, Trouble> {
        let Some(answer) = self.patiently(&Request::new(operation, Method::GET, path)).await? else {
            return Ok(Vec::new());
        };
        match within {
            None => parse(&answer),
            Some(name) => super::within(&answer, name),
        }
    }

    /// The roles and the nickname of a member; `None` if they are no member.
    pub(super) async fn member(
        &self,
        guild: &str,
        user: &str,
    ) -> Result<Option<(Vec<String>, Option<String>)>, Trouble> {
        let request = Request::new("get_guild_member", Method::GET, &["guilds", guild, "members", user]);
        let Some(answer) = self.patiently(&request).await? else { return Ok(None) };
        let fields = Fields::of(answer.get(), "");
        Ok(fields.map(|member| (member.list("roles").unwrap_or_default(), member.maybe("nick"))))
    }

    /// Asks, and waits where Discord says so, for however long: the gateway delivers meanwhile, so the connection does not end
    /// for one request without an answer. `None` if it refuses.
    pub(super) async fn patiently(&self, request: &Request<'_>) -> Result<Option<Box<RawValue>>, Trouble> {
        let mut attempts = 0;
        loop {
            let fault = match self.context.rest.ask(request).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(Fault::TooMany { after, .. }) => {
                    self.context.timer.pause(after).await;
                    continue;
                }
                Err(Fault::Foreign { status: 429, after }) => {
                    self.context.timer.pause(after.unwrap_or(PAUSE)).await;
                    continue;
                }
                Err(fault @ Fault::Refused(Refusal { status: 401, .. })) => {
                    return Err(Trouble::Connection(fault.for_connection()));
                }
                Err(Fault::Refused(refusal)) if refusal.status < 500 => {
                    self.note(request, &refusal);
                    return Ok(None);
                }
                Err(fault) => fault,
            };
            if attempts >= ATTEMPTS {
                return Err(match fault {
                    // Discord cannot be reached, whatever is asked.
                    Fault::Unsent(_) => Trouble::Connection(fault.for_connection()),
                    fault => Trouble::Place(fault),
                });
            }
            attempts += 1;
            self.context.timer.back_off(attempts, FIRST_PAUSE, LONGEST_PAUSE).await;
        }
    }

    /// Logs once which messages are not read, and why. What is gone has none.
    fn note(&self, request: &Request<'_>, refusal: &Refusal) {
        let (account, of, code) = (&self.source.account, request.of(), refusal.code);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refusal.status != 404 && refused.insert(of.to_owned()) {
            tracing::warn!(channel = CHANNEL, %account, chat = of, code, "missed messages of a channel or server cannot be read: give the bot View Channel and Read Message History there");
        }
    }
}
