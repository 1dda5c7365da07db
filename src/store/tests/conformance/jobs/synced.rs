//! The jobs of the configuration file.

use super::*;

fn config(job: Job) -> ConfigJob {
    ConfigJob {
        digest: format!("{job:?}"),
        job,
        place: place(),
        owner: Sender::new(person("7"), SenderKind::Person),
        enabled: true,
    }
}

async fn sync(fixture: &Fixture, jobs: &[ConfigJob], at: i64) -> JobsSynced {
    fixture.store.sync_jobs(jobs.to_vec(), t(at)).await.unwrap()
}

#[tokio::test]
async fn a_file_is_taken_over_and_what_has_not_changed_stays_as_it_is() {
    let fixture = Fixture::open().await;
    let ids = |ids: &[&str]| -> Vec<JobId> { ids.iter().map(|id| id.parse().unwrap()).collect() };
    let [a, b] = [config(job("a")), config(job("b"))];
    let synced = sync(&fixture, &[a.clone(), b.clone()], 0).await;
    assert_eq!(synced, JobsSynced { added: ids(&["a", "b"]), ..JobsSynced::default() });
    let id = a.job.id.clone();
    fixture.store.pause_job(&id, JobReach::All, admin(), t(5)).await.unwrap();
    let fixture = fixture.restarted(2).await;
    assert_eq!(sync(&fixture, &[a.clone(), b.clone()], 10).await, JobsSynced::default());
    assert_eq!(stored(&fixture, &id).await.state, JobState::Paused, "somebody has paused it");
    assert_eq!(stored(&fixture, &b.job.id).await.next, Some(t(HOUR)), "it counts from when it was new");
    let often = Job { timing: timing(ScheduleKind::Every, "10m"), ..job("b") };
    let text = Job { task: "else".into(), ..job("a") };
    let synced = sync(&fixture, &[config(text), config(often)], 60).await;
    assert_eq!(synced, JobsSynced { changed: ids(&["a", "b"]), ..JobsSynced::default() });
    let changed = stored(&fixture, &id).await;
    assert_eq!((changed.job.task.as_str(), changed.state), ("else", JobState::Paused));
    assert_eq!(stored(&fixture, &b.job.id).await.next, Some(t(660)));
    let synced = sync(&fixture, &[a], 70).await;
    assert_eq!((synced.changed, synced.removed), (ids(&["a"]), ids(&["b"])));
    assert_eq!(fixture.store.job(&b.job.id, JobReach::All).await.unwrap(), None);
}

#[tokio::test]
async fn times_that_passed_while_a_changed_file_was_not_read_are_seen() {
    let fixture = Fixture::open().await;
    sync(&fixture, &[config(job("a"))], 0).await;
    let text = Job { task: "else".into(), ..job("a") };
    sync(&fixture, &[config(text)], 3 * HOUR + 1).await;
    assert_eq!(due(&fixture, 3 * HOUR + 1).await, 1);
    let id = "a".parse().unwrap();
    assert_eq!(runs(&fixture, &id).await, [(RunState::Missed, 2 * HOUR), (RunState::Due, 3 * HOUR)]);
}

#[tokio::test]
async fn a_job_of_the_file_can_be_off_and_is_changed_only_there() {
    let fixture = Fixture::open().await;
    let on = config(job("a"));
    let off = ConfigJob { enabled: false, digest: "off".into(), ..on.clone() };
    sync(&fixture, std::slice::from_ref(&off), 0).await;
    let id = &on.job.id;
    let is = |row: JobRow| (row.state, row.reason);
    assert_eq!(is(stored(&fixture, id).await), (JobState::Paused, Some(PauseReason::File)));
    assert_eq!(due(&fixture, 9 * HOUR).await, 0);
    sync(&fixture, std::slice::from_ref(&on), 9 * HOUR).await;
    let row = stored(&fixture, id).await;
    assert_eq!((row.state, row.next), (JobState::Active, Some(t(10 * HOUR))));
    sync(&fixture, &[off], 9 * HOUR).await;
    assert_eq!(is(stored(&fixture, id).await), (JobState::Paused, Some(PauseReason::File)));
    let store = &fixture.store;
    let patched = store.patch_job(id, JobReach::All, JobPatch::default(), admin(), t(1));
    assert_eq!(patched.await.unwrap(), JobFound::Config);
    assert_eq!(store.delete_job(id, JobReach::All, admin(), t(1)).await.unwrap(), JobFound::Config);
}

#[tokio::test]
async fn a_job_that_was_made_at_run_time_keeps_its_id_and_an_old_time_is_no_error() {
    let fixture = Fixture::open().await;
    let made = created(&fixture, job("a")).await;
    let over = Job { timing: timing(ScheduleKind::At, "2020-01-01T00:00:00Z"), ..job("old") };
    let synced = sync(&fixture, &[config(Job { task: "else".into(), ..job("a") }), config(over)], 5).await;
    let id = |id: &str| -> JobId { id.parse().unwrap() };
    assert_eq!((synced.clashes, synced.over), (vec![id("a")], vec![id("old")]));
    assert_eq!(stored(&fixture, &id("a")).await, made);
    assert_eq!(stored(&fixture, &id("old")).await.state, JobState::Done);
    assert_eq!(due(&fixture, HOUR).await, 1);
}
