//! What goes wrong with a provider, and what people and operators hear of it.

use std::time::Duration;

use frontdesk_agents::openai;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::{AgentError, Delta};
use frontdesk_fakemodel::Script;
use serde_json::json;

use super::Fixture;
use crate::sandbox::{next, turn};

#[tokio::test]
async fn a_passing_fault_is_not_noticed() {
    for fault in [
        Script::refusal(429, &json!({"message": "slow down"})),
        Script::refusal(500, &json!({"message": "oops"})),
        Script::status(502).raw("<html>bad gateway</html>"),
        Script::saying(&[]).cut(),
        Script::saying(&[]),
        Script::status(200).header("content-type", "text/event-stream"),
        Script::saying(&[]).raw("data: {\"choices\":[}\n\n").done(),
        Script::saying(&[]).event(&json!({"error": {"message": "overloaded", "code": 529}})).done(),
        Script::saying(&[]).finish("stop").usage(1, 0).done(),
    ] {
        let fixture = Fixture::new().await;
        fixture.model.will(fault.clone());
        assert_eq!(fixture.says("hi").await.answer(), "hello there", "{fault:?}");
        assert_eq!(fixture.model.requests().len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_provider_is_asked_a_bounded_number_of_times() {
    let fixture = Fixture::new().await;
    fixture.model.usually(Script::refusal(503, &json!({"message": "down, hunter2", "code": "busy"})));
    let reported = fixture.says("hi").await;
    assert_eq!(
        reported.error(),
        "the agent cannot be started: the model provider answered with status 503 (busy): down, ***"
    );
    assert_eq!(fixture.model.requests().len(), 3);
    // What is odd rather than busy is asked only once more.
    let fixture = Fixture::new().await;
    fixture.model.usually(Script::saying(&[]).finish("stop").done());
    assert_eq!(fixture.says("hi").await.error(), "the agent failed: the model gave an empty answer");
    assert_eq!(fixture.model.requests().len(), 2);
}

#[tokio::test]
async fn a_refusal_that_will_not_pass_is_told_at_once() {
    for (status, unavailable) in [(400, false), (401, true), (403, true), (404, true), (422, false)] {
        let fixture = Fixture::new().await;
        fixture.model.usually(Script::refusal(status, &json!({"message": "no", "code": "invalid"})));
        let reported = fixture.says("hi").await;
        let error = match reported.end {
            Some(Err(error)) => error,
            other => panic!("no error: {other:?}"),
        };
        assert_eq!(matches!(error, AgentError::Unavailable(_)), unavailable, "{status}: {error}");
        assert_eq!(fixture.model.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_provider_that_asks_for_time_gets_it() {
    let fixture = Fixture::new().await;
    let refused = Script::refusal(429, &json!({"message": "slow down"}));
    fixture.model.will(refused.clone().header("retry-after", "20"));
    let before = fixture.sandbox.clock_reading();
    assert_eq!(fixture.says("hi").await.answer(), "hello there");
    assert!(fixture.sandbox.clock_reading() - before >= Duration::from_secs(20));
    // A person does not wait for an hour.
    fixture.model.will(refused.header("retry-after", "3600"));
    fixture.says("hi").await.error();
    assert_eq!(fixture.model.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_kept_and_marked() {
    for (broken, end) in [
        (Script::saying(&["half", " an answer"]).cut(), AnswerEnd::BrokenOff),
        (Script::saying(&["half", " an answer"]), AnswerEnd::BrokenOff),
        (Script::saying(&["half", " an answer"]).raw("data: {\"cho"), AnswerEnd::BrokenOff),
        (Script::saying(&["half", " an answer"]).raw("data: no json\n\n").done(), AnswerEnd::BrokenOff),
        (
            Script::saying(&["half", " an answer"])
                .event(&json!({"error": {"message": "overloaded"}}))
                .done(),
            AnswerEnd::ErrorReported,
        ),
        (Script::saying(&["half", " an answer"]).finish("error").done(), AnswerEnd::ErrorReported),
    ] {
        let fixture = Fixture::new().await;
        fixture.model.will(broken.clone());
        assert_eq!(fixture.says("hi").await.ended(), ("half an answer", end), "{broken:?}");
        assert_eq!(fixture.model.requests().len(), 1, "what was shown is not asked for again");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_given_up_and_a_comment_keeps_it() {
    let fixture = Fixture::with(|config| openai::Config { timeout: 60, ..config }).await;
    fixture.model.will(Script::saying(&["half"]).raw(": keep-alive\n\n").hang());
    let mut stream = fixture.agent.turn(turn(1, "hi"));
    while !matches!(next(&mut stream).await, Some(Ok(Delta::Text(_)))) {}
    let mut alive = 0;
    let end = loop {
        match next_while_passing(&fixture, &mut stream).await {
            Some(Ok(Delta::Done { end, .. })) => break end,
            Some(Ok(Delta::Progress)) => alive += 1,
            Some(Ok(Delta::Usage(_))) => {}
            other => panic!("unexpected: {other:?}"),
        }
    };
    assert_eq!(end, AnswerEnd::BrokenOff);
    assert!(alive > 5, "the turn showed only {alive} signs of life");
    crate::sandbox::eventually("the connection is closed", || fixture.model.open() == 0).await;
}

async fn next_while_passing(
    fixture: &Fixture,
    stream: &mut crate::sandbox::Stream,
) -> Option<Result<Delta, AgentError>> {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    loop {
        tokio::select! {
            delta = next(stream) => return delta,
            _ = tick.tick() => fixture.sandbox.clock.pass(Duration::from_secs(1)),
        }
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_asked_again_and_then_reported() {
    let fixture = Fixture::with(|config| openai::Config { timeout: 5, retries: 1, ..config }).await;
    fixture.model.usually(Script::status(200).hang());
    let error = fixture.says("hi").await.error();
    assert!(error.contains("it sent nothing for 5 s"), "{error}");
    assert_eq!(fixture.model.requests().len(), 2);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_reported_without_the_key() {
    let fixture = Fixture::with(|config| openai::Config { retries: 1, ..config }).await;
    fixture.model.cut().await;
    let error = fixture.says("hi").await.error();
    assert!(error.contains("cannot be reached") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn gateways_that_differ_are_understood() {
    for (script, answer) in [
        (Script::saying(&["no reason"]).usage(5, 1), "no reason"),
        (Script::saying(&["only done"]).done(), "only done"),
        (Script::saying(&["empty reason"]).finish("").done(), "empty reason"),
        (Script::saying(&["no usage"]).finish("stop"), "no usage"),
        (
            Script::status(200)
                .raw(r#"{"choices":[{"message":{"content":"no stream"},"finish_reason":"stop"}]}"#),
            "no stream",
        ),
        (
            Script::status(200)
                .raw("data:{\"choices\":[{\"delta\":{\"content\":\"crlf\"}}]}\r\n\r\ndata:[DONE]\r\n"),
            "crlf",
        ),
        (
            Script::saying(&[])
                .event(&json!({"choices": [{"delta": {"refusal": "I will not do that."}}]}))
                .finish("stop"),
            "I will not do that.",
        ),
        // An answer that says why it ends is whole, even if nobody closes the connection.
        (Script::saying(&["open end"]).finish("stop").hang(), "open end"),
    ] {
        let fixture = Fixture::new().await;
        fixture.model.will(script.clone());
        assert_eq!(fixture.says("hi").await.answer(), answer, "{script:?}");
        assert_eq!(fixture.model.requests().len(), 1, "{script:?}");
    }
}

#[tokio::test]
async fn an_answer_that_the_provider_ends_is_not_whole() {
    for (script, ended) in [
        (Script::saying(&["long"]).finish("length"), ("long", AnswerEnd::Length)),
        (Script::saying(&["bad"]).finish("content_filter"), ("bad", AnswerEnd::Filtered)),
        (Script::saying(&[]).finish("content_filter").done(), ("", AnswerEnd::Filtered)),
    ] {
        let fixture = Fixture::new().await;
        fixture.model.will(script.clone());
        assert_eq!(fixture.says("hi").await.ended(), ended, "{script:?}");
        assert_eq!(fixture.model.requests().len(), 1, "{script:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let fixture = Fixture::with(|config| openai::Config { max_answer: 10, ..config }).await;
    fixture.model.will(Script::saying(&["123456", "789äöü", "more"]).hang());
    assert_eq!(fixture.says("hi").await.ended(), ("123456789", AnswerEnd::TooLong));
    let fixture = Fixture::new().await;
    fixture.model.usually(Script::status(200).raw(&"x".repeat(2 << 20)));
    let error = fixture.says("hi").await.error();
    assert!(error.contains("does not end"), "{error}");
}
