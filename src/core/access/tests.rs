//! Tests of access decisions.

use proptest::prelude::*;

use super::*;

fn who(id: &str) -> Principal {
    Principal::new("telegram", None, id).unwrap()
}

fn rules(dm_policy: DmPolicy) -> ChannelAccess {
    ChannelAccess {
        dm_policy,
        allow: BTreeSet::from(["friend".to_owned()]),
        allow_roles: BTreeSet::from(["team:T1".to_owned()]),
        admins: BTreeSet::from(["root".to_owned()]),
        groups: [
            ("open".to_owned(), GroupAccess::default()),
            (
                "closed".to_owned(),
                GroupAccess {
                    closed: true,
                    members: Members {
                        people: BTreeSet::from(["member".to_owned()]),
                        roles: BTreeSet::from(["staff".to_owned()]),
                    },
                    moderators: Members {
                        people: BTreeSet::from(["friend".to_owned()]),
                        roles: BTreeSet::from(["leads".to_owned()]),
                    },
                },
            ),
        ]
        .into(),
        bots: BTreeSet::from(["robot".to_owned()]),
    }
}

fn may_write(rules: &ChannelAccess, id: &str, context: Context<'_>) -> Decision {
    decide(rules, Grants::default(), Requester::person(&who(id)), context, Action::Write)
}

#[test]
fn nobody_is_let_in_by_default() {
    let rules = ChannelAccess::default();
    assert_eq!(may_write(&rules, "1", Context::Dm), Decision::Pair);
    assert_eq!(may_write(&rules, "1", Context::Group("1")), Decision::Deny(DenyReason::UnknownGroup));
    let administers =
        decide(&rules, Grants::default(), Requester::person(&who("1")), Context::Dm, Action::Administer);
    assert_eq!(administers, Decision::Deny(DenyReason::NotAdmin));
}

#[test]
fn members_of_a_named_team_write_in_private_unless_nobody_may_and_programs_are_no_members() {
    let roles = ["team:T1".to_owned()];
    let with = |policy, roles: &[String], sender_kind| {
        let principal = who("member-of-a-team");
        let who = Requester { principal: &principal, sender_kind, roles };
        decide(&rules(policy), Grants::default(), who, Context::Dm, Action::Write)
    };
    for policy in [DmPolicy::Pairing, DmPolicy::Allowlist, DmPolicy::Open] {
        assert_eq!(with(policy, &roles, SenderKind::Person), Decision::Allow, "{policy:?}");
    }
    assert_eq!(with(DmPolicy::Disabled, &roles, SenderKind::Person), Decision::Deny(DenyReason::Disabled));
    assert_eq!(with(DmPolicy::Pairing, &["team:T2".to_owned()], SenderKind::Person), Decision::Pair);
    let denied = Decision::Deny(DenyReason::NotAllowed);
    assert_eq!(with(DmPolicy::Allowlist, &roles, SenderKind::Chat), denied);
    let principal = who("member-of-a-team");
    let member = Requester { principal: &principal, sender_kind: SenderKind::Person, roles: &roles };
    let administers =
        decide(&rules(DmPolicy::Open), Grants::default(), member, Context::Dm, Action::Administer);
    assert_eq!(administers, Decision::Deny(DenyReason::NotAdmin), "a team makes nobody an admin");
}

#[test]
fn each_policy_decides_about_unknown_senders() {
    for (policy, decision) in [
        (DmPolicy::Pairing, Decision::Pair),
        (DmPolicy::Allowlist, Decision::Deny(DenyReason::NotAllowed)),
        (DmPolicy::Open, Decision::Allow),
        (DmPolicy::Disabled, Decision::Deny(DenyReason::Disabled)),
    ] {
        assert_eq!(may_write(&rules(policy), "stranger", Context::Dm), decision);
    }
}

#[test]
fn a_channel_that_takes_no_private_messages_takes_none_from_anybody() {
    for id in ["friend", "root"] {
        let decision = may_write(&rules(DmPolicy::Disabled), id, Context::Dm);
        assert_eq!(decision, Decision::Deny(DenyReason::Disabled));
    }
}

