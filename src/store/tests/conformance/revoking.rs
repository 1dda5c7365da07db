//! Who is shut out has nothing open any more.

mod any_order;

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_store::row::*;

use crate::fixture::*;

fn revoke(who: &str, scope: Option<Scope>) -> AccessChange {
    AccessChange::Revoke { principal: person(who), scope, also: Vec::new(), private: None }
}

async fn revoked(fixture: &Fixture, who: &str, scope: Option<Scope>) -> Revoked {
    match fixture.change(50, revoke(who, scope)).await {
        AccessDone::Revoked(ended) => ended,
        other => panic!("{other:?}"),
    }
}

fn by(who: &str, message: Admitted) -> Admitted {
    with_event(Admitted { per_session: 99, ..message }, |event| event.from.id = person(who))
}

fn group() -> SessionKey {
    "agent:main:telegram:group:-1".parse().unwrap()
}

async fn claim_group(fixture: &Fixture, take: Take) -> Option<ClaimedTurn> {
    fixture.store.claim_turn(&group(), take, t(20)).await.unwrap()
}

#[tokio::test]
async fn what_waits_is_refused_and_what_runs_is_cancelled() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, by("eve", says("eve", "0", "runs"))).await;
    let turn = fixture.claim("eve").await.unwrap();
    let mut waiting = Vec::new();
    for n in 1..=5 {
        waiting.push(fixture.accept_one(2, by("eve", says("eve", &n.to_string(), "waits"))).await);
    }
    waiting.push(fixture.accept_one(2, by("eve", commands("eve", "c", EpochChange::ByRule))).await);
    let anna = fixture.accept_one(2, by("anna", says("anna", "a", "x"))).await;
    let ended = revoked(&fixture, "eve", Some(Scope::Dm)).await;
    assert_eq!(ended.running, [(key("eve"), address("eve"), turn.claim.id)]);
    assert_eq!(ended.waiting.iter().map(|(_, _, id)| *id).collect::<Vec<_>>(), waiting);
    for id in waiting {
        assert_eq!(fixture.state(id).await, ("refused".into(), Some("revoked".into())));
    }
    assert_eq!(fixture.state(ids(&turn)[0]).await, ("cancelled".into(), Some("revoked".into())));
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(fixture.claim("eve").await, None);
    assert_eq!((fixture.state(anna).await.0.as_str(), fixture.store.waiting()), ("waiting", 1));
    assert_eq!(fixture.audit().await, ["revoke telegram:eve dm: done"]);
    assert!(fixture.texts(OutboxState::Queued).await.is_empty(), "nobody is told");
}

/// Puts a text on its way to a chat.
async fn send(fixture: &Fixture, to: &str, key: &str) {
    let outgoing = OutgoingMessage {
        address: address(to),
        session: None,
        parts: parts(key),
        media: vec![],
        key: key.into(),
        author: admin(),
        now: t(1),
    };
    fixture.store.send(outgoing).await.unwrap();
}

#[tokio::test]
async fn what_is_to_be_sent_to_somebody_who_is_shut_out_is_dropped_and_counted() {
    let fixture = Fixture::open().await;
    for who in ["eve", "bob"] {
        let turn = fixture.turn(who, who).await;
        fixture.finish(answered(&turn, &format!("{who} one|{who} two"))).await;
        send(&fixture, who, &format!("{who} sent")).await;
    }
    for (n, who) in ["eve", "bob"].into_iter().enumerate() {
        fixture.accept_one(1, in_group("-1", who, &format!("g{n}"), "group")).await;
        let turn = claim_group(&fixture, ONE).await.unwrap();
        fixture.finish(answered(&turn, &format!("{who} in the group"))).await;
    }
    // What answers both is bob's as well.
    fixture.accept_one(1, in_group("-1", "eve", "g8", "x")).await;
    fixture.accept_one(1, in_group("-1", "bob", "g9", "y")).await;
    let both = claim_group(&fixture, Take::All).await.unwrap();
    fixture.finish(answered(&both, "both")).await;
    let change = revoke_with_chat("eve");
    let AccessDone::Revoked(ended) = fixture.change(50, change).await else { panic!("not revoked") };
    assert_eq!(ended.dropped, 4);
    assert_eq!(
        fixture.texts(OutboxState::Dropped).await,
        ["eve one", "eve two", "eve sent", "eve in the group"]
    );
    assert_eq!(
        fixture.texts(OutboxState::Queued).await,
        ["bob one", "bob two", "bob sent", "bob in the group", "both"]
    );
    assert!(fixture.claim_part("eve").await.is_none());
}

