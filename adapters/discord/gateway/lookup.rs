//! Looks up channels that are not known, such as threads after a resumed session, and roles that are mentioned there.
//!
//! What arrives in such a channel is held until Discord has said what the channel is: without that, its messages would be
//! taken for those of another conversation. All other channels go on, and the stored position stays before what is held.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::port::AdapterError;
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Connection, Done};
use crate::CHANNEL;
use crate::context::Context;
use crate::error::{Fault, Refusal};
use crate::inbound::{Missing, Places};
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

/// A channel that is being looked up, with what has arrived in it.
#[derive(Debug, Default)]
struct Pending {
    held: Vec<Held>,
    /// The guild whose roles are being looked up too.
    guild: Option<String>,
}

/// The channels that are being looked up.
#[derive(Debug, Default)]
pub(super) struct Lookups(HashMap<String, Pending>);

/// What Discord has answered.
#[derive(Debug)]
pub(super) struct Found {
    missing: Missing,
    channel: String,
    roles: Option<String>,
}

impl Lookups {
    fn all(&self) -> impl Iterator<Item = &Held> {
        self.0.values().flat_map(|pending| &pending.held)
    }

    /// The number of dispatches that are held.
    pub(super) fn held(&self) -> usize {
        self.all().count()
    }

    /// Holds a dispatch if its channel is being looked up; returns whether it does. An interaction names its channel's parent,
    /// and has to be answered at once.
    fn hold(&mut self, name: &str, fields: &Fields<'_>, data: &str, seq: u64) -> bool {
        let channel = fields.maybe::<String>("channel_id").filter(|_| name != "INTERACTION_CREATE");
        let Some(pending) = channel.and_then(|channel| self.0.get_mut(&channel)) else { return false };
        pending.held.push(Held { name: name.to_owned(), data: data.to_owned(), seq });
        true
    }

    /// Takes what is held for channels that are known by now, in order.
    fn learnt(&mut self, places: &Places) -> Vec<Held> {
        let is_learnt = |channel: &String, pending: &mut Pending| {
            places.is_known(channel) && pending.guild.as_ref().is_none_or(|guild| places.knows_roles(guild))
        };
        let learnt = self.0.extract_if(is_learnt);
        let mut held: Vec<Held> = learnt.flat_map(|(_, pending)| pending.held).collect();
        held.sort_by_key(|held| held.seq);
        held
    }

    /// The lowest position of what is held.
    pub(super) fn lowest(&self) -> Option<Lowest> {
        let seq = self.all().map(|held| held.seq).min()?;
        let message = self.all().filter_map(Held::message).min();
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
    /// Whether a dispatch is held until what it needs is looked up.
    pub(super) fn is_held(&mut self, name: &str, fields: &Fields<'_>, data: &str, seq: u64) -> bool {
        let missing = self.places.missing(name, fields);
        if let Some(missing) = missing.filter(|missing| !self.lookups.0.contains_key(&missing.channel)) {
            self.look_up(missing);
        }
        self.lookups.hold(name, fields, data, seq)
    }

    /// Asks what a channel is, and for the roles of its guild, beside the reading.
    fn look_up(&mut self, missing: Missing) {
        let pending = Pending { held: Vec::new(), guild: missing.guild.clone() };
        self.lookups.0.insert(missing.channel.clone(), pending);
        let context = self.context.clone();
        self.work.spawn(async move { Done::LookedUp(ask_all(&context, missing).await) });
    }

    /// Discord has said what a channel is: the dispatches that waited for that are read.
    pub(super) fn looked_up(&mut self, found: &Found) -> Result<(), AdapterError> {
        // An event may have named it meanwhile, which is newer.
        if !self.places.is_known(&found.missing.channel)
            && let Some(fields) = Fields::of(&found.channel, "")
        {
            self.places.add(&fields);
        }
        if let (Some(guild), Some(roles)) = (&found.missing.guild, &found.roles) {
            let roles: Vec<&RawValue> = serde_json::from_str(roles).unwrap_or_default();
            let roles: Vec<Fields<'_>> = roles.iter().filter_map(|role| Fields::of(role.get(), "")).collect();
            self.places.add_roles(guild, &roles);
        }
        self.read_learnt()
    }

    /// Reads what was held for channels that are known by now.
    pub(super) fn read_learnt(&mut self) -> Result<(), AdapterError> {
        for Held { name, data, seq } in self.lookups.learnt(&self.places) {
            // It may need more than what came before it in the same channel.
            if let Some(fields) = Fields::of(&data, "")
                && !self.is_held(&name, &fields, &data, seq)
            {
                self.read(&name, &fields, &data, seq)?;
            }
        }
        Ok(())
    }
}

async fn ask_all(context: &Context, missing: Missing) -> Result<Found, AdapterError> {
    let channel = missing.channel.as_str();
    let request = Request::new("get_channel", Method::GET, &["channels", channel]);
    // It is gone, or nothing that can be seen: it is no thread to answer in.
    let gone = || json!({"id": channel, "type": 0}).to_string();
    let described = ask(context, channel, &request, |answer| is_channel(answer, channel)).await?;
    let described = described.unwrap_or_else(gone);
    let roles = match &missing.guild {
        Some(guild) => {
            let request = Request::new("list_guild_roles", Method::GET, &["guilds", guild, "roles"]);
            let is_list = |answer: &str| serde_json::from_str::<Vec<&RawValue>>(answer).is_ok();
            ask(context, channel, &request, is_list).await?.or_else(|| Some("[]".to_owned()))
        }
        None => None,
    };
    Ok(Found { channel: described, roles, missing })
}

/// Asks until there is an answer that `is_right`; `None` if what is asked about is gone or may not be seen. An error if the
/// token is refused.
async fn ask(
    context: &Context,
    channel: &str,
    request: &Request<'_>,
    is_right: impl Fn(&str) -> bool,
) -> Result<Option<String>, AdapterError> {
    let mut failures = 0;
    loop {
        let fault = match context.rest.ask(request).await {
            Ok(answer) if is_right(answer.get()) => return Ok(Some(answer.get().to_owned())),
            Ok(_) => Fault::Unreadable("it is something else than was asked for".to_owned()),
            Err(Fault::Refused(Refusal { status: 403 | 404, .. })) => return Ok(None),
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
