//! Delivery of answers.

use std::time::Duration;

use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_runtime::config::Ambiguous;
use frontdesk_world::event::message_from;
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, operator, plan};

#[tokio::test]
async fn a_pause_that_the_platform_asks_for_is_kept_and_the_order_stays() {
    let world = World::new().await;
    let anna = world.user("anna");
    let after = Some(Duration::from_secs(30));
    let later = SendError::Later { after, scope: Bucket::Chat, detail: "429".into() };
    world.platform().fails([Fault::Answer(later)]);
    anna.says("one").await;
    refused(&world, 1).await;
    anna.says("two").await;
    world.asleep(Duration::from_secs(30)).await;
    world.clock().pass(Duration::from_secs(29));
    world.round_trip().await;
    assert!(anna.sees().is_empty());
    world.clock().pass(Duration::from_secs(1));
    assert_eq!([anna.hears().await, anna.hears().await], ["one", "two"]);
    world.at_rest().await;
    assert_eq!(world.outbox().await[0].attempts, 1, "waiting is no attempt");
}

#[tokio::test]
async fn a_fault_of_the_platform_is_tried_again_with_backoff() {
    let world = World::new().await;
    let anna = world.user("anna");
    let fault = || Fault::Answer(SendError::Later { after: None, scope: Bucket::Chat, detail: "502".into() });
    world.platform().fails([fault(), fault()]);
    anna.says("hello").await;
    refused(&world, 1).await;
    passing_until(&world, Duration::from_millis(500), || world.platform().journal().len() >= 3).await;
    assert_eq!(anna.hears().await, "hello");
    world.at_rest().await;
    assert_eq!(world.outbox().await[0].attempts, 3);
}

#[tokio::test]
async fn a_part_that_is_refused_for_good_gets_one_notice() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("too strange".into()))]);
    anna.says("hello").await;
    assert!(anna.hears().await.contains("could not be delivered"));
    anna.says("next").await;
    assert_eq!(anna.hears().await, "next");
    world.at_rest().await;
    let outbox = world.outbox().await;
    assert_eq!(outbox[0].state.name(), "dead");
    assert!(outbox[0].error.as_deref().unwrap().contains("too strange"));
}

#[tokio::test]
async fn a_notice_that_is_refused_makes_no_other_notice() {
    let world = World::new().await;
    let anna = world.user("anna");
    let refused = || Fault::Answer(SendError::Refused("no".into()));
    world.platform().fails([refused(), refused()]);
    anna.says("hello").await;
    world.at_rest().await;
    assert!(anna.sees().is_empty());
    let states: Vec<&str> = world.outbox().await.into_iter().map(|row| row.state.name()).collect();
    assert_eq!(states, ["dead", "dead"]);
}

#[tokio::test]
async fn markup_that_is_not_understood_is_sent_as_plain_text_once() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Markup("bad tag".into()))]);
    anna.says("**bold** move").await;
    assert_eq!(anna.hears().await, "bold move");
    world.at_rest().await;
}

#[tokio::test]
async fn a_deleted_chat_ends_only_its_own_parts() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.platform().set_offline(true);
    anna.says("one").await;
    anna.says("two").await;
    until("both are stored", || async { (world.outbox().await.len() == 2).then_some(()) }).await;
    world.platform().fails([Fault::Answer(SendError::Gone("blocked".into()))]);
    world.platform().set_offline(false);
    passing_until(&world, Duration::from_secs(1), || !world.platform().journal().is_empty()).await;
    world.at_rest().await;
    assert!(world.outbox().await.iter().all(|row| row.state.name() == "dead"));
    ben.says("hello").await;
    assert_eq!(ben.hears().await, "hello");
}

#[tokio::test]
async fn a_platform_that_is_away_gets_everything_when_it_comes_back() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().set_offline(true);
    for text in ["one", "two", "three"] {
        anna.says(text).await;
    }
    world.clock().pass(Duration::from_secs(1800));
    assert!(anna.sees().is_empty());
    world.platform().set_offline(false);
    passing_until(&world, Duration::from_secs(1), || anna.sees().len() == 3).await;
    assert_eq!(anna.sees(), ["one", "two", "three"]);
    world.at_rest().await;
    assert!(world.outbox().await.iter().all(|row| row.attempts == 1), "waiting is no attempt");
}

