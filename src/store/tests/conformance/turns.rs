//! T2 and T3: messages become turns, and turns end.

use frontdesk_core::delivery::{Ending, PostKind};
use frontdesk_core::delta::AnswererChange;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn the_oldest_message_comes_first_and_one_turn_runs_at_a_time() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(1, says("anna", "1", "a")).await;
    let second = fixture.accept_one(2, says("anna", "2", "b")).await;
    let turn = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&turn), turn.more, turn.attempt, turn.deaths), (vec![first], true, 1, 0));
    assert_eq!(turn.reply_to.as_deref(), Some("p-1"));
    assert_eq!(turn.messages[0].state, MessageState::InTurn);
    assert_eq!(fixture.claim("anna").await, None);
    assert_eq!(fixture.store.session(&key("anna")).await.unwrap().unwrap().running, Some(turn.claim.id));
    fixture.finish(answered(&turn, "A")).await;
    let next = fixture.claim("anna").await.unwrap();
    assert_eq!((ids(&next), next.more), (vec![second], false));
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn nothing_waiting_is_no_turn() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.claim("anna").await, None);
    fixture.accept_one(1, commands("anna", "1", EpochChange::ByRule)).await;
    assert_eq!(fixture.claim("anna").await, None, "a command is no turn");
}

#[tokio::test]
async fn collecting_takes_what_waits_up_to_the_next_epoch() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "a")).await;
    fixture.accept_one(2, says("anna", "2", "b")).await;
    fixture.accept_one(3, Admitted { epoch: EpochChange::New, ..says("anna", "3", "c") }).await;
    let turn = fixture.store.claim_turn(&key("anna"), Take::All, t(4)).await.unwrap().unwrap();
    let texts: Vec<&str> = turn.messages.iter().map(|m| m.text.as_str()).collect();
    assert_eq!((texts, turn.epoch, turn.more), (vec!["a", "b"], 1, true));
    assert_eq!(turn.reply_to.as_deref(), Some("p-2"));
    fixture.finish(answered(&turn, "AB")).await;
    let turn = fixture.store.claim_turn(&key("anna"), Take::All, t(5)).await.unwrap().unwrap();
    assert_eq!((turn.epoch, turn.more), (2, false));
}

#[tokio::test]
async fn sessions_do_not_wait_for_each_other() {
    let fixture = Fixture::open().await;
    fixture.turn("anna", "a").await;
    fixture.turn("bob", "b").await;
    assert_eq!(fixture.store.totals().await.unwrap().running, 2);
}

#[tokio::test]
async fn an_answer_ends_the_turn_and_is_on_its_way_in_one_commit() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let announced = fixture.finish(Finish { usage: Some(usage()), ..answered(&turn, "*one*|two") }).await;
    let keys: Vec<&str> = announced.iter().map(|row| row.post.key.as_str()).collect();
    assert_eq!(keys, [format!("{}/0", turn.claim.id), format!("{}/1", turn.claim.id)]);
    assert_eq!(
        (announced[0].post.part.body.as_str(), announced[0].post.part.plain.as_str()),
        ("*one*", "one")
    );
    assert_eq!((announced[0].post.kind, announced[0].state), (PostKind::Answer, OutboxState::Queued));
    assert_eq!(
        (announced[0].post.reply_to.as_deref(), &announced[0].post.about.messages),
        (Some("p-anna-a"), &ids(&turn))
    );
    let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!((row.message.state.name(), row.turn_state.map(TurnState::name)), ("answered", Some("done")));
    assert_eq!((row.answer.as_deref(), row.usage), (Some("*one*|two"), Some(usage())));
    assert_eq!(*fixture.renderer.announced.lock().unwrap(), announced, "what was committed was shown");
    let read = fixture.store.parts(None, None, 10).await.unwrap();
    assert_eq!(read, announced.into_iter().rev().collect::<Vec<_>>(), "a row reads back as it was said");
}

#[tokio::test]
async fn a_turn_ends_once() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(fixture.store.finish(answered(&turn, "B")).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.store.release(turn.claim, None, t(140)).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["A"]);
}

