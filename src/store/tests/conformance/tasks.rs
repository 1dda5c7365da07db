//! Background tasks: their states change with the turns that work on them, and their ends reach their chats once.

use std::collections::BTreeSet;
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::delivery::{Ending, PostKind};
use frontdesk_core::id::TaskId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_core::notice::Failure;
use frontdesk_core::progress::Progress;
use frontdesk_core::task::{TaskSource, TaskState};
use frontdesk_store::row::*;

use crate::asks::{answering, new_ask};
use crate::fixture::*;

const PLACES: TaskPlaces = TaskPlaces { total: 2, per_person: 2, per_chat: 2 };

pub fn task(who: &str, text: &str) -> NewTask {
    let message = says(who, "unused", "unused");
    NewTask {
        agent: "main".into(),
        account: key(who).account().clone(),
        order: TaskOrder {
            owner: Sender::new(person(who), SenderKind::Person),
            origin: Some(key(who)),
            address: message.event.address.clone(),
            delivers: true,
            reply_to: None,
            source: TaskSource::Chat,
            title: text.into(),
            text: text.into(),
            attachments: Vec::new(),
            limit: Duration::from_secs(60),
            retry_of: None,
        },
        request: Some(format!("request {text}")),
        open: OpenTasks { total: 100, per_person: 3 },
        budgets: Vec::new(),
    }
}

pub async fn submitted(fixture: &Fixture, new: NewTask) -> TaskId {
    match fixture.store.submit_task(new, t(10)).await.unwrap() {
        TaskSubmitted::Stored(task) => task,
        other => panic!("{other:?}"),
    }
}

pub async fn placed(fixture: &Fixture, who: &str) -> Vec<SessionKey> {
    let accounts: BTreeSet<AccountId> = [key(who).account().clone()].into();
    fixture.store.place_tasks(PLACES, accounts, t(11)).await.unwrap()
}

pub async fn claimed(fixture: &Fixture, session: &SessionKey) -> ClaimedTurn {
    let take = Take::InMode(frontdesk_core::queue_mode::QueueMode::Followup);
    fixture.store.claim_turn(session, take, t(12)).await.unwrap().unwrap()
}

async fn state(fixture: &Fixture, task: TaskId) -> TaskState {
    fixture.store.task(task, TaskReach::All).await.unwrap().unwrap().state
}

/// The texts of the results that were stored.
async fn results(fixture: &Fixture) -> Vec<String> {
    let rows = fixture.store.parts(None, None, 100).await.unwrap();
    let results = rows.into_iter().filter(|row| row.post.kind == PostKind::Result);
    results.map(|row| row.post.part.plain).collect()
}

#[tokio::test]
async fn a_request_makes_one_task_and_a_person_has_a_limited_number_of_open_ones() {
    let fixture = Fixture::open().await;
    let first = submitted(&fixture, task("anna", "a")).await;
    assert_eq!(
        fixture.store.submit_task(task("anna", "a"), t(11)).await.unwrap(),
        TaskSubmitted::Known(first)
    );
    submitted(&fixture, task("anna", "b")).await;
    submitted(&fixture, task("anna", "c")).await;
    assert_eq!(fixture.store.submit_task(task("anna", "d"), t(11)).await.unwrap(), TaskSubmitted::PersonFull);
    let full = NewTask { open: OpenTasks { total: 3, per_person: 9 }, ..task("bob", "e") };
    assert_eq!(fixture.store.submit_task(full, t(11)).await.unwrap(), TaskSubmitted::Full);
    assert_eq!(placed(&fixture, "anna").await.len(), 2);
    assert_eq!(placed(&fixture, "anna").await, [], "both places are taken");
}

