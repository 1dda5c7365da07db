//! Letting people and groups in, and out.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::account;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::command::Gateway;
use frontdesk_core::count::counted;
use frontdesk_core::key::{DEFAULT_ACCOUNT, Scope as KeyScope};
use frontdesk_core::pairing::Code;
use frontdesk_core::prompt::inert;
use frontdesk_store::row::{AccessChange, AccessDone, CommandFacts, InboundRow, PairingRow, Scope};

use super::{changing, note};
use crate::access::{Place, revoked};
use crate::commands::Plan;
use crate::shared::Shared;

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::days(36_500);

/// `pair CODE` and `deny CODE`.
pub(super) fn code(row: &InboundRow, request: &Gateway, typed: &str, approve: bool) -> Plan {
    let Some(code) = Code::read(typed) else {
        let text = "That is no code: a code has eight letters and digits, such as `ABCD2345`.";
        return note(row, request, "refused:no_code", text.to_owned());
    };
    let change = match approve {
        true => AccessChange::Approve { code, place: None },
        false => AccessChange::Deny { code, place: None },
    };
    changing(row, change, |facts| match access(facts) {
        Some(AccessDone::Approved(who)) => format!("{} may write to me now and was told so.", named(who)),
        Some(AccessDone::Denied(who)) => format!("{} was refused.", named(who)),
        Some(AccessDone::NoSuchCode { left: 0 }) => {
            "No open request has this code. You have tried too often: you are locked out for an hour."
                .to_owned()
        }
        Some(AccessDone::NoSuchCode { left }) => format!(
            "No open request has this code; a code is good for one hour and one use. You may try {} more before you \
             are locked out for an hour.",
            counted((*left).into(), "code")
        ),
        Some(AccessDone::Locked { until }) => format!(
            "You have tried too many wrong codes. Try again after {}, or let the person in by id with `/gateway allow`.",
            until.format("%H:%M UTC")
        ),
        _ => "Done.".to_owned(),
    })
}

