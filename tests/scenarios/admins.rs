//! Admin commands, and that nobody else can use them.

use std::time::Duration;

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::address::Principal;
use frontdesk_core::message::{Outcome, SenderKind};
use frontdesk_runtime::Lifecycle;
use frontdesk_store::row::{AccessChange, AccessDone, Scope};
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, operator, plan};

#[tokio::test]
async fn only_an_admin_commands_the_gateway_and_every_try_is_on_record() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/gateway stop").await;
    assert_eq!(anna.hears().await, "Only admins may manage the gateway.");
    assert_eq!(*world.handle().lifecycle().borrow(), None);
    let audits = world.handle().audits(None, 10).await.unwrap();
    let line = (audits[0].by.as_str(), audits[0].action.as_str(), audits[0].outcome.as_str());
    assert_eq!(line, ("fake:anna", "gateway stop", "refused:not_admin"));
}

#[tokio::test]
async fn only_an_admins_own_plain_text_is_an_admin_command() {
    let world = World::new().await;
    let platform = world.platform();
    let command = "/gateway allow fake eve";
    for event in [
        message_from("root", command).forwarded(),
        message_from("root", command).editing("in-1"),
        message_from("root", command).pressed_under("out-1"),
        message_from("root", "look").replying_to(command),
        message_from("root", command).in_group("-1").by(SenderKind::Chat),
        message_from("-1", command).in_group("-1").by(SenderKind::Chat),
        message_from("root", command).in_group("-1").by(SenderKind::Bot),
        message_from("anna", command).shown_as("root"),
        message_from("anna", command).in_group("-1"),
    ] {
        platform.outcome_of(event).await;
    }
    world.at_rest().await;
    let access = world.handle().access();
    assert!(access.entries.iter().all(|entry| entry.principal.id() != "eve"), "{access:?}");
}

#[tokio::test]
async fn an_admin_opens_a_group_from_within_it_and_closes_it_again() {
    let world = World::new().await;
    let platform = world.platform();
    assert_eq!(
        platform.outcome_of(message_from("anna", "/gateway allow-here").in_group("-9")).await,
        Outcome::Denied
    );
    platform.outcome_of(message_from("root", "/gateway allow-here").unaddressed_in("-9")).await;
    world.at_rest().await;
    assert!(platform.chat("-9")[0].text.contains("I answer in this group now"));
    assert!(matches!(
        platform.outcome_of(message_from("anna", "hi").in_group("-9")).await,
        Outcome::Accepted { .. }
    ));
    world.at_rest().await;
    platform.outcome_of(message_from("root", "/gateway deny-here").in_group("-9")).await;
    world.at_rest().await;
    assert_eq!(platform.outcome_of(message_from("anna", "hi").in_group("-9")).await, Outcome::Denied);
    platform.outcome_of(message_from("root", "/gateway deny-here").in_group("-1")).await;
    world.at_rest().await;
    assert!(platform.chat("-1")[0].text.contains("configuration file lists this group"));
}

#[tokio::test]
async fn a_muted_chat_is_not_answered_and_commands_are() {
    let world = World::new().await;
    let root = world.user("root");
    root.says("/gateway mute 30").await;
    assert!(root.hears().await.contains("silent here for 30 minutes"));
    assert_eq!(root.tries("hello?").await, Outcome::Ignored);
    root.says("/status").await;
    root.hears().await;
    world.clock().pass(Duration::from_secs(30 * 60 + 1));
    root.says("hello!").await;
    assert_eq!(root.hears().await, "hello!");
}

#[tokio::test]
async fn a_channel_that_is_stopped_stays_so_until_it_is_started() {
    let mut world = World::new().await;
    let root = world.user("root");
    root.says("/gateway stop fake confirm").await;
    assert!(root.hears().await.contains("is stopped"), "what is on its way still arrives");
    world.at_rest().await;
    let account = |world: &World| world.handle().accounts().remove(0);
    // The reply is stored in the same transaction as the change; the account is disconnected a moment later.
    frontdesk_world::wait::until("the account is disconnected", || async {
        account(&world).stopped.map(drop)
    })
    .await;
    assert_eq!(account(&world).stopped.as_deref(), Some("fake:root"));
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(account(&world).stopped.as_deref(), Some("fake:root"), "a restart changes nothing");
    let waits = root.writes("are you there?");
    world.clock().pass(Duration::from_secs(60));
    let by = frontdesk_store::row::Author { name: "cli".to_owned(), via: "cli" };
    let accounts = vec![frontdesk_core::account::AccountId::default_of("fake")];
    let start = frontdesk_store::row::AccessChange::Switch { accounts, stopped: false };
    world.handle().change_access(start, by).await.unwrap();
    assert!(matches!(world.platform().outcome(waits).await, Outcome::Accepted { .. }));
    assert_eq!(root.hears().await, "are you there?");
}

