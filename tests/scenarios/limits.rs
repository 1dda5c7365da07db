//! Limits on how much people may send.

use std::time::Duration;

use frontdesk_core::config::{Assignment, Role};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::message::{Outcome, Refusal};
use frontdesk_runtime::config::Rate;
use frontdesk_world::event::message_from;
use frontdesk_world::{User, World, plan};

#[tokio::test]
async fn a_person_over_the_rate_limit_gets_one_notice_a_minute() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 6, burst: 2 })).await;
    let anna = world.user("anna");
    anna.says("one").await;
    anna.says("two").await;
    for n in 0..5 {
        let outcome = anna.tries(&format!("too fast {n}")).await;
        assert!(matches!(outcome, Outcome::Refused { reason: Refusal::RateLimited, .. }), "{outcome:?}");
    }
    world.at_rest().await;
    let notices = || anna.sees().iter().filter(|text| text.contains("too fast")).count();
    assert_eq!(notices(), 1);
    assert_eq!(anna.answers(), ["one", "two"]);
    world.clock().pass(Duration::from_secs(60));
    anna.says("patient again").await;
    world.at_rest().await;
    assert_eq!(anna.answers().last().unwrap(), "patient again");
}

#[tokio::test]
async fn the_rate_limit_counts_an_album_as_one_message() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 6, burst: 2 })).await;
    let accepted = async |album: &str| {
        let mut accepted = 0;
        for n in 0..4 {
            let piece = message_from("anna", &format!("{album} {n}")).of_album(album);
            let outcome = world.platform().outcome_of(piece).await;
            accepted += usize::from(matches!(outcome, Outcome::Accepted { .. }));
        }
        accepted
    };
    assert_eq!((accepted("a").await, accepted("b").await, accepted("c").await), (4, 4, 0));
    world.clock().pass(Duration::from_secs(10));
    assert_eq!(accepted("c").await, 0, "a refused album is refused as a whole");
    assert_eq!(accepted("d").await, 4);
}

#[tokio::test]
async fn the_flood_of_one_person_limits_nobody_else() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 6, burst: 1 })).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    for n in 0..20 {
        anna.tries(&format!("flood {n}")).await;
    }
    ben.says("hello").await;
    assert_eq!(ben.hears().await, "hello");
}

#[tokio::test]
async fn people_of_a_role_have_a_rate_of_their_own() {
    let plan = plan().role("guest", Role::default()).with(|config| {
        config.limits.user = Rate { per_minute: 60, burst: 3 };
        config.limits.role.insert("guest".to_owned(), Rate { per_minute: 1, burst: 1 });
    });
    let plan = plan.routing(|routing| {
        let role = Some("guest".to_owned());
        routing.people.insert("ben".to_owned(), Assignment { agent: None, role });
    });
    let world = World::with(plan).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    let accepted = async |user: &User| {
        let mut accepted = 0;
        for n in 0..4 {
            accepted += usize::from(matches!(user.tries(&format!("m{n}")).await, Outcome::Accepted { .. }));
        }
        accepted
    };
    assert_eq!((accepted(&anna).await, accepted(&ben).await), (3, 1));
}

#[tokio::test]
async fn a_stop_works_after_too_many_messages_and_a_flood_of_them_does_not() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 1, burst: 1 })).await;
    let anna = world.user("anna");
    world.agent().will([frontdesk_world::Step::Hang]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("/stop").await;
    assert_eq!(anna.hears().await, "Stopped the answer.");
    for _ in 0..9 {
        assert!(matches!(anna.tries("/stop").await, Outcome::Accepted { .. }));
    }
    for _ in 0..30 {
        assert!(matches!(anna.tries("/stop").await, Outcome::Refused { .. }));
    }
    assert!(matches!(world.user("ben").tries("/stop").await, Outcome::Accepted { .. }));
    world.at_rest().await;
    let told =
        anna.sees().into_iter().filter(|text| text.starts_with("You are sending messages too fast.")).count();
    assert!(told <= 1, "{told}");
    world.clock().pass(Duration::from_secs(60));
    assert!(matches!(anna.tries("/stop").await, Outcome::Accepted { .. }));
}

#[tokio::test]
async fn one_persons_commands_in_a_group_do_not_delay_the_answers_to_others() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 60, burst: 0 })).await;
    let platform = world.platform();
    let mut replies = 0;
    for _ in 0..40 {
        let outcome = platform.outcome_of(message_from("mallory", "/help").in_group("-1")).await;
        replies += usize::from(matches!(outcome, Outcome::Accepted { .. }));
    }
    assert_eq!(replies, 10, "a minute's worth");
    for event in
        [message_from("ben", "/help").in_group("-1"), message_from("mallory", "hello").in_group("-1")]
    {
        assert!(
            matches!(platform.outcome_of(event).await, Outcome::Accepted { .. }),
            "no other message counts"
        );
    }
    for who in ["root", "anna"] {
        for _ in 0..15 {
            let place = message_from(who, "/help");
            let event = if who == "root" { place.in_group("-1") } else { place };
            let outcome = platform.outcome_of(event).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "admins, and private chats: {outcome:?}");
        }
    }
    world.clock().pass(Duration::from_secs(60));
    let later = platform.outcome_of(message_from("mallory", "/help").in_group("-1")).await;
    assert!(matches!(later, Outcome::Accepted { .. }), "{later:?}");
}

