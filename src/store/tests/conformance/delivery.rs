//! T4 and T5: parts are sent in order, once where that can be known.

use frontdesk_core::delivery::PostKind;
use frontdesk_core::message::Refusal;
use frontdesk_store::row::*;

use crate::fixture::*;

async fn fixture_with(texts: &str) -> Fixture {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.finish(answered(&turn, texts)).await;
    fixture
}

fn dead() -> SendResult {
    SendResult::Dead { error: "refused".into() }
}

fn outgoing(to: &str, text: &str, request: &str, at: i64) -> OutgoingMessage {
    OutgoingMessage {
        address: address(to),
        session: None,
        parts: parts(text),
        media: vec![],
        key: request.into(),
        author: admin(),
        now: t(at),
    }
}

#[tokio::test]
async fn parts_of_one_address_go_one_after_the_other() {
    let fixture = fixture_with("one|two").await;
    let first = fixture.claim_part("anna").await.unwrap();
    assert_eq!(
        (first.attempts, first.state, first.post.part.body.as_str()),
        (1, OutboxState::Sending, "one")
    );
    assert!(fixture.claim_part("anna").await.is_none(), "one at a time");
    fixture.part_ended(&first, sent("77")).await;
    let row = &fixture.store.parts(Some(OutboxState::Sent), None, 1).await.unwrap()[0];
    assert_eq!(row.platform_message.as_deref(), Some("77"));
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "two");
    assert!(fixture.claim_part("bob").await.is_none());
}

#[tokio::test]
async fn a_message_in_the_platforms_own_form_is_read_as_it_was_stored() {
    let fixture = Fixture::open().await;
    let blocks = serde_json::json!([{"type": "divider"}]);
    for urgent in [false, true] {
        let request = format!("k{urgent}");
        let message = || outgoing("anna", "one", &request, 1);
        let rows = fixture.store.send_native(message(), blocks.clone(), urgent).await.unwrap();
        assert_eq!((rows.len(), rows[0].post.native.as_ref()), (1, Some(&blocks)));
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!((part.post.part.body.as_str(), part.post.native.as_ref()), ("one", Some(&blocks)));
        fixture.part_ended(&part, sent("77")).await;
        // A repetition changes nothing.
        let again = fixture.store.send_native(message(), serde_json::json!([]), urgent).await.unwrap();
        assert_eq!((again[0].post.out, again[0].post.native.as_ref()), (part.post.out, Some(&blocks)));
    }
    fixture.store.send(outgoing("anna", "two", "k3", 2)).await.unwrap();
    let again = fixture.store.send_native(outgoing("anna", "two", "k3", 2), blocks, false).await.unwrap();
    assert_eq!(again[0].post.native, None, "it was sent without");
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.native, None);
}

#[tokio::test]
async fn a_later_part_waits_for_its_time() {
    let fixture = fixture_with("one").await;
    let part = fixture.claim_part("anna").await.unwrap();
    let later = |counts| SendResult::Later { pause: pause(400), error: "503".into(), counts };
    fixture.part_ended(&part, later(true)).await;
    assert_eq!(fixture.store.claim_part(&address("anna"), t(399)).await.unwrap(), NextPart::Wait(t(400)));
    let NextPart::Send { part, .. } = fixture.store.claim_part(&address("anna"), t(400)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((part.attempts, part.error.as_deref()), (2, Some("503")));
    fixture.part_ended(&part, later(false)).await;
    let NextPart::Send { part, .. } = fixture.store.claim_part(&address("anna"), t(400)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(part.attempts, 2, "waiting for the platform is no attempt");
}

#[tokio::test]
async fn a_result_of_an_older_claim_comes_too_late() {
    let fixture = fixture_with("one").await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, SendResult::Later { pause: pause(1), error: "x".into(), counts: true }).await;
    let again = fixture.claim_part("anna").await.unwrap();
    let late = fixture.store.part_ended(part.claim(), sent("1"), t(2)).await.unwrap();
    assert_eq!(late, Fenced::Stale);
    fixture.part_ended(&again, sent("2")).await;
    let twice = fixture.store.part_ended(again.claim(), dead(), t(2)).await.unwrap();
    assert_eq!(twice, Fenced::Stale);
}

#[tokio::test]
async fn markup_that_is_refused_goes_as_plain_text() {
    let fixture = fixture_with("*one*").await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, SendResult::Plain { error: "can't parse".into() }).await;
    let again = fixture.store.claim_part(&address("anna"), t(300)).await.unwrap();
    let NextPart::Send { part: again, .. } = again else { panic!("{again:?}") };
    assert_eq!((again.post.part.body.as_str(), again.attempts), ("one", 2));
}