#[tokio::test]
async fn stopping_the_last_channel_of_an_admin_needs_a_confirmation() {
    let world = World::new().await;
    let root = world.user("root");
    root.says("/gateway stop fake").await;
    let asked = root.hears().await;
    assert!(
        asked.contains("No admin could reach me") && asked.contains("/gateway stop fake confirm"),
        "{asked}"
    );
    root.says("/gateway stop").await;
    assert!(root.hears().await.contains("/gateway stop confirm"));
    world.at_rest().await;
    assert_eq!(world.handle().accounts()[0].stopped, None);
    assert_eq!(*world.handle().lifecycle().borrow(), None);
    let audits = world.handle().audits(None, 2).await.unwrap();
    let outcomes: Vec<&str> = audits.iter().map(|line| line.outcome.as_str()).collect();
    assert_eq!(outcomes, ["refused:not_confirmed", "refused:last_way_in"]);
}

#[tokio::test]
async fn revoking_the_last_admin_needs_a_confirmation() {
    let world = World::with(plan().access(|access| access.admins.clear())).await;
    let grant = |who: &str| frontdesk_store::row::AccessChange::Grant {
        principal: format!("fake:{who}").parse().unwrap(),
        scope: frontdesk_store::row::Scope::Admin,
    };
    world.handle().change_access(grant("anna"), operator()).await.unwrap();
    let anna = world.user("anna");
    anna.says("/gateway revoke fake anna").await;
    let asked = anna.hears().await;
    assert!(asked.contains("last admin") && asked.contains("/gateway revoke fake anna confirm"), "{asked}");
    world.handle().change_access(grant("bob"), operator()).await.unwrap();
    anna.says("/gateway revoke fake anna").await;
    anna.hears().await;
    anna.says("/gateway status").await;
    assert_eq!(anna.hears().await, "Only admins may manage the gateway.", "bob is left");
    let bob = world.user("bob");
    bob.says("/gateway revoke fake bob confirm").await;
    bob.hears().await;
    bob.says("/gateway status").await;
    assert_eq!(bob.hears().await, "Only admins may manage the gateway.");
}

#[tokio::test]
async fn a_revocation_says_where_the_person_may_still_write() {
    let world = World::new().await;
    let grant =
        |scope| frontdesk_store::row::AccessChange::Grant { principal: "fake:eve".parse().unwrap(), scope };
    let scope = frontdesk_store::row::Scope::Group("-7".to_owned());
    world.handle().change_access(grant(scope), operator()).await.unwrap();
    let root = world.user("root");
    root.says("/gateway revoke fake eve").await;
    let reply = root.hears().await;
    assert!(
        reply.contains("may still write: in private, which is open to everyone; in group -1, which is open"),
        "{reply}"
    );
    assert!(!reply.contains("-7") && !reply.contains("not write to me any more"), "{reply}");
    assert!(matches!(world.user("eve").tries("hello").await, Outcome::Accepted { .. }), "as the reply says");
    root.says("/gateway revoke fake @eve").await;
    assert!(
        root.hears().await.contains("this names nobody"),
        "the platform's rule holds for a revocation too"
    );
}

#[tokio::test]
async fn stop_and_restart_come_after_their_answer_is_stored() {
    let world = World::new().await;
    let root = world.user("root");
    let mut lifecycle = world.handle().lifecycle();
    let restart = root.says("/gateway restart").await;
    lifecycle.changed().await.unwrap();
    assert_eq!(*lifecycle.borrow(), Some(Lifecycle::Restart));
    assert_eq!(world.message(restart).await.message.state.name(), "answered");
}

#[tokio::test]
async fn a_gateway_that_is_a_part_of_a_program_says_what_it_cannot_do() {
    let world = World::with(plan().embedded().buttons()).await;
    let root = world.user("root");
    let why = "This gateway is part of another program, and only that can stop it, restart it or change its configuration.";
    for request in ["stop", "stop confirm", "restart", "reload"] {
        root.says(&format!("/gateway {request}")).await;
        assert_eq!(root.hears().await, why, "{request}");
    }
    assert!(
        world.platform().chat("root").iter().all(|post| post.buttons.is_empty()),
        "nothing is to be confirmed"
    );
    assert_eq!(*world.handle().lifecycle().borrow(), None);
    let audits = world.handle().audits(None, 1).await.unwrap();
    assert_eq!(
        (audits[0].action.as_str(), audits[0].outcome.as_str()),
        ("gateway reload", "refused:embedded")
    );
    // Its parts are its own.
    root.says("/gateway stop fake confirm").await;
    world.platform().shows("root", 1, |post| post.text.contains("is stopped")).await;
}

