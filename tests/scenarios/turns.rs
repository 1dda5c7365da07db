//! Turns that fail.

use std::time::Duration;

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_world::{Step, World, plan};

#[tokio::test]
async fn a_turn_whose_agent_died_runs_once_more_and_is_marked_as_resumed() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("half an ans"), Step::Die]);
    anna.says("question").await;
    world.agent().begun(1).await;
    passing(&world, 2).await;
    assert_eq!(anna.hears().await, "question");
    let turns = world.agent().turns();
    assert_eq!(turns[0].id, turns[1].id);
    assert_eq!((turns[0].attempt, turns[0].resumed), (1, false));
    assert_eq!((turns[1].attempt, turns[1].resumed), (2, true));
}

#[tokio::test]
async fn a_message_that_kills_the_agent_every_time_is_given_up_and_the_next_one_proceeds() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Die]);
    world.agent().will([Step::Die]);
    let poison = anna.says("poison").await;
    anna.says("next").await;
    passing(&world, 3).await;
    world.at_rest().await;
    assert_eq!(world.message(poison).await.message.state.name(), "dead");
    assert_eq!(world.agent().prompts(), ["poison", "poison", "next"]);
    let sees = anna.sees();
    assert_eq!(sees.len(), 2, "{sees:?}");
    assert!(sees[0].contains("each time it was tried"), "{sees:?}");
    assert_eq!(sees[1], "next");
}

#[tokio::test]
async fn a_turn_that_cannot_begin_for_want_of_something_waits_and_counts_no_attempt() {
    let world = World::new().await;
    let anna = world.user("anna");
    for _ in 0..4 {
        world.agent().will([Step::Short]);
    }
    // The start of the program may need permission like a tool; without it nothing has run.
    world.agent().will([Step::Tool("program"), Step::Short]);
    let message = anna.says("question").await;
    passing(&world, 6).await;
    assert_eq!(anna.hears().await, "question");
    world.at_rest().await;
    assert_eq!(world.message(message).await.message.state.name(), "answered");
    assert_eq!(anna.sees().len(), 1, "a temporary shortage causes no notice");
    for turn in world.agent().turns() {
        assert_eq!((turn.attempt, turn.resumed), (1, false));
    }
}

#[tokio::test]
async fn an_agent_that_says_it_failed_is_not_asked_again() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Fail]);
    anna.says("question").await;
    assert!(anna.hears().await.contains("could not answer"));
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
}

#[tokio::test]
async fn an_agent_that_had_begun_to_act_is_not_asked_again_when_it_dies() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("I will send the mail. "), Step::Tool("mail"), Step::Die]);
    let message = anna.says("send it").await;
    let answer = anna.hears().await;
    assert_eq!(answer, "I will send the mail.\n\n(interrupted, /retry)");
    world.at_rest().await;
    assert_eq!(world.agent().turns().len(), 1);
    assert_eq!(world.agent().tools().len(), 1);
    let row = world.message(message).await;
    assert_eq!(row.message.state.name(), "dead");
}

#[tokio::test]
async fn a_silent_agent_is_stopped_after_the_progress_limit() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("question").await;
    // Typing is due first; after that the turn waits for its deadline.
    typing(&world, 1).await;
    let left = Duration::from_millis(119_600);
    world.clock().pass(left - Duration::from_millis(1));
    world.round_trip().await;
    assert!(world.agent().aborted().is_empty());
    world.clock().pass(Duration::from_millis(1));
    assert!(anna.hears().await.contains("did not respond"));
    assert_eq!(world.agent().aborted().len(), 1);
    world.at_rest().await;
}

#[tokio::test]
async fn an_agent_that_reports_progress_may_run_up_to_the_time_limit() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will((0..40).flat_map(|_| [Step::Pause, Step::Progress]));
    anna.says("question").await;
    world.agent().begun(1).await;
    // Progress every hundred seconds keeps the turn from being silent, but it ends after 1800 s.
    typing(&world, 1).await;
    for _ in 0..17 {
        world.clock().pass(Duration::from_secs(100));
        world.agent().resume();
        world.round_trip().await;
        assert!(world.agent().aborted().is_empty());
    }
    world.clock().pass(Duration::from_secs(100));
    assert!(anna.hears().await.contains("took too long"));
    assert_eq!(world.agent().aborted().len(), 1);
}

#[tokio::test]
async fn arrivals_do_not_keep_a_silent_agent_alive() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("question").await;
    world.agent().begun(1).await;
    for n in 0..12 {
        world.clock().pass(Duration::from_secs(10));
        anna.says(&format!("are you there? {n}")).await;
    }
    assert!(anna.hears().await.contains("did not respond"));
    world.at_rest().await;
}

