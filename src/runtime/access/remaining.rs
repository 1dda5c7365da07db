//! Where somebody may still write after a revocation, and the summary of a revocation.

use std::collections::BTreeSet;

use frontdesk_core::access::{self, Action, Context, Decision, DmPolicy, Requester};
use frontdesk_core::address::Principal;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::{ChatRow, Revoked, Scope};

use super::{Access, AccessRules};

/// A scope in which somebody may still write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemainingAccess {
    scope: Scope,
    /// Whether everybody may write there; otherwise the configuration or another grant names the person.
    open_to_all: bool,
}

impl Access {
    /// Where somebody may still write once `revoked` is taken from them; `None` means everything.
    pub(crate) fn remaining(
        &self,
        rules: &AccessRules,
        principal: &Principal,
        revoked: Option<&Scope>,
    ) -> Vec<RemainingAccess> {
        self.places(rules, principal, false, |scope| revoked.is_some_and(|revoked| revoked != scope))
    }

    /// Where somebody may write once they are not blocked any more.
    pub(crate) fn remaining_unblocked(&self, rules: &AccessRules, who: &Principal) -> Vec<RemainingAccess> {
        self.places(rules, who, true, |_| true)
    }

    /// Where somebody may write with those of their grants that they keep.
    fn places(
        &self,
        rules: &AccessRules,
        principal: &Principal,
        unblocked: bool,
        keeps: impl Fn(&Scope) -> bool,
    ) -> Vec<RemainingAccess> {
        let Some(rules) = rules.of(principal.account()) else { return Vec::new() };
        let tables = self.tables();
        let here = |row: &&ChatRow| row.chat.account() == principal.account();
        let served = tables.chats.values().filter(here).map(|row| row.chat.chat().to_owned());
        let granted = tables.grants.get(principal).into_iter().flatten();
        let granted = granted.filter_map(|grant| match &grant.scope {
            Scope::Group(group) => Some(group.clone()),
            Scope::Dm | Scope::Admin => None,
        });
        let groups: BTreeSet<String> = rules.groups.keys().cloned().chain(served).chain(granted).collect();
        let groups = groups.into_iter().map(Scope::Group);
        std::iter::once(Scope::Dm)
            .chain(groups)
            .filter_map(|scope| {
                let context = match &scope {
                    Scope::Group(group) => Context::Group(group),
                    Scope::Dm | Scope::Admin => Context::Dm,
                };
                let mut grants = tables.grants_of(principal, context, &keeps);
                grants.blocked &= !unblocked;
                let open_to_all = match &scope {
                    Scope::Group(group) => rules.groups.get(group).map_or(grants.here, |named| !named.closed),
                    Scope::Dm | Scope::Admin => rules.dm_policy == DmPolicy::Open,
                };
                let who = Requester::person(principal);
                let may = access::decide(rules, grants, who, context, Action::Write) == Decision::Allow;
                may.then_some(RemainingAccess { scope, open_to_all })
            })
            .collect()
    }
}

impl RemainingAccess {
    fn sentence(&self) -> String {
        let place = match &self.scope {
            Scope::Group(group) => format!("in group {}", quoted_label(group)),
            Scope::Dm | Scope::Admin => "in private".to_owned(),
        };
        let why = if self.open_to_all {
            "is open to everyone"
        } else {
            "another grant or the configuration allows"
        };
        format!("{place}, which {why}")
    }
}

/// The result of a revocation in a few sentences. The chat, the command line and the API show this text.
/// `scope` is where the permission was revoked; `None` means everywhere.
pub(crate) fn revocation_summary(
    who: &Principal,
    scope: Option<&Scope>,
    ended: &Revoked,
    remaining: &[RemainingAccess],
) -> String {
    let who = quoted_label(who.as_str());
    let place = match scope {
        None => String::new(),
        Some(Scope::Dm) => " in private".to_owned(),
        Some(Scope::Group(group)) => format!(" in group {}", quoted_label(group)),
        Some(Scope::Admin) => " as an admin".to_owned(),
    };
    let places: Vec<String> = remaining.iter().map(RemainingAccess::sentence).collect();
    let places = places.join("; ");
    let mut text = match (ended.grants, remaining.is_empty()) {
        (0, true) => format!("{who} had no permission{place}."),
        (0, false) => {
            format!("{who} had no permission{place} that could be revoked, and may still write: {places}.")
        }
        (_, true) => format!("{who} may not write to me any more."),
        (_, false) => {
            format!("The permission of {who}{place} is revoked, but they may still write: {places}.")
        }
    };
    push_ended(&mut text, ended);
    text
}

/// Where the configuration file names somebody whose grants were revoked: only there can that be taken away.
pub(crate) fn still_in_file(rules: &AccessRules, who: &Principal) -> Option<String> {
    let places = rules.places_of(who, None);
    (!places.is_empty()).then(|| {
        format!(
            " The configuration file still names them ({}): remove the id there and run `frontdesk config reload` on the \
             machine.",
            places.join(", ")
        )
    })
}

/// The result of a block in a few sentences.
pub(crate) fn block_summary(who: &Principal, new: bool, ended: &Revoked) -> String {
    let who = quoted_label(who.as_str());
    let mut text = match new {
        true => format!("{who} is blocked: I ignore them everywhere, also in open groups."),
        false => format!("{who} was blocked already."),
    };
    push_ended(&mut text, ended);
    text
}

/// The result of the end of a block in one sentence.
pub(crate) fn unblock_summary(who: &Principal, before: bool, remaining: &[RemainingAccess]) -> String {
    let who = quoted_label(who.as_str());
    let places: Vec<String> = remaining.iter().map(RemainingAccess::sentence).collect();
    match (before, places.join("; ")) {
        (false, _) => format!("{who} was not blocked."),
        (true, none) if none.is_empty() => {
            format!("{who} is not blocked any more, but nothing is granted to them.")
        }
        (true, places) => format!("{who} is not blocked any more and may write: {places}."),
    }
}

/// What ended with somebody's access.
fn push_ended(text: &mut String, ended: &Revoked) {
    match ended.running.len() + ended.waiting.len() {
        0 => {}
        1 => text.push_str(" 1 of their messages was cancelled."),
        n => text.push_str(&format!(" {n} of their messages were cancelled.")),
    }
    match ended.dropped {
        0 => {}
        1 => text.push_str(" 1 message that was on its way to them was dropped."),
        n => text.push_str(&format!(" {n} messages that were on their way to them were dropped.")),
    }
}