#[tokio::test]
async fn every_request_is_answered_in_a_few_lines() {
    let world = World::new().await;
    let root = world.user("root");
    for (request, says) in [
        ("status", "🟢 Gateway (1 platform)"),
        ("sessions", "fake, private chat root"),
        ("tasks", "no background tasks"),
        ("config", "answered by the agent"),
        ("start 3847", "gateway.port"),
        ("start nowhere", "There is no channel nowhere; the only one is fake."),
        ("pair hello", "That is no code"),
        ("allow fake @eve", "names nobody"),
        ("allow fake -100", "names nobody"),
        ("allow moon 1", "There is no channel moon; the only one is fake."),
        ("revoke fake root", "configuration file"),
        ("allow-here", "private chat"),
        ("unmute", "I was not muted here."),
        ("start fake", "fake was started already."),
        ("whatever", "pair CODE: allow"),
        ("statsu", "Did you mean /gateway status?"),
        ("allow fake", "USER is missing. Please write it like this: /gateway allow CHANNEL USER"),
        ("allow fake 1 there", "I do not understand there here."),
        ("pair ABCD 2345", "A code is one word."),
    ] {
        root.says(&format!("/gateway {request}")).await;
        world.at_rest().await;
        let shown = root.sees();
        let answer = shown.iter().rev().take(5).find(|text| text.contains(says));
        assert!(answer.is_some(), "/gateway {request} was answered with {:?}", shown.last());
    }
}

#[tokio::test]
async fn a_person_has_a_daily_limit_of_messages_and_can_see_it() {
    let world = World::with(plan().with(|config| config.limits.daily = 2)).await;
    let anna = world.user("anna");
    anna.says("one").await;
    anna.says("two").await;
    world.at_rest().await;
    anna.tries("three").await;
    anna.tries("four").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["one", "two"]);
    let notices = anna.sees().iter().filter(|text| text.contains("message limit")).count();
    assert_eq!(notices, 1, "{:?}", anna.sees());
    anna.says("/status").await;
    world.at_rest().await;
    assert!(
        anna.sees().last().unwrap().contains("2 of 2")
            || anna.sees().iter().any(|text| text.contains("2 of 2"))
    );
    world.clock().pass(Duration::from_secs(24 * 3600));
    anna.says("a new day").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts().last().unwrap(), "a new day");
}

#[tokio::test]
async fn a_command_has_one_name_in_the_audit_whatever_becomes_of_it() {
    let world = World::new().await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    for request in ["pair AAAAAAAA", "deny AAAAAAAA", "allow fake eve", "mute 5", "stop fake"] {
        anna.says(&format!("/gateway {request}")).await;
        world.at_rest().await;
        root.says(&format!("/gateway {request} {}", if request == "stop fake" { "confirm" } else { "" }))
            .await;
        world.at_rest().await;
        let audits = world.handle().audits(None, 2).await.unwrap();
        assert_eq!(audits[0].action, audits[1].action, "{request}");
        assert_eq!(audits[1].outcome, "refused:not_admin", "{request}");
    }
}

#[tokio::test]
async fn a_reply_says_what_changed_and_what_was_so_before() {
    let world = World::new().await;
    let root = world.user("root");
    for (request, says) in [
        ("/gateway unmute", "I was not muted here."),
        ("/gateway mute 5", "I am silent here for 5 minutes"),
        ("/gateway unmute", "I answer here again."),
        ("/gateway start fake", "fake was started already."),
        ("/gateway pair AAAAAAAA", "After 4 more wrong codes you are locked out"),
        ("/gateway revoke fake eve", "eve had no permission that could be revoked"),
    ] {
        root.says(request).await;
        let answer = root.hears().await;
        assert!(answer.contains(says), "{request} was answered with {answer:?}");
    }
}

