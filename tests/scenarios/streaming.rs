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
    assert_eq!(world.outbox().await[0].state.name(), "sent");
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
    world.asleep(Duration::from_secs(3)).await;
    world.clock().pass(Duration::from_millis(2900));
    world.beat().await;
    let platform = world.platform();
    assert!(
        platform.drafts("anna").is_empty() && platform.typings() == 0,
        "typing would be too fast as well"
    );
    world.clock().pass(Duration::from_millis(100));
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
    assert_eq!((part.state.name(), part.platform_message.is_some()), ("sent", true));
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
async fn a_line_that_is_rewritten_in_the_same_length_is_shown_anew() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["loading 10%", "\rloading 20%"]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |message| message.text == "loading 10%").await;
    world.agent().go_on();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |message| message.text == "loading 20%").await;
    world.agent().go_on();
    world.at_rest().await;
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

/// Lets the pause between edits pass, and whatever is due then be done.
async fn next_edit(world: &World) {
    world.beat().await;
    world.clock().pass(EVERY);
    world.beat().await;
}

const EVERY: Duration = Duration::from_millis(800);

/// Says pieces, each after a pause between edits.
fn in_pieces(pieces: &[&'static str]) -> Vec<Step> {
    pieces.iter().flat_map(|piece| [Step::Say(piece), Step::Pause]).collect()
}

#[tokio::test]
async fn an_edit_that_would_change_nothing_is_not_made() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    // 40 characters a piece; a message holds 200.
    let pieces = ["0123456789 abcdefghij 0123456789 abcdefg "; 20];
    world.agent().will(in_pieces(&pieces));
    anna.says("at length").await;
    world.platform().shows("anna", 1, |_| true).await;
    for _ in 1..pieces.len() {
        next_edit(&world).await;
        world.agent().go_on();
    }
    next_edit(&world).await;
    let full = anna.sees().remove(0);
    assert!(full.len() > 150, "{full}");
    let edits = world.platform().count("edit");
    assert!(edits <= 5, "{edits} edits of a message that was full after five pieces");
    assert!(world.platform().typings() > 0, "what is said unseen is shown as typing");
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(world.platform().count("edit"), edits, "its last word stood there already");
    assert_eq!(anna.sees().join(" "), pieces.concat().trim_end());
}

#[tokio::test]
async fn a_message_that_cannot_be_edited_is_not_edited_again_and_again() {
    for answer in [SendError::Refused("gone".to_owned()), SendError::Unknown("no answer".to_owned())] {
        let world = World::with(plan().edits(800)).await;
        let anna = world.user("anna");
        let long = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 \
                    0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 \
                    0123456789 0123456789 0123456789 0123456789 ";
        world.agent().will(in_pieces(&["begun ", long, "more ", "more ", "more ", "more "]));
        anna.says("go").await;
        world.platform().shows("anna", 1, |_| true).await;
        world.platform().refuse_edits(answer.clone());
        for _ in 0..5 {
            world.agent().go_on();
            next_edit(&world).await;
        }
        assert_eq!(world.platform().count("edit"), 1, "{answer}");
    }
}

#[tokio::test]
async fn where_edits_are_refused_the_half_answer_goes_once_the_whole_one_is_there() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["first paragraph of the answer\n\n", "second **bold** part"]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.platform().refuse_edits(SendError::Refused("message can't be edited".to_owned()));
    next_edit(&world).await;
    world.agent().go_on();
    next_edit(&world).await;
    // The whole answer cannot be posted yet: what is there must stay.
    let after = Some(Duration::from_secs(30));
    world.platform().fails([
        Fault::Answer(SendError::Refused("message can't be edited".to_owned())),
        Fault::Answer(SendError::Later { after, scope: Bucket::Chat, detail: String::new() }),
    ]);
    world.agent().go_on();
    until("the new message was refused for now", || async {
        (world.outbox().await[0].error.as_deref().is_some_and(|error| error.contains("try again")))
            .then_some(())
    })
    .await;
    assert_eq!(anna.sees(), ["first paragraph of the answer"]);
    world.crash().await;
    world.start().await.unwrap();
    world.clock().pass(Duration::from_secs(30));
    world.at_rest().await;
    assert_eq!(anna.sees(), ["first paragraph of the answer\n\nsecond <b>bold</b> part"]);
    let acts: Vec<String> = world.platform().journal();
    let at = |kind: &str| acts.iter().rposition(|line| line.starts_with(kind)).unwrap();
    assert!(at("post anna") < at("delete anna"), "{acts:?}");
}

#[tokio::test]
async fn a_message_that_cannot_be_deleted_stays_and_nobody_is_told_of_it() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.platform().refuse_edits(SendError::Refused("no".to_owned()));
    world.platform().refuse_deletes();
    world.agent().go_on();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one", "one two"]);
    assert!(world.outbox().await.iter().all(|row| row.state.name() != "dead"), "{:?}", world.outbox().await);
}

#[tokio::test]
async fn a_stop_leaves_what_was_shown_in_the_chat_and_in_the_history() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["One *first* ", "two three ", "four"]));
    let message = anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "One first two three").await;
    world.agent().go_on();
    world.beat().await;
    anna.says("/stop").await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!(sees[0], "One first two three\n\n(stopped)");
    assert_eq!(sees.len(), 2, "{sees:?}");
    let kept = world.message(message).await;
    assert_eq!(
        (kept.message.state.as_str(), kept.answer.as_deref()),
        ("cancelled", Some("One *first* two three four"))
    );
}

