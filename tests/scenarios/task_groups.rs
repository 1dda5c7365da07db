//! Background tasks of people who also write in groups: what they handed over in private stays there, and nobody takes
//! over what others asked for.

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::ask::AskError;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::message::Outcome;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::task::TaskState;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, permission, plan};

use crate::tasks::{is, sees, tasks};

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

/// A group that names mia as its moderator, in which the platform has buttons.
async fn moderated() -> World {
    let moderators = Members { people: ["mia".to_owned()].into(), ..Members::default() };
    let group = GroupAccess { moderators, ..GroupAccess::default() };
    World::with(plan().buttons().access(|access| drop(access.groups.insert(GROUP.to_owned(), group)))).await
}

async fn says(world: &World, who: &str, text: &str) -> Outcome {
    world.platform().outcome_of(message_from(who, text).in_group(GROUP)).await
}

#[tokio::test]
async fn an_answer_to_somebody_else_stays_where_it_is() {
    let world = moderated().await;
    world.agent().will([Step::Pause, Step::Say("the answer")]);
    says(&world, "bob", "a long question").await;
    world.agent().begun(1).await;
    says(&world, "mallory", "/bg").await;
    group_sees(&world, "Only the person who asked for this answer, a moderator or an admin can move it")
        .await;
    world.agent().resume();
    group_sees(&world, "the answer").await;
    assert!(tasks(&world).await.is_empty());
    assert!(world.agent().aborted().is_empty());
}

#[tokio::test]
async fn an_answer_that_a_moderator_or_its_author_moves_keeps_its_author() {
    for mover in ["mia", "root", "bob"] {
        let world = moderated().await;
        world.agent().will([Step::Hang]);
        says(&world, "bob", "clean up").await;
        world.agent().begun(1).await;
        world.agent().will([Step::Ask(permission("Delete it?")), Step::Say("done")]);
        says(&world, mover, "/bg").await;
        group_sees(&world, "Background task: the answer under way (b1)").await;
        let asked = world
            .platform()
            .shows(GROUP, 1, |post| post.kind == PostKind::Notice && !post.buttons.is_empty());
        let asked = asked.await.swap_remove(0);
        assert_eq!(tasks(&world).await[0].order.owner.id.to_string(), "fake:bob", "moved by {mover}");
        let press = async |who: &str| {
            let pressed = message_from(who, &asked.buttons[0]).pressed_under(&asked.id).in_group(GROUP);
            world.platform().outcome_of(pressed).await
        };
        for other in ["mia", "mallory"] {
            let refused = press(other).await;
            assert!(matches!(refused, Outcome::NotAnswered { error: AskError::NotYours, .. }), "{refused:?}");
        }
        assert!(matches!(press("bob").await, Outcome::Answered { .. }));
        is(&world, 1, TaskState::Succeeded).await;
        let [moved] = &world.agent().turns()[1].prompt[..] else { panic!("one message") };
        assert_eq!((moved.from.id.as_str(), moved.text.as_str()), ("fake:bob", "clean up"));
    }
}

#[tokio::test]
async fn an_answer_to_several_people_does_not_become_the_task_of_one() {
    let world =
        World::with(plan().collect(0).chat(GROUP, |chat| chat.queue_mode = Some(QueueMode::Collect))).await;
    world.agent().will([Step::Pause]);
    says(&world, "anna", "wait").await;
    world.agent().begun(1).await;
    for who in ["anna", "bob"] {
        says(&world, who, &format!("of {who}")).await;
    }
    world.agent().will([Step::Pause, Step::Say("for both")]);
    world.agent().resume();
    world.agent().begun(2).await;
    says(&world, "anna", "/bg").await;
    group_sees(&world, "Only the person who asked for this answer").await;
    says(&world, "root", "/bg").await;
    group_sees(&world, "Several people asked for this answer").await;
    world.agent().resume();
    group_sees(&world, "for both").await;
    assert!(tasks(&world).await.is_empty());
}

#[tokio::test]
async fn an_answer_that_is_given_again_moves_with_the_message_that_it_is_about() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("sum it up").await;
    sees(&anna, "sum it up").await;
    world.at_rest().await;
    world.agent().will([Step::Hang]);
    anna.says("/retry").await;
    world.agent().begun(2).await;
    anna.says("/bg").await;
    sees(&anna, "✅ Background task completed: sum it up (b1)").await;
    assert_eq!(world.agent().prompts()[2], "sum it up");
}
