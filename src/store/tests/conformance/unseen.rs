//! Texts that hooks see before they are sent.

use std::sync::atomic::Ordering;

use frontdesk_core::id::OutId;
use frontdesk_store::row::*;

use crate::fixture::*;

async fn with_hooks() -> Fixture {
    let fixture = Fixture::open().await;
    fixture.renderer.hooks.store(true, Ordering::Relaxed);
    fixture
}

/// A command that was answered with this text.
async fn replied(fixture: &Fixture, event: &str, text: &'static str) -> CommandDone {
    let id = fixture.accept_one(50, commands("anna", event, EpochChange::ByRule)).await;
    let reply = Box::new(move |_: &CommandFacts| text.to_owned());
    done(fixture.answer_command(id, CommandEffect::None, t(60), reply).await.unwrap())
}

/// The text that hooks are to see next.
async fn unseen(fixture: &Fixture) -> OutboxRow {
    match fixture.store.claim_part(&address("anna"), t(1000)).await.unwrap() {
        NextPart::Unseen(row) => *row,
        other => panic!("{other:?}"),
    }
}

async fn seen(fixture: &Fixture, out: OutId, text: &str) -> Fenced<()> {
    fixture.store.seen(out, text.to_owned(), Vec::new(), t(70)).await.unwrap()
}

#[tokio::test]
async fn a_text_of_a_transaction_waits_whole_until_it_was_seen_and_is_then_rendered_once() {
    let fixture = with_hooks().await;
    replied(&fixture, "1", "one|two").await;
    let row = unseen(&fixture).await;
    assert_eq!((row.post.part.body.as_str(), row.unseen, row.attempts), ("one|two", true, 0));
    assert_eq!(unseen(&fixture).await, row, "it is not claimed: a kill leaves it as it is");
    assert_eq!(seen(&fixture, row.post.out, "three|four").await, Fenced::Done(()));
    assert_eq!(seen(&fixture, row.post.out, "five").await, Fenced::Stale);
    for text in ["three", "four"] {
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!(part.post.part.body, text);
        fixture.part_ended(&part, sent(text)).await;
    }
    assert_eq!(fixture.claim_part("anna").await, None);
}

#[tokio::test]
async fn the_parts_of_a_changed_text_come_before_what_was_stored_after_it() {
    let fixture = with_hooks().await;
    replied(&fixture, "1", "one").await;
    fixture.renderer.hooks.store(false, Ordering::Relaxed);
    replied(&fixture, "2", "last").await;
    let first = unseen(&fixture).await;
    seen(&fixture, first.post.out, "one|two|three").await;
    let mut order = Vec::new();
    while let Some(part) = fixture.claim_part("anna").await {
        order.push(part.post.part.body.clone());
        fixture.part_ended(&part, sent("x")).await;
    }
    assert_eq!(order, ["one", "two", "three", "last"]);
}

#[tokio::test]
async fn all_parts_of_a_reply_to_one_person_are_for_them_alone() {
    let fixture = with_hooks().await;
    let id = fixture.accept_one(50, commands("anna", "1", EpochChange::ByRule)).await;
    let reply: frontdesk_store::Reply = Box::new(|_| "one".to_owned());
    let answered = fixture.store.answer_with(id, CommandEffect::None, ReplyForm::Sender, t(60), reply);
    done(answered.await.unwrap());
    let first = unseen(&fixture).await;
    seen(&fixture, first.post.out, "one|two").await;
    for text in ["one", "two"] {
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!((part.post.part.body.as_str(), &part.post.audience), (text, &Some(person("7"))));
        fixture.part_ended(&part, sent(text)).await;
    }
}

#[tokio::test]
async fn a_text_that_is_withheld_ends_visibly_and_is_seen_again_when_an_operator_has_it_sent() {
    let fixture = with_hooks().await;
    for (event, failed, state) in [("1", true, OutboxState::Dead), ("2", false, OutboxState::Dropped)] {
        replied(&fixture, event, "hello").await;
        let row = unseen(&fixture).await;
        let withheld = Withheld { text: "hello".to_owned(), failed, error: "no".to_owned() };
        fixture.store.withheld(row.post.out, withheld, t(70)).await.unwrap();
        let rows = fixture.store.parts(Some(state), None, 10).await.unwrap();
        assert_eq!((rows[0].post.out, rows[0].error.as_deref()), (row.post.out, Some("no")));
        let retried = fixture.store.part_retried(row.post.out, &admin(), t(80)).await.unwrap();
        assert_eq!(retried.is_some(), failed, "a drop is final");
        let next = fixture.store.claim_part(&address("anna"), t(1000)).await.unwrap();
        // Of the failed one there is a notice that something is missing, which hooks see too.
        match next {
            NextPart::Unseen(next) => assert!(failed && next.post.out == row.post.out),
            other => assert!(!failed && other == NextPart::Nothing, "{other:?}"),
        }
        if failed {
            seen(&fixture, row.post.out, "").await;
            let notice = unseen(&fixture).await;
            seen(&fixture, notice.post.out, "").await;
        }
    }
    assert_eq!(fixture.texts(OutboxState::Queued).await, Vec::<String>::new());
}