#[test]
fn a_private_grant_says_nothing_about_a_group_and_the_other_way_round() {
    let rules = rules(DmPolicy::Allowlist);
    assert_eq!(may_write(&rules, "friend", Context::Dm), Decision::Allow);
    assert_eq!(may_write(&rules, "friend", Context::Group("closed")), Decision::Deny(DenyReason::NotAllowed));
    assert_eq!(may_write(&rules, "member", Context::Group("closed")), Decision::Allow);
    assert_eq!(may_write(&rules, "member", Context::Dm), Decision::Deny(DenyReason::NotAllowed));
    let dm = Grants { dm: true, ..Grants::default() };
    let there = decide(&rules, dm, Requester::person(&who("1")), Context::Group("closed"), Action::Write);
    assert_eq!(there, Decision::Deny(DenyReason::NotAllowed));
    let group = Grants { group: true, ..Grants::default() };
    let here = decide(&rules, group, Requester::person(&who("1")), Context::Dm, Action::Write);
    assert_eq!(here, Decision::Deny(DenyReason::NotAllowed));
}

fn grants() -> impl Strategy<Value = Grants> {
    any::<[bool; 4]>().prop_map(|[dm, group, admin, here]| Grants { blocked: false, dm, group, admin, here })
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

#[test]
fn a_group_that_an_admin_opened_is_open_to_all_in_it_and_to_no_program() {
    let here = Grants { here: true, ..Grants::default() };
    let decide = |id: &str, sender_kind| {
        let (who, foreign) = (who(id), Context::Group("foreign"));
        decide(
            &rules(DmPolicy::Pairing),
            here,
            Requester { sender_kind, ..Requester::person(&who) },
            foreign,
            Action::Write,
        )
    };
    assert_eq!(decide("1", SenderKind::Person), Decision::Allow);
    assert_eq!(decide("-100", SenderKind::Chat), Decision::Allow);
    assert_eq!(decide("1", SenderKind::Bot), Decision::Deny(DenyReason::Bot));
    assert_eq!(decide("robot", SenderKind::Bot), Decision::Allow);
}

#[test]
fn a_closed_group_without_names_admits_nobody() {
    let mut rules = rules(DmPolicy::Pairing);
    rules.groups.insert("empty".to_owned(), GroupAccess { closed: true, ..GroupAccess::default() });
    for id in ["friend", "member", "stranger"] {
        let decision = may_write(&rules, id, Context::Group("empty"));
        assert_eq!(decision, Decision::Deny(DenyReason::NotAllowed), "{id}");
    }
    assert_eq!(may_write(&rules, "root", Context::Group("empty")), Decision::Allow, "an admin");
}

#[test]
fn a_role_grants_writing_where_it_is_named_and_never_administration() {
    let (rules, who) = (rules(DmPolicy::Pairing), who("1"));
    let roles = ["staff".to_owned()];
    let staff = Requester { roles: &roles, ..Requester::person(&who) };
    let decide = |context, action| decide(&rules, Grants::default(), staff, context, action);
    assert_eq!(decide(Context::Group("closed"), Action::Write), Decision::Allow);
    assert_eq!(decide(Context::Dm, Action::Write), Decision::Pair);
    assert_eq!(decide(Context::Group("closed"), Action::Administer), Decision::Deny(DenyReason::NotAdmin));
}

#[test]
fn an_unknown_bot_or_chat_gets_no_code() {
    for sender_kind in [SenderKind::Bot, SenderKind::Chat] {
        let who = who("1");
        let who = Requester { sender_kind, ..Requester::person(&who) };
        let decision =
            super::decide(&ChannelAccess::default(), Grants::default(), who, Context::Dm, Action::Write);
        assert!(matches!(decision, Decision::Deny(_)), "{sender_kind:?}: {decision:?}");
    }
}

#[test]
fn where_moderators_are_named_only_they_and_admins_change_the_conversation() {
    let (rules, leads) = (rules(DmPolicy::Open), ["leads".to_owned()]);
    let decide = |id: &str, roles: &[String], sender_kind, group, action| {
        let who = who(id);
        let who = Requester { roles, sender_kind, ..Requester::person(&who) };
        decide(&rules, Grants::default(), who, group, action) == Decision::Allow
    };
    let (open, closed, person) = (Context::Group("open"), Context::Group("closed"), SenderKind::Person);
    for action in [Action::ChangeConversation, Action::Moderate] {
        assert!(decide("friend", &[], person, closed, action), "{action:?}");
        assert!(decide("1", &leads, person, closed, action), "{action:?}");
        assert!(decide("root", &[], person, closed, action) && decide("root", &[], person, open, action));
        assert!(!decide("member", &[], person, closed, action), "{action:?}");
        assert!(!decide("friend", &leads, SenderKind::Bot, closed, action), "{action:?}");
    }
    // Elsewhere everybody changes the conversation, and nobody what others asked for.
    for context in [open, Context::Dm] {
        assert!(decide("member", &[], person, context, Action::ChangeConversation));
        assert!(!decide("friend", &leads, person, context, Action::Moderate));
    }
}

fn sender_kind() -> impl Strategy<Value = SenderKind> {
    prop_oneof![Just(SenderKind::Person), Just(SenderKind::Bot), Just(SenderKind::Chat)]
}

proptest! {
    #[test]
    fn bots_and_chats_never_administer(
        id in "root|robot|stranger", grants in grants(), policy in policy(), place in place(), sender_kind in sender_kind()
    ) {
        prop_assume!(sender_kind != SenderKind::Person);
        let who = who(&id);
        let who = Requester { sender_kind, ..Requester::person(&who) };
        let decision = decide(&rules(policy), grants, who, context(place), Action::Administer);
        prop_assert_eq!(decision, Decision::Deny(DenyReason::NotAPerson));
    }

    #[test]
    fn a_program_that_is_not_listed_may_not_write(
        id in "friend|root|member|stranger", grants in grants(), policy in policy(), place in place()
    ) {
        let who = who(&id);
        let who = Requester { sender_kind: SenderKind::Bot, ..Requester::person(&who) };
        let decision = decide(&rules(policy), grants, who, context(place), Action::Write);
        prop_assert_eq!(decision, Decision::Deny(DenyReason::Bot));
    }

    #[test]
    fn only_an_admin_administers(
        id in "friend|root|member|stranger|ROOT|root |", grants in grants(), policy in policy(), place in place()
    ) {
        let Ok(who) = Principal::new("telegram", None, &id) else { return Ok(()) };
        let decision = decide(&rules(policy), grants, Requester::person(&who), context(place), Action::Administer);
        prop_assert_eq!(decision == Decision::Allow, id == "root" || grants.admin);
    }

    #[test]
    fn an_unknown_sender_may_write_only_where_everybody_may(
        id in "[a-z0-9]{1,12}", policy in policy(), place in place()
    ) {
        prop_assume!(!["friend", "root", "member"].contains(&id.as_str()));
        let decision = may_write(&rules(policy), &id, context(place));
        let everybody = place == Some("open") || (place.is_none() && policy == DmPolicy::Open);
        prop_assert_eq!(decision == Decision::Allow, everybody);
    }

    #[test]
    fn somebody_who_is_blocked_may_do_nothing(
        id in "friend|root|member|robot|stranger", grants in grants(), policy in policy(), place in place(),
        sender_kind in sender_kind()
    ) {
        let (who, grants) = (who(&id), Grants { blocked: true, ..grants });
        let who = Requester { sender_kind, ..Requester::person(&who) };
        for action in [Action::Write, Action::Administer] {
            let decision = decide(&rules(policy), grants, who, context(place), action);
            prop_assert_eq!(decision, Decision::Deny(DenyReason::Blocked));
        }
    }

    #[test]
    fn a_grant_never_takes_anything_away(
        id in "friend|root|member|stranger", grants in grants(), policy in policy(), place in place()
    ) {
        let without = may_write(&rules(policy), &id, context(place));
        let with = decide(&rules(policy), grants, Requester::person(&who(&id)), context(place), Action::Write);
        prop_assert!(without != Decision::Allow || with == Decision::Allow);
    }
}
