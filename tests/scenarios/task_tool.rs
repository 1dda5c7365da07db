//! Background tasks that agents hand over.

use frontdesk_core::task::{TaskSource, TaskState};
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World};
use serde_json::{Value, json};

use crate::tasks::{is, sees, tasks};

fn call(params: Value) -> Step {
    Step::GatewayTool("gateway_background_tasks", params)
}

fn submit(text: &str) -> Step {
    call(json!({"action": "submit", "text": text}))
}

/// The results of all calls, errors included.
fn results(world: &World) -> Vec<String> {
    let text = |result: Result<String, String>| result.unwrap_or_else(|why| format!("error: {why}"));
    world.agent().results().into_iter().map(text).collect()
}

#[tokio::test]
async fn an_agent_hands_over_a_task_in_the_name_of_its_person() {
    let world = World::new().await;
    let anna = world.user("anna");
    let titled = json!({"action": "submit", "text": " compute\nit ", "title": "The sum"});
    world.agent().will([call(titled), Step::Say("I am on it.")]);
    world.agent().will([Step::Say("42")]);
    anna.says("go").await;
    let told = sees(&anna, "✅ Background task completed: The sum (b1)").await;
    assert!(told.ends_with("42"), "{told}");
    let task = is(&world, 1, TaskState::Succeeded).await;
    assert_eq!(
        (task.order.owner.id.id(), task.order.source, task.order.text.as_str()),
        ("anna", TaskSource::Agent, "compute\nit")
    );
    assert_eq!(task.order.origin, Some(world.key("anna")));
    assert!(results(&world)[0].contains("b1"), "{:?}", results(&world));

    world.agent().will([
        call(json!({})),
        call(json!({"action": "show", "id": "b1"})),
        call(json!({"action": "retry", "id": "b1"})),
        call(json!({"action": "cancel", "id": "b1"})),
        Step::Say("done"),
    ]);
    anna.says("and?").await;
    is(&world, 2, TaskState::Succeeded).await;
    world.at_rest().await;
    let told = results(&world);
    let listed: Value = serde_json::from_str(&told[1]).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!("b1"), &json!("succeeded")));
    let shown: Value = serde_json::from_str(&told[2]).unwrap();
    assert_eq!((&shown["result"], &shown["text"]), (&json!("42"), &json!("compute\nit")));
    assert!(told[3].contains("b2") && told[4].contains("error: b1 has already ended"), "{told:?}");
}

#[tokio::test]
async fn tasks_cannot_multiply() {
    let world = World::new().await;
    let anna = world.user("anna");
    let many = (0..6).map(|_| submit("more"));
    world.agent().will(many.chain([Step::Say("done")]));
    anna.says("/bg many").await;
    is(&world, 1, TaskState::Succeeded).await;
    world.at_rest().await;
    let told = results(&world);
    assert_eq!(told.iter().filter(|told| told.starts_with("error: ")).count(), 1, "{told:?}");
    assert!(told[5].contains("handed over too many tasks"), "{told:?}");
    until("all are done", || async {
        let all = tasks(&world).await;
        (all.len() == 6 && all.iter().all(|task| task.state == TaskState::Succeeded)).then_some(())
    })
    .await;

    world.agent().will([submit("child"), Step::Say("done")]);
    world.agent().will([submit("grandchild"), Step::Say("done")]);
    anna.says("go").await;
    is(&world, 7, TaskState::Succeeded).await;
    let told = results(&world).pop().unwrap();
    assert!(told.starts_with("error: ") && told.contains("cannot hand over further ones"), "{told}");
    assert_eq!(tasks(&world).await.len(), 7);
}

#[tokio::test]
async fn an_agent_sees_the_tasks_of_its_chat_and_changes_those_of_its_person() {
    let world = World::new().await;
    let (anna, ben) = (world.user("anna"), world.user("ben"));
    world.agent().will([Step::Hang]);
    anna.says("/bg private work").await;
    world.agent().begun(1).await;
    world.agent().will([Step::Hang]);
    world.platform().outcome_of(message_from("anna", "/bg work of the group").in_group("-1")).await;
    world.agent().begun(2).await;
    let steps = || {
        let of = |action: &str, id: &str| call(json!({"action": action, "id": id}));
        [call(json!({})), of("show", "b1"), of("cancel", "b1"), of("cancel", "b2"), Step::Say("done")]
    };
    world.agent().will(steps());
    ben.says("cancel everything").await;
    until("ben is answered", || async { (results(&world).len() == 4).then_some(()) }).await;
    assert_eq!(results(&world)[0], "[]");
    assert!(
        results(&world)[1..].iter().all(|told| told.contains("there is no background task")),
        "{:?}",
        results(&world)
    );

    world.agent().will(steps());
    world.platform().outcome_of(message_from("ben", "cancel everything").in_group("-1")).await;
    until("the group is answered", || async { (results(&world).len() == 8).then_some(()) }).await;
    let told = results(&world).split_off(4);
    assert!(told[0].contains("b2") && !told[0].contains("b1"), "{told:?}");
    assert!(told[3].contains("somebody else's task"), "{told:?}");
    world.agent().will(steps());
    world.platform().outcome_of(message_from("anna", "cancel everything").in_group("-1")).await;
    is(&world, 2, TaskState::Cancelled).await;
    assert_eq!(tasks(&world).await[0].state, TaskState::Running);
    anna.says("/cancel b1").await;
}

#[tokio::test]
async fn a_turn_that_has_handed_over_a_task_is_not_run_again_after_a_kill() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([submit("once"), Step::Hang]);
    anna.says("go").await;
    is(&world, 1, TaskState::Succeeded).await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!((tasks(&world).await.len(), world.agent().turns().len()), (1, 2));
    assert!(anna.sees().iter().any(|text| text.contains("/retry")), "{:?}", anna.sees());
}
