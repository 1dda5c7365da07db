//! Looks up channels that are not known, such as threads after a resumed session.
//!
//! What arrives in such a channel is held until Discord has said what the channel is: without that, its messages would be
//! taken for those of another conversation. All other channels go on, and the stored position stays before what is held.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::port::AdapterError;
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde_json::json;

use super::{Connection, Done};
use crate::CHANNEL;
use crate::context::Context;
use crate::error::{Fault, Refusal};
use crate::inbound::Places;
use crate::rest::Request;

/// The pauses between attempts, unless Discord names one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A dispatch as it arrived.
#[derive(Debug)]
struct Held {
    name: String,
    data: String,
    seq: u64,
}

/// The lowest number and the lowest message id of what is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lowest {
    pub seq: u64,
    pub message: Option<u64>,
}

/// The channels that are being looked up, each with what has arrived in it.
#[derive(Debug, Default)]
pub(super) struct Lookups(HashMap<String, Vec<Held>>);

impl Lookups {
    /// Whether a channel is being looked up.
    pub(super) fn is_pending(&self, channel: &str) -> bool {
        self.0.contains_key(channel)
    }

    /// The number of dispatches that are held.
    pub(super) fn held(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Holds a dispatch if its channel is being looked up; returns whether it does. An interaction names its channel's parent,
    /// and has to be answered at once.
    pub(super) fn hold(&mut self, name: &str, fields: &Fields<'_>, data: &str, seq: u64) -> bool {
        let channel = fields.maybe::<String>("channel_id").filter(|_| name != "INTERACTION_CREATE");
        let Some(waiting) = channel.and_then(|channel| self.0.get_mut(&channel)) else { return false };
        waiting.push(Held { name: name.to_owned(), data: data.to_owned(), seq });
        true
    }

    /// Takes what is held for channels that are known by now, in order.
    fn learnt(&mut self, places: &Places) -> Vec<Held> {
        let learnt = self.0.extract_if(|channel, _| places.is_known(channel));
        let mut held: Vec<Held> = learnt.flat_map(|(_, held)| held).collect();
        held.sort_by_key(|held| held.seq);
        held
    }

    /// The lowest position of what is held.
    pub(super) fn lowest(&self) -> Option<Lowest> {
        let seq = self.0.values().flatten().map(|held| held.seq).min()?;
        let message = self.0.values().flatten().filter_map(Held::message).min();
        Some(Lowest { seq, message })
    }
}

impl Held {
    /// The id of a new message.
    fn message(&self) -> Option<u64> {
        let fields = Fields::of(&self.data, "").filter(|_| self.name == "MESSAGE_CREATE")?;
        fields.maybe::<String>("id")?.parse().ok()
    }
}

impl Connection<'_> {
    /// Asks what a channel is, beside the reading.
    pub(super) fn look_up(&mut self, channel: String) {
        self.lookups.0.insert(channel.clone(), Vec::new());
        let context = self.context.clone();
        self.work.spawn(async move {
            let answer = ask(&context, &channel).await;
            Done::LookedUp(channel, answer)
        });
    }

    /// A channel is known now, and what was held for it is read.
    pub(super) fn looked_up(&mut self, channel: &str, answer: &str) -> Result<(), AdapterError> {
        // An event may have named it meanwhile, which is newer.
        if !self.places.is_known(channel)
            && let Some(fields) = Fields::of(answer, "")
        {
            self.places.add(&fields);
        }
        self.read_learnt()
    }

    /// Reads what was held for channels that are known by now.
    pub(super) fn read_learnt(&mut self) -> Result<(), AdapterError> {
        for Held { name, data, seq } in self.lookups.learnt(&self.places) {
            if let Some(fields) = Fields::of(&data, "") {
                self.read(&name, &fields, &data, seq)?;
            }
        }
        Ok(())
    }
}

/// Asks until there is an answer. An error if the token is refused.
async fn ask(context: &Context, channel: &str) -> Result<String, AdapterError> {
    let request = Request::new("get_channel", Method::GET, &["channels", channel]);
    let mut failures = 0;
    loop {
        let fault = match context.rest.ask(&request).await {
            Ok(answer) if is_channel(answer.get(), channel) => return Ok(answer.get().to_owned()),
            Ok(_) => Fault::Unreadable("it is no channel".to_owned()),
            // It is gone, or nothing that can be seen: it is no thread to answer in.
            Err(Fault::Refused(Refusal { status: 403 | 404, .. })) => {
                return Ok(json!({"id": channel, "type": 0}).to_string());
            }
            Err(fault @ Fault::Refused(Refusal { status: 401, .. })) => return Err(fault.for_connection()),
            Err(fault) => fault,
        };
        failures += 1;
        if failures == 1 {
            let account = &context.bot.account;
            tracing::warn!(channel = CHANNEL, %account, chat = channel, %fault, "Discord does not say what a channel is, so messages there wait; it is asked again until it does");
        }
        match fault {
            Fault::TooMany { after, .. } | Fault::Foreign { after: Some(after), .. } => {
                context.timer.pause(after).await;
            }
            _ => context.timer.back_off(failures, FIRST_PAUSE, LONGEST_PAUSE).await,
        }
    }
}

fn is_channel(answer: &str, channel: &str) -> bool {
    let fields = Fields::of(answer, "");
    fields.is_some_and(|fields| fields.maybe::<String>("id").as_deref() == Some(channel))
}