#[tokio::test]
async fn a_stop_is_not_charged_to_its_sender() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 1, burst: 1 })).await;
    let anna = world.user("anna");
    anna.says("/stop").await;
    anna.says("hello").await;
    world.at_rest().await;
    assert_eq!(anna.answers(), ["There is nothing to stop.", "hello"]);
}

#[tokio::test]
async fn a_redelivery_over_the_limit_is_still_the_message_it_was() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 1, burst: 1 })).await;
    let anna = world.user("anna");
    let number = anna.writes("/new hello");
    let Outcome::Accepted { message, session } = world.platform().outcome(number).await else { panic!() };
    world.platform().redeliver(number, "/new hello", "anna");
    assert_eq!(world.platform().outcome(number + 1).await, Outcome::Duplicate { message, session });
    world.at_rest().await;
    assert_eq!(anna.sees(), ["hello"], "a redelivery causes no notice");
}

#[tokio::test]
async fn a_redelivered_refused_message_is_refused_again_without_another_notice() {
    let mut world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 1, burst: 1 })).await;
    let anna = world.user("anna");
    anna.says("one").await;
    let number = anna.writes("too fast");
    let first = world.platform().outcome(number).await;
    assert!(matches!(first, Outcome::Refused { reason: Refusal::RateLimited, .. }), "{first:?}");
    world.crash().await;
    world.platform().redeliver(number, "too fast", "anna");
    world.start().await.unwrap();
    assert_eq!(world.platform().outcome(number + 1).await, first);
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 2, "{:?}", anna.sees());
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_and_not_lost_silently() {
    let world = World::with(plan().with(|config| config.queue.max_text = 100)).await;
    let anna = world.user("anna");
    let outcome = anna.tries(&"x".repeat(101)).await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::TooLong, .. }), "{outcome:?}");
    assert!(anna.hears().await.contains("too long"));
    anna.says(&"y".repeat(100)).await;
    assert_eq!(anna.hears().await, "y".repeat(100));
}

#[tokio::test]
async fn nothing_that_is_empty_reaches_the_agent() {
    let world = World::new().await;
    let anna = world.user("anna");
    assert_eq!(anna.tries("  \n ").await, Outcome::Ignored);
    world.at_rest().await;
    assert!(world.agent().turns().is_empty());
}

#[tokio::test]
async fn a_forwarded_stop_is_an_ordinary_message() {
    let world =
        World::with(plan().with(|config| config.limits.user = Rate { per_minute: 1, burst: 1 })).await;
    let platform = world.platform();
    let forwarded = || frontdesk_world::event::message_from("anna", "/stop please").forwarded();
    assert!(matches!(platform.outcome_of(forwarded()).await, Outcome::Accepted { .. }));
    let second = platform.outcome_of(forwarded()).await;
    assert!(matches!(second, Outcome::Refused { reason: Refusal::RateLimited, .. }), "{second:?}");
}

#[tokio::test]
async fn a_person_may_send_a_minutes_worth_at_once_by_default() {
    let world = World::with(plan().with(|config| config.limits = Default::default())).await;
    let anna = world.user("anna");
    for n in 0..60 {
        let outcome = anna.tries(&format!("{n}")).await;
        let limited = matches!(outcome, Outcome::Refused { reason: Refusal::RateLimited, .. });
        assert!(!limited, "{n}: {outcome:?}");
    }
    let outcome = anna.tries("one too many").await;
    assert!(matches!(outcome, Outcome::Refused { reason: Refusal::RateLimited, .. }), "{outcome:?}");
}

#[tokio::test]
async fn admins_have_a_higher_rate_limit() {
    let low = Rate { per_minute: 1, burst: 1 };
    let plan = plan().with(|config| {
        config.limits.user = low;
        config.limits.chat = low;
        config.limits.account = low;
        config.queue.per_session = 1000;
    });
    let world = World::with(plan).await;
    let (root, anna) = (world.user("root"), world.user("anna"));
    let limited =
        |outcome: &Outcome| matches!(outcome, Outcome::Refused { reason: Refusal::RateLimited, .. });
    for n in 0..600 {
        let outcome = root.tries(&format!("{n}")).await;
        assert!(!limited(&outcome), "{n}: {outcome:?}");
    }
    assert!(limited(&root.tries("more than ten a second").await));
    assert!(!limited(&anna.tries("one").await), "and costs others nothing");
    assert!(limited(&anna.tries("two").await));
}

