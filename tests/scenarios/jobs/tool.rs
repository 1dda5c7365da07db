//! Jobs that agents make for their chat.

use frontdesk_core::job::{JobSource, JobState};
use frontdesk_store::row::JobReach;
use frontdesk_world::event::message_from;
use frontdesk_world::{Step, World};
use serde_json::{Value, json};

use super::{HOUR, id, is, stored};
use crate::tasks::sees;

fn call(params: Value) -> Step {
    Step::GatewayTool("cron", params)
}

/// The results of all calls, errors included.
fn results(world: &World) -> Vec<String> {
    let text = |result: Result<String, String>| result.unwrap_or_else(|why| format!("error: {why}"));
    world.agent().results().into_iter().map(text).collect()
}

fn add(name: &str) -> Step {
    call(
        json!({"action": "add", "id": name, "task": "Tell me the time.", "schedule": {"kind": "every", "expr": "1h"}}),
    )
}

#[tokio::test]
async fn an_agent_makes_a_job_in_the_name_of_its_person_for_its_chat() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([add("time"), Step::Say("You will hear from me.")]);
    anna.says("remind me every hour").await;
    sees(&anna, "You will hear from me.").await;
    let job = stored(&world, "time").await;
    assert_eq!(
        (job.source, job.owner.id.id(), job.origin),
        (JobSource::Agent, "anna", Some(world.key("anna")))
    );
    assert!(results(&world)[0].contains("2026-03-28T13:00:00"), "{:?}", results(&world));
    world.clock().pass(HOUR);
    sees(&anna, "Tell me the time.").await;

    world.agent().will([
        call(json!({})),
        call(json!({"action": "show", "id": "time"})),
        call(json!({"action": "pause", "id": "time"})),
        call(json!({"action": "resume", "id": "time"})),
        call(json!({"action": "remove", "id": "time"})),
        Step::Say("done"),
    ]);
    anna.says("stop that").await;
    sees(&anna, "done").await;
    world.at_rest().await;
    let told = results(&world);
    let listed: Value = serde_json::from_str(&told[1]).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!("time"), &json!("active")));
    let shown: Value = serde_json::from_str(&told[2]).unwrap();
    assert_eq!(shown["runs"][0]["result"], json!("Tell me the time."));
    assert!(
        told[3].contains("paused") && told[4].contains("runs again") && told[5].contains("removed"),
        "{told:?}"
    );
    assert!(world.store().job(&id("time"), JobReach::All).await.unwrap().is_none());
}

#[tokio::test]
async fn jobs_cannot_multiply() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([add("time"), Step::Say("done")]);
    anna.says("go").await;
    sees(&anna, "done").await;
    world.agent().will([add("child"), call(json!({"action": "run", "id": "time"})), Step::Say("tried")]);
    world.clock().pass(HOUR);
    sees(&anna, "tried").await;
    let told = results(&world);
    assert!(told[1].contains("cannot make or run") && told[2].contains("cannot make or run"), "{told:?}");
    assert!(world.store().job(&id("child"), JobReach::All).await.unwrap().is_none());
}

#[tokio::test]
async fn an_agent_changes_only_jobs_of_its_chat_and_of_its_people() {
    let world = World::new().await;
    let group = |who: &str, text: &str| message_from(who, text).in_group("-1");
    world.agent().will([add("time"), Step::Say("made")]);
    world.platform().outcome_of(group("anna", "remind us")).await;
    world.platform().shows("-1", 1, |message| message.text == "made").await;
    world.agent().will([call(json!({"action": "pause", "id": "time"})), Step::Say("tried")]);
    world.platform().outcome_of(group("ben", "stop that")).await;
    world
        .platform()
        .shows("-1", 2, |message| message.text.contains("made") || message.text.contains("tried"))
        .await;
    world.at_rest().await;
    assert!(results(&world)[1].contains("somebody else's job"), "{:?}", results(&world));
    world.agent().will([call(json!({"action": "remove", "id": "time"})), Step::Say("no")]);
    world.user("ben").says("stop it").await;
    world.at_rest().await;
    assert!(results(&world)[2].contains("there is no scheduled job time"), "{:?}", results(&world));
    is(&world, "time", JobState::Active).await;
}

#[tokio::test]
async fn a_local_time_is_one_of_the_zone_that_the_chat_has_chosen() {
    let world = World::new().await;
    let anna = world.user("anna");
    anna.says("/timezone Asia/Tokyo").await;
    anna.hears().await;
    let schedule = json!({"kind": "cron", "expr": "0 17 * * 5"});
    let five = json!({"action": "add", "id": "five", "task": "Tell me.", "schedule": schedule});
    world.agent().will([call(five), Step::Say("I will.")]);
    anna.says("remind me every Friday at five").await;
    sees(&anna, "I will.").await;
    let next = stored(&world, "five").await.next;
    assert_eq!(next, "2026-04-03T08:00:00Z".parse().ok());
}
