//! Background tasks: their results find the people who asked, whatever happens meanwhile.

use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::agent::Origin;
use frontdesk_core::id::TaskId;
use frontdesk_core::key::Scope;
use frontdesk_core::prompt;
use frontdesk_core::task::TaskState;
use frontdesk_store::row::{AccessChange, TaskFilter, TaskReach, TaskRow};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, User, World, operator, permission, plan};

const SECOND: Duration = Duration::from_secs(1);

/// All tasks, the oldest first.
pub async fn tasks(world: &World) -> Vec<TaskRow> {
    let filter = TaskFilter { reach: TaskReach::All, state: None, open: false, before: None };
    let mut tasks = world.store().tasks(filter, 1000).await.unwrap();
    tasks.reverse();
    tasks
}

async fn states(world: &World) -> Vec<TaskState> {
    tasks(world).await.iter().map(|task| task.state).collect()
}

/// Waits until the task is in this state.
pub async fn is(world: &World, id: i64, state: TaskState) -> TaskRow {
    until(&format!("task {id} is {state}"), || async {
        world.store().task(TaskId(id), TaskReach::All).await.unwrap().filter(|task| task.state == state)
    })
    .await
}

/// Waits until the chat shows a message with these words.
pub async fn sees(user: &User, words: &str) -> String {
    until(&format!("{words:?} is shown"), || async {
        user.sees().into_iter().find(|text| text.contains(words))
    })
    .await
}

#[tokio::test]
async fn the_result_of_a_task_comes_to_its_chat_while_that_is_busy() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Say("All **read**.")]);
    anna.says("/bg read the papers\nall of them").await;
    world.agent().begun(1).await;
    let turn = &world.agent().turns()[0];
    assert_eq!((turn.origin, turn.session.scope()), (Origin::Task, Scope::Task));
    assert_eq!(turn.session.as_str(), "agent:main:fake:task:1");
    assert_eq!(prompt::text(turn), "read the papers\nall of them");
    assert!(anna.sees()[0].starts_with("⏳ Background task: read the papers (b1)"), "{:?}", anna.sees());
    // The chat has another answer under way, and its conversation was reset.
    anna.says("/new").await;
    world.agent().will([Step::Hang]);
    anna.says("and you?").await;
    world.agent().begun(2).await;
    world.agent().resume();
    let result = sees(&anna, "✅ Background task completed: read the papers (b1)").await;
    assert!(result.ends_with("\n\nAll <b>read</b>."), "{result:?}");
    let task = is(&world, 1, TaskState::Succeeded).await;
    sees(&anna, "✅ read the papers (b1) is done.").await;
    assert_eq!((task.attempt, task.result.as_deref()), (1, Some("All **read**.")));
    assert!(world.history("anna").await.iter().all(|row| row.answer.as_deref() != Some("All **read**.")));
    anna.says("/stop").await;
}

#[tokio::test]
async fn the_conversation_that_asked_learns_the_result_with_its_next_turn() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("hello").await;
    world.at_rest().await;
    world.agent().will([Step::Say("42")]);
    anna.says("/background compute").await;
    is(&world, 1, TaskState::Succeeded).await;
    anna.says("well?").await;
    world.at_rest().await;
    let turn = world.agent().turns().pop().unwrap();
    let nearby = prompt::facts(&turn)["nearby"].clone();
    assert_eq!((nearby[0]["kind"].as_str(), nearby[0]["from"].is_null()), (Some("task"), true), "{nearby}");
    assert!(nearby[0]["text"].as_str().unwrap().contains("42"), "{nearby}");
}

#[tokio::test]
async fn a_task_that_has_not_acted_runs_again_after_a_crash_and_reports_once() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("half"), Step::Hang]);
    anna.says("/bg long work").await;
    world.agent().begun(1).await;
    world.crash().await;
    world.agent().will([Step::Say("done")]);
    world.start().await.unwrap();
    sees(&anna, "✅ Background task completed").await;
    world.at_rest().await;
    let results = anna.sees().into_iter().filter(|text| text.contains("completed")).count();
    assert_eq!(results, 1, "{:?}", anna.sees());
    let task = is(&world, 1, TaskState::Succeeded).await;
    assert_eq!((task.attempt, task.result.as_deref()), (2, Some("done")));
}

