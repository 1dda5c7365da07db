//! Groups that the platform gives a new id.

use super::*;

#[tokio::test]
async fn a_group_that_moves_keeps_its_conversation_and_its_rules() {
    let mut world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "before").in_group(GROUP)).await;
    world.at_rest().await;
    platform.outcome_of(message_from("anna", "").in_group(GROUP).moves_to("-100")).await;
    platform.outcome_of(message_from("anna", "after").in_group("-100")).await;
    assert_eq!(answers(&world, "-100").await, ["after"]);
    world.crash().await;
    world.start().await.unwrap();
    world.platform().outcome_of(message_from("anna", "later").in_group("-100")).await;
    assert_eq!(answers(&world, "-100").await, ["after", "later"]);
    let keys: Vec<String> = world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
    assert_eq!(keys, vec!["agent:main:fake:group:-1"; 3]);
}

#[tokio::test]
async fn a_group_that_was_not_known_before_it_moved_is_known_by_its_new_id() {
    let world = World::with(plan().access(|access| {
        access.groups.insert("-100".to_owned(), GroupAccess::default());
    }))
    .await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "").in_group("-9").moves_to("-100")).await;
    platform.outcome_of(message_from("anna", "hello").in_group("-100")).await;
    assert_eq!(answers(&world, "-100").await, ["hello"]);
    assert_eq!(world.agent().turns()[0].session.to_string(), "agent:main:fake:group:-100");
}

#[tokio::test]
async fn a_message_to_the_old_id_of_a_group_reaches_the_same_session() {
    let world = World::new().await;
    let platform = world.platform();
    platform.outcome_of(message_from("anna", "before").in_group(GROUP)).await;
    world.at_rest().await;
    platform.fails([frontdesk_world::platform::Fault::Answer(frontdesk_core::delivery::SendError::Moved {
        to: GROUP.to_owned(),
    })]);
    world.handle().send(&"fake:-9".parse().unwrap(), "to the old id", None, "k", &operator()).await.unwrap();
    assert_eq!(answers(&world, GROUP).await, ["before", "to the old id"]);
    platform.outcome_of(message_from("anna", "after").in_group(GROUP)).await;
    world.at_rest().await;
    let keys: Vec<String> = world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
    assert_eq!(keys, vec!["agent:main:fake:group:-1"; 2]);
}

#[tokio::test]
async fn rules_and_grants_name_a_moved_group_by_either_id() {
    let world =
        World::with(plan().chat("-100", |chat| chat.require_mention = Some(false)).access(|access| {
            let people = ["anna".to_owned()].into();
            access.groups.insert(
                "-100".to_owned(),
                GroupAccess {
                    closed: true,
                    members: Members { people, ..Members::default() },
                    ..GroupAccess::default()
                },
            );
        }))
        .await;
    let platform = world.platform();
    // An admin allowed the group when it still had its old id.
    platform.outcome_of(message_from("root", "/gateway allow-here").unaddressed_in("-9")).await;
    world.at_rest().await;
    platform.outcome_of(message_from("anna", "one").in_group("-9")).await;
    world.at_rest().await;
    platform.outcome_of(message_from("anna", "").in_group("-9").moves_to("-100")).await;
    platform.outcome_of(message_from("anna", "two").unaddressed_in("-100")).await;
    world.at_rest().await;
    assert_eq!(world.agent().prompts(), ["one", "two"]);
    let keys: Vec<String> = world.agent().turns().iter().map(|turn| turn.session.to_string()).collect();
    assert_eq!(keys, vec!["agent:main:fake:group:-9"; 2]);
    let before = platform.outcome_of(message_from("ben", "three").in_group("-100")).await;
    assert_eq!(before, Outcome::Denied, "the list in the file holds");
    for id in ["-100", "-9"] {
        let principal = format!("fake:ben{id}").parse().unwrap();
        let scope = frontdesk_store::row::Scope::Group(id.to_owned());
        let by = frontdesk_store::row::Author { name: "cli".to_owned(), via: "cli" };
        let grant = frontdesk_store::row::AccessChange::Grant { principal, scope };
        world.handle().change_access(grant, by).await.unwrap();
        let outcome = platform.outcome_of(message_from(&format!("ben{id}"), "four").in_group("-100")).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{id}: {outcome:?}");
    }
}

#[tokio::test]
async fn parts_that_wait_for_a_group_that_moves_arrive_in_the_new_one() {
    let world = World::new().await;
    let platform = world.platform();
    platform.set_offline(true);
    platform.outcome_of(message_from("anna", "hello").in_group(GROUP)).await;
    world.agent().begun(1).await;
    platform.outcome_of(message_from("anna", "").in_group(GROUP).moves_to("-100")).await;
    platform.set_offline(false);
    world.clock().pass(Duration::from_secs(60));
    assert_eq!(answers(&world, "-100").await, ["hello"]);
    assert!(platform.chat(GROUP).is_empty());
}