#[tokio::test]
async fn one_person_in_many_topics_gets_one_notice_a_minute() {
    let world = World::with(plan().with(|config| {
        config.limits.user = Rate { per_minute: 6, burst: 1 };
        config.queue.max_text = 100;
    }))
    .await;
    let platform = world.platform();
    for n in 0..40 {
        platform.outcome_of(message_from("anna", "too fast").in_topic("-1", &format!("{n}"))).await;
        platform.outcome_of(message_from("anna", &"x".repeat(101)).in_topic("-1", &format!("{n}"))).await;
        platform.outcome_of(message_from("anna", "").unreadable().in_topic("-1", &format!("{n}"))).await;
    }
    world.at_rest().await;
    let notices = world.outbox().await.into_iter().filter(|row| row.post.kind == PostKind::Notice).count();
    assert_eq!(notices, 1);
    // Another person is still told.
    platform.outcome_of(message_from("ben", &"x".repeat(101)).in_topic("-1", "5")).await;
    world.at_rest().await;
    let notices = world.outbox().await.into_iter().filter(|row| row.post.kind == PostKind::Notice).count();
    assert_eq!(notices, 2);
}

#[tokio::test]
async fn full_sessions_in_many_topics_are_one_notice_too() {
    let world = World::with(plan().with(|config| config.queue.per_session = 1)).await;
    let platform = world.platform();
    world.agent().will([frontdesk_world::Step::Hang]);
    for n in 0..10 {
        for _ in 0..3 {
            platform.outcome_of(message_from("anna", "again").in_topic("-1", &format!("{n}"))).await;
        }
    }
    let notices =
        || async { world.outbox().await.into_iter().filter(|row| row.post.kind == PostKind::Notice).count() };
    assert_eq!(notices().await, 1);
}

#[tokio::test]
async fn the_topics_of_a_chat_share_its_limit() {
    let world =
        World::with(plan().with(|config| config.limits.chat = Rate { per_minute: 6, burst: 2 })).await;
    let platform = world.platform();
    let mut refused = 0;
    for (n, person) in ["anna", "ben", "carl", "dora"].into_iter().enumerate() {
        let outcome =
            platform.outcome_of(message_from(person, "hello").in_topic("-1", &format!("{n}"))).await;
        refused += usize::from(matches!(outcome, Outcome::Refused { reason: Refusal::RateLimited, .. }));
    }
    assert_eq!(refused, 2);
    world.at_rest().await;
}

#[tokio::test]
async fn notices_and_replies_to_commands_in_many_topics_stand_behind_an_answer() {
    let world = World::with(
        plan()
            .paced_in_groups(Duration::from_secs(3))
            .with(|config| config.limits.user = Rate { per_minute: 600, burst: 600 }),
    )
    .await;
    let platform = world.platform();
    for n in 100..140 {
        platform.outcome_of(message_from("anna", "/help").in_topic("-1", &format!("{n}"))).await;
    }
    platform.outcome_of(message_from("ben", "important").in_topic("-1", "7")).await;
    // Its place in the order: before it are those that were sent at once, and one that was being sent.
    for _ in 0..6 {
        world.clock().pass(Duration::from_secs(3));
        world.round_trip().await;
    }
    let shown = platform.chat("-1");
    let at = shown.iter().position(|posted| posted.text.contains("important"));
    assert!(at.is_some_and(|at| at <= 7), "{at:?} of {}", shown.len());
}

#[tokio::test]
async fn a_reply_to_a_command_is_sent_while_answers_to_other_topics_keep_coming() {
    let world = World::with(plan().paced_in_groups(Duration::from_secs(3)).with(|config| {
        config.limits.user = Rate::default();
        config.limits.chat = Rate::default();
    }))
    .await;
    let platform = world.platform();
    let ask = async |topic: u32| {
        platform.outcome_of(message_from("anna", "hello").in_topic("-1", &format!("{topic}"))).await;
    };
    for topic in 100..130 {
        ask(topic).await;
    }
    platform.outcome_of(message_from("ben", "/help").in_topic("-1", "7")).await;
    // More than the five minutes for which the reply is delayed, and its place in the order behind thirty answers.
    for topic in 130..280 {
        ask(topic).await;
        world.clock().pass(Duration::from_secs(3));
        world.round_trip().await;
    }
    let shown = platform.chat("-1");
    assert!(shown.len() < 181, "answers still wait");
    assert!(
        shown.iter().any(|posted| posted.text.contains("/new")),
        "the reply is not among {}",
        shown.len()
    );
}