#[tokio::test]
async fn a_stop_of_a_full_message_takes_nothing_from_it() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let text = "0123456789 ".repeat(18);
    let said: &'static str = text.leak();
    world.agent().will(in_pieces(&[said]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    let shown = anna.sees().remove(0);
    anna.says("/stop").await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!([sees[0].as_str(), sees[1].as_str()], [shown.as_str(), "(stopped)"], "{sees:?}");
}

#[tokio::test]
async fn what_was_shown_stays_when_the_process_dies_with_its_turn() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Tool("x"), Step::Say("One "), Step::Pause, Step::Say("two three"), Step::Hang]);
    let message = anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().go_on();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "One two three").await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["One two three\n\n(interrupted, /retry)"]);
    assert_eq!(world.message(message).await.message.state, "dead");
}

#[tokio::test]
async fn a_command_is_answered_while_an_answer_grows() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["one ", "two ", "three"]));
    anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    anna.says("/whoami").await;
    // No time passes until the reply is there.
    let shown = world.platform().shows("anna", 2, |_| true).await;
    assert!(shown[1].text.contains("anna"), "{shown:?}");
    world.agent().go_on();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "one two").await;
    anna.says("/status").await;
    world.platform().shows("anna", 3, |_| true).await;
    world.agent().go_on();
    next_edit(&world).await;
    world.agent().go_on();
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!((sees[0].as_str(), sees.len()), ("one two three", 3), "{sees:?}");
}

#[tokio::test]
async fn a_first_post_that_fails_keeps_no_reply_waiting() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.platform().fails([Fault::Answer(SendError::Refused("no".to_owned()))]);
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    until("the first post was refused", || async { (world.platform().count("answered") == 1).then_some(()) })
        .await;
    anna.says("/whoami").await;
    assert!(anna.hears().await.contains("anna"));
    world.agent().go_on();
    assert_eq!(anna.hears().await, "one two");
    world.at_rest().await;
}

#[tokio::test]
async fn an_answer_that_grows_survives_a_crash_beside_a_reply() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("first try"), Step::Hang]);
    anna.says("question").await;
    world.platform().shows("anna", 1, |_| true).await;
    until("the id is stored", || async { world.outbox().await[0].platform_message.clone() }).await;
    anna.says("/whoami").await;
    world.platform().shows("anna", 2, |_| true).await;
    world.crash().await;
    world.agent().will([Step::Say("second try")]);
    world.start().await.unwrap();
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!((sees[0].as_str(), sees.len()), ("second try", 2), "{sees:?}");
}

#[tokio::test]
async fn an_answer_that_is_ready_at_once_waits_out_the_pause_that_its_first_post_was_told() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let after = Some(Duration::from_secs(5));
    let later = SendError::Later { after, scope: Bucket::Chat, detail: "429".to_owned() };
    world.platform().answer_all("anna", Some(later));
    anna.says("hello").await;
    until("the platform was asked", || async { (world.platform().calls("anna") > 0).then_some(()) }).await;
    for _ in 0..4 {
        world.beat().await;
        world.clock().pass(Duration::from_secs(1));
    }
    world.beat().await;
    assert_eq!(
        world.platform().calls("anna"),
        1,
        "the next call is not made before the time that the platform asked for"
    );
    world.platform().answer_all("anna", None);
    world.clock().pass(Duration::from_secs(1));
    assert_eq!(anna.hears().await, "hello");
    world.at_rest().await;
}

#[tokio::test]
async fn a_pause_that_the_account_was_told_in_one_chat_holds_for_edits_drafts_and_typing_in_another() {
    let flows = [Flow::Edits { every: EVERY }, Flow::Draft { every: EVERY }, Flow::Whole];
    for flow in flows {
        let world = World::with(plan().flow(flow)).await;
        world.agent().will(in_pieces(&["one ", "two ", "three ", "four ", "five"]));
        world.user("anna").says("count").await;
        world.agent().begun(1).await;
        let begun = usize::from(flow != Flow::Whole);
        until("it has begun", || async { (world.platform().calls("anna") == begun).then_some(()) }).await;
        pause_told_to(&world, "ben", Bucket::Account).await;
        for n in 0..3 {
            world.agent().go_on();
            world.clock().pass(Duration::from_secs(9));
            // Goes through the gateway up to where its reply would be sent.
            world.user(&format!("carol{n}")).says("/whoami").await;
        }
        assert_eq!(world.platform().calls("anna"), begun, "{flow:?}");
    }
}

#[tokio::test]
async fn a_pause_that_was_told_in_one_topic_holds_for_edits_in_another_of_the_same_chat() {
    let world = World::with(plan().edits(800)).await;
    world.agent().will(in_pieces(&["one ", "two ", "three ", "four ", "five"]));
    world.platform().brought(said("anna", "count").in_topic("-1", "6")).await;
    until("it has begun", || async { (world.platform().calls("-1") == 1).then_some(()) }).await;
    let after = Some(Duration::from_secs(60));
    let later = SendError::Later { after, scope: Bucket::Chat, detail: "429".to_owned() };
    world.platform().answer_all("-1", Some(later));
    world.platform().brought(said("ben", "/whoami").in_topic("-1", "5")).await;
    until("the pause was asked for", || async { (world.platform().calls("-1") == 2).then_some(()) }).await;
    for _ in 0..3 {
        world.agent().go_on();
        next_edit(&world).await;
    }
    assert_eq!(world.platform().calls("-1"), 2);
}

/// The platform answers a reply to somebody with a pause of a minute.
async fn pause_told_to(world: &World, name: &str, scope: Bucket) {
    let after = Some(Duration::from_secs(60));
    let later = SendError::Later { after, scope, detail: "429".to_owned() };
    world.platform().answer_all(name, Some(later));
    world.user(name).says("/whoami").await;
    until("the pause was asked for", || async { (world.platform().calls(name) == 1).then_some(()) }).await;
}
