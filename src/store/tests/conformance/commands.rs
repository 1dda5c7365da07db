//! T1c: commands.

use frontdesk_core::id::MessageId;
use frontdesk_core::message::{Attachment, EventKind, FileKind, Forward, ForwardKind, InputKind, Quote};
use frontdesk_store::row::*;

use crate::fixture::*;

async fn command(fixture: &Fixture, event: &str) -> MessageId {
    fixture.accept_one(50, commands("anna", event, EpochChange::ByRule)).await
}

async fn run(fixture: &Fixture, id: MessageId, effect: CommandEffect) -> CommandDone {
    let reply = Box::new(|facts: &CommandFacts| format!("{facts:?}"));
    done(fixture.answer_command(id, effect, t(60), reply).await.unwrap())
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let fixture = Fixture::open().await;
    let id = command(&fixture, "c").await;
    assert_eq!(fixture.store.command(id).await.unwrap().unwrap().id, id);
    assert_eq!(fixture.store.waiting(), 1);
    let CommandDone { facts, announced } = run(&fixture, id, CommandEffect::None).await;
    assert_eq!((facts, announced[0].post.key.clone()), (CommandFacts::None, format!("{id}/0")));
    assert_eq!(announced[0].post.reply_to.as_deref(), Some("p-c"));
    assert_eq!(fixture.state(id).await.0, "answered");
    assert_eq!(fixture.store.command(id).await.unwrap(), None);
    let again = fixture.answer_command(id, CommandEffect::None, t(61), Box::new(|_| "x".into()));
    assert_eq!(again.await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn a_message_is_no_command() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, says("anna", "1", "x")).await;
    assert_eq!(fixture.store.command(id).await.unwrap(), None);
}

#[tokio::test]
async fn stop_cancels_what_was_said_before_it_and_nothing_else() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "running").await;
    let waiting = fixture.accept_one(11, says("anna", "2", "waiting")).await;
    let other = fixture.accept_one(11, commands("anna", "3", EpochChange::ByRule)).await;
    let stop = command(&fixture, "stop").await;
    let after = fixture.accept_one(51, says("anna", "4", "after")).await;
    let bob = fixture.accept_one(51, says("bob", "5", "elsewhere")).await;
    let CommandDone { facts, .. } = run(&fixture, stop, CommandEffect::Stop).await;
    assert_eq!(
        facts,
        CommandFacts::Stopped(Stopped { running: vec![turn.claim.id], waiting: vec![waiting] })
    );
    assert_eq!(fixture.state(ids(&turn)[0]).await.0, "cancelled");
    assert_eq!(fixture.state(waiting).await.0, "cancelled");
    for kept in [other, after, bob] {
        assert_eq!(fixture.state(kept).await.0, "waiting");
    }
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.claim("anna").await, None, "a command before it has not run");
    run(&fixture, other, CommandEffect::None).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [after]);
    assert_eq!(fixture.store.waiting(), 1);
}

#[tokio::test]
async fn stop_counts_a_turn_that_had_not_begun_again_as_waiting() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.release(turn.claim, None, t(140)).await.unwrap());
    let stop = command(&fixture, "stop").await;
    let CommandDone { facts, .. } = run(&fixture, stop, CommandEffect::Stop).await;
    assert_eq!(facts, CommandFacts::Stopped(Stopped { running: vec![], waiting: ids(&turn) }));
    assert_eq!(fixture.claim("anna").await, None);
}

#[tokio::test]
async fn what_was_steered_in_after_the_stop_waits_again() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let stop = command(&fixture, "stop").await;
    let later = fixture.accept_one(51, says("anna", "4", "later")).await;
    done(fixture.store.steered(turn.claim, later, t(110)).await.unwrap());
    run(&fixture, stop, CommandEffect::Stop).await;
    assert_eq!((fixture.state(later).await.0.as_str(), fixture.store.waiting()), ("waiting", 1));
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [later]);
}

#[tokio::test]
async fn stop_ends_a_streamed_message() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let row = done(fixture.store.stream(turn.claim, "Well".into(), t(20)).await.unwrap()).unwrap();
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let stop = command(&fixture, "stop").await;
    let CommandDone { announced, .. } = run(&fixture, stop, CommandEffect::Stop).await;
    assert_eq!(
        (announced[0].post.part.body.as_str(), announced[0].edit()),
        ("Well\n\n(stopped)", Some("77"))
    );
    assert_eq!(announced.len(), 2);
}

