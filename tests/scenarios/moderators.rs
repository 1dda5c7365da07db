//! Who stops and changes what others asked for: its author, moderators and admins, in each of the chats that share it.

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::message::Outcome;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, plan};

/// The group that is allowed in every world.
const GROUP: &str = "-1";
const WAITS: &str =
    "Somebody else asked for the answer under way, so your message waits until it is complete.";

async fn in_group(world: &World, who: &str, text: &str) {
    let outcome = world.platform().outcome_of(message_from(who, text).in_group(GROUP)).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_person_of_a_group_interrupts_only_their_own_answer() {
    let world = World::new().await;
    world.agent().will([Step::Pause, Step::Echo]);
    in_group(&world, "bob", "of bob").await;
    world.agent().begun(1).await;
    in_group(&world, "mallory", "/queue interrupt me first").await;
    world.platform().shows(GROUP, 1, |post| post.text == WAITS).await;
    assert!(world.agent().aborted().is_empty());
    world.agent().will([Step::Hang]);
    world.agent().resume();
    world.agent().begun(2).await;
    in_group(&world, "mallory", "/queue interrupt no, this").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["of bob", "me first", "no, this"]);
    assert_eq!(world.agent().aborted(), [world.agent().turns()[1].id], "her own answer");
    assert_eq!(world.platform().chat(GROUP).iter().filter(|post| post.text == WAITS).count(), 1);
}

#[tokio::test]
async fn an_admin_interrupts_what_others_asked_for_and_so_does_a_group_in_that_mode() {
    for admin in [true, false] {
        let mode = (!admin).then_some(QueueMode::Interrupt);
        let world = World::with(plan().chat(GROUP, |chat| chat.queue_mode = mode)).await;
        world.agent().will([Step::Hang]);
        in_group(&world, "bob", "of bob").await;
        world.agent().begun(1).await;
        in_group(&world, if admin { "root" } else { "carl" }, "/queue interrupt stop that").await;
        world.at_rest().await;
        assert_eq!(world.agent().prompts(), ["of bob", "stop that"]);
        assert_eq!(world.agent().aborted().len(), 1);
    }
}

#[tokio::test]
async fn only_moderators_and_admins_choose_that_every_message_interrupts_in_a_group() {
    let moderators = Members { people: ["mia".to_owned()].into(), ..Members::default() };
    for named in [false, true] {
        let group = GroupAccess {
            moderators: if named { moderators.clone() } else { Members::default() },
            ..GroupAccess::default()
        };
        let plan = plan().access(|access| drop(access.groups.insert(GROUP.to_owned(), group)));
        let world = World::with(plan).await;
        for (who, may) in [("bob", false), ("mia", named), ("root", true)] {
            in_group(&world, who, "/queue interrupt").await;
            world.at_rest().await;
            let reply = world.platform().chat(GROUP).pop().unwrap().text;
            assert_eq!(reply.starts_with("Queue mode: interrupt."), may, "{who}: {reply}");
        }
        in_group(&world, if named { "mia" } else { "bob" }, "/queue collect").await;
        world.at_rest().await;
        let reply = world.platform().chat(GROUP).pop().unwrap().text;
        assert!(reply.starts_with("Queue mode: collect."), "{reply}");
    }
}

#[tokio::test]
async fn whoever_moderates_sees_the_ids_of_those_whose_messages_wait() {
    let world = World::new().await;
    world.agent().will([Step::Pause, Step::Echo]);
    in_group(&world, "bob", "runs").await;
    world.agent().begun(1).await;
    let event = message_from("mallory", "waits").shown_as("root").in_group(GROUP);
    world.platform().outcome_of(event).await;
    for (who, shown) in [("bob", "1. root, "), ("root", "1. root (fake:mallory), ")] {
        in_group(&world, who, "/queue").await;
        world.platform().shows(GROUP, 1, |post| post.text.contains(shown)).await;
    }
    world.agent().resume();
    world.at_rest().await;
}

#[tokio::test]
async fn a_message_that_interrupts_does_not_take_along_what_others_said() {
    let world = World::new().await;
    world.agent().will([Step::Hang]);
    in_group(&world, "mallory", "hangs").await;
    world.agent().begun(1).await;
    in_group(&world, "bob", "of bob").await;
    in_group(&world, "mallory", "/queue interrupt go on").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["hangs", "of bob", "go on"]);
}

#[tokio::test]
async fn the_moderators_of_every_listed_group_that_names_some_hold_for_the_shared_conversation() {
    let denied = "Other chats share this conversation, and only somebody who moderates each of them may use /new like this.";
    // The same id on another account is another person.
    for (other, mia_may) in [("agent:main:fake:group:-2", true), ("agent:main:fake@work:group:-2", false)] {
        let moderators = Members { people: ["mia".to_owned()].into(), ..Members::default() };
        let group = GroupAccess { moderators, ..GroupAccess::default() };
        let list = vec!["agent:main:fake:group:-1".to_owned(), other.to_owned()];
        let plan = plan()
            .access(|access| drop(access.groups.insert("-2".to_owned(), group)))
            .with(|config| config.sessions.shared = vec![list]);
        let mut world = World::with(plan).await;
        let work = world.platform().another_account("work");
        world.reload().account(&work).apply(&mut world).await.unwrap();
        world.agent().will([Step::Pause, Step::Echo]);
        world.platform().outcome_of(message_from("anna", "hello").in_group("-1")).await;
        world.agent().begun(1).await;
        for (who, may) in [("ben", false), ("mia", mia_may), ("root", true)] {
            world.platform().outcome_of(message_from(who, "/new").in_group("-1")).await;
            let reply = match may {
                true => "New conversation.",
                false => denied,
            };
            let count = if may && who == "root" && mia_may { 2 } else { 1 };
            world.platform().shows("-1", count, |post| post.text.starts_with(reply)).await;
        }
        world.agent().resume();
        world.at_rest().await;
        let told = world.platform().chat("-1").iter().filter(|post| post.text == denied).count();
        assert_eq!(told, if mia_may { 1 } else { 2 }, "{other}");
    }
}

#[tokio::test]
async fn nobody_stops_what_others_asked_for_as_the_moderator_of_one_of_the_groups() {
    let moderated_by = |who: &str| {
        let moderators = Members { people: [who.to_owned()].into(), ..Members::default() };
        GroupAccess { moderators, ..GroupAccess::default() }
    };
    let groups = [("-1", moderated_by("max")), ("-2", moderated_by("mia"))];
    let list = groups.iter().map(|(chat, _)| format!("agent:main:fake:group:{chat}")).collect();
    let plan = plan()
        .access(|access| access.groups.extend(groups.map(|(chat, group)| (chat.to_owned(), group))))
        .with(|config| config.sessions.shared = vec![list]);
    let world = World::with(plan).await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.platform().outcome_of(message_from("anna", "of anna").in_group("-1")).await;
    world.agent().begun(1).await;
    for (who, chat) in [("max", "-1"), ("mia", "-2")] {
        world.platform().outcome_of(message_from(who, "/stop").in_group(chat)).await;
        world
            .platform()
            .shows(chat, 1, |post| post.text.starts_with("There is nothing of yours to stop."))
            .await;
    }
    world.agent().resume();
    world.platform().shows("-1", 1, |post| post.text == "of anna").await;
}