#[tokio::test]
async fn a_part_that_is_being_sent_is_not_sent_again() {
    for killed in [false, true] {
        let mut fixture = Fixture::open().await;
        let turn = fixture.turn("eve", "eve").await;
        fixture.finish(answered(&turn, "one")).await;
        let part = fixture.claim_part("eve").await.unwrap();
        let change = revoke_with_chat("eve");
        fixture.change(50, change).await;
        if killed {
            fixture = fixture.restarted(2).await;
            fixture.store.recover(recovery()).await.unwrap();
        } else {
            let later = SendResult::Later { pause: pause(1), error: "502".into(), counts: true };
            let ended = fixture.store.part_ended(part.claim(), later, t(60)).await.unwrap();
            assert_eq!(ended, Fenced::Stale);
        }
        assert!(fixture.claim_part("eve").await.is_none());
        assert_eq!(fixture.texts(OutboxState::Dropped).await, ["one"]);
    }
}

#[tokio::test]
async fn a_part_that_was_being_sent_and_arrived_says_so() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("eve", "eve").await;
    fixture.finish(answered(&turn, "one")).await;
    let part = fixture.claim_part("eve").await.unwrap();
    let change = revoke_with_chat("eve");
    fixture.change(50, change).await;
    assert_eq!(fixture.store.part_ended(part.claim(), sent("77"), t(60)).await.unwrap(), Fenced::Stale);
    let rows = fixture.store.parts(Some(OutboxState::Sent), None, 10).await.unwrap();
    assert_eq!(rows[0].platform_message.as_deref(), Some("77"));
}

#[tokio::test]
async fn a_groups_answers_stay_when_a_private_grant_is_taken_and_the_other_way_round() {
    for (scope, dropped) in [(Scope::Dm, "private"), (Scope::Group("-1".into()), "group")] {
        let fixture = Fixture::open().await;
        fixture.accept_one(1, by("eve", says("eve", "0", "x"))).await;
        let turn = fixture.claim("eve").await.unwrap();
        fixture.finish(answered(&turn, "private")).await;
        fixture.accept_one(1, in_group("-1", "eve", "g", "x")).await;
        let turn = claim_group(&fixture, ONE).await.unwrap();
        fixture.finish(answered(&turn, "group")).await;
        revoked(&fixture, "eve", Some(scope)).await;
        assert_eq!(fixture.texts(OutboxState::Dropped).await, [dropped]);
    }
}

#[tokio::test]
async fn each_grant_ends_what_it_allowed() {
    for (scope, ends) in [
        (Some(Scope::Dm), [true, false, false, false]),
        (Some(Scope::Group("-1".into())), [false, true, true, false]),
        (Some(Scope::Admin), [false; 4]),
        (None, [true; 4]),
    ] {
        let fixture = Fixture::open().await;
        let topic: SessionKey = "agent:main:telegram:topic:-1:5".parse().unwrap();
        let messages = [
            fixture.accept_one(1, by("eve", says("eve", "1", "private"))).await,
            fixture.accept_one(1, in_group("-1", "eve", "2", "group")).await,
            fixture.accept_one(1, Admitted { session: topic, ..in_group("-1", "eve", "3", "topic") }).await,
            fixture.accept_one(1, in_group("-2", "eve", "4", "another group")).await,
        ];
        let bob = fixture.accept_one(1, in_group("-1", "bob", "5", "bob")).await;
        revoked(&fixture, "eve", scope.clone()).await;
        for (id, ends) in messages.into_iter().zip(ends) {
            let state = if ends { "refused" } else { "waiting" };
            assert_eq!(fixture.state(id).await.0, state, "{scope:?}, {id}");
        }
        assert_eq!(fixture.state(bob).await.0, "waiting");
    }
}

