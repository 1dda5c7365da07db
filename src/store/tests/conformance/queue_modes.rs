//! How waiting messages become turns, by the queue mode of their session or their own.

use frontdesk_core::id::MessageId;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_store::row::*;

use crate::fixture::*;

async fn chooses(fixture: &Fixture, event: &str, mode: Option<QueueMode>) {
    let command = fixture.accept_one(1, commands("anna", event, EpochChange::ByRule)).await;
    let effect = CommandEffect::ChooseQueue(mode);
    done(fixture.store.answer_command(command, effect, t(2), Box::new(|_| "ok".into())).await.unwrap());
}

/// `/queue MODE TEXT`.
async fn sends(fixture: &Fixture, event: &str, mode: QueueMode) -> (MessageId, CommandFacts) {
    let command = fixture.accept_one(3, commands("anna", event, EpochChange::ByRule)).await;
    let effect = CommandEffect::Message { text: event.into(), mode: Some(mode) };
    let answered = fixture.store.answer_command(command, effect, t(4), Box::new(|_| String::new())).await;
    (command, done(answered.unwrap()))
}

async fn texts(fixture: &Fixture) -> Option<Vec<String>> {
    let turn = fixture.claim("anna").await?;
    fixture.finish(answered(&turn, "ok")).await;
    Some(turn.messages.iter().map(|row| row.text.clone()).collect())
}

#[tokio::test]
async fn the_mode_that_a_chat_has_chosen_decides_what_a_turn_takes() {
    let fixture = Fixture::open().await;
    chooses(&fixture, "c", Some(QueueMode::Collect)).await;
    assert_eq!(
        fixture.store.session(&key("anna")).await.unwrap().unwrap().queue_mode,
        Some(QueueMode::Collect)
    );
    for event in ["1", "2", "3"] {
        let accepted = fixture.accept(5, vec![says("anna", event, event)]).await;
        assert!(matches!(accepted[0], Stored::Accepted { mode: QueueMode::Collect, .. }), "{accepted:?}");
    }
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(answered(&turn, "ok")).await;
    assert_eq!(turn.messages.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    let [first, _, last] = [0, 1, 2].map(|n| turn.messages[n].id);
    let of = async |id| fixture.store.message(id).await.unwrap().unwrap();
    assert_eq!((of(first).await.answer, of(last).await.answer.as_deref()), (None, Some("ok")));
    assert_eq!(fixture.store.last_of_turn(turn.claim.id).await.unwrap().unwrap().message.id, last);
    chooses(&fixture, "d", None).await;
    for event in ["4", "5"] {
        fixture.accept_one(6, says("anna", event, event)).await;
    }
    assert_eq!(texts(&fixture).await.unwrap(), ["4"]);
    assert_eq!(texts(&fixture).await.unwrap(), ["5"]);
}

#[tokio::test]
async fn a_mode_of_its_own_holds_for_one_message() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "1")).await;
    sends(&fixture, "a", QueueMode::Collect).await;
    sends(&fixture, "b", QueueMode::Collect).await;
    fixture.accept_one(5, says("anna", "2", "2")).await;
    assert_eq!(texts(&fixture).await.unwrap(), ["1"]);
    assert_eq!(texts(&fixture).await.unwrap(), ["a", "b"]);
    assert_eq!(texts(&fixture).await.unwrap(), ["2"]);
    chooses(&fixture, "c", Some(QueueMode::Collect)).await;
    fixture.accept_one(6, says("anna", "3", "3")).await;
    sends(&fixture, "alone", QueueMode::Followup).await;
    fixture.accept_one(7, says("anna", "4", "4")).await;
    assert_eq!(texts(&fixture).await.unwrap(), ["3"]);
    assert_eq!(texts(&fixture).await.unwrap(), ["alone"]);
    assert_eq!(texts(&fixture).await.unwrap(), ["4"]);
}

