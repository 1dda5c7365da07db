//! Answers that arrive while the agent is still speaking.

use std::time::Duration;

use frontdesk_core::act::{Bucket, SendError};
use frontdesk_core::profile::Flow;
use frontdesk_world::event::said;
use frontdesk_world::patience::until;
use frontdesk_world::platform::Fault;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn an_answer_grows_in_one_message_and_is_formatted_at_the_end() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("**one** "),
        Step::Pause,
        Step::Say("two "),
        Step::Pause,
        Step::Say("three"),
    ]);
    anna.says("count").await;
    let first = world.platform().shows("anna", 1, |_| true).await;
    assert_eq!(first[0].text, "one", "plain while it is not whole");
    world.clock().pass(Duration::from_millis(800));
    world.agent().go_on();
    world.platform().shows("anna", 1, |message| message.text == "one two").await;
    world.agent().go_on();
    world.platform().shows("anna", 1, |message| message.text == "<b>one</b> two three").await;
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1, "one message: {:?}", anna.sees());
    assert_eq!(world.outbox().await[0].state, "sent");
}

#[tokio::test]
async fn edits_keep_their_pace() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("a"),
        Step::Pause,
        Step::Say("b"),
        Step::Say("c"),
        Step::Say("d"),
        Step::Pause,
    ]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    // No time passes, so no edit may be made, however much is said.
    world.asleep(Duration::from_millis(800)).await;
    world.beat().await;
    assert_eq!(world.platform().chat("anna")[0].edits, 0);
    world.clock().pass(Duration::from_millis(800));
    world.platform().shows("anna", 1, |message| message.text == "abcd").await;
    assert_eq!(world.platform().chat("anna")[0].edits, 1);
    world.agent().go_on();
    world.at_rest().await;
}

#[tokio::test]
async fn a_streamed_answer_that_outgrows_one_message_goes_on_in_the_next() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let words: Vec<String> = (0..60).map(|n| format!("word{n}")).collect();
    let text = words.join(" ");
    world.agent().will([Step::Echo, Step::Pause]);
    anna.says(&text).await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(anna.sees().join(" "), text);
    assert!(anna.sees().len() > 1);
}

#[tokio::test]
async fn a_stream_that_cannot_be_posted_comes_whole() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("no".to_owned()))]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    frontdesk_world::patience::until("the first post was refused", || async {
        world.platform().journal().iter().any(|line| line.starts_with("answered")).then_some(())
    })
    .await;
    world.agent().go_on();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn after_a_crash_the_second_attempt_writes_into_the_same_message() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("first try"), Step::Hang]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |message| message.text == "first try").await;
    // The id must be on disk before the process dies, else the message cannot be found again.
    frontdesk_world::patience::until("the id is stored", || async {
        world.outbox().await[0].platform_message.clone()
    })
    .await;
    world.crash().await;
    world.agent().will([Step::Say("second try")]);
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["second try"]);
    assert!(world.agent().turns()[1].resumed);
}

#[tokio::test]
async fn a_dead_turn_leaves_no_half_answer_that_looks_whole() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("half an ans"), Step::Pause, Step::Fail]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    world.at_rest().await;
    let sees = anna.sees();
    assert!(sees[0].ends_with("(interrupted, /retry)"), "{sees:?}");
}

#[tokio::test]
async fn typing_is_shown_after_a_moment_and_repeated() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("think").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(399));
    world.beat().await;
    assert_eq!(world.platform().typings(), 0);
    for (pass, typings) in [(Duration::from_millis(1), 1), (Duration::from_secs(4), 2)] {
        world.asleep(pass).await;
        world.clock().pass(pass);
        frontdesk_world::patience::until("typing was shown", || async {
            (world.platform().typings() == typings).then_some(())
        })
        .await;
    }
    world.agent().go_on();
    world.at_rest().await;
}

#[tokio::test]
async fn typing_goes_on_until_something_is_shown() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("words, "), Step::Pause, Step::Say("and more")]);
    anna.says("think").await;
    world.agent().begun(1).await;
    for (pass, typings) in [(Duration::from_millis(400), 1), (Duration::from_secs(4), 2)] {
        world.asleep(pass).await;
        world.clock().pass(pass);
        until("typing was shown", || async { (world.platform().typings() == typings).then_some(()) }).await;
    }
    world.agent().go_on();
    assert_eq!(anna.hears().await, "words, and more");
    world.at_rest().await;
}

