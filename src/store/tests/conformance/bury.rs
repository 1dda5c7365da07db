//! The last resort: an end for what cannot be ended otherwise.

use frontdesk_store::row::*;

use crate::desk::*;

#[tokio::test]
async fn a_buried_turn_is_dead_and_nothing_waits_behind_it() {
    let desk = Desk::open().await;
    let turn = desk.turn("PANIC", "a").await;
    let next = desk.heard(11, says("PANIC", "2", "b")).await;
    done(desk.store.stream(turn.id, turn.fence, "Well".into(), t(20)).await.unwrap()).unwrap();
    assert_eq!(desk.store.bury_turn(turn.id, turn.fence + 1, t(30)).await.unwrap(), Fenced::Stale);
    done(desk.store.bury_turn(turn.id, turn.fence, t(30)).await.unwrap());
    assert_eq!(desk.state(ids(&turn)[0]).await, ("dead".into(), Some("internal".into())));
    let row = desk.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!((row.turn_state.as_deref(), row.error.as_deref()), (Some("dead"), Some("internal")));
    assert_eq!(desk.texts("dropped").await, ["Well"]);
    assert_eq!(desk.store.parts(None, None, 10).await.unwrap().len(), 1, "nothing is said");
    assert_eq!(desk.store.bury_turn(turn.id, turn.fence, t(31)).await.unwrap(), Fenced::Stale);
    assert_eq!(ids(&desk.claim("PANIC").await.unwrap()), [next]);
}

#[tokio::test]
async fn a_buried_part_leaves_no_line_and_the_next_one_goes() {
    let desk = Desk::open().await;
    let turn = desk.turn("anna", "a").await;
    desk.ends(answered(&turn, "one|two")).await;
    let one = desk.part("anna").await.unwrap();
    let bury = async |row: &OutRow, fence| {
        desk.store.bury_part(row.post.out, fence, "why".into(), t(30)).await.unwrap()
    };
    assert_eq!(bury(&one, one.fence + 1).await, Fenced::Stale);
    assert_eq!(bury(&one, one.fence).await, Fenced::Done(true));
    let dead = &desk.store.parts(Some("dead"), None, 1).await.unwrap()[0];
    assert_eq!((dead.post.out, dead.error.as_deref()), (one.post.out, Some("why")));
    let two = desk.part("anna").await.unwrap();
    assert_eq!(bury(&two, two.fence).await, Fenced::Done(false));
    assert!(desk.part("anna").await.is_none());
}

#[tokio::test]
async fn a_buried_command_waits_no_longer() {
    let desk = Desk::open().await;
    let id = desk.heard(1, commands("PANIC", "c", EpochChange::ByRule)).await;
    done(desk.store.bury_command(id).await.unwrap());
    assert_eq!(desk.state(id).await, ("dead".into(), Some("internal".into())));
    assert_eq!(desk.store.waiting(), 0);
    assert_eq!(desk.store.bury_command(id).await.unwrap(), Fenced::Stale);
    let message = desk.heard(2, says("anna", "1", "x")).await;
    assert_eq!(desk.store.bury_command(message).await.unwrap(), Fenced::Stale, "a message is no command");
}
