//! Allowing people and groups, and revoking that.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::command::Gateway;
use frontdesk_core::count::counted;
use frontdesk_core::key::Scope as KeyScope;
use frontdesk_core::pairing::Code;
use frontdesk_core::span;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::{AccessChange, AccessDone, InboundRow, PairingRow, Scope};

use super::super::button::confirmed_by_button;
use super::{access, changing, note};
use crate::access::{block_summary, revocation_summary, still_in_file, unblock_summary};
use crate::commands::Plan;
use crate::shared::Shared;

/// The end of a mute that has no end.
const FOR_EVER: Duration = Duration::days(36_500);

/// `pair CODE` and `deny CODE`.
pub(super) fn code(shared: &Shared, row: &InboundRow, request: &Gateway, typed: &str, approve: bool) -> Plan {
    let Some(code) = Code::read(typed) else {
        let text = "That is no code. A code has eight letters and digits, such as `ABCD2345`.";
        return note(row, request, "refused:no_code", text.to_owned());
    };
    let change = match approve {
        true => AccessChange::Approve { code, account: None },
        false => AccessChange::Deny { code, account: None },
    };
    let now = shared.time.now().steady;
    changing(row, change, move |facts| match access(facts) {
        Some(AccessDone::Approved(who)) => format!("{} may write to me now and has been told.", named(who)),
        Some(AccessDone::Denied(who)) => format!("{} was refused.", named(who)),
        Some(AccessDone::NoSuchCode { left: 0 }) => {
            "No open request has this code. After too many wrong codes you are locked out for an hour."
                .to_owned()
        }
        Some(AccessDone::NoSuchCode { left }) => {
            let more = match left {
                1 => "one more wrong code".to_owned(),
                left => format!("{left} more wrong codes"),
            };
            format!(
                "No open request has this code: a code works once and for one hour. After {more} you are locked out \
                 for an hour."
            )
        }
        Some(AccessDone::Locked { until }) => format!(
            "You have tried too many wrong codes. Try again in {}, or allow the person by their id with `/gateway allow`.",
            span::length((*until - now).max(Duration::zero()))
        ),
        _ => "Done.".to_owned(),
    })
}