#[tokio::test]
async fn an_answer_that_is_too_old_becomes_one_notice() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().set_offline(true);
    anna.says("one").await;
    anna.says("two").await;
    until("both are stored", || async { (world.outbox().await.len() == 2).then_some(()) }).await;
    world.clock().pass(Duration::from_secs(24 * 3600 + 1));
    until("they have expired", || async {
        world.clock().pass(Duration::from_secs(1));
        let outbox = world.outbox().await;
        (outbox.iter().filter(|row| row.state.name() == "dead").count() == 2).then_some(())
    })
    .await;
    world.platform().set_offline(false);
    passing_until(&world, Duration::from_secs(1), || !anna.sees().is_empty()).await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!(sees.len(), 1, "{sees:?}");
    assert!(sees[0].contains("could not be delivered in time"), "{sees:?}");
}

#[tokio::test]
async fn a_part_that_may_have_arrived_is_sent_again_unless_the_operator_holds_it() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::LostAnswer]);
    anna.says("hello").await;
    passing_until(&world, Duration::from_secs(1), || anna.sees().len() == 2).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["hello", "hello"], "at least once");

    let hold = plan().with(|config| config.delivery.on_ambiguous = Ambiguous::Hold);
    let world = World::with(hold).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::LostAnswer]);
    anna.says("hello").await;
    anna.says("next").await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["hello", "next"], "held, and not in the way of later parts");
    assert_eq!(world.outbox().await[0].state.name(), "unknown");
}

#[tokio::test]
async fn a_request_that_never_ends_is_given_up_and_made_again() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Hang]);
    anna.says("hello").await;
    passing_until(&world, Duration::from_secs(10), || anna.sees().len() == 1).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["hello"]);
}

#[tokio::test]
async fn a_panic_in_an_adapter_fails_only_the_part_being_sent() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Panic]);
    anna.says("one").await;
    assert!(anna.hears().await.contains("could not be delivered"));
    anna.says("two").await;
    assert_eq!(anna.hears().await, "two");
    world.at_rest().await;
    assert_eq!(world.outbox().await[0].state.name(), "dead");
}

#[tokio::test]
async fn a_chat_gets_no_more_than_its_pace_however_much_arrives() {
    let world = World::with(plan().paced(Duration::from_secs(1))).await;
    let anna = world.user("anna");
    for text in ["one", "two", "three"] {
        anna.says(text).await;
    }
    assert_eq!(anna.hears().await, "one");
    until("all answers are stored", || async { (world.outbox().await.len() == 3).then_some(()) }).await;
    world.round_trip().await;
    assert_eq!(anna.sees().len(), 1, "no time has passed");
    let mut times = Vec::new();
    let mut passed = Duration::ZERO;
    until("all were posted", || {
        if anna.sees().len() > times.len() + 1 {
            times.push(passed);
        }
        passed += Duration::from_millis(100);
        world.clock().pass(Duration::from_millis(100));
        std::future::ready((times.len() == 2).then_some(()))
    })
    .await;
    assert!(times[0] >= Duration::from_secs(1) && times[1] >= Duration::from_secs(2), "{times:?}");
    assert_eq!(anna.sees(), ["one", "two", "three"]);
    world.at_rest().await;
}

#[tokio::test]
async fn an_operator_can_send_retry_and_drop() {
    let world = World::new().await;
    let anna = world.user("anna");
    let to = "fake:anna".parse().unwrap();
    let first = world.handle().send(&to, "good **morning**", None, "k1", &operator()).await.unwrap();
    let again = world.handle().send(&to, "good **morning**", None, "k1", &operator()).await.unwrap();
    assert_eq!(first[0].post.out, again[0].post.out, "the same request is the same row");
    assert_eq!(anna.hears().await, "good <b>morning</b>");
    world.at_rest().await;

    let refused = || Fault::Answer(SendError::Refused("no".into()));
    world.platform().fails([refused(), refused()]);
    let row = world.handle().send(&to, "once more", None, "k2", &operator()).await.unwrap().remove(0);
    world.at_rest().await;
    world.handle().retry_part(row.post.out, &operator()).await.unwrap();
    assert_eq!(anna.hears().await, "once more");
    assert!(
        world.handle().drop_part(row.post.out, &operator()).await.is_err(),
        "what was sent cannot be dropped"
    );
    assert!(world.handle().send(&"nowhere:1".parse().unwrap(), "x", None, "k3", &operator()).await.is_err());
    assert!(world.handle().send(&to, "  ", None, "k4", &operator()).await.is_err());
}

#[tokio::test]
async fn refused_credentials_stop_the_account_and_show() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Credentials("revoked".into()))]);
    anna.says("hello").await;
    refused(&world, 1).await;
    let error = until("the account shows it", || async { world.handle().accounts()[0].error.clone() }).await;
    assert!(error.contains("credentials"), "{error}");
    passing_until(&world, Duration::from_secs(10), || !anna.sees().is_empty()).await;
    assert_eq!(anna.sees(), ["hello"], "when the operator has acted, nothing was lost");
}

