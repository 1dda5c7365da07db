//! How long a model that failed is left alone, and who tries it again.

use super::*;

#[tokio::test]
async fn a_model_that_is_down_is_left_alone_by_all_and_tried_by_one_when_its_pause_is_over() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(500));
    fixture.says("hi").await.answer();
    assert_eq!((fixture.asked(), fixture.states()), ((2, 1), (vec!["paused", "working"], 1)));
    // Another conversation knows it too, and one that stays says nothing again.
    let other = Turn { session: "agent:test:web:dm:other".parse().unwrap(), ..turn(2, "hi") };
    assert_eq!(fixture.run(other.clone()).await.changes, [to("main", "backup", false)]);
    assert_eq!(fixture.says("again").await.changes, []);
    assert_eq!(fixture.asked(), (2, 3));
    // The pause is over: of many at once, one tries it, with one request.
    fixture.pass(90);
    fixture.first.usually(Script::saying(&[]).hang());
    let newcomer =
        |n: i64| Turn { session: format!("agent:test:web:dm:{n}").parse().unwrap(), ..turn(n, "hi") };
    let mut probing = fixture.agent.turn(newcomer(10));
    assert!(matches!(next(&mut probing).await, Some(Ok(Delta::Progress))));
    fixture.first.asked(3).await.unwrap();
    assert_eq!(fixture.states().0, ["probing", "working"]);
    for n in 11..15 {
        assert_eq!(fixture.run(newcomer(n)).await.answer(), "from the second");
    }
    assert_eq!(fixture.first.requests().len(), 3);
    // A probe that is stopped is no failure, and the next one tries again.
    drop(probing);
    fixture.first.usually(Script::answer(&["from the first"]));
    let returned = fixture.run(newcomer(16)).await;
    assert_eq!((returned.answer(), returned.changes.len()), ("from the first", 0));
    assert_eq!(fixture.states(), (vec!["working", "working"], 1));
    // The conversation stays where it is for a while, and its return is told.
    assert_eq!(fixture.says("hi").await.answer(), "from the second");
    fixture.pass(400);
    let returned = fixture.says("hi").await;
    assert_eq!(returned.answer(), "from the first");
    assert_eq!(returned.changes, [to("backup", "main", true)]);
    assert_eq!(fixture.says("hi").await.changes, []);
}

#[tokio::test]
async fn a_failed_probe_costs_one_request_and_a_longer_pause() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(503));
    fixture.says("hi").await.answer();
    assert_eq!(fixture.asked().0, 2);
    fixture.pass(400);
    fixture.says("hi").await.answer();
    assert_eq!(fixture.asked().0, 3);
    fixture.pass(90);
    fixture.says("hi").await.answer();
    assert_eq!(fixture.asked().0, 3, "the second pause is twice as long");
    let status = fixture.agent.failover(None).unwrap();
    assert_eq!(status.candidates[0].pauses, 2);
    let CandidateState::Paused { why, left } = &status.candidates[0].state else { panic!("{status:?}") };
    assert_eq!(why, "status 503");
    assert!((1..=60).contains(&left.as_secs()), "{left:?}");
}

#[tokio::test]
async fn answers_that_break_off_now_and_then_move_only_their_own_conversation() {
    let fixture = Fixture::new().await;
    for _ in 0..5 {
        fixture.first.will(Script::saying(&["half"]).cut());
        assert_eq!(fixture.says("hi").await.answer(), "from the second");
        assert_eq!(fixture.states(), (vec!["working", "working"], 1));
        fixture.pass(400);
        assert_eq!(fixture.says("hi").await.answer(), "from the first");
    }
    for n in 0..3 {
        fixture.first.will(Script::saying(&["half"]).cut());
        fixture.says("hi").await.answer();
        assert_eq!(fixture.states().0[0] == "paused", n == 2, "{n}");
        if n < 2 {
            fixture.pass(400);
        }
    }
}

#[tokio::test]
async fn if_all_are_paused_the_first_to_return_is_tried_and_the_error_names_all() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(500));
    fixture.second.usually(down(502));
    let error = fixture.says("hi").await.error();
    for part in ["main: ", "status 500", "backup: ", "status 502"] {
        assert!(error.contains(part), "{error}");
    }
    fixture.second.usually(Script::answer(&["from the second"]));
    fixture.first.usually(Script::answer(&["from the first"]));
    let asked = fixture.asked();
    fixture.says("hi").await.answer();
    assert_eq!(fixture.asked().0 + fixture.asked().1, asked.0 + asked.1 + 1);
    // A provider that has asked for time is not asked before that, also if there is nobody else.
    let fixture = Fixture::new().await;
    fixture.first.usually(down(429).header("retry-after", "3000"));
    fixture.second.usually(down(429).header("retry-after", "2000"));
    fixture.says("hi").await.error();
    let asked = fixture.asked();
    let error = fixture.says("hi").await.error();
    assert!(error.contains("main: left alone for") && error.contains("after: status 429"), "{error}");
    assert_eq!(fixture.asked(), asked);
    // If it is only a little while, the turn waits.
    fixture.pass(1985);
    fixture.second.usually(Script::answer(&["from the second"]));
    assert_eq!(fixture.says("hi").await.answer(), "from the second");
}

#[tokio::test]
async fn agents_with_the_same_model_share_what_is_known_and_a_reload_keeps_it() {
    let fixture = Fixture::new().await;
    fixture.first.usually(down(500));
    fixture.says("hi").await.answer();
    assert_eq!(fixture.asked(), (2, 1));
    let config = openai::Config {
        // Another prompt makes another agent, whose provider is the same.
        system_prompt: Some(PromptText::Text("be brief".into())),
        failover: failover([other_model("backup", Some(&fixture.second))]),
        ..model("main", &fixture.first)
    };
    let changed = fixture.sandbox.agent(Config::OpenAi(config.clone()));
    let reported = read(&fixture.sandbox, changed.turn(turn(2, "hi")), true).await;
    assert_eq!((reported.answer(), fixture.asked()), ("from the second", (2, 2)));
    assert_eq!(reported.changes, [], "the conversation has heard of it");
    // A conversation that stays nowhere asks whoever works.
    let another = Turn { session: "agent:test:web:dm:another".parse().unwrap(), ..turn(4, "hi") };
    read(&fixture.sandbox, changed.turn(another), true).await.answer();
    assert_eq!(fixture.asked(), (2, 3));
    // Another key is another account at the provider.
    let changed = openai::Config { api_key: Some(Secret::new("a new key")), ..config };
    let changed = fixture.sandbox.agent(Config::OpenAi(changed));
    let other = Turn { session: "agent:test:web:dm:other".parse().unwrap(), ..turn(3, "hi") };
    read(&fixture.sandbox, changed.turn(other), true).await.answer();
    assert_eq!(fixture.asked().0, 4);
}