/// `allow PLATFORM USER [here]`.
pub(super) fn allow(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    platform: &str,
    user: &str,
    here: bool,
) -> Plan {
    let principal = match person(shared, platform, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    let scope = match (here, row.session.scope()) {
        (false, _) => Scope::Dm,
        (true, KeyScope::Dm) => {
            let text = "`here` means a group: say it in the group in question.".to_owned();
            return note(row, request, "refused:no_group", text);
        }
        (true, _) => Scope::Group(row.session.id().to_owned()),
    };
    if let Err(problem) = (shared.grant_rule)(&principal, &scope) {
        return note(row, request, "refused:no_person", format!("`{user}`: {problem}."));
    }
    let whom = principal.to_string();
    let place = match &scope {
        Scope::Group(_) => "in this group",
        _ => "in private",
    };
    changing(row, AccessChange::Grant { principal, scope }, move |facts| match access(facts) {
        Some(AccessDone::Granted { new: false }) => format!("`{whom}` was allowed {place} already."),
        _ => format!("`{whom}` may speak to me {place} now."),
    })
}

/// `revoke PLATFORM USER [confirm]`.
pub(super) fn revoke(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    platform: &str,
    user: &str,
    confirm: bool,
) -> Plan {
    let principal = match person(shared, platform, user) {
        Ok(principal) => principal,
        Err(text) => return note(row, request, "refused:no_person", text),
    };
    if shared.access.written().any(|(who, _)| who == principal) {
        let text = format!(
            "`{principal}` is allowed by the configuration file: take the id out of it and send `/gateway restart`."
        );
        return note(row, request, "refused:in_config", text);
    }
    if let Err(problem) = shared.may_be_revoked(&principal) {
        return note(row, request, "refused:no_person", format!("`{user}`: {problem}."));
    }
    if !confirm && principal == row.principal && !shared.has_way_in(&[], Some(&principal)) {
        let text = format!(
            "You are the last admin who can reach me by chat. To revoke your own access anyway, send \
             `/gateway revoke {platform} {user} confirm`; on the machine, `frontdesk access allow {platform} {user} \
             --admin` lets you in again."
        );
        return note(row, request, "refused:last_way_in", text);
    }
    let (whom, left) = (principal.clone(), shared.access.left(&principal, None));
    changing(row, shared.revocation(principal, None), move |facts| match access(facts) {
        Some(AccessDone::Revoked(ended)) => revoked(&whom, ended, &left),
        _ => "Done.".to_owned(),
    })
}

/// `allow-here` and `deny-here`.
pub(super) fn serve(shared: &Shared, row: &InboundRow, request: &Gateway, allowed: bool) -> Plan {
    let Some(chat) = group(row) else {
        let text = "This is a private chat. Say it in the group in question.".to_owned();
        return note(row, request, "refused:no_group", text);
    };
    let place = (chat.channel().to_owned(), chat.account().to_owned());
    let in_file = shared.access.rules(&place).is_some_and(|rules| rules.groups.contains_key(chat.chat()));
    if in_file {
        let text = match allowed {
            true => "This group stands in the configuration file already.".to_owned(),
            false => "This group stands in the configuration file: take it out there and send `/gateway restart`, or \
                      send `/gateway mute`."
                .to_owned(),
        };
        return note(row, request, if allowed { "unchanged" } else { "refused:in_config" }, text);
    }
    changing(row, AccessChange::Serve { chat, allowed }, move |facts| match (access(facts), allowed) {
        (Some(AccessDone::Served { new: false, .. }), true) => "This group is served already.".to_owned(),
        (Some(AccessDone::Served { new: false, .. }), false) => "This group was not served.".to_owned(),
        (_, true) => {
            "This group is served now: mention me, reply to me or use a command, and I answer.".to_owned()
        }
        (_, false) => "This group is not served any more.".to_owned(),
    })
}

/// `mute [MINUTES]`.
pub(super) fn mute(shared: &Shared, row: &InboundRow, request: &Gateway, minutes: Option<u32>) -> Plan {
    let span = minutes.map_or(FOR_EVER, |minutes| Duration::minutes(minutes.into()));
    let end = match minutes {
        Some(minutes) => format!("for {}, or until `/gateway unmute`", counted(minutes.into(), "minute")),
        None => "until `/gateway unmute`".to_owned(),
    };
    let text = format!("I am silent here {end}. What is said meanwhile is not answered.");
    silence(row, request, Some(shared.now().steady + span), text)
}

/// `unmute`.
pub(super) fn unmute(row: &InboundRow, request: &Gateway) -> Plan {
    silence(row, request, None, "I answer here again.".to_owned())
}

fn silence(row: &InboundRow, request: &Gateway, until: Option<DateTime<Utc>>, text: String) -> Plan {
    let Some(chat) = first(row) else {
        return note(row, request, "refused:no_chat", "This chat cannot be muted.".to_owned());
    };
    changing(row, AccessChange::Mute { chat, until }, move |_| text)
}

/// The chat by its first id, without a thread.
fn first(row: &InboundRow) -> Option<Address> {
    Address::new(row.session.channel(), Some(row.session.account()), row.session.id(), None).ok()
}

fn group(row: &InboundRow) -> Option<Address> {
    if row.session.scope() == KeyScope::Dm { None } else { first(row) }
}

/// A person by platform and id, or what to write instead.
fn person(shared: &Shared, platform: &str, user: &str) -> Result<Principal, String> {
    let (channel, account) = account::split(platform);
    let place = (channel.to_owned(), account.unwrap_or(DEFAULT_ACCOUNT).to_owned());
    if shared.access.rules(&place).is_none() {
        let shown = |(channel, account): &Place| format!("`{}`", account::shown(channel, account));
        let known: Vec<String> = shared.access.all_rules().keys().map(shown).collect();
        return Err(format!("There is no such platform here. There are: {}.", known.join(", ")));
    }
    Principal::new(channel, account, user).map_err(|error| error.to_string())
}

fn named(row: &PairingRow) -> String {
    match &row.sender {
        Some(sender) => format!("`{}` (`{}`)", inert(sender).replace('`', "'"), row.principal),
        None => format!("`{}`", row.principal),
    }
}

fn access(facts: &CommandFacts) -> Option<&AccessDone> {
    match facts {
        CommandFacts::Access(done) => Some(done),
        _ => None,
    }
}
