//! Starting and stopping channels.

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::command::Gateway;
use frontdesk_store::row::{AccessChange, AccessDone, InboundRow};

use super::super::button::confirmed_by_button;
use super::{access, changing, note};
use crate::commands::Plan;
use crate::shared::Shared;

/// `start CHANNEL`.
pub(super) fn start(shared: &Shared, row: &InboundRow, request: &Gateway, what: &str) -> Plan {
    switch(shared, row, request, what, false, true)
}

/// `stop CHANNEL [confirm]`.
pub(super) fn stop(shared: &Shared, row: &InboundRow, request: &Gateway, what: &str, confirm: bool) -> Plan {
    switch(shared, row, request, what, true, confirm)
}

fn switch(
    shared: &Shared,
    row: &InboundRow,
    request: &Gateway,
    what: &str,
    stopped: bool,
    confirm: bool,
) -> Plan {
    if what.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = "The port cannot be set from a chat. Set `gateway.port` in the configuration file, or run `frontdesk run --port`.";
        return note(row, request, "refused:port", text.to_owned());
    }
    let accounts = shared.adapters.named(what);
    if accounts.is_empty() {
        let text = NoSuchChannel::new(what, shared.adapters.ids()).in_chat();
        return note(row, request, "refused:no_channel", text);
    }
    if stopped && !confirm && !shared.has_reachable_admin(&accounts, None) {
        let text = format!(
            "No admin could reach me from a chat any more. To stop `{what}` anyway, send `/gateway stop {what} confirm`. \
             On the machine, `frontdesk gateway start {what}` starts it again."
        );
        let told = note(row, request, "refused:last_way_in", text.clone());
        let command = format!("/gateway stop {what} confirm");
        return confirmed_by_button(shared, row, told, &text, ("Stop it", command));
    }
    let ours = row.address.account();
    if stopped && accounts.contains(ours) {
        let text = format!(
            "`{what}` is stopped, so I do not receive messages here any more. To start it again, send `/gateway start \
             {what}` on another channel, or run `frontdesk gateway start {what}` on the machine."
        );
        return changing(row, AccessChange::Switch { accounts, stopped }, move |_| text.clone());
    }
    let (what, all) = (what.to_owned(), accounts.len());
    changing(row, AccessChange::Switch { accounts, stopped }, move |facts| match access(facts) {
        Some(AccessDone::Switched { changed }) => switched(&what, stopped, all, changed.len()),
        _ => "Done.".to_owned(),
    })
}

/// The reply to a start or stop of a channel that has `all` accounts, `changed` of which were in the other state before.
fn switched(what: &str, stopped: bool, all: usize, changed: usize) -> String {
    let verb = if stopped { "stopped" } else { "started" };
    let text = match (all, changed) {
        (1, 0) => format!("`{what}` was {verb} already."),
        (1, _) => format!("`{what}` is {verb}."),
        (_, 0) => format!("All accounts of `{what}` were {verb} already."),
        (_, 1) => format!("1 account of `{what}` is {verb}."),
        (_, n) => format!("{n} accounts of `{what}` are {verb}."),
    };
    match (stopped, all) {
        (false, _) => text,
        (true, 1) => format!("{text} `/gateway start {what}` starts it again."),
        (true, _) => format!("{text} `/gateway start {what}` starts them again."),
    }
}
