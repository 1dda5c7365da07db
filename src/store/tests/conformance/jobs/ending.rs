//! Runs follow their turns, and their ends reach their chats once.

use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::{Ending, PostKind};
use frontdesk_core::notice::{Failure, Notice};

use super::*;

fn failed(turn: &ClaimedTurn, failure: Failure) -> Finish {
    Finish { error: Some(Reason::Failed(failure)), ..bare(turn, Ending::Dead) }
}

/// The run on which a turn works.
fn run_of(turn: &ClaimedTurn) -> RunId {
    turn.job.as_ref().expect("a run").run
}

async fn state(fixture: &Fixture, turn: &ClaimedTurn) -> RunState {
    run_row(fixture, run_of(turn)).await.state
}

#[tokio::test]
async fn a_run_follows_its_turn_over_deaths_and_a_late_end_changes_nothing() {
    let fixture = Fixture::open().await;
    created(&fixture, job("report")).await;
    let turn = begun(&fixture, HOUR).await;
    assert_eq!(state(&fixture, &turn).await, RunState::Running);
    let fixture = fixture.restarted(2).await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().resumed, 1);
    assert_eq!(state(&fixture, &turn).await, RunState::Due, "nobody works on it");
    assert_eq!(enter(&fixture, HOUR).await, [], "it has entered its session");
    let again = claimed(&fixture, &turn.session, HOUR).await;
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    done(fixture.store.requeue(again.claim, None, t(HOUR)).await.unwrap());
    assert_eq!(state(&fixture, &turn).await, RunState::Due);
    let third = claimed(&fixture, &turn.session, HOUR).await;
    done(fixture.store.release(third.claim, None, t(HOUR)).await.unwrap());
    assert_eq!(state(&fixture, &turn).await, RunState::Due);
    let fourth = claimed(&fixture, &turn.session, HOUR).await;
    done(fixture.store.not_begun(fourth.claim, t(HOUR)).await.unwrap());
    assert_eq!(state(&fixture, &turn).await, RunState::Due);
    let last = claimed(&fixture, &turn.session, HOUR).await;
    done(fixture.store.finish(answered(&last, "good morning")).await.unwrap());
    let row = run_row(&fixture, run_of(&turn)).await;
    assert_eq!(
        (row.state, row.attempt, row.result.as_deref()),
        (RunState::Succeeded, 4, Some("good morning"))
    );
    assert_eq!(fixture.store.finish(answered(&again, "late")).await.unwrap(), Fenced::Stale);
    let parts = fixture.store.parts(None, None, 9).await.unwrap();
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(part.post.part.plain, "good morning", "the answer as it is");
    assert_eq!((part.post.kind, &part.address), (PostKind::Result, &address("anna")));
    assert_eq!(part.post.about.session, Some(key("anna")));
    assert_eq!(row.result_out, Some((part.post.out, OutboxState::Queued)));
    fixture.store.expire_parts(t(99 * HOUR), t(99 * HOUR)).await.unwrap();
    let row = run_row(&fixture, run_of(&turn)).await;
    assert_eq!(row.result_out, Some((part.post.out, OutboxState::Queued)), "no result is too old");
    assert_eq!(fixture.store.waiting(), 0);
}

#[tokio::test]
async fn a_result_is_sent_as_it_is_shown_and_silence_sends_nothing() {
    let fixture = Fixture::open().await;
    created(&fixture, job("report")).await;
    let turn = begun(&fixture, HOUR).await;
    fixture.finish(answered(&turn, " ")).await;
    assert_eq!(state(&fixture, &turn).await, RunState::Succeeded);
    let turn = begun(&fixture, 2 * HOUR).await;
    let long = Finish { shown: Some("short".into()), ..answered(&turn, "short and long") };
    fixture.finish(long).await;
    assert_eq!(told(&fixture).await, ["short"]);
    assert_eq!(run_row(&fixture, run_of(&turn)).await.result.as_deref(), Some("short and long"));
    let delivery = Some((JobDelivery::Silent, place()));
    let patch = JobPatch { delivery, ..JobPatch::default() };
    let id = "report".parse().unwrap();
    fixture.store.patch_job(&id, JobReach::All, patch, admin(), t(2 * HOUR)).await.unwrap();
    let turn = begun(&fixture, 3 * HOUR).await;
    assert!(!turn.job.as_ref().unwrap().delivers);
    fixture.finish(answered(&turn, "secret")).await;
    assert_eq!(told(&fixture).await, ["short"]);
    let turn = begun(&fixture, 4 * HOUR).await;
    fixture.finish(failed(&turn, Failure::Agent)).await;
    let told = told(&fixture).await;
    assert!(told[1].contains("`report` failed"), "failures are told all the same: {told:?}");
}