#[tokio::test]
async fn other_peoples_messages_of_a_turn_wait_again_in_their_place() {
    let fixture = Fixture::open().await;
    let context_message =
        Admitted { disposition: Disposition::Context(9), ..in_group("-1", "bob", "0", "psst") };
    fixture.accept(1, vec![context_message]).await;
    let mut sent = Vec::new();
    for (n, who) in ["bob", "eve", "anna"].into_iter().enumerate() {
        sent.push(fixture.accept_one(1, in_group("-1", who, &format!("m{n}"), who)).await);
    }
    let turn = claim_group(&fixture, Take::All).await.unwrap();
    let later = fixture.accept_one(2, in_group("-1", "bob", "later", "later")).await;
    let ended = revoked(&fixture, "eve", Some(Scope::Group("-1".into()))).await;
    assert_eq!((ended.running.len(), ended.waiting.len()), (1, 0));
    assert_eq!(fixture.state(sent[1]).await.0, "cancelled");
    assert_eq!(fixture.store.waiting(), 3);
    let again = claim_group(&fixture, Take::All).await.unwrap();
    assert_ne!(again.claim.id, turn.claim.id);
    assert_eq!(ids(&again), [sent[0], sent[2], later]);
    assert_eq!(again.context_messages.len(), 1, "and what was said nearby");
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn other_people_are_told_when_the_agent_has_acted_already() {
    let fixture = Fixture::open().await;
    let bob = fixture.accept_one(1, in_group("-1", "bob", "1", "b")).await;
    fixture.accept_one(1, in_group("-1", "eve", "2", "e")).await;
    let turn = claim_group(&fixture, Take::All).await.unwrap();
    done(fixture.store.side_effect(turn.claim, "half".into(), t(21)).await.unwrap());
    let (_, announced) = fixture.renderer.announced_during(revoked(&fixture, "eve", None)).await;
    assert_eq!(fixture.state(bob).await.0, "cancelled", "it would act twice");
    assert_eq!(announced[0].post.part.body, "half\n\n(interrupted, /retry)");
    assert_eq!((announced.len(), &announced[0].post.about.messages), (1, &vec![bob]));
    assert_eq!(claim_group(&fixture, Take::All).await, None);
}

#[tokio::test]
async fn a_turn_without_a_message_of_theirs_goes_on() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, in_group("-1", "bob", "1", "b")).await;
    let turn = claim_group(&fixture, ONE).await.unwrap();
    fixture.accept_one(1, in_group("-1", "eve", "2", "e")).await;
    assert_eq!(revoked(&fixture, "eve", None).await.running, []);
    fixture.finish(answered(&turn, "B")).await;
}

#[tokio::test]
async fn a_turn_that_had_not_begun_again_counts_as_waiting() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, by("eve", says("eve", "1", "x"))).await;
    let turn = fixture.claim("eve").await.unwrap();
    done(fixture.store.release(turn.claim, None, t(40)).await.unwrap());
    let ended = revoked(&fixture, "eve", None).await;
    assert_eq!((ended.running, ended.waiting), (vec![], vec![(key("eve"), address("eve"), ids(&turn)[0])]));
    assert_eq!(fixture.claim("eve").await, None);
}

#[tokio::test]
async fn a_streamed_message_says_that_it_was_stopped() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, by("eve", says("eve", "1", "x"))).await;
    let turn = fixture.claim("eve").await.unwrap();
    let row = done(fixture.store.stream(turn.claim, "Well".into(), t(20)).await.unwrap()).unwrap();
    assert!(row.post.more, "it still grows");
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let (_, announced) = fixture.renderer.announced_during(revoked(&fixture, "eve", None)).await;
    let announced = &announced[0];
    assert_eq!(
        (announced.post.part.body.as_str(), announced.edit(), announced.post.more),
        ("Well\n\n(stopped)", Some("77"), false)
    );
}

#[tokio::test]
async fn what_they_said_nearby_is_forgotten() {
    let fixture = Fixture::open().await;
    let context_message = |who: &str, event: &str| Admitted {
        disposition: Disposition::Context(9),
        ..in_group("-1", who, event, who)
    };
    fixture.accept(1, vec![context_message("eve", "1"), context_message("bob", "2")]).await;
    revoked(&fixture, "eve", Some(Scope::Dm)).await;
    revoked(&fixture, "eve", Some(Scope::Group("-1".into()))).await;
    fixture.accept_one(3, in_group("-1", "bob", "3", "x")).await;
    let turn = claim_group(&fixture, ONE).await.unwrap();
    assert_eq!(
        turn.context_messages.iter().map(|context_message| context_message.text.as_str()).collect::<Vec<_>>(),
        ["bob"]
    );
}

