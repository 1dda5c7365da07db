//! Starting and stopping channels.

use frontdesk_core::command::Gateway;
use frontdesk_store::row::{AccessChange, InboundRow};

use super::{changing, note};
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
        let known: Vec<String> =
            shared.adapters.ids().into_iter().map(|account| format!("`{account}`")).collect();
        let text = format!("There is no such channel. The channels are: {}.", known.join(", "));
        return note(row, request, "refused:no_channel", text);
    }
    if stopped && !confirm && !shared.has_reachable_admin(&accounts, None) {
        let text = format!(
            "No admin could reach me from a chat any more. To stop `{what}` anyway, send `/gateway stop {what} confirm`. \
             On the machine, `frontdesk gateway start {what}` starts it again."
        );
        return note(row, request, "refused:last_way_in", text);
    }
    let count = accounts.len();
    let ours = row.address.account();
    if stopped && accounts.contains(ours) {
        let text = format!(
            "`{what}` is stopped, so I do not receive messages here any more. To start it again, send `/gateway start \
             {what}` on another channel, or run `frontdesk gateway start {what}` on the machine."
        );
        return changing(row, AccessChange::Switch { accounts, stopped }, move |_| text.clone());
    }
    let text = match (stopped, count) {
        (true, 1) => format!("`{what}` is stopped. `/gateway start {what}` starts it again."),
        (true, _) => {
            format!("{count} accounts of `{what}` are stopped. `/gateway start {what}` starts them again.")
        }
        (false, 1) => format!("`{what}` is started."),
        (false, _) => format!("{count} accounts of `{what}` are started."),
    };
    changing(row, AccessChange::Switch { accounts, stopped }, move |_| text.clone())
}
