//! Answers that were written for a terminal.

use std::time::Duration;

use frontdesk_world::{Step, World, plan};

use crate::growing::{in_pieces, next_edit};

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
async fn texts_of_hooks_and_captions_are_converted_from_terminal_output_too() {
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
    world.agent().resume();
    world.clock().pass(Duration::from_millis(800));
    world.agent().resume();
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
    world.agent().resume();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |message| message.text == "loading 20%").await;
    world.agent().resume();
    world.at_rest().await;
}

#[tokio::test]
async fn a_failed_answer_is_kept_without_escape_sequences() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("\u{1b}[31mhalf\u{1b}]8;;https://e.com\u{7}way"), Step::Fail]);
    anna.says("go").await;
    world.at_rest().await;
    assert_eq!(world.history("anna").await[0].answer.as_deref(), Some("halfway (https://e.com)"));
}