#[tokio::test]
async fn an_answer_that_is_seen_to_grow_needs_no_typing() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("words"), Step::Pause]);
    anna.says("think").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.beat().await;
    world.clock().pass(Duration::from_secs(20));
    world.beat().await;
    assert_eq!(world.platform().typings(), 0);
    world.agent().go_on();
    world.at_rest().await;
}

#[tokio::test]
async fn blocks_show_whole_paragraphs_alone() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Blocks { every })).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("first\n\nsec"),
        Step::Pause,
        Step::Say("ond\n\n```\ncode\n\nmore"),
        Step::Pause,
        Step::Say("\n```"),
    ]);
    anna.says("go").await;
    let shown = world.platform().shows("anna", 1, |_| true).await;
    assert_eq!(shown[0].text, "first");
    world.agent().go_on();
    world.asleep(every).await;
    world.clock().pass(every);
    world.platform().shows("anna", 1, |message| message.text == "first\n\nsecond").await;
    world.clock().pass(every);
    world.beat().await;
    assert_eq!(world.platform().chat("anna")[0].edits, 1, "code that is not whole is not shown");
    world.agent().go_on();
    world.platform().shows("anna", 1, |message| message.text.contains("more")).await;
    world.at_rest().await;
    assert_eq!(anna.sees().len(), 1);
}

#[tokio::test]
async fn a_draft_grows_in_private_and_the_answer_is_a_message() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("**one** "), Step::Pause, Step::Say("two"), Step::Pause]);
    anna.says("count").await;
    until("the draft is shown", || async { (world.platform().drafts("anna").len() == 1).then_some(()) })
        .await;
    assert!(anna.sees().is_empty() && world.outbox().await.is_empty(), "a draft is no message and no row");
    world.agent().go_on();
    world.asleep(every).await;
    world.clock().pass(every);
    until("it has grown", || async { (world.platform().drafts("anna").len() == 2).then_some(()) }).await;
    world.agent().go_on();
    assert_eq!(anna.hears().await, "<b>one</b> two");
    world.at_rest().await;
    let drafts = world.platform().drafts("anna");
    assert_eq!([drafts[0].1.as_str(), drafts[1].1.as_str()], ["one", "one two"]);
    assert!(drafts[0].0 == drafts[1].0 && drafts[0].0 != 0, "one draft: {drafts:?}");
    assert_eq!(anna.sees().len(), 1);
}

#[tokio::test]
async fn where_drafts_are_refused_the_answer_comes_whole() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    world.platform().refuse_drafts();
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    until("typing was shown", || async { (world.platform().typings() == 1).then_some(()) }).await;
    world.agent().go_on();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn in_a_group_there_are_edits_in_place_of_drafts() {
    let world = World::with(plan().flow(Flow::Draft { every: Duration::from_millis(800) })).await;
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    world.platform().brought(said("anna", "count").in_group("-1")).await;
    world.platform().shows("-1", 1, |message| message.text == "one").await;
    world.agent().go_on();
    world.platform().shows("-1", 1, |message| message.text == "one two").await;
    world.at_rest().await;
    assert!(world.platform().drafts("-1").is_empty());
    assert_eq!(world.platform().chat("-1").len(), 1);
}

#[tokio::test]
async fn an_agent_that_stays_silent_in_a_group_is_not_seen_to_begin() {
    let world = World::with(plan().edits(800)).await;
    world.agent().will([Step::Say("NO_"), Step::Pause, Step::Say("REPLY"), Step::Pause]);
    world.platform().brought(said("anna", "hm").in_group("-1")).await;
    world.agent().begun(1).await;
    for _ in 0..2 {
        world.beat().await;
        world.clock().pass(Duration::from_millis(300));
        world.agent().go_on();
    }
    world.at_rest().await;
    assert!(world.platform().chat("-1").is_empty());
    // A word that only begins like it is shown as soon as that is clear.
    world.agent().will([Step::Say("NO_"), Step::Say("WAY"), Step::Pause]);
    world.platform().brought(said("anna", "hm").in_group("-1")).await;
    world.platform().shows("-1", 1, |message| message.text == "NO_WAY").await;
    world.agent().go_on();
    world.at_rest().await;
}

