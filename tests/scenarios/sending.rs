//! What hooks make of texts before they are sent: every outgoing text, whoever made it.

use std::time::Duration;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::delivery::{Bucket, PostKind, SendError};
use frontdesk_core::hook::{HookError, HookPoint, HookVerdict};
use frontdesk_core::pairing::MASK;
use frontdesk_core::profile::Flow;
use frontdesk_store::row::{OutboxRow, OutboxState};
use frontdesk_world::wait::until;
use frontdesk_world::{Step, TestHook, World, operator, plan};

use crate::files::made;
use crate::growing::in_pieces;

/// A hook that adds a mark to every outgoing text.
fn marks() -> TestHook {
    TestHook::at([HookPoint::MessageSending], |event| {
        Ok(HookVerdict::Rewrite(format!("{} ✓", event.clone().text_mut().unwrap())))
    })
}

/// A hook that drops every outgoing text with this word.
fn drops(word: &'static str) -> TestHook {
    TestHook::at([HookPoint::MessageSending], move |event| {
        Ok(match event.clone().text_mut().unwrap().contains(word) {
            true => HookVerdict::Drop(format!("{word} is not for others")),
            false => HookVerdict::Pass,
        })
    })
}

fn broken() -> TestHook {
    TestHook::at([HookPoint::MessageSending], |_| Err(HookError("no connection".to_owned())))
}

async fn dead_answers(world: &World) -> Vec<OutboxRow> {
    let is_dead = |row: &OutboxRow| row.post.kind == PostKind::Answer && row.state == OutboxState::Dead;
    world.outbox().await.into_iter().filter(is_dead).collect()
}

#[tokio::test]
async fn answers_replies_notices_captions_and_messages_of_the_operator_are_seen() {
    let world = World::with(plan().hook(marks()).files_up_to(Some(1_000_000))).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello ✓");
    anna.says("/new").await;
    assert!(anna.hears().await.ends_with(" ✓"), "a reply");
    world.agent().will([Step::Fail]);
    anna.says("fail").await;
    assert_eq!(anna.hears().await, "The agent could not answer. Send /retry to try again. ✓");
    made(&world, "a.txt", b"x");
    world.agent().will([Step::File("a.txt", Some("look")), Step::Say("here")]);
    anna.says("file").await;
    assert_eq!((anna.hears().await, anna.hears().await), ("here ✓".to_owned(), "look ✓".to_owned()));
    let sent = world.handle().send(&"fake:anna".parse().unwrap(), "news", None, "k1", &operator()).await;
    assert_eq!(sent.unwrap()[0].post.part.plain, "news ✓");
    assert_eq!(anna.hears().await, "news ✓");
    world.at_rest().await;
    assert_eq!(world.history("anna").await[0].answer.as_deref(), Some("hello ✓"), "the history shows it too");
}

#[tokio::test]
async fn a_text_that_a_hook_drops_is_in_the_outbox_and_nowhere_else() {
    let world = World::with(plan().hook(drops("secret")).files_up_to(Some(1_000_000))).await;
    let anna = world.user("anna");
    made(&world, "a.txt", b"x");
    world.agent().will([Step::File("a.txt", None), Step::Say("the secret is 7")]);
    let message = anna.says("go").await;
    let ended = world.ended(message).await;
    assert_eq!((ended.message.state.name(), ended.answer), ("answered", None));
    made(&world, "b.txt", b"x");
    world.agent().will([Step::File("b.txt", Some("the secret")), Step::Say("fine")]);
    anna.says("go").await;
    let sent = world.handle().send(&"fake:anna".parse().unwrap(), "a secret", None, "k1", &operator()).await;
    let again = world.handle().send(&"fake:anna".parse().unwrap(), "a secret", None, "k1", &operator()).await;
    assert_eq!(sent.unwrap()[0].post.out, again.unwrap()[0].post.out);
    world.at_rest().await;
    assert_eq!(anna.sees(), ["fine"]);
    let rows = world.outbox().await;
    let dropped: Vec<_> = rows.iter().filter(|row| row.state == OutboxState::Dropped).collect();
    let mut texts: Vec<&str> = dropped.iter().map(|row| row.post.part.body.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["a secret", "the secret", "the secret is 7"]);
    let why = "dropped by the hook test: secret is not for others";
    assert!(dropped.iter().all(|row| row.error.as_deref() == Some(why)), "{dropped:?}");
}