#[tokio::test]
async fn a_dead_part_leaves_a_line_and_the_next_one_goes() {
    let fixture = fixture_with("one|two").await;
    let part = fixture.claim_part("anna").await.unwrap();
    assert!(fixture.part_ended(&part, dead()).await);
    let announced = fixture.renderer.announced.lock().unwrap().last().cloned().unwrap();
    assert_eq!(announced.post.key, format!("{}/notice/gap/0", part.post.out));
    assert_eq!(announced.post.kind, PostKind::Notice);
    let two = fixture.claim_part("anna").await.unwrap();
    assert_eq!(two.post.part.body, "two");
    fixture.part_ended(&two, sent("2")).await;
    let line = fixture.claim_part("anna").await.unwrap();
    assert!(!fixture.part_ended(&line, dead()).await, "a notice never produces a notice");
    assert!(fixture.claim_part("anna").await.is_none());
}

#[tokio::test]
async fn what_may_have_arrived_blocks_nothing() {
    let fixture = fixture_with("one|two").await;
    let part = fixture.claim_part("anna").await.unwrap();
    assert!(fixture.part_ended(&part, SendResult::Unknown { error: "cut".into() }).await);
    assert_eq!(fixture.texts(OutboxState::Unknown).await, ["one"]);
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "two");
}

#[tokio::test]
async fn a_chat_that_is_gone_takes_its_queue_with_it() {
    let fixture = fixture_with("one|two|three").await;
    fixture.store.send(outgoing("bob", "elsewhere", "k", 1)).await.unwrap();
    let part = fixture.claim_part("anna").await.unwrap();
    assert!(!fixture.part_ended(&part, SendResult::Gone { error: "blocked".into() }).await);
    assert_eq!(fixture.texts(OutboxState::Dead).await, ["one", "two", "three"]);
    assert!(fixture.claim_part("anna").await.is_none());
    assert!(fixture.claim_part("bob").await.is_some());
}

#[tokio::test]
async fn a_repeated_send_is_the_first_one() {
    let fixture = Fixture::open().await;
    let first = fixture.store.send(outgoing("anna", "one|two", "k", 1)).await.unwrap();
    assert_eq!((first[1].post.key.as_str(), first[0].post.kind), ("send/k/1", PostKind::Send));
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, sent("77")).await;
    let again = fixture.store.send(outgoing("anna", "other", "k", 2)).await.unwrap();
    assert_eq!(
        again.iter().map(|row| row.post.out).collect::<Vec<_>>(),
        [first[0].post.out, first[1].post.out]
    );
    assert_eq!((again[0].state, again[1].post.part.body.as_str()), (OutboxState::Sent, "two"));
    assert_eq!(fixture.store.parts(None, None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_send_into_a_web_session_is_a_frame() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("web:main", "1", "x")).await;
    let to_session =
        |k: &str| OutgoingMessage { session: Some(key("web:main")), ..outgoing("web:main", "hi", k, 1) };
    for k in ["k", "k", "l"] {
        fixture.store.send(to_session(k)).await.unwrap();
    }
    let frames = fixture.store.frames(&key("web:main"), 0, 10).await.unwrap();
    assert_eq!(
        frames.iter().map(|row| row.post.seq).collect::<Vec<_>>(),
        [Some(1), Some(2)],
        "no number is lost"
    );
}

#[tokio::test]
async fn old_parts_expire_with_one_line_per_address() {
    let fixture = Fixture::open().await;
    fixture.store.send(outgoing("anna", "one|two", "1", 1)).await.unwrap();
    fixture.store.send(outgoing("bob", "three", "2", 1)).await.unwrap();
    fixture.store.send(outgoing("bob", "fresh", "3", 50)).await.unwrap();
    let refused = Disposition::Refused(Refusal::TooOld);
    fixture.accept_one(1, Admitted { disposition: refused, ..says("eve", "1", "x") }).await;
    let (_, announced) = fixture.renderer.announced_during(fixture.store.expire_parts(t(40), t(90))).await;
    assert_eq!(announced.len(), 2);
    assert!(
        announced
            .iter()
            .all(|row| row.post.key.contains("/notice/stale/") && row.post.kind == PostKind::Notice)
    );
    assert_eq!(fixture.texts(OutboxState::Dead).await.len(), 4);
    assert!(fixture.claim_part("eve").await.is_none(), "a notice expires without a word");
    assert_eq!(fixture.claim_part("bob").await.unwrap().post.part.body, "fresh");
    let (_, again) = fixture.renderer.announced_during(fixture.store.expire_parts(t(40), t(91))).await;
    assert_eq!(again, []);
}