#[tokio::test]
async fn a_draft_that_is_too_fast_waits_as_long_as_the_platform_says() {
    let every = Duration::from_millis(800);
    let world = World::with(plan().flow(Flow::Draft { every })).await;
    let anna = world.user("anna");
    let after = Some(Duration::from_secs(3));
    world.platform().slow_down_drafts(SendError::Later { after, scope: Bucket::Chat, detail: String::new() });
    world.agent().will([Step::Say("one"), Step::Pause]);
    anna.says("count").await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    until("typing was shown", || async { (world.platform().typings() == 1).then_some(()) }).await;
    world.asleep(Duration::from_millis(2600)).await;
    assert!(world.platform().drafts("anna").is_empty());
    world.clock().pass(Duration::from_millis(2600));
    until("the draft is shown", || async { (world.platform().drafts("anna").len() == 1).then_some(()) })
        .await;
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one"]);
}

#[tokio::test]
async fn a_last_word_that_is_there_already_is_not_said_again() {
    let world = World::with(plan().edits(500)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("Let me see."), Step::Pause]);
    anna.says("hello").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.asleep(std::time::Duration::from_secs(120)).await;
    world.agent().go_on();
    world.at_rest().await;
    let edits = world.platform().journal().iter().filter(|line| line.starts_with("edit")).count();
    assert_eq!((anna.sees(), edits), (vec!["Let me see.".to_owned()], 0));
    let part = world.outbox().await.remove(0);
    assert_eq!((part.state.as_str(), part.platform_message.is_some()), ("sent", true));
}

#[tokio::test]
async fn an_answer_reads_as_on_a_terminal_in_the_chat_in_the_outbox_and_in_the_history() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("\u{1b}[31mRED\u{1b}[0m plain\n\u{1b}[3"),
        Step::Say("2mGREEN\u{1b}[0m\n\u{1b}]8;;https://e.com\u{1b}\\li"),
        Step::Say("nk\u{1b}]8;;\u{1b}\\\n\u{1b}]0;title\u{7}t\n\rDownloading 0%"),
        Step::Say("\rDownloading 50%\rDown"),
        Step::Say("loading 100%\nfinished"),
    ]);
    anna.says("go").await;
    world.at_rest().await;
    let text = "RED plain\nGREEN\nlink (https://e.com)\nt\nDownloading 100%\nfinished";
    assert_eq!(world.history("anna").await[0].answer.as_deref(), Some(text));
    assert_eq!(world.outbox().await[0].post.part.plain, text);
    assert_eq!(anna.sees(), [text]);
}

#[tokio::test]
async fn what_a_hook_or_a_caption_says_reads_as_on_a_terminal_too() {
    let world = World::with(plan().files_up_to(Some(1_000_000))).await;
    let anna = world.user("anna");
    std::fs::write(world.media().join("a.txt"), "x").unwrap();
    world.agent().will([Step::File("a.txt", Some("\u{1b}[1mbold\u{1b}[0m\rsaid")), Step::Say("ok")]);
    anna.says("go").await;
    world.at_rest().await;
    let shown = format!("{:?}", world.outbox().await);
    assert!(shown.contains("said") && !shown.contains("\\u{1b}") && !shown.contains("[1m"), "{shown}");
}

#[tokio::test]
async fn a_line_that_the_agent_rewrites_is_rewritten_in_the_growing_message() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Say("look\n\nloading 10%"),
        Step::Pause,
        Step::Say("\rloading 20%\r"),
        Step::Pause,
        Step::Say("\u{1b}[Kdone\n"),
    ]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |message| message.text.ends_with("10%")).await;
    world.agent().go_on();
    world.clock().pass(Duration::from_millis(800));
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["look\n\ndone"]);
}

#[tokio::test]
async fn a_failed_answer_keeps_no_escape_sequence_of_what_was_said_so_far() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("\u{1b}[31mhalf\u{1b}]8;;https://e.com\u{7}way"), Step::Fail]);
    anna.says("go").await;
    world.at_rest().await;
    assert_eq!(world.history("anna").await[0].answer.as_deref(), Some("halfway (https://e.com)"));
}
