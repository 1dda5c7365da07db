//! Background tasks that programs hand over, for the API and the command line.

use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::id::TaskId;
use frontdesk_core::prompt;
use frontdesk_core::task::{TaskSource, TaskState};
use frontdesk_runtime::{GatewayError, TaskError, TaskPlace, TaskRequest};
use frontdesk_store::row::{TaskReach, TaskRow};
use frontdesk_world::{Step, World, operator, plan};

use crate::tasks::{is, sees, tasks};

fn person(name: &str) -> Principal {
    Principal::new("fake", None, name).unwrap()
}

fn own(name: &str) -> TaskReach {
    TaskReach::Own(person(name))
}

/// Anna's request for a task.
fn request(text: &str, place: TaskPlace) -> TaskRequest {
    TaskRequest {
        files: Vec::new(),
        owner: person("anna"),
        operator: false,
        source: TaskSource::Api,
        key: None,
        text: text.to_owned(),
        title: None,
        agent: None,
        place,
        limit: None,
    }
}

fn chat(address: &str) -> TaskPlace {
    TaskPlace::Chat(address.parse().unwrap())
}

async fn submits(world: &World, request: TaskRequest) -> Result<TaskRow, GatewayError> {
    world.handle().submit_task(request).await
}

/// Why a request about a task is refused.
fn refusal(result: Result<TaskRow, GatewayError>) -> TaskError {
    match result {
        Err(GatewayError::Task(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_result_goes_to_the_chat_that_is_named_or_waits_to_be_fetched() {
    let world = World::new().await;
    let anna = world.user("anna");
    for answer in ["41", "42", "43"] {
        world.agent().will([Step::Say(answer)]);
    }
    let quiet = submits(&world, request(" first \nof all ", TaskPlace::Nowhere)).await.unwrap();
    assert_eq!((quiet.order.title.as_str(), quiet.order.text.as_str()), ("first", "first \nof all"));
    let quiet = is(&world, quiet.id.0, TaskState::Succeeded).await;
    assert_eq!((quiet.order.delivers, quiet.result.as_deref(), quiet.result_out), (false, Some("41"), None));
    world.at_rest().await;
    assert_eq!(anna.sees(), Vec::<String>::new());

    let titled = TaskRequest { title: Some("My title".to_owned()), ..request("second", chat("fake:anna")) };
    submits(&world, titled).await.unwrap();
    let told = sees(&anna, "✅ Background task completed: My title (b2)").await;
    assert!(told.ends_with("42"), "{told}");
    submits(&world, request("third", chat("fake:-1:topic:7"))).await.unwrap();
    is(&world, 3, TaskState::Succeeded).await;
    world.at_rest().await;
    let row = world.outbox().await.into_iter().find(|row| row.post.part.body.contains("(b3)")).unwrap();
    assert_eq!(row.address.as_str(), "fake:-1:topic:7");
}

#[tokio::test]
async fn a_session_that_is_named_learns_the_result() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    world.agent().will([Step::Say("42")]);
    let task = submits(&world, request("compute", TaskPlace::Session(world.key("anna")))).await.unwrap();
    assert_eq!(task.order.origin, Some(world.key("anna")));
    sees(&anna, "✅ Background task completed: compute (b1)").await;
    anna.says("well?").await;
    world.at_rest().await;
    let turn = world.agent().turns().pop().unwrap();
    let nearby = prompt::facts(&turn)["nearby"].clone();
    assert!(nearby[0]["text"].as_str().unwrap().contains("42"), "{nearby}");
}

#[tokio::test]
async fn a_result_goes_only_where_its_owner_may_write() {
    let world = World::new().await;
    let ben = world.user("ben");
    ben.says("hello").await;
    world.at_rest().await;
    for place in [
        chat("fake:ben"),
        chat("fake:-2"),
        TaskPlace::Session(world.key("ben")),
        TaskPlace::Session("agent:main:telegram:dm:5".parse().unwrap()),
    ] {
        let refused = submits(&world, request("for somebody else", place.clone())).await;
        assert_eq!(refusal(refused), TaskError::NotAllowed, "{place:?}");
    }
    assert_eq!(tasks(&world).await, []);
    let by_operator = TaskRequest { operator: true, ..request("greet", chat("fake:ben")) };
    world.agent().will([Step::Say("Good morning")]);
    submits(&world, by_operator).await.unwrap();
    assert!(sees(&ben, "greet (b1)").await.ends_with("Good morning"));
}

#[tokio::test]
async fn what_cannot_be_a_task_is_refused_with_what_to_write_instead() {
    let world = World::with(plan().with(|config| {
        config.tasks.time_limit_minutes = 10;
        config.queue.max_text = 100;
    }))
    .await;
    let nowhere = |text: &str| request(text, TaskPlace::Nowhere);
    let limit = |seconds| TaskRequest { limit: Some(Duration::from_secs(seconds)), ..nowhere("x") };
    let cases = [
        (nowhere(" \u{200b}"), "the text is empty"),
        (nowhere(&"x".repeat(101)), "more than 100 bytes"),
        (limit(0), "1 to 600 seconds"),
        (limit(601), "1 to 600 seconds"),
        (TaskRequest { operator: true, ..limit(604_801) }, "1 to 604800 seconds"),
        (TaskRequest { agent: Some("nobody".to_owned()), ..nowhere("x") }, "there are: main"),
        (request("x", chat("telegram:5")), "telegram"),
    ];
    for (request, expected) in cases {
        match submits(&world, request).await {
            Err(GatewayError::Invalid(why)) => assert!(why.contains(expected), "{expected}: {why}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    assert_eq!(tasks(&world).await, []);
    let longer = submits(&world, TaskRequest { operator: true, ..limit(601) }).await.unwrap();
    assert_eq!(longer.order.limit, Duration::from_secs(601));
}

#[tokio::test]
async fn a_repeated_request_is_one_task_also_after_a_restart() {
    let mut world = World::new().await;
    let keyed = |text: &str| TaskRequest { key: Some("k".to_owned()), ..request(text, TaskPlace::Nowhere) };
    let first = submits(&world, keyed("once")).await.unwrap();
    is(&world, 1, TaskState::Succeeded).await;
    let again = world.handle().retry_task(first.id, own("anna"), Some("r".to_owned())).await.unwrap();
    world.crash().await;
    world.start().await.unwrap();
    assert_eq!(submits(&world, keyed("once")).await.unwrap().id, first.id);
    assert_eq!(refusal(submits(&world, keyed("other")).await), TaskError::Conflict);
    let repeated = world.handle().retry_task(first.id, own("anna"), Some("r".to_owned())).await.unwrap();
    assert_eq!((again.order.retry_of, repeated.id), (Some(first.id), again.id));
    assert_eq!(tasks(&world).await.len(), 2);
}

#[tokio::test]
async fn only_the_owner_and_admins_reach_a_task() {
    let world = World::new().await;
    let handle = world.handle();
    assert_eq!(handle.task_reach(&person("anna")), own("anna"));
    assert_eq!(handle.task_reach(&person("root")), TaskReach::All);
    world.agent().will([Step::Hang]);
    let task = submits(&world, request("long", TaskPlace::Nowhere)).await.unwrap().id;
    world.agent().begun(1).await;
    for refused in [
        handle.task(task, own("ben")).await,
        handle.cancel_task(task, own("ben"), operator()).await,
        handle.retry_task(task, own("ben"), None).await,
        handle.task(TaskId(9), TaskReach::All).await,
    ] {
        assert!(matches!(refused, Err(GatewayError::NotFound(_))), "{refused:?}");
    }
    assert!(matches!(refusal(handle.retry_task(task, own("anna"), None).await), TaskError::Open(..)));
    for _ in 0..2 {
        let cancelled = handle.cancel_task(task, own("anna"), operator()).await.unwrap();
        assert_eq!(cancelled.state, TaskState::Cancelled);
    }
    frontdesk_world::wait::until("the agent was stopped", || async {
        (!world.agent().aborted().is_empty()).then_some(())
    })
    .await;
    let again = handle.retry_task(task, TaskReach::All, None).await.unwrap();
    assert_eq!((again.order.retry_of, again.order.owner.id.clone()), (Some(task), person("anna")));
    is(&world, again.id.0, TaskState::Succeeded).await;
    let late = handle.cancel_task(again.id, own("anna"), operator()).await;
    assert_eq!(refusal(late), TaskError::Ended(again.id, TaskState::Succeeded));
}

#[tokio::test]
async fn a_person_has_only_so_many_open_tasks() {
    let world = World::with(plan().with(|config| config.tasks.max_open_per_person = 1)).await;
    world.agent().will([Step::Hang]);
    submits(&world, request("one", TaskPlace::Nowhere)).await.unwrap();
    let second = submits(&world, request("two", TaskPlace::Nowhere)).await;
    assert_eq!(refusal(second), TaskError::PersonFull);
    world.handle().cancel_task(TaskId(1), own("anna"), operator()).await.unwrap();
    submits(&world, request("two", TaskPlace::Nowhere)).await.unwrap();
}
