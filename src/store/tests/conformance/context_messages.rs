//! What is said near the agent and not to it.

use frontdesk_core::message::{EventKind, InputKind};
use frontdesk_core::port::ContextMessage;
use frontdesk_store::row::*;

use crate::fixture::*;

fn context(who: &str, event: &str, text: &str) -> Admitted {
    Admitted { disposition: Disposition::Context(3), ..says(who, event, text) }
}

fn texts(context_messages: &[ContextMessage]) -> Vec<&str> {
    context_messages.iter().map(|context_message| context_message.text.as_str()).collect()
}

async fn turn(fixture: &Fixture) -> ClaimedTurn {
    fixture.claim("anna").await.unwrap()
}

#[tokio::test]
async fn the_next_turn_takes_what_was_context() {
    let fixture = Fixture::open().await;
    let reaction = EventKind::Reaction { target: "1".into(), added: vec![], removed: vec![] };
    let mark = with_event(context("anna", "2", "👍"), |event| event.kind = reaction);
    assert_eq!(
        fixture.accept(1, vec![context("anna", "1", "psst"), mark]).await,
        [Stored::Noted, Stored::Noted]
    );
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap(), None, "it begins no session");
    assert_eq!((fixture.store.waiting(), fixture.claim("anna").await), (0, None), "it is no turn");
    fixture.accept_one(2, says("anna", "3", "hello")).await;
    let turn = turn(&fixture).await;
    assert_eq!(texts(&turn.context_messages), ["psst", "👍"]);
    let ContextMessage { from, input_kind, received, .. } = turn.context_messages[1].clone();
    assert_eq!((from.name.as_deref(), input_kind, received), (Some("Anna"), InputKind::Reaction, t(1)));
    assert_eq!(from.id, person("7"), "a name is nobody's id");
    fixture.finish(answered(&turn, "A")).await;
    fixture.accept_one(3, says("anna", "4", "again")).await;
    assert_eq!(self::turn(&fixture).await.context_messages, [], "once");
}

#[tokio::test]
async fn every_attempt_of_a_turn_has_the_same() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![context("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    let first = turn(&fixture).await;
    fixture.accept(2, vec![context("anna", "3", "later")]).await;
    done(fixture.store.release(first.claim, None, t(3)).await.unwrap());
    let again = turn(&fixture).await;
    assert_eq!((again.attempt, texts(&again.context_messages)), (2, vec!["psst"]));
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    let again = turn(&fixture).await;
    assert_eq!((again.attempt, texts(&again.context_messages)), (3, vec!["psst"]));
    fixture.finish(answered(&again, "A")).await;
    fixture.accept_one(3, says("anna", "4", "next")).await;
    assert_eq!(texts(&turn(&fixture).await.context_messages), ["later"], "also across a start");
}

#[tokio::test]
async fn a_session_keeps_the_newest_few() {
    let fixture = Fixture::open().await;
    let items = (0..5).map(|n| context("anna", &n.to_string(), &n.to_string())).collect();
    fixture.accept(1, items).await;
    fixture.accept(1, vec![context("bob", "b", "elsewhere")]).await;
    fixture.accept_one(2, says("anna", "m", "hello")).await;
    assert_eq!(texts(&turn(&fixture).await.context_messages), ["2", "3", "4"]);
}

#[tokio::test]
async fn a_redelivery_is_kept_once() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![context("anna", "1", "psst")]).await;
    assert_eq!(fixture.accept(2, vec![context("anna", "1", "psst")]).await, [Stored::Noted]);
    fixture.accept_one(2, says("anna", "m", "hello")).await;
    let turn = turn(&fixture).await;
    assert_eq!(texts(&turn.context_messages), ["psst"]);
    // Also once a turn has it.
    assert_eq!(fixture.accept(3, vec![context("anna", "1", "psst")]).await, [Stored::Noted]);
    fixture.finish(answered(&turn, "A")).await;
    fixture.accept_one(4, says("anna", "n", "hello")).await;
    assert_eq!(self::turn(&fixture).await.context_messages, []);
}

#[tokio::test]
async fn a_message_that_came_before_is_no_aside() {
    let fixture = Fixture::open().await;
    let message = fixture.accept_one(1, says("anna", "1", "hello")).await;
    let items = fixture.accept(2, vec![context("anna", "1", "hello")]).await;
    assert_eq!(items, [Stored::Duplicate { message, session: key("anna"), same: true, refused: None }]);
}

#[tokio::test]
async fn a_context_message_that_is_taken_in_the_same_batch_is_found() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![context("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    assert_eq!(texts(&turn(&fixture).await.context_messages), ["psst"]);
}

#[tokio::test]
async fn a_stop_leaves_them_and_an_erasure_does_not() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![context("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    let first = turn(&fixture).await;
    fixture.accept(1, vec![context("anna", "3", "kept")]).await;
    fixture.store.cancel(&key("anna"), &admin(), t(2)).await.unwrap();
    fixture.accept_one(3, says("anna", "4", "hello")).await;
    let second = turn(&fixture).await;
    assert_eq!(texts(&second.context_messages), ["kept"]);
    fixture.accept(4, vec![context("anna", "5", "gone")]).await;
    fixture.store.erase(&key("anna"), &admin(), t(5)).await.unwrap();
    fixture.accept_one(6, says("anna", "6", "hello")).await;
    assert_eq!(turn(&fixture).await.context_messages, []);
    // Those that a turn had taken as well: their events are new ones now.
    assert_ne!(first.claim.id, second.claim.id);
    fixture.accept(7, vec![context("anna", "1", "psst"), context("anna", "3", "kept")]).await;
    fixture.store.cancel(&key("anna"), &admin(), t(8)).await.unwrap();
    fixture.accept_one(9, says("anna", "7", "hello")).await;
    assert_eq!(texts(&turn(&fixture).await.context_messages), ["psst", "kept"]);
}

#[tokio::test]
async fn old_ones_are_purged_and_the_count_with_them() {
    const DAY: i64 = 86_400;
    let keep = Retention {
        outbox_days: 14,
        refused_days: 8,
        dead_letter_days: 30,
        history_days: 30,
        audit_days: 90,
    };
    let fixture = Fixture::open().await;
    fixture.accept(0, vec![context("anna", "1", "taken"), says("anna", "2", "hello")]).await;
    let first = turn(&fixture).await;
    fixture.finish(answered(&first, "")).await;
    fixture.accept(0, vec![context("anna", "3", "waits")]).await;
    assert_eq!(fixture.store.purge(keep, t(7 * DAY)).await.unwrap(), 0);
    assert_eq!(fixture.store.purge(keep, t(9 * DAY)).await.unwrap(), 1, "what waits in vain");
    assert_eq!(
        fixture.store.purge(keep, t(31 * DAY)).await.unwrap(),
        3,
        "message, turn and what it overheard"
    );
    fixture.accept_one(5, says("anna", "4", "hello")).await;
    assert_eq!(turn(&fixture).await.context_messages, []);
}
