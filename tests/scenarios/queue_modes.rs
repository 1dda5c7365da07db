//! What happens to messages that arrive while the agent answers, as a chat has chosen it.

use std::time::Duration;

use frontdesk_core::agent::Capabilities;
use frontdesk_core::message::{FileKind, Outcome};
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, User, World, plan};

use crate::files::photo;

const FOLLOWS_UP: &str = "The agent cannot take this in while it answers. It answers it next.";

/// A world in which anna's chat has this mode, and the agent answers her. It has said "one" and will say "two".
async fn answering(mode: &str, steer: bool) -> (World, User) {
    let world = World::with(plan().edits(0)).await;
    world.agent().can(Capabilities { steer, ..Capabilities::default() });
    let anna = world.user("anna");
    anna.says(&format!("/queue {mode}")).await;
    assert!(anna.hears().await.starts_with(&format!("Queue mode: {mode}.")));
    world.agent().will([Step::Say("one "), Step::Pause, Step::Say("two")]);
    anna.says("count").await;
    world.agent().begun(1).await;
    (world, anna)
}

async fn steered(world: &World, count: usize) {
    until("the agent has it", || async { (world.agent().steered().len() == count).then_some(()) }).await;
}

#[tokio::test]
async fn a_chat_chooses_how_its_messages_wait_and_goes_back_to_the_default() {
    let mut world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    anna.says("/queue").await;
    assert_eq!(
        anna.hears().await,
        "No message waits here.\n\nQueue mode: followup. While the agent answers, new messages wait and are answered one \
         by one. Choose with /queue and one of: followup, collect, steer, interrupt."
    );
    anna.says("/queue collect").await;
    assert_eq!(
        anna.hears().await,
        "Queue mode: collect. While the agent answers, new messages wait and are answered together."
    );
    anna.says("/new").await;
    anna.hears().await;
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(
        world.session("anna").await.queue_mode,
        Some(QueueMode::Collect),
        "it survives resets and restarts"
    );
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("one").await;
    world.agent().begun(1).await;
    anna.says("two").await;
    anna.says("three").await;
    ben.says("/queue").await;
    assert!(ben.hears().await.contains("Queue mode: followup."), "another chat has its own");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["one", "two\nthree"]);
    anna.says("/queue default").await;
    world.at_rest().await;
    assert!(anna.sees().last().unwrap().starts_with("Queue mode: followup."));
    assert_eq!(world.session("anna").await.queue_mode, None);
}

#[tokio::test]
async fn a_channel_and_a_chat_can_have_a_mode_in_the_configuration() {
    let plan = plan().chat("anna", |chat| chat.queue_mode = Some(QueueMode::Interrupt));
    let world = World::with(plan.routing(|routing| routing.queue_mode = Some(QueueMode::Collect))).await;
    for (who, mode) in [("anna", "interrupt"), ("ben", "collect")] {
        let user = world.user(who);
        user.says("/queue").await;
        assert!(user.hears().await.contains(&format!("Queue mode: {mode}.")), "{who}");
    }
}

#[tokio::test]
async fn collected_messages_keep_their_authors_and_their_files() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "/queue collect").in_group("-1")).await;
    world.agent().will([Step::Pause, Step::Echo]);
    platform.outcome_of(message_from("anna", "runs").in_group("-1")).await;
    world.agent().begun(1).await;
    let mut waiting = Vec::new();
    platform.holds("f1", [photo("f1")]);
    for event in [
        message_from("ben", "look").shown_as("Ben").in_group("-1").with_file("f1", FileKind::Photo),
        message_from("anna", "at what?").in_group("-1"),
    ] {
        let Outcome::Accepted { message, .. } = platform.outcome_of(event).await else { panic!() };
        waiting.push(message);
    }
    world.agent().resume();
    world.at_rest().await;
    let turn = world.agent().turns().remove(1);
    let got: Vec<_> =
        turn.prompt.iter().map(|prompt| (prompt.from.name.clone().unwrap(), prompt.files.len())).collect();
    assert_eq!(got, [("Ben".to_owned(), 1), ("name of anna".to_owned(), 0)]);
    for message in waiting {
        let row = world.message(message).await.message;
        assert_eq!((row.state.name(), row.turn), ("answered", Some(turn.id)));
    }
}

