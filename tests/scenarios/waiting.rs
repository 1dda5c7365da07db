//! Messages that wait: listed, and dropped by those who may.

use frontdesk_core::access::{GroupAccess, Members};
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Outcome;
use frontdesk_world::event::{TestEvent, message_from};
use frontdesk_world::{Step, World, plan};

/// Says something in the group, and returns its id once it is accepted.
async fn says(world: &World, event: TestEvent) -> MessageId {
    match world.platform().outcome_of(event).await {
        Outcome::Accepted { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn in_group(person: &str, text: &str) -> TestEvent {
    message_from(person, text).in_group("-1")
}

/// The last message in the group, once it has so many.
async fn last(world: &World, count: usize) -> String {
    world.platform().shows("-1", count, |_| true).await.pop().unwrap().text
}

async fn state(world: &World, id: MessageId) -> &'static str {
    world.message(id).await.message.state.name()
}

/// A world in whose group the agent answers ben, while messages of ben and anna wait.
async fn busy_group() -> (World, [MessageId; 3]) {
    let world = World::new().await;
    world.agent().will([Step::Pause]);
    says(&world, in_group("ben", "runs")).await;
    world.agent().begun(1).await;
    let first = says(&world, in_group("ben", "ben's *first*").shown_as("Ben")).await;
    let second = says(&world, in_group("anna", "anna's")).await;
    let third = says(&world, in_group("ben", "ben's second").shown_as("Ben")).await;
    (world, [first, second, third])
}

#[tokio::test]
async fn what_waits_is_listed_in_order_with_its_authors() {
    let (world, _) = busy_group().await;
    says(&world, in_group("anna", "/queue")).await;
    let list = last(&world, 1).await;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines[0], "3 messages in the queue (mode followup):");
    assert!(
        lines.iter().any(|line| line.starts_with("1. Ben, ") && line.ends_with(": ben's *first*")),
        "{list}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("2. name of anna, ") && line.ends_with(": anna's")),
        "{list}"
    );
    assert!(lines.iter().any(|line| line.starts_with("3. Ben, ")), "{list}");
    world.agent().resume();
    world.at_rest().await;
    says(&world, in_group("anna", "/queue")).await;
    let nothing = |text: &str| text.starts_with("No message waits here.");
    world.platform().shows("-1", 1, |post| nothing(&post.text)).await;
}

#[tokio::test]
async fn a_dropped_message_gets_no_turn_and_the_others_keep_their_order() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    let (first, second, third) = (anna.says("one").await, anna.says("two").await, anna.says("three").await);
    anna.says("/queue drop 2").await;
    assert_eq!(anna.hears().await, "Dropped two.");
    assert_eq!(state(&world, second).await, "cancelled");
    anna.says(&format!("/queue drop {second}")).await;
    assert_eq!(anna.hears().await, "This message does not wait any more. Send /queue to see what does.");
    anna.says(&format!("/queue drop {third}")).await;
    assert_eq!(anna.hears().await, "Dropped three.");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs", "one"]);
    assert_eq!(state(&world, first).await, "answered");
    anna.says("/queue drop 1").await;
    world.at_rest().await;
    assert_eq!(
        anna.sees().last().unwrap(),
        "This message does not wait any more. Send /queue to see what does."
    );
}

#[tokio::test]
async fn moderators_drop_what_others_said_and_one_message_is_counted_as_one() {
    let moderators = Members { people: ["mia".to_owned()].into(), ..Members::default() };
    let group = GroupAccess { moderators, ..GroupAccess::default() };
    let world = World::with(plan().access(|access| drop(access.groups.insert("-1".to_owned(), group)))).await;
    world.agent().will([Step::Pause, Step::Echo]);
    for text in ["runs", "one", "two"] {
        says(&world, in_group("ben", text)).await;
    }
    world.agent().begun(1).await;
    says(&world, in_group("mia", "/queue drop 1")).await;
    assert_eq!(last(&world, 1).await, "Dropped one.");
    says(&world, in_group("anna", "/queue clear")).await;
    assert_eq!(last(&world, 2).await, "No message of yours waits here. 1 message of somebody else stays.");
    says(&world, in_group("mia", "/queue clear")).await;
    assert_eq!(last(&world, 3).await, "Dropped 1 message from the queue.");
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs"]);
}

