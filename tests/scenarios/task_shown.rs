//! Where people see background tasks: in `/status`, by what their agents do, and after their agent was removed.

use frontdesk_core::id::TaskId;
use frontdesk_core::message::FileKind;
use frontdesk_core::task::TaskState;
use frontdesk_store::row::TaskReach;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World};

use crate::files::{files, photo};
use crate::tasks::{is, sees};

#[tokio::test]
async fn the_status_of_a_chat_names_its_open_tasks() {
    let world = World::new().await;
    let (anna, bea) = (world.user("anna"), world.user("bea"));
    world.agent().will([Step::Step(40, "reading"), Step::Hang]);
    anna.says("/bg long work").await;
    sees(&anna, "40 % · reading").await;
    anna.says("/status").await;
    let status = sees(&anna, "Background tasks of this chat:").await;
    assert!(status.contains("b1") && status.contains("long work") && status.contains("reading"), "{status}");
    bea.says("hello").await;
    bea.hears().await;
    bea.says("/status").await;
    assert!(!bea.hears().await.contains("Background"), "the tasks of others are theirs");
    anna.says("/cancel b1").await;
    is(&world, 1, TaskState::Cancelled).await;
    anna.says("/whoami").await;
    sees(&anna, "fake:anna").await;
    anna.says("/status").await;
    let second = until("the second status", || async {
        anna.sees().into_iter().filter(|text| text.contains("This is conversation")).nth(1)
    })
    .await;
    assert!(!second.contains("Background"), "{second}");
}

#[tokio::test]
async fn what_an_agent_does_is_one_line_in_the_message_of_its_task() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Tool("act"), Step::Pause, Step::Say("done")]);
    anna.says("/bg work").await;
    sees(&anna, "runs act").await;
    let task = world.store().task(TaskId(1), TaskReach::All).await.unwrap().unwrap();
    assert_eq!(task.progress.line.as_deref(), Some("runs act"));
    world.agent().resume();
    sees(&anna, "✅ Background task completed").await;
}

#[tokio::test]
async fn a_task_whose_agent_was_removed_runs_again_with_the_agent_of_its_chat() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Fail]);
    anna.says("/bg work").await;
    is(&world, 1, TaskState::Failed).await;
    world.at_rest().await;
    world.stop().await;
    world.rename_agent("other");
    world.start().await.unwrap();
    world.agent().will([Step::Say("done")]);
    anna.says("/tasks retry b1").await;
    sees(&anna, "✅ Background task completed: work (b2)").await;
    assert_eq!(is(&world, 2, TaskState::Succeeded).await.session.agent(), "other");
}

#[tokio::test]
async fn an_answer_that_moves_to_the_background_takes_its_files_along() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.platform().holds("cat", [photo("cat"), photo("cat")]);
    world.agent().will([Step::Hang]);
    world
        .platform()
        .outcome_of(message_from("anna", "what is this?").with_file("cat", FileKind::Photo))
        .await;
    world.agent().begun(1).await;
    world.agent().will([Step::Say("a cat")]);
    anna.says("/bg").await;
    is(&world, 1, TaskState::Succeeded).await;
    let [moved] = files(&world, 1, 0).try_into().unwrap();
    assert_eq!(std::fs::read(moved.got.unwrap()).unwrap(), b"bytes of cat");
}

#[tokio::test]
async fn a_call_of_the_gateways_own_tools_is_a_line_too() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::GatewayTool("cron", serde_json::json!({})), Step::Pause, Step::Say("done")]);
    anna.says("/bg work").await;
    sees(&anna, "runs cron").await;
    world.agent().resume();
    is(&world, 1, TaskState::Succeeded).await;
}

#[tokio::test]
async fn an_admin_sees_the_open_tasks_of_everybody_without_their_titles() {
    let world = World::new().await;
    let (anna, root) = (world.user("anna"), world.user("root"));
    root.says("/gateway tasks").await;
    sees(&root, "There are no background tasks under way.").await;
    world.agent().will([Step::Pause]);
    anna.says("/bg read the secret papers").await;
    world.agent().begun(1).await;
    root.says("/gateway tasks").await;
    let shown = sees(&root, "b1, ").await;
    assert!(shown.contains("of fake:anna: is running") && !shown.contains("secret"), "{shown}");
}