#[tokio::test]
async fn a_message_that_interrupts_ends_the_turn_in_its_own_transaction() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "1").await;
    fixture.accept_one(5, says("anna", "2", "2")).await;
    let (_, facts) = sends(&fixture, "now", QueueMode::Interrupt).await;
    assert_eq!(facts, CommandFacts::Interrupts(Stopped { running: vec![turn.claim.id], waiting: vec![] }));
    assert_eq!(fixture.state(turn.messages[0].id).await.0, "superseded");
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(texts(&fixture).await.unwrap(), ["2", "now"]);

    chooses(&fixture, "c", Some(QueueMode::Interrupt)).await;
    let turn = fixture.turn("anna", "3").await;
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    let next = fixture.accept(6, vec![says("anna", "4", "4")]).await;
    let Stored::Accepted { superseded, .. } = &next[0] else { panic!("{next:?}") };
    assert_eq!(*superseded, Stopped { running: vec![], waiting: ids(&turn) }, "a turn that would run again");
    let again = fixture.accept(7, vec![says("anna", "4", "4")]).await;
    assert!(matches!(again[0], Stored::Duplicate { .. }), "{again:?}");
    assert_eq!(texts(&fixture).await.unwrap(), ["4"]);
}

#[tokio::test]
async fn a_compaction_is_no_turn_that_a_message_replaces() {
    let fixture = Fixture::open().await;
    let command = fixture.accept_one(1, commands("anna", "k", EpochChange::ByRule)).await;
    let compact = CommandEffect::Compact { instructions: String::new() };
    done(fixture.store.answer_command(command, compact, t(2), Box::new(|_| String::new())).await.unwrap());
    let turn = fixture.claim("anna").await.unwrap();
    let (_, facts) = sends(&fixture, "now", QueueMode::Interrupt).await;
    assert_eq!(facts, CommandFacts::Interrupts(Stopped::default()));
    fixture.finish(answered(&turn, "compacted")).await;
}

#[tokio::test]
async fn a_message_waits_for_the_commands_before_it_and_reaches_one_turn() {
    let fixture = Fixture::open().await;
    chooses(&fixture, "c", Some(QueueMode::Collect)).await;
    let first = fixture.accept_one(2, says("anna", "1", "first")).await;
    let command = fixture.accept_one(3, commands("anna", "now", EpochChange::ByRule)).await;
    let later = fixture.accept_one(4, says("anna", "2", "later")).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.more), (vec![first], false), "the command decides what becomes of the turn");

    let effect = CommandEffect::Message { text: "now".into(), mode: Some(QueueMode::Interrupt) };
    let answered = fixture.store.answer_command(command, effect, t(5), Box::new(|_| String::new())).await;
    let interrupted = Stopped { running: vec![turn.claim.id], waiting: vec![] };
    assert_eq!(done(answered.unwrap()), CommandFacts::Interrupts(interrupted));
    assert_eq!(fixture.state(first).await.0, "superseded");
    assert_eq!(fixture.store.waiting_behind(command).await.unwrap(), Some((key("anna"), false)));
    assert_eq!(texts(&fixture).await.unwrap(), ["now"]);
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [later]);
    assert_eq!(fixture.store.waiting_behind(command).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_behind_a_command_is_not_steered_past_it() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "1").await;
    let command = fixture.accept_one(3, commands("anna", "c", EpochChange::ByRule)).await;
    let later = fixture.accept_one(4, says("anna", "2", "later")).await;
    assert!(done(fixture.store.steered(turn.claim, later, t(5)).await.unwrap()), "the command comes first");
    done(fixture.store.unsteered(turn.claim, later, t(5)).await.unwrap());
    let ends = fixture.store.answer_command(command, CommandEffect::None, t(6), Box::new(|_| "ok".into()));
    done(ends.await.unwrap());
    assert!(!done(fixture.store.steered(turn.claim, later, t(7)).await.unwrap()), "nothing waits before it");
}