/// `allow CHANNEL USER [here]`.
pub(super) fn allow(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    channel: &str,
    user: &str,
    here: bool,
) -> Plan {
    let principal = match person(shared, channel, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    let scope = match (here, row.own_session().scope()) {
        (false, _) => Scope::Dm,
        (true, KeyScope::Dm) => {
            let text = "`here` means a group: send this in the group you mean.".to_owned();
            return note(row, request, "refused:no_group", text);
        }
        (true, _) => Scope::Group(row.own_session().id().to_owned()),
    };
    if let Err(problem) = (shared.settings().grant_rule)(&principal, &scope) {
        return note(row, request, "refused:no_person", format!("{}: {problem}.", quoted_label(user)));
    }
    let whom = quoted_label(principal.as_str());
    if shared.access.is_blocked(&principal) {
        let text = format!("{whom} is blocked. Send `/gateway unblock {channel} {user}` first.");
        return note(row, request, "refused:blocked", text);
    }
    let place = match &scope {
        Scope::Group(_) => "in this group",
        _ => "in private",
    };
    changing(row, AccessChange::Grant { principal, scope }, move |facts| match access(facts) {
        Some(AccessDone::Granted { new: false }) => format!("{whom} could already write to me {place}."),
        _ => format!("{whom} may write to me {place} now."),
    })
}

/// `revoke CHANNEL USER [confirm]`.
pub(super) fn revoke(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    channel: &str,
    user: &str,
    confirm: bool,
) -> Plan {
    let principal = match person(shared, channel, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    let settings = shared.settings();
    let written = settings.access.places_of(&principal, None);
    if !written.is_empty() && !shared.access.holds(&principal, None) {
        let text = format!(
            "The configuration file allows {} ({}): remove the id there, then run `frontdesk config reload` on the machine.",
            quoted_label(principal.as_str()),
            written.join(", ")
        );
        return note(row, request, "refused:in_config", text);
    }
    if let Err(problem) = shared.may_be_revoked(&principal) {
        return note(row, request, "refused:no_person", format!("{}: {problem}.", quoted_label(user)));
    }
    if !confirm && principal == row.from.id && !shared.has_reachable_admin(&[], Some(&principal)) {
        let text = format!(
            "You are the last admin who can reach me by chat. To revoke your own access anyway, send \
             `/gateway revoke {channel} {user} confirm`; on the machine, `frontdesk access allow {channel} {user} \
             --admin` restores it."
        );
        let told = note(row, request, "refused:last_way_in", text.clone());
        let command = format!("/gateway revoke {channel} {user} confirm");
        return confirmed_by_button(shared, row, told, &text, ("Revoke my access", command));
    }
    let left = shared.access.remaining(&settings.access, &principal, None);
    let (whom, in_file) =
        (principal.clone(), still_in_file(&settings.access, &principal).unwrap_or_default());
    changing(row, shared.revocation(principal, None), move |facts| match access(facts) {
        Some(AccessDone::Revoked(ended)) => revocation_summary(&whom, None, ended, &left) + &in_file,
        _ => "Done.".to_owned(),
    })
}

/// `block CHANNEL USER`.
pub(super) fn block(shared: &Shared, row: &InboundRow, request: &Gateway, channel: &str, user: &str) -> Plan {
    let principal = match person(shared, channel, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    if let Err(problem) = shared.may_be_blocked(&principal) {
        let is_person = (shared.settings().grant_rule)(&principal, &Scope::Dm).is_ok();
        let outcome = if is_person { "refused:is_admin" } else { "refused:no_person" };
        return note(row, request, outcome, format!("{}: {problem}.", quoted_label(user)));
    }
    let whom = principal.clone();
    changing(row, shared.block(principal), move |facts| match access(facts) {
        Some(AccessDone::Blocked { new, ended }) => block_summary(&whom, *new, ended),
        _ => "Done.".to_owned(),
    })
}

/// `unblock CHANNEL USER`.
pub(super) fn unblock(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    channel: &str,
    user: &str,
) -> Plan {
    let principal = match person(shared, channel, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    let (whom, rules) = (principal.clone(), shared.settings());
    let left = shared.access.remaining_unblocked(&rules.access, &principal);
    changing(row, AccessChange::Unblock { principal }, move |facts| match access(facts) {
        Some(AccessDone::Unblocked { before }) => unblock_summary(&whom, *before, &left),
        _ => "Done.".to_owned(),
    })
}

/// `allow-here` and `deny-here`.
pub(super) fn serve(shared: &Shared, row: &InboundRow, request: &Gateway, allowed: bool) -> Plan {
    let Some(chat) = group(row) else {
        let text = "This is a private chat. Send this in the group you mean.".to_owned();
        return note(row, request, "refused:no_group", text);
    };
    let in_file = shared
        .settings()
        .access
        .of(chat.account())
        .is_some_and(|rules| rules.groups.contains_key(chat.chat()));
    if in_file {
        let text = match allowed {
            true => "The configuration file already lists this group.".to_owned(),
            false => "The configuration file lists this group: remove it there and run `frontdesk config reload` on the machine, or send \
                      `/gateway mute`."
                .to_owned(),
        };
        return note(row, request, if allowed { "unchanged" } else { "refused:in_config" }, text);
    }
    changing(row, AccessChange::Serve { chat, allowed }, move |facts| match (access(facts), allowed) {
        (Some(AccessDone::Served { new: false, .. }), true) => "I already answer in this group.".to_owned(),
        (Some(AccessDone::Served { new: false, .. }), false) => {
            "I did not answer in this group before either.".to_owned()
        }
        (_, true) => "I answer in this group now: mention me, reply to me or send a command.".to_owned(),
        (_, false) => "I no longer answer in this group.".to_owned(),
    })
}

/// `mute [MINUTES]`.
pub(super) fn mute(shared: &Shared, row: &InboundRow, request: &Gateway, minutes: Option<u32>) -> Plan {
    let span = minutes.map_or(FOR_EVER, |minutes| Duration::minutes(minutes.into()));
    let end = match minutes {
        Some(minutes) => format!("for {}, or until `/gateway unmute`", counted(minutes.into(), "minute")),
        None => "until `/gateway unmute`".to_owned(),
    };
    let text = format!("I am silent here {end}. I do not answer messages sent in the meantime.");
    silence(row, request, Some(shared.time.now().steady + span), move |_| text.clone())
}

/// `unmute`.
pub(super) fn unmute(row: &InboundRow, request: &Gateway) -> Plan {
    silence(row, request, None, |was_muted| match was_muted {
        true => "I answer here again.".to_owned(),
        false => "I was not muted here.".to_owned(),
    })
}

/// Mutes or unmutes a chat; the reply depends on whether it was muted before.
fn silence(
    row: &InboundRow,
    request: &Gateway,
    until: Option<DateTime<Utc>>,
    text: impl Fn(bool) -> String + Send + 'static,
) -> Plan {
    let Some(chat) = first(row) else {
        return note(row, request, "refused:no_chat", "This chat cannot be muted.".to_owned());
    };
    changing(row, AccessChange::Mute { chat, until }, move |facts| {
        text(matches!(access(facts), Some(AccessDone::Muted { before: true })))
    })
}

/// The chat by its first id, without a thread.
pub(super) fn first(row: &InboundRow) -> Option<Address> {
    Address::at(row.own_session().account(), row.own_session().id(), None).ok()
}

fn group(row: &InboundRow) -> Option<Address> {
    if row.own_session().scope() == KeyScope::Dm { None } else { first(row) }
}

/// A person by channel and id, or what to write instead.
pub(super) fn person(shared: &Shared, channel: &str, user: &str) -> Result<Principal, String> {
    let (settings, account) = (shared.settings(), channel.parse::<AccountId>().ok());
    let Some(account) = account.filter(|account| settings.access.of(account).is_some()) else {
        return Err(NoSuchChannel::new(channel, settings.access.accounts()).in_chat());
    };
    Principal::at(&account, user).map_err(|error| error.to_string())
}

fn named(row: &PairingRow) -> String {
    match &row.sender {
        Some(sender) => format!("{} ({})", quoted_label(sender), quoted_label(row.principal.as_str())),
        None => quoted_label(row.principal.as_str()),
    }
}
