//! How a question ends, and what its chat shows of that.

use frontdesk_core::ask::{AskEnd, AskError};
use frontdesk_core::delivery::Ending;
use frontdesk_store::row::*;

use super::{answering, chosen, new_ask, press, question};
use crate::fixture::*;

#[tokio::test]
async fn a_question_that_nobody_has_seen_is_not_sent_any_more() {
    let fixture = Fixture::open().await;
    let (turn, _) = fixture.asking().await;
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "A");
    assert_eq!(fixture.texts(OutboxState::Dropped).await.len(), 1);
}

#[tokio::test]
async fn every_part_of_a_question_that_nobody_has_seen_is_dropped() {
    let confirm = AfterAnswer::Command { confirm: "allow".into(), command: "/gateway restart".into() };
    for (then, hooks) in [(AfterAnswer::Input, false), (confirm.clone(), false), (confirm, true)] {
        let fixture = Fixture::open().await;
        fixture.renderer.hooks.store(hooks, std::sync::atomic::Ordering::Relaxed);
        let turn = fixture.turn("anna", "hi").await;
        let NewAsk { audience, .. } = new_ask(0, "?");
        let question = question("It takes a while.|Go on?");
        let left = OfferedQuestion { question, audience, then, reply_to: None, author: admin() };
        let out = done(fixture.store.question_offered(turn.claim, left, t(11)).await.unwrap()).unwrap();
        if hooks {
            let seen = fixture.store.seen(out, "It takes a while.|Go on?".into(), vec![], t(12));
            done(seen.await.unwrap());
        }
        let deadline = fixture.store.open_asks(None).await.unwrap()[0].deadline;
        fixture.store.expire_asks(deadline).await.unwrap();
        assert_eq!(fixture.texts(OutboxState::Queued).await, [""; 0], "hooks: {hooks}");
        assert_eq!(fixture.texts(OutboxState::Dropped).await.len(), 2);
    }
}

#[tokio::test]
async fn a_question_whose_arrival_is_unknown_is_not_edited() {
    let fixture = Fixture::open().await;
    let (turn, _) = fixture.asking().await;
    let row = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&row, SendResult::Unknown { error: "lost".into() }).await;
    fixture.finish(answered(&turn, "A")).await;
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "A", "the edit has no target");
}

#[tokio::test]
async fn a_question_that_is_sent_after_its_end_says_so_and_has_no_buttons() {
    for hooks in [false, true] {
        let fixture = Fixture::open().await;
        let (turn, id) = fixture.asking().await;
        let row = fixture.claim_part("anna").await.unwrap();
        fixture.part_ended(&row, SendResult::Unknown { error: "lost".into() }).await;
        fixture.finish(answered(&turn, "A")).await;
        fixture.sends("a").await;
        fixture.renderer.hooks.store(hooks, std::sync::atomic::Ordering::Relaxed);
        fixture.store.part_retried(row.post.out, &admin(), t(30)).await.unwrap().unwrap();
        let again = match fixture.store.claim_part(&address("anna"), t(31)).await.unwrap() {
            NextPart::Send { part, .. } => *part,
            NextPart::Unseen(part) => *part,
            other => panic!("{other:?}"),
        };
        assert_eq!(again.unseen, hooks);
        let posted = again.post.ask.unwrap();
        assert_eq!((posted.id, posted.closed), (id, Some(AskEnd::Cancelled)));
        assert_eq!(again.post.part.body, "Delete it?\n\nThis question was withdrawn.");
    }
}

#[tokio::test]
async fn a_question_that_ends_while_it_waits_to_be_sent_again_has_no_buttons() {
    let fixture = Fixture::open().await;
    let (turn, _) = fixture.asking().await;
    let row = fixture.claim_part("anna").await.unwrap();
    let later = SendResult::Later { pause: pause(1), error: "lost".into(), counts: true };
    fixture.part_ended(&row, later).await;
    fixture.finish(answered(&turn, "A")).await;
    let again = fixture.sends("q").await;
    assert_eq!(again.post.ask.unwrap().closed, Some(AskEnd::Cancelled));
    assert_eq!(fixture.claim_part("anna").await.unwrap().edit(), Some("q"), "and then says how it ended");
}

