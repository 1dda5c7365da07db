//! Which files are kept, for how long, and how many.

use std::time::Duration;

use frontdesk_core::message::FileKind;
use frontdesk_world::event::message_from;
use frontdesk_world::files::Fetch;
use frontdesk_world::wait::until;
use frontdesk_world::{Step, World, operator, plan};

use crate::files::{aged, files, listed, made, photo};

#[tokio::test]
async fn a_sweep_deletes_old_files_and_files_that_no_row_names() {
    let mut world = World::with(plan().with(|config| config.media.keep_days = 2)).await;
    let anna = world.user("anna");
    world.platform().holds("cat", [photo("cat")]);
    world.platform().outcome_of(message_from("anna", "look").with_file("cat", FileKind::Photo)).await;
    anna.hears().await;
    made(&world, "mine.txt", b"mine");
    world.agent().will([Step::File("mine.txt", None)]);
    anna.says("send").await;
    anna.next().await;
    world.at_rest().await;
    let cat = files(&world, 0, 0)[0].got.clone().unwrap();
    let sent = world.media().join("out").join(&listed(world.media().join("out"))[0]);
    // A crash between creating the file and its row leaves a file that no row names.
    let (orphan, young) = (made(&world, "in/aa.jpg", b"x"), made(&world, "in/bb.jpg", b"x"));
    for path in [&cat, &sent, &orphan] {
        aged(path, &world);
    }
    world.stop().await;
    world.start().await.unwrap();
    until("the orphan and the sent file are gone", || async {
        (!orphan.exists() && !sent.exists()).then_some(())
    })
    .await;
    assert!(cat.exists() && young.exists(), "a row names the one, and the other is young");
    world.clock().pass(Duration::from_secs(3 * 24 * 3600));
    world.stop().await;
    world.start().await.unwrap();
    until("the old file is gone", || async { (!cat.exists()).then_some(()) }).await;
    assert!(world.media().join("mine.txt").exists(), "what is not ours is not touched");
    world.at_rest().await;
}

#[tokio::test]
async fn erasing_a_conversation_erases_its_files() {
    let world = World::new().await;
    for (who, file) in [("anna", "cat"), ("bob", "dog")] {
        world.platform().holds(file, [photo(file)]);
        made(&world, &format!("{who}.txt"), b"for somebody");
        world.agent().will([Step::File("anna.txt", None), Step::Echo]);
        world.platform().outcome_of(message_from(who, "look").with_file(file, FileKind::Photo)).await;
        world.at_rest().await;
    }
    assert_eq!((listed(world.media().join("in")).len(), listed(world.media().join("out")).len()), (2, 2));
    world.handle().erase(&world.key("anna"), &operator()).await.unwrap();
    let [left] = &listed(world.media().join("in"))[..] else { panic!("one is left") };
    let bobs = std::fs::read(world.media().join("in").join(left)).unwrap();
    assert_eq!(bobs, b"bytes of dog", "another conversation's file stays");
    assert_eq!(listed(world.media().join("out")).len(), 1);
}

#[tokio::test]
async fn the_same_file_sent_forty_times_is_fetched_and_kept_once() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 20)).await;
    world.platform().holds("cat", [photo("cat")]);
    for n in 0..40 {
        let cat = message_from("anna", &format!("{n}"))
            .with_file("cat", FileKind::Photo)
            .known_as(Some("u-cat"), 12);
        world.platform().outcome_of(cat.in_topic("-1", &format!("{n}"))).await;
    }
    world.agent().begun(40).await;
    world.at_rest().await;
    assert_eq!(world.platform().fetched(), ["cat"]);
    assert_eq!(listed(world.media().join("in")).len(), 1);
    for n in 0..40 {
        let [file] = files(&world, n, 0).try_into().unwrap();
        assert_eq!(std::fs::read(file.got.unwrap()).unwrap(), b"bytes of cat");
    }
    // A file that is missing or was changed is fetched again.
    std::fs::remove_file(world.media().join("in").join(&listed(world.media().join("in"))[0])).unwrap();
    world.clock().pass(Duration::from_secs(24 * 3600));
    world.platform().holds("cat", [photo("cat")]);
    let cat = message_from("anna", "again").with_file("cat", FileKind::Photo).known_as(Some("u-cat"), 12);
    world.platform().outcome_of(cat).await;
    world.agent().begun(41).await;
    world.at_rest().await;
    assert!(files(&world, 40, 0)[0].got.as_ref().unwrap().exists());
}