#[tokio::test]
async fn nobody_says_their_words_again() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, in_group("-1", "eve", "1", "evil")).await;
    claim_group(&fixture, ONE).await.unwrap();
    revoked(&fixture, "eve", None).await;
    let retry = Admitted { disposition: Disposition::Command, ..in_group("-1", "bob", "2", "/retry") };
    let retry = fixture.accept_one(2, retry).await;
    let reply = Box::new(|_: &CommandFacts| "x".to_owned());
    let answer = done(fixture.answer_command(retry, CommandEffect::Retry, t(3), reply).await.unwrap());
    assert_eq!(answer.facts, CommandFacts::NothingToRetry);
}

/// Bob has Eve's message run once more, and it runs.
async fn bob_retries_eve(fixture: &Fixture) -> (MessageId, ClaimedTurn) {
    fixture.accept_one(1, in_group("-1", "eve", "1", "evil")).await;
    let turn = claim_group(fixture, ONE).await.unwrap();
    fixture.finish(answered(&turn, "A")).await;
    let retry = Admitted { disposition: Disposition::Command, ..in_group("-1", "bob", "2", "/retry") };
    let retry = fixture.accept_one(2, retry).await;
    let reply = Box::new(|_: &CommandFacts| "x".to_owned());
    let answer = done(fixture.answer_command(retry, CommandEffect::Retry, t(3), reply).await.unwrap());
    assert_eq!(answer.facts, CommandFacts::Waits);
    (retry, claim_group(fixture, ONE).await.unwrap())
}

#[tokio::test]
async fn a_turn_that_runs_their_words_once_more_ends_and_whoever_asked_is_asked_about_again() {
    let fixture = Fixture::open().await;
    let (retry, running) = bob_retries_eve(&fixture).await;
    let ended = revoked(&fixture, "eve", None).await;
    assert_eq!(ended.running.iter().map(|(.., turn)| *turn).collect::<Vec<_>>(), [running.claim.id]);
    assert_eq!(fixture.state(retry).await.0, "waiting", "the head of the lane tells Bob");
    // Bob's own revocation ends it for good.
    claim_group(&fixture, ONE).await.unwrap();
    revoked(&fixture, "bob", None).await;
    assert_eq!(fixture.state(retry).await, ("cancelled".to_owned(), Some("revoked".to_owned())));
}

#[tokio::test]
async fn what_others_said_in_a_turn_that_had_acted_can_be_run_once_more() {
    let fixture = Fixture::open().await;
    fixture.accept(1, vec![in_group("-1", "eve", "1", "evil"), in_group("-1", "bob", "2", "good")]).await;
    let turn = claim_group(&fixture, Take::All).await.unwrap();
    done(fixture.store.side_effect(turn.claim, String::new(), t(2)).await.unwrap());
    revoked(&fixture, "eve", None).await;
    let reasons = [fixture.state(ids(&turn)[0]).await.1, fixture.state(ids(&turn)[1]).await.1];
    assert_eq!(reasons, [Some("revoked".to_owned()), None]);
}

#[tokio::test]
async fn an_admin_who_shuts_out_themselves_is_still_answered() {
    let fixture = Fixture::open().await;
    let first = fixture.accept_one(1, by("eve", commands("eve", "1", EpochChange::ByRule))).await;
    let second = fixture.accept_one(1, by("eve", commands("eve", "2", EpochChange::ByRule))).await;
    let effect = CommandEffect::Access { change: Box::new(revoke("eve", None)), author: admin() };
    let reply = Box::new(|_: &CommandFacts| "done".to_owned());
    let answer = done(fixture.answer_command(first, effect, t(2), reply).await.unwrap());
    assert_eq!(answer.announced[0].post.part.body, "done");
    assert_eq!(
        (fixture.state(first).await.0.as_str(), fixture.state(second).await.0.as_str()),
        ("answered", "refused")
    );
    assert_eq!(fixture.store.waiting(), 0);
}
