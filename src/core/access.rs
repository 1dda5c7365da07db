//! Who may speak: one decision for every way in, deny by default.

use std::collections::BTreeSet;

use crate::address::Principal;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Talk to the agent.
    Speak,
    /// Change how the service runs, or see other people's conversations.
    Administer,
}

/// Where somebody wants to do it. A grant for one context says nothing about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context<'a> {
    /// In a private chat.
    Dm,
    /// In the group with this id.
    Group(&'a str),
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Unknown here, and the channel offers pairing: hand out a code.
    Pair,
    /// No.
    Deny(DenyReason),
}

/// Why not: for counters and the audit log, never for the stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// Nobody let this person in.
    NotAllowed,
    /// The channel takes no private messages.
    Disabled,
    /// The group is not on the list.
    UnknownGroup,
    /// Only admins may do this.
    NotAdmin,
}

impl DenyReason {
    /// The name in metrics and in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            DenyReason::NotAllowed => "not_allowed",
            DenyReason::Disabled => "disabled",
            DenyReason::UnknownGroup => "unknown_group",
            DenyReason::NotAdmin => "not_admin",
        }
    }
}

/// Who may write in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DmPolicy {
    /// Strangers get a code and an admin decides.
    #[default]
    Pairing,
    /// Only those on the list.
    Allowlist,
    /// Everyone. The operator said so in as many words.
    Open,
    /// Nobody.
    Disabled,
}

/// What the operator wrote about one account of one channel. Ids are the platform's stable ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelAccess {
    /// Who may write in private.
    pub dm_policy: DmPolicy,
    /// People who may write in private.
    pub allow: BTreeSet<String>,
    /// People who may administer.
    pub admins: BTreeSet<String>,
    /// Groups that are served, and who may speak in each; an empty set is everyone in that group.
    pub groups: std::collections::BTreeMap<String, BTreeSet<String>>,
}

/// What an admin granted at run time, looked up for this principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// May write in private.
    pub dm: bool,
    /// May speak in the group in question.
    pub group: bool,
    /// May administer.
    pub admin: bool,
}