#[tokio::test]
async fn a_hook_that_fails_closed_keeps_everything_back_until_an_operator_has_it_tried_again() {
    let hook = marks().fails_closed();
    let seen = hook.seen();
    let world = World::with(plan().hook(hook)).await;
    let anna = world.user("anna");
    seen.hangs(true);
    for (n, text) in (1..).zip(["hello", "/whoami"]) {
        anna.says(text).await;
        until("it is given up", || async {
            world.clock().pass(Duration::from_millis(500));
            (dead_answers(&world).await.len() == n).then_some(())
        })
        .await;
    }
    // The notices that something is missing are kept back as well.
    until("nothing waits for the hook", || async {
        world.clock().pass(Duration::from_millis(500));
        let rows = world.outbox().await;
        (rows.len() == 4 && rows.iter().all(|row| row.state == OutboxState::Dead)).then_some(())
    })
    .await;
    seen.hangs(false);
    assert!(anna.sees().is_empty(), "{:?}", anna.sees());
    for row in dead_answers(&world).await {
        let error = row.error.as_deref().unwrap();
        assert_eq!(error, "the hook test, which must check every text first, failed");
        world.handle().retry_part(row.post.out, &operator()).await.unwrap();
    }
    assert_eq!(anna.hears().await, "hello ✓");
    assert!(anna.hears().await.ends_with(" ✓"));
}

#[tokio::test]
async fn a_hook_that_fails_open_changes_nothing() {
    let world = World::with(plan().hook(broken())).await;
    let anna = world.user("anna");
    anna.says("hello").await;
    assert_eq!(anna.hears().await, "hello");
    anna.says("/new").await;
    assert!(anna.hears().await.starts_with("New conversation."));
}

#[tokio::test]
async fn an_answer_is_not_shown_before_a_hook_has_seen_all_of_it() {
    let every = Duration::from_millis(800);
    for flow in [Flow::Edits { every }, Flow::Draft { every }, Flow::Live, Flow::Blocks { every }] {
        let world = World::with(plan().flow(flow).hook(drops("secret"))).await;
        let anna = world.user("anna");
        world.agent().will(in_pieces(&["this is ", "a secret"]));
        anna.says("go").await;
        world.agent().begun(1).await;
        for _ in 0..3 {
            world.clock().pass(every);
            world.round_trip().await;
        }
        world.agent().resume();
        world.agent().resume();
        until("the turn ends", || async {
            world.agent().resume();
            let row = world.history("anna").await;
            (row[0].message.state.name() == "answered").then_some(())
        })
        .await;
        world.at_rest().await;
        assert!(anna.sees().is_empty(), "{flow:?}: {:?}", anna.sees());
        assert!(world.platform().drafts("anna").is_empty(), "{flow:?}");
        assert!(world.platform().deltas("anna").is_empty(), "{flow:?}");
    }
}

#[tokio::test]
async fn a_hook_that_takes_pieces_changes_what_grows_in_the_chat() {
    let hook = TestHook::at([HookPoint::MessageSending], |event| {
        Ok(HookVerdict::Rewrite(event.clone().text_mut().unwrap().replace("colour", "color")))
    })
    .takes_pieces();
    let world = World::with(plan().edits(800).hook(hook)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["a colour", " and a colour"]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |message| message.text == "a color").await;
    world.agent().resume();
    world.agent().resume();
    until("the answer is complete", || async {
        world.agent().resume();
        (anna.sees() == ["a color and a color"]).then_some(())
    })
    .await;
    world.at_rest().await;
}

