//! Messages that wait are marked, where the platform can do that.

use std::time::Duration;

use frontdesk_core::access::DmPolicy;
use frontdesk_core::message::FileKind;
use frontdesk_world::event::message_from;
use frontdesk_world::wait::until;
use frontdesk_world::{Plan, Step, User, World, plan};

use crate::files::photo;

const A_WHILE: Duration = Duration::from_millis(1600);

/// A world whose platform can mark messages. The agent answers anna, who waits.
async fn answering() -> (World, User) {
    answering_in(plan().marks()).await
}

async fn answering_in(plan: Plan) -> (World, User) {
    let world = World::with(plan).await;
    let anna = world.user("anna");
    world.agent().will([Step::Pause, Step::Echo]);
    world.platform().outcome_of(message_from("anna", "runs").named("m1")).await;
    world.agent().begun(1).await;
    (world, anna)
}

/// A message of anna with this id of the platform, which is stored and then waits for a while.
async fn waits(world: &World, id: &str, text: &str) {
    world.platform().outcome_of(message_from("anna", text).named(id)).await;
    world.clock().pass(A_WHILE);
}

async fn marked(world: &World, wanted: &[(&str, bool)]) {
    let wanted: Vec<_> = wanted.iter().map(|(id, waits)| ((*id).to_owned(), *waits)).collect();
    until("the marks are right", || async { (world.platform().marks() == wanted).then_some(()) }).await;
}

#[tokio::test]
async fn a_message_is_marked_while_it_waits_and_one_that_is_answered_at_once_is_not() {
    let (world, anna) = answering().await;
    waits(&world, "m2", "waits").await;
    marked(&world, &[("m2", true)]).await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.agent().resume();
    world.agent().begun(2).await;
    marked(&world, &[("m2", true), ("m2", false)]).await;
    // The answer that began at once takes a while, and its message has no mark.
    world.clock().pass(A_WHILE * 2);
    world.agent().resume();
    world.at_rest().await;
    assert_eq!(anna.answers(), ["runs", "waits"]);
    assert_eq!(world.platform().marks().len(), 2);
}

#[tokio::test]
async fn a_message_that_is_dropped_stopped_or_refused_loses_its_mark() {
    for how in ["/queue clear", "/stop"] {
        let (world, anna) = answering().await;
        waits(&world, "m2", "waits").await;
        marked(&world, &[("m2", true)]).await;
        anna.says(how).await;
        marked(&world, &[("m2", true), ("m2", false)]).await;
    }
    let only_anna = plan().marks().access(|access| {
        access.dm_policy = DmPolicy::Allowlist;
        access.allow.insert("anna".to_owned());
    });
    let (mut world, _anna) = answering_in(only_anna).await;
    waits(&world, "m2", "waits").await;
    marked(&world, &[("m2", true)]).await;
    let reload = world.reload().plan(|plan| plan.access(|access| access.allow.clear()));
    reload.apply(&mut world).await.unwrap();
    marked(&world, &[("m2", true), ("m2", false)]).await;
}

#[tokio::test]
async fn an_album_that_waits_is_marked_once() {
    let (world, _anna) = answering().await;
    for (id, file) in [("m2", "f1"), ("m3", "f2")] {
        world.platform().holds(file, [photo(file)]);
        let piece = message_from("anna", "").named(id).with_file(file, FileKind::Photo).of_album("holiday");
        world.platform().outcome_of(piece).await;
    }
    world.clock().pass(A_WHILE);
    marked(&world, &[("m2", true)]).await;
    world.agent().resume();
    world.at_rest().await;
    marked(&world, &[("m2", true), ("m2", false)]).await;
}

#[tokio::test]
async fn a_mark_that_was_set_before_a_crash_is_removed_after_it() {
    let (mut world, _anna) = answering().await;
    waits(&world, "m2", "waits").await;
    marked(&world, &[("m2", true)]).await;
    world.crash().await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.start().await.unwrap();
    world.agent().begun(2).await;
    world.agent().resume();
    world.at_rest().await;
    marked(&world, &[("m2", true), ("m2", false)]).await;
}

#[tokio::test]
async fn without_marks_the_platform_is_asked_for_none() {
    let world = World::new().await;
    world.agent().will([Step::Pause, Step::Echo]);
    world.platform().outcome_of(message_from("anna", "runs").named("m1")).await;
    world.agent().begun(1).await;
    waits(&world, "m2", "waits").await;
    world.agent().resume();
    world.at_rest().await;
    assert!(world.platform().marks().is_empty());
}
