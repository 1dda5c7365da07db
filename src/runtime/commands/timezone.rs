//! `/timezone`: shows or chooses the time zone of a chat, which its resets, budgets and quiet hours follow.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use frontdesk_core::access::Action;
use frontdesk_core::address::Address;
use frontdesk_core::key::Scope;
use frontdesk_core::visible::quoted;
use frontdesk_core::zone::{ZoneError, parse_zone};
use frontdesk_store::row::{AccessChange, Author, CommandEffect, InboundRow};

use super::{Plan, TYPED};
use crate::shared::Shared;

/// The word that leaves the choice to the configuration.
const DEFAULT: &str = "default";
const ONLY_ADMINS: &str = "Only admins may change the time zone of a group.";

pub(super) fn plan(shared: &Shared, row: &InboundRow, written: Option<String>) -> Plan {
    let (settings, now) = (shared.settings(), shared.time.wall());
    let Some(written) = written else { return Plan::say(shown(shared, row)) };
    // In a private chat the person may choose, whoever they are.
    if row.session.scope() != Scope::Dm && !shared.still_may(&settings, row, Action::Administer) {
        return Plan::say(ONLY_ADMINS);
    }
    let Ok(chat) = Address::at(row.session.account(), row.session.id(), None) else {
        return Plan::say("This chat has no time zone of its own.");
    };
    let author = Author { name: row.from.id.to_string(), via: "chat" };
    let choose = |zone: Option<Tz>, text: String| {
        let change = AccessChange::Zone { chat, zone: zone.map(|zone| zone.name().to_owned()) };
        Plan::new(CommandEffect::Access { change: Box::new(change), author }, move |_| text.clone())
    };
    if written.eq_ignore_ascii_case(DEFAULT) {
        let chat = shared.configured_id(&settings, row.session.account(), row.session.id());
        let zone = settings.reset_policy(&row.session, &chat).zone();
        return choose(None, format!("The time zone here is {} again, as configured.", local(zone, now)));
    }
    match named(&written) {
        Ok(zone) => choose(
            Some(zone),
            format!(
                "The time zone here is {} now. Resets, budgets and quiet hours follow it.",
                local(zone, now)
            ),
        ),
        Err(error) => Plan::say(unknown(&written, &error)),
    }
}

/// The present time zone and how it is changed.
fn shown(shared: &Shared, row: &InboundRow) -> String {
    let zone = shared.reset_policy(&shared.settings(), &row.session).zone();
    let back = match shared.access.zone(row.session.account(), row.session.id()) {
        Some(_) => "It was chosen here; `/timezone default` returns to the configured one.",
        None => "To change it, send `/timezone` with a name such as `America/New_York`.",
    };
    format!("The time zone here is {}. {back}", local(zone, shared.time.wall()))
}

fn local(zone: Tz, now: DateTime<Utc>) -> String {
    format!("{} ({})", zone.name(), now.with_timezone(&zone).format("%A, %H:%M"))
}

/// The zone of this name, also in another case.
fn named(written: &str) -> Result<Tz, ZoneError> {
    let name = written.replace(' ', "_");
    parse_zone(&name).or_else(|error| match error.nearest {
        Some(nearest) if nearest.eq_ignore_ascii_case(&name) => parse_zone(nearest),
        _ => Err(error),
    })
}

fn unknown(written: &str, error: &ZoneError) -> String {
    let written = quoted(written, TYPED);
    match error.nearest {
        Some(nearest) => format!("There is no time zone {written}. Did you mean `/timezone {nearest}`?"),
        None => format!(
            "There is no time zone {written}. Send `/timezone` with the continent and the city, such as \
             `/timezone Europe/Berlin` or `/timezone America/New_York`."
        ),
    }
}