#[tokio::test]
async fn a_task_that_has_acted_is_lost_in_a_crash_and_says_so_once() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Say("I begin. "), Step::Tool("pay"), Step::Hang]);
    anna.says("/bg pay the bill").await;
    until("the tool has run", || async { (!world.agent().tools().is_empty()).then_some(()) }).await;
    world.crash().await;
    world.start().await.unwrap();
    let told = sees(&anna, "❌ Background task failed: pay the bill (b1)").await;
    assert!(told.contains("does not run again by itself"), "{told}");
    // Messages are short here, so what the agent had said comes in one of its own.
    sees(&anna, "I begin.").await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(anna.sees().iter().filter(|text| text.contains("failed:")).count(), 1);
    assert_eq!((states(&world).await, world.agent().turns().len()), (vec![TaskState::Lost], 1));
    world.agent().will([Step::Say("paid")]);
    anna.says("/tasks retry b1").await;
    let again = is(&world, 2, TaskState::Succeeded).await;
    assert_eq!(again.order.retry_of, Some(TaskId(1)));
    sees(&anna, "✅ Background task completed: pay the bill (b2)").await;
}

#[tokio::test]
async fn tasks_wait_for_a_place_by_person_by_chat_and_in_all() {
    let world = World::with(plan().with(|config| {
        config.tasks.max_running = 3;
        config.tasks.max_open_per_person = 4;
    }))
    .await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    for _ in 0..6 {
        world.agent().will([Step::Pause, Step::Echo]);
    }
    for n in 1..=4 {
        anna.says(&format!("/bg a{n}")).await;
    }
    anna.says("/bg a5").await;
    sees(&anna, "too many open background tasks").await;
    ben.says("/bg b1").await;
    ben.says("/bg b2").await;
    world.agent().begun(3).await;
    let running = |state| move |task: &&TaskRow| task.state == state;
    until("three run", || async {
        (tasks(&world).await.iter().filter(running(TaskState::Running)).count() == 3).then_some(())
    })
    .await;
    let all = tasks(&world).await;
    let of = |owner: &str| {
        all.iter().filter(|t| t.order.owner.id.id() == owner).filter(running(TaskState::Running)).count()
    };
    assert_eq!((of("anna"), of("ben")), (2, 1));
    until("all are done", || async {
        world.agent().resume();
        states(&world).await.iter().all(|state| *state == TaskState::Succeeded).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_and_admins_cancel_a_task() {
    let world = World::with(plan().with(|config| config.tasks.per_person = 1)).await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Say("so far"), Step::Hang]);
    anna.says("/bg one").await;
    world.agent().begun(1).await;
    anna.says("/bg two").await;
    ben.says("/cancel b1").await;
    sees(&ben, "You have no background task b1").await;
    assert_eq!(states(&world).await, [TaskState::Running, TaskState::Queued]);
    anna.says("/cancel 2").await;
    sees(&anna, "I have cancelled b2.").await;
    world.user("root").says("/cancel b1").await;
    is(&world, 1, TaskState::Cancelled).await;
    sees(&anna, "⏹ one (b1) was cancelled.").await;
    until("the agent was stopped", || async { (!world.agent().aborted().is_empty()).then_some(()) }).await;
    anna.says("/cancel b1").await;
    sees(&anna, "b1 has already ended").await;
    assert!(!anna.sees().iter().any(|text| text.contains("completed") || text.contains("failed")));
    anna.says("/tasks").await;
    let list = sees(&anna, "b2, ").await;
    assert!(list.contains("b1, ") && list.contains("one was cancelled"), "{list}");
}

#[tokio::test]
async fn a_task_has_its_own_time_limit_and_asks_its_owner_in_the_chat() {
    let world = World::with(plan().buttons().with(|config| {
        config.tasks.time_limit_minutes = 60;
        config.turns.hard_limit_seconds = 60;
        config.turns.progress_timeout_seconds = 30;
    }))
    .await;
    let anna = world.user("anna");
    world.agent().will([Step::Ask(permission("May I?")), Step::Say("asked"), Step::Hang]);
    anna.says("/bg long").await;
    let question = sees(&anna, "May I?").await;
    assert_eq!(states(&world).await, [TaskState::Waiting], "{question}");
    anna.says("/answer 1 1").await;
    world.agent().told(1).await;
    world.clock().pass(Duration::from_secs(30 * 60));
    world.round_trip().await;
    assert_eq!(states(&world).await, [TaskState::Running]);
    world.clock().pass(Duration::from_secs(31 * 60));
    let told = sees(&anna, "❌ Background task failed").await;
    assert!(told.contains("longer than 60 minutes") && told.contains("asked"), "{told}");
    is(&world, 1, TaskState::TimedOut).await;
}

#[tokio::test]
async fn progress_is_shown_in_one_message_at_most_every_few_seconds() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([
        Step::Step(10, "reading"),
        Step::Pause,
        Step::Step(60, "writing"),
        Step::Pause,
        Step::Say("ok"),
    ]);
    anna.says("/bg papers").await;
    sees(&anna, "█░░░░░░░░░ 10 % · reading").await;
    world.agent().resume();
    // The second report comes at once, and is shown when five seconds have passed since the first.
    for _ in 0..4 {
        world.round_trip().await;
        assert_eq!(tasks(&world).await[0].progress.percent, Some(10));
        world.clock().pass(SECOND);
    }
    until("it is stored", || async {
        world.clock().pass(SECOND);
        (tasks(&world).await[0].progress.percent == Some(60)).then_some(())
    })
    .await;
    sees(&anna, "██████░░░░ 60 % · writing").await;
    assert_eq!(anna.sees().len(), 1, "{:?}", anna.sees());
    world.agent().resume();
    sees(&anna, "completed").await;
    sees(&anna, "✅ papers (b1) is done.").await;
    assert_eq!(anna.sees().len(), 2, "{:?}", anna.sees());
    assert_eq!(tasks(&world).await[0].progress.percent, Some(100));
}