#[tokio::test]
async fn what_is_being_sent_does_not_expire() {
    let fixture = Fixture::open().await;
    fixture.store.send(outgoing("anna", "one", "1", 1)).await.unwrap();
    let part = fixture.claim_part("anna").await.unwrap();
    let (_, announced) = fixture.renderer.announced_during(fixture.store.expire_parts(t(40), t(90))).await;
    assert_eq!(announced, []);
    fixture.part_ended(&part, sent("1")).await;
}

#[tokio::test]
async fn an_operator_can_send_a_dead_part_again() {
    let fixture = fixture_with("one").await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, SendResult::Later { pause: pause(1), error: "503".into(), counts: true }).await;
    let part = fixture.claim_part("anna").await.unwrap();
    let id = part.post.out;
    assert_eq!(fixture.store.part_retried(id, &admin(), t(400)).await.unwrap(), None, "it is being sent");
    fixture.part_ended(&part, dead()).await;
    assert_eq!(fixture.store.part_retried(id, &admin(), t(400)).await.unwrap(), Some(address("anna")));
    fixture.store.expire_parts(t(390), t(401)).await.unwrap();
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["one"], "it is as young as its retry");
    let NextPart::Send { part: again, .. } =
        fixture.store.claim_part(&address("anna"), t(402)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((again.post.out, again.attempts, again.failures), (id, 3, 0));
}

#[tokio::test]
async fn an_operator_can_drop_a_part() {
    let fixture = fixture_with("one|two").await;
    let rows = fixture.store.parts(Some(OutboxState::Queued), None, 10).await.unwrap();
    assert_eq!(
        fixture.store.part_dropped(rows[1].post.out, &admin(), t(1)).await.unwrap(),
        Some(address("anna"))
    );
    assert_eq!(fixture.store.part_dropped(rows[1].post.out, &admin(), t(1)).await.unwrap(), None);
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "two");
}

#[tokio::test]
async fn who_has_sent_a_part_knows_whether_another_waits() {
    let fixture = fixture_with("one|two").await;
    fixture.store.send(outgoing("bob", "elsewhere", "k", 1)).await.unwrap();
    let one = fixture.claim_part("anna").await.unwrap();
    assert!(fixture.part_ended(&one, sent("1")).await);
    let two = fixture.claim_part("anna").await.unwrap();
    let later = SendResult::Later { pause: pause(400), error: "503".into(), counts: true };
    assert!(fixture.part_ended(&two, later).await, "it is open itself");
    let two = fixture.claim_part("anna").await.unwrap();
    assert!(!fixture.part_ended(&two, sent("2")).await, "that of another address does not count");
}

#[tokio::test]
async fn what_is_for_a_topic_that_is_gone_goes_to_its_chat_in_order() {
    let fixture = Fixture::open().await;
    let topic = frontdesk_core::address::Address::new("telegram", None, "-1", Some("6")).unwrap();
    let chat = address("-1");
    fixture.store.send(outgoing("-1", "older", "k0", 1)).await.unwrap();
    let sent_there = OutgoingMessage { address: topic.clone(), ..outgoing("-1", "one|two", "k1", 1) };
    fixture.store.send(sent_there).await.unwrap();
    fixture.store.send(outgoing("-1", "newer", "k2", 1)).await.unwrap();
    let NextPart::Send { part, .. } = fixture.store.claim_part(&topic, t(2)).await.unwrap() else { panic!() };
    let gone = SendResult::ThreadGone { chat, error: "message thread not found".into() };
    assert!(!fixture.part_ended(&part, gone).await, "nothing is left there");
    let mut texts = Vec::new();
    while let Some(part) = fixture.claim_part("-1").await {
        texts.push((part.post.part.body.clone(), part.attempts));
        fixture.part_ended(&part, sent("1")).await;
    }
    assert_eq!(texts, ["older", "one", "two", "newer"].map(|text| (text.to_owned(), 1)));
}

#[tokio::test]
async fn an_edit_that_was_cut_off_is_made_again_though_messages_are_not() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    let row = done(fixture.store.stream(turn.claim, "Well".into(), t(101)).await.unwrap()).unwrap();
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    fixture.finish(answered(&turn, "Well, yes.")).await;
    fixture.claim_part("anna").await.unwrap();
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(Recovery { resend: false, ..recovery() }).await.unwrap();
    assert_eq!(fixture.texts(OutboxState::Queued).await, ["Well, yes."]);
}
