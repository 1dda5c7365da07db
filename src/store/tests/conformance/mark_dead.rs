//! The last resort: an end for what cannot be ended otherwise.

use frontdesk_core::notice::Failure;
use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn a_turn_marked_dead_delays_nothing_behind_it() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("PANIC", "a").await;
    let next = fixture.accept_one(11, says("PANIC", "2", "b")).await;
    done(fixture.store.stream(turn.claim, "Well".into(), t(20)).await.unwrap()).unwrap();
    assert_eq!(fixture.store.mark_turn_dead(stale(&turn), t(30)).await.unwrap(), Fenced::Stale);
    done(fixture.store.mark_turn_dead(turn.claim, t(30)).await.unwrap());
    assert_eq!(fixture.state(ids(&turn)[0]).await, ("dead".into(), Some("internal".into())));
    let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!(
        (row.turn_state.map(TurnState::name), row.error),
        (Some("dead"), Some(Reason::Failed(Failure::Internal)))
    );
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["Well"]);
    assert_eq!(fixture.store.parts(None, None, 10).await.unwrap().len(), 1, "nothing is said");
    assert_eq!(fixture.store.mark_turn_dead(turn.claim, t(31)).await.unwrap(), Fenced::Stale);
    assert_eq!(ids(&fixture.claim("PANIC").await.unwrap()), [next]);
}

#[tokio::test]
async fn a_part_marked_dead_leaves_no_notice_and_the_next_one_goes() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "one|two")).await;
    let one = fixture.claim_part("anna").await.unwrap();
    let mark_dead = async |claim| fixture.store.mark_part_dead(claim, "why".into(), t(30)).await.unwrap();
    let stale = Claim { fence: one.fence + 1, ..one.claim() };
    assert_eq!(mark_dead(stale).await, Fenced::Stale);
    assert_eq!(mark_dead(one.claim()).await, Fenced::Done(true));
    let dead = &fixture.store.parts(Some(OutboxState::Dead), None, 1).await.unwrap()[0];
    assert_eq!((dead.post.out, dead.error.as_deref()), (one.post.out, Some("why")));
    let two = fixture.claim_part("anna").await.unwrap();
    assert_eq!(mark_dead(two.claim()).await, Fenced::Done(false));
    assert!(fixture.claim_part("anna").await.is_none());
}

#[tokio::test]
async fn a_command_marked_dead_waits_no_longer() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, commands("PANIC", "c", EpochChange::ByRule)).await;
    done(fixture.store.mark_command_dead(id).await.unwrap());
    assert_eq!(fixture.state(id).await, ("dead".into(), Some("internal".into())));
    assert_eq!(fixture.store.waiting(), 0);
    assert_eq!(fixture.store.mark_command_dead(id).await.unwrap(), Fenced::Stale);
    let message = fixture.accept_one(2, says("anna", "1", "x")).await;
    assert_eq!(
        fixture.store.mark_command_dead(message).await.unwrap(),
        Fenced::Stale,
        "a message is no command"
    );
}