#[tokio::test]
async fn the_same_content_lies_on_the_disk_once_and_outlives_either_session() {
    let mut world = World::new().await;
    world.platform().holds("a", [photo("cat")]);
    world.platform().holds("b", [photo("cat")]);
    world.platform().outcome_of(message_from("anna", "1").with_file("a", FileKind::Photo)).await;
    world.agent().begun(1).await;
    world.at_rest().await;
    world.platform().outcome_of(message_from("ben", "2").with_file("b", FileKind::Photo)).await;
    world.agent().begun(2).await;
    world.at_rest().await;
    assert_eq!((world.platform().fetched().len(), listed(world.media().join("in")).len()), (2, 1));
    let path = files(&world, 1, 0)[0].got.clone().unwrap();
    assert_eq!(files(&world, 0, 0)[0].got, Ok(path.clone()));
    world.handle().erase(&world.key("anna"), &frontdesk_world::operator()).await.unwrap();
    let orphan = made(&world, "in/aa.jpg", b"x");
    aged(&path, &world);
    aged(&orphan, &world);
    world.stop().await;
    world.start().await.unwrap();
    until("the orphan is gone", || async { (!orphan.exists()).then_some(()) }).await;
    assert!(path.exists(), "it is ben's as well");
    world.handle().erase(&world.key("ben"), &frontdesk_world::operator()).await.unwrap();
    world.stop().await;
    world.start().await.unwrap();
    until("the file is gone", || async { (!path.exists()).then_some(()) }).await;
}

#[tokio::test]
async fn a_person_has_a_daily_limit_of_bytes_and_gets_one_notice() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 30)).await;
    for name in ["a", "b", "c", "d", "e"] {
        world.platform().holds(name, [photo("cat"), photo("cat")]);
    }
    let sends = |person: &str, name: &str| {
        message_from(person, name).with_file(name, FileKind::Photo).known_as(None, 12)
    };
    for (n, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        world.platform().outcome_of(sends("anna", name)).await;
        world.agent().begun(n + 1).await;
        world.at_rest().await;
    }
    let got = |n: usize| files(&world, n, 0).remove(0).got;
    assert!(got(0).is_ok() && got(1).is_ok());
    assert!(got(2).unwrap_err().contains("as much today as one person may") && got(3).is_err());
    let notices = || world.user("anna").sees().iter().filter(|text| text.contains("limit for files")).count();
    assert_eq!(notices(), 1);
    world.platform().outcome_of(sends("ben", "e")).await;
    world.agent().begun(5).await;
    assert!(got(4).is_ok(), "somebody else's day");
    world.clock().pass(Duration::from_secs(24 * 3600));
    world.platform().outcome_of(sends("anna", "c")).await;
    world.agent().begun(6).await;
    world.at_rest().await;
    assert!(got(5).is_ok(), "another day");
}

#[tokio::test]
async fn a_fetch_that_is_stopped_gives_its_bytes_of_the_day_back() {
    let world = World::with(plan().with(|config| config.media.daily_bytes = 30)).await;
    world.platform().holds("slow", [Fetch::Stuck]);
    world.platform().holds("cat", [photo("cat")]);
    let sends =
        |name: &str, size| message_from("anna", name).with_file(name, FileKind::Photo).known_as(None, size);
    world.platform().outcome_of(sends("slow", 30)).await;
    until("it is fetched", || async { (!world.platform().fetched().is_empty()).then_some(()) }).await;
    world.user("anna").says("/stop").await;
    world.at_rest().await;
    world.platform().outcome_of(sends("cat", 12)).await;
    world.agent().begun(1).await;
    assert!(files(&world, 0, 0).remove(0).got.is_ok());
}

#[tokio::test]
async fn no_more_files_are_kept_than_may_be_and_old_ones_are_deleted() {
    let world = World::with(plan().with(|config| {
        config.media.total_bytes = 15;
        config.media.keep_days = 1;
    }))
    .await;
    for name in ["a", "b", "c"] {
        world.platform().holds(name, [photo(name)]);
    }
    let sends = |name: &str| message_from("anna", name).with_file(name, FileKind::Photo).known_as(None, 10);
    for (n, name) in ["a", "b"].into_iter().enumerate() {
        world.platform().outcome_of(sends(name)).await;
        world.agent().begun(n + 1).await;
        world.at_rest().await;
    }
    assert!(files(&world, 0, 0)[0].got.is_ok());
    assert!(files(&world, 1, 0)[0].got.as_ref().unwrap_err().contains("As many files are kept"));
    assert!(world.user("anna").sees().iter().any(|text| text.contains("storage for files is full")));
    world.clock().pass(Duration::from_secs(2 * 24 * 3600));
    world.platform().outcome_of(sends("c")).await;
    world.agent().begun(3).await;
    world.at_rest().await;
    assert!(files(&world, 2, 0)[0].got.is_ok());
    assert_eq!(listed(world.media().join("in")).len(), 1);
}