#[tokio::test]
async fn in_mode_steer_messages_reach_the_answer_under_way() {
    let (world, anna) = answering("steer", true).await;
    world.agent().takes(true);
    let message = anna.says("faster").await;
    steered(&world, 1).await;
    world.round_trip().await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().steered()[0].1.message, message);
    assert_eq!(world.agent().prompts(), ["count"]);
    assert_eq!(world.message(message).await.message.state.name(), "answered");
    assert_eq!(anna.answers().last().unwrap(), "one two");
    anna.says("idle").await;
    world.at_rest().await;
    assert_eq!(
        world.agent().prompts(),
        ["count", "idle"],
        "with nothing to steer it is a message like any other"
    );
}

#[tokio::test]
async fn what_cannot_be_steered_follows_up_in_order_and_its_sender_is_told() {
    let (world, anna) = answering("steer", true).await;
    world.agent().takes(false);
    anna.says("first").await;
    until("she is told", || async { anna.sees().iter().any(|text| text == FOLLOWS_UP).then_some(()) }).await;
    // The agent would take it, but it must not overtake the first one.
    world.agent().takes(true);
    anna.says("second").await;
    let told = || anna.sees().iter().filter(|text| *text == FOLLOWS_UP).count();
    until("she is told again", || async { (told() == 2).then_some(()) }).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().steered().len(), 1);
    assert_eq!(world.agent().prompts(), ["count", "first", "second"]);
}

#[tokio::test]
async fn an_agent_that_cannot_steer_says_so_and_messages_follow_up() {
    let (world, anna) = answering("steer", false).await;
    assert!(anna.sees()[0].ends_with("This agent cannot take them in."), "{:?}", anna.sees());
    anna.says("faster").await;
    until("she is told", || async { anna.sees().iter().any(|text| text == FOLLOWS_UP).then_some(()) }).await;
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["count", "faster"]);
}

#[tokio::test]
async fn a_file_and_a_message_of_a_new_conversation_are_not_steered() {
    let (world, anna) = answering("steer", true).await;
    world.agent().takes(true);
    world.platform().holds("f1", [photo("f1")]);
    world.platform().outcome_of(message_from("anna", "look").with_file("f1", FileKind::Photo)).await;
    until("she is told", || async { anna.sees().iter().any(|text| text == FOLLOWS_UP).then_some(()) }).await;
    anna.says("/new fresh").await;
    world.round_trip().await;
    world.agent().resume();
    world.at_rest().await;
    assert!(world.agent().steered().is_empty());
    assert_eq!(world.agent().prompts(), ["count", "look", "fresh"]);
    let epochs: Vec<u64> = world.agent().turns().iter().map(|turn| turn.epoch).collect();
    assert_eq!(epochs, [1, 1, 2]);
}

#[tokio::test]
async fn in_mode_interrupt_a_message_stops_the_answer_and_is_answered_instead() {
    let (world, anna) = answering("interrupt", false).await;
    let shown = || anna.sees().iter().any(|text| text.starts_with("one")).then_some(());
    until("the answer has begun", || async { shown() }).await;
    let message = anna.says("no, wait").await;
    world.at_rest().await;
    let turns = world.agent().turns();
    assert_eq!(world.agent().aborted(), [turns[0].id]);
    assert_eq!(world.agent().prompts(), ["count", "no, wait"]);
    assert_eq!(anna.sees()[1..], ["one\n\n(stopped)", "no, wait"], "what was shown stays, marked");
    assert_eq!(world.message(message).await.message.state.name(), "answered");
    let first = turns[0].prompt[0].message;
    let row = world.message(first).await;
    assert_eq!((row.message.state.name(), row.turn_state.unwrap().name()), ("superseded", "superseded"));
    assert_eq!(row.answer.as_deref(), Some("one "), "the history keeps it");
}

#[tokio::test]
async fn a_message_that_interrupts_takes_along_what_waits() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("hangs").await;
    world.agent().begun(1).await;
    anna.says("waits 1").await;
    anna.says("waits 2").await;
    anna.says("/queue interrupt stop that").await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["hangs", "waits 1\nwaits 2\nstop that"]);
    assert_eq!(world.session("anna").await.queue_mode, None, "the mode was for this message alone");
}

#[tokio::test]
async fn a_message_with_a_mode_of_its_own_is_collected_or_stays_alone() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("/queue collect a").await;
    anna.says("/queue collect b").await;
    anna.says("c").await;
    anna.says("/queue collect d").await;
    anna.says("/queue").await;
    assert!(
        anna.hears().await.contains("4 messages in the queue"),
        "and /queue collect TEXT has no reply of its own"
    );
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs", "a\nb", "c", "d"]);
}