#[tokio::test]
async fn the_first_failure_in_a_row_is_told_and_the_fifth_disables_the_job() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    for hour in 1..=2 {
        let turn = begun(&fixture, hour * HOUR).await;
        fixture.finish(failed(&turn, Failure::Crashed)).await;
    }
    let turn = begun(&fixture, 3 * HOUR).await;
    fixture.finish(answered(&turn, "fine")).await;
    assert_eq!(stored(&fixture, &id).await.failures, 0);
    for hour in 4..=8 {
        let turn = begun(&fixture, hour * HOUR).await;
        let said = Finish { end: AnswerEnd::ErrorReported, ..answered(&turn, "no money left") };
        fixture.finish(said).await;
        assert_eq!(state(&fixture, &turn).await, RunState::Failed);
    }
    let row = stored(&fixture, &id).await;
    assert_eq!((row.state, row.reason, row.failures), (JobState::Disabled, Some(PauseReason::Failures), 5));
    let told = told(&fixture).await;
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].contains("failed. The agent crashed"), "{told:?}");
    assert_eq!(told[1], "fine");
    assert!(told[2].contains("no money left") && !told[2].contains("disabled"), "{told:?}");
    assert!(told[3].contains("failed 5 times in a row") && told[3].contains("disabled"), "{told:?}");
    assert_eq!(due(&fixture, 9 * HOUR).await, 0);
    assert_eq!(fixture.store.job_alarms().await.unwrap()[0].reason, PauseReason::Failures);
    let resumed = fixture.store.resume_job(&id, JobReach::All, admin(), t(9 * HOUR)).await.unwrap();
    assert!(matches!(resumed, JobFound::Done(job) if job.failures == 0 && job.state == JobState::Active));
    assert_eq!(fixture.store.job_alarms().await.unwrap(), [], "somebody knows of it");
}

#[tokio::test]
async fn a_failed_run_is_tried_again_with_growing_pauses_and_only_the_end_is_told() {
    let fixture = Fixture::open().await;
    created(&fixture, Job { retries: 2, ..job("report") }).await;
    let first = begun(&fixture, HOUR).await;
    fixture.finish(failed(&first, Failure::Agent)).await;
    let row = run_row(&fixture, run_of(&first)).await;
    assert_eq!((row.state, row.tries, row.not_before), (RunState::Due, 1, t(150 + 30)));
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    assert_eq!(fixture.store.due_runs(t(151)).await.unwrap().next, Some(t(180)));
    let early = fixture.store.runs_to_enter(t(179)).await.unwrap();
    // The clock of these tests goes back at each end, which makes the run one of the future.
    assert_eq!(early.len(), 1);
    let second = begun(&fixture, HOUR + 60).await;
    assert_eq!((run_of(&second), second.epoch), (run_of(&first), 2));
    fixture.finish(failed(&second, Failure::Agent)).await;
    assert_eq!(run_row(&fixture, run_of(&first)).await.not_before, t(150 + 60));
    let third = begun(&fixture, HOUR + 120).await;
    assert_eq!(told(&fixture).await, Vec::<String>::new());
    fixture.finish(answered(&third, "at last")).await;
    assert_eq!(told(&fixture).await, ["at last"]);
    assert_eq!(stored(&fixture, &"report".parse().unwrap()).await.failures, 0);

    let turn = begun(&fixture, 2 * HOUR).await;
    done(fixture.store.side_effect(turn.claim, "so far".into(), t(140)).await.unwrap());
    fixture.finish(failed(&turn, Failure::Crashed)).await;
    let row = run_row(&fixture, run_of(&turn)).await;
    assert_eq!((row.state, row.tries), (RunState::Failed, 1), "what has acted is not repeated");
    let reason = RunReason::Failed(Reason::Failed(Failure::Crashed));
    assert_eq!(row.reason, Some(reason));
}

#[tokio::test]
async fn a_retry_waits_until_its_time_and_a_younger_run_does_not_overtake_it() {
    let fixture = Fixture::open().await;
    let timing = timing(ScheduleKind::Every, "1m");
    let queues = Job { retries: 1, timing: timing.clone(), overlap: OverlapRule::Queue, ..job("a") };
    created(&fixture, queues).await;
    let turn = begun(&fixture, 60).await;
    // It ends at 150, and is tried again at 180.
    fixture.finish(failed(&turn, Failure::Agent)).await;
    due(&fixture, 179).await;
    assert_eq!(enter(&fixture, 179).await, []);
    let (run, _) = entered(&fixture, 180).await;
    assert_eq!(run, run_of(&turn));

    let fixture = Fixture::open().await;
    created(&fixture, Job { retries: 1, timing, ..job("a") }).await;
    let turn = begun(&fixture, 60).await;
    fixture.finish(failed(&turn, Failure::Agent)).await;
    due(&fixture, 179).await;
    let skipped = enter(&fixture, 179).await;
    assert!(matches!(skipped.as_slice(), [(_, Entered::Skipped(SkipReason::Overlap))]), "{skipped:?}");
}

