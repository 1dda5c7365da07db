//! A hundred results of background tasks for one chat, whose person goes on talking.

use std::time::Duration;

use frontdesk_core::address::Principal;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::task::TaskSource;
use frontdesk_runtime::{TaskPlace, TaskRequest};
use frontdesk_world::wait::until;
use frontdesk_world::{User, World, plan};

const SECOND: Duration = Duration::from_secs(1);
/// As many results as flooded a chat in a public report.
const TASKS: usize = 112;

/// A chat that takes one message a second, as those of Telegram do, and to which all tasks have reported at once.
async fn flooded() -> World {
    let world = World::with(plan().paced(SECOND).with(|config| {
        config.tasks.max_running = 8;
        config.tasks.per_person = 8;
        config.tasks.per_chat = 8;
        config.tasks.max_open_per_person = 200;
    }))
    .await;
    for n in 1..=TASKS {
        let request = TaskRequest {
            files: Vec::new(),
            owner: Principal::new("fake", None, "anna").unwrap(),
            operator: false,
            source: TaskSource::Api,
            key: None,
            text: format!("work {n}."),
            title: None,
            agent: None,
            place: TaskPlace::Chat("fake:anna".parse().unwrap()),
            limit: None,
        };
        world.handle().submit_task(request).await.unwrap();
    }
    until("all results are stored", || async {
        let rows = world.outbox().await;
        (rows.iter().filter(|row| row.post.kind == PostKind::Result).count() == TASKS).then_some(())
    })
    .await;
    world
}

/// Lets seconds pass until the chat shows this text, and returns how many.
async fn seconds_until(world: &World, user: &User, text: &str) -> usize {
    for passed in 0..200 {
        let shown = user.sees().len();
        if user.sees().iter().any(|seen| seen == text) {
            return passed;
        }
        world.clock().pass(SECOND);
        until("the next message is shown", || async { (user.sees().len() > shown).then_some(()) }).await;
    }
    panic!("{text:?} is not shown in 200 seconds")
}

#[tokio::test]
async fn results_of_112_tasks_arrive_once_and_in_order_while_their_person_is_answered() {
    let world = flooded().await;
    let anna = world.user("anna");
    for question in ["first?", "second?", "third?"] {
        let message = anna.says(question).await;
        world.ended(message).await;
        let waited = seconds_until(&world, &anna, question).await;
        assert!(waited <= 3, "{question} was answered after {waited} seconds");
    }
    anna.says("/whoami").await;
    let stored: Vec<String> = {
        let rows = world.outbox().await.into_iter();
        rows.filter(|row| row.post.kind == PostKind::Result).map(|row| row.post.part.body).collect()
    };
    until("everything is sent", || async {
        world.clock().pass(SECOND);
        (world.store().totals().await.unwrap().outbox == 0).then_some(())
    })
    .await;
    let seen = anna.sees();
    let results: Vec<&String> = seen.iter().filter(|text| text.contains("completed")).collect();
    assert_eq!(results, stored.iter().collect::<Vec<_>>());
    for n in 1..=TASKS {
        let ending = format!("\n\nwork {n}.");
        assert_eq!(results.iter().filter(|text| text.ends_with(&ending)).count(), 1, "task {n}");
    }
    let answers: Vec<&String> = seen.iter().filter(|text| text.ends_with('?')).collect();
    assert_eq!(answers, ["first?", "second?", "third?"]);
    let reply = seen.iter().position(|text| text.contains("fake:anna")).unwrap();
    assert!(reply < 20, "the reply to a command waits behind {reply} messages");
}