#[tokio::test]
async fn cancel_ends_everything_but_commands() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let waiting = fixture.accept_one(11, says("anna", "2", "b")).await;
    let command = command(&fixture, "c").await;
    assert_eq!(
        fixture.store.cancel(&key("anna"), &admin(), t(60)).await.unwrap(),
        Stopped { running: vec![turn.claim.id], waiting: vec![waiting] }
    );
    assert_eq!((fixture.state(command).await.0.as_str(), fixture.store.waiting()), ("waiting", 1));
}

#[tokio::test]
async fn one_message_is_cancelled_unless_its_turn_answers_others_too() {
    let fixture = Fixture::open().await;
    let cancel = async |id| fixture.store.cancel_message(id, t(60)).await.unwrap().map(|gone| gone.turn);
    let turn = fixture.turn("anna", "a").await;
    let waiting = fixture.accept_one(11, says("anna", "2", "b")).await;
    let other = fixture.accept_one(12, says("anna", "3", "c")).await;
    assert_eq!(cancel(waiting).await, Some(None));
    assert_eq!((fixture.state(waiting).await.0.as_str(), fixture.store.waiting()), ("cancelled", 1));
    assert_eq!(cancel(waiting).await, None, "it has ended");
    let running = turn.messages[0].id;
    assert_eq!(cancel(running).await, Some(Some(turn.claim.id)));
    assert_eq!(fixture.state(running).await.0, "cancelled");
    let another = fixture.accept_one(13, says("anna", "4", "d")).await;
    let both = fixture.store.claim_turn(&key("anna"), Take::All, t(61)).await.unwrap().unwrap();
    assert_eq!(ids(&both), [other, another]);
    assert_eq!(cancel(other).await, None);
    let command = command(&fixture, "c").await;
    assert_eq!(cancel(command).await, None);
}

#[tokio::test]
async fn a_retry_is_a_turn_of_its_own_about_the_messages_of_the_last_one() {
    let fixture = Fixture::open().await;
    let file = Attachment {
        reference: "f".into(),
        unique: None,
        kind: FileKind::Photo,
        name: None,
        mime: None,
        size: None,
        seconds: None,
        kept: None,
    };
    let with_file = with_event(says("anna", "1", "look"), |event| event.attachments = vec![file.clone()]);
    let first = fixture.accept_one(1, with_file).await;
    let second = fixture.accept_one(2, says("anna", "2", "and tell")).await;
    let turn = fixture.store.claim_turn(&key("anna"), Take::All, t(3)).await.unwrap().unwrap();
    let retry = command(&fixture, "r").await;
    fixture.finish(answered(&turn, "bad")).await;
    let CommandDone { facts, announced } = run(&fixture, retry, CommandEffect::Retry).await;
    assert_eq!((facts, announced), (CommandFacts::Waits, vec![]));
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!(ids(&again), [retry]);
    assert_eq!(again.messages[0].text, "/command", "its own words, and nobody else's");
    assert_eq!((&again.messages[0].replays, again.messages[0].attachments.len()), (&vec![first, second], 0));
    assert_eq!(again.messages[0].reason, Some(Reason::Retries(turn.claim.id)));
    let replayed: Vec<_> = again.replayed.iter().map(|row| (row.id, row.text.as_str())).collect();
    assert_eq!(replayed, [(first, "look"), (second, "and tell")]);
    assert_eq!(again.replayed[0].attachments, [file]);
    let items = fixture.accept(70, vec![commands("anna", "r", EpochChange::ByRule)]).await;
    assert!(matches!(items[0], Stored::Duplicate { same: true, .. }), "its own words are still known");
}

#[tokio::test]
async fn a_retry_keeps_how_each_message_was_said_and_by_whom() {
    let fixture = Fixture::open().await;
    let quote = Quote { sender: Some("Bob".into()), ..Quote::of("which?") };
    let forward = Forward { kind: ForwardKind::Channel, id: Some(person("-9")), name: None };
    let eve = with_event(says("anna", "1", "this"), |event| {
        event.from.id = person("66");
        event.from.name = Some("Eve".into());
        event.kind = EventKind::Button { target: None };
        event.quote = Some(quote.clone());
        event.forward = Some(forward.clone());
    });
    fixture.accept_one(1, eve).await;
    let turn = fixture.claim("anna").await.unwrap();
    fixture.finish(answered(&turn, "bad")).await;
    let retry = with_event(commands("anna", "r", EpochChange::ByRule), |event| {
        event.quote = Some(Quote::of("of the command"));
    });
    let retry = fixture.accept_one(2, retry).await;
    run(&fixture, retry, CommandEffect::Retry).await;
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((&again.messages[0].from.id, &again.messages[0].quote), (&person("7"), &None));
    let message = &again.replayed[0];
    assert_eq!((&message.from.id, message.from.name.as_deref()), (&person("66"), Some("Eve")));
    assert_eq!(
        (message.input_kind, &message.quote, &message.forward),
        (InputKind::Button, &Some(quote), &Some(forward))
    );
}

