//! Runs that are due begin, wait, or are skipped.

use super::*;

#[tokio::test]
async fn a_run_enters_its_session_once() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    due(&fixture, HOUR).await;
    let [run] = fixture.store.runs_to_enter(t(HOUR)).await.unwrap().try_into().unwrap();
    assert_eq!((run.owner.id.clone(), run.origin.clone()), (person("anna"), Some(key("anna"))));
    assert_eq!((run.chat.clone(), run.job.id.clone()), (Some(chat()), id.clone()));
    let begin = || fixture.store.enter_run(run.run, Entrance::Begin(chat()), t(HOUR));
    assert_eq!(begin().await.unwrap(), Entered::Begun(run.session.clone()));
    assert_eq!(begin().await.unwrap(), Entered::Stale);
    assert_eq!(fixture.store.runs_to_enter(t(HOUR)).await.unwrap(), []);
    let fixture = fixture.restarted(2).await;
    let recovered = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!(recovered.sessions, std::slice::from_ref(&run.session), "its message waits");
    assert_eq!(fixture.store.runs_to_enter(t(HOUR)).await.unwrap(), []);
    let turn = claimed(&fixture, &run.session, HOUR).await;
    assert_eq!((turn.messages.len(), turn.messages[0].text.as_str()), (1, "do report"));
    assert_eq!(turn.messages[0].from.id, person("anna"));
    assert_eq!((turn.origin, turn.chat()), (frontdesk_core::agent::Origin::Job, &key("anna")));
    assert!(turn.works_in_background() && turn.job.unwrap().delivers);
}

#[tokio::test]
async fn a_run_that_overlaps_is_skipped_or_waits_as_its_job_says() {
    let fixture = Fixture::open().await;
    let skips = created(&fixture, job("skips")).await.job.id;
    due(&fixture, HOUR).await;
    let (_, session) = entered(&fixture, HOUR).await;
    let turn = claimed(&fixture, &session, HOUR).await;
    due(&fixture, 2 * HOUR).await;
    let overlap = Entered::Skipped(SkipReason::Overlap);
    assert!(matches!(enter(&fixture, 2 * HOUR).await.as_slice(), [(_, entered)] if *entered == overlap));
    fixture.finish(answered(&turn, "done")).await;
    let all = runs(&fixture, &skips).await;
    assert_eq!(all, [(RunState::Succeeded, HOUR), (RunState::Skipped, 2 * HOUR)]);
    fixture.store.pause_job(&skips, JobReach::All, admin(), t(2 * HOUR)).await.unwrap();

    let queues = created(&fixture, Job { overlap: OverlapRule::Queue, ..job("queues") }).await.job.id;
    let turn = begun(&fixture, 3 * HOUR).await;
    due(&fixture, 4 * HOUR).await;
    assert_eq!(enter(&fixture, 4 * HOUR).await, []);
    let waiting = fixture.store.runs(&queues, None, 1).await.unwrap()[0].id;
    let tried = fixture.store.enter_run(waiting, Entrance::Begin(chat()), t(4 * HOUR)).await.unwrap();
    assert_eq!(tried, Entered::Waits, "also if somebody tries");
    fixture.finish(answered(&turn, "done")).await;
    assert!(
        matches!(enter(&fixture, 4 * HOUR).await.as_slice(), [(run, Entered::Begun(_))] if *run == waiting)
    );
}

#[tokio::test]
async fn runs_that_make_up_for_missed_ones_do_not_skip_each_other() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, Job { missed: MissedRule::All, ..job("report") }).await.job.id;
    assert_eq!(due(&fixture, 3 * HOUR).await, 3);
    for _ in 0..3 {
        let (_, session) = entered(&fixture, 3 * HOUR).await;
        let turn = claimed(&fixture, &session, 3 * HOUR).await;
        fixture.finish(answered(&turn, "done")).await;
    }
    let all = runs(&fixture, &id).await;
    assert_eq!(all, [1, 2, 3].map(|hour| (RunState::Succeeded, hour * HOUR)));
}

#[tokio::test]
async fn each_run_begins_a_conversation_of_its_own_unless_they_share_one() {
    let fixture = Fixture::open().await;
    for (resume_context, epochs) in [(false, [1, 2, 3]), (true, [1, 1, 1])] {
        let name = if resume_context { "shared" } else { "fresh" };
        let id = created(&fixture, Job { resume_context, ..job(name) }).await.job.id;
        for (n, epoch) in (1..).zip(epochs) {
            let turn = begun(&fixture, n * HOUR).await;
            assert_eq!(turn.epoch, epoch, "{name}");
            fixture.finish(answered(&turn, "done")).await;
        }
        fixture.store.delete_job(&id, JobReach::All, admin(), t(3 * HOUR)).await.unwrap();
        created(&fixture, Job { resume_context, ..job(name) }).await;
        let turn = begun(&fixture, HOUR).await;
        assert_eq!(turn.epoch, epochs[2] + 1 + u64::from(!resume_context), "{name}: it is another job");
        fixture.finish(answered(&turn, "done")).await;
        fixture.store.delete_job(&id, JobReach::All, admin(), t(3 * HOUR)).await.unwrap();
    }
}

#[tokio::test]
async fn a_job_whose_owner_may_not_write_any_more_is_paused_and_admins_are_told_once() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    due(&fixture, HOUR).await;
    let run = fixture.store.runs_to_enter(t(HOUR)).await.unwrap().remove(0).run;
    let skipped = fixture.store.enter_run(run, Entrance::Revoked, t(HOUR)).await.unwrap();
    assert_eq!(skipped, Entered::Skipped(SkipReason::Revoked));
    let row = stored(&fixture, &id).await;
    assert_eq!((row.state, row.reason), (JobState::Paused, Some(PauseReason::Revoked)));
    assert_eq!(due(&fixture, 2 * HOUR).await, 0);
    let fixture = fixture.restarted(2).await;
    let alarm = JobAlarm { job: id.clone(), reason: PauseReason::Revoked };
    assert_eq!(fixture.store.job_alarms().await.unwrap(), [alarm]);
    for _ in 0..2 {
        let admins = vec![address("1"), address("2"), address("1")];
        fixture.store.job_alarm_told(&id, admins, t(HOUR)).await.unwrap();
    }
    let told = told(&fixture).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|text| text.contains("`report` is paused") && text.contains("lost access")));
    assert_eq!(fixture.store.job_alarms().await.unwrap(), []);
    let chats = fixture.store.parts(None, None, 9).await.unwrap();
    assert!(chats.iter().all(|row| row.address != address("anna")), "nobody without access is told");
}
