//! Messages that grow by edits: which edits are made, and what stays after a failure or a stop.

use std::time::Duration;

use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_world::platform::Fault;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, plan};

/// Waits out the pause between edits, and for everything that is due then.
pub async fn next_edit(world: &World) {
    world.round_trip().await;
    world.clock().pass(EVERY);
    world.round_trip().await;
}

/// The pause between two edits.
pub const EVERY: Duration = Duration::from_millis(800);

/// Steps that say the pieces one after another, each when the test resumes the agent.
pub fn in_pieces(pieces: &[&'static str]) -> Vec<Step> {
    pieces.iter().flat_map(|piece| [Step::Say(piece), Step::Pause]).collect()
}

#[tokio::test]
async fn an_edit_that_would_change_nothing_is_not_made() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    // Each piece has 40 characters; the limit of a message is 200.
    let pieces = ["0123456789 abcdefghij 0123456789 abcdefg "; 20];
    world.agent().will(in_pieces(&pieces));
    anna.says("at length").await;
    world.platform().shows("anna", 1, |_| true).await;
    for _ in 1..pieces.len() {
        next_edit(&world).await;
        world.agent().resume();
    }
    next_edit(&world).await;
    let full = anna.sees().remove(0);
    assert!(full.len() > 150, "{full}");
    let edits = world.platform().count("edit");
    assert!(edits <= 5, "{edits} edits of a message that was full after five pieces");
    assert!(world.platform().typings() > 0, "text that the message does not show is shown as typing");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.platform().count("edit"), edits, "its last word stood there already");
    assert_eq!(anna.sees().join(" "), pieces.concat().trim_end());
}

#[tokio::test]
async fn a_message_that_cannot_be_edited_is_not_edited_again_and_again() {
    for answer in [SendError::Refused("gone".into()), SendError::Unknown("no answer".into())] {
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
            world.agent().resume();
            next_edit(&world).await;
        }
        assert_eq!(world.platform().count("edit"), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_partial_answer_that_cannot_be_edited_is_deleted_after_the_whole_one_is_posted() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["first paragraph of the answer\n\n", "second **bold** part"]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.platform().refuse_edits(SendError::Refused("message can't be edited".into()));
    next_edit(&world).await;
    world.agent().resume();
    next_edit(&world).await;
    // The whole answer cannot be posted yet, so the partial one must stay.
    let after = Some(Duration::from_secs(30));
    world.platform().fails([
        Fault::Answer(SendError::Refused("message can't be edited".into())),
        Fault::Answer(SendError::Later { after, scope: Bucket::Chat, detail: "".into() }),
    ]);
    world.agent().resume();
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
async fn a_message_that_cannot_be_deleted_stays_without_a_notice() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.platform().refuse_edits(SendError::Refused("no".into()));
    world.platform().refuse_deletes();
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["one", "one two"]);
    assert!(world.outbox().await.iter().all(|row| row.state.name() != "dead"), "{:?}", world.outbox().await);
}

#[tokio::test]
async fn a_stopped_answer_stays_in_the_chat_and_in_the_history() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will(in_pieces(&["One *first* ", "two three ", "four"]));
    let message = anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().resume();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "One first two three").await;
    world.agent().resume();
    world.round_trip().await;
    anna.says("/stop").await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!(sees[0], "One first two three\n\n(stopped)");
    assert_eq!(sees.len(), 2, "{sees:?}");
    let kept = world.message(message).await;
    assert_eq!(
        (kept.message.state.name(), kept.answer.as_deref()),
        ("cancelled", Some("One *first* two three four"))
    );
}

#[tokio::test]
async fn a_stop_of_a_full_message_takes_nothing_from_it() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    let text = "0123456789 ".repeat(18);
    let text: &'static str = text.leak();
    world.agent().will(in_pieces(&[text]));
    anna.says("go").await;
    world.platform().shows("anna", 1, |_| true).await;
    let shown = anna.sees().remove(0);
    anna.says("/stop").await;
    world.at_rest().await;
    let sees = anna.sees();
    assert_eq!([sees[0].as_str(), sees[1].as_str()], [shown.as_str(), "(stopped)"], "{sees:?}");
}

#[tokio::test]
async fn shown_text_stays_when_the_process_dies_with_its_turn() {
    let mut world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Tool("x"), Step::Say("One "), Step::Pause, Step::Say("two three"), Step::Hang]);
    let message = anna.says("count").await;
    world.platform().shows("anna", 1, |_| true).await;
    world.agent().resume();
    next_edit(&world).await;
    world.platform().shows("anna", 1, |shown| shown.text == "One two three").await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees(), ["One two three\n\n(interrupted, /retry)"]);
    assert_eq!(world.message(message).await.message.state.name(), "dead");
}
