//! Accounts that a reload adds, removes or connects anew.

use frontdesk_core::account::AccountId;
use frontdesk_world::platform::CHANNEL;
use frontdesk_world::{Step, World, plan};

use crate::files::made;
use crate::growing::{EVERY, in_pieces, next_edit};

#[tokio::test]
async fn an_account_that_connects_anew_goes_on_with_a_growing_message() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two ", "three"]));
    anna.says("count").await;
    world.platform().shows("anna", 1, |message| message.text.contains("one")).await;
    let platform = world.shared_platform();
    world.reload().account(&platform).apply(&mut world).await.unwrap();
    frontdesk_world::wait::until("it has connected anew", || async {
        (platform.connections() == 2).then_some(())
    })
    .await;
    for _ in 0..3 {
        world.agent().resume();
        next_edit(&world).await;
    }
    world.at_rest().await;
    let told = world.platform().chat("anna");
    assert_eq!((told.len(), told[0].text.as_str()), (1, "one two three"), "{told:?}");
    anna.says("and now").await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one two three", "and now"]);
}

#[tokio::test]
async fn an_added_account_receives_at_once() {
    let mut world = World::with(plan()).await;
    let work = world.platform().another_account("work");
    let bea = world.user_of(&work, "bea");
    let early = bea.writes("before it is connected");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    work.outcome(early).await;
    assert_eq!(bea.hears().await, "before it is connected");
    world.at_rest().await;
}

#[tokio::test]
async fn what_belongs_to_a_removed_account_waits_until_it_is_back() {
    let mut world = World::with(plan()).await;
    let work = world.platform().another_account("work");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    let bea = world.user_of(&work, "bea");
    world.agent().will([Step::Say("an answer"), Step::Pause]);
    bea.says("first").await;
    world.agent().begun(1).await;
    let waiting = bea.says("second").await;
    world.reload().without(work.account()).apply(&mut world).await.unwrap();
    let late = bea.writes("after it was removed");
    // The running turn ends, and its answer waits; the message that waits is not begun.
    world.agent().resume();
    let part = frontdesk_world::wait::until("the answer is in the outbox", || async {
        world.outbox().await.into_iter().find(|part| part.post.part.plain == "an answer")
    })
    .await;
    world.round_trip().await;
    assert_eq!(work.chat("bea"), []);
    assert_eq!(world.message(waiting).await.message.state.name(), "waiting");
    let why = world.handle().why_it_waits(&part).expect("it says why it waits");
    assert!(why.contains("fake@work"), "{why}");

    world.reload().account(&work).apply(&mut world).await.unwrap();
    work.outcome(late).await;
    world.at_rest().await;
    assert_eq!(bea.sees(), ["an answer", "second", "after it was removed"]);
}

#[tokio::test]
async fn what_is_written_for_a_removed_account_is_sent_in_its_form_when_it_is_back() {
    let mut world = World::with(plan()).await;
    let work = world.platform().another_account("work");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    let bea = world.user_of(&work, "bea");
    let sentence = "A sentence that is one of many. ";
    let says = std::iter::repeat_with(|| Step::Say(sentence)).take(20);
    let answer: Vec<Step> =
        std::iter::once(Step::Pause).chain(says).chain([Step::File("a.txt", None)]).collect();
    made(&world, "a.txt", b"contents");
    world.agent().will(answer);
    bea.says("tell me much").await;
    world.agent().begun(1).await;
    world.reload().without(work.account()).apply(&mut world).await.unwrap();
    world.agent().resume();
    frontdesk_world::wait::until("the answer is in the outbox", || async {
        (!world.outbox().await.is_empty()).then_some(())
    })
    .await;
    world.reload().account(&work).apply(&mut world).await.unwrap();
    world.at_rest().await;
    let told = work.chat("bea");
    let text: String = told.iter().map(|message| message.text.as_str()).collect();
    assert!(
        told.len() > 3 && text.replace(' ', "").contains(&sentence.repeat(20).replace(' ', "")),
        "{told:?}"
    );
    assert!(told.iter().any(|message| message.file.is_some()), "{told:?}");
}

