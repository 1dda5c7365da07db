//! T1c: commands.

use frontdesk_core::id::MessageId;
use frontdesk_core::message::{Attachment, FileKind, Forward, ForwardKind, Manner, Quote};
use frontdesk_store::row::*;

use crate::desk::*;

async fn command(desk: &Desk, event: &str) -> MessageId {
    desk.heard(50, commands("anna", event, EpochChange::ByRule)).await
}

async fn run(desk: &Desk, id: MessageId, effect: CommandEffect) -> CommandDone {
    let reply = Box::new(|facts: &CommandFacts| format!("{facts:?}"));
    done(desk.store.answer_command(id, effect, t(60), reply).await.unwrap())
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let desk = Desk::open().await;
    let id = command(&desk, "c").await;
    assert_eq!(desk.store.command(id).await.unwrap().unwrap().id, id);
    assert_eq!(desk.store.waiting(), 1);
    let CommandDone { facts, said } = run(&desk, id, CommandEffect::None).await;
    assert_eq!((facts, said[0].post.key.clone()), (CommandFacts::None, format!("{id}/0")));
    assert_eq!(said[0].post.reply_to.as_deref(), Some("p-c"));
    assert_eq!(desk.state(id).await.0, "answered");
    assert_eq!(desk.store.command(id).await.unwrap(), None);
    let again = desk.store.answer_command(id, CommandEffect::None, t(61), Box::new(|_| "x".into()));
    assert_eq!(again.await.unwrap(), Fenced::Stale);
    assert_eq!(desk.store.waiting(), 0);
}

#[tokio::test]
async fn a_message_is_no_command() {
    let desk = Desk::open().await;
    let id = desk.heard(1, says("anna", "1", "x")).await;
    assert_eq!(desk.store.command(id).await.unwrap(), None);
}

#[tokio::test]
async fn stop_cancels_what_was_said_before_it_and_nothing_else() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "running").await;
    let waiting = desk.heard(11, says("anna", "2", "waiting")).await;
    let other = desk.heard(11, commands("anna", "3", EpochChange::ByRule)).await;
    let stop = command(&desk, "stop").await;
    let after = desk.heard(51, says("anna", "4", "after")).await;
    let bob = desk.heard(51, says("bob", "5", "elsewhere")).await;
    let CommandDone { facts, .. } = run(&desk, stop, CommandEffect::Stop).await;
    assert_eq!(facts, CommandFacts::Stopped { running: vec![turn.id], waiting: vec![waiting] });
    assert_eq!(desk.state(ids(&turn)[0]).await.0, "cancelled");
    assert_eq!(desk.state(waiting).await.0, "cancelled");
    for kept in [other, after, bob] {
        assert_eq!(desk.state(kept).await.0, "waiting");
    }
    assert_eq!(desk.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(ids(&desk.claim("anna").await.unwrap()), [after]);
    assert_eq!(desk.store.waiting(), 2);
}

#[tokio::test]
async fn stop_counts_a_turn_that_had_not_begun_again_as_waiting() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    done(desk.store.release(turn.id, turn.fence, t(140)).await.unwrap());
    let stop = command(&desk, "stop").await;
    let CommandDone { facts, .. } = run(&desk, stop, CommandEffect::Stop).await;
    assert_eq!(facts, CommandFacts::Stopped { running: vec![], waiting: ids(&turn) });
    assert_eq!(desk.claim("anna").await, None);
}

#[tokio::test]
async fn what_was_steered_in_after_the_stop_waits_again() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    let stop = command(&desk, "stop").await;
    let later = desk.heard(51, says("anna", "4", "later")).await;
    done(desk.store.steered(turn.id, turn.fence, later).await.unwrap());
    run(&desk, stop, CommandEffect::Stop).await;
    assert_eq!((desk.state(later).await.0.as_str(), desk.store.waiting()), ("waiting", 1));
    assert_eq!(ids(&desk.claim("anna").await.unwrap()), [later]);
}

#[tokio::test]
async fn stop_ends_a_streamed_message() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    let row = done(desk.store.stream(turn.id, turn.fence, "Well".into(), t(20)).await.unwrap()).unwrap();
    desk.store.streamed(row.post.out, "77".into()).await.unwrap();
    let stop = command(&desk, "stop").await;
    let CommandDone { said, .. } = run(&desk, stop, CommandEffect::Stop).await;
    assert_eq!((said[0].post.part.body.as_str(), said[0].edit.as_deref()), ("Well\n\n(stopped)", Some("77")));
    assert_eq!(said.len(), 2);
}

#[tokio::test]
async fn cancel_ends_everything_but_commands() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    let waiting = desk.heard(11, says("anna", "2", "b")).await;
    let command = command(&desk, "c").await;
    assert_eq!(
        desk.store.cancel(&key("anna"), &admin(), t(60)).await.unwrap(),
        (vec![turn.id], vec![waiting])
    );
    assert_eq!((desk.state(command).await.0.as_str(), desk.store.waiting()), ("waiting", 1));
}