#[tokio::test]
async fn people_drop_their_own_messages_and_admins_drop_all() {
    let (world, [bens, annas, bens_second]) = busy_group().await;
    says(&world, in_group("anna", "/queue drop 1")).await;
    assert_eq!(last(&world, 1).await, "Only its author, a moderator or an admin can drop this message.");
    assert_eq!(state(&world, bens).await, "waiting");
    says(&world, in_group("anna", "/queue clear")).await;
    assert_eq!(last(&world, 2).await, "Dropped 1 message from the queue. 2 messages of other people stay.");
    assert_eq!(state(&world, annas).await, "cancelled");
    says(&world, in_group("anna", "/queue clear")).await;
    assert_eq!(last(&world, 3).await, "No message of yours waits here. 2 messages of other people stay.");
    says(&world, in_group("root", "/queue drop 2")).await;
    assert_eq!(last(&world, 4).await, "Dropped ben's second.");
    says(&world, in_group("root", "/queue clear")).await;
    assert_eq!(last(&world, 5).await, "Dropped 1 message from the queue.");
    assert_eq!([state(&world, bens).await, state(&world, bens_second).await], ["cancelled"; 2]);
    let audit = world.handle().store().audits(None, 10).await.unwrap();
    let rows: Vec<[&str; 3]> =
        audit.iter().rev().map(|row| [row.by.as_str(), row.action.as_str(), row.outcome.as_str()]).collect();
    assert_eq!(
        rows,
        [
            ["fake:anna", "queue drop", "refused:not_author"],
            ["fake:anna", "queue clear", "done"],
            ["fake:anna", "queue clear", "refused:not_author"],
            ["fake:root", "queue drop", "done"],
            ["fake:root", "queue clear", "done"],
        ]
    );
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs"]);
}

#[tokio::test]
async fn an_album_that_waits_is_one_message() {
    let world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    let piece = |name: &str, text: &str| {
        message_from("anna", text).of_album("x").with_file(name, frontdesk_core::message::FileKind::Photo)
    };
    let first = says(&world, piece("1", "")).await;
    let second = says(&world, piece("2", "")).await;
    anna.says("after it").await;
    anna.says("/queue").await;
    let list = anna.hears().await;
    assert!(
        list.contains("2 messages in the queue") && list.contains("1. ") && list.contains(": (photo)"),
        "{list}"
    );
    anna.says("/queue drop 1").await;
    assert_eq!(anna.hears().await, "Dropped (photo).");
    assert_eq!([state(&world, first).await, state(&world, second).await], ["cancelled"; 2]);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs", "after it"]);
}

#[tokio::test]
async fn what_was_dropped_stays_dropped_after_a_crash() {
    let mut world = World::new().await;
    let anna = world.user("anna");
    world.agent().will([Step::Hang]);
    anna.says("runs").await;
    world.agent().begun(1).await;
    anna.says("one").await;
    anna.says("two").await;
    anna.says("/queue drop 1").await;
    anna.hears().await;
    world.crash().await;
    world.start().await.unwrap();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs", "runs", "two"]);
}

#[tokio::test]
async fn a_button_beneath_the_list_drops_what_the_reader_may_drop() {
    let world = World::with(plan().buttons()).await;
    world.agent().will([Step::Pause]);
    says(&world, in_group("ben", "runs")).await;
    world.agent().begun(1).await;
    let bens = says(&world, in_group("ben", "ben's")).await;
    let annas = says(&world, in_group("anna", "anna's")).await;
    says(&world, in_group("eve", "/queue")).await;
    assert!(world.platform().shows("-1", 1, |_| true).await[0].buttons.is_empty(), "eve has nothing to drop");
    says(&world, in_group("anna", "/queue")).await;
    let list = world.platform().shows("-1", 1, |post| !post.buttons.is_empty()).await.remove(0);
    let press = |who: &str| message_from(who, &list.buttons[0]).in_group("-1").pressed_under(&list.id);
    let foreign = world.platform().outcome_of(press("ben")).await;
    assert!(matches!(foreign, Outcome::NotAnswered { .. }), "{foreign:?}");
    world.platform().outcome_of(press("anna")).await;
    world.platform().shows("-1", 1, |post| post.text.starts_with("Dropped 1 message")).await;
    assert_eq!([state(&world, bens).await, state(&world, annas).await], ["waiting", "cancelled"]);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["runs", "ben's"]);
}
