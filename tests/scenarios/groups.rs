//! Groups: which messages in them reach the agent.

mod moved;

use std::time::Duration;

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::message::{FileKind, Outcome, SenderKind};
use frontdesk_runtime::config::Sharing;
use frontdesk_store::row::InboundRow;
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World, operator, plan};

/// The group that is allowed in every world.
const GROUP: &str = "-1";

async fn answers(world: &World, chat: &str) -> Vec<String> {
    world.at_rest().await;
    world.platform().chat(chat).into_iter().map(|message| message.text).collect()
}

#[tokio::test]
async fn a_group_that_nobody_allowed_is_not_served() {
    let world = World::new().await;
    assert_eq!(
        world.platform().outcome_of(message_from("anna", "hello").in_group("-9")).await,
        Outcome::Denied
    );
    assert!(answers(&world, "-9").await.is_empty());
}

#[tokio::test]
async fn an_admin_who_addresses_the_bot_in_an_unserved_group_is_told_how_to_allow_it() {
    let world = World::new().await;
    let platform = world.platform();
    assert_eq!(platform.outcome_of(message_from("anna", "hello").in_group("-9")).await, Outcome::Denied);
    assert_eq!(
        platform.outcome_of(message_from("root", "chatting").unaddressed_in("-9")).await,
        Outcome::Denied
    );
    assert_eq!(
        platform.outcome_of(message_from("root", "hello").in_group("-9").forwarded()).await,
        Outcome::Denied
    );
    assert!(answers(&world, "-9").await.is_empty(), "nobody else gets an answer");
    let call = message_from("root", "some secret words").in_group("-9").replying_to("others' words");
    platform.outcome_of(call.with_file("cat", FileKind::Photo).with_link("this", "https://e.com/")).await;
    let [hint] = &answers(&world, "-9").await[..] else { panic!("one answer") };
    let key = "agent:main:fake:group:-9".parse().unwrap();
    let [row] = &world.handle().store().history(&key, None, None, 9).await.unwrap()[..] else {
        panic!("one row")
    };
    let InboundRow { text, quote, links, attachments, .. } = &row.message;
    assert_eq!(
        (text.as_str(), quote, links.len(), attachments.len()),
        ("", &None, 0, 0),
        "nothing is kept of it"
    );
    assert!(hint.contains("`/gateway allow-here`") || hint.contains("/gateway allow-here"), "{hint}");
    assert!(world.agent().prompts().is_empty());
    platform.outcome_of(message_from("root", "/gateway allow-here").in_group("-9")).await;
    assert_eq!(answers(&world, "-9").await.len(), 2);
    platform.outcome_of(message_from("anna", "hello").in_group("-9")).await;
    assert_eq!(answers(&world, "-9").await.len(), 3);
    assert_eq!(world.agent().prompts(), ["hello"]);
}

#[tokio::test]
async fn in_a_group_only_addressed_messages_are_answered() {
    let world = World::new().await;
    let platform = world.platform();
    assert_eq!(
        platform.outcome_of(message_from("anna", "just chatting").unaddressed_in(GROUP)).await,
        Outcome::Ignored
    );
    platform.outcome_of(message_from("anna", "now you").in_group(GROUP)).await;
    assert_eq!(answers(&world, GROUP).await, ["now you"]);
    let turn = &world.agent().turns()[0];
    assert!(turn.context_messages.is_empty(), "nothing is overheard unless the operator wants it");
}

#[tokio::test]
async fn a_command_speaks_to_us_and_an_unknown_one_perhaps_to_another_bot() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "/status").unaddressed_in(GROUP)).await;
    assert_eq!(answers(&world, GROUP).await.len(), 1);
    assert_eq!(
        platform.outcome_of(message_from("anna", "/weather").unaddressed_in(GROUP)).await,
        Outcome::Ignored
    );
    platform.outcome_of(message_from("anna", "/weather").in_group(GROUP)).await;
    assert!(answers(&world, GROUP).await[1].contains("There is no command /weather"));
}

#[tokio::test]
async fn without_required_mentions_every_message_is_for_the_agent() {
    let world = World::with(plan().chat(GROUP, |chat| chat.require_mention = Some(false))).await;
    world.platform().outcome_of(message_from("anna", "hello all").unaddressed_in(GROUP)).await;
    assert_eq!(answers(&world, GROUP).await, ["hello all"]);
    // A command that exists and is written wrongly is answered. One that does not exist may be another bot's.
    world.platform().outcome_of(message_from("anna", "/queue zzz").unaddressed_in(GROUP)).await;
    assert!(answers(&world, GROUP).await[1].contains("/queue"));
    let unknown = world.platform().outcome_of(message_from("anna", "/weather").unaddressed_in(GROUP)).await;
    assert_eq!(unknown, Outcome::Ignored);
}