#[tokio::test]
async fn a_retry_is_a_turn_of_its_own_about_the_messages_of_the_last_one() {
    let desk = Desk::open().await;
    let file = Attachment {
        reference: "f".into(),
        unique: None,
        kind: FileKind::Photo,
        name: None,
        mime: None,
        size: None,
    };
    let with_file = Incoming { attachments: vec![file.clone()], ..says("anna", "1", "look") };
    let first = desk.heard(1, with_file).await;
    let second = desk.heard(2, says("anna", "2", "and tell")).await;
    let turn = desk.store.claim_turn(&key("anna"), Take::All, t(3)).await.unwrap().unwrap();
    let retry = command(&desk, "r").await;
    desk.ends(answered(&turn, "bad")).await;
    let CommandDone { facts, said } = run(&desk, retry, CommandEffect::Retry).await;
    assert_eq!((facts, said), (CommandFacts::Retrying, vec![]));
    let again = desk.claim("anna").await.unwrap();
    assert_eq!(ids(&again), [retry]);
    assert_eq!(again.messages[0].text, "/command", "its own words, and nobody else's");
    assert_eq!((&again.messages[0].replays, again.messages[0].attachments.len()), (&vec![first, second], 0));
    assert_eq!(again.messages[0].reason, Some(format!("retry:{}", turn.id)));
    let replayed: Vec<_> = again.replayed.iter().map(|row| (row.id, row.text.as_str())).collect();
    assert_eq!(replayed, [(first, "look"), (second, "and tell")]);
    assert_eq!(again.replayed[0].attachments, [file]);
    let items = desk.take(70, vec![commands("anna", "r", EpochChange::ByRule)]).await;
    assert!(matches!(items[0], Stored::Duplicate { same: true, .. }), "its own words are still known");
}

#[tokio::test]
async fn a_retry_keeps_how_each_message_was_said_and_by_whom() {
    let desk = Desk::open().await;
    let quote = Quote { sender: Some("Bob".into()), ..Quote::of("which?") };
    let forward = Forward { kind: ForwardKind::Channel, id: Some(person("-9")), name: None };
    let eve = Incoming {
        principal: person("66"),
        sender: Some("Eve".into()),
        manner: Manner::Button,
        quote: Some(quote.clone()),
        forward: Some(forward.clone()),
        ..says("anna", "1", "this")
    };
    desk.heard(1, eve).await;
    let turn = desk.claim("anna").await.unwrap();
    desk.ends(answered(&turn, "bad")).await;
    let retry =
        Incoming { quote: Some(Quote::of("of the command")), ..commands("anna", "r", EpochChange::ByRule) };
    let retry = desk.heard(2, retry).await;
    run(&desk, retry, CommandEffect::Retry).await;
    let again = desk.claim("anna").await.unwrap();
    assert_eq!((&again.messages[0].principal, &again.messages[0].quote), (&person("7"), &None));
    let said = &again.replayed[0];
    assert_eq!((&said.principal, said.sender.as_deref()), (&person("66"), Some("Eve")));
    assert_eq!((said.manner, &said.quote, &said.forward), (Manner::Button, &Some(quote), &Some(forward)));
}

#[tokio::test]
async fn a_retry_of_a_retry_is_about_the_same_messages() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    let first = ids(&turn)[0];
    desk.ends(answered(&turn, "bad")).await;
    let mut again = turn;
    for event in ["r", "s", "t"] {
        let retry = command(&desk, event).await;
        assert_eq!(run(&desk, retry, CommandEffect::Retry).await.facts, CommandFacts::Retrying);
        again = desk.claim("anna").await.unwrap();
        assert_eq!(again.messages[0].replays, [first]);
        desk.ends(answered(&again, "bad")).await;
    }
    assert_eq!(again.replayed.len(), 1);
    desk.store.erase(&key("anna"), &admin(), t(80)).await.unwrap();
    let retry = command(&desk, "u").await;
    assert_eq!(run(&desk, retry, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
}

#[tokio::test]
async fn a_retry_that_begins_again_has_its_messages_in_every_attempt() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    desk.ends(answered(&turn, "bad")).await;
    let retry = command(&desk, "r").await;
    run(&desk, retry, CommandEffect::Retry).await;
    desk.claim("anna").await.unwrap();
    let desk = desk.reborn(2).await;
    desk.store.recover(recovery()).await.unwrap();
    let again = desk.claim("anna").await.unwrap();
    assert_eq!((again.attempt, again.replayed.len()), (2, 1));
}

#[tokio::test]
async fn retry_needs_a_turn_that_has_ended() {
    let desk = Desk::open().await;
    let first = command(&desk, "1").await;
    assert_eq!(run(&desk, first, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
    desk.turn("anna", "a").await;
    let second = command(&desk, "2").await;
    let CommandDone { facts, said } = run(&desk, second, CommandEffect::Retry).await;
    assert_eq!((facts, said.len()), (CommandFacts::StillRunning, 1));
}

#[tokio::test]
async fn retry_stays_in_its_epoch() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    desk.ends(answered(&turn, "A")).await;
    desk.heard(30, commands("anna", "n", EpochChange::New)).await;
    let retry = command(&desk, "r").await;
    assert_eq!(run(&desk, retry, CommandEffect::Retry).await.facts, CommandFacts::NothingToRetry);
}

#[tokio::test]
async fn a_reply_that_cannot_be_made_leaves_the_command_waiting() {
    let desk = Desk::open().await;
    let id = command(&desk, "c").await;
    let broken =
        desk.store.answer_command(id, CommandEffect::Stop, t(60), Box::new(|_| "PANIC".into())).await;
    assert!(matches!(broken, Err(frontdesk_store::StoreError::Invalid(_))), "{broken:?}");
    assert_eq!((desk.state(id).await.0.as_str(), desk.store.waiting()), ("waiting", 1));
}
