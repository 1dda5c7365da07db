//! The start after a death.

use frontdesk_core::delivery::Ending;
use frontdesk_core::notice::Failure;
use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn a_running_turn_of_an_earlier_boot_runs_once_more() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.interrupted, found.dead, found.sessions), (1, 0, 0, vec![key("anna")]));
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((again.claim.id, again.attempt, again.deaths), (turn.claim.id, 2, 1));
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
}

#[tokio::test]
async fn our_own_turns_are_no_orphans() {
    let fixture = Fixture::open().await;
    fixture.turn("anna", "a").await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap(), Recovered::default());
}

#[tokio::test]
async fn a_turn_that_died_twice_is_dead_and_the_next_message_goes_on() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let next = fixture.accept_one(11, says("anna", "2", "b")).await;
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    fixture.claim("anna").await.unwrap();
    let fixture = fixture.restarted(3).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.dead), (0, 1));
    assert_eq!(fixture.state(ids(&turn)[0]).await, ("dead".into(), Some("gateway_killed".into())));
    let line = fixture.claim_part("anna").await.unwrap();
    assert_eq!(line.post.key, format!("{}/notice/failed/0", turn.claim.id));
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [next]);
}

/// A message of a client that is connected, and that nobody else waits for.
fn asks(who: &str, event: &str) -> Admitted {
    let mut message = says(who, event, "a");
    message.event.while_connected = true;
    message
}

#[tokio::test]
async fn a_message_whose_client_went_with_an_earlier_boot_is_cancelled() {
    let fixture = Fixture::open().await;
    let mut messages = Vec::new();
    for who in ["waits", "runs", "acted", "released"] {
        messages.push(fixture.accept_one(10, asks(who, who)).await);
    }
    fixture.claim("runs").await.unwrap();
    let acted = fixture.claim("acted").await.unwrap();
    done(fixture.store.side_effect(acted.claim, "so far".into(), t(101)).await.unwrap());
    let released = fixture.claim("released").await.unwrap();
    done(fixture.store.release(released.claim, None, t(102)).await.unwrap());
    let stays = fixture.accept_one(12, says("stays", "s", "a")).await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().left_behind, 0, "they are this boot's");
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    let counts = (found.left_behind, found.resumed, found.interrupted);
    assert_eq!((counts, found.sessions), ((4, 0, 0), vec![key("stays")]));
    for message in messages {
        assert_eq!(fixture.state(message).await, ("cancelled".into(), None));
    }
    assert_eq!(fixture.state(stays).await.0, "waiting");
    assert_eq!(fixture.texts(OutboxState::Queued).await, [""; 0], "nobody is told");
    let totals = fixture.store.totals().await.unwrap();
    assert_eq!((totals.running, totals.waiting), (0, 1));
}

#[tokio::test]
async fn a_turn_that_answers_others_as_well_goes_on_without_the_client_that_went() {
    let fixture = Fixture::open().await;
    let asked = fixture.accept_one(10, asks("anna", "1")).await;
    let said = fixture.accept_one(11, says("anna", "2", "b")).await;
    fixture.store.claim_turn(&key("anna"), Take::All, t(100)).await.unwrap().unwrap();
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.sessions), (1, vec![key("anna")]));
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [asked, said]);
}

#[tokio::test]
async fn an_orderly_stop_is_no_death() {
    let mut fixture = Fixture::open().await;
    fixture.turn("anna", "a").await;
    for boot in 2..6 {
        fixture = fixture.restarted(boot).await;
        fixture.store.recover(recovery()).await.unwrap();
        let turn = fixture.claim("anna").await.unwrap();
        assert!(turn.deaths <= 1, "{turn:?}");
        done(fixture.store.release(turn.claim, None, t(140)).await.unwrap());
    }
}

#[tokio::test]
async fn a_turn_that_had_acted_is_not_run_again() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.side_effect(turn.claim, "I sent".into(), t(1)).await.unwrap());
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.interrupted, found.addresses), (1, vec![address("anna")]));
    assert_eq!(fixture.claim("anna").await, None);
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "I sent\n\n(interrupted, /retry)");
    assert_eq!(fixture.state(ids(&turn)[0]).await, ("dead".into(), Some("interrupted".into())));
    let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!(row.turn_state.map(TurnState::name), Some("interrupted"));
    assert_eq!(row.answer.as_deref(), Some("I sent"));
}

#[tokio::test]
async fn a_streamed_message_goes_on_with_its_turn_or_says_that_it_ended() {
    let fixture = Fixture::open().await;
    for (who, acts) in [("anna", false), ("bob", true)] {
        let turn = fixture.turn(who, who).await;
        let row = done(fixture.store.stream(turn.claim, "Well".into(), t(2)).await.unwrap()).unwrap();
        fixture.store.streamed(row.post.out, format!("id-{who}")).await.unwrap();
        if acts {
            done(fixture.store.side_effect(turn.claim, "Well, I".into(), t(1)).await.unwrap());
        }
    }
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    let edit = fixture.claim_part("bob").await.unwrap();
    assert_eq!(edit.post.part.body, "Well, I\n\n(interrupted, /retry)");
    assert_eq!(edit.edit(), Some("id-bob"));
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!(again.streamed.clone().unwrap().platform_message.as_deref(), Some("id-anna"));
    assert!(fixture.claim_part("anna").await.is_none());
    // It survives as long as its turn does.
    let fixture = fixture.restarted(3).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!(found.dead, 1);
    let edit = fixture.claim_part("anna").await.unwrap();
    assert_eq!(
        (edit.edit(), edit.post.part.body.as_str()),
        (Some("id-anna"), "Well\n\n(interrupted, /retry)")
    );
}