#[tokio::test]
async fn a_task_follows_its_turn_over_deaths_and_a_late_end_changes_nothing() {
    let fixture = Fixture::open().await;
    let id = submitted(&fixture, task("anna", "work")).await;
    let session = placed(&fixture, "anna").await.remove(0);
    assert_eq!(state(&fixture, id).await, TaskState::Queued);
    let turn = claimed(&fixture, &session).await;
    assert_eq!(turn.task.as_ref().map(|task| task.id), Some(id));
    assert_eq!(turn.chat(), &key("anna"));
    assert_eq!(state(&fixture, id).await, TaskState::Running);
    let fixture = fixture.restarted(2).await;
    let found = fixture.store.recover(recovery()).await.unwrap();
    assert_eq!((found.resumed, &found.sessions), (1, &vec![session.clone()]));
    assert_eq!(state(&fixture, id).await, TaskState::Queued, "nobody works on it");
    assert_eq!(placed(&fixture, "anna").await, [], "it has its place");
    let again = claimed(&fixture, &session).await;
    assert_eq!(fixture.store.finish(answered(&turn, "late")).await.unwrap(), Fenced::Stale);
    done(fixture.store.requeue(again.claim, None, t(1)).await.unwrap());
    assert_eq!(state(&fixture, id).await, TaskState::Queued);
    let last = claimed(&fixture, &session).await;
    done(fixture.store.finish(answered(&last, "in time")).await.unwrap());
    let row = fixture.store.task(id, TaskReach::All).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempt, row.result.as_deref()), (TaskState::Succeeded, 3, Some("in time")));
    let [result] = results(&fixture).await.try_into().unwrap();
    assert!(result.contains("completed") && result.contains("in time"), "{result}");
    assert_eq!(fixture.store.finish(answered(&again, "late")).await.unwrap(), Fenced::Stale);
    assert_eq!(results(&fixture).await.len(), 1);
}

#[tokio::test]
async fn a_task_whose_turn_died_too_often_or_is_marked_dead_has_failed_and_says_so_once() {
    let fixture = Fixture::open().await;
    let killed = submitted(&fixture, task("anna", "killed")).await;
    let marked = submitted(&fixture, task("bob", "marked")).await;
    let sessions = placed(&fixture, "anna").await;
    claimed(&fixture, &sessions[0]).await;
    let turn = claimed(&fixture, &sessions[1]).await;
    done(fixture.store.mark_turn_dead(turn.claim, t(13)).await.unwrap());
    let fixture = fixture.restarted(2).await;
    fixture.store.recover(recovery()).await.unwrap();
    claimed(&fixture, &sessions[0]).await;
    let fixture = fixture.restarted(3).await;
    assert_eq!(fixture.store.recover(recovery()).await.unwrap().dead, 1);
    for task in [killed, marked] {
        assert_eq!(state(&fixture, task).await, TaskState::Failed, "{task}");
    }
    let failed = results(&fixture).await;
    assert_eq!(failed.iter().filter(|text| text.contains("failed")).count(), 2, "{failed:?}");
}

#[tokio::test]
async fn a_task_is_cancelled_in_every_state_and_only_within_reach() {
    let fixture = Fixture::open().await;
    let mut ids = Vec::new();
    for text in ["runs", "waits", "queued"] {
        ids.push(submitted(&fixture, task("anna", text)).await);
    }
    let sessions = placed(&fixture, "anna").await;
    let turn = claimed(&fixture, &sessions[0]).await;
    let by = |reach, id| fixture.store.cancel_task(id, reach, admin(), t(14));
    let bob = TaskReach::Own(task("bob", "x").order.owner.id);
    assert_eq!(by(bob, ids[0]).await.unwrap(), TaskFound::Unknown);
    for (n, id) in ids.iter().enumerate() {
        let TaskFound::Done(cancelled) = by(TaskReach::All, *id).await.unwrap() else { panic!("{id}") };
        let counts = (cancelled.stopped.running.len(), cancelled.stopped.waiting.len());
        assert_eq!(counts, [(1, 0), (0, 1), (0, 0)][n], "{id}");
        assert_eq!(state(&fixture, *id).await, TaskState::Cancelled);
        assert_eq!(by(TaskReach::All, *id).await.unwrap(), TaskFound::NotNow(TaskState::Cancelled));
    }
    let late = Finish { ending: Ending::Answered, ..answered(&turn, "late") };
    assert_eq!(fixture.store.finish(late).await.unwrap(), Fenced::Stale);
    assert_eq!((results(&fixture).await, fixture.store.open_tasks().await.unwrap()), (Vec::new(), 0));
    assert_eq!(fixture.store.waiting(), 0, "nothing waits any more");
}