#[tokio::test]
async fn a_revocation_takes_away_the_buttons_and_ends_confirmations() {
    for (scope, is_confirmation) in [(None, false), (None, true), (Some(Scope::Admin), true)] {
        let fixture = Fixture::open().await;
        if is_confirmation {
            let command = fixture.accept_one(1, commands("7", "1", EpochChange::ByRule)).await;
            let confirmation = CommandChoices {
                question: question("Stop?"),
                commands: vec![("allow".into(), "/gateway stop confirm".into())],
            };
            let reply: frontdesk_store::Reply = Box::new(|_| "never shown".into());
            let effect = CommandEffect::None;
            let answered =
                fixture.store.answer_with(command, effect, ReplyForm::Question(confirmation), t(2), reply);
            done(answered.await.unwrap());
        } else {
            let turn = fixture.turn("7", "hi").await;
            assert!(matches!(fixture.open_ask(&turn, 0, "Delete it?").await, AskOpened::Open(_)));
        }
        let row = fixture.claim_part("7").await.unwrap();
        fixture.part_ended(&row, sent("q")).await;
        let change = AccessChange::Revoke {
            principal: person("7"),
            scope,
            also: Vec::new(),
            private: Some(address("7")),
        };
        fixture.change(20, change).await;
        assert_eq!(fixture.store.open_asks(None).await.unwrap(), []);
        let edit = fixture.claim_part("7").await.unwrap();
        assert_eq!(
            (edit.edit(), edit.post.ask.clone().unwrap().closed),
            (Some("q"), Some(AskEnd::Cancelled))
        );
    }
}

#[tokio::test]
async fn the_default_holds_at_the_deadline_and_where_the_question_cannot_be_shown() {
    let fixture = Fixture::open().await;
    let (turn, id) = fixture.asking().await;
    assert_eq!(fixture.store.expire_asks(t(12)).await.unwrap(), Some(t(611)));
    fixture.store.expire_asks(t(611)).await.unwrap();
    let expired = Some(AskEnd::Expired { default: Some(chosen("deny")) });
    assert_eq!(fixture.end_of(id).await, expired);
    let AskOpened::Open(second) = fixture.open_ask(&turn, 1, "And this?").await else { panic!() };
    let row = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&row, SendResult::Dead { error: "refused".into() }).await;
    assert_eq!(fixture.store.expire_asks(t(13)).await.unwrap(), None);
    assert_eq!(fixture.end_of(second).await, expired);
    assert_eq!(fixture.texts(OutboxState::Queued).await, [""; 0], "a question that is missing is no gap");
}

#[tokio::test]
async fn a_question_is_still_open_for_a_check_that_took_the_time_before_it_was_asked() {
    let fixture = Fixture::open().await;
    let (_turn, id) = fixture.asking().await;
    assert_eq!(fixture.store.expire_asks(t(10)).await.unwrap(), Some(t(611)), "it was asked at 11");
    assert_eq!(fixture.end_of(id).await, None);
}

#[tokio::test]
async fn a_question_whose_end_cannot_be_shown_keeps_no_other_from_ending() {
    let fixture = Fixture::open().await;
    let broken = fixture.turn("web:main", "hi").await;
    let mut unshowable = new_ask(0, "Delete it?");
    // Its message has buttons and does not contain the label; the line about its end does.
    unshowable.question.choices[1].label = "PANIC".to_owned();
    let opened = fixture.store.ask_opened(broken.claim, unshowable, t(11)).await.unwrap();
    let AskOpened::Open(first) = done(opened) else { panic!() };
    let (_, second) = fixture.asking().await;
    assert_eq!(fixture.store.expire_asks(t(611)).await.unwrap(), None);
    for id in [first, second] {
        assert_eq!(fixture.end_of(id).await, Some(AskEnd::Expired { default: Some(chosen("deny")) }));
    }
}

