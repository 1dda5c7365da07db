//! Background tasks of people who also write in groups: what they handed over in private stays there.

use frontdesk_core::task::TaskState;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World};

use crate::tasks::{is, sees};

/// The group that is allowed in every world.
const GROUP: &str = "-1";

/// Waits until the group shows a message with these words.
async fn group_sees(world: &World, words: &str) -> String {
    until(&format!("{words:?} is shown in the group"), || async {
        let shown = world.platform().chat(GROUP).into_iter().map(|message| message.text);
        shown.into_iter().find(|text| text.contains(words))
    })
    .await
}

#[tokio::test]
async fn the_tasks_of_a_private_chat_are_not_listed_in_a_group() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/bg look at my contract").await;
    is(&world, 1, TaskState::Succeeded).await;
    world.platform().outcome_of(message_from("anna", "/bg sum up the week").in_group(GROUP)).await;
    is(&world, 2, TaskState::Succeeded).await;
    world.platform().outcome_of(message_from("anna", "/tasks").in_group(GROUP)).await;
    let listed = group_sees(&world, "b2, ").await;
    assert!(listed.contains("sum up the week"), "{listed}");
    assert!(!listed.contains("b1") && !listed.contains("contract"), "the others read it: {listed}");
    // Nobody else reads the private chat.
    anna.says("/tasks").await;
    let all = sees(&anna, "b2, ").await;
    assert!(all.contains("b1, ") && all.contains("contract"), "{all}");
}

#[tokio::test]
async fn a_task_that_is_run_again_from_another_chat_shows_its_progress_in_its_own() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Fail]);
    anna.says("/bg look at my contract").await;
    is(&world, 1, TaskState::Failed).await;
    world.at_rest().await;
    world.agent().will([Step::Step(40, "reading"), Step::Pause, Step::Say("done")]);
    world.platform().outcome_of(message_from("anna", "/tasks retry b1").in_group(GROUP)).await;
    let reply = group_sees(&world, "b1 once more").await;
    sees(&anna, "40 % · reading").await;
    world.agent().resume();
    sees(&anna, "✅ Background task completed: look at my contract (b2)").await;
    sees(&anna, "✅ look at my contract (b2) is done.").await;
    world.at_rest().await;
    let group: Vec<String> = world.platform().chat(GROUP).into_iter().map(|message| message.text).collect();
    assert_eq!(group, [reply], "nothing of the task is shown in the group");
}