#[tokio::test]
async fn only_people_on_the_list_of_a_group_are_answered_in_it() {
    let world = World::with(plan().access(|access| {
        let (people, roles) = (["anna".to_owned()].into(), ["staff".to_owned()].into());
        access.groups.insert(
            "-2".to_owned(),
            GroupAccess { closed: true, members: Members { people, roles }, ..GroupAccess::default() },
        );
    }))
    .await;
    let platform = world.platform();
    assert!(matches!(
        platform.outcome_of(message_from("anna", "1").in_group("-2")).await,
        Outcome::Accepted { .. }
    ));
    assert_eq!(platform.outcome_of(message_from("ben", "2").in_group("-2")).await, Outcome::Denied);
    assert_eq!(platform.outcome_of(message_from("Anna", "3").in_group("-2")).await, Outcome::Denied);
    let posing = message_from("ben", "4").shown_as("anna").in_group("-2");
    assert_eq!(platform.outcome_of(posing).await, Outcome::Denied);
    let staff = message_from("carl", "5").with_role("staff").in_group("-2");
    assert!(matches!(platform.outcome_of(staff).await, Outcome::Accepted { .. }));
    assert_eq!(answers(&world, "-2").await, ["1", "5"]);
}

#[tokio::test]
async fn context_messages_reach_the_next_turn_and_are_never_answered() {
    let world = World::with(plan().chat(GROUP, |chat| chat.ambient = Some(2))).await;
    let platform = world.platform();
    for text in ["one", "two", "three"] {
        assert_eq!(
            platform.outcome_of(message_from("ben", text).unaddressed_in(GROUP)).await,
            Outcome::Noted
        );
    }
    platform.outcome_of(message_from("anna", "what did they say?").in_group(GROUP)).await;
    assert_eq!(answers(&world, GROUP).await.len(), 1);
    let turns = world.agent().turns();
    let overheard: Vec<&str> =
        turns[0].context_messages.iter().map(|context_message| context_message.text.as_str()).collect();
    assert_eq!(overheard, ["two", "three"], "the last two, in order");
    platform.outcome_of(message_from("anna", "and now?").in_group(GROUP)).await;
    world.at_rest().await;
    assert!(world.agent().turns()[1].context_messages.is_empty(), "no context message is passed on twice");
}

#[tokio::test]
async fn one_conversation_for_all_or_one_for_each() {
    let shared = World::new().await;
    for person in ["anna", "ben"] {
        shared.platform().outcome_of(message_from(person, "hello").in_group(GROUP)).await;
    }
    shared.at_rest().await;
    let sessions = |world: &World| -> Vec<String> {
        let mut keys: Vec<String> =
            world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
        keys.dedup();
        keys
    };
    assert_eq!(sessions(&shared), ["agent:main:fake:group:-1"]);
    let own = World::with(plan().chat(GROUP, |chat| chat.sessions = Some(Sharing::Person))).await;
    own.platform().outcome_of(message_from("anna", "hello").in_group(GROUP)).await;
    own.at_rest().await;
    own.platform().outcome_of(message_from("ben", "hello").in_group(GROUP)).await;
    own.at_rest().await;
    assert_eq!(sessions(&own), ["agent:main:fake:member:-1::anna", "agent:main:fake:member:-1::ben"]);
    assert_eq!(own.platform().chat(GROUP).len(), 2, "both answers are in the group");
}

#[tokio::test]
async fn a_topic_is_a_conversation_of_its_own() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "here").in_group(GROUP)).await;
    platform.outcome_of(message_from("anna", "there").in_topic(GROUP, "5")).await;
    world.at_rest().await;
    let mut keys: Vec<String> = world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
    keys.sort();
    assert_eq!(keys, ["agent:main:fake:group:-1", "agent:main:fake:topic:-1:5"]);
}