#[tokio::test]
async fn a_part_that_may_have_arrived_follows_the_operators_choice() {
    for (resend, state) in [(true, OutboxState::Queued), (false, OutboxState::Unknown)] {
        let fixture = Fixture::open().await;
        for who in ["telegram:anna", "matrix:bob"] {
            let turn = fixture.turn(who, "a").await;
            fixture.finish(answered(&turn, who)).await;
            fixture.claim_part(who).await.unwrap();
        }
        let fixture = fixture.restarted(2).await;
        let found = fixture.store.recover(Recovery { resend, ..recovery() }).await.unwrap();
        assert_eq!(found.parts, 2);
        assert!(fixture.texts(state).await.contains(&"telegram:anna".to_owned()));
        assert!(
            fixture.texts(OutboxState::Queued).await.contains(&"matrix:bob".to_owned()),
            "its platform drops the second one"
        );
    }
}

#[tokio::test]
async fn a_kill_during_a_send_is_an_attempt_and_no_failure() {
    let mut fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "answer")).await;
    for boot in 2..6 {
        fixture.claim_part("anna").await.unwrap();
        fixture = fixture.restarted(boot).await;
        fixture.store.recover(recovery()).await.unwrap();
    }
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!((part.attempts, part.failures), (5, 0));
    let later = |counts| SendResult::Later { pause: pause(1), error: "502".into(), counts };
    fixture.part_ended(&part, later(true)).await;
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!((part.attempts, part.failures), (6, 1));
    fixture.part_ended(&part, later(false)).await;
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!((part.attempts, part.failures), (6, 1), "a rate limit counts as neither");
}

#[tokio::test]
async fn a_platform_knows_a_key_for_a_while_and_not_for_ever() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("matrix:bob", "a").await;
    fixture.finish(answered(&turn, "matrix:bob")).await;
    fixture.claim_part("matrix:bob").await.unwrap();
    let fixture = fixture.restarted(2).await;
    let late = t(2 * 86_400);
    fixture.store.recover(Recovery { resend: false, now: late, ..recovery() }).await.unwrap();
    assert!(fixture.texts(OutboxState::Unknown).await.contains(&"matrix:bob".to_owned()));
}

#[tokio::test]
async fn what_waits_is_listed_the_longest_waiting_first() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("eve", "first of all").await;
    done(fixture.store.release(turn.claim, None, t(140)).await.unwrap());
    for (n, who) in ["bob", "anna", "bob", "eve"].iter().enumerate() {
        fixture.accept_one(20, says(who, &format!("w{n}"), "x")).await;
    }
    let command = fixture.accept_one(21, commands("anna", "c", EpochChange::ByRule)).await;
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!(found.sessions, [key("eve"), key("bob"), key("anna")]);
    assert_eq!(found.commands, [command]);
    assert_eq!(fixture.store.waiting(), 5, "counted again at the start");
}

#[tokio::test]
async fn many_orphans_are_put_in_order_in_small_steps() {
    let fixture = Fixture::open().await;
    for n in 0..120 {
        fixture.turn(&format!("u{n}"), "a").await;
    }
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.sessions.len()), (120, 120));
}

#[tokio::test]
async fn what_was_committed_is_there_after_closing() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(bare(&turn, Ending::Answered)).await;
    let fixture = fixture.restarted(2).await;
    assert_eq!(fixture.state(ids(&turn)[0]).await.0, "answered");
    let old = fixture.store.clone();
    let fixture = fixture.restarted(3).await;
    let closed = old.claim_turn(&key("anna"), ONE, t(1)).await;
    assert!(matches!(closed, Err(frontdesk_store::StoreError::Closed)), "{closed:?}");
    assert!(matches!(old.totals().await, Err(frontdesk_store::StoreError::Closed)));
    drop(fixture);
}

#[tokio::test]
async fn an_orphan_that_cannot_be_recovered_is_marked_dead_and_the_others_go_on() {
    let fixture = Fixture::open().await;
    let broken = fixture.turn("PANIC", "a").await;
    let row = done(fixture.store.stream(broken.claim, "Well".into(), t(1)).await.unwrap()).unwrap();
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    done(fixture.store.side_effect(broken.claim, "Well, I".into(), t(1)).await.unwrap());
    fixture.turn("anna", "a").await;
    let acted = fixture.turn("bob", "a").await;
    done(fixture.store.side_effect(acted.claim, "I".into(), t(1)).await.unwrap());
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.interrupted, found.dead), (1, 1, 1));
    assert_eq!((found.sessions, found.addresses), (vec![key("anna")], vec![address("bob")]));
    assert_eq!(fixture.state(ids(&broken)[0]).await, ("dead".into(), Some("internal".into())));
    let row = fixture.store.message(ids(&broken)[0]).await.unwrap().unwrap();
    assert_eq!(
        (row.turn_state.map(TurnState::name), row.error),
        (Some("dead"), Some(Reason::Failed(Failure::Internal)))
    );
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["Well"]);
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().dead, 0);
}