#[tokio::test]
async fn a_panic_in_an_agent_fails_only_its_turn() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Panic]);
    let message = anna.says("question").await;
    assert!(anna.hears().await.contains("Something went wrong"));
    assert_eq!(world.ended(message).await.message.state.name(), "dead");
    anna.says("next").await;
    assert_eq!(anna.hears().await, "next");
    world.at_rest().await;
}

#[tokio::test]
async fn a_panic_in_an_adapter_during_typing_does_not_affect_the_turn() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().panic_over_typing();
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("think").await;
    world.agent().begun(1).await;
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    world.round_trip().await;
    world.agent().resume();
    assert_eq!(anna.hears().await, "think");
    anna.says("next").await;
    assert_eq!(anna.hears().await, "next");
    world.at_rest().await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_with_a_remark() {
    let world = World::with(plan().with(|config| config.turns.max_answer = 50)).await;
    let anna = world.user("anna");
    world.agent().will((0..40).map(|_| Step::Say("0123456789")));
    anna.says("talk").await;
    let answer = anna.hears().await;
    assert!(
        answer.starts_with("01234567890123456789012345678901234567890123456789\n\n(The answer was longer"),
        "{answer}"
    );
}

#[tokio::test]
async fn people_read_below_an_answer_how_it_ended_and_outside_of_its_code() {
    let world = World::new().await;
    let anna = world.user("anna");
    for (said, end, answer) in [
        (
            "half",
            AnswerEnd::BrokenOff,
            "half\n\n(The answer broke off here and is incomplete. Send /retry to try again.)",
        ),
        (
            "```\nlet a",
            AnswerEnd::Length,
            "```\nlet a\n```\n\n(The answer reached the model's maximum length and ends here.)",
        ),
        ("", AnswerEnd::Filtered, "(The provider's content filter ended the answer here.)"),
        ("all", AnswerEnd::Whole, "all"),
    ] {
        world.agent().will([Step::Say(said), Step::Ends(end)]);
        let message = anna.says("go").await;
        assert_eq!(anna.hears().await, answer.replace("```\n", ""));
        let row = world.ended(message).await;
        let own = (end != AnswerEnd::Whole).then_some(said.len() as u64);
        assert_eq!((row.answer.as_deref(), row.end, row.own), (Some(answer), end, own));
        assert_eq!((row.message.reason, row.error), (None, None), "it is no failure of the message");
    }
}

#[tokio::test]
async fn an_agent_that_is_not_configured_any_more_is_a_notice_and_not_a_loss() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    let orphan = anna.says("for the old agent").await;
    world.agent().begun(1).await;
    world.crash().await;
    world.rename_agent("other");
    world.start().await.unwrap();
    assert!(anna.hears().await.contains("has been removed"));
    assert_eq!(world.ended(orphan).await.message.state.name(), "dead");
    anna.says("for the new agent").await;
    assert_eq!(anna.hears().await, "for the new agent");
    assert_eq!(world.agent().turns()[1].session.agent(), "other");
}

#[tokio::test]
async fn an_answer_that_shows_nothing_is_said_to_be_empty() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("\u{7}"), Step::Say("\u{1b}")]);
    anna.says("ring").await;
    assert_eq!(anna.hears().await, "(The agent had nothing to say.)");
    world.at_rest().await;
}

#[tokio::test]
async fn an_invisible_answer_is_said_to_be_empty_and_never_sent() {
    let world = World::with(plan().edits(800)).await;
    let anna = world.user("anna");
    for invisible in ["\u{2060}", "\u{200b}\u{200e}", "\u{a0}\u{feff}\u{3000}", "**\u{2800}**"] {
        world.agent().will([Step::Say(invisible)]);
        anna.says("well?").await;
        let answer = anna.hears().await;
        assert!(
            answer == "(The agent had nothing to say.)" || answer.contains("**"),
            "{invisible:?}: {answer:?}"
        );
        world.at_rest().await;
    }
}

/// Waits out the pauses after a death, until `turns` have started.
async fn passing(world: &World, turns: usize) {
    frontdesk_world::wait::until("the next attempt begins", || async {
        world.clock().pass(Duration::from_secs(1));
        (world.agent().turns().len() >= turns).then_some(())
    })
    .await;
}

/// Waits until typing was shown `count` times.
async fn typing(world: &World, count: u32) {
    world.asleep(Duration::from_millis(400)).await;
    world.clock().pass(Duration::from_millis(400));
    frontdesk_world::wait::until("typing was shown", || async {
        (world.platform().typings() == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn why_an_agent_failed_is_for_the_owner_and_not_for_the_chat() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Die]);
    world.agent().will([Step::Die]);
    anna.says("hello").await;
    world.agent().begun(1).await;
    passing(&world, 2).await;
    world.at_rest().await;
    assert_eq!(anna.sees(), ["The agent crashed each time it was tried. Send /retry to try again."]);
    let turn = world.history("anna").await[0].message.turn.unwrap();
    assert_eq!(world.handle().why_failed(turn).as_deref(), Some("scripted"));
}