/// The one rule. `grants` are those of `principal` in `context`; whatever is not allowed is denied.
pub fn decide(
    rules: &ChannelAccess,
    grants: Grants,
    principal: &Principal,
    context: Context<'_>,
    action: Action,
) -> Decision {
    let admin = grants.admin || rules.admins.contains(principal.id());
    match (action, context) {
        (Action::Administer, _) if admin => Decision::Allow,
        (Action::Administer, _) => Decision::Deny(DenyReason::NotAdmin),
        (Action::Speak, Context::Dm) => {
            if rules.dm_policy == DmPolicy::Disabled {
                Decision::Deny(DenyReason::Disabled)
            } else if admin || grants.dm || rules.allow.contains(principal.id()) {
                Decision::Allow
            } else {
                match rules.dm_policy {
                    DmPolicy::Open => Decision::Allow,
                    DmPolicy::Pairing => Decision::Pair,
                    DmPolicy::Allowlist | DmPolicy::Disabled => Decision::Deny(DenyReason::NotAllowed),
                }
            }
        }
        (Action::Speak, Context::Group(group)) => match rules.groups.get(group) {
            None if grants.group => Decision::Allow,
            None => Decision::Deny(DenyReason::UnknownGroup),
            Some(people) if people.is_empty() || people.contains(principal.id()) || grants.group => {
                Decision::Allow
            }
            Some(_) => Decision::Deny(DenyReason::NotAllowed),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who(id: &str) -> Principal {
        Principal::new("telegram", None, id).unwrap()
    }

    fn rules(dm_policy: DmPolicy) -> ChannelAccess {
        ChannelAccess {
            dm_policy,
            allow: BTreeSet::from(["friend".to_owned()]),
            admins: BTreeSet::from(["root".to_owned()]),
            groups: [
                ("open".to_owned(), BTreeSet::new()),
                ("closed".to_owned(), BTreeSet::from(["member".to_owned()])),
            ]
            .into(),
        }
    }

    fn speak(rules: &ChannelAccess, id: &str, context: Context<'_>) -> Decision {
        decide(rules, Grants::default(), &who(id), context, Action::Speak)
    }

    #[test]
    fn nobody_is_let_in_by_default() {
        let rules = ChannelAccess::default();
        assert_eq!(speak(&rules, "1", Context::Dm), Decision::Pair);
        assert_eq!(speak(&rules, "1", Context::Group("1")), Decision::Deny(DenyReason::UnknownGroup));
        let administers = decide(&rules, Grants::default(), &who("1"), Context::Dm, Action::Administer);
        assert_eq!(administers, Decision::Deny(DenyReason::NotAdmin));
    }

    #[test]
    fn each_policy_says_what_becomes_of_a_stranger() {
        for (policy, decision) in [
            (DmPolicy::Pairing, Decision::Pair),
            (DmPolicy::Allowlist, Decision::Deny(DenyReason::NotAllowed)),
            (DmPolicy::Open, Decision::Allow),
            (DmPolicy::Disabled, Decision::Deny(DenyReason::Disabled)),
        ] {
            assert_eq!(speak(&rules(policy), "stranger", Context::Dm), decision);
        }
    }

    #[test]
    fn a_channel_that_takes_no_private_messages_takes_none_from_anybody() {
        for id in ["friend", "root"] {
            let decision = speak(&rules(DmPolicy::Disabled), id, Context::Dm);
            assert_eq!(decision, Decision::Deny(DenyReason::Disabled));
        }
    }

    #[test]
    fn a_private_grant_says_nothing_about_a_group_and_the_other_way_round() {
        let rules = rules(DmPolicy::Allowlist);
        assert_eq!(speak(&rules, "friend", Context::Dm), Decision::Allow);
        assert_eq!(speak(&rules, "friend", Context::Group("closed")), Decision::Deny(DenyReason::NotAllowed));
        assert_eq!(speak(&rules, "member", Context::Group("closed")), Decision::Allow);
        assert_eq!(speak(&rules, "member", Context::Dm), Decision::Deny(DenyReason::NotAllowed));
        let dm = Grants { dm: true, ..Grants::default() };
        let there = decide(&rules, dm, &who("1"), Context::Group("closed"), Action::Speak);
        assert_eq!(there, Decision::Deny(DenyReason::NotAllowed));
        let group = Grants { group: true, ..Grants::default() };
        let here = decide(&rules, group, &who("1"), Context::Dm, Action::Speak);
        assert_eq!(here, Decision::Deny(DenyReason::NotAllowed));
    }

    fn grants() -> impl Strategy<Value = Grants> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(dm, group, admin)| Grants {
            dm,
            group,
            admin,
        })
    }

    fn policy() -> impl Strategy<Value = DmPolicy> {
        prop_oneof![
            Just(DmPolicy::Pairing),
            Just(DmPolicy::Allowlist),
            Just(DmPolicy::Open),
            Just(DmPolicy::Disabled)
        ]
    }

    fn place() -> impl Strategy<Value = Option<&'static str>> {
        prop_oneof![Just(None), Just(Some("open")), Just(Some("closed")), Just(Some("foreign"))]
    }

    fn context(place: Option<&str>) -> Context<'_> {
        place.map_or(Context::Dm, Context::Group)
    }

    proptest! {
        #[test]
        fn only_an_admin_administers(
            id in "friend|root|member|stranger|ROOT|root |", grants in grants(), policy in policy(), place in place()
        ) {
            let Ok(who) = Principal::new("telegram", None, &id) else { return Ok(()) };
            let decision = decide(&rules(policy), grants, &who, context(place), Action::Administer);
            prop_assert_eq!(decision == Decision::Allow, id == "root" || grants.admin);
        }

        #[test]
        fn a_stranger_without_a_grant_speaks_only_where_everybody_may(
            id in "[a-z0-9]{1,12}", policy in policy(), place in place()
        ) {
            prop_assume!(!["friend", "root", "member"].contains(&id.as_str()));
            let decision = speak(&rules(policy), &id, context(place));
            let everybody = place == Some("open") || (place.is_none() && policy == DmPolicy::Open);
            prop_assert_eq!(decision == Decision::Allow, everybody);
        }

        #[test]
        fn a_grant_never_takes_anything_away(
            id in "friend|root|member|stranger", grants in grants(), policy in policy(), place in place()
        ) {
            let without = speak(&rules(policy), &id, context(place));
            let with = decide(&rules(policy), grants, &who(&id), context(place), Action::Speak);
            prop_assert!(without != Decision::Allow || with == Decision::Allow);
        }
    }
}
