//! The message that is written while the agent speaks.

use frontdesk_core::delivery::Ending;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_store::row::*;

use crate::fixture::*;

async fn streaming(fixture: &Fixture, text: &str) -> (ClaimedTurn, OutboxRow) {
    let turn = fixture.turn("anna", text).await;
    let row = done(fixture.store.stream(turn.claim, "Well".into(), t(101)).await.unwrap()).unwrap();
    (turn, row)
}

#[tokio::test]
async fn the_answer_edits_what_was_streamed() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    assert_eq!((row.state, row.post.key.clone()), (OutboxState::Streaming, format!("{}/0", turn.claim.id)));
    let again = done(fixture.store.stream(turn.claim, "x".into(), t(102)).await.unwrap()).unwrap();
    assert_eq!(again.post.out, row.post.out, "one message per turn");
    assert!(fixture.claim_part("anna").await.is_none(), "nothing overtakes a message that is being written");
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let announced = fixture.finish(answered(&turn, "Well, yes.|And more.")).await;
    assert_eq!((announced[0].post.out, announced[0].edit()), (row.post.out, Some("77")));
    assert_eq!((announced[1].edit(), announced[1].post.part.body.as_str()), (None, "And more."));
    let first = fixture.claim_part("anna").await.unwrap();
    assert_eq!((first.edit(), first.post.part.body.as_str()), (Some("77"), "Well, yes."));
    fixture.part_ended(&first, SendResult::Sent { platform_message: None }).await;
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "And more.");
}

#[tokio::test]
async fn an_unknown_message_is_posted_anew_unless_its_id_comes_in_time() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    let announced = fixture.finish(answered(&turn, "Well, yes.")).await;
    assert_eq!(announced[0].edit(), None);
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!(part.edit(), Some("77"));
    fixture.store.streamed(row.post.out, "78".into()).await.unwrap();
    let rows = fixture.store.parts(None, None, 1).await.unwrap();
    assert_eq!(rows[0].edit(), Some("77"), "too late once it is being sent");
}

#[tokio::test]
async fn streaming_waits_for_older_parts() {
    let fixture = Fixture::open().await;
    let first = fixture.turn("anna", "a").await;
    fixture.finish(answered(&first, "older")).await;
    let turn = fixture.turn("anna", "b").await;
    assert_eq!(done(fixture.store.stream(turn.claim, "x".into(), t(1)).await.unwrap()), None);
    assert_eq!(
        fixture.store.stream(Claim { fence: 99, ..turn.claim }, "x".into(), t(1)).await.unwrap(),
        Fenced::Stale
    );
}

#[tokio::test]
async fn a_web_turn_needs_no_row_to_stream() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("web:main", "a").await;
    assert_eq!(done(fixture.store.stream(turn.claim, "x".into(), t(1)).await.unwrap()), None);
}

#[tokio::test]
async fn a_cut_off_message_says_how_it_ended() {
    let fixture = Fixture::open().await;
    let cases = [
        (Ending::Cancelled, None, "Well\n\n(stopped)"),
        (Ending::Superseded, Some("Well, I"), "Well, I\n\n(stopped)"),
        (Ending::Dead, Some("Well, I"), "Well, I\n\n(interrupted, /retry)"),
        (Ending::Answered, None, "Well"),
    ];
    for (ending, answer, expected) in cases {
        let (turn, row) = streaming(&fixture, expected).await;
        fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
        fixture.finish(Finish { answer: answer.map(str::to_owned), ..bare(&turn, ending) }).await;
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!((part.post.part.body.as_str(), part.edit()), (expected, Some("77")));
        fixture.part_ended(&part, sent("77")).await;
    }
}

#[tokio::test]
async fn an_interruption_is_told_in_the_streamed_message_alone() {
    let fixture = Fixture::open().await;
    let (turn, _) = streaming(&fixture, "a").await;
    let notice = Some(Notice::Interrupted { so_far: "Well, I did".into() });
    let announced = fixture.finish(Finish { notice, ..bare(&turn, Ending::Dead) }).await;
    let texts: Vec<&str> = announced.iter().map(|row| row.post.part.body.as_str()).collect();
    assert_eq!(texts, ["Well, I did\n\n(interrupted, /retry)"]);
}

#[tokio::test]
async fn commands_are_named_as_people_type_them_there() {
    let fixture = Fixture::open().await;
    for (so_far, expected) in
        [("", "Send !retry to run it again."), ("Well", "Well\n\n(interrupted, !retry)")]
    {
        let turn = fixture.turn("slack:main", so_far).await;
        let notice = Some(Notice::Interrupted { so_far: so_far.into() });
        let announced = fixture.finish(Finish { notice, ..bare(&turn, Ending::Dead) }).await;
        assert!(announced[0].post.part.body.ends_with(expected), "{announced:?}");
    }
}

#[tokio::test]
async fn another_failure_is_told_besides() {
    let fixture = Fixture::open().await;
    let (turn, _) = streaming(&fixture, "a").await;
    let notice = Some(Notice::Failed(Failure::Silent));
    let announced = fixture.finish(Finish { notice, ..bare(&turn, Ending::Dead) }).await;
    assert_eq!(announced.len(), 2);
}

