//! What is said near the agent and not to it.

use frontdesk_core::message::Manner;
use frontdesk_store::row::*;

use crate::desk::*;

fn overheard(who: &str, event: &str, text: &str) -> Incoming {
    Incoming { disposition: Disposition::Aside(3), ..says(who, event, text) }
}

fn texts(asides: &[AsideRow]) -> Vec<&str> {
    asides.iter().map(|aside| aside.text.as_str()).collect()
}

async fn turn(desk: &Desk) -> ClaimedTurn {
    desk.claim("anna").await.unwrap()
}

#[tokio::test]
async fn the_next_turn_takes_what_was_overheard() {
    let desk = Desk::open().await;
    let mark = Incoming { manner: Manner::Reaction, ..overheard("anna", "2", "👍") };
    assert_eq!(
        desk.take(1, vec![overheard("anna", "1", "psst"), mark]).await,
        [Stored::Noted, Stored::Noted]
    );
    assert_eq!(desk.store.session(&key("anna")).await.unwrap(), None, "it begins no session");
    assert_eq!((desk.store.waiting(), desk.claim("anna").await), (0, None), "it is no turn");
    desk.heard(2, says("anna", "3", "hello")).await;
    let turn = turn(&desk).await;
    assert_eq!(texts(&turn.asides), ["psst", "👍"]);
    let AsideRow { principal, sender, manner, received, .. } = turn.asides[1].clone();
    assert_eq!((sender.as_deref(), manner, received), (Some("Anna"), Manner::Reaction, t(1)));
    assert_eq!(principal, person("7"), "a name is nobody's id");
    desk.ends(answered(&turn, "A")).await;
    desk.heard(3, says("anna", "4", "again")).await;
    assert_eq!(self::turn(&desk).await.asides, [], "once");
}

#[tokio::test]
async fn every_attempt_of_a_turn_has_the_same() {
    let desk = Desk::open().await;
    desk.take(1, vec![overheard("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    let first = turn(&desk).await;
    desk.take(2, vec![overheard("anna", "3", "later")]).await;
    done(desk.store.release(first.id, first.fence, t(3)).await.unwrap());
    let again = turn(&desk).await;
    assert_eq!((again.attempt, texts(&again.asides)), (2, vec!["psst"]));
    let desk = desk.reborn(2).await;
    desk.store.recover(recovery()).await.unwrap();
    let again = turn(&desk).await;
    assert_eq!((again.attempt, texts(&again.asides)), (3, vec!["psst"]));
    desk.ends(answered(&again, "A")).await;
    desk.heard(3, says("anna", "4", "next")).await;
    assert_eq!(texts(&turn(&desk).await.asides), ["later"], "also across a start");
}

#[tokio::test]
async fn a_session_keeps_the_newest_few() {
    let desk = Desk::open().await;
    let items = (0..5).map(|n| overheard("anna", &n.to_string(), &n.to_string())).collect();
    desk.take(1, items).await;
    desk.take(1, vec![overheard("bob", "b", "elsewhere")]).await;
    desk.heard(2, says("anna", "m", "hello")).await;
    assert_eq!(texts(&turn(&desk).await.asides), ["2", "3", "4"]);
}

#[tokio::test]
async fn a_redelivery_is_kept_once() {
    let desk = Desk::open().await;
    desk.take(1, vec![overheard("anna", "1", "psst")]).await;
    assert_eq!(desk.take(2, vec![overheard("anna", "1", "psst")]).await, [Stored::Noted]);
    desk.heard(2, says("anna", "m", "hello")).await;
    let turn = turn(&desk).await;
    assert_eq!(texts(&turn.asides), ["psst"]);
    // Also once a turn has it.
    assert_eq!(desk.take(3, vec![overheard("anna", "1", "psst")]).await, [Stored::Noted]);
    desk.ends(answered(&turn, "A")).await;
    desk.heard(4, says("anna", "n", "hello")).await;
    assert_eq!(self::turn(&desk).await.asides, []);
}

#[tokio::test]
async fn a_message_that_came_before_is_no_aside() {
    let desk = Desk::open().await;
    let message = desk.heard(1, says("anna", "1", "hello")).await;
    let items = desk.take(2, vec![overheard("anna", "1", "hello")]).await;
    assert_eq!(items, [Stored::Duplicate { message, session: key("anna"), same: true, refused: None }]);
}

#[tokio::test]
async fn what_is_overheard_and_taken_in_one_batch_is_found() {
    let desk = Desk::open().await;
    desk.take(1, vec![overheard("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    assert_eq!(texts(&turn(&desk).await.asides), ["psst"]);
}

#[tokio::test]
async fn a_stop_leaves_them_and_an_erasure_does_not() {
    let desk = Desk::open().await;
    desk.take(1, vec![overheard("anna", "1", "psst"), says("anna", "2", "hello")]).await;
    let first = turn(&desk).await;
    desk.take(1, vec![overheard("anna", "3", "kept")]).await;
    desk.store.cancel(&key("anna"), &admin(), t(2)).await.unwrap();
    desk.heard(3, says("anna", "4", "hello")).await;
    let second = turn(&desk).await;
    assert_eq!(texts(&second.asides), ["kept"]);
    desk.take(4, vec![overheard("anna", "5", "gone")]).await;
    desk.store.erase(&key("anna"), &admin(), t(5)).await.unwrap();
    desk.heard(6, says("anna", "6", "hello")).await;
    assert_eq!(turn(&desk).await.asides, []);
    // Those that a turn had taken as well: their events are new ones now.
    assert_ne!(first.id, second.id);
    desk.take(7, vec![overheard("anna", "1", "psst"), overheard("anna", "3", "kept")]).await;
    desk.store.cancel(&key("anna"), &admin(), t(8)).await.unwrap();
    desk.heard(9, says("anna", "7", "hello")).await;
    assert_eq!(texts(&turn(&desk).await.asides), ["psst", "kept"]);
}

#[tokio::test]
async fn old_ones_are_purged_and_the_count_with_them() {
    const DAY: i64 = 86_400;
    let keep =
        Keep { outbox_days: 14, refused_days: 8, dead_letter_days: 30, history_days: 30, audit_days: 90 };
    let desk = Desk::open().await;
    desk.take(0, vec![overheard("anna", "1", "taken"), says("anna", "2", "hello")]).await;
    let first = turn(&desk).await;
    desk.ends(answered(&first, "")).await;
    desk.take(0, vec![overheard("anna", "3", "waits")]).await;
    assert_eq!(desk.store.purge(keep, t(7 * DAY)).await.unwrap(), 0);
    assert_eq!(desk.store.purge(keep, t(9 * DAY)).await.unwrap(), 1, "what waits in vain");
    assert_eq!(desk.store.purge(keep, t(31 * DAY)).await.unwrap(), 3, "message, turn and what it overheard");
    desk.heard(5, says("anna", "4", "hello")).await;
    assert_eq!(turn(&desk).await.asides, []);
}