#[tokio::test]
async fn a_run_that_was_cut_off_after_it_had_acted_has_failed_and_says_what_was_done() {
    let fixture = Fixture::open().await;
    created(&fixture, Job { retries: 3, ..job("report") }).await;
    let turn = begun(&fixture, HOUR).await;
    done(fixture.store.side_effect(turn.claim, "sent two mails".into(), t(140)).await.unwrap());
    let fixture = fixture.restarted(2).await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().interrupted, 1);
    let row = run_row(&fixture, run_of(&turn)).await;
    assert_eq!((row.state, row.reason), (RunState::Failed, Some(RunReason::Failed(Reason::Interrupted))));
    let told = told(&fixture).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("cut off") && told[0].contains("sent two mails"), "{told:?}");
}

#[tokio::test]
async fn a_run_whose_turn_is_marked_dead_or_died_too_often_has_failed() {
    let fixture = Fixture::open().await;
    created(&fixture, job("report")).await;
    let turn = begun(&fixture, HOUR).await;
    done(fixture.store.mark_turn_dead(turn.claim, t(HOUR)).await.unwrap());
    assert_eq!(state(&fixture, &turn).await, RunState::Failed);
    let killed = begun(&fixture, 2 * HOUR).await;
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    claimed(&fixture, &killed.session, 2 * HOUR).await;
    let fixture = fixture.restarted(3).await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().dead, 1);
    assert_eq!(state(&fixture, &killed).await, RunState::Failed);
    assert_eq!(told(&fixture).await.len(), 1, "the first of a row");
    assert_eq!(stored(&fixture, &"report".parse().unwrap()).await.failures, 2);
}

#[tokio::test]
async fn a_job_that_was_to_run_once_and_has_failed_is_disabled_and_not_done() {
    let fixture = Fixture::open().await;
    let at = timing(ScheduleKind::At, "2027-01-15T09:00:00Z");
    let id = created(&fixture, Job { timing: at, retries: 1, ..job("once") }).await.job.id;
    let turn = begun(&fixture, HOUR).await;
    fixture.finish(failed(&turn, Failure::Agent)).await;
    assert_eq!(stored(&fixture, &id).await.state, JobState::Active, "it is tried again");
    let turn = begun(&fixture, HOUR + 60).await;
    fixture.finish(failed(&turn, Failure::Agent)).await;
    let row = stored(&fixture, &id).await;
    assert_eq!((row.state, row.reason), (JobState::Disabled, Some(PauseReason::Failures)));
    let told = told(&fixture).await;
    assert!(told[0].contains("was to run once"), "{told:?}");
    let again = fixture.store.run_job_now(&id, JobReach::All, admin(), t(2 * HOUR)).await.unwrap();
    assert!(matches!(again, JobFound::Done(_)));
}

#[tokio::test]
async fn a_stopped_run_is_skipped_whether_it_runs_or_waits_and_counts_as_no_failure() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    let turn = begun(&fixture, HOUR).await;
    let stopped = fixture.store.cancel(&turn.session, &admin(), t(HOUR)).await.unwrap();
    assert_eq!(stopped.running, [turn.claim.id]);
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    due(&fixture, 2 * HOUR).await;
    enter(&fixture, 2 * HOUR).await;
    let stopped = fixture.store.cancel(&turn.session, &admin(), t(2 * HOUR)).await.unwrap();
    assert_eq!(stopped.waiting.len(), 1);
    let all = runs(&fixture, &id).await;
    assert_eq!(all, [(RunState::Skipped, HOUR), (RunState::Skipped, 2 * HOUR)]);
    let reason = run_row(&fixture, run_of(&turn)).await.reason;
    assert_eq!(reason, Some(RunReason::Skipped(SkipReason::Stopped)));
    let row = stored(&fixture, &id).await;
    assert_eq!((row.state, row.failures), (JobState::Active, 0));
    assert_eq!((told(&fixture).await, fixture.store.waiting()), (Vec::new(), 0));
    assert!(matches!(begun(&fixture, 3 * HOUR).await.job, Some(job) if job.job == id));
}

#[tokio::test]
async fn the_failure_of_a_run_that_somebody_asked_for_is_always_told() {
    let fixture = Fixture::open().await;
    let id = created(&fixture, job("report")).await.job.id;
    for at in [1, 2] {
        fixture.store.run_job_now(&id, JobReach::All, admin(), t(at)).await.unwrap();
        let turn = begun(&fixture, at).await;
        let notice = Some(Notice::Failed(Failure::Agent));
        fixture.finish(Finish { notice, ..failed(&turn, Failure::Agent) }).await;
    }
    let told = told(&fixture).await;
    assert_eq!(told.len(), 2, "and no notice besides: {told:?}");
}