#[tokio::test]
async fn a_second_attempt_writes_over_the_first_one() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    let again = fixture.claim("anna").await.unwrap();
    let (out, shown) = (row.post.out, "Well".into());
    assert_eq!(again.streamed, Some(StreamedPart { out, platform_message: Some("77".into()), shown }));
    let announced = fixture.finish(answered(&again, "At last.")).await;
    assert_eq!(announced[0].edit(), Some("77"));
}

#[tokio::test]
async fn a_turn_whose_chat_has_gone_can_still_end() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    let other = fixture.store.send(OutgoingMessage {
        address: address("anna"),
        session: None,
        parts: parts("x"),
        media: vec![],
        key: "k".into(),
        author: admin(),
        now: t(1),
    });
    other.await.unwrap();
    assert!(fixture.claim_part("anna").await.is_none());
    assert_eq!(
        fixture.store.part_dropped(row.post.out, &admin(), t(2)).await.unwrap(),
        None,
        "it is being written"
    );
    fixture.finish(answered(&turn, "Well.")).await;
    let part = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&part, SendResult::Gone { error: "blocked".into() }).await;
    assert_eq!(fixture.texts(OutboxState::Dead).await, ["Well.", "x"]);
}

#[tokio::test]
async fn a_turn_stopped_while_its_first_post_is_on_its_way_ends_in_that_post() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    assert!(!fixture.store.stream_settled(turn.claim.id, t(102)).await.unwrap(), "it still runs");
    assert_eq!(fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap().running, [turn.claim.id]);
    assert_eq!(fixture.texts(OutboxState::Streaming).await, ["Well"], "left to the turn's holder");
    assert!(fixture.claim_part("anna").await.is_none());
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    assert!(fixture.store.stream_settled(turn.claim.id, t(104)).await.unwrap());
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!((part.post.part.body.as_str(), part.edit()), ("Well\n\n(stopped)", Some("77")));
    assert!(!fixture.store.stream_settled(turn.claim.id, t(105)).await.unwrap(), "once");
}

#[tokio::test]
async fn a_post_that_never_came_to_be_is_dropped_with_its_stopped_turn() {
    let fixture = Fixture::open().await;
    let (turn, _) = streaming(&fixture, "a").await;
    let stop = fixture.accept_one(50, commands("anna", "stop", EpochChange::ByRule)).await;
    let reply = fixture.answer_command(stop, CommandEffect::Stop, t(103), Box::new(|_| "Stopped.".into()));
    assert_eq!(done(reply.await.unwrap()).announced.len(), 1);
    assert!(fixture.claim_part("anna").await.is_none());
    assert!(fixture.store.stream_settled(turn.claim.id, t(104)).await.unwrap());
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["Well"]);
    assert_eq!(fixture.claim_part("anna").await.unwrap().post.part.body, "Stopped.");
}

#[tokio::test]
async fn a_stopped_turn_that_nobody_runs_leaves_no_message_open() {
    let fixture = Fixture::open().await;
    let (turn, _) = streaming(&fixture, "a").await;
    done(fixture.store.requeue(turn.claim, None, t(1)).await.unwrap());
    fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap();
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["Well"]);
}

#[tokio::test]
async fn a_stopped_message_whose_holder_died_is_settled_at_the_next_start() {
    for (known, state, text) in
        [(true, OutboxState::Queued, "Well\n\n(stopped)"), (false, OutboxState::Dropped, "Well")]
    {
        let fixture = Fixture::open().await;
        let (_, row) = streaming(&fixture, "a").await;
        fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap();
        if known {
            fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
        }
        let fixture = fixture.restarted(2).await;
        fixture.store.recover(recovery()).await.unwrap();
        assert_eq!(fixture.texts(state).await, [text]);
    }
}

#[tokio::test]
async fn a_message_that_cannot_say_how_it_ended_keeps_nobody_from_stopping() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("PANIC", "a").await;
    let row = done(fixture.store.stream(turn.claim, "Well".into(), t(1)).await.unwrap()).unwrap();
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    assert_eq!(fixture.store.cancel(&key("PANIC"), &admin(), t(103)).await.unwrap().running, [turn.claim.id]);
    assert_eq!(fixture.texts(OutboxState::Dropped).await, ["Well"]);
}

#[tokio::test]
async fn a_message_that_grows_blocks_nobody_once_the_platform_has_named_it() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    let status = fixture.accept_one(20, commands("anna", "status", EpochChange::ByRule)).await;
    let reply = fixture.answer_command(status, CommandEffect::None, t(102), Box::new(|_| "fine".into()));
    let reply = done(reply.await.unwrap()).announced;
    assert!(fixture.claim_part("anna").await.is_none(), "its post may still fail, and order would be lost");
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let part = fixture.claim_part("anna").await.unwrap();
    assert_eq!(part.post.out, reply[0].post.out);
    assert!(!fixture.part_ended(&part, sent("78")).await, "nothing else is to be sent now");
    let announced = fixture.finish(answered(&turn, "Well, yes.|And more.")).await;
    for row in announced {
        let part = fixture.claim_part("anna").await.unwrap();
        assert_eq!(part.post.out, row.post.out, "and its end goes out in the old order");
        fixture.part_ended(&part, sent("79")).await;
    }
}

