//! Results that go to a web server.

use frontdesk_core::delivery::Ending;
use frontdesk_core::notice::Failure;

use super::*;

fn hooked() -> Job {
    Job { delivery: JobDelivery::Webhook("https://example.com/x".into()), ..job("report") }
}

async fn hooks(fixture: &Fixture, at: i64) -> Vec<HookPost> {
    fixture.store.hooks_due(t(at)).await.unwrap()
}

#[tokio::test]
async fn a_result_for_a_web_server_is_kept_until_it_has_arrived() {
    let fixture = Fixture::open().await;
    created(&fixture, hooked()).await;
    let turn = begun(&fixture, HOUR).await;
    let run = turn.job.as_ref().unwrap().run;
    assert!(!turn.job.as_ref().unwrap().delivers);
    let end = Finish { now: t(HOUR + 5), ..answered(&turn, "the \"result\"") };
    fixture.finish(end).await;
    let fixture = fixture.restarted(2).await;
    let [first] = hooks(&fixture, HOUR + 5).await.try_into().unwrap();
    assert_eq!((first.run, first.url.as_str(), first.tries), (run, "https://example.com/x", 0));
    assert_eq!(
        first.body,
        format!(
            r#"{{"job":"report","run":"{run}","scheduled":"2027-01-15T09:00:00Z","state":"succeeded","text":"the \"result\""}}"#
        )
    );
    fixture.store.hook_sent(run, HookResult::Later(t(HOUR + 60)), t(HOUR + 6)).await.unwrap();
    assert_eq!(hooks(&fixture, HOUR + 59).await, []);
    assert_eq!(fixture.store.next_hook().await.unwrap(), Some(t(HOUR + 60)));
    let [second] = hooks(&fixture, HOUR + 60).await.try_into().unwrap();
    assert_eq!(second, HookPost { tries: 1, ..first }, "the same bytes");
    fixture.store.hook_sent(run, HookResult::Sent, t(HOUR + 61)).await.unwrap();
    assert_eq!((hooks(&fixture, 9 * HOUR).await, fixture.store.next_hook().await.unwrap()), (vec![], None));
    assert_eq!(run_row(&fixture, run).await.hook, Some(HookState::Sent));
    fixture.store.hook_sent(run, HookResult::Dead("late".into()), t(HOUR + 62)).await.unwrap();
    assert_eq!(run_row(&fixture, run).await.hook, Some(HookState::Sent), "a late end changes nothing");
    assert_eq!(told(&fixture).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_goes_to_the_web_server_and_silence_does_not() {
    let fixture = Fixture::open().await;
    created(&fixture, hooked()).await;
    let turn = begun(&fixture, HOUR).await;
    fixture.finish(answered(&turn, "")).await;
    assert_eq!(hooks(&fixture, HOUR).await, []);
    let turn = begun(&fixture, 2 * HOUR).await;
    let error = Some(Reason::Failed(Failure::Crashed));
    fixture.finish(Finish { error, now: t(2 * HOUR), ..bare(&turn, Ending::Dead) }).await;
    let [post] = hooks(&fixture, 2 * HOUR).await.try_into().unwrap();
    assert!(post.body.contains(r#""state":"failed""#), "{}", post.body);
    assert!(post.body.contains(
        r#""error":{"code":"agent_crashed","message":"The agent crashed each time it was tried."}"#
    ));
    let told = told(&fixture).await;
    assert_eq!(told.len(), 1, "the chat of the job hears of the failure: {told:?}");
}

#[tokio::test]
async fn a_web_server_that_takes_nothing_is_given_up_and_the_chat_is_told() {
    let fixture = Fixture::open().await;
    created(&fixture, hooked()).await;
    let turn = begun(&fixture, HOUR).await;
    let run = turn.job.as_ref().unwrap().run;
    fixture.finish(Finish { now: t(HOUR), ..answered(&turn, "result") }).await;
    for _ in 0..2 {
        let dead = HookResult::Dead("it answered 404".into());
        fixture.store.hook_sent(run, dead, t(HOUR + 1)).await.unwrap();
    }
    assert_eq!(hooks(&fixture, 9 * HOUR).await, []);
    assert_eq!(run_row(&fixture, run).await.hook, Some(HookState::Dead));
    let told = told(&fixture).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`report`") && told[0].contains("it answered 404"), "{told:?}");
}