#[tokio::test]
async fn what_a_session_has_handed_over_is_erased_with_it() {
    let fixture = Fixture::open().await;
    fixture.accept_one(1, says("anna", "1", "hello")).await;
    let ended = submitted(&fixture, task("anna", "secret work")).await;
    let session = placed(&fixture, "anna").await.remove(0);
    let turn = claimed(&fixture, &session).await;
    done(fixture.store.finish(answered(&turn, "secret result")).await.unwrap());
    let open = submitted(&fixture, task("anna", "secret too")).await;
    let session = placed(&fixture, "anna").await.remove(0);
    let runs = claimed(&fixture, &session).await;
    let stopped = fixture.store.erase(&key("anna"), &admin(), t(20)).await.unwrap().unwrap();
    assert!(stopped.running.contains(&runs.claim.id));
    for task in [ended, open] {
        let row = fixture.store.task(task, TaskReach::All).await.unwrap().unwrap();
        assert_eq!((row.order.title.as_str(), row.order.text.as_str(), row.result), ("", "", None), "{task}");
        let again = fixture.store.retry_task(
            task,
            TaskReach::All,
            (None, None),
            OpenTasks { total: 9, per_person: 9 },
            t(21),
        );
        assert_eq!(again.await.unwrap(), TaskFound::Unknown, "nothing is known of it");
    }
    assert_eq!(state(&fixture, open).await, TaskState::Cancelled);
    assert!(results(&fixture).await.iter().all(|text| !text.contains("secret")));
}

#[tokio::test]
async fn readers_that_fetch_what_was_sent_see_every_state_of_a_task() {
    const WHO: &str = "web:main";
    let fixture = Fixture::open().await;
    let talk = fixture.turn(WHO, "hi").await;
    done(fixture.store.finish(answered(&talk, "hello")).await.unwrap());
    let id = submitted(&fixture, task(WHO, "work")).await;
    let session = placed(&fixture, WHO).await.remove(0);
    let turn = claimed(&fixture, &session).await;
    done(fixture.store.requeue(turn.claim, None, t(12)).await.unwrap());
    let turn = claimed(&fixture, &session).await;
    let opened = done(fixture.store.ask_opened(turn.claim, new_ask(0, "May I?"), t(13)).await.unwrap());
    let AskOpened::Open(ask) = opened else { panic!("{opened:?}") };
    let answer = Answering { place: Some(key(WHO)), ..answering(ask, "anna", 1) };
    fixture.store.ask_answered(answer, t(14)).await.unwrap().unwrap();
    let progress = Progress { percent: Some(5), line: None };
    let shown = fixture.store.task_progress(turn.claim, progress, "5 %".into(), t(14)).await.unwrap();
    assert_eq!(shown, Fenced::Done(None), "its readers are shown that without a message");
    let failed = Finish { error: Some(Reason::Failed(Failure::Agent)), ..bare(&turn, Ending::Dead) };
    done(fixture.store.finish(failed).await.unwrap());
    let frames = fixture.store.frames(&key(WHO), 0, 100).await.unwrap();
    assert!(frames.iter().map(|frame| frame.post.seq).is_sorted());
    let changes: Vec<_> = frames.iter().filter_map(|frame| frame.post.task.as_ref()).collect();
    let states: Vec<_> = changes.iter().map(|change| (change.state.name(), change.attempt)).collect();
    let expected = [
        ("queued", 0),
        ("running", 1),
        ("queued", 1),
        ("running", 2),
        ("waiting", 2),
        ("running", 2),
        ("failed", 2),
    ];
    assert_eq!(states, expected);
    assert!(changes.iter().all(|change| change.task == id));
    let problem = changes.last().unwrap().problem.clone().unwrap();
    assert_eq!(
        (problem.code.as_str(), problem.message.as_str()),
        ("agent_failed", "The agent could not do it.")
    );
    // A platform that is sent messages gets none of them.
    submitted(&fixture, task("anna", "other")).await;
    assert!(
        fixture
            .store
            .parts(None, None, 100)
            .await
            .unwrap()
            .iter()
            .all(|row| { row.post.task.is_none() || row.address == address(WHO) })
    );
}