#[tokio::test]
async fn the_list_of_requests_offers_here_in_groups_only() {
    let world = World::new().await;
    let root = world.user("root");
    root.says("/gateway").await;
    world.at_rest().await;
    let list = root.sees().join("\n");
    assert!(list.contains("allow CHANNEL USER: ") && !list.contains("here"), "{list}");
    world.platform().outcome_of(message_from("root", "/gateway").in_group("-1")).await;
    world.at_rest().await;
    let list: String = world.platform().chat("-1").into_iter().map(|message| message.text).collect();
    assert!(list.contains("allow CHANNEL USER [here]: ") && list.contains("allow-here"), "{list}");
}

#[tokio::test]
async fn somebody_who_is_blocked_is_ignored_everywhere_until_the_block_ends() {
    let world = World::new().await;
    let (root, platform) = (world.user("root"), world.platform());
    world.agent().will([Step::Hang]);
    let in_open_group = |text: &str| message_from("eve", text).in_group("-1");
    assert!(matches!(platform.outcome_of(in_open_group("slow")).await, Outcome::Accepted { .. }));
    root.says("/gateway block fake eve").await;
    assert_eq!(
        root.hears().await,
        "fake:eve is blocked: I ignore them everywhere, also in open groups. 1 of their messages was cancelled."
    );
    for event in [in_open_group("hello"), in_open_group("/status"), message_from("eve", "hello")] {
        assert_eq!(platform.outcome_of(event).await, Outcome::Denied);
    }
    root.says("/gateway allow fake eve").await;
    assert_eq!(root.hears().await, "fake:eve is blocked. Send /gateway unblock fake eve first.");
    root.says("/gateway block fake root").await;
    assert_eq!(root.hears().await, "root: this is an admin: take that right away first.");
    let audit = world.handle().audits(None, 2).await.unwrap();
    let refused = audit.iter().map(|line| (line.subject.as_str(), line.outcome.as_str()));
    assert_eq!(
        refused.collect::<Vec<_>>(),
        [("fake:root", "refused:is_admin"), ("fake:eve", "refused:blocked")],
        "whom it was about"
    );
    root.says("/gateway unblock fake eve").await;
    let heard = root.hears().await;
    assert!(heard.starts_with("fake:eve is not blocked any more and may write: in "), "{heard}");
    assert!(matches!(platform.outcome_of(in_open_group("hello")).await, Outcome::Accepted { .. }));
    root.says("/gateway unblock fake eve").await;
    assert_eq!(root.hears().await, "fake:eve was not blocked.");
}

#[tokio::test]
async fn an_admin_whom_the_file_also_names_can_lose_that_right_and_be_blocked() {
    for by_chat in [true, false] {
        let members = Members { people: ["eve".to_owned()].into(), ..Members::default() };
        let group = GroupAccess { closed: true, members, ..GroupAccess::default() };
        let world =
            World::with(plan().access(|access| drop(access.groups.insert("-6".to_owned(), group)))).await;
        let (root, eve) = (world.user("root"), world.user("eve"));
        let principal: Principal = "fake:eve".parse().unwrap();
        let grant = AccessChange::Grant { principal: principal.clone(), scope: Scope::Admin };
        world.handle().change_access(grant, operator()).await.unwrap();
        eve.says("/gateway status").await;
        assert_ne!(eve.hears().await, "Only admins may manage the gateway.");
        let revoke = AccessChange::Revoke {
            principal: principal.clone(),
            scope: None,
            also: Vec::new(),
            private: None,
        };
        let said = match by_chat {
            true => {
                root.says("/gateway revoke fake eve").await;
                world.at_rest().await;
                // The platform splits it.
                root.sees().join(" ")
            }
            false => match world.handle().change_access(revoke.clone(), operator()).await.unwrap() {
                AccessDone::Revoked(ended) => world.handle().revoked(&principal, None, &ended),
                done => panic!("{done:?}"),
            },
        };
        assert!(
            said.contains("The configuration file still names them (allow of the group -6 of fake)"),
            "{said}"
        );
        eve.says("/gateway status").await;
        assert_eq!(eve.hears().await, "Only admins may manage the gateway.");
        // Nothing is left that could be revoked at run time.
        let refused = world.handle().change_access(revoke, operator()).await.unwrap_err().to_string();
        assert!(
            refused.contains("the configuration file allows fake:eve (allow of the group -6 of fake)"),
            "{refused}"
        );
        root.says("/gateway block fake eve").await;
        world.at_rest().await;
        let told = root.sees();
        assert!(told.iter().any(|text| text.starts_with("fake:eve is blocked")), "{told:?}");
        assert_eq!(
            world.platform().outcome_of(message_from("eve", "hello").in_group("-6")).await,
            Outcome::Denied
        );
    }
}