/// Waits until the platform has refused `count` requests.
async fn refused(world: &World, count: usize) {
    until("the platform has answered", || async {
        let answered = world.platform().journal().iter().filter(|line| line.starts_with("answered")).count();
        (answered >= count).then_some(())
    })
    .await;
}

/// Lets time pass in steps until something holds.
async fn passing_until(world: &World, step: Duration, holds: impl Fn() -> bool) {
    until("it holds after some time", || async {
        if holds() {
            return Some(());
        }
        world.clock().pass(step);
        None
    })
    .await;
}

#[tokio::test]
async fn the_final_edit_of_a_deleted_message_is_posted_as_a_new_one() {
    let world = World::with(plan().edits(500)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("Let me "), Step::Pause, Step::Say("see.")]);
    anna.says("hello").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.asleep(Duration::from_secs(120)).await;
    let gone = SendError::Refused("message to edit not found".into());
    world.platform().fails([Fault::Answer(gone)]);
    world.agent().resume();
    world.at_rest().await;
    let shown: Vec<String> = anna.sees();
    assert_eq!(
        shown,
        ["Let me see."],
        "the answer arrives without a notice, and no partial answer stays above it"
    );
}

#[tokio::test]
async fn an_answer_whose_topic_was_deleted_meanwhile_goes_to_the_chat_itself() {
    for growing in [false, true] {
        let plan = if growing { plan().edits(500) } else { plan() };
        let world = World::with(plan).await;
        world.agent().will([Step::Pause, Step::Say("**one** "), Step::Pause, Step::Echo]);
        world.platform().outcome_of(message_from("anna", "two").in_topic("-1", "6")).await;
        world.agent().begun(1).await;
        world.platform().delete_topic("6");
        world.agent().resume();
        world.round_trip().await;
        world.agent().resume();
        world.at_rest().await;
        let shown: Vec<String> = world.platform().chat("-1").into_iter().map(|sent| sent.text).collect();
        assert_eq!(shown, ["<b>one</b> two"], "once, and no notice about it (growing: {growing})");
        let rows: Vec<_> =
            world.outbox().await.into_iter().filter(|row| row.address.chat() == "-1").collect();
        assert_eq!((rows.len(), rows[0].state.name(), rows[0].address.as_str()), (1, "sent", "fake:-1"));
        assert_eq!(rows[0].attempts, 1, "an address that is gone is no attempt");
    }
}

#[tokio::test]
async fn the_notice_about_a_lost_answer_in_a_deleted_topic_goes_to_the_chat() {
    let world = World::new().await;
    world.platform().delete_topic("6");
    // The answer reaches the chat, which refuses it.
    world.platform().fails([Fault::Answer(SendError::Refused("too strange".into()))]);
    world.platform().outcome_of(message_from("anna", "hello").in_topic("-1", "6")).await;
    world.at_rest().await;
    let shown: Vec<String> = world.platform().chat("-1").into_iter().map(|sent| sent.text).collect();
    assert!(shown.len() == 1 && shown[0].contains("could not be delivered"), "{shown:?}");
}

#[tokio::test]
async fn a_chat_that_has_moved_gets_its_answer_at_its_new_place() {
    let world = World::new().await;
    let moved = Fault::Answer(SendError::Moved { to: "-1002".to_owned() });
    world.platform().fails([moved]);
    world.platform().outcome_of(message_from("anna", "hello").in_group("-1")).await;
    let shown = world.platform().shows("-1002", 1, |_| true).await;
    assert_eq!(shown[0].text, "hello");
    world.at_rest().await;
    assert_eq!(world.outbox().await.last().unwrap().attempts, 1, "a move is no attempt");
}

#[tokio::test]
async fn a_chat_that_moves_under_a_growing_answer_gets_it_whole() {
    let world = World::with(plan().edits(800)).await;
    let moved = || Fault::Answer(SendError::Moved { to: "-1002".to_owned() });
    world.platform().fails([moved(), moved()]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    world.platform().outcome_of(message_from("anna", "count").in_group("-1")).await;
    until("the first post was refused", || async {
        world.platform().journal().iter().any(|line| line.starts_with("answered")).then_some(())
    })
    .await;
    world.agent().resume();
    let shown = world.platform().shows("-1002", 1, |_| true).await;
    assert_eq!(shown[0].text, "one two");
    world.at_rest().await;
    assert!(world.platform().chat("-1").is_empty());
}
