//! An agent with fallbacks: who answers when a model or an agent fails, and what becomes of what was shown.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_agents::failover::{Config as Failover, Fallback, ModelFallback};
use frontdesk_agents::{Config, openai};
use frontdesk_core::agent::SessionOptions;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::config::PromptText;
use frontdesk_core::config::Secret;
use frontdesk_core::delta::{AnswererChange, Delta};
use frontdesk_core::failover::CandidateState;
use frontdesk_core::history::HistoryEntry;
use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Agent, Turn};
use frontdesk_fakemodel::{FakeModel, Script};
use serde_json::json;

use crate::reported::{self, Reported};
use crate::sandbox::{Sandbox, Stream, eventually, next, turn};

mod circuits;
mod other_agents;

/// Two providers and an agent that asks the second when the first fails.
struct Fixture {
    sandbox: Sandbox,
    first: FakeModel,
    second: FakeModel,
    agent: Arc<dyn Agent>,
}

fn model(name: &str, provider: &FakeModel) -> openai::Config {
    openai::Config {
        base_url: provider.url(),
        api_key: Some(Secret::new("key of the first")),
        // Tests pass time while they wait for the fake on a machine that may be slow.
        timeout: 3600,
        retries: 1,
        ..openai::Config::of(name)
    }
}

fn other_model(name: &str, provider: Option<&FakeModel>) -> Fallback {
    Fallback::Model(Box::new(ModelFallback {
        model: name.into(),
        base_url: provider.map(FakeModel::url),
        api_key: None,
        headers: None,
        parameters: None,
        context_window: None,
        vision: None,
    }))
}

fn failover(fallbacks: impl IntoIterator<Item = Fallback>) -> Failover {
    Failover { fallbacks: fallbacks.into_iter().collect(), cooldown: 60, dwell: 300 }
}

fn down(status: u16) -> Script {
    Script::refusal(status, &json!({"message": "no"}))
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|config| config).await
    }

    async fn with(change: impl FnOnce(openai::Config) -> openai::Config) -> Self {
        let sandbox = Sandbox::new();
        let (first, second) = (FakeModel::start().await, FakeModel::start().await);
        let (first, second) = (first.expect("a port"), second.expect("a port"));
        first.usually(Script::answer(&["from the first"]));
        second.usually(Script::answer(&["from the second"]));
        let config = openai::Config {
            failover: failover([other_model("backup", Some(&second))]),
            ..model("main", &first)
        };
        let agent = sandbox.agent(Config::OpenAi(change(config)));
        Self { sandbox, first, second, agent }
    }

    async fn says(&self, text: &str) -> Reported {
        self.run(turn(1, text)).await
    }

    async fn run(&self, turn: Turn) -> Reported {
        read(&self.sandbox, self.agent.turn(turn), true).await
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.clock.pass(Duration::from_secs(seconds));
    }

    /// The number of requests that each provider got.
    fn asked(&self) -> (usize, usize) {
        (self.first.requests().len(), self.second.requests().len())
    }

    /// The states of the models, and the place of the one that answers this conversation.
    fn states(&self) -> (Vec<&'static str>, usize) {
        let session = turn(1, "").session;
        let status = self.agent.failover(Some((&session, &SessionOptions::default()))).expect("fallbacks");
        (status.candidates.iter().map(|candidate| candidate.state.name()).collect(), status.answering)
    }
}

/// Reads a turn to its end, while time passes slowly. `may` decides whether another one may take it over.
async fn read(sandbox: &Sandbox, stream: Stream, may: bool) -> Reported {
    reported::read(sandbox, stream, Duration::from_millis(20), may).await
}

fn to(before: &str, now: &str, is_return: bool) -> AnswererChange {
    AnswererChange { before: before.into(), now: now.into(), is_return }
}