#[tokio::test]
async fn an_answer_under_way_moves_to_the_background_unless_it_has_acted() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/bg").await;
    sees(&anna, "No answer is under way").await;
    world.agent().will([Step::Hang]);
    anna.says("a long question").await;
    world.agent().begun(1).await;
    world.agent().will([Step::Say("the answer")]);
    anna.says("/bg").await;
    sees(&anna, "✅ Background task completed: a long question (b1)").await;
    assert_eq!(world.agent().prompts()[1], "a long question");
    world.agent().will([Step::Tool("act"), Step::Hang]);
    anna.says("do it").await;
    until("it has acted", || async { (!world.agent().tools().is_empty()).then_some(()) }).await;
    anna.says("/bg").await;
    sees(&anna, "already begun to act").await;
    assert_eq!(tasks(&world).await.len(), 1);
    anna.says("/stop").await;
}

#[tokio::test]
async fn a_task_of_somebody_who_lost_access_does_not_run() {
    let world = World::with(plan().with(|config| config.tasks.max_running = 1)).await;
    let (anna, eve) = (world.user("anna"), world.user("eve"));
    world.agent().will([Step::Hang]);
    eve.says("/bg first").await;
    world.agent().begun(1).await;
    eve.says("/bg second").await;
    anna.says("/bg third").await;
    until("all wait", || async { (tasks(&world).await.len() == 3).then_some(()) }).await;
    let eve = Principal::new("fake", None, "eve").unwrap();
    let revoke = AccessChange::Revoke { principal: eve, scope: None, also: Vec::new(), private: None };
    world.handle().change_access(revoke, operator()).await.unwrap();
    sees(&anna, "✅ Background task completed: third (b3)").await;
    assert_eq!(states(&world).await, [TaskState::Cancelled, TaskState::Cancelled, TaskState::Succeeded]);
    assert_eq!(world.agent().prompts(), ["first", "third"]);
}