#[tokio::test]
async fn every_ending_leaves_its_name_on_turn_and_message() {
    let fixture = Fixture::open().await;
    let cases = [
        (Ending::Cancelled, "cancelled", "cancelled"),
        (Ending::Superseded, "superseded", "superseded"),
        (Ending::Refused, "refused", "refused"),
        (Ending::Dead, "dead", "dead"),
        (Ending::Answered, "done", "answered"),
    ];
    for (ending, turn_state, message_state) in cases {
        let turn = fixture.turn("anna", turn_state).await;
        fixture.finish(Finish { error: Some(Reason::Refused(Refusal::Hook)), ..bare(&turn, ending) }).await;
        let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
        assert_eq!(row.turn_state.map(TurnState::name), Some(turn_state));
        assert_eq!(
            (row.message.state.name(), row.message.reason.map(|reason| reason.to_string()).as_deref()),
            (message_state, Some("hook"))
        );
    }
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn a_dead_turn_says_why() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let notice = Some(Notice::Failed(Failure::Crashed));
    let announced = fixture.finish(Finish { notice, ..bare(&turn, Ending::Dead) }).await;
    assert_eq!(announced[0].post.key, format!("{}/notice/failed/0", turn.claim.id));
    assert_eq!(announced[0].post.kind, PostKind::Notice);
}

#[tokio::test]
async fn who_answers_is_said_before_the_answer() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let change = AnswererChange { before: "large".into(), now: "small".into(), is_return: false };
    let notice = Some(Notice::AnsweredBy(change));
    let announced = fixture.finish(Finish { notice, ..answered(&turn, "A") }).await;
    let keys: Vec<&str> = announced.iter().map(|row| row.post.key.as_str()).collect();
    let id = turn.claim.id;
    assert_eq!(keys, [format!("{id}/notice/answered_by/0"), format!("{id}/0")]);
    let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!(row.answer.as_deref(), Some("A"), "the history has the answer alone");
}

#[tokio::test]
async fn an_interrupted_turn_keeps_what_was_said() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.side_effect(turn.claim, "so far".into(), t(1)).await.unwrap());
    let notice = Some(Notice::Interrupted { so_far: "so far".into() });
    fixture.finish(Finish { notice, ..bare(&turn, Ending::Dead) }).await;
    let row = fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap();
    assert_eq!(
        (row.turn_state.map(TurnState::name), row.answer.as_deref()),
        (Some("interrupted"), Some("so far"))
    );
}

#[tokio::test]
async fn a_hook_can_answer_instead_of_the_agent() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(Finish { by_hook: true, ..answered(&turn, "from a hook") }).await;
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["from a hook"]);
}

#[tokio::test]
async fn a_turn_whose_agent_died_runs_again_with_its_messages() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.accept_one(11, says("anna", "later", "b")).await;
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((again.claim.id, again.attempt, again.deaths, again.more), (turn.claim.id, 2, 1, true));
    assert_eq!(ids(&again), ids(&turn));
    assert_eq!(
        fixture.store.finish(answered(&turn, "late")).await.unwrap(),
        Fenced::Stale,
        "the fence has grown"
    );
    fixture.finish(answered(&again, "in time")).await;
}

#[tokio::test]
async fn a_turn_that_could_not_begin_is_as_if_it_had_not_been_claimed() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.side_effect(turn.claim, "so far".into(), t(1)).await.unwrap());
    done(fixture.store.not_begun(turn.claim, t(1)).await.unwrap());
    assert_eq!(fixture.store.not_begun(turn.claim, t(1)).await.unwrap(), Fenced::Stale);
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((again.claim.id, again.attempt, again.deaths, ids(&again)), (turn.claim.id, 1, 0, ids(&turn)));
    assert_eq!(fixture.store.not_begun(turn.claim, t(1)).await.unwrap(), Fenced::Stale, "of an older claim");
    // It has not acted: after a crash it runs once more.
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, found.interrupted), (0, 0), "it is this life's own");
}

#[tokio::test]
async fn a_released_turn_has_not_died() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.release(turn.claim, None, t(140)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    assert_eq!((again.attempt, again.deaths), (2, 0));
}

#[tokio::test]
async fn a_released_turn_that_had_acted_is_not_run_again() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    done(fixture.store.side_effect(turn.claim, "half".into(), t(120)).await.unwrap());
    done(fixture.store.release(turn.claim, None, t(140)).await.unwrap());
    assert_eq!(fixture.claim("anna").await, None);
    let parts = fixture.store.parts(None, None, 10).await.unwrap();
    assert_eq!(parts[0].post.part.body, "half\n\n(interrupted, /retry)");
    assert_eq!((parts.len(), parts[0].created), (1, t(140)), "said now, not when it acted");
    assert_eq!(fixture.state(ids(&turn)[0]).await, ("dead".into(), Some("interrupted".into())));
}

