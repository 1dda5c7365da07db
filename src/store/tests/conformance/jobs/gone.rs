//! Jobs and runs that go: deleted, revoked, erased, purged.

use super::*;

#[tokio::test]
async fn a_deleted_job_is_stopped_and_leaves_no_run_to_another_of_its_name() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, Job { overlap: OverlapRule::Queue, ..job("report") }).await.job.id;
    let turn = begun(&fixture, HOUR).await;
    due(&fixture, 2 * HOUR).await;
    let delete = |at| fixture.store.delete_job(&id, JobReach::All, admin(), t(at));
    let JobFound::Done(stopped) = delete(2 * HOUR).await.unwrap() else { panic!() };
    assert_eq!(stopped.len(), 1);
    assert_eq!((&stopped[0].session, &stopped[0].address), (&turn.session, &address("anna")));
    assert_eq!(stopped[0].stopped.running, [turn.claim.id]);
    assert_eq!(delete(2 * HOUR).await.unwrap(), JobFound::Unknown);
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    created(&fixture, job("report")).await;
    assert_eq!(runs(&fixture, &id).await, []);
    due(&fixture, HOUR).await;
    enter(&fixture, HOUR).await;
    let JobFound::Done(stopped) = delete(2 * HOUR).await.unwrap() else { panic!() };
    assert_eq!(stopped[0].stopped.waiting.len(), 1, "its message waited");
    assert_eq!((told(&fixture).await, fixture.store.waiting()), (Vec::new(), 0));
}

#[tokio::test]
async fn a_person_who_loses_access_has_no_running_job_any_more() {
    let fixture = Fixture::open().await;
    let [runs_it, waits] = [job("runs"), job("waits")];
    let runs_it = created(&fixture, runs_it).await.job.id;
    let turn = begun(&fixture, HOUR).await;
    let waits = created(&fixture, waits).await.job.id;
    let other = NewJob { owner: Sender::new(person("bob"), SenderKind::Person), ..new(job("bobs")) };
    fixture.store.create_job(other, t(HOUR + 1)).await.unwrap();
    let done = fixture.change(HOUR + 60, revoke_with_chat("anna")).await;
    let AccessDone::Revoked(revoked) = done else { panic!("{done:?}") };
    assert!(revoked.running.iter().any(|(_, _, running)| *running == turn.claim.id), "{revoked:?}");
    for id in [&runs_it, &waits] {
        let row = stored(&fixture, id).await;
        assert_eq!((row.state, row.reason), (JobState::Paused, Some(PauseReason::Revoked)), "{id}");
    }
    let row = fixture.store.runs(&runs_it, None, 1).await.unwrap().remove(0);
    assert_eq!(row.reason, Some(RunReason::Skipped(SkipReason::Revoked)));
    let bobs = "bobs".parse().unwrap();
    assert_eq!(stored(&fixture, &bobs).await.state, JobState::Active);
    let alarms = fixture.store.job_alarms().await.unwrap();
    assert_eq!(alarms.iter().map(|alarm| &alarm.job).collect::<Vec<_>>(), [&runs_it, &waits]);
    assert_eq!(told(&fixture).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_chat_has_made_is_erased_with_it() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "hello")).await;
    let id = created(&fixture, Job { task: "secret task".into(), ..job("report") }).await.job.id;
    let turn = begun(&fixture, HOUR).await;
    fixture.finish(answered(&turn, "secret result")).await;
    let message = turn.messages[0].id;
    let runs_now = begun(&fixture, 2 * HOUR).await;
    let stopped = fixture.store.erase(&key("anna"), &admin(), t(2 * HOUR)).await.unwrap().unwrap();
    assert!(stopped.running.contains(&runs_now.claim.id));
    assert_eq!(fixture.store.job(&id, JobReach::All).await.unwrap(), None);
    assert_eq!(fixture.store.runs(&id, None, 9).await.unwrap(), []);
    let row = fixture.store.message(message).await.unwrap().unwrap();
    assert_eq!((row.message.text.as_str(), row.answer), ("", None));
    assert!(told(&fixture).await.iter().all(|text| !text.contains("secret")));
    assert_eq!(due(&fixture, 9 * HOUR).await, 0);
}

#[tokio::test]
async fn runs_are_purged_like_messages_but_the_newest_of_a_job_stays() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    for hour in 1..=3 {
        let turn = begun(&fixture, hour * HOUR).await;
        fixture.finish(answered(&turn, "done")).await;
    }
    let keep = Retention { history_days: 30, ..keep() };
    fixture.store.purge(keep, t(31 * 24 * HOUR)).await.unwrap();
    assert_eq!(runs(&fixture, &id).await, [(RunState::Succeeded, 3 * HOUR)]);
    let last = stored(&fixture, &id).await.last.unwrap();
    assert_eq!((last.state, last.at), (RunState::Succeeded, t(3 * HOUR)));
}

fn keep() -> Retention {
    Retention { history_days: 365, outbox_days: 30, refused_days: 30, audit_days: 365, dead_letter_days: 30 }
}