#[tokio::test]
async fn what_grew_in_the_chat_is_taken_back_if_the_whole_answer_is_dropped() {
    let world = World::with(plan().edits(800).hook(drops("secret").takes_pieces())).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["this is ", "a secret"]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    until("it is taken back", || async {
        world.agent().resume();
        anna.sees().is_empty().then_some(())
    })
    .await;
    world.at_rest().await;
}

#[tokio::test]
async fn a_changed_text_is_sent_as_it_is_stored_after_a_kill() {
    let hook = marks();
    let seen = hook.seen();
    let mut world = World::with(plan().hook(hook)).await;
    let anna = world.user("anna");
    let later = SendError::Later { after: None, scope: Bucket::Chat, detail: "slow down".into() };
    world.platform().answer_all("anna", Some(later));
    anna.says("/whoami").await;
    until("the hook has seen it", || async { (seen.texts().len() == 1).then_some(()) }).await;
    until("what it made of it is stored", || async {
        world.outbox().await[0].post.part.plain.ends_with(" ✓").then_some(())
    })
    .await;
    world.crash().await;
    world.platform().answer_all("anna", None);
    world.start().await.unwrap();
    world.clock().pass(Duration::from_secs(60));
    let heard = anna.hears().await;
    assert!(heard.ends_with(". ✓") && !heard.ends_with("✓ ✓"), "{heard}");
    world.at_rest().await;
    assert_eq!((seen.texts().len(), anna.sees().len()), (1, 1));
}

#[tokio::test]
async fn a_text_is_seen_again_after_a_kill_between_the_hook_and_the_database() {
    let hook = marks();
    let seen = hook.seen();
    let mut world = World::with(plan().hook(hook)).await;
    let anna = world.user("anna");
    seen.hangs(true);
    anna.says("/whoami").await;
    until("the hook has it", || async { (seen.texts().len() == 1).then_some(()) }).await;
    world.crash().await;
    assert!(anna.sees().is_empty());
    seen.hangs(false);
    world.start().await.unwrap();
    assert!(anna.hears().await.ends_with(". ✓"));
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1);
}

#[tokio::test]
async fn a_longer_text_keeps_its_place_before_what_was_stored_after_it() {
    let long = TestHook::at([HookPoint::MessageSending], |event| {
        let text = event.clone().text_mut().unwrap().clone();
        let is_reply = text.starts_with("Your id");
        Ok(if is_reply { HookVerdict::Rewrite("word ".repeat(40)) } else { HookVerdict::Pass })
    });
    let seen = long.seen();
    let world = World::with(plan().hook(long)).await;
    let anna = world.user("anna");
    seen.hangs(true);
    anna.says("/whoami").await;
    until("the hook has it", || async { (seen.texts().len() == 1).then_some(()) }).await;
    anna.says("/new").await;
    seen.hangs(false);
    until("both are sent", || async {
        world.clock().pass(Duration::from_millis(500));
        (anna.sees().iter().any(|text| text.starts_with("New")) && anna.sees().len() > 1).then_some(())
    })
    .await;
    world.at_rest().await;
    assert!(anna.sees().last().unwrap().starts_with("New"), "{:?}", anna.sees());
}

#[tokio::test]
async fn hooks_see_the_mask_and_never_a_pairing_code() {
    let hook = marks();
    let seen = hook.seen();
    let onlooker = TestHook::observes([HookPoint::MessageSent]);
    let sent = onlooker.seen();
    let mut world =
        World::with(plan().access(|access| access.dm_policy = DmPolicy::Pairing).hook(hook).hook(onlooker))
            .await;
    let eve = world.user("eve");
    eve.tries("hello").await;
    let notice = eve.hears().await;
    assert!(notice.ends_with(" ✓") && !notice.contains(MASK), "{notice}");
    let asked = seen.texts().into_iter().find(|text| text.contains("Your code is")).unwrap();
    assert!(asked.contains(MASK), "{asked}");
    let code = notice.split("code is ").nth(1).unwrap()[..8].to_owned();
    world.at_rest().await;
    world.stop().await;
    assert!(sent.shown().iter().all(|event| !event.contains(&code)), "{:?}", sent.shown());
    assert!(seen.texts().iter().all(|text| !text.contains(&code)));
}