#[tokio::test]
async fn a_late_piece_of_an_album_does_not_stop_the_answer_to_the_others() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/queue interrupt").await;
    anna.hears().await;
    world.agent().will([Step::Pause, Step::Echo]);
    let piece = |name: &'static str| {
        world.platform().holds(name, [photo(name)]);
        message_from("anna", name).with_file(name, FileKind::Photo).of_album("holiday")
    };
    world.platform().outcome_of(piece("f1")).await;
    world.clock().pass(Duration::from_millis(1300));
    world.agent().begun(1).await;
    world.platform().outcome_of(piece("f2")).await;
    world.round_trip().await;
    world.agent().resume();
    world.clock().pass(Duration::from_millis(1300));
    world.at_rest().await;
    assert!(world.agent().aborted().is_empty());
    assert_eq!(world.agent().prompts(), ["f1", "f2"]);
    // Another message interrupts as ever.
    world.agent().will([Step::Hang]);
    anna.says("hangs").await;
    world.agent().begun(3).await;
    world.platform().outcome_of(piece("f3").of_album("garden")).await;
    world.clock().pass(Duration::from_millis(1300));
    world.at_rest().await;
    assert_eq!(world.agent().aborted().len(), 1);
}

#[tokio::test]
async fn a_compaction_is_not_interrupted() {
    let (world, anna) = {
        let world = World::new().await;
        world.agent().can(Capabilities { compact: true, ..Capabilities::default() });
        let anna = world.user("anna");
        (world, anna)
    };
    anna.says("/queue interrupt").await;
    anna.says("hello").await;
    world.at_rest().await;
    world.agent().compacts_later(true);
    anna.says("/compact").await;
    until("it compacts", || async { (world.agent().compactions().len() == 1).then_some(()) }).await;
    anna.says("next").await;
    world.round_trip().await;
    assert!(world.agent().aborted().is_empty());
    assert_eq!(world.agent().prompts(), ["hello"]);
}

#[tokio::test]
async fn an_interruption_survives_a_crash_and_nothing_is_answered_twice() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    anna.says("/queue interrupt").await;
    world.agent().will([Step::Hang]);
    let first = anna.says("hangs").await;
    world.agent().begun(1).await;
    world.agent().will([Step::Hang]);
    let second = anna.says("instead").await;
    world.agent().begun(2).await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["hangs", "instead", "instead"]);
    assert_eq!(world.message(first).await.message.state.name(), "superseded");
    assert_eq!(world.message(second).await.message.state.name(), "answered");
}

#[tokio::test]
async fn commands_and_messages_that_come_together_take_effect_in_their_order_and_each_message_is_asked_once()
{
    let world = World::with(plan().with(|config| config.queue.mode = QueueMode::Collect)).await;
    let mut said = Vec::new();
    for n in 0..20 {
        world.platform().hang_polls(true);
        let texts = [format!("first {n}"), format!("/queue interrupt now {n}"), format!("later {n}")];
        let events = texts.each_ref().map(|text| world.platform().deliver(message_from("anna", text)));
        world.platform().hang_polls(false);
        for event in events {
            let Outcome::Accepted { message, .. } = world.platform().outcome(event).await else {
                panic!("accepted")
            };
            world.ended(message).await;
        }
        said.extend(texts.map(|text| text.replace("/queue interrupt ", "")));
    }
    world.at_rest().await;
    let asked: Vec<String> =
        world.agent().prompts().iter().flat_map(|prompt| prompt.lines()).map(str::to_owned).collect();
    assert_eq!(asked, said);
}

#[tokio::test]
async fn a_message_that_comes_together_with_a_command_is_answered_after_it() {
    let world = World::new().await;
    let anna = world.user("anna");
    for n in 0..20 {
        world.platform().hang_polls(true);
        world.platform().deliver(message_from("anna", "/unknown"));
        world.platform().deliver(message_from("anna", &format!("hello {n}")));
        world.platform().hang_polls(false);
        assert!(anna.hears().await.starts_with("There is no command"));
        assert_eq!(anna.hears().await, format!("hello {n}"));
    }
}

#[tokio::test]
async fn a_collecting_chat_waits_for_silence_if_the_configuration_says_so() {
    let world = World::with(plan().with(|config| config.queue.debounce_ms = 2000)).await;
    let anna = world.user("anna");
    anna.says("/queue collect").await;
    anna.hears().await;
    anna.says("I have").await;
    world.clock().pass(Duration::from_millis(1500));
    anna.says("a question").await;
    world.round_trip().await;
    assert!(world.agent().turns().is_empty());
    world.clock().pass(Duration::from_millis(2100));
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["I have\na question"]);
}