#[tokio::test]
async fn a_side_effect_needs_the_turn() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.store.side_effect(nobody(), String::new(), t(1)).await.unwrap(), Fenced::Stale);
}

#[tokio::test]
async fn a_steered_message_ends_with_its_turn() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let more = fixture.accept_one(11, says("anna", "2", "and this")).await;
    let foreign = fixture.accept_one(11, says("bob", "3", "not this")).await;
    assert_eq!(fixture.store.steered(turn.claim, foreign, t(110)).await.unwrap(), Fenced::Stale);
    done(fixture.store.steered(turn.claim, more, t(110)).await.unwrap());
    assert_eq!(fixture.store.waiting(), 1);
    let announced = fixture.finish(answered(&turn, "both")).await;
    assert_eq!(announced[0].post.about.messages, [ids(&turn)[0], more]);
    let history = fixture.store.history(&key("anna"), None, None, 10).await.unwrap();
    let answers: Vec<Option<&str>> = history.iter().map(|row| row.answer.as_deref()).collect();
    assert_eq!(answers, [Some("both"), None], "the answer stands on the last message");
}

#[tokio::test]
async fn a_message_that_the_agent_did_not_take_waits_again() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let more = fixture.accept_one(11, says("anna", "2", "and this")).await;
    done(fixture.store.steered(turn.claim, more, t(110)).await.unwrap());
    done(fixture.store.unsteered(turn.claim, more, t(110)).await.unwrap());
    assert_eq!(fixture.store.unsteered(turn.claim, more, t(110)).await.unwrap(), Fenced::Stale);
    assert_eq!((fixture.state(more).await.0.as_str(), fixture.store.waiting()), ("waiting", 1));
    fixture.finish(answered(&turn, "one")).await;
    assert_eq!(ids(&fixture.claim("anna").await.unwrap()), [more]);
}

#[tokio::test]
async fn a_web_answer_is_sent_at_commit_and_numbered() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("web:main", "a").await;
    let announced = fixture.finish(answered(&turn, "one|two")).await;
    assert_eq!(
        announced.iter().map(|row| (row.state, row.post.seq)).collect::<Vec<_>>(),
        [(OutboxState::Sent, Some(1)), (OutboxState::Sent, Some(2))]
    );
    let turn = fixture.turn("web:main", "b").await;
    fixture.finish(answered(&turn, "three")).await;
    let frames = fixture.store.frames(&key("web:main"), 1, 10).await.unwrap();
    let texts: Vec<_> = frames.iter().map(|row| (row.post.seq, row.post.part.body.as_str())).collect();
    assert_eq!(texts, [(Some(2), "two"), (Some(3), "three")]);
    assert!(fixture.claim_part("web:main").await.is_none());
    assert_eq!(fixture.store.session(&key("web:main")).await.unwrap().unwrap().seq, 3);
}

#[tokio::test]
async fn only_the_turn_that_runs_may_rewrite_its_messages() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let (mine, waiting) = (ids(&turn)[0], fixture.accept_one(11, says("anna", "2", "b")).await);
    let rewrite =
        async |message, claim| fixture.store.rewrite(message, claim, "changed".into()).await.unwrap();
    assert_eq!(rewrite(mine, stale(&turn)).await, Fenced::Stale);
    assert_eq!(rewrite(waiting, turn.claim).await, Fenced::Stale);
    assert_eq!(rewrite(mine, turn.claim).await, Fenced::Done(()));
    fixture.store.cancel(&key("anna"), &admin(), t(60)).await.unwrap();
    assert_eq!(rewrite(mine, turn.claim).await, Fenced::Stale);
}

#[tokio::test]
async fn a_turn_sends_messages_until_it_ends_and_each_only_once() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let outgoing = |key: &str| OutgoingMessage {
        address: address("anna"),
        session: None,
        parts: parts(key),
        media: vec![],
        key: key.into(),
        author: admin(),
        now: t(1),
    };
    let send = |key: &str| fixture.store.send_in_turn(turn.claim, outgoing(key), None);
    let first = done(send("first").await.unwrap()).unwrap();
    assert_eq!(done(send("first").await.unwrap()).unwrap()[0].post.out, first[0].post.out);
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(send("late").await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["first", "A"]);
}