#[tokio::test]
async fn a_first_post_that_failed_leaves_nothing_behind() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    fixture.store.unstreamed(row.post.out).await.unwrap();
    assert!(fixture.texts(OutboxState::Streaming).await.is_empty());
    let announced = fixture.finish(answered(&turn, "Well, yes.")).await;
    assert_eq!((announced[0].edit(), announced[0].post.key.clone()), (None, format!("{}/0", turn.claim.id)));
}

#[tokio::test]
async fn a_stopped_message_keeps_what_it_showed_last() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    done(fixture.store.stream_shows(turn.claim, "Well, *yes*|".into()).await.unwrap());
    assert_eq!(fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap().running, [turn.claim.id]);
    let part = fixture.claim_part("anna").await.unwrap();
    let shown = "Well, *yes*|\n\n(stopped)";
    assert_eq!(
        (part.post.part.body.as_str(), part.post.part.plain.as_str()),
        (shown, shown),
        "as it stood there"
    );
    let late = fixture.store.stream_shows(turn.claim, "more".into()).await.unwrap();
    assert_eq!(late, Fenced::Stale, "nothing is shown after the last word");
    let history = async || fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap().answer;
    assert_eq!(history().await.as_deref(), Some("Well, *yes*|"));
    fixture
        .store
        .keep_partial(turn.claim, Some("Well, *yes*| and".into()), false, Some(usage()), t(30))
        .await
        .unwrap();
    assert_eq!(history().await.as_deref(), Some("Well, *yes*| and"));
    assert_eq!(fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap().usage, Some(usage()));
}

#[tokio::test]
async fn a_stopped_message_that_is_full_says_so_in_the_next_one() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    let full = "x".repeat(LONGEST - 5);
    done(fixture.store.stream_shows(turn.claim, full.clone()).await.unwrap());
    fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap();
    assert_eq!(fixture.texts(OutboxState::Queued).await, [full, "(stopped)".to_owned()]);
}

#[tokio::test]
async fn an_erased_conversation_does_not_come_back_as_a_partial_answer() {
    let fixture = Fixture::open().await;
    let turn = fixture.turn("anna", "a").await;
    fixture.store.erase(&key("anna"), &admin(), t(103)).await.unwrap();
    fixture.store.keep_partial(turn.claim, Some("secret".into()), true, None, t(30)).await.unwrap();
    assert_eq!(fixture.store.message(ids(&turn)[0]).await.unwrap().unwrap().answer, None);
}

#[tokio::test]
async fn a_stopped_answer_of_which_only_a_draft_was_shown_is_sent() {
    for shown in [false, true] {
        let fixture = Fixture::open().await;
        let turn = fixture.turn("anna", "a").await;
        fixture.store.cancel(&key("anna"), &admin(), t(103)).await.unwrap();
        for _ in 0..2 {
            fixture.store.keep_partial(turn.claim, Some("Well".into()), shown, None, t(104)).await.unwrap();
        }
        let sent = fixture.texts(OutboxState::Queued).await;
        assert_eq!(sent, if shown { vec!["Well\n\n(stopped)".to_owned()] } else { Vec::new() });
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_edited_is_deleted_once_its_whole_text_is_sent() {
    let fixture = Fixture::open().await;
    let (turn, row) = streaming(&fixture, "a").await;
    fixture.store.streamed(row.post.out, "77".into()).await.unwrap();
    fixture.finish(answered(&turn, "Well, yes.|And more.")).await;
    let edit = fixture.claim_part("anna").await.unwrap();
    assert!(fixture.part_ended(&edit, SendResult::Anew { error: "no".into() }).await);
    let fixture = fixture.restarted(2).await;
    let post = fixture.claim_part("anna").await.unwrap();
    assert_eq!((post.edit(), post.delete()), (None, None));
    fixture.part_ended(&post, SendResult::Later { pause: pause(200), error: "x".into(), counts: true }).await;
    assert_eq!(
        fixture.store.parts(Some(OutboxState::Queued), None, 9).await.unwrap().len(),
        2,
        "not before it is sent"
    );
    let post = fixture.claim_part("anna").await.unwrap();
    fixture.part_ended(&post, sent("78")).await;
    let more = fixture.claim_part("anna").await.unwrap();
    assert_eq!(more.post.part.body, "And more.");
    fixture.part_ended(&more, sent("79")).await;
    let delete = fixture.claim_part("anna").await.unwrap();
    assert_eq!((delete.delete(), delete.post.part.body.as_str()), (Some("77"), ""));
    assert!(!fixture.part_ended(&delete, SendResult::Unmarked { error: "too old".into() }).await);
    assert!(fixture.texts(OutboxState::Dead).await.is_empty(), "nobody misses anything");
}