#[tokio::test]
async fn another_model_answers_whatever_is_wrong_with_the_first() {
    for fault in [
        down(429),
        down(500),
        Script::status(502).raw("<html>bad gateway</html>"),
        down(401),
        down(403),
        down(404),
        down(429).header("retry-after", "30"),
        Script::saying(&[]).cut(),
        Script::saying(&[]),
        Script::saying(&[]).raw("data: {\"choices\":[}\n\n").done(),
        Script::saying(&[]).event(&json!({"error": {"message": "overloaded", "code": 529}})).done(),
        Script::saying(&[]).finish("stop").usage(1, 0).done(),
    ] {
        let fixture = Fixture::new().await;
        fixture.first.usually(fault.clone());
        let reported = fixture.says("hi").await;
        assert_eq!(reported.answer(), "from the second", "{fault:?}");
        assert_eq!(reported.changes, [to("main", "backup", false)], "{fault:?}");
        assert_eq!(reported.restarts, 0, "nothing was shown");
        // The key of the first provider stays there.
        assert_eq!(fixture.second.headers("authorization"), [None]);
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_tried_again_and_a_long_wait_is_not_waited_out() {
    for fault in [down(401), down(403), down(404), down(429).header("retry-after", "6")] {
        let fixture = Fixture::new().await;
        fixture.first.usually(fault.clone());
        let before = fixture.sandbox.clock_reading();
        assert_eq!(fixture.says("hi").await.answer(), "from the second");
        assert_eq!(fixture.asked(), (1, 1), "{fault:?}");
        assert!(fixture.sandbox.clock_reading() - before < Duration::from_secs(5), "{fault:?}");
    }
    let fixture = Fixture::with(|config| openai::Config { timeout: 5, ..config }).await;
    fixture.first.usually(Script::status(200).hang());
    assert_eq!(fixture.says("hi").await.answer(), "from the second");
    assert_eq!(fixture.asked(), (1, 1), "a model that says nothing is not waited for twice");
}

#[tokio::test]
async fn what_is_about_the_request_is_told_and_nobody_else_is_asked() {
    for (fault, requests) in [
        (down(400), 1),
        (down(422), 1),
        (Script::saying(&[]).event(&json!({"error": {"message": "no", "code": "invalid_request"}})), 1),
        // Too long for the context: less is sent, five times in all.
        (Script::refusal(400, &json!({"code": "context_length_exceeded"})), 5),
    ] {
        let fixture = Fixture::new().await;
        fixture.first.usually(fault.clone());
        fixture.says("hi").await.error();
        assert_eq!(fixture.asked(), (requests, 0), "{fault:?}");
        assert_eq!(fixture.states(), (vec!["working", "working"], 0));
    }
}

#[tokio::test]
async fn what_was_shown_is_taken_back_when_another_model_begins_to_answer() {
    let fixture = Fixture::new().await;
    fixture.first.usually(Script::saying(&["half", " an answer"]).cut());
    let reported = fixture.says("hi").await;
    assert_eq!((reported.answer(), reported.restarts), ("from the second", 1));
    assert_eq!(fixture.asked(), (1, 1), "what was shown is not asked for again");
}

#[tokio::test]
async fn an_answer_that_nobody_can_finish_stays_and_is_marked() {
    let fixture = Fixture::new().await;
    fixture.first.usually(Script::saying(&["half"]).cut());
    fixture.second.usually(down(503));
    let reported = fixture.says("hi").await;
    assert_eq!(reported.ended(), ("half", AnswerEnd::BrokenOff));
    assert_eq!((reported.restarts, reported.changes.len()), (0, 0));
    fixture.pass(1000);
    fixture.second.usually(Script::saying(&["another half"]).cut());
    let reported = fixture.says("hi").await;
    assert_eq!((reported.ended(), reported.restarts), (("another half", AnswerEnd::BrokenOff), 1));
}

#[tokio::test]
async fn a_turn_that_has_acted_is_not_begun_again() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(500));
    let reported = read(&fixture.sandbox, fixture.agent.turn(turn(1, "hi")), false).await;
    assert!(reported.error().contains("status 500"), "{reported:?}");
    fixture.first.usually(Script::saying(&["half"]).cut());
    fixture.pass(1000);
    let reported = read(&fixture.sandbox, fixture.agent.turn(turn(1, "hi")), false).await;
    assert_eq!(reported.ended(), ("half", AnswerEnd::BrokenOff));
    assert_eq!(fixture.second.requests().len(), 0);
}

#[tokio::test]
async fn a_turn_that_is_stopped_is_no_failure() {
    let fixture = Fixture::new().await;
    fixture.first.usually(Script::saying(&["half"]).hang());
    for id in 1..5 {
        let mut stream = fixture.agent.turn(turn(id, "hi"));
        while !matches!(next(&mut stream).await, Some(Ok(Delta::Text(_)))) {}
        fixture.agent.abort(TurnId(id)).await;
        while let Some(report) = next(&mut stream).await {
            assert!(matches!(report, Ok(Delta::Progress)), "{report:?}");
        }
    }
    eventually("the connections are closed", || fixture.first.open() == 0).await;
    assert_eq!(fixture.asked(), (4, 0));
    assert_eq!(fixture.states(), (vec!["working", "working"], 0));
}

#[tokio::test]
async fn a_model_that_a_chat_has_chosen_is_not_asked_twice_and_fails_for_itself() {
    let fixture = || {
        Fixture::with(|config| openai::Config {
            models: vec!["large".into()],
            failover: failover([other_model("large", None), other_model("backup", None)]),
            ..config
        })
    };
    let broken_off = fixture().await;
    let fixture = fixture().await;
    let chosen = |id| Turn {
        options: SessionOptions { model: Some("large".into()), thinking: None },
        ..turn(id, "hi")
    };
    fixture.first.will(down(500));
    fixture.first.will(down(500));
    let reported = fixture.run(chosen(1)).await;
    assert_eq!(reported.answer(), "from the first");
    assert_eq!(reported.changes, [to("large", "backup", false)]);
    let models = |fixture: &Fixture| -> Vec<String> {
        fixture.first.requests().iter().map(|body| body["model"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(models(&fixture), ["large", "large", "backup"]);
    // The key is kept at the same provider.
    assert!(fixture.first.headers("authorization").iter().all(Option::is_some));
    // Not even after a failure for which it is not left alone.
    broken_off.first.will(Script::saying(&["half"]).cut());
    broken_off.run(chosen(1)).await.answer();
    assert_eq!(models(&broken_off), ["large", "backup"]);
    // The other model of the agent works.
    let other = Turn { session: "agent:test:web:dm:other".parse().unwrap(), ..turn(2, "hi") };
    fixture.run(other).await.answer();
    assert_eq!(models(&fixture).last().map(String::as_str), Some("main"));
}

#[tokio::test]
async fn another_model_compacts_if_the_first_cannot() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(500));
    fixture.second.usually(Script::answer(&["a summary"]));
    let history = Arc::new(crate::openai::conversation::Entries(vec![HistoryEntry::Answer {
        text: "an earlier answer".into(),
        complete: true,
    }]));
    let turn = Turn { history, ..turn(1, "") };
    let mut compacting = fixture.agent.compact(turn, None);
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let compacted = loop {
        tokio::select! {
            compacted = &mut compacting => break compacted.unwrap(),
            _ = tick.tick() => fixture.sandbox.clock.pass(Duration::from_millis(100)),
        }
    };
    assert_eq!(compacted.summary.as_deref(), Some("a summary"));
}