#[tokio::test]
async fn a_long_result_is_a_file_below_its_beginning() {
    let world = World::with(plan().files_up_to(Some(10_000_000))).await;
    let anna = world.user("anna");
    const LINE: &str = "A line of the very long report that nobody reads to its end.\n\n";
    let whole: &'static str = Box::leak(LINE.repeat(900).into_boxed_str());
    world.agent().will([Step::Say(whole)]);
    anna.says("/bg report").await;
    sees(&anna, "✅ Background task completed").await;
    let told = until("the beginning is shown", || async {
        let shown = anna.sees().join("\n\n");
        shown.contains("(The whole result is in the file.)").then_some(shown)
    })
    .await;
    assert!(told.contains(LINE.trim_end()) && told.len() < 4000, "its beginning is shown: {told}");
    world.at_rest().await;
    assert!(anna.sees().len() <= 5, "{}", anna.sees().len());
    let task = is(&world, 1, TaskState::Succeeded).await;
    assert_eq!(task.result.as_deref().map(str::trim_end), Some(whole.trim_end()));
    let file = world.outbox().await.into_iter().find_map(|row| row.media).unwrap();
    let kept = std::fs::read_to_string(world.media().join(&file.file)).unwrap();
    assert_eq!((file.name.as_str(), kept.trim_end()), ("b1.md", whole.trim_end()));
}

#[tokio::test]
async fn in_a_group_the_result_comes_to_the_thread_that_asked() {
    let world = World::new().await;
    world.agent().will([Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "/bg work").in_topic("-1", "7")).await;
    is(&world, 1, TaskState::Succeeded).await;
    world.at_rest().await;
    let task = tasks(&world).await.remove(0);
    assert_eq!(task.order.address.as_str(), "fake:-1:topic:7");
    assert!(
        world
            .outbox()
            .await
            .iter()
            .any(|row| row.address == task.order.address && row.post.part.body.contains("completed"))
    );
}

#[tokio::test]
async fn a_result_is_sent_however_late_that_is() {
    let world = World::with(plan().with(|config| config.delivery.ttl_hours = 1)).await;
    let anna = world.user("anna");
    world.platform().set_offline(true);
    world.agent().will([Step::Say("late")]);
    anna.says("/bg work").await;
    is(&world, 1, TaskState::Succeeded).await;
    world.clock().pass(Duration::from_secs(3 * 3600));
    until("the reply to the command is too old", || async {
        world.clock().pass(Duration::from_secs(60));
        world.outbox().await.iter().any(|row| row.error.as_deref() == Some("expired")).then_some(())
    })
    .await;
    world.platform().set_offline(false);
    world.clock().pass(Duration::from_secs(600));
    sees(&anna, "✅ Background task completed: work (b1)").await;
}

#[tokio::test]
async fn a_task_of_an_account_that_is_gone_takes_no_place_and_goes_on_when_it_is_back() {
    let mut world = World::with(plan().with(|config| config.tasks.max_running = 1)).await;
    let work = world.platform().another_account("work");
    world.reload().account(&work).apply(&mut world).await.unwrap();
    let (anna, bea) = (world.user("anna"), world.user_of(&work, "bea"));
    world.agent().will([Step::Pause, Step::Die]);
    bea.says("/bg first").await;
    world.agent().begun(1).await;
    anna.says("/bg second").await;
    world.reload().without(work.account()).apply(&mut world).await.unwrap();
    world.agent().resume();
    sees(&anna, "✅ Background task completed: second (b2)").await;
    assert_eq!(states(&world).await, [TaskState::Queued, TaskState::Succeeded]);
    world.reload().account(&work).apply(&mut world).await.unwrap();
    sees(&bea, "✅ Background task completed: first (b1)").await;
}