#[tokio::test]
async fn what_ends_a_turn_withdraws_its_questions() {
    for how in ["answered", "dead", "stopped", "marked dead", "erased", "revoked"] {
        let fixture = Fixture::open().await;
        let (turn, id) = fixture.asking().await;
        fixture.sends("q").await;
        match how {
            "answered" => drop(fixture.finish(answered(&turn, "A")).await),
            "dead" => drop(fixture.finish(Finish::bare(turn.claim, Ending::Dead, t(20))).await),
            "stopped" => drop(fixture.store.cancel(&key("anna"), &admin(), t(20)).await.unwrap()),
            "marked dead" => drop(fixture.store.mark_turn_dead(turn.claim, t(20)).await.unwrap()),
            "revoked" => drop(fixture.change(20, revoke_with_chat("7")).await),
            _ => {
                fixture.store.erase(&key("anna"), &admin(), t(20)).await.unwrap();
                assert_eq!(fixture.store.ask(id).await.unwrap(), None, "its text is gone");
                continue;
            }
        }
        assert_eq!(fixture.end_of(id).await, Some(AskEnd::Cancelled), "{how}");
        let late = fixture.store.ask_answered(answering(id, "anna", 0), t(21)).await.unwrap();
        assert_eq!(late, Err(AskError::Closed(AskEnd::Cancelled)), "{how}");
    }
}

#[tokio::test]
async fn a_copy_of_a_question_loses_its_buttons_when_one_is_pressed() {
    let fixture = Fixture::open().await;
    let (_turn, id) = fixture.asking().await;
    fixture.sends("second copy").await;
    let under = |message: Admitted, target: &str| match message.disposition {
        Disposition::Answer(answering) => {
            let answering = Answering { under: Some(target.to_owned()), ..*answering };
            Admitted { disposition: Disposition::Answer(Box::new(answering)), ..message }
        }
        _ => message,
    };
    fixture.accept(20, vec![under(press("e0", id, "bob", 0), "another message")]).await;
    let answered = fixture.accept(21, vec![under(press("e1", id, "anna", 0), "first copy")]).await;
    assert!(matches!(answered[..], [Stored::Answered { .. }]), "{answered:?}");
    for target in ["first copy", "second copy"] {
        fixture.accept(22, vec![under(press("e2", id, "anna", 0), target)]).await;
    }
    let mut edited = Vec::new();
    while let Some(edit) = fixture.claim_part("anna").await {
        assert!(edit.post.ask.as_ref().is_some_and(|ask| ask.closed.is_some()), "{edit:?}");
        edited.extend(edit.edit().map(str::to_owned));
        fixture.part_ended(&edit, sent("no new id")).await;
    }
    edited.sort();
    assert_eq!(edited, ["first copy", "second copy"], "each once");
}

#[tokio::test]
async fn kills_of_the_gateway_while_a_question_is_open_are_no_deaths_of_its_turn() {
    let mut fixture = Fixture::open().await;
    let (_, id) = fixture.asking().await;
    for boot in 2..7 {
        fixture = fixture.restarted(boot).await;
        let found = fixture.store.recover(recovery()).await.unwrap();
        assert_eq!((found.resumed, found.dead), (1, 0));
        let turn = fixture.claim("anna").await.unwrap();
        assert_eq!(turn.deaths, 0, "it only waited");
        assert_eq!(fixture.open_ask(&turn, 0, "Delete it?").await, AskOpened::Open(id));
    }
    let answered = fixture.store.ask_answered(answering(id, "anna", 0), t(20)).await.unwrap();
    assert!(answered.is_ok(), "{answered:?}");
    for (boot, dead) in [(7, 0), (8, 1)] {
        fixture = fixture.restarted(boot).await;
        let found = fixture.store.recover(recovery()).await.unwrap();
        assert_eq!(found.dead, dead, "from now on the agent works");
        fixture.claim("anna").await;
    }
}