#[tokio::test]
async fn the_only_account_can_be_removed_and_come_back() {
    let mut world = World::with(plan()).await;
    let (only, platform) = (AccountId::default_of(CHANNEL), world.shared_platform());
    for round in 1..4 {
        world.reload().without(&only).apply(&mut world).await.unwrap();
        assert_eq!(world.handle().accounts().len(), 0);
        let text = ["", "one", "two", "three"][round];
        let event = world.user("anna").writes(text);
        world.reload().account(&platform).apply(&mut world).await.unwrap();
        platform.outcome(event).await;
        platform.shows("anna", round, |_| true).await;
    }
    world.at_rest().await;
    assert_eq!(world.user("anna").sees(), ["one", "two", "three"]);
}

#[tokio::test]
async fn another_bot_on_an_account_gets_no_ids_of_the_one_before() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two ", "three"]));
    anna.says("count").await;
    world.platform().shows("anna", 1, |message| message.text.contains("one")).await;
    let (first, other) = (world.shared_platform(), world.platform().another_bot());
    world.reload().account(&other).apply(&mut world).await.unwrap();
    let probe = world.user_of(&other, "probe");
    for _ in 0..3 {
        world.agent().resume();
        probe.says("/whoami").await;
        probe.hears().await;
        world.clock().pass(EVERY);
    }
    world.at_rest().await;
    let (told, before) = (other.chat("anna"), first.chat("anna"));
    assert_eq!((told.len(), told[0].text.as_str()), (1, "one two three"), "{told:?}");
    assert_eq!(told[0].edits, 0);
    assert_eq!(other.count("edit"), 0, "no message of the other bot is edited");
    assert_eq!((before.len(), before[0].text.contains("three")), (1, false), "{before:?}");

    // The same bot again keeps its ids.
    let again = other.clone();
    world.reload().account(&again).apply(&mut world).await.unwrap();
    assert_eq!(other.chat("anna").len(), 1);
}

#[tokio::test]
async fn what_was_to_be_sent_by_the_bot_before_is_sent_anew_and_replies_to_nothing() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two"]));
    anna.says("count").await;
    let first = world.shared_platform();
    first.shows("anna", 1, |message| message.text.contains("one")).await;
    // The final edit waits in the outbox.
    let account = first.account().clone();
    world.reload().without(&account).apply(&mut world).await.unwrap();
    world.agent().resume();
    world.agent().resume();
    frontdesk_world::wait::until("the answer is in the outbox", || async {
        world.outbox().await.into_iter().find(|part| part.post.part.plain == "one two")
    })
    .await;
    let other = first.another_bot();
    world.reload().account(&other).apply(&mut world).await.unwrap();
    world.at_rest().await;
    let told = other.chat("anna");
    assert_eq!((told.len(), told[0].text.as_str()), (1, "one two"), "{told:?}");
    assert_eq!(other.count("edit"), 0);
}

#[tokio::test]
async fn a_mistyped_token_forgets_nothing_and_sends_nothing() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two ", "three"]));
    anna.says("count").await;
    world.platform().shows("anna", 1, |message| message.text.contains("one")).await;
    let (right, mistyped) = (world.shared_platform(), world.platform().another_bot());
    let work = world.platform().another_account("work");
    let probe = world.user_of(&work, "probe");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    // A platform that does not know the token never answers a poll.
    mistyped.hang_polls(true);
    world.reload().account(&mistyped).apply(&mut world).await.unwrap();
    for _ in 0..3 {
        world.agent().resume();
        probe.says("/whoami").await;
        probe.hears().await;
    }
    let part = frontdesk_world::wait::until("the answer is in the outbox", || async {
        world.outbox().await.into_iter().find(|part| part.post.part.plain == "one two three")
    })
    .await;
    let why = world.handle().why_it_waits(&part).expect("it says why it waits");
    assert!(why.contains("fake has the token of another bot"), "{why}");
    assert_eq!(mistyped.journal(), Vec::<String>::new());

    world.reload().account(&right).apply(&mut world).await.unwrap();
    world.at_rest().await;
    let told = right.chat("anna");
    assert_eq!((told.len(), told[0].text.as_str()), (1, "one two three"), "{told:?}");
    assert!(told[0].edits > 0, "the message that was begun is finished");
}