#[tokio::test]
async fn a_retry_of_a_retry_is_about_the_same_messages() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let first = ids(&turn)[0];
    fixture.finish(answered(&turn, "bad")).await;
    let mut again = turn;
    for event in ["r", "s", "t"] {
        let retry = command(&fixture, event).await;
        assert_eq!(run(&fixture, retry, CommandEffect::Retry).await.facts, CommandFacts::Waits);
        again = fixture.claim("anna").await.unwrap();
        assert_eq!(again.messages[0].replays, [first]);
        fixture.finish(answered(&again, "bad")).await;
    }
    assert_eq!(again.replayed.len(), 1);
    fixture.store.erase(&key("anna"), &admin(), t(80)).await.unwrap();
    let retry = command(&fixture, "u").await;
    assert_eq!(run(&fixture, retry, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
}

#[tokio::test]
async fn a_retry_that_begins_again_has_its_messages_in_every_attempt() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "bad")).await;
    let retry = command(&fixture, "r").await;
    run(&fixture, retry, CommandEffect::Retry).await;
    fixture.claim("anna").await.unwrap();
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((again.attempt, again.replayed.len()), (2, 1));
}

#[tokio::test]
async fn retry_needs_a_turn_that_has_ended() {
    let fixture = Fixture::open().await;
    let first = command(&fixture, "1").await;
    assert_eq!(run(&fixture, first, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
    fixture.turn("anna", "a").await;
    let second = command(&fixture, "2").await;
    let CommandDone { facts, announced } = run(&fixture, second, CommandEffect::Retry).await;
    assert_eq!((facts, announced.len()), (CommandFacts::StillRunning, 1));
}

#[tokio::test]
async fn retry_stays_in_its_epoch() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "A")).await;
    fixture.accept_one(30, commands("anna", "n", EpochChange::New)).await;
    let retry = command(&fixture, "r").await;
    assert_eq!(run(&fixture, retry, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
}

#[tokio::test]
async fn a_reply_that_cannot_be_made_leaves_the_command_waiting() {
    let fixture = Fixture::open().await;
    let id = command(&fixture, "c").await;
    let broken = fixture.answer_command(id, CommandEffect::Stop, t(60), Box::new(|_| "PANIC".into())).await;
    assert!(matches!(broken, Err(frontdesk_store::StoreError::Invalid(_))), "{broken:?}");
    assert_eq!((fixture.state(id).await.0.as_str(), fixture.store.waiting()), ("waiting", 1));
}

#[tokio::test]
async fn whoever_stops_their_own_messages_leaves_those_of_others_to_be_answered() {
    let of = |id: &str, who: &str| with_event(says("anna", id, id), |event| event.from.id = person(who));
    for acted in [false, true] {
        let fixture = Fixture::open().await;
        fixture.accept_one(1, of("1", "7")).await;
        let other = fixture.accept_one(2, of("2", "66")).await;
        let turn = fixture.store.claim_turn(&key("anna"), Take::All, t(3)).await.unwrap().unwrap();
        if acted {
            fixture.store.side_effect(turn.claim, String::new(), t(3)).await.unwrap();
        }
        let waits = fixture.accept_one(4, of("4", "66")).await;
        let own = fixture.accept_one(5, of("5", "7")).await;
        let stop = command(&fixture, "s").await;
        let CommandDone { facts, .. } = run(&fixture, stop, CommandEffect::StopOwn).await;
        let stopped = Stopped { running: vec![turn.claim.id], waiting: vec![own] };
        assert_eq!(facts, CommandFacts::StoppedOwn { stopped, others: true, wake: vec![key("anna")] });
        let next = fixture.store.claim_turn(&key("anna"), Take::All, t(6)).await.unwrap().unwrap();
        // What the agent has begun to act on is not run again by itself.
        assert_eq!(ids(&next), if acted { vec![waits] } else { vec![other, waits] });
    }
}