#[tokio::test]
async fn messages_of_bots_are_dropped_unless_they_are_listed() {
    let world = World::with(plan().access(|access| {
        access.bots.insert("helper".to_owned());
    }))
    .await;
    let platform = world.platform();
    let bot = |name: &str| message_from(name, "beep").in_group(GROUP).by(SenderKind::Bot);
    assert_eq!(platform.outcome_of(bot("spammer")).await, Outcome::Denied);
    assert!(matches!(platform.outcome_of(bot("helper")).await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn two_programs_that_answer_each_other_are_silenced_for_a_minute() {
    let world = World::with(plan().access(|access| {
        access.bots.insert("helper".to_owned());
    }))
    .await;
    let platform = world.platform();
    let bot = |n: usize| message_from("helper", &format!("beep {n}")).in_group(GROUP).by(SenderKind::Bot);
    for n in 0..20 {
        assert!(matches!(platform.outcome_of(bot(n)).await, Outcome::Accepted { .. }), "{n}");
    }
    assert_eq!(platform.outcome_of(bot(20)).await, Outcome::Ignored);
    platform.outcome_of(message_from("anna", "people are heard").in_group(GROUP)).await;
    world.clock().pass(Duration::from_secs(59));
    assert_eq!(platform.outcome_of(bot(21)).await, Outcome::Ignored);
    world.clock().pass(Duration::from_secs(2));
    assert!(matches!(platform.outcome_of(bot(22)).await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn the_send_rate_of_a_group_is_kept_and_its_topics_count_together() {
    let world = World::with(plan().paced_in_groups(Duration::from_secs(3))).await;
    let platform = world.platform();
    for n in 0..8 {
        let event = message_from("anna", &format!("{n}"));
        let event = if n % 2 == 0 { event.in_group(GROUP) } else { event.in_topic(GROUP, "5") };
        platform.outcome_of(event).await;
        platform.outcome_of(message_from("ben", &format!("{n}"))).await;
    }
    platform.shows("ben", 8, |_| true).await;
    platform.shows(GROUP, 5, |_| true).await;
    let shown = platform.chat(GROUP).len();
    assert!((5..8).contains(&shown), "{shown} at once");
    for _ in 0..6 {
        world.clock().pass(Duration::from_secs(3));
        world.round_trip().await;
    }
    world.at_rest().await;
    assert_eq!(platform.chat(GROUP).len(), 8);
}

fn moderated() -> frontdesk_world::Plan {
    plan().access(|access| {
        let (people, roles) = (["mia".to_owned()].into(), ["leads".to_owned()].into());
        let moderators = Members { people, roles };
        access.groups.insert("-2".to_owned(), GroupAccess { moderators, ..GroupAccess::default() });
    })
}

#[tokio::test]
async fn where_moderators_are_named_only_they_change_the_conversation() {
    let world = World::with(moderated()).await;
    let says = async |event: frontdesk_world::event::TestEvent| {
        world.platform().outcome_of(event.in_group("-2")).await;
        answers(&world, "-2").await.last().cloned().unwrap_or_default()
    };
    says(message_from("ben", "hello")).await;
    for command in ["/new", "/new and hello", "/resume", "/model gpt", "/compact", "/queue steer"] {
        let name = command.split(' ').next().unwrap();
        assert_eq!(
            says(message_from("ben", command)).await,
            format!("In this group only moderators may use {name} like this.")
        );
    }
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(world.agent().turns()[0].session.to_string(), "agent:main:fake:group:-2");
    for moderator in [
        message_from("mia", "/new"),
        message_from("ben", "/new").with_role("leads"),
        message_from("root", "/new"),
    ] {
        let answer = says(moderator).await;
        assert!(answer.starts_with("New conversation."), "{answer}");
    }
    // What only shows something is for everybody.
    for command in ["/model", "/queue"] {
        let answer = says(message_from("ben", command)).await;
        assert!(!answer.contains("moderators"), "{answer}");
    }
    world.platform().outcome_of(message_from("ben", "/new").in_group(GROUP)).await;
    assert!(answers(&world, GROUP).await[0].starts_with("New conversation."));
}

#[tokio::test]
async fn in_a_shared_conversation_people_stop_and_retry_what_they_asked_for() {
    let world = World::with(moderated()).await;
    let says = async |who: &str, text: &str| {
        world.platform().outcome_of(message_from(who, text).in_group("-2")).await
    };
    let has = async |count: usize| {
        let shown = || async { (world.platform().chat("-2").len() == count).then_some(()) };
        frontdesk_world::wait::until("the group has this many messages", shown).await;
    };
    world.agent().will([Step::Hang]);
    says("anna", "a long one").await;
    world.agent().begun(1).await;
    says("ben", "of ben").await;
    says("carl", "of carl").await;
    says("carl", "/stop").await;
    has(1).await;
    says("ben", "/stop").await;
    has(2).await;
    says("ben", "/stop").await;
    has(3).await;
    says("mia", "/stop").await;
    assert_eq!(
        answers(&world, "-2").await,
        [
            "Dropped 1 message from the queue.",
            "Dropped 1 message from the queue.",
            "There is nothing of yours to stop. What others asked for can be stopped by them, by moderators and by \
             admins.",
            "Stopped the answer.",
        ]
    );
    says("anna", "of anna").await;
    world.at_rest().await;
    says("ben", "of ben again").await;
    world.at_rest().await;
    says("anna", "/retry").await;
    world.at_rest().await;
    says("carl", "/retry").await;
    world.at_rest().await;
    says("mia", "/retry").await;
    assert_eq!(
        answers(&world, "-2").await[4..],
        [
            "of anna",
            "of ben again",
            "of anna",
            "There is no message of yours to answer again in this conversation.",
            "of anna",
        ]
    );
}
